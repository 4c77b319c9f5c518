"""Live against its own resimulation on the same frames: how far apart, and in which direction."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from treasury_actors.agents.model.metrics.returns import excess_over
from treasury_actors.agents.model.metrics.series import DAYS_A_YEAR, NO_DEVIATION, deviation, mean

TRACKING_DAYS_MIN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingGap:
    """
    The signed sum of daily differences, live less resimulated.

    Attributes:
        sum_ratio: a fraction of the capital; below zero, live did worse.
        t: it in its own standard errors, sum / (sd sqrt(n)); None if no difference deviates.
    """

    sum_ratio: float
    t: float | None
    days: int


def tracking_error(live: Sequence[float], resimulated: Sequence[float]) -> float | None:
    """Return std(live - resimulated, n - 1) sqrt(365) of daily returns; None under 20 days."""
    gaps = excess_over(live, resimulated)
    return deviation(gaps) * sqrt(DAYS_A_YEAR) if len(gaps) >= TRACKING_DAYS_MIN else None


def tracking_gap(live: Sequence[float], resimulated: Sequence[float]) -> TrackingGap | None:
    """
    Return the signed sum of daily differences; None under 20 days.

    It finds the small steady leak that a tracking error hides: 3 bps a day are 90 in a month.
    """
    gaps = excess_over(live, resimulated)
    if len(gaps) < TRACKING_DAYS_MIN:
        return None
    spread = deviation(gaps)
    t = None if spread < NO_DEVIATION else mean(gaps) * sqrt(len(gaps)) / spread
    return TrackingGap(sum_ratio=fsum(gaps), t=t, days=len(gaps))
