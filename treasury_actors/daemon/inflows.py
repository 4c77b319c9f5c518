"""What strangers sent to our wallet, and how an operator takes it into the treasury. Pure."""

from collections.abc import Iterable

from treasury_actors.daemon.requests import Direction
from treasury_actors.ids import AccountId, AssetId, EntryId
from treasury_actors.journal.event import Recorded
from treasury_actors.ledger.model import GAS, RESERVE, UNSOLICITED, Entry, Posting
from treasury_actors.market.model.universe import Universe

_PREFIX = "accept/"
_ENTRY_TYPE = "ledger.entry_posted.v1"


def treasury_account(universe: Universe, direction: Direction, asset: AssetId) -> AccountId:
    """
    Return the account an operator's money comes to or goes from.

    Deposits and withdrawals concern `treasury:reserve` alone, but for a deposit of the gas asset: that pays
    fees. It can't be withdrawn again: orders that are at a venue count on it.
    """
    return GAS if direction == "deposit" and asset == universe.gas else RESERVE


def inflows(events: Iterable[Recorded]) -> list[tuple[Entry, bool]]:
    """Return every inflow a journal holds, oldest first, and whether it was accepted."""
    found: list[Entry] = []
    accepted: dict[EntryId, None] = {}
    for recorded in events:
        if recorded.type != _ENTRY_TYPE:
            continue
        entry = recorded.event
        assert isinstance(entry, Entry), "the type says what it is"
        if entry.kind == "inflow":
            found.append(entry)
        elif entry.entry_id.startswith(_PREFIX):
            accepted[entry.entry_id] = None
    return [(entry, _accepted_id(entry) in accepted) for entry in found]


def find_inflow(events: Iterable[Recorded], entry_id: EntryId) -> Entry | None:
    """Return the inflow of that id, or None."""
    return next((entry for entry, _ in inflows(events) if entry.entry_id == entry_id), None)


def acceptance(inflow: Entry, universe: Universe, reason: str) -> Entry:
    """
    Return the entry that takes an inflow in: its id is derived, so that it counts once.

    The reserve gets it, or the account that pays fees if it is the gas asset: capital that came from outside,
    and no return.
    """
    postings: list[Posting] = []
    for posting in inflow.postings:
        if posting.account == UNSOLICITED:
            account = treasury_account(universe, "deposit", posting.asset)
            postings += (
                Posting(account=UNSOLICITED, asset=posting.asset, units=-posting.units),
                Posting(account=account, asset=posting.asset, units=posting.units),
            )
    return Entry(entry_id=_accepted_id(inflow), kind="deposit", postings=tuple(postings), reason=reason)


def _accepted_id(inflow: Entry) -> EntryId:
    return EntryId(f"{_PREFIX}{inflow.entry_id}")
