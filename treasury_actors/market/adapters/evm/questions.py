"""Every question a reading of a market asks, by what it is about."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.evm.places import Places, PoolPlace
from treasury_actors.market.adapters.evm.views import View, word
from treasury_actors.market.model.universe import Universe

WHOLE_SHARES: Final = 10**9
"""So many shares are converted at once: one alone is worth but the six digits of a USDC vault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """The views behind the columns of a universe; `holder` is the house's wallet as a word, 0 for none."""

    universe: Universe
    places: Places
    holder: int

    @property
    def absent(self) -> tuple[AssetId, ...]:
        """The assets that nothing here prices, in the universe's order."""
        places = self.places
        priced = {*places.feeds, *places.lent, *places.vaults}
        return tuple(asset.id for asset in self.universe.assets if asset.id not in priced)

    def all(self) -> Iterator[View]:
        """Yield every question of a reading."""
        places = self.places
        yield from (round_of(feed.address) for feed in places.feeds.values())
        for pool in places.pools.values():
            yield slot0(pool)
            yield liquidity(pool)
        for share, underlying in places.lent.items():
            yield self.reserve(underlying)
            yield self.index(underlying)
            yield self.cash(share, underlying)
        for share, underlying in places.vaults.items():
            yield self.converted(share)
            yield self.vault(share, "totalAssets()")
            yield self.cash(share, underlying)
            yield self.vault(share, "maxDeposit(address)", self.holder)
            yield self.vault(share, "maxWithdraw(address)", self.holder)
        if places.sequencer is not None:
            yield round_of(places.sequencer)
        if places.l1_gas is not None:
            yield View(to=places.l1_gas, signature="l1BaseFee()")

    def reserve(self, underlying: AssetId) -> View:
        """Return the question after the state of an Aave reserve."""
        return self._aave("getReserveData(address)", underlying)

    def index(self, underlying: AssetId) -> View:
        """Return the question after a reserve's index as it stands at the block's time."""
        return self._aave("getReserveNormalizedIncome(address)", underlying)

    def cash(self, share: AssetId, underlying: AssetId) -> View:
        """Return the question after what lies idle in an aToken or a vault."""
        token = self.places.tokens[underlying]
        holder = word(self.places.tokens[share])
        return View(to=token, signature="balanceOf(address)", values=(holder,))

    def converted(self, share: AssetId) -> View:
        """Return the question after what `WHOLE_SHARES` shares of a vault are worth."""
        shares: int = WHOLE_SHARES * 10 ** self.universe.by_id[share].decimals
        return self.vault(share, "convertToAssets(uint256)", shares)

    def vault(self, share: AssetId, signature: str, *values: int) -> View:
        """Return a question to a vault."""
        return View(to=self.places.tokens[share], signature=signature, values=values)

    def _aave(self, signature: str, underlying: AssetId) -> View:
        assert self.places.aave_pool is not None, "only what stands at Aave is asked of Aave"
        token = word(self.places.tokens[underlying])
        return View(to=self.places.aave_pool, signature=signature, values=(token,))


def round_of(feed: str) -> View:
    """Return the question after a feed's newest round."""
    return View(to=feed, signature="latestRoundData()")


def slot0(pool: PoolPlace) -> View:
    """Return the question after a pool's price."""
    return View(to=pool.address, signature="slot0()")


def liquidity(pool: PoolPlace) -> View:
    """Return the question after a pool's liquidity in range."""
    return View(to=pool.address, signature="liquidity()")
