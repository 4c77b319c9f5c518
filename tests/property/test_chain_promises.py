"""Promises of a house on a chain, whatever is quoted, approved, sent to its wallet or taken from it."""

from collections.abc import Mapping, Sequence
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.acceptance.pen import UNITS, Pen
from tests.unit.trading.desk import now
from tests.unit.trading.evm.venues import ROUTER, STRANGER
from treasury_actors.ids import AssetId, EntryId
from treasury_actors.ledger.model import DEPOSITS, RESERVE, Book, Entry, EntryKind, Posting, transfer
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.books import Books
from treasury_actors.trading.chain_books import ChainBooks
from treasury_actors.trading.model.chain_limits import check_min_out
from treasury_actors.trading.ports import Venue

ASSETS = [asset.id for asset in MAINNET.assets[:3]]
units_out = st.integers(-1, 2**128)
moves = st.tuples(st.sampled_from(ASSETS), st.integers(-5, 5))


@given(decoded=st.one_of(st.none(), units_out), required=units_out, quoted=units_out)
def test_i26_no_quote_lowers_what_a_swap_must_bring(decoded: int | None, required: int, quoted: int) -> None:
    passes = check_min_out(decoded_units=decoded, required_units=required, quoted_units=quoted) is None

    assert passes == (decoded is not None and 0 < required <= decoded <= quoted)


@settings(max_examples=50)
@given(
    spender=st.sampled_from([ROUTER, STRANGER]),
    units=st.one_of(st.integers(0, 2**256 - 1), st.integers(UNITS - 1, UNITS + 1), st.just(0)),
    standing=st.sampled_from([0, 1, UNITS]),
)
def test_i31_nothing_is_signed_but_an_exact_approval_on_nothing_or_its_taking_back(
    spender: str, units: int, standing: int
) -> None:
    pen = Pen()
    refused = pen.approve(spender, units, standing=standing)

    exact = spender == ROUTER and units == UNITS and standing == 0
    assert (refused is None) == (units == 0 or exact)
    assert len(pen.signatures) == (refused is None)


class Kept:
    """Books of the real model, without an actor around them."""

    def __init__(self) -> None:
        self.book = Book(asset.id for asset in MAINNET.assets)
        for number, asset in enumerate(ASSETS):
            entry_id = EntryId(f"opening/{number}")
            postings = transfer(DEPOSITS, RESERVE, asset, 100)
            self.book.apply(Entry(entry_id=entry_id, kind="deposit", postings=postings))

    async def in_our_hands(self) -> Mapping[AssetId, int]:
        """Return what the wallet must hold."""
        return self.book.in_our_hands()

    async def post(self, entry_id: str, kind: EntryKind, postings: Sequence[Posting], why: str) -> None:
        """Post what must be possible."""
        self.book.apply(Entry(entry_id=EntryId(entry_id), kind=kind, postings=tuple(postings)))


class Wallet:
    """What is really there; anybody may add to it, and somebody takes from it."""

    leaves_process = True

    def __init__(self, found: Mapping[AssetId, int]) -> None:
        self.found = dict(found)

    async def holdings(self) -> Mapping[AssetId, int] | None:
        """Return what is there."""
        return dict(self.found)


@given(st.lists(st.lists(moves, max_size=4), max_size=8))
def test_i30_books_agree_exactly_while_nothing_is_missing_and_gifts_are_nobodys(
    turns: list[list[tuple[AssetId, int]]],
) -> None:
    kept = Kept()
    own = dict(now(kept.in_our_hands()))
    wallet = Wallet(own)
    books = ChainBooks(
        universe=MAINNET,
        books=cast("Books", cast("object", kept)),
        venue=cast("Venue", cast("object", wallet)),
    )
    assert books.check() is not None, "nothing trades before the first comparison"
    for turn, changes in enumerate(turns):
        for asset, units in changes:
            wallet.found[asset] = max(wallet.found[asset] + units, 0)
        expected = now(kept.in_our_hands())
        missing = {asset for asset in ASSETS if wallet.found[asset] < expected.get(asset, 0)}

        said = now(books.compare(turn))

        assert (said is None) == books.agree == (books.check() is None) == (not missing)
        after = now(kept.in_our_hands())
        assert all(after[asset] <= max(wallet.found[asset], expected[asset]) for asset in ASSETS)
        assert dict(kept.book.balances(RESERVE)) == dict.fromkeys(ASSETS, 100), (
            "a gift is in no account of ours"
        )
        assert kept.book.imbalances() == []
