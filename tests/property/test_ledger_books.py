"""Whatever is asked of the ledger: it balances, a refusal changes nothing, a replay gives the same books."""

from collections.abc import Coroutine
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from treasury_actors.clock import VirtualClock
from treasury_actors.ids import AccountId, AssetId, EntryId
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.ledger.actor import Ledger
from treasury_actors.ledger.messages import Deposit, EntryPosted, LedgerMessage, Post, Withdraw
from treasury_actors.ledger.model import (
    Book,
    Entry,
    EntryKind,
    EntryRejected,
    LedgerReason,
    Posting,
    is_contra,
    transfer,
)

ASSETS = [AssetId("USDC"), AssetId("WETH")]
KNOWN = ["treasury:reserve", "treasury:gas", "treasury:dust", "pool:sim", "agent:a-0001:available"]
KNOWN += ["agent:a-0001:held", "venue:dex", "external:deposits"]
ODD = ["", "treasury:", "treasury:else", "agent:a", "agent::held", "pool:", "bank:x", "venue:"]
ACCOUNTS = st.sampled_from([AccountId(name) for name in KNOWN])
ANY_ACCOUNT = st.one_of(ACCOUNTS, ACCOUNTS, st.sampled_from([AccountId(name) for name in ODD]))
ASSET = st.sampled_from(ASSETS)
ANY_ASSET = st.one_of(ASSET, ASSET, st.just(AssetId("GOLD")))
UNITS = st.one_of(st.integers(-3, 20), st.integers(-(10**30), 10**30))
IDS = st.integers(0, 30).map(lambda number: EntryId(f"e{number}"))  # few, so that they clash
KINDS: st.SearchStrategy[EntryKind] = st.sampled_from(["fund", "allot", "return", "hold", "settle"])


def balanced(moves: list[tuple[AccountId, AccountId, AssetId, int]]) -> tuple[Posting, ...]:
    return tuple(p for source, target, asset, units in moves for p in transfer(source, target, asset, units))


MOVES = st.lists(st.tuples(ACCOUNTS, ACCOUNTS, ASSET, st.integers(1, 25)), min_size=1, max_size=4)
POSTINGS = st.one_of(
    MOVES.map(balanced),
    MOVES.map(balanced),
    st.lists(st.builds(Posting, account=ANY_ACCOUNT, asset=ANY_ASSET, units=UNITS), max_size=5).map(tuple),
)


class Books(RuleBasedStateMachine):
    """One ledger, and everything that was ever asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = MemoryJournal()
        self.book = Book(ASSETS)
        self.ledger = Ledger(book=self.book, journal=self.journal, clock=VirtualClock())
        self.posted: dict[EntryId, Post | Deposit | Withdraw] = {}

    def ask(self, message: LedgerMessage) -> object:
        work: Coroutine[Any, Any, object] = self.ledger.receive(message)
        try:
            work.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError("the ledger never waits")

    def money(self, message: Post | Deposit | Withdraw, entry_id: EntryId) -> None:
        """Send a money message and check its reply against what it did."""
        before, events = self.book.canonical(), self.journal.head[0]
        reply = self.ask(message)
        match reply:
            case EntryPosted(seq=0):
                assert self.posted[entry_id] == message, "I4: a repeat is of the same content"
                assert (self.book.canonical(), self.journal.head[0]) == (before, events)
            case EntryPosted():
                assert entry_id not in self.posted
                assert reply.seq == self.journal.head[0] == events + 1
                self.posted[entry_id] = message
            case EntryRejected():
                assert (self.book.canonical(), self.journal.head[0]) == (before, events)
                if entry_id in self.posted and reply.reason is not LedgerReason.NOT_POSITIVE:
                    assert self.posted[entry_id] != message
            case _:
                raise AssertionError(reply)

    @rule(entry_id=IDS, kind=KINDS, postings=POSTINGS)
    def post(self, entry_id: EntryId, kind: EntryKind, postings: tuple[Posting, ...]) -> None:
        self.money(Post(entry=Entry(entry_id=entry_id, kind=kind, postings=postings)), entry_id)

    @rule(entry_id=IDS, account=ANY_ACCOUNT, asset=ANY_ASSET, units=UNITS)
    def deposit(self, entry_id: EntryId, account: AccountId, asset: AssetId, units: int) -> None:
        message = Deposit(entry_id=entry_id, account=account, asset=asset, units=units, reason="in")
        self.money(message, entry_id)

    @rule(entry_id=IDS, account=ANY_ACCOUNT, asset=ANY_ASSET, units=UNITS)
    def withdraw(self, entry_id: EntryId, account: AccountId, asset: AssetId, units: int) -> None:
        message = Withdraw(entry_id=entry_id, account=account, asset=asset, units=units, reason="out")
        self.money(message, entry_id)

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Send again, word for word, what was posted."""
        if self.posted:
            entry_id = data.draw(st.sampled_from(sorted(self.posted)))
            reply = self.ask(self.posted[entry_id])
            assert reply == EntryPosted(entry_id=entry_id, seq=0)

    @invariant()
    def i2_nothing_is_lost_or_invented(self) -> None:
        assert self.book.imbalances() == []

    @invariant()
    def i3_only_contra_accounts_are_negative(self) -> None:
        for account in self.book.accounts():
            assert is_contra(account) or all(units > 0 for units in self.book.balances(account).values())

    @invariant()
    def the_treasury_owns_what_crossed_its_border(self) -> None:
        """I2 said the other way: what is inside is what the contra accounts gave."""
        for asset, units in self.book.totals().items():
            outside = sum(self.book.units(a, asset) for a in self.book.accounts() if is_contra(a))
            assert units == -outside

    def teardown(self) -> None:
        """I7: the journal alone gives the same books."""
        replayed = Book(ASSETS)
        for recorded in self.journal.read():
            assert isinstance(recorded.event, Entry)
            replayed.apply(recorded.event)
        assert replayed.canonical() == self.book.canonical()
        assert replayed.entry_count == len(self.posted)


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=80, stateful_step_count=40)
