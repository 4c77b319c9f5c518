"""The ledger: decides an entry, journals it, folds it, replies. The only writer of balances."""

from collections.abc import Mapping
from typing import Literal, assert_never

from treasury_actors.actors.actor import Actor
from treasury_actors.clock import Clock
from treasury_actors.ids import AccountId, AssetId
from treasury_actors.journal.ports import Journal
from treasury_actors.ledger.messages import (
    AccountBalances,
    Deposit,
    EntryPosted,
    InOurHands,
    LedgerMessage,
    Post,
    Statement,
    Withdraw,
)
from treasury_actors.ledger.model import (
    DEPOSITS,
    AgentStatement,
    Book,
    Entry,
    EntryRejected,
    LedgerReason,
    is_contra,
    statement,
    transfer,
)
from treasury_actors.message import Provenance


class Ledger(Actor[LedgerMessage]):
    """Keeps the book. `book` is what the journal already says; this actor is its only writer."""

    def __init__(self, *, book: Book, journal: Journal, clock: Clock) -> None:
        self._book = book
        self._journal = journal
        self._clock = clock

    def __repr__(self) -> str:
        return f"<Ledger {self._book!r}>"

    async def receive(
        self, message: LedgerMessage
    ) -> EntryPosted | EntryRejected | AgentStatement | Mapping[AssetId, int]:
        """Answer one message."""
        match message:
            case Post():
                return self._post(message.entry, message.provenance)
            case Deposit():
                return self._cross_border(message, "deposit", DEPOSITS, message.account)
            case Withdraw():
                return self._cross_border(message, "withdraw", message.account, DEPOSITS)
            case Statement():
                return statement(self._book, message.agent)
            case AccountBalances():
                return dict(self._book.balances(message.account))
            case InOurHands():
                return self._book.in_our_hands()
            case _:
                assert_never(message)

    def _cross_border(
        self,
        message: Deposit | Withdraw,
        kind: Literal["deposit", "withdraw"],
        source: AccountId,
        target: AccountId,
    ) -> EntryPosted | EntryRejected:
        """Move money into or out of the treasury; a negative deposit is not a withdrawal."""
        if message.units <= 0:
            return EntryRejected(
                entry_id=message.entry_id,
                reason=LedgerReason.NOT_POSITIVE,
                detail=f"{kind} of {message.units} {message.asset}",
            )
        if is_contra(message.account):
            return EntryRejected(
                entry_id=message.entry_id,
                reason=LedgerReason.UNKNOWN_ACCOUNT,
                detail=f"{message.account} is no account of the treasury",
            )
        entry = Entry(
            entry_id=message.entry_id,
            kind=kind,
            postings=transfer(source, target, message.asset, message.units),
            reason=message.reason,
        )
        return self._post(entry, Provenance())

    def _post(self, entry: Entry, provenance: Provenance) -> EntryPosted | EntryRejected:
        """Decide, journal, apply: in this order, on the loop, with nothing in between (I17)."""
        refusal = self._book.check(entry)
        if refusal is not None:
            return refusal
        if self._book.is_repeat(entry.entry_id):
            return EntryPosted(entry_id=entry.entry_id, seq=0)
        recorded = self._journal.append(
            entry, stream="ledger", time_ns=self._clock.now_ns(), provenance=provenance
        )
        self._book.apply(entry)
        return EntryPosted(entry_id=entry.entry_id, seq=recorded.seq)
