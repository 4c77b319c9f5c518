"""The market factors a gain is measured against: ETH and BTC, and which assets are priced in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from treasury_actors.agents.model.track import DAY_FRAMES
from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.universe import Universe


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """
    One factor of a universe.

    Attributes:
        price_asset: the asset whose price is the factor's.
        assets: everything priced in it, share tokens included.
    """

    name: str
    price_asset: AssetId
    assets: frozenset[AssetId]


_ROOTS = (
    ("ETH", (AssetId("WETH"), AssetId("ETH"))),
    ("BTC", (AssetId("WBTC"), AssetId("cbBTC"), AssetId("tBTC"))),
)


def factors_of(universe: Universe) -> tuple[Factor, ...]:
    """Return the factors that a universe has assets of, ETH first."""
    found = []
    for name, roots in _ROOTS:
        priced = [root for root in roots if root in universe.by_id]
        if priced:
            assets = frozenset(a.id for a in universe.assets if root_of(universe, a.id) in priced)
            found.append(Factor(name=name, price_asset=priced[0], assets=assets))
    return tuple(found)


def root_of(universe: Universe, asset: AssetId) -> AssetId:
    """Return what an asset is priced in at last: the underlying of its underlying, or itself."""
    underlying = universe.by_id[asset].underlying
    return asset if underlying is None else root_of(universe, underlying)


def daily_returns(season: Season, asset: AssetId, last_frame: int) -> dict[int, float]:
    """Return an asset's return of every whole day up to `last_frame`, by day; none where a price lacks."""
    column = season.universe.column[asset]
    closes = [season.frame(frame).ticks[column] for frame in range(0, last_frame + 1, DAY_FRAMES)]
    pairs = enumerate(pairwise(closes), start=1)
    return {day: end / start - 1.0 for day, (start, end) in pairs if start and end}


def aligned(
    returns: dict[int, float], lending: dict[int, float], factors: Sequence[dict[int, float]]
) -> tuple[list[float], list[list[float]]]:
    """Return returns over lending, and the factors', on the days that all of them have."""
    days = [d for d in sorted(returns) if d in lending and all(d in factor for factor in factors)]
    excess = [returns[day] - lending[day] for day in days]
    return excess, [[factor[day] for day in days] for factor in factors]
