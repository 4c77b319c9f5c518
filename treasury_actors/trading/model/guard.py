"""When a mandate has lost too much, and how its capital comes home. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from treasury_actors.ids import AgentId, AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.model.marks import Mark
from treasury_actors.trading.model.order import Order, order_id
from treasury_actors.trading.model.planner import path_is_fresh
from treasury_actors.trading.model.valuation import nav_micro_usd

_GUARDIAN_NUMBERS = 1_000
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
            number = _GUARDIAN_NUMBERS + len(orders)
            orders.append(
                Order(
                    order_id=order_id(agent, frame.index, number),
                    agent=agent,
                    turn=frame.index,
                    number=number,
                    path=tuple(step.id for step in path),
                    units=units,
                    placed_by="guardian",
                    reduce_only=True,
                    reason="closing",
                )
            )
    return orders
