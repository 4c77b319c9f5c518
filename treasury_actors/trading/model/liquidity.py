"""How much of what is held could be money again within a day. Pure."""

from collections.abc import Iterable

from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe

HOURS_A_DAY = 24


def liquid_ratio(
    universe: Universe, holdings: Iterable[tuple[AssetId, int]], frame: MarketFrame, hours: int = HOURS_A_DAY
) -> float:
    """
    Return the share of the value of holdings that `hours` frames like this one let turn into the reserve.

    Each holding leaves along its shortest route, `hours` times the least capacity on it; what has a stale
    price or no route doesn't leave, and the gas asset is money as it is. At which price is not asked here:
    that is `exit_nav_micro_usd`. Give the holdings of all together: they share each venue's capacity.
    """
    capacity_left: dict[str, float] = {}
    total = liquid = 0.0
    for asset, units in holdings:
        column = universe.column[asset]
        value = universe.by_id[asset].value_micro_usd(units, frame.ticks[column]) / 1e6
        total += value
        if asset in {universe.reserve, universe.gas}:
            liquid += value
            continue
        route = universe.routes.get((asset, universe.reserve), ())
        if not route or not all(frame.fresh[universe.column[step.source]] for step in route):
            continue
        room = min(
            capacity_left.setdefault(step.id, frame.capacity_usd[universe.conversion_column[step.id]] * hours)
            for step in route
        )
        leaves = min(value, room)
        for step in route:
            capacity_left[step.id] -= leaves
        liquid += leaves
    return liquid / total if total > 0.0 else 1.0
