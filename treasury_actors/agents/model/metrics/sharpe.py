"""
Reward over risk: Sharpe, Sortino, Omega; for a report, and with a floor for a ranking.

A treasury breaks the raw ratios: lending at 5% has an hourly Sharpe ratio in the hundreds and no downside
at all. So each is taken over the lending rate, is None where its denominator vanishes, and has a
`_ranked` twin that stays finite.
"""

from collections.abc import Sequence
from math import fsum, sqrt

from treasury_actors.agents.model.metrics.series import (
    DAYS_A_YEAR,
    NO_DEVIATION,
    deviation,
    finite,
    mean,
    refuse_unusable,
)

VOLATILITY_FLOOR_RATIO = 0.05
DOWNSIDE_FLOOR_RATIO = 0.03


def sharpe(excess: Sequence[float], *, periods_a_year: float = DAYS_A_YEAR) -> float | None:
    """
    Return sqrt(P) mean(x) / std(x, n - 1), annual; P = 1 gives the ratio of one period. Sharpe (1994).

    None below two periods, and when the deviation of a period is below 1e-12: neither infinite nor 0.
    """
    assert periods_a_year > 0.0, "a year has periods"
    refuse_unusable(excess)
    if len(excess) < 2:  # noqa: PLR2004  a deviation needs two
        return None
    spread = deviation(excess)
    return None if spread < NO_DEVIATION else sqrt(periods_a_year) * mean(excess) / spread


def sharpe_error(days: int) -> float | None:
    """Return the standard error of an annual Sharpe ratio over so many days: sqrt(365 / n), Lo (2002)."""
    return sqrt(DAYS_A_YEAR / days) if days > 0 else None


def sharpe_ranked(
    excess: Sequence[float],
    *,
    periods_a_year: float = DAYS_A_YEAR,
    floor_ratio: float = VOLATILITY_FLOOR_RATIO,
) -> float | None:
    """
    Return P mean(x) / max(sigma, floor), sigma the annual volatility: Sharpe_x.

    Below the floor, 5% a year, it ranks by return alone. None below two periods.
    """
    assert periods_a_year > 0.0, "a year has periods"
    assert floor_ratio > 0.0, "without a floor it is no ranking"
    refuse_unusable(excess)
    if len(excess) < 2:  # noqa: PLR2004  a deviation needs two
        return None
    sigma = deviation(excess) * sqrt(periods_a_year)
    return finite(periods_a_year * mean(excess) / max(sigma, floor_ratio))


def sortino(excess: Sequence[float], *, periods_a_year: float = DAYS_A_YEAR) -> float | None:
    """
    Return P mean(x) / (sqrt(mean(min(x, 0)^2)) sqrt(P)), the mean of squares over ALL n. Sortino (1994).

    None below two periods, and when no period fell short.
    """
    assert periods_a_year > 0.0, "a year has periods"
    refuse_unusable(excess)
    if len(excess) < 2:  # noqa: PLR2004  as for a Sharpe ratio, its neighbour in every table
        return None
    downside = _downside(excess)
    return None if downside < NO_DEVIATION else sqrt(periods_a_year) * mean(excess) / downside


def sortino_ranked(
    excess: Sequence[float],
    *,
    periods_a_year: float = DAYS_A_YEAR,
    floor_ratio: float = DOWNSIDE_FLOOR_RATIO,
) -> float | None:
    """Return the Sortino ratio with an annual downside of at least `floor_ratio`; None below two periods."""
    assert periods_a_year > 0.0, "a year has periods"
    assert floor_ratio > 0.0, "without a floor it is no ranking"
    refuse_unusable(excess)
    if len(excess) < 2:  # noqa: PLR2004  as for a Sharpe ratio, its neighbour in every table
        return None
    downside = _downside(excess) * sqrt(periods_a_year)
    return finite(periods_a_year * mean(excess) / max(downside, floor_ratio))


def omega(returns: Sequence[float], *, threshold_ratio: float = 0.0) -> float | None:
    """
    Return sum max(r - L, 0) / sum max(L - r, 0), L a return a period. Keating and Shadwick (2002).

    None when no period fell short of L.
    """
    refuse_unusable(returns, (threshold_ratio,))
    short = fsum(max(threshold_ratio - value, 0.0) for value in returns)
    if short < NO_DEVIATION:
        return None
    return fsum(max(value - threshold_ratio, 0.0) for value in returns) / short


def _downside(excess: Sequence[float]) -> float:
    """Return the root of the mean square of what fell short of zero, of one period."""
    return sqrt(fsum(min(value, 0.0) ** 2 for value in excess) / len(excess))
