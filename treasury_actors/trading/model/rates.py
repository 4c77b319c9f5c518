"""
How fast the house may trade, whatever a strategy wants and a mandate allows in a day. Pure.

A runaway is a rate: old code that answered every message lost $460M in 45 minutes (Knight, 2012), within
limits of size. So value by the hour and the day, and the count of sends, are bounded here, in front of every
venue. An agent over its own rate is refused; if all agents together are over the arena's, a sum that mandates
alone can't reach, something is wrong with the house, and it may only reduce until a person has looked.
"""

from dataclasses import dataclass
from typing import Final

from treasury_actors.money import usd
from treasury_actors.trading.model.limits import HOUR_TURNS, TURNOVER_TURNS, Refusal, Turnover
from treasury_actors.trading.model.mandate import Limits
from treasury_actors.trading.model.order import Order, TradingReason

RATES: Final = "rates"
"""Who puts trading to `reducing` when the arena is too fast."""

ARENA_BREACHES: Final = frozenset(
    {
        TradingReason.ABOVE_ARENA_HOUR_LIMIT,
        TradingReason.ABOVE_ARENA_DAY_LIMIT,
        TradingReason.ABOVE_ARENA_SEND_LIMIT,
    }
)
"""Refusals after which a machine does the most it may: reduce."""

_WHOLE_BPS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """
    The rates of one house.

    Attributes:
        arena_day_micro_usd_max: turnover of all agents in 24 turns.
        arena_sends_hour_max: hops of all agents' orders in an hour, exits included.
        agent_sends_hour_max: the same of one agent.
        hour_bps_max: the part of a day's turnover, an agent's or the arena's, that one hour may have. Opening
            a mandate takes its whole capital in an hour, so with a day of less than twice the capital half
            a day an hour would be too little.
    """

    arena_day_micro_usd_max: int
    arena_sends_hour_max: int
    agent_sends_hour_max: int = 20
    hour_bps_max: int = 10_000

    def __post_init__(self) -> None:
        assert 0 < self.hour_bps_max <= _WHOLE_BPS, "an hour has no more than its day"

    def hour_of(self, day_micro_usd: int) -> int:
        """Return what one hour may have of a day's turnover, rounded down."""
        return day_micro_usd * self.hour_bps_max // _WHOLE_BPS


def check_agent_rates(
    order: Order, value_micro_usd: int, *, mandate: Limits, rates: RateLimits, turnover: Turnover
) -> Refusal | None:
    """
    Say why an order is too much within an hour for its agent, or None; an exit passes.

    `turnover` is of the orders accepted before this one.
    """
    if order.reduce_only:
        return None
    hour = turnover.micro_usd(order.agent, order.turn, HOUR_TURNS) + value_micro_usd
    hour_max = rates.hour_of(mandate.turnover_micro_usd_max)
    if hour > hour_max:
        detail = f"${usd(hour)} > ${usd(hour_max)} in an hour"
        return Refusal(reason=TradingReason.ABOVE_HOUR_LIMIT, detail=detail)
    sends = turnover.sends(order.agent, order.turn) + len(order.path)
    if sends > rates.agent_sends_hour_max:
        detail = f"{sends} > {rates.agent_sends_hour_max} sends in an hour"
        return Refusal(reason=TradingReason.ABOVE_SEND_LIMIT, detail=detail)
    return None


def check_arena_rates(
    order: Order, value_micro_usd: int, *, rates: RateLimits, turnover: Turnover
) -> Refusal | None:
    """
    Say why an order is too much for the arena as a whole, or None; an exit passes.

    Whatever this answers is one of `ARENA_BREACHES`: the order is refused, and the house reduces.
    """
    if order.reduce_only:
        return None
    spans = (
        (TradingReason.ABOVE_ARENA_HOUR_LIMIT, HOUR_TURNS, rates.hour_of(rates.arena_day_micro_usd_max)),
        (TradingReason.ABOVE_ARENA_DAY_LIMIT, TURNOVER_TURNS, rates.arena_day_micro_usd_max),
    )
    for reason, turns, most in spans:
        spent = turnover.all_micro_usd(order.turn, turns) + value_micro_usd
        if spent > most:
            detail = f"${usd(spent)} > ${usd(most)} of all agents in {turns} turns"
            return Refusal(reason=reason, detail=detail)
    sends = turnover.all_sends(order.turn) + len(order.path)
    if sends > rates.arena_sends_hour_max:
        detail = f"{sends} > {rates.arena_sends_hour_max} sends of all agents in an hour"
        return Refusal(reason=TradingReason.ABOVE_ARENA_SEND_LIMIT, detail=detail)
    return None
