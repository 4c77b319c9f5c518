"""What every metric asks of its numbers, and their plain moments."""

from collections.abc import Sequence
from math import fsum, isfinite, log, sqrt

DAYS_A_YEAR = 365
LARGEST = 1e30
"""No figure of a treasury is larger; below it no sum, square or fourth power here can overflow."""
NO_DEVIATION = 1e-12
"""What deviates less, in returns a period, does not deviate: the rest is rounding."""
GROWTH_MAX = log(LARGEST)
"""The logarithm of the largest growth that is told."""


def refuse_unusable(*series: Sequence[float]) -> None:
    """Raise ValueError if a number is NaN, infinite or beyond `LARGEST`."""
    for values in series:
        for place, value in enumerate(values):
            if not -LARGEST <= value <= LARGEST:  # NaN compares false
                raise ValueError(f"number {place} is {value}: not a figure a metric can be made of")


def refuse_unequal(*series: Sequence[float]) -> None:
    """Raise ValueError if the series are not of one length."""
    lengths = [len(values) for values in series]
    if len({*lengths}) > 1:
        raise ValueError(f"series of {lengths} periods: each period needs one number of each")


def mean(values: Sequence[float]) -> float:
    """Return the mean of one number or more."""
    return fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation (n - 1) of two numbers or more; exactly 0 when all are equal."""
    if max(values) == min(values):
        return 0.0
    centre = mean(values)
    return sqrt(fsum((value - centre) ** 2 for value in values) / (len(values) - 1))


def finite(value: float) -> float | None:
    """Return a result, or None if it left the range of floats."""
    return value if isfinite(value) else None
