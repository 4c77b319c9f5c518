"""
Losses that others had, and the control of this house that stops each: nothing is signed.

Each test names a loss and lets the mistake happen again, right up to the pen: the last look at the bytes of a
transaction, and the key behind it.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.acceptance.pen import FAIR, KEY, LOCAL, MARKET, NOW_S, STEP, UNITS, USDC, WETH, Pen
from tests.unit.trading.desk import ANN, BUY_WETH, DOLLARS, ETHER, LIMITS, Desk, frame, mandate, now, order
from tests.unit.trading.evm.venues import DOLLAR_TOKEN, ROUTER, STRANGER, WETH_TOKEN
from tests.unit.trading.small_chain import FEES, FIRST_NONCE, GWEI
from tests.unit.trading.wallet_steps import answer, send_of, sent_shell
from treasury_actors.chain.adapters.registry_check import refuse
from treasury_actors.chain.model.known_chains import BASE
from treasury_actors.chain.model.registry import RegistryProblem, SeenItem, compare
from treasury_actors.errors import ConfigError, InvariantViolated
from treasury_actors.simulation.rehearsal.curves import PoolState, sqrt_price_x96, swap_exact_in
from treasury_actors.trading.adapters.evm import erc20
from treasury_actors.trading.adapters.evm.protocol import Approval
from treasury_actors.trading.adapters.evm.signer import KeystoreSigner, LocalSigner, new_keystore
from treasury_actors.trading.adapters.evm.uniswap_routers import EXACT_INPUT_SINGLE
from treasury_actors.trading.model.chain_limits import (
    ChainReason,
    ChainRefusal,
    PriceReading,
    check_at_rest,
    check_prices,
)
from treasury_actors.trading.model.fees import Fees, MarketFees, choose_fees, fee_cap_wei
from treasury_actors.trading.model.limits import Turnover
from treasury_actors.trading.model.order import OrderAccepted, TradingReason
from treasury_actors.trading.model.rates import ARENA_BREACHES, RateLimits, check_arena_rates
from treasury_actors.trading.model.send_reply import NoAnswer
from treasury_actors.trading.model.slot_acts import End, Send, Sign
from treasury_actors.trading.model.transaction import Call as TxCall
from treasury_actors.trading.model.transaction import SlotId
from treasury_actors.trading.ports import Ticket

ROOT = Path(__file__).resolve().parents[2]
MAX = 2**256 - 1


def test_what_is_right_is_signed() -> None:
    """Or the tests below could not fail."""
    pen = Pen()

    assert pen.approve(ROUTER, UNITS) is None
    assert pen.swap() is None
    assert len(pen.signatures) == 2


def test_knight_2012_a_runaway_is_stopped_by_its_rate() -> None:
    """$460M in 45 minutes: old code answered 212 orders with 4 million executions, each within its size."""
    rates = RateLimits(arena_day_micro_usd_max=10**15, arena_sends_hour_max=100)
    turnover, refused = Turnover(), []
    for number in range(4_000):
        wish = order(0, BUY_WETH, units=DOLLARS, number=number)
        refusal = check_arena_rates(wish, DOLLARS, rates=rates, turnover=turnover)
        if refusal is None:
            turnover.add(OrderAccepted(order=wish, value_micro_usd=DOLLARS))
        else:
            refused.append(refusal.reason)

    assert refused == [TradingReason.ABOVE_ARENA_SEND_LIMIT] * 3_900
    assert refused[0] in ARENA_BREACHES, "after the first of them the house may only reduce"


def test_yearn_2023_a_script_that_swaps_the_whole_balance_is_too_large_for_its_pool() -> None:
    """$1.4M, 63 % of a position: no size cap, no check of what comes out."""
    pen, whole = Pen(), 1_890_000 * DOLLARS

    assert pen.swap(units=whole, quoted=FAIR * 1_890) is ChainReason.ABOVE_DEPTH_LIMIT
    assert pen.swap(units_out_min=0) is ChainReason.NO_MIN_OUT
    assert pen.signatures == []


def test_march_2025_a_minimum_from_the_pools_own_quote_is_no_minimum() -> None:
    """$220,764 for $5,271: a quote taken after the front-run, less half a percent, protects the attacker."""
    pool = PoolState(
        sqrt_price_x96=sqrt_price_x96(3_000_000 * DOLLARS, 1_500 * ETHER), liquidity=10**17, fee_pips=500
    )
    pool = replace(pool, liquidity=pool.sqrt_price_x96 * 3_000_000 * DOLLARS // 2**96)
    pushed = swap_exact_in(pool, 18_000_000 * DOLLARS, zero_for_one=True).sqrt_price_x96
    quoted = swap_exact_in(replace(pool, sqrt_price_x96=pushed), UNITS, zero_for_one=True).units_out
    pen = Pen()

    assert quoted * 40 < FAIR
    assert pen.swap(quoted=quoted, units_out_min=quoted * 995 // 1_000) is ChainReason.MIN_OUT_TOO_LOW
    assert pen.swap(quoted=quoted) is ChainReason.QUOTE_BELOW_MIN_OUT
    assert pen.signatures == []


def test_march_2026_a_trade_that_moves_its_price_by_99_percent_is_refused_twice() -> None:
    """$50.4M for $36,000: the impact was in the quote that the bound was derived from."""
    pen, units = Pen(), 50_400_000 * DOLLARS
    desk = Desk(mandate(limits=replace(LIMITS, trade_micro_usd_max=10**15, turnover_micro_usd_max=10**15)))
    desk.give(ANN, USDC, units)
    desk.turn(replace(MARKET, index=0), order(0, BUY_WETH, units=units))

    assert desk.refusals == ["above_impact_limit"]
    assert pen.swap(units=units, quoted=18 * ETHER) is ChainReason.QUOTE_BELOW_MIN_OUT
    assert pen.signatures == []


def test_coinbase_2025_no_allowance_is_standing_or_larger_than_its_call() -> None:
    """$300,000: standing approvals to a router that lets anybody call it."""
    pen = Pen()

    with pytest.raises(AssertionError, match="without end"):
        erc20.approve(Approval(token=DOLLAR_TOKEN, spender=ROUTER, units=MAX))
    assert pen.approve(ROUTER, MAX) is ChainReason.APPROVAL_NOT_EXACT
    assert pen.approve(ROUTER, UNITS + 1) is ChainReason.APPROVAL_NOT_EXACT
    assert pen.approve(STRANGER, UNITS) is ChainReason.SPENDER_NOT_ALLOWED
    assert pen.approve(ROUTER, UNITS, standing=1) is ChainReason.ALLOWANCE_AT_REST
    at_rest = check_at_rest([(DOLLAR_TOKEN, ROUTER, 0), (WETH_TOKEN, ROUTER, 1)])
    assert at_rest is not None
    assert at_rest.reason is ChainReason.ALLOWANCE_AT_REST
    assert pen.signatures == []


def test_morpho_2024_swapped_decimals_are_refused_before_there_is_a_price() -> None:
    """$230,000: an oracle's scale was wrong by 10^12. Here the chain is asked, and compared with the pin."""
    seen = tuple(
        SeenItem(checksummed=item.address, code_hash=item.code_hash or "0x" + "11" * 32, decimals=18)
        for item in BASE.items
    )
    found = compare(BASE, BASE.chain_id, seen)

    wrong = {finding.name for finding in found.refused}
    assert wrong == {token.asset for token in BASE.tokens if token.decimals != 18} != set()
    assert {finding.problem for finding in found.refused} == {RegistryProblem.OTHER_DECIMALS}
    with pytest.raises(ConfigError, match="OTHER_DECIMALS"):
        refuse(found)
    readings = [reading("chainlink", 10**9), reading("pool", 10**21)]
    assert price_reason(readings) is ChainReason.PRICES_DISAGREE


def test_paxos_2023_a_fee_has_a_cap_whatever_the_market_asks() -> None:
    """19.8 BTC for one transfer. The cap is the smaller of a fixed one and a share of what is traded."""
    cap = fee_cap_wei(FEES, notional_wei=ETHER // 2, emergency=False)
    spiked = MarketFees(base_fee_wei=100_000 * GWEI, tip_wei=GWEI)

    chosen = choose_fees(FEES, spiked, gas_limit=250_000, fee_wei_max=cap)

    assert cap == ETHER // 2 * 50 // 10_000
    assert isinstance(chosen, ChainRefusal)
    assert chosen.reason is ChainReason.FEE_ABOVE_CAP


def test_slope_2022_a_key_is_in_nothing_that_could_be_logged(tmp_path: Path) -> None:
    """9,229 wallets: keys went to a log of errors."""
    signer = LocalSigner(KEY, chain_id=LOCAL)
    keystore = tmp_path / "key.json"
    keystore.write_text(new_keystore("correct horse"))
    keystore.chmod(0o600)
    password = tmp_path / "password"
    password.write_text("battery staple")
    password.chmod(0o600)
    with pytest.raises(ConfigError) as wrong_word:
        KeystoreSigner(keystore, password, chain_id=LOCAL)
    other = SlotId(chain_id=1, sender=signer.address, nonce=0)
    call = TxCall(to=ROUTER, value_wei=0, data="0x", gas_limit=21_000)
    fees = Fees(max_fee_wei=1, tip_wei=1)
    with pytest.raises(InvariantViolated) as wrong_chain:
        signer.sign(Sign(slot=other, attempt=0, kind="call", call=call, fees=fees))

    said = f"{signer!r} {signer} {wrong_word.value!r} {wrong_chain.value!r}"
    assert KEY[2:] not in said.lower()
    assert "battery" not in said


def test_three_commas_2022_a_key_that_others_can_read_signs_nothing(tmp_path: Path) -> None:
    """$20M by leaked keys. A raw key signs on a local chain alone, a keystore only where it is private."""
    keystore = tmp_path / "key.json"
    keystore.write_text("{}")
    keystore.chmod(0o644)

    with pytest.raises(ConfigError, match="chmod 600"):
        KeystoreSigner(keystore, keystore, chain_id=BASE.chain_id)
    with pytest.raises(ConfigError, match="local chain"):
        LocalSigner(KEY, chain_id=BASE.chain_id)


def test_web3_js_2024_what_is_installed_is_what_was_locked() -> None:
    """A publisher was phished, and five hours of installs stole keys. A lock here hashes every byte."""
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        pins = re.split(r"\n(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8"))
        named = [pin for pin in pins if "==" in pin.split("\n", 1)[0]]
        assert named, lock.name
        assert all("--hash=sha256:" in pin for pin in named), lock.name
    packages = json.loads((ROOT / "evm" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all(entry.get("integrity", "").startswith("sha512-") for path, entry in packages.items() if path)
    assert "ignore-scripts=true" in (ROOT / "evm" / ".npmrc").read_text(encoding="utf-8").splitlines()


def test_a_relayers_jam_nonces_have_no_gap_and_no_intent_has_two() -> None:
    """Relayers that count nonces in memory leave gaps, or send one intent twice, at a later nonce."""
    shell = sent_shell("first", "second", "third")

    assert shell.submit("second") is not None, "an intent is planned once"
    nonces = [slot.id.nonce for slot in shell.slots.live()]
    assert nonces == [FIRST_NONCE, FIRST_NONCE + 1, FIRST_NONCE + 2]


def test_hummingbot_a_send_without_an_answer_is_unknown_and_never_failed() -> None:
    """Orders whose request timed out were placed again, and both filled."""
    shell = sent_shell()
    before = send_of(shell)

    step = answer(shell, NoAnswer(detail="timeout"))

    assert not any(isinstance(act, End) for act in step.acts)
    assert {act.raw for act in step.acts if isinstance(act, Send)} <= {before.raw}, "the same bytes, or none"
    for event in step.events:
        shell.record(event)
    waits = shell.submit("another")
    assert waits is not None
    assert waits.reason is ChainReason.UNEXPLAINED_SLOT


def test_nautilus_a_recovery_can_not_invent_a_fill() -> None:
    """Fills were made up at a start to explain a balance. Here one that nobody awaits breaks an invariant."""
    desk = Desk()
    unknown = Ticket(
        order_id=order(0, BUY_WETH, units=UNITS).order_id,
        agent=ANN,
        hop=0,
        conversion=STEP,
        units=UNITS,
        gas_wei_max=ETHER,
    )
    now(desk.venue.send(unknown))
    with pytest.raises(InvariantViolated, match="I9"):
        desk.turn(frame(0))
    assert desk.fills == []

    settled = Pen().protocol.settle(STEP, STRANGER, (), before={WETH: 0}, after={WETH: 10**30})
    assert (settled.given_units, settled.taken_units) == (0, 0), "a balance that grew is no fill"


def reading(source: str, ticks: int) -> PriceReading:
    return PriceReading(source=source, ticks=ticks, time_s=NOW_S, heartbeat_s=3_600)


def price_reason(readings: Sequence[PriceReading], *, stable: bool = False) -> ChainReason | None:
    refusal = check_prices(Pen().limits, readings, stable=stable, now_s=NOW_S)
    return None if refusal is None else refusal.reason


def test_compound_2020_one_source_is_no_price_and_a_dollar_is_not_assumed() -> None:
    """$89M liquidated on one exchange's DAI at $1.30; in 2023 USDC was 88 cents for two days."""
    assert price_reason([reading("coinbase", 13 * 10**8)]) is ChainReason.ONE_SOURCE
    assert price_reason([reading("coinbase", 13 * 10**8)] * 2) is ChainReason.ONE_SOURCE
    two = [reading("coinbase", 13 * 10**8), reading("chainlink", 10**9)]
    assert price_reason(two, stable=True) is ChainReason.PRICES_DISAGREE
    fallen = [reading("chainlink", 88 * 10**7), reading("pool", 88 * 10**7)]
    assert price_reason(fallen, stable=True) is None, "88 cents is a price, if two say so"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"recipient": STRANGER}, ChainReason.RECIPIENT_NOT_OURS),
        ({"deadline_s": NOW_S + 3_600}, ChainReason.DEADLINE_TOO_FAR),
        ({"deadline_s": NOW_S}, ChainReason.DEADLINE_PASSED),
        ({"units_in": UNITS + 1}, ChainReason.CALL_MISMATCH),
        ({"fees_ppm": (10_000,)}, ChainReason.CALL_MISMATCH),
        ({"tokens": (DOLLAR_TOKEN, STRANGER)}, ChainReason.CALL_MISMATCH),
        ({"units_out_min": 1}, ChainReason.MIN_OUT_TOO_LOW),
    ],
)
def test_a_swap_that_says_anything_else_is_not_signed(
    changed: dict[str, object], reason: ChainReason
) -> None:
    pen = Pen()

    assert pen.swap(**changed) is reason  # type: ignore[arg-type]  # fields of a Swap
    assert pen.signatures == []


def test_a_transaction_for_another_chain_is_not_signed() -> None:
    """Replayed or misdirected: the id is in the config, in the session, in the limits and under the key."""
    pen = Pen()
    pen.limits = replace(pen.limits, chain_id=1)

    with pytest.raises(InvariantViolated, match="I22"):
        pen.signer.sign(
            Sign(
                slot=SlotId(chain_id=1, sender=pen.signer.address, nonce=0),
                attempt=0,
                kind="call",
                call=TxCall(to=ROUTER, value_wei=0, data="0x", gas_limit=21_000),
                fees=Fees(max_fee_wei=1, tip_wei=1),
            )
        )
    assert compare(BASE, 1, tuple(SeenItem(checksummed="", code_hash=None) for _ in BASE.items)).refused
    assert pen.signatures == []


@given(st.binary(max_size=300))
def test_calldata_that_nobody_here_built_is_never_signed(data: bytes) -> None:
    pen = Pen()

    assert pen.call(data) is not None
    assert pen.call(EXACT_INPUT_SINGLE.selector + data) is not None
    assert pen.signatures == []
