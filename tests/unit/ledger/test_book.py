"""What the book takes and what it refuses, each reason by name."""

from dataclasses import replace

import pytest

from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AccountId, AgentId, AssetId, EntryId
from treasury_actors.ledger.model import (
    DEPOSITS,
    GAS,
    Book,
    Entry,
    LedgerReason,
    Posting,
    available,
    held,
    pool,
    statement,
    transfer,
    venue,
)

USDC, WETH = AssetId("USDC"), AssetId("WETH")
ANN = AgentId("ann-0001")
POOL = pool("sim")


def entry(name: str, *postings: Posting) -> Entry:
    return Entry(entry_id=EntryId(name), kind="fund", postings=postings)


def move(name: str, source: AccountId, target: AccountId, units: int, asset: AssetId = USDC) -> Entry:
    return entry(name, *transfer(source, target, asset, units))


@pytest.fixture
def book() -> Book:
    """Return a book with 1,000 units of USDC in a pool."""
    book = Book([USDC, WETH])
    book.apply(move("deposit", DEPOSITS, POOL, 1_000))
    return book


def reason(book: Book, refused: Entry) -> LedgerReason | None:
    """Return why an entry is refused, having seen that it changed nothing."""
    before = book.canonical()
    refusal = book.check(refused)
    assert book.canonical() == before
    return None if refusal is None else refusal.reason


def test_a_transfer_moves_units_and_keeps_the_sum(book: Book) -> None:
    book.apply(move("allot", POOL, available(ANN), 400))

    assert (book.units(POOL, USDC), book.units(available(ANN), USDC)) == (600, 400)
    assert book.totals() == {USDC: 1_000}
    assert book.imbalances() == []


def test_a_transfer_is_rejected_when_its_source_lacks_units(book: Book) -> None:
    assert reason(book, move("x", POOL, available(ANN), 1_001)) is LedgerReason.INSUFFICIENT_UNITS


def test_i3_only_contra_accounts_may_be_negative(book: Book) -> None:
    assert reason(book, move("x", venue("uniswap"), POOL, 10**30)) is None
    assert reason(book, move("x", GAS, POOL, 1)) is LedgerReason.INSUFFICIENT_UNITS
    assert book.units(DEPOSITS, USDC) == -1_000


def test_i1_an_entry_sums_to_zero_for_each_asset_and_not_over_them(book: Book) -> None:
    mixed = entry(
        "x",
        Posting(account=POOL, asset=USDC, units=-5),
        Posting(account=POOL, asset=WETH, units=5),
    )
    assert reason(book, mixed) is LedgerReason.UNBALANCED


def test_what_an_account_gets_and_gives_in_one_entry_counts_together(book: Book) -> None:
    through = entry("x", *transfer(POOL, available(ANN), USDC, 10), *transfer(available(ANN), GAS, USDC, 10))
    assert reason(book, through) is None


@pytest.mark.parametrize(
    ("postings", "expected"),
    [
        ((), LedgerReason.EMPTY),
        (transfer(POOL, GAS, USDC, 0), LedgerReason.ZERO_UNITS),
        (transfer(POOL, GAS, AssetId("GOLD"), 1), LedgerReason.UNKNOWN_ASSET),
        (transfer(POOL, AccountId("treasury:pocket"), USDC, 1), LedgerReason.UNKNOWN_ACCOUNT),
        (transfer(POOL, AccountId("agent:ann:purse"), USDC, 1), LedgerReason.UNKNOWN_ACCOUNT),
        (transfer(POOL, AccountId("agent::available"), USDC, 1), LedgerReason.UNKNOWN_ACCOUNT),
        (transfer(POOL, AccountId("pool:"), USDC, 1), LedgerReason.UNKNOWN_ACCOUNT),
        (transfer(POOL, AccountId(""), USDC, 1), LedgerReason.UNKNOWN_ACCOUNT),
    ],
)
def test_a_malformed_entry_is_rejected_by_name(
    book: Book, postings: tuple[Posting, ...], expected: LedgerReason
) -> None:
    assert reason(book, entry("x", *postings)) is expected


def test_i4_the_same_id_with_other_content_is_rejected(book: Book) -> None:
    first = move("allot", POOL, available(ANN), 400)
    book.apply(first)

    assert reason(book, first) is None
    assert book.is_repeat(first.entry_id)
    for other in (
        move("allot", POOL, available(ANN), 401),
        replace(first, kind="allot"),
        replace(first, reason="another"),
        replace(first, postings=first.postings[::-1]),
    ):
        assert reason(book, other) is LedgerReason.EXISTS_WITH_DIFFERENT_CONTENT


@pytest.mark.parametrize(
    ("bad", "number"),
    [
        (move("deposit", DEPOSITS, POOL, 1_000), "I4"),
        (move("deposit", DEPOSITS, POOL, 7), "I4"),
        (move("x", POOL, GAS, 1_001), "I3"),
        (entry("x", Posting(account=POOL, asset=USDC, units=1)), "I1"),
    ],
)
def test_a_fold_of_what_could_not_be_posted_crashes(book: Book, bad: Entry, number: str) -> None:
    with pytest.raises(InvariantViolated, match=f"^{number}:"):
        book.apply(bad)


def test_i2_an_imbalance_is_found_and_named(book: Book) -> None:
    book._balances[POOL][USDC] += 1
    book._balances[GAS] = {WETH: -2}

    assert book.imbalances() == ["treasury:gas holds -2 WETH", "USDC sums to 1", "WETH sums to -2"]


def test_an_account_that_is_empty_again_is_not_part_of_the_state(book: Book) -> None:
    before = book.canonical()
    book.apply(move("a", POOL, GAS, 5))
    book.apply(move("b", GAS, POOL, 5))

    assert book.canonical() == before
    assert book.entry_count == 3


def test_a_statement_is_a_copy_with_what_is_held_apart(book: Book) -> None:
    book.apply(move("allot", POOL, available(ANN), 400))
    book.apply(move("hold", available(ANN), held(ANN), 150))
    then = statement(book, ANN)
    book.apply(move("release", held(ANN), available(ANN), 150))

    assert (dict(then.available), dict(then.held), then.owned) == ({USDC: 250}, {USDC: 150}, {USDC: 400})
    assert statement(book, ANN).version > then.version
