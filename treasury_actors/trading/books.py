"""The engine's hand on ledger and journal: statements, entries that must be possible, events."""

from collections.abc import Mapping, Sequence

from treasury_actors.actors.ref import Ref
from treasury_actors.clock import Clock
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AccountId, AgentId, AssetId, EntryId
from treasury_actors.journal.ports import Journal
from treasury_actors.ledger.messages import AccountBalances, InOurHands, LedgerMessage, Post, Statement
from treasury_actors.ledger.model import AgentStatement, Entry, EntryKind, EntryRejected, Posting, transfer
from treasury_actors.message import Provenance

ASK_TIMEOUT_S = 30.0


def moved(source: AccountId, target: AccountId, asset: AssetId, units: int) -> tuple[Posting, ...]:
    """Return the postings of a transfer, none if nothing moves."""
    return transfer(source, target, asset, units) if units else ()


class Books:
    """What the engine reads and writes; every entry and event names what it is for (`why`)."""

    def __init__(self, *, ledger: Ref[LedgerMessage], journal: Journal, clock: Clock) -> None:
        self._ledger = ledger
        self._journal = journal
        self._clock = clock

    async def statement(self, agent: AgentId) -> AgentStatement:
        """Return what an agent owns."""
        return await self._ledger.ask(Statement(agent=agent), timeout_s=ASK_TIMEOUT_S)

    async def balances(self, account: AccountId) -> Mapping[AssetId, int]:
        """Return what is on an account."""
        return await self._ledger.ask(AccountBalances(account=account), timeout_s=ASK_TIMEOUT_S)

    async def in_our_hands(self) -> Mapping[AssetId, int]:
        """Return what our wallet must hold of every asset."""
        return await self._ledger.ask(InOurHands(), timeout_s=ASK_TIMEOUT_S)

    async def post(self, entry_id: str, kind: EntryKind, postings: Sequence[Posting], why: str) -> None:
        """Post an entry that must be possible: the engine never asks for what the books don't allow."""
        refused = await self.try_post(entry_id, kind, postings, why)
        if refused is not None:
            raise InvariantViolated(f"I3: the ledger refused {entry_id}: {refused.reason} ({refused.detail})")

    async def try_post(
        self, entry_id: str, kind: EntryKind, postings: Sequence[Posting], why: str
    ) -> EntryRejected | None:
        """Post an entry that the books may not allow; say why not, or None. A repeat changes nothing."""
        entry = Entry(entry_id=EntryId(entry_id), kind=kind, postings=tuple(postings))
        message = Post(entry=entry, provenance=Provenance(correlation_id=why))
        reply = await self._ledger.ask(message, timeout_s=ASK_TIMEOUT_S)
        return reply if isinstance(reply, EntryRejected) else None

    def record(self, event: object, why: str) -> None:
        """Journal one event of the engine."""
        self._journal.append(
            event,
            stream="trading",
            time_ns=self._clock.now_ns(),
            provenance=Provenance(correlation_id=why),
        )

    async def flush(self) -> None:
        """Wait until everything that was journalled so far is durable."""
        await self._journal.flush()
