"""
Alpha and beta: daily returns regressed on factors, in plain Python: equal bits on every machine.

What is undefined is None: too few days, no variance, factors that can't be told apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from treasury_actors.agents.model.metrics.series import refuse_unequal, refuse_unusable

REGRESSION_DAYS_MIN = 20
_SINGULAR = 1e-12
_NO_ERROR = 1e-12
_NO_FACTOR = 1e-60


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """
    What is left of daily returns when their factors are taken out.

    Attributes:
        alpha_day_ratio: the mean daily return that no factor explains.
        alpha_se_ratio: its Newey-West standard error.
        alpha_t: it in its own standard errors; None if that error is zero.
        betas: one a factor, in the order given.
        beta_ts: each in its own Newey-West standard errors; None if that error is zero.
        days: how many days it rests on.
        lags: over how many days errors were taken to depend on each other.
    """

    alpha_day_ratio: float
    alpha_se_ratio: float
    alpha_t: float | None
    betas: tuple[float, ...]
    beta_ts: tuple[float | None, ...]
    days: int
    lags: int


def regress(
    returns: Sequence[float], factors: Sequence[Sequence[float]], *, lags: int | None = None
) -> Regression | None:
    """
    Regress daily returns on the daily returns of factors by ordinary least squares with an intercept.

    Standard errors are Newey and West's (1987) with Bartlett weights and no correction for small samples,
    because daily records are neither independent nor of one variance.

    Args:
        returns: n of them, over lending.
        factors: any number, each n returns over lending; none leaves the mean as alpha.
        lags: of the errors; by default floor(4 (n / 100)^(2/9)), Newey and West (1994).

    None below 20 days, and where the factors are linearly dependent or do not vary.

    Raises:
        ValueError: lengths differ, a number is none, or `lags` is negative.
    """
    refuse_unequal(returns, *factors)
    refuse_unusable(returns, *factors)
    days = len(returns)
    if days < max(REGRESSION_DAYS_MIN, len(factors) + 2):
        return None
    if lags is None:
        lags = int(4.0 * (days / 100.0) ** (2.0 / 9.0))
    if lags < 0:
        raise ValueError(f"{lags} lags")
    rows = [(1.0, *(factor[day] for factor in factors)) for day in range(days)]
    inverse = _inverse(_products(rows))
    if inverse is None:
        return None
    width = len(rows[0])
    moments = [fsum(row[k] * value for row, value in zip(rows, returns, strict=True)) for k in range(width)]
    weights = [fsum(a * b for a, b in zip(line, moments, strict=True)) for line in inverse]
    errors = [
        value - fsum(w * x for w, x in zip(weights, row, strict=True))
        for row, value in zip(rows, returns, strict=True)
    ]
    spreads = [_newey_west_error(rows, errors, line, lags) for line in inverse]
    ts = [
        weight / spread if spread > _NO_ERROR else None
        for weight, spread in zip(weights, spreads, strict=True)
    ]
    return Regression(
        alpha_day_ratio=weights[0],
        alpha_se_ratio=spreads[0],
        alpha_t=ts[0],
        betas=tuple(weights[1:]),
        beta_ts=tuple(ts[1:]),
        days=days,
        lags=lags,
    )


def _products(rows: Sequence[tuple[float, ...]]) -> list[list[float]]:
    """Return X'X."""
    width = len(rows[0])
    return [[fsum(row[i] * row[j] for row in rows) for j in range(width)] for i in range(width)]


def _inverse(matrix: list[list[float]]) -> list[list[float]] | None:
    """Return the inverse of a small symmetric matrix by Gauss-Jordan with pivots; None if it has none."""
    size = len(matrix)
    scale = [line[i] for i, line in enumerate(matrix)]
    if any(entry < _NO_FACTOR for entry in scale):
        return None
    root = [sqrt(entry) for entry in scale]  # a unit diagonal makes "singular" mean the same for every factor
    work = [
        [matrix[i][j] / (root[i] * root[j]) for j in range(size)] + [float(i == j) for j in range(size)]
        for i in range(size)
    ]
    for column in range(size):
        pivot = max(range(column, size), key=lambda line: abs(work[line][column]))
        if abs(work[pivot][column]) < _SINGULAR:
            return None
        work[column], work[pivot] = work[pivot], work[column]
        divisor = work[column][column]
        work[column] = [entry / divisor for entry in work[column]]
        for line in range(size):
            if line != column and work[line][column]:
                factor = work[line][column]
                work[line] = [a - factor * b for a, b in zip(work[line], work[column], strict=True)]
    return [[work[i][size + j] / (root[i] * root[j]) for j in range(size)] for i in range(size)]


def _newey_west_error(
    rows: Sequence[tuple[float, ...]], errors: Sequence[float], bread: Sequence[float], lags: int
) -> float:
    """
    Return the standard error of one coefficient, whose line of (X'X)^-1 is `bread`.

    With z_t = bread x_t e_t the sandwich collapses to sums of z: its variance is
    sum z_t^2 + 2 sum_l (1 - l / (L + 1)) sum z_t z_(t-l).
    """
    days = len(rows)
    scores = [
        e * fsum(b * x for b, x in zip(bread, row, strict=True)) for row, e in zip(rows, errors, strict=True)
    ]
    variance = fsum(score * score for score in scores)
    for lag in range(1, min(lags, days - 1) + 1):
        weight = 1.0 - lag / (lags + 1.0)
        variance += (
            2.0 * weight * fsum(a * b for a, b in zip(scores[lag:], scores[: days - lag], strict=True))
        )
    return sqrt(max(0.0, variance))
