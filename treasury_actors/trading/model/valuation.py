"""What holdings are worth. Computed from units and a frame's prices, never posted."""

from collections.abc import Iterable, Mapping

from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.model.costs import quote

Holdings = Mapping[AssetId, int]


def nav_micro_usd(universe: Universe, holdings: Iterable[tuple[AssetId, int]], frame: MarketFrame) -> int:
    """Return the value of holdings at the frame's prices (a stale price is the last known), rounded down."""
    column, by_id, ticks = universe.column, universe.by_id, frame.ticks
    return sum(by_id[asset].value_micro_usd(units, ticks[column[asset]]) for asset, units in holdings)


def exit_nav_micro_usd(
    universe: Universe, holdings: Iterable[tuple[AssetId, int]], frame: MarketFrame
) -> int:
    """
    Return what selling everything into the reserve would bring at this frame, before gas.

    What no route or liquidity can sell now counts as zero.
    """
    return sum(_exit_value(universe, asset, units, frame) for asset, units in holdings)


def _exit_value(universe: Universe, asset: AssetId, units: int, frame: MarketFrame) -> int:
    """Return what one holding would bring, hop by hop."""
    if asset == universe.gas:
        return nav_micro_usd(universe, [(asset, units)], frame)
    if asset != universe.reserve:
        for step in universe.routes.get((asset, universe.reserve), ()):
            bought = quote(universe, step, units, frame)
            if bought is None:
                return 0
            asset, units = step.target, bought.taken_units
    return nav_micro_usd(universe, [(asset, units)], frame) if asset == universe.reserve else 0


def stale_ratio(universe: Universe, holdings: Iterable[tuple[AssetId, int]], frame: MarketFrame) -> float:
    """Return the share of the value of holdings whose price is stale at this frame."""
    total = stale = 0
    for asset, units in holdings:
        column = universe.column[asset]
        value = universe.by_id[asset].value_micro_usd(units, frame.ticks[column])
        total += value
        stale += 0 if frame.fresh[column] else value
    return stale / total if total else 0.0
