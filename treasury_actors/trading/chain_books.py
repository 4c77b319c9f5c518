"""Holding the books to what is really there: reorganisations, money that is missing, money that was sent."""

from treasury_actors.ids import AccountId, AssetId
from treasury_actors.ledger.model import (
    DEPOSITS,
    GAS,
    GAS_BURNT,
    UNSOLICITED,
    LedgerReason,
    Posting,
    available,
    transfer,
    venue,
)
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.books import Books, moved
from treasury_actors.trading.model.limits import Refusal
from treasury_actors.trading.model.order import TradingReason
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
        self._seen: dict[AssetId, int] = {}
        self.agree = not venue.leaves_process

    def __repr__(self) -> str:
        return f"<ChainBooks {'agree' if self.agree else 'not compared'}, {len(self._undone)} undone>"

    def check(self) -> Refusal | None:
        """Say why nothing may be taken in or go on, or None: it may have begun before a restart or a stop."""
        if self.agree:
            return None
        detail = "the books were not compared with the wallet yet, or it lacks something"
        return Refusal(reason=TradingReason.NOT_RECONCILED, detail=detail)

    async def compare(self, turn: int) -> str | None:
        """
        Compare the books with what is there, if that can be said now; return what is missing, or None (I30).

        A surplus is anybody's gift: it is booked outside the NAV, and trading goes on. It is booked when it
        is seen a second time: what came with the newest block may go with it, and would then be missing.
        """
        found = await self._venue.holdings() if self._venue.leaves_process else None
        if found is None:
            return None
        outcome = reconcile(await self._books.in_our_hands(), found)
        seen, self._seen = self._seen, {}
        for surplus in outcome.surpluses:
            units = min(surplus.units, seen.get(surplus.asset, 0))
            self._seen[surplus.asset] = surplus.units - units
            if units:
                await self._take_in(surplus, units, turn)
        self.agree = not outcome.is_short
        missing = [f"{gap.units} {gap.asset} of {gap.expected}" for gap in outcome.shortfalls]
        return f"missing from the wallet: {', '.join(missing)}" if missing else None

    async def _take_in(self, surplus: Difference, units: int, turn: int) -> None:
        """Book what a stranger sent where it belongs to nobody."""
        name = f"inflow/{turn}/{surplus.asset}/{surplus.expected}"
        postings = transfer(DEPOSITS, UNSOLICITED, surplus.asset, units)
        await self._books.post(name, "inflow", postings, name)

    async def reverse(self, receipt: Reversed) -> str | None:
        """
        Post the reverse of what a reorganisation undid, or post it again once it is in a block.

        What the agent was charged for gas stays; what the treasury burnt follows the chain. What an agent
        has passed on already is taken from nobody in between: what it passed it on with has a higher nonce,
        and can't be in a block before this is again. If it can't give again what it gave, the answer says so.
        """
        if receipt.again and receipt.name not in self._undone:
            return None
        kind = "redo" if receipt.again else "undo"
        postings = await self._redone(receipt) if receipt.again else await self._undo(receipt)
        if postings:
            entry_id = f"{receipt.name}/{kind}/{receipt.block_hash}"
            refused = await self._books.try_post(entry_id, "reverse", postings, receipt.name)
            # Told again after a restart, when the books are no longer what they were: it was posted then.
            if refused is not None and refused.reason is not LedgerReason.EXISTS_WITH_DIFFERENT_CONTENT:
                return f"{receipt.name}: a reorganisation {kind}es it: {refused.reason} ({refused.detail})"
        if receipt.again:
            del self._undone[receipt.name]
        else:
            self._undone[receipt.name] = None
        return None

    async def _undo(self, receipt: Reversed) -> tuple[Posting, ...]:
        """Return what was given, taken and burnt, backwards."""
        postings = moved(GAS_BURNT, GAS, self._universe.gas, receipt.gas_wei)
        if receipt.conversion is None:
            return postings
        step = self._universe.conversion_by_id[receipt.conversion]
        own, theirs = available(receipt.agent), venue(step.venue)
        has = (await self._books.statement(receipt.agent)).available.get(step.target, 0)
        from_own = min(has, receipt.taken_units)
        return (
            *postings,
            *moved(theirs, own, step.source, receipt.given_units),
            *moved(own, theirs, step.target, from_own),
            *moved(_passed_on(receipt), theirs, step.target, receipt.taken_units - from_own),
        )

    async def _redone(self, receipt: Reversed) -> tuple[Posting, ...]:
        """Return what was given, taken and burnt; what was passed on is made good first."""
        postings = moved(GAS, GAS_BURNT, self._universe.gas, receipt.gas_wei)
        if receipt.conversion is None:
            return postings
        step = self._universe.conversion_by_id[receipt.conversion]
        own, theirs, passed_on = available(receipt.agent), venue(step.venue), _passed_on(receipt)
        owed = -(await self._books.balances(passed_on)).get(step.target, 0)
        return (
            *postings,
            *moved(own, theirs, step.source, receipt.given_units),
            *moved(theirs, own, step.target, receipt.taken_units),
            *moved(own, passed_on, step.target, owed),
        )


def _passed_on(receipt: Reversed) -> AccountId:
    """Return the account that lends what an agent had passed on when it was undone."""
    return venue(f"undone:{receipt.name}")
