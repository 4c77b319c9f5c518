"""Returns: over lending, compounded, as growth a year; and what was traded for them."""

from collections.abc import Sequence
from math import expm1, fsum, log1p

from treasury_actors.agents.model.metrics.series import (
    DAYS_A_YEAR,
    GROWTH_MAX,
    finite,
    mean,
    refuse_unequal,
    refuse_unusable,
)


def excess_over(returns: Sequence[float], lending: Sequence[float]) -> tuple[float, ...]:
    """
    Return what each period earned over what lending paid in it: r_t - rf_t.

    Raises:
        ValueError: the two differ in length, or hold a number that is none.
    """
    refuse_unequal(returns, lending)
    refuse_unusable(returns, lending)
    return tuple(mine - lent for mine, lent in zip(returns, lending, strict=True))


def compound(returns: Sequence[float], *, periods: int = 24) -> tuple[float, ...]:
    """
    Return one return for each `periods` of them, such as a day's for its 24 hours; the first starts a day.

    From -100% on nothing is left to grow: that day returns -1, and later ones stay what they are.

    Raises:
        ValueError: the last day is not whole, a day grows beyond all figures, or a number is none.
    """
    refuse_unusable(returns)
    if periods < 1 or len(returns) % periods:
        raise ValueError(f"{len(returns)} returns are no whole number of groups of {periods}")
    grown = [total_return(returns[start : start + periods]) for start in range(0, len(returns), periods)]
    if None in grown:
        raise ValueError("a group of returns compounds beyond what any treasury holds")
    return tuple(value for value in grown if value is not None)


def total_return(returns: Sequence[float]) -> float | None:
    """
    Return prod(1 + r_t) - 1, a fraction; 0 for no period, -1 if any period lost all or more.

    Summed as logarithms, exactly rounded, so the order and the number of periods cost no precision.
    None if the product is beyond `LARGEST`.
    """
    grown = _log_growth(returns)
    if grown is None:
        return -1.0
    return expm1(grown) if grown < GROWTH_MAX else None


def growth_a_year(returns: Sequence[float], *, periods_a_year: float = DAYS_A_YEAR) -> float | None:
    """
    Return g = ln(V_T / V_0) P / n: log growth a year. e^g - 1 is the yearly return it amounts to.

    It is defined for any length and made for comparing windows; what is shown to people is `apy`.
    None for no period, and when all was lost.
    """
    assert periods_a_year > 0.0, "a year has periods"
    grown = _log_growth(returns)
    if grown is None or not returns:
        return None
    return grown * periods_a_year / len(returns)


def apy(return_ratio: float, days: float) -> float | None:
    """Return the yearly growth of a return over `days`; None under 365: nothing shorter is annualised."""
    refuse_unusable((return_ratio, days))
    if days < DAYS_A_YEAR or return_ratio <= -1.0:
        return None
    grown: float = (1.0 + return_ratio) ** (DAYS_A_YEAR / days) - 1.0
    return grown


def turnover_a_year(
    traded: Sequence[float], navs: Sequence[float], *, periods_a_year: float = DAYS_A_YEAR
) -> float | None:
    """
    Return sum |traded_t| / mean NAV x P / n: how often a year the whole treasury changes hands.

    Args:
        traded: notional of each period's fills, any sign, in the money of `navs`.
        navs: the net asset value of each period; one a period.

    None for no period, and when the mean NAV is not positive.
    """
    assert periods_a_year > 0.0, "a year has periods"
    refuse_unequal(traded, navs)
    refuse_unusable(traded, navs)
    if not navs or mean(navs) <= 0.0:
        return None
    return finite(fsum(map(abs, traded)) / mean(navs) * periods_a_year / len(navs))


def _log_growth(returns: Sequence[float]) -> float | None:
    """Return ln(V_T / V_0); None if a period lost all or more: what comes after it grows nothing."""
    refuse_unusable(returns)
    if any(value <= -1.0 for value in returns):
        return None
    return fsum(map(log1p, returns))
