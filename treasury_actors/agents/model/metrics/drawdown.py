"""Falls and tails: how deep, against what was earned, and how bad the worst days are."""

from collections.abc import Sequence
from math import expm1, floor, fsum

from treasury_actors.agents.model.metrics.returns import apy, growth_a_year, total_return
from treasury_actors.agents.model.metrics.series import DAYS_A_YEAR, GROWTH_MAX, finite, refuse_unusable

DRAWDOWN_FLOOR_RATIO = 0.02
TAIL_PERIODS_MIN = 5
_ROUNDING = 1e-9


def max_drawdown(returns: Sequence[float]) -> float:
    """
    Return max_t 1 - V_t / max(V_0 .. V_t), in 0 .. 1; V_0, where the record starts, is a peak like others.

    0 if it was never below its start or its peak (nor lived a period), 1 once all is lost.
    """
    refuse_unusable(returns)
    level, lowest = 1.0, 1.0  # as a share of the peak so far
    for value in returns:
        level = min(1.0, level * (1.0 + value)) if value > -1.0 else 0.0
        lowest = min(lowest, level)
    return 1.0 - lowest


def max_drawdown_of_nav(navs: Sequence[float]) -> float | None:
    """
    Return the maximum drawdown of net asset values, V_0 first, between which no capital came or went.

    None for no value, and when V_0 is not positive.
    """
    refuse_unusable(navs)
    if not navs or navs[0] <= 0:
        return None
    peak, deepest = navs[0], 0.0
    for value in navs:
        peak = max(peak, value)
        deepest = max(deepest, 1.0 - max(value, 0) / peak)
    return deepest


def calmar(returns: Sequence[float], *, periods_a_year: float = DAYS_A_YEAR) -> float | None:
    """
    Return APY / maximum drawdown. Young (1991).

    None under 365 days, as the APY; and when the record never fell, or lost all.
    """
    grown, fall = total_return(returns), max_drawdown(returns)
    yearly = None if grown is None else apy(grown, len(returns) * DAYS_A_YEAR / periods_a_year)
    return None if yearly is None or fall < _ROUNDING else finite(yearly / fall)


def calmar_ranked(
    returns: Sequence[float],
    *,
    periods_a_year: float = DAYS_A_YEAR,
    floor_ratio: float = DRAWDOWN_FLOOR_RATIO,
) -> float | None:
    """
    Return (e^g - 1) / max(maximum drawdown, floor), of any length.

    None for no period, when all was lost, and where e^g is beyond `LARGEST`.
    """
    assert floor_ratio > 0.0, "without a floor it is no ranking"
    growth = growth_a_year(returns, periods_a_year=periods_a_year)
    if growth is None or growth > GROWTH_MAX:
        return None
    return finite(expm1(growth) / max(max_drawdown(returns), floor_ratio))


def cvar(returns: Sequence[float], *, tail_share: float = 0.05) -> float | None:
    """
    Return the mean of the worst `tail_share` of returns: a return, below zero for a loss.

    A share that ends within a day takes that part of it, as Rockafellar and Uryasev (2000) define it.
    None when the tail holds fewer than five periods.

    Raises:
        ValueError: `tail_share` is not within 0 .. 1, or a number is none.
    """
    refuse_unusable(returns)
    if not 0.0 < tail_share <= 1.0:
        raise ValueError(f"a tail of {tail_share} of all days")
    tail = len(returns) * tail_share
    if tail < TAIL_PERIODS_MIN - _ROUNDING:
        return None
    worst = sorted(returns)
    whole = min(floor(tail + _ROUNDING), len(worst))
    part = max(0.0, tail - whole)
    rest = part * worst[whole] if part > _ROUNDING and whole < len(worst) else 0.0
    return fsum((*worst[:whole], rest)) / tail
