"""
Regression and ratios over daily returns, in plain Python: equal bits on every machine.

What is undefined is None: too few days, no variance, factors that can't be told apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

DAYS_A_YEAR = 365
REGRESSION_DAYS_MIN = 20
_SINGULAR = 1e-12
_NO_VARIANCE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """
    What is left of daily returns when their factors are taken out.

    Attributes:
        alpha_day_ratio: the mean daily return that no factor explains.
        alpha_t: it in its own Newey-West standard errors; None if that error is zero.
        betas: one a factor, in the order given.
        days: how many days it rests on.
    """

    alpha_day_ratio: float
    alpha_t: float | None
    betas: tuple[float, ...]
    days: int


def regress(returns: Sequence[float], factors: Sequence[Sequence[float]]) -> Regression | None:
    """
    Regress daily returns on the daily returns of factors by ordinary least squares.

    The standard error of alpha is Newey and West's (1987) with Bartlett weights and
    floor(4 (n / 100)^(2/9)) lags, because daily records are neither independent nor of one variance.

    Returns None below 20 days, and where the factors are linearly dependent or do not vary.
    """
    days = len(returns)
    assert all(len(factor) == days for factor in factors), "one return of each factor a day"
    if days < max(REGRESSION_DAYS_MIN, len(factors) + 2):
        return None
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
    error = _newey_west_alpha_error(rows, errors, inverse[0])
    return Regression(
        alpha_day_ratio=weights[0],
        alpha_t=weights[0] / error if error > _NO_VARIANCE else None,
        betas=tuple(weights[1:]),
        days=days,
    )


def annual_sharpe(excess: Sequence[float]) -> float | None:
    """Return sqrt(365) x mean / deviation (n - 1) of daily excess returns; None below 2 days or for none."""
    days = len(excess)
    if days < 2:  # noqa: PLR2004  a deviation needs two
        return None
    mean = fsum(excess) / days
    deviation = sqrt(fsum((x - mean) ** 2 for x in excess) / (days - 1))
    return None if deviation < _NO_VARIANCE else sqrt(DAYS_A_YEAR) * mean / deviation


def sharpe_error(days: int) -> float | None:
    """Return the standard error of an annual Sharpe ratio over so many days: sqrt(365 / n), Lo (2002)."""
    return sqrt(DAYS_A_YEAR / days) if days > 0 else None


def apy(return_ratio: float, days: float) -> float | None:
    """Return the yearly growth of a return over `days`; None under 365: nothing shorter is annualised."""
    if days < DAYS_A_YEAR or return_ratio <= -1.0:
        return None
    grown: float = (1.0 + return_ratio) ** (DAYS_A_YEAR / days) - 1.0
    return grown


def _products(rows: Sequence[tuple[float, ...]]) -> list[list[float]]:
    """Return X'X."""
    width = len(rows[0])
    return [[fsum(row[i] * row[j] for row in rows) for j in range(width)] for i in range(width)]


def _inverse(matrix: list[list[float]]) -> list[list[float]] | None:
    """Return the inverse of a small symmetric matrix by Gauss-Jordan with pivots; None if it has none."""
    size = len(matrix)
    scale = [line[i] for i, line in enumerate(matrix)]
    if any(entry <= 0.0 for entry in scale):
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


def _newey_west_alpha_error(
    rows: Sequence[tuple[float, ...]], errors: Sequence[float], bread: Sequence[float]
) -> float:
    """
    Return the standard error of the intercept.

    With z_t = (first line of (X'X)^-1) x_t e_t the sandwich collapses to sums of z: its variance is
    sum z_t^2 + 2 sum_l (1 - l / (L + 1)) sum z_t z_(t-l).
    """
    days = len(rows)
    scores = [
        e * fsum(b * x for b, x in zip(bread, row, strict=True)) for row, e in zip(rows, errors, strict=True)
    ]
    lags = int(4.0 * (days / 100.0) ** (2.0 / 9.0))
    variance = fsum(score * score for score in scores)
    for lag in range(1, min(lags, days - 1) + 1):
        weight = 1.0 - lag / (lags + 1.0)
        variance += (
            2.0 * weight * fsum(a * b for a, b in zip(scores[lag:], scores[: days - lag], strict=True))
        )
    return sqrt(max(0.0, variance))
