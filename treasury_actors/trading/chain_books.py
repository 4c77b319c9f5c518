"""Holding the books to what is really there: reorganisations, money that is missing, money that was sent."""

from treasury_actors.ledger.model import (
    DEPOSITS,
    GAS,
    GAS_BURNT,
    UNSOLICITED,
    Posting,
    available,
    transfer,
    venue,
)
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.books import Books
from treasury_actors.trading.model.reconciliation import Difference, reconcile
from treasury_actors.trading.ports import Reversed, Venue


class ChainBooks:
    """
    Follows a venue that can't be commanded, only watched.

    Attributes:
        agree: the books were compared with what is there, and nothing was missing; until then nothing trades.
    """

    def __init__(self, *, universe: Universe, books: Books, venue: Venue) -> None:
        self._universe = universe
        self._books = books
        self._venue = venue
        self._undone: dict[str, None] = {}
        self.agree = not venue.leaves_process

    def __repr__(self) -> str:
        return f"<ChainBooks {'agree' if self.agree else 'not compared'}, {len(self._undone)} undone>"

    async def compare(self, turn: int) -> str | None:
        """
        Compare the books with what is there, if that can be said now; return what is missing, or None (I30).

        A surplus is anybody's gift: it is booked outside the NAV, and trading goes on.
        """
        found = await self._venue.holdings() if self._venue.leaves_process else None
        if found is None:
            return None
        outcome = reconcile(await self._books.in_our_hands(), found)
        for surplus in outcome.surpluses:
            await self._take_in(surplus, turn)
        self.agree = not outcome.is_short
        missing = [f"{gap.units} {gap.asset} of {gap.expected}" for gap in outcome.shortfalls]
        return f"missing from the wallet: {', '.join(missing)}" if missing else None

    async def _take_in(self, surplus: Difference, turn: int) -> None:
        """Book what a stranger sent where it belongs to nobody."""
        name = f"inflow/{turn}/{surplus.asset}/{surplus.found}"
        postings = transfer(DEPOSITS, UNSOLICITED, surplus.asset, surplus.units)
        await self._books.post(name, "inflow", postings, name)

    async def reverse(self, receipt: Reversed) -> str | None:
        """
        Post the reverse of a hop that a reorganisation undid, or post it again once it is in a block.

        What the agent was charged for gas stays; what the treasury burnt follows the chain. An agent that has
        spent the proceeds already leaves the books short of the chain: the answer says so.
        """
        name = f"{receipt.order_id}/{receipt.hop}"
        if receipt.again and name not in self._undone:
            return None
        kind = "redo" if receipt.again else "undo"
        entry_id = f"{name}/{kind}/{receipt.block_hash}"
        refused = await self._books.try_post(entry_id, "reverse", self._postings(receipt), receipt.order_id)
        if refused is not None:
            return f"{name}: a reorganisation {kind}es what is spent: {refused.reason} ({refused.detail})"
        if receipt.again:
            del self._undone[name]
        else:
            self._undone[name] = None
        return None

    def _postings(self, receipt: Reversed) -> tuple[Posting, ...]:
        """Return what was given, taken and burnt, one way or the other."""
        step = self._universe.conversion_by_id[receipt.conversion]
        own, theirs = available(receipt.agent), venue(step.venue)
        gave, got = (own, theirs) if receipt.again else (theirs, own)
        burns = (GAS, GAS_BURNT) if receipt.again else (GAS_BURNT, GAS)
        return (
            *transfer(gave, got, step.source, receipt.given_units),
            *transfer(got, gave, step.target, receipt.taken_units),
            *transfer(*burns, self._universe.gas, receipt.gas_wei),
        )
