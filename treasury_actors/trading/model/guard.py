"""When a mandate has lost too much, and how its capital comes home. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from treasury_actors.ids import AgentId, AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.trading.model.liquidity import Sale, sell
from treasury_actors.trading.model.marks import Mark
from treasury_actors.trading.model.order import Order, order_id
from treasury_actors.trading.model.planner import path_is_fresh
from treasury_actors.trading.model.valuation import nav_micro_usd

RECALL_MICRO_USD_MIN = 10_000_000
"""A recall sells for so much at least, if there is so much: a smaller sale would feed its gas."""

_PPB = 10**9
_MARGIN_BPS = 50
"""A recall sells for so much more than is due: it is filled a frame later, and pays its gas."""

GUARDIAN_NUMBERS = 1_000
"""The guardian numbers its orders from here, so that they never clash with those of an agent's turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardPolicy:
    """
    How much a mandate may lose before it is closed.

    Attributes:
        stop_loss_ratio: of the capital it was given, flows of capital aside.
        drawdown_ratio_max: from its highest value.
        dust_micro_usd: a holding of less value is no position: it goes to `treasury:dust`.
        stale_exits: sell at the last known price where there is no fresh one: at a market that has its own.
    """

    stop_loss_ratio: float = 0.25
    drawdown_ratio_max: float = 0.30
    dust_micro_usd: int = 10_000
    stale_exits: bool = False


def breach_of(mark: Mark, policy: GuardPolicy) -> str:
    """Return why a mandate must be closed, in words, or an empty string."""
    if mark.loss_ratio >= policy.stop_loss_ratio:
        return f"stop-loss: down {mark.loss_ratio:.1%} of its capital"
    if mark.drawdown_ratio >= policy.drawdown_ratio_max:
        return f"drawdown: down {mark.drawdown_ratio:.1%} from its peak"
    return ""


def exit_orders(
    universe: Universe,
    agent: AgentId,
    owned: Mapping[AssetId, int],
    frame: MarketFrame,
    policy: GuardPolicy,
) -> list[Order]:
    """Return one reduce-only order for every position with a way to the reserve, at prices that serve."""
    orders: list[Order] = []
    for asset, units in sorted(owned.items()):
        path = universe.routes.get((asset, universe.reserve))
        if asset == universe.reserve or path is None:
            continue
        if nav_micro_usd(universe, [(asset, units)], frame) < policy.dust_micro_usd:
            continue
        if policy.stale_exits or path_is_fresh(universe, path, frame):
            orders.append(_exit(agent, frame, len(orders), path, units=units, reason="closing"))
    return orders


def recall_orders(
    universe: Universe,
    agent: AgentId,
    available: Mapping[AssetId, int],
    frame: MarketFrame,
    policy: GuardPolicy,
    *,
    due_units: int,
) -> list[Order]:
    """
    Return the reduce-only orders of one frame that bring what is due and not in cash yet.

    What costs least to sell goes first, and of nothing more than the frame lets out at a price that counts as
    liquid: the rest is for the frames after it.
    """
    reserve = universe.reserve
    short_units = due_units - available.get(reserve, 0)
    if short_units <= 0:
        return []
    short = nav_micro_usd(universe, [(reserve, short_units)], frame)
    need = max(RECALL_MICRO_USD_MIN, short + short * _MARGIN_BPS // 10_000)
    sales: list[tuple[int, AssetId, Sale]] = []
    for asset, units in sorted(available.items()):
        way = universe.routes.get((asset, reserve))
        if way is None or nav_micro_usd(universe, [(asset, units)], frame) < policy.dust_micro_usd:
            continue
        if path_is_fresh(universe, way, frame):
            sale = sell(universe, asset, units, frame, frames=1)
            if sale.exit_micro_usd > 0:
                sales.append((sale.cost_micro_usd * _PPB // sale.exit_micro_usd, asset, sale))
    orders: list[Order] = []
    for _, asset, sale in sorted(sales, key=lambda each: each[:2]):
        if need <= 0:
            break
        units = min(sale.sold_units, -(-sale.sold_units * need // sale.exit_micro_usd))
        need -= sale.exit_micro_usd
        path = universe.routes[asset, reserve]
        orders.append(_exit(agent, frame, len(orders), path, units=units, reason="recalled"))
    return orders


def _exit(
    agent: AgentId, frame: MarketFrame, index: int, path: tuple[Conversion, ...], *, units: int, reason: str
) -> Order:
    """Return an order of the guardian's."""
    number = GUARDIAN_NUMBERS + index
    return Order(
        order_id=order_id(agent, frame.index, number),
        agent=agent,
        turn=frame.index,
        number=number,
        path=tuple(step.id for step in path),
        units=units,
        placed_by="guardian",
        reduce_only=True,
        reason=reason,
    )
