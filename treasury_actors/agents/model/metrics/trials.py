"""How many of the trials were independent: a hundred copies of one idea are not a hundred ideas."""

from collections.abc import Sequence
from math import fsum, sqrt
from operator import mul

from treasury_actors.agents.model.metrics.series import (
    NO_DEVIATION,
    deviation,
    mean,
    refuse_unequal,
    refuse_unusable,
)

CORRELATION_MIN = 0.5


def effective_trials(
    columns: Sequence[Sequence[float]], *, correlation_min: float = CORRELATION_MIN
) -> float | None:
    """
    Return how many independent trials these amount to: the larger of two rough counts, the more cautious.

    One counts clusters (`trial_clusters`), one takes the mean correlation rho between trials, not below 0:
    N (1 - rho) + rho. Both lie in 1 .. N. Report N beside it.

    Args:
        columns: the returns of each trial over the same periods.

    None without any trial.
    """
    clusters = trial_clusters(columns, correlation_min=correlation_min)
    if not clusters:
        return None
    scores, still = _standardised(columns)
    moving = len(scores)
    rho = max(0.0, _mean_correlation(scores) or 0.0)
    spread = moving * (1.0 - rho) + rho if moving else 0.0
    return max(float(clusters), spread + bool(still))


def trial_clusters(columns: Sequence[Sequence[float]], *, correlation_min: float = CORRELATION_MIN) -> int:
    """
    Return how many trials, taken in order, correlate less than `correlation_min` with each counted before.

    Trials that do not move have no correlation and count as one together.

    Raises:
        ValueError: the threshold is not within 0 .. 1, lengths differ, or a number is none.
    """
    if not 0.0 < correlation_min <= 1.0:
        raise ValueError(f"a correlation of {correlation_min} makes no cluster")
    scores, still = _standardised(columns)
    leaders: list[list[float]] = []
    for score in scores:
        if all(fsum(map(mul, score, leader)) < correlation_min for leader in leaders):
            leaders.append(score)
    return len(leaders) + bool(still)


def mean_correlation(columns: Sequence[Sequence[float]]) -> float | None:
    """Return the mean Pearson correlation over all pairs of trials that move; None for fewer than two."""
    return _mean_correlation(_standardised(columns)[0])


def _mean_correlation(scores: Sequence[Sequence[float]]) -> float | None:
    """Return the mean product of two different unit vectors: (|sum|^2 - N) / (N (N - 1)), in N steps."""
    count = len(scores)
    if count < 2:  # noqa: PLR2004  a pair
        return None
    length = fsum(fsum(values) ** 2 for values in zip(*scores, strict=True))
    return max(-1.0, min(1.0, (length - count) / (count * (count - 1))))


def _standardised(columns: Sequence[Sequence[float]]) -> tuple[list[list[float]], int]:
    """Return the trials that move, each about its mean and of length 1, and how many do not."""
    refuse_unequal(*columns)
    refuse_unusable(*columns)
    scores = []
    for column in columns:
        if len(column) > 1 and (spread := deviation(column)) >= NO_DEVIATION:
            centre, length = mean(column), spread * sqrt(len(column) - 1)
            scores.append([(value - centre) / length for value in column])
    return scores, len(columns) - len(scores)
