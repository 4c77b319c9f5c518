"""The ledger's actor: an event before it is a balance, and one reply however often it is asked."""

from collections.abc import Coroutine
from typing import Any

from treasury_actors.clock import VirtualClock
from treasury_actors.ids import AccountId, AgentId, AssetId, EntryId
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.ledger.actor import Ledger
from treasury_actors.ledger.messages import (
    AccountBalances,
    Deposit,
    EntryPosted,
    LedgerMessage,
    Post,
    Statement,
    Withdraw,
)
from treasury_actors.ledger.model import (
    DEPOSITS,
    RESERVE,
    AgentStatement,
    Book,
    Entry,
    EntryRejected,
    LedgerReason,
    available,
    transfer,
)
from treasury_actors.message import Provenance

USDC = AssetId("USDC")
ANN = AgentId("ann-0001")


class Counter:
    """A ledger, its book and its journal."""

    def __init__(self) -> None:
        self.book = Book([USDC])
        self.journal = MemoryJournal()
        self.ledger = Ledger(book=self.book, journal=self.journal, clock=VirtualClock(7))

    def ask(self, message: LedgerMessage) -> object:
        """Return the reply to a message; nothing in the ledger waits."""
        work: Coroutine[Any, Any, object] = self.ledger.receive(message)
        try:
            work.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError("the ledger waited between deciding and posting")


def deposit(name: str, units: int, account: AccountId = RESERVE) -> Deposit:
    return Deposit(entry_id=EntryId(name), account=account, asset=USDC, units=units, reason="test")


def withdraw(name: str, units: int, account: AccountId = RESERVE) -> Withdraw:
    return Withdraw(entry_id=EntryId(name), account=account, asset=USDC, units=units, reason="test")


def reason(reply: object) -> LedgerReason:
    assert isinstance(reply, EntryRejected)
    return reply.reason


def test_i17_an_entry_has_its_seq_when_it_is_decided_and_is_an_event_before_it_is_a_balance() -> None:
    """I17: nothing waits in between, so nothing can come in between."""
    counter = Counter()
    assert counter.ask(deposit("d1", 10)) == EntryPosted(entry_id=EntryId("d1"), seq=1)
    assert counter.ask(deposit("d2", 10)) == EntryPosted(entry_id=EntryId("d2"), seq=2)

    events = [recorded.event for recorded in counter.journal.read()]
    replayed = Book([USDC])
    for event in events:
        assert isinstance(event, Entry)
        replayed.apply(event)
    assert replayed.canonical() == counter.book.canonical()
    assert counter.journal.durable_seq == 0  # nobody waits for a commit before the next is decided


def test_i4_a_repeat_gets_the_reply_again_and_changes_nothing() -> None:
    counter = Counter()
    counter.ask(deposit("d", 10))
    again = counter.ask(deposit("d", 10))

    assert again == EntryPosted(entry_id=EntryId("d"), seq=0)
    assert counter.book.units(RESERVE, USDC) == 10
    assert counter.journal.head[0] == 1


def test_i4_a_clash_is_rejected_and_leaves_no_event() -> None:
    counter = Counter()
    counter.ask(deposit("d", 10))

    assert reason(counter.ask(deposit("d", 11))) is LedgerReason.EXISTS_WITH_DIFFERENT_CONTENT
    assert counter.journal.head[0] == 1


def test_a_negative_deposit_is_no_withdrawal_nor_the_reverse() -> None:
    counter = Counter()
    counter.ask(deposit("d", 10))
    for units in (0, -5):
        assert reason(counter.ask(deposit("x", units))) is LedgerReason.NOT_POSITIVE
        assert reason(counter.ask(withdraw("x", units))) is LedgerReason.NOT_POSITIVE


def test_money_crosses_the_border_of_the_treasury_only_at_accounts_of_the_treasury() -> None:
    counter = Counter()
    for account in (DEPOSITS, AccountId("venue:uniswap-v3")):
        assert reason(counter.ask(deposit("x", 5, account))) is LedgerReason.UNKNOWN_ACCOUNT
        assert reason(counter.ask(withdraw("x", 5, account))) is LedgerReason.UNKNOWN_ACCOUNT
    assert counter.journal.head[0] == 0


def test_no_more_can_be_withdrawn_than_is_there() -> None:
    counter = Counter()
    counter.ask(deposit("d", 10))

    assert reason(counter.ask(withdraw("w", 11))) is LedgerReason.INSUFFICIENT_UNITS
    counter.ask(withdraw("w", 10))
    assert counter.ask(AccountBalances(account=RESERVE)) == {}


def test_a_posted_entry_keeps_where_it_came_from() -> None:
    counter = Counter()
    counter.ask(deposit("d", 10))
    allot = Entry(entry_id=EntryId("a"), kind="allot", postings=transfer(RESERVE, available(ANN), USDC, 4))
    counter.ask(Post(entry=allot, provenance=Provenance(correlation_id="round:3")))

    assert [r.correlation_id for r in counter.journal.read()] == ["", "round:3"]
    owned = counter.ask(Statement(agent=ANN))
    assert isinstance(owned, AgentStatement)
    assert owned.owned == {USDC: 4}
