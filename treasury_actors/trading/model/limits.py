"""Hard limits of the engine: what may not be done, whatever a strategy wants. Pure."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from treasury_actors.ids import AgentId, AssetId, ConversionId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.money import usd
from treasury_actors.trading.model.mandate import Limits, Mandate
from treasury_actors.trading.model.order import Order, OrderAccepted, TradingReason
from treasury_actors.trading.model.planner import path_impact_bps
from treasury_actors.trading.model.stop import StopLatch
from treasury_actors.trading.model.valuation import nav_micro_usd

TURNOVER_TURNS = 24
HOUR_TURNS = 1
"""Frames are hourly: what is counted by the hour is counted by the turn."""

YIELD_ACTIONS = frozenset({"supply", "deposit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an order may not be done."""

    reason: TradingReason
    detail: str


@dataclass(slots=True)
class _Spent:
    """What was ordered in one turn: by value, and how many hops are to be sent for it."""

    turn: int
    micro_usd: int
    sends: int


class Turnover:
    """
    What was accepted in the last 24 turns, of each agent and of all; a fold over accepted orders.

    An exit has no turnover: it must never stand in the way of an entry, nor of another exit. It is sent all
    the same, so its hops count as sends.
    """

    __slots__ = ("_all", "_spent")

    def __init__(self) -> None:
        self._spent: dict[AgentId, deque[_Spent]] = {}
        self._all: deque[_Spent] = deque()

    def add(self, accepted: OrderAccepted) -> None:
        """Count an accepted order."""
        order = accepted.order
        value = 0 if order.reduce_only else accepted.value_micro_usd
        for spent in (self._spent.setdefault(order.agent, deque()), self._all):
            if spent and spent[-1].turn > order.turn:
                spent.clear()  # another season, whose frames are counted from 0
            if not spent or spent[-1].turn != order.turn:
                spent.append(_Spent(turn=order.turn, micro_usd=0, sends=0))
            spent[-1].micro_usd += value
            spent[-1].sends += len(order.path)

    def micro_usd(self, agent: AgentId, turn: int, turns: int = TURNOVER_TURNS) -> int:
        """Return the value an agent ordered in the `turns` (24 at most) up to `turn`."""
        return sum(spent.micro_usd for spent in _recent(self._spent.get(agent), turn, turns))

    def all_micro_usd(self, turn: int, turns: int = TURNOVER_TURNS) -> int:
        """Return the value all agents ordered in the `turns` (24 at most) up to `turn`."""
        return sum(spent.micro_usd for spent in _recent(self._all, turn, turns))

    def sends(self, agent: AgentId, turn: int) -> int:
        """Return how many hops an agent's orders of the hour up to `turn` are."""
        return sum(spent.sends for spent in _recent(self._spent.get(agent), turn, HOUR_TURNS))

    def all_sends(self, turn: int) -> int:
        """Return how many hops the orders of the hour up to `turn` are."""
        return sum(spent.sends for spent in _recent(self._all, turn, HOUR_TURNS))


def _recent(spent: deque[_Spent] | None, turn: int, turns: int) -> list[_Spent]:
    """Return what was spent in the `turns` up to `turn`; forget what no window reaches any more."""
    assert turns <= TURNOVER_TURNS, "what is older is forgotten"
    if not spent:
        return []
    while spent and spent[0].turn <= turn - TURNOVER_TURNS:
        spent.popleft()
    return [entry for entry in spent if turn - turns < entry.turn <= turn]


def resolve(universe: Universe, path: tuple[ConversionId, ...]) -> tuple[Conversion, ...] | Refusal:
    """Return the conversions of a path, or why it is no path."""
    steps: list[Conversion] = []
    for conversion_id in path:
        step = universe.conversion_by_id.get(conversion_id)
        if step is None:
            return Refusal(reason=TradingReason.UNKNOWN_CONVERSION, detail=str(conversion_id))
        if steps and steps[-1].target != step.source:
            detail = f"{steps[-1].id} is not followed by {step.id}"
            return Refusal(reason=TradingReason.BROKEN_PATH, detail=detail)
        steps.append(step)
    return tuple(steps) or Refusal(reason=TradingReason.BROKEN_PATH, detail="an order has at least one hop")


def check_latch(order: Order, latch: StopLatch) -> Refusal | None:
    """Say why trading as it is stopped or reduced forbids an order, or None (I15)."""
    if latch.now == "stopped":
        return Refusal(reason=TradingReason.STOPPED, detail=latch.reason)
    if latch.now == "reducing" and not order.reduce_only:
        return Refusal(reason=TradingReason.REDUCING, detail=latch.reason)
    return None


def check_release(order: Order, mandate: Mandate | None, latch: StopLatch) -> Refusal | None:
    """
    Say why an accepted order may go no further, or None.

    Asked before every hop: since it was accepted its mandate may have begun to close (I14), or trading may
    have been stopped (I15).
    """
    is_open = mandate is not None and mandate.status == "active"
    if not is_open and order.placed_by != "guardian":
        return _not_open(order, mandate)
    return check_latch(order, latch)


def _not_open(order: Order, mandate: Mandate | None) -> Refusal:
    """Return why only the guardian may order for an agent."""
    reasons = {"recalling": TradingReason.MANDATE_RECALLED, "frozen": TradingReason.MANDATE_FROZEN}
    status = "closing" if mandate is None else mandate.status
    return Refusal(reason=reasons.get(status, TradingReason.MANDATE_CLOSING), detail=order.agent)


def check_order(
    *,
    universe: Universe,
    order: Order,
    mandate: Mandate | None,
    holdings: Mapping[AssetId, int],
    turnover_micro_usd: int,
    gas_left_wei: int,
    frame: MarketFrame,
    stale_exits: bool = False,
) -> int | Refusal:
    """
    Return the order's value in micro-dollars if it keeps every limit, else the first one it breaks.

    An exit (`reduce_only`, checked hop by hop) passes the limits of size, turnover and impact: being able
    to leave is worth more than the price. Nothing passes a price that is missing, and an agent whose gas
    budget of this round is spent can't pay a transaction; the guardian finds gas elsewhere.

    Args:
        stale_exits: an exit may go at the last known price: the venue is a market, and has one of its own.
    """
    steps = resolve(universe, order.path)
    if isinstance(steps, Refusal):
        return steps
    refusal = _check_authority(order, mandate, steps)
    if refusal is not None:
        return refusal
    assert mandate is not None, "an order without a mandate was refused above"
    if order.units <= 0:
        return Refusal(reason=TradingReason.NOT_POSITIVE, detail=f"{order.units} units")
    for step in steps:
        for asset in (step.source, step.target):
            column = universe.column[asset]
            is_known = frame.ticks[column] > 0 and stale_exits and order.reduce_only
            if not frame.fresh[column] and not is_known:
                return Refusal(reason=TradingReason.STALE_PRICE, detail=asset)
    source = universe.by_id[steps[0].source]
    value = source.value_micro_usd(order.units, frame.ticks[universe.column[source.id]])
    if not order.reduce_only:
        refusal = _check_sizes(mandate.limits, value, turnover_micro_usd)
        if refusal is None:
            refusal = _check_market(universe, mandate.limits, steps, value, holdings=holdings, frame=frame)
    if refusal is None and order.placed_by == "agent" and gas_left_wei <= 0:
        detail = f"its {mandate.limits.gas_wei_max} wei of round {mandate.limits.gas_round} are burnt"
        refusal = Refusal(reason=TradingReason.NO_GAS, detail=detail)
    return value if refusal is None else refusal


def _check_authority(order: Order, mandate: Mandate | None, steps: tuple[Conversion, ...]) -> Refusal | None:
    """Say why this sender may not place this order, or None."""
    if mandate is None or mandate.status == "closed":
        return Refusal(reason=TradingReason.NO_MANDATE, detail=order.agent)
    if mandate.status != "active" and order.placed_by != "guardian":
        return _not_open(order, mandate)
    if order.reduce_only and not all(step.reduces for step in steps):
        return Refusal(reason=TradingReason.NOT_REDUCE_ONLY, detail=", ".join(order.path))
    if order.placed_by == "guardian" and not order.reduce_only:
        return Refusal(reason=TradingReason.NOT_REDUCE_ONLY, detail="the guardian may only reduce")
    return None


def _check_sizes(limits: Limits, value: int, turnover_micro_usd: int) -> Refusal | None:
    """Say why an order that adds risk is of the wrong size for its mandate, or None."""
    if value < limits.trade_micro_usd_min:
        detail = f"${usd(value)} < ${usd(limits.trade_micro_usd_min)}"
        return Refusal(reason=TradingReason.BELOW_MINIMUM, detail=detail)
    if value > limits.trade_micro_usd_max:
        detail = f"${usd(value)} > ${usd(limits.trade_micro_usd_max)}"
        return Refusal(reason=TradingReason.ABOVE_TRADE_LIMIT, detail=detail)
    turnover = turnover_micro_usd + value
    if turnover > limits.turnover_micro_usd_max:
        detail = f"${usd(turnover)} > ${usd(limits.turnover_micro_usd_max)} in {TURNOVER_TURNS} turns"
        return Refusal(reason=TradingReason.ABOVE_TURNOVER_LIMIT, detail=detail)
    return None


def _check_market(
    universe: Universe,
    limits: Limits,
    steps: tuple[Conversion, ...],
    value: int,
    *,
    holdings: Mapping[AssetId, int],
    frame: MarketFrame,
) -> Refusal | None:
    """Say why an order that adds risk is too much for its pools or puts too much at one venue, or None."""
    impact = path_impact_bps(universe, steps, value / 1e6, frame)
    if impact > limits.impact_bps_max:
        detail = f"{impact:.1f} bps > {limits.impact_bps_max:g} bps"
        return Refusal(reason=TradingReason.ABOVE_IMPACT_LIMIT, detail=detail)
    last = steps[-1]
    if last.action in YIELD_ACTIONS:
        nav = nav_micro_usd(universe, holdings.items(), frame)
        there = value + nav_micro_usd(universe, [(last.target, holdings.get(last.target, 0))], frame)
        if there > nav * limits.venue_ratio_max:
            detail = f"${usd(there)} of ${usd(nav)} at {last.venue}, limit {limits.venue_ratio_max:g}"
            return Refusal(reason=TradingReason.ABOVE_VENUE_LIMIT, detail=detail)
    return None
