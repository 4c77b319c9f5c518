"""What holds for every metric and every record."""

from collections.abc import Callable
from math import isclose, isfinite, isnan

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from treasury_actors.agents.model.metrics.cscv import overfitting_probability
from treasury_actors.agents.model.metrics.drawdown import (
    calmar,
    calmar_ranked,
    cvar,
    max_drawdown,
    max_drawdown_of_nav,
)
from treasury_actors.agents.model.metrics.overfitting import (
    deflated_sharpe,
    expected_max_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
    sharpe_moments,
)
from treasury_actors.agents.model.metrics.regression import regress
from treasury_actors.agents.model.metrics.returns import growth_a_year, total_return, turnover_a_year
from treasury_actors.agents.model.metrics.sharpe import (
    omega,
    sharpe,
    sharpe_ranked,
    sortino,
    sortino_ranked,
)
from treasury_actors.agents.model.metrics.tracking import tracking_error
from treasury_actors.agents.model.metrics.trials import effective_trials, mean_correlation, trial_clusters

ANY = st.lists(st.floats(-1e30, 1e30) | st.floats(-1e-15, 1e-15) | st.just(0.01), max_size=120)
RETURNS = st.lists(st.floats(-0.5, 0.5).map(lambda value: round(value, 6)), min_size=3, max_size=120)

METRICS: dict[str, Callable[[list[float]], float | None]] = {
    "calmar": lambda values: calmar(values * 4),
    "calmar_ranked": calmar_ranked,
    "cvar": cvar,
    "deflated_sharpe": lambda values: deflated_sharpe(values, values),
    "effective_trials": lambda values: effective_trials([values, values[::-1], values[:1] * len(values)]),
    "growth_a_year": growth_a_year,
    "max_drawdown": max_drawdown,
    "max_drawdown_of_nav": max_drawdown_of_nav,
    "mean_correlation": lambda values: mean_correlation([values, values[::-1]]),
    "minimum_track_record": minimum_track_record,
    "omega": omega,
    "overfitting_probability": lambda values: overfitting_probability([values, values[::-1]], blocks=4),
    "probabilistic_sharpe": probabilistic_sharpe,
    "sharpe": sharpe,
    "sharpe_ranked": sharpe_ranked,
    "sortino": sortino,
    "sortino_ranked": sortino_ranked,
    "total_return": total_return,
    "tracking_error": lambda values: tracking_error(values, values[::-1]),
    "turnover_a_year": lambda values: turnover_a_year(values, [abs(value) for value in values]),
}


def is_close(one: float | None, other: float | None) -> bool:
    """Tell if both are None, or the same but for rounding."""
    if one is None or other is None:
        return one is other
    return isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize("name", sorted(METRICS))
@given(values=ANY)
def test_a_metric_is_a_finite_number_or_none(name: str, values: list[float]) -> None:
    found = METRICS[name](values)

    assert found is None or isfinite(found)


@given(ANY, ANY)
def test_a_regression_holds_only_finite_numbers(returns: list[float], factor: list[float]) -> None:
    size = min(len(returns), len(factor))
    fit = regress(returns[:size], [factor[:size]])

    if fit is not None:
        told = (fit.alpha_day_ratio, fit.alpha_se_ratio, fit.alpha_t, *fit.betas, *fit.beta_ts)
        assert all(value is None or isfinite(value) for value in told)


@given(RETURNS, st.integers(0, 200), st.sampled_from([float("nan"), float("inf"), float("-inf")]))
def test_one_hole_anywhere_is_refused(returns: list[float], place: int, hole: float) -> None:
    returns.insert(place % len(returns), hole)

    for name in sorted(METRICS):
        with pytest.raises(ValueError, match="not a figure"):
            METRICS[name](returns)


@given(RETURNS)
def test_shares_and_probabilities_lie_between_nothing_and_all(returns: list[float]) -> None:
    for found in (max_drawdown(returns), probabilistic_sharpe(returns), deflated_sharpe(returns, returns)):
        assert found is None or 0.0 <= found <= 1.0


@given(RETURNS, st.permutations(range(120)))
def test_only_the_fall_depends_on_the_order_of_days(returns: list[float], order: list[int]) -> None:
    shuffled = [returns[place] for place in order if place < len(returns)]

    for metric in (sharpe, sortino, omega, probabilistic_sharpe, growth_a_year, cvar, total_return):
        assert is_close(metric(shuffled), metric(returns))


@given(RETURNS)
def test_the_fall_of_returns_is_the_fall_of_the_values_they_make(returns: list[float]) -> None:
    navs = [1.0]
    for change in returns:
        navs.append(navs[-1] * (1.0 + change))

    assert max_drawdown(returns) == pytest.approx(max_drawdown_of_nav(navs), abs=1e-12)


@given(RETURNS)
def test_a_calm_day_deepens_no_fall_and_the_record_of_more_days_has_no_smaller_one(
    returns: list[float],
) -> None:
    assert max_drawdown([*returns, 0.0]) == max_drawdown(returns)
    assert max_drawdown(returns) >= max_drawdown(returns[:-1])


@given(RETURNS, st.floats(1.5, 10.0))
def test_leverage_changes_no_ratio(returns: list[float], factor: float) -> None:
    moments = sharpe_moments(returns)
    assume(moments is not None)
    levered = [value * factor for value in returns]

    for metric in (sharpe, sortino, omega, probabilistic_sharpe):
        assert is_close(metric(levered), metric(returns))


@given(RETURNS, st.floats(0.0001, 0.01))
def test_more_on_every_day_is_never_worse(returns: list[float], more: float) -> None:
    better = [value + more for value in returns]

    for metric in (sharpe, sharpe_ranked, sortino_ranked, growth_a_year, total_return):
        low, high = metric(returns), metric(better)
        assert (low is None) == (high is None)
        assert low is None or high is None or high >= low - 1e-12 * abs(low)
    assert max_drawdown(better) <= max_drawdown(returns) + 1e-15


@given(RETURNS)
def test_a_record_as_long_as_needed_has_the_confidence_asked_for(returns: list[float]) -> None:
    moments = sharpe_moments(returns)
    needed, found = minimum_track_record(returns), probabilistic_sharpe(returns)
    assume(moments is not None and needed is not None and found is not None)
    assert moments is not None
    assert needed is not None
    assert found is not None

    assert (found >= 0.95) == (len(returns) >= needed) or abs(found - 0.95) < 1e-9


@given(st.floats(1.0, 1e9), st.floats(1.0, 1e3), st.floats(0.0, 2.0))
def test_more_trials_never_lower_the_bar(trials: float, more: float, spread: float) -> None:
    low = expected_max_sharpe(trials=trials, deviation_of_trials=spread)
    high = expected_max_sharpe(trials=trials * more, deviation_of_trials=spread)

    assert not isnan(low)
    assert 0.0 <= low <= high + 1e-12


@given(st.lists(st.lists(st.floats(-0.5, 0.5), min_size=8, max_size=8), min_size=1, max_size=8))
def test_effective_trials_lie_between_one_and_all(columns: list[list[float]]) -> None:
    found = effective_trials(columns)

    assert found is not None
    assert 1.0 <= found <= len(columns) + 1e-9
    assert trial_clusters(columns) <= found + 1e-9
