"""From holdings and target weights to the fewest worthwhile orders. Pure, float64 in one fixed order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

from treasury_actors.ids import AgentId, AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.trading.model.costs import BPS, impact_bps, value_after_costs
from treasury_actors.trading.model.order import Order, PlacedBy, order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerPolicy:
    """
    When a conversion is worthwhile.

    Attributes:
        band_bps: plan nothing while half the sum of weight changes is below this share of NAV.
        trade_usd_min: leave out conversions of less value, unless they close a holding.
        dust_usd: a holding of less value is not worth closing either.
        cost_bps_max: leave out conversions that would lose more of their value to fee and impact.
        cash_bps: share of NAV that stays in the reserve asset, for gas.
    """

    band_bps: float = 100.0
    trade_usd_min: float = 25.0
    dust_usd: float = 1.0
    cost_bps_max: float = 100.0
    cash_bps: float = 50.0


@dataclass(frozen=True, slots=True)
class Leg:
    """A conversion along a path: `value_usd` of `source` into `target`; `everything` closes the holding."""

    source: AssetId
    target: AssetId
    value_usd: float
    everything: bool

    def at_most(self, value_usd: float) -> "Leg":
        """Return the leg, cut to a value."""
        return (
            self
            if self.value_usd <= value_usd
            else Leg(self.source, self.target, value_usd, everything=False)
        )


def _total(values: Iterable[float]) -> float:
    """Return a sum in one fixed order; the built-in's bits changed with Python 3.12."""
    total = 0.0
    for value in values:
        total += value
    return total


def usd_values(universe: Universe, units: Mapping[AssetId, int], frame: MarketFrame) -> dict[AssetId, float]:
    """Return the value of each holding in USD."""
    column, by_id, ticks = universe.column, universe.by_id, frame.ticks
    return {
        asset: by_id[asset].value_micro_usd(amount, ticks[column[asset]]) / 1e6
        for asset, amount in units.items()
    }


def plan_legs(
    universe: Universe,
    values_usd: Mapping[AssetId, float],
    targets: Mapping[AssetId, float],
    due_usd: float,
    policy: PlannerPolicy,
) -> list[Leg]:
    """
    Return what to convert so that holdings come to `targets`, sales first.

    Weights are shares of NAV less what is due to the pool. They are scaled down only where they leave less
    cash than gas needs, so that a holding whose weight is to stay is not touched. A sale and a purchase
    whose assets have a shorter way to each other than over the reserve are joined.
    """
    nav_usd = _total(values_usd.values())
    asked = _total(weight for asset, weight in targets.items() if asset != universe.reserve)
    room = 1.0 - policy.cash_bps / BPS
    invest_usd = max(0.0, nav_usd - due_usd) * (room / asked if asked > room else 1.0)
    wanted = {asset: weight * invest_usd for asset, weight in targets.items() if asset != universe.reserve}
    changes = {
        asset.id: wanted.get(asset.id, 0.0) - values_usd.get(asset.id, 0.0)
        for asset in universe.assets
        if asset.id != universe.reserve and (asset.id in wanted or asset.id in values_usd)
    }
    cash_short_usd = due_usd - values_usd.get(universe.reserve, 0.0)
    turnover_usd = _total(abs(change) for change in changes.values()) / 2.0
    if turnover_usd < nav_usd * policy.band_bps / BPS and cash_short_usd <= 0.0:
        return []
    sales = {asset: -change for asset, change in changes.items() if change < 0.0}
    purchases = {asset: change for asset, change in changes.items() if change > 0.0}
    closing = {asset for asset in sales if wanted.get(asset, 0.0) == 0.0}
    legs = _joined(universe, sales, purchases)
    reserve = universe.reserve
    legs += [Leg(asset, reserve, value, asset in closing) for asset, value in sales.items() if value > 0.0]
    for asset, value in purchases.items():
        if value > 0.0:
            legs.append(Leg(reserve, asset, value, everything=False))
    return legs


def _joined(universe: Universe, sales: dict[AssetId, float], purchases: dict[AssetId, float]) -> list[Leg]:
    """Take out of sales and purchases what converts directly; both dicts are reduced in place."""
    legs: list[Leg] = []
    routes, reserve = universe.routes, universe.reserve
    for source in list(sales):
        for target in list(purchases):
            value = min(sales[source], purchases[target])
            direct = routes.get((source, target))
            if value <= 0.0 or direct is None:
                continue
            if len(direct) < len(routes[source, reserve]) + len(routes[reserve, target]):
                legs.append(Leg(source, target, value, everything=False))
                sales[source] -= value
                purchases[target] -= value
    return legs


def plan(
    *,
    universe: Universe,
    frame: MarketFrame,
    agent: AgentId,
    units: Mapping[AssetId, int],
    targets: Mapping[AssetId, float],
    due_units: int,
    policy: PlannerPolicy,
    trade_usd_max: float = inf,
    placed_by: PlacedBy = "agent",
    reason: str = "rebalance",
) -> list[Order]:
    """
    Return the orders of one turn: worthwhile legs, in the order they should run, numbered from 0.

    A leg above `trade_usd_max`, the mandate's limit of one order, is cut to it: the rest is left for later.
    """
    values_usd = usd_values(universe, units, frame)
    due_usd = usd_values(universe, {universe.reserve: due_units}, frame)[universe.reserve]
    cash_usd = values_usd.get(universe.reserve, 0.0)
    left = dict(units)
    orders: list[Order] = []
    for wished in plan_legs(universe, values_usd, targets, due_usd, policy):
        leg = wished.at_most(trade_usd_max)
        path = universe.routes.get((leg.source, leg.target))
        if path is None or not path_is_fresh(universe, path, frame):
            continue
        if leg.value_usd < (policy.dust_usd if leg.everything else policy.trade_usd_min):
            continue
        proceeds_usd, cost_ratio = _proceeds(universe, path, leg.value_usd, frame)
        if cost_ratio * BPS > policy.cost_bps_max:
            continue
        if leg.source == universe.reserve:
            spend_usd = min(leg.value_usd, cash_usd - due_usd)
            if spend_usd < policy.trade_usd_min:
                continue
            cash_usd -= spend_usd
            amount = to_units(universe, leg.source, spend_usd, frame)
        else:
            cash_usd += proceeds_usd if leg.target == universe.reserve else 0.0
            everything = left[leg.source]
            amount = everything if leg.everything else to_units(universe, leg.source, leg.value_usd, frame)
            amount = min(amount, everything)
            left[leg.source] -= amount
        if amount > 0:
            number = len(orders)
            order = Order(
                order_id=order_id(agent, frame.index, number),
                agent=agent,
                turn=frame.index,
                number=number,
                path=tuple(step.id for step in path),
                units=amount,
                placed_by=placed_by,
                reduce_only=all(step.reduces for step in path),
                reason=reason,
            )
            orders.append(order)
    return orders


def to_units(universe: Universe, asset: AssetId, value_usd: float, frame: MarketFrame) -> int:
    """Turn a size in USD into integer units, rounded down: the one place where floats become money."""
    ticks = frame.ticks[universe.column[asset]]
    return universe.by_id[asset].units_for_micro_usd(int(value_usd * 1e6), ticks)


def path_is_fresh(universe: Universe, path: tuple[Conversion, ...], frame: MarketFrame) -> bool:
    """Say whether every asset on the path has a fresh price."""
    return all(
        frame.fresh[universe.column[step.source]] and frame.fresh[universe.column[step.target]]
        for step in path
    )


def _proceeds(
    universe: Universe, path: tuple[Conversion, ...], value_usd: float, frame: MarketFrame
) -> tuple[float, float]:
    """Return what a path brings in USD, and the share of the value that it costs."""
    left_usd = value_usd
    for step in path:
        depth_usd = frame.depth_usd[universe.conversion_column[step.id]]
        _, left_usd = value_after_costs(
            left_usd, fee_bps=step.fee_bps, haircut_bps=step.haircut_bps, depth_usd=depth_usd
        )
    return left_usd, 1.0 - left_usd / value_usd if value_usd > 0.0 else 0.0


def path_impact_bps(
    universe: Universe, path: tuple[Conversion, ...], value_usd: float, frame: MarketFrame
) -> float:
    """Return the largest price impact of any hop of a path, in basis points."""
    return max(impact_bps(universe, step, value_usd, frame) for step in path)
