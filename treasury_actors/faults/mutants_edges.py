"""
Known-bad changes at the edges of the house, where no seed passes: what is signed, the files, the keys.

Each names the test that must fail while it is planted. The simulation's chain has no contracts, its disk no
files and its wallet no key, so these rooms are tried by tests with the real parts.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiosqlite

from treasury_actors.chain.model import registry
from treasury_actors.chain.model.registry import PinnedToken, Registry, RegistryCheck, SeenItem
from treasury_actors.clock import WallClock
from treasury_actors.faults.planting import Change, known_bad
from treasury_actors.journal import anchor, anchor_key, folder
from treasury_actors.money import Asset
from treasury_actors.trading.adapters.evm import erc20, vetting
from treasury_actors.trading.adapters.evm.hops import Hop, Step
from treasury_actors.trading.adapters.evm.protocol import Approval, Call
from treasury_actors.trading.adapters.evm.signer import LocalSigner
from treasury_actors.trading.adapters.evm.venue import EvmVenue
from treasury_actors.trading.model import chain_limits
from treasury_actors.trading.model.chain_limits import ChainRefusal
from treasury_actors.trading.model.nonce_slots import Slots
from treasury_actors.trading.model.transaction import IntentId

_LOSSES = "tests/acceptance/test_known_losses.py"
_POWER = (
    "tests/power_loss/test_power_loss.py::test_a_hundred_power_cuts_take_away_nothing_that_was_acknowledged"
)
_SLOTS = "tests/unit/trading/test_nonce_slots.py"
_KEPT_OF_QUOTE_PERCENT = 99
_EAST_S = 5 * 3_600


@known_bad(
    "minimum-from-quote",
    "What a swap must bring is the pool's own quote less a percent",
    harness="tests",
    tests=(f"{_LOSSES}::test_march_2025_a_minimum_from_the_pools_own_quote_is_no_minimum",),
)
def _minimum_from_quote() -> Iterator[Change]:
    check: Callable[..., ChainRefusal | None] = chain_limits.check_min_out

    def trusting(*, decoded_units: int | None, required_units: int, quoted_units: int) -> ChainRefusal | None:
        del required_units
        lowest = quoted_units * _KEPT_OF_QUOTE_PERCENT // 100
        return check(decoded_units=decoded_units, required_units=lowest, quoted_units=quoted_units)

    yield vetting, "check_min_out", trusting


@known_bad(
    "minimum-in-floats",
    "What a swap must bring is computed in floating point",
    harness="tests",
    tests=(
        "tests/unit/trading/test_chain_limits.py::test_the_bound_is_never_nothing_and_never_rounded_away",
    ),
)
def _minimum_in_floats() -> Iterator[Change]:
    def rough(
        *,
        source: Asset,
        units: int,
        source_ticks: int,
        target: Asset,
        target_ticks: int,
        fee_ppm: int,
        impact_bps: int,
    ) -> int:
        price = source_ticks / target_ticks
        kept = 1 - fee_ppm / chain_limits.PPM - impact_bps / chain_limits.BPS
        digits = target.decimals + target.tick_exponent - source.decimals - source.tick_exponent
        return max(int(units * price * kept * 10.0**digits), 1)

    yield chain_limits, "min_out_units", rough


@known_bad(
    "deadline-by-the-machines-clock",
    "Whether a call is in time is asked of this machine's clock, not of the chain's",
    harness="tests",
    tests=(f"{_LOSSES}::test_what_is_right_is_signed",),
)
def _deadline_by_the_machines_clock() -> Iterator[Change]:
    check: Callable[..., ChainRefusal | None] = chain_limits.check_call
    clock = WallClock()

    def local(*given: object, **named: object) -> ChainRefusal | None:
        return check(*given, **{**named, "now_s": clock.now_ns() // 10**9})

    yield vetting, "check_call", local


@known_bad(
    "decimals-taken-on-trust",
    "A token has the decimals that are written here, whatever its contract says",
    harness="tests",
    tests=(f"{_LOSSES}::test_morpho_2024_swapped_decimals_are_refused_before_there_is_a_price",),
)
def _decimals_taken_on_trust() -> Iterator[Change]:
    def trusting(token: PinnedToken, there: SeenItem) -> list[object]:
        del token, there
        return []

    yield registry, "_decimals", trusting


@known_bad(
    "chain-id-from-the-node",
    "We are on whatever chain the node says",
    harness="tests",
    tests=("tests/unit/chain/test_registry.py::test_on_another_chain_nothing_else_is_compared",),
)
def _chain_id_from_the_node() -> Iterator[Change]:
    compare: Callable[[Registry, int, tuple[SeenItem, ...]], RegistryCheck] = registry.compare

    def credulous(pinned: Registry, chain_id: int, seen: tuple[SeenItem, ...]) -> RegistryCheck:
        return compare(replace(pinned, chain_id=chain_id), chain_id, seen)

    yield registry, "compare", credulous


@known_bad(
    "allowance-without-end",
    "An approval is for all there will ever be, which saves gas",
    harness="tests",
    tests=(f"{_LOSSES}::test_coinbase_2025_no_allowance_is_standing_or_larger_than_its_call",),
)
def _allowance_without_end() -> Iterator[Change]:
    everything = 2**256 - 1
    approve: Callable[[Approval], Call] = erc20.approve

    def generous(approval: Approval) -> Call:
        return replace(approve(replace(approval, units=0)), data=_approve_data(approval.spender, everything))

    def careless(*given: object, **named: object) -> ChainRefusal | None:
        del given, named
        return None

    yield erc20, "approve", generous
    yield vetting, "check_approval", careless


def _approve_data(spender: str, units: int) -> bytes:
    return erc20.APPROVE.encode(spender, units)


@known_bad(
    "intent-under-another-id",
    "After a restart what was sent is tried again, under an id that nobody has seen",
    harness="tests",
    tests=("tests/integration/evm/house/test_trades.py::test_a_restart_between_turns_changes_nothing",),
)
def _intent_under_another_id() -> Iterator[Change]:
    init, intent = EvmVenue.__init__, Hop.intent
    starts = [0]

    def counting(self: EvmVenue, **given: Any) -> None:  # noqa: ANN401 - handed on
        starts[0] += 1
        init(self, **given)

    def renamed(self: Hop, step: Step) -> IntentId:
        order, _, rest = intent(self, step).rpartition("/")
        return IntentId(f"{order}/{rest}" if starts[0] == 1 else f"{order}/{rest}.{starts[0]}")

    yield EvmVenue, "__init__", counting
    yield Hop, "intent", renamed


@known_bad(
    "key-in-its-repr",
    "A signer shows its key when it is printed, and logs print what they are given",
    harness="tests",
    tests=(f"{_LOSSES}::test_slope_2022_a_key_is_in_nothing_that_could_be_logged",),
)
def _key_in_its_repr() -> Iterator[Change]:
    def open_hearted(self: LocalSigner) -> str:
        return f"<LocalSigner {self._account.key.hex()}>"

    yield LocalSigner.__mro__[1], "__repr__", open_hearted


@known_bad(
    "signature-compared-by-equals",
    "A signature is compared with `==`, whose time tells how much of a guess was right",
    harness="tests",
    tests=(
        "tests/integration/test_journal_anchor.py::test_a_signature_is_compared_in_a_time_that_tells_nothing",
    ),
)
def _signature_compared_by_equals() -> Iterator[Change]:
    def hasty(key: bytes, message: str, found: str) -> bool:
        return anchor_key.signature(key, message) == found

    yield anchor_key, "is_signature", hasty
    yield anchor, "is_signature", hasty


@known_bad(
    "second-daemon-let-in",
    "Two processes may hold one run folder",
    harness="tests",
    tests=("tests/unit/journal/test_folder.py::test_a_second_holder_is_refused_and_told_who_holds",),
)
def _second_daemon_let_in() -> Iterator[Change]:
    def lax(handle: int, operation: int) -> None:
        del handle, operation

    yield fcntl, "flock", lax


@known_bad(
    "starts-not-counted",
    "Every start has the number of the first: what a dead life wrote looks like ours",
    harness="tests",
    tests=("tests/unit/journal/test_folder.py::test_a_released_folder_can_be_taken_and_counts_its_starts",),
)
def _starts_not_counted() -> Iterator[Change]:
    def always_first(path: Path) -> int:
        del path
        return 1

    yield folder, "_next_epoch", always_first


@known_bad(
    "day-of-the-machine",
    "A day's fees are those of the day where the machine stands, not of the UTC day of the chain",
    harness="tests",
    tests=(f"{_SLOTS}::test_a_call_that_reverted_ends_as_reverted_and_its_fee_counts_for_its_day",),
)
def _day_of_the_machine() -> Iterator[Change]:
    of_day = Slots.fees_wei_of_day

    def local(self: Slots, time_s: int) -> int:
        return of_day(self, time_s + _EAST_S)

    yield Slots, "fees_wei_of_day", local


def _saying(setting: str) -> Iterator[Change]:
    execute = vars(aiosqlite.Connection)["execute"]

    def weaker(
        self: aiosqlite.Connection,
        sql: str,
        parameters: Any = None,  # noqa: ANN401 - handed on
    ) -> AbstractAsyncContextManager[aiosqlite.Cursor]:
        found: AbstractAsyncContextManager[aiosqlite.Cursor] = execute(
            self, sql.replace("synchronous = FULL", f"synchronous = {setting}"), parameters
        )
        return found

    yield aiosqlite.Connection, "execute", weaker


@known_bad(
    "synchronous-normal",
    "SQLite is told to sync at checkpoints alone (synchronous=NORMAL)",
    harness="power-loss",
    tests=(_POWER,),
)
def _synchronous_normal() -> Iterator[Change]:
    yield from _saying("NORMAL")


@known_bad(
    "synchronous-off",
    "SQLite is told not to sync at all (synchronous=OFF)",
    harness="power-loss",
    tests=(_POWER,),
)
def _synchronous_off() -> Iterator[Change]:
    yield from _saying("OFF")
