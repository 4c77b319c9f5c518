"""Regression and ratios: against numpy, and where they are undefined."""

from math import sqrt

import numpy as np
import pytest

from treasury_actors.reports.course import Course, course_of
from treasury_actors.reports.statistics import annual_sharpe, apy, regress, sharpe_error


def _draws(count: int, seed: int) -> list[float]:
    return [float(x) for x in np.random.default_rng(seed).normal(0.0, 0.02, count)]


def test_a_regression_finds_what_it_was_made_of() -> None:
    eth, btc = _draws(200, 1), _draws(200, 2)
    noise = _draws(200, 3)
    returns = [0.001 + 0.5 * e - 0.25 * b + 0.01 * n for e, b, n in zip(eth, btc, noise, strict=True)]

    fit = regress(returns, [eth, btc])

    assert fit is not None
    expected = np.linalg.lstsq(np.column_stack([np.ones(200), eth, btc]), np.array(returns), rcond=None)[0]
    assert [fit.alpha_day_ratio, *fit.betas] == pytest.approx(list(expected), rel=1e-9)
    assert fit.alpha_t is not None
    assert fit.alpha_t > 20


def test_the_newey_west_error_is_that_of_the_textbook_sandwich() -> None:
    factor, returns = _draws(150, 4), _draws(150, 5)
    fit = regress(returns, [factor])
    assert fit is not None
    assert fit.alpha_t is not None

    design = np.column_stack([np.ones(150), factor])
    bread = np.linalg.inv(design.T @ design)
    errors = np.array(returns) - design @ (bread @ design.T @ np.array(returns))
    scores = design * errors[:, None]
    lags = int(4 * (150 / 100) ** (2 / 9))
    meat = scores.T @ scores
    for lag in range(1, lags + 1):
        part = scores[lag:].T @ scores[:-lag]
        meat += (1 - lag / (lags + 1)) * (part + part.T)
    error = sqrt((bread @ meat @ bread)[0, 0])

    assert fit.alpha_t == pytest.approx(fit.alpha_day_ratio / error, rel=1e-9)


def test_too_few_days_or_factors_that_are_one_have_no_regression() -> None:
    factor = _draws(100, 1)

    assert regress(factor[:19], [factor[:19]]) is None
    assert regress(_draws(100, 2), [factor, [2.0 * x for x in factor]]) is None
    assert regress(_draws(100, 2), [[0.0] * 100]) is None


def test_returns_without_any_noise_have_an_alpha_but_no_t() -> None:
    fit = regress([0.0] * 30, [_draws(30, 1)])

    assert fit is not None
    assert fit.alpha_t is None


def test_undefined_ratios_are_none() -> None:
    assert annual_sharpe([]) is None
    assert annual_sharpe([0.01]) is None
    assert annual_sharpe([0.01] * 50) is None
    assert sharpe_error(0) is None
    assert apy(0.5, 364.9) is None
    assert apy(-1.0, 400) is None


def test_ratios_are_those_of_the_book() -> None:
    assert annual_sharpe([0.01, -0.01, 0.02]) == pytest.approx(sqrt(365) * (0.02 / 3) / 0.0152752523)
    assert sharpe_error(365) == 1.0
    assert apy(0.21, 730) == pytest.approx(0.1)


def test_a_course_ignores_capital_that_comes_and_goes() -> None:
    course = Course()
    for nav in (100, 110):
        course.see(nav)
    course.rebase(1_000)
    course.see(900)
    course.close_day(24)

    assert course.index == pytest.approx(0.99)
    assert course.max_drawdown_ratio == pytest.approx(0.1)
    assert [day for day, _ in course.closes] == [1]


def test_days_without_capital_have_no_return() -> None:
    course = course_of((100,) * 24 + (110,) * 24 + (0,))

    assert course.daily_returns() == {1: pytest.approx(0.1)}
