"""What a stop does not do: who goes on, what is still owned, and which transactions may still land."""

from dataclasses import dataclass
from pathlib import Path

from treasury_actors.daemon.status import scan
from treasury_actors.daemon.stop_file import StopMode
from treasury_actors.daemon.vocabulary import VOCABULARY
from treasury_actors.errors import TreasuryError
from treasury_actors.ids import AssetId
from treasury_actors.journal.reader import open_readonly
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.run import JOURNAL_NAME
from treasury_actors.trading.model.nonce_slots import Slot, SlotState
from treasury_actors.wiring.fold import Records

_WORDS = {
    SlotState.PLANNED: "has no signature, and gets none",
    SlotState.SIGNED: "is signed and was not sent; it is not sent any more",
    SlotState.SENT: "was sent and may still land",
    SlotState.UNKNOWN: "may have been sent and may still land",
    SlotState.MINED: "is in a block and not yet counted",
    SlotState.CONFIRMED: "is in a block and counted",
}
_MAY_LAND = frozenset({SlotState.SENT, SlotState.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """
    What is left as it was, as the journal has it at this moment.

    Attributes:
        positions: what agents own beside the reserve asset, as amounts for people, by asset.
        slots: transactions that are not final.
        unread: why the journal could not be read; empty if it could.
    """

    positions: tuple[tuple[str, str], ...] = ()
    orders: int = 0
    slots: tuple[Slot, ...] = ()
    unread: str = ""

    @property
    def may_land(self) -> tuple[Slot, ...]:
        """Transactions that somebody may still put into a block."""
        return tuple(slot for slot in self.slots if slot.state in _MAY_LAND)


def read_remains(folder: Path) -> Remains:
    """Read them, beside a process that plays or without one; never raises for a journal nobody can read."""
    assert VOCABULARY, "event types are known before a payload is read"
    path = folder / JOURNAL_NAME
    if not path.is_file():
        return Remains()
    records = Records.empty(MAINNET)
    try:
        with open_readonly(path) as journal:
            scan(journal.read(), records)
    except TreasuryError as error:
        return Remains(unread=str(error))
    return Remains(
        positions=_positions(records),
        orders=len(records.open_orders),
        slots=tuple(slot for wallet in records.wallets.values() for slot in wallet.live()),
    )


def remains_lines(remains: Remains, mode: StopMode, *, close_all: bool, running: bool) -> list[str]:
    """Return what was not done, a line each."""
    lines = [
        "the process stays up: it watches what was sent, and a resume finds it running"
        if running
        else "no process runs here: nothing is watched until one is started"
    ]
    if remains.unread:
        return [*lines, f"the journal could not be read, so what is open is unknown here: {remains.unread}"]
    owned = ", ".join(f"{amount} {asset}" for asset, amount in remains.positions)
    if not owned:
        lines.append("no position is open")
    elif close_all:
        lines.append(f"not sold yet: {owned}; the guardian sells a holding a frame, and none without a frame")
    elif mode == "reducing":
        lines.append(f"still owned: {owned}; agents may sell, stop-losses run, nobody may buy")
    else:
        lines.append(f"still owned, and nothing is sold: {owned}")
    if remains.orders:
        lines.append(f"{remains.orders} orders are open; those not sent are not sent any more")
    lines += [f"nonce {slot.id.nonce} {_hash(slot)}{_WORDS[slot.state]}" for slot in remains.slots]
    if not remains.may_land:
        lines.append("no transaction of ours can land any more that has not landed")
    return lines


def remains_object(remains: Remains) -> dict[str, object]:
    """Return the same for programs."""
    return {
        "positions": dict(remains.positions),
        "orders": remains.orders,
        "may_still_land": [
            {"nonce": slot.id.nonce, "intent": slot.intent, "state": slot.state.value, "hashes": slot.hashes}
            for slot in remains.may_land
        ],
        "unread": remains.unread or None,
    }


def _hash(slot: Slot) -> str:
    return f"{slot.hashes[-1]} " if slot.hashes else ""


def _positions(records: Records) -> tuple[tuple[str, str], ...]:
    """Return what all agents own beside the reserve asset."""
    owned: dict[AssetId, int] = {}
    for account in records.book.accounts():
        if account.startswith("agent:"):
            for asset, units in records.book.balances(account).items():
                owned[asset] = owned.get(asset, 0) + units
    owned.pop(MAINNET.reserve, None)
    return tuple(
        (asset, MAINNET.by_id[asset].format(units)) for asset, units in sorted(owned.items()) if units
    )
