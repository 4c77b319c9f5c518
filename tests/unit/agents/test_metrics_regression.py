"""Alpha and beta: against numpy, and where they are undefined."""

from math import sqrt

import numpy as np
import pytest

from treasury_actors.agents.model.metrics.regression import regress


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


def test_every_beta_has_its_own_t() -> None:
    eth, btc = _draws(200, 1), _draws(200, 2)
    returns = [0.5 * e + 0.1 * n for e, n in zip(eth, _draws(200, 3), strict=True)]
    fit = regress(returns, [eth, btc])

    assert fit is not None
    strong, none = fit.beta_ts
    assert strong is not None
    assert none is not None
    assert strong > 20
    assert abs(none) < 3


def test_without_factors_alpha_is_the_mean_and_without_lags_its_error_is_the_plain_one() -> None:
    returns = _draws(100, 1)
    fit = regress(returns, [], lags=0)

    assert fit is not None
    assert fit.alpha_day_ratio == pytest.approx(float(np.mean(returns)))
    assert fit.alpha_se_ratio == pytest.approx(float(np.std(returns)) / 10.0)
    assert (fit.betas, fit.beta_ts, fit.days, fit.lags) == ((), (), 100, 0)


def test_what_is_no_figure_or_no_pair_is_refused() -> None:
    returns, hole = _draws(100, 1), [float("nan"), *_draws(99, 2)]

    for mine, factor in ((returns, hole), (hole, returns)):
        with pytest.raises(ValueError, match="nan"):
            regress(mine, [factor])
    with pytest.raises(ValueError, match="one number of each"):
        regress(returns, [returns[:99]])
    with pytest.raises(ValueError, match="lags"):
        regress(returns, [_draws(100, 2)], lags=-1)
