"""Our metrics equal other people's to 1e-12, and differ from theirs where theirs are no numbers."""

import json
import runpy
from math import expm1
from pathlib import Path
from typing import Any

import pytest

from treasury_actors.agents.model.metrics.drawdown import calmar, cvar, max_drawdown
from treasury_actors.agents.model.metrics.overfitting import (
    deflated_sharpe,
    expected_max_sharpe,
    probabilistic_sharpe,
    sharpe_moments,
)
from treasury_actors.agents.model.metrics.regression import regress
from treasury_actors.agents.model.metrics.returns import apy, excess_over, growth_a_year, total_return
from treasury_actors.agents.model.metrics.sharpe import omega, sharpe, sortino

ROOT = Path(__file__).resolve().parents[3]
# Written by `benchmarks/metric_oracles.py`, whose docstring has the command.
ORACLES: dict[str, Any] = json.loads(Path(__file__).with_name("metric_oracles.json").read_text())
RECORDS: dict[str, list[float]] = ORACLES["records"]
LENDING = RECORDS["lending"]
NAMES = sorted(ORACLES["ratios"])
YEARS = [name for name in NAMES if len(RECORDS[name]) >= 365]


def same(expected: object) -> object:
    """Return what equals it to 1e-12, relative."""
    return pytest.approx(expected, rel=1e-12, abs=1e-15)


def excess_of(name: str) -> tuple[float, ...]:
    returns = RECORDS[name]
    return excess_over(returns, LENDING[: len(returns)])


def test_the_pinned_numbers_are_what_the_oracles_say_today() -> None:
    for package in ("empyrical", "skfolio", "statsmodels"):
        pytest.importorskip(package, reason="requirements/oracles.txt is not installed; pins are checked")

    measured = runpy.run_path(str(ROOT / "benchmarks" / "metric_oracles.py"))["measured"]
    again = json.loads(json.dumps(measured()))

    assert again.keys() == ORACLES.keys()
    for part in again:
        assert_same(again[part], ORACLES[part])


def assert_same(found: object, pinned: object) -> None:
    if isinstance(found, dict) and isinstance(pinned, dict):
        assert found.keys() == pinned.keys()
        for key, value in found.items():
            assert_same(value, pinned[key])
    elif isinstance(pinned, list | float):
        assert found == same(pinned)
    else:
        assert found == pinned


@pytest.mark.parametrize("name", NAMES)
def test_ratios_over_lending_are_those_of_empyrical(name: str) -> None:
    pinned, excess = ORACLES["ratios"][name], excess_of(name)

    assert sharpe(excess) == same(pinned["sharpe"])
    assert sortino(excess) == same(pinned["sortino"])


@pytest.mark.parametrize("name", NAMES)
def test_growth_omega_and_drawdown_are_those_of_empyrical_and_skfolio(name: str) -> None:
    pinned, returns = ORACLES["ratios"][name], RECORDS[name]
    growth = growth_a_year(returns)

    assert total_return(returns) == same(pinned["total_return"])
    assert growth is not None
    assert expm1(growth) == same(pinned["annual_return"])
    assert max_drawdown(returns) == same(pinned["max_drawdown"])
    assert max_drawdown(returns) == same(pinned["max_drawdown_skfolio"])
    assert omega(returns) == same(pinned["omega"])
    assert omega(returns, threshold_ratio=0.0005) == same(pinned["omega_5_bps"])


@pytest.mark.parametrize("name", YEARS)
def test_a_year_or_more_has_the_apy_and_calmar_of_empyrical(name: str) -> None:
    pinned, returns = ORACLES["ratios"][name], RECORDS[name]
    grown = total_return(returns)

    assert grown is not None
    assert apy(grown, len(returns)) == same(pinned["annual_return"])
    assert calmar(returns) == same(pinned["calmar"])


def test_less_than_a_year_has_neither_though_empyrical_gives_both() -> None:
    pinned, returns = ORACLES["ratios"]["tails"], RECORDS["tails"]
    grown = total_return(returns)

    assert isinstance(pinned["annual_return"], float)
    assert isinstance(pinned["calmar"], float)
    assert grown is not None
    assert apy(grown, len(returns)) is None
    assert calmar(returns) is None


@pytest.mark.parametrize("name", [name for name in NAMES if name != "short"])
def test_the_tail_is_that_of_skfolio_cut_within_a_day(name: str) -> None:
    pinned, returns = ORACLES["ratios"][name], RECORDS[name]

    assert cvar(returns) == same(pinned["cvar_95"])
    assert cvar(returns, tail_share=0.0333) == same(pinned["cvar_96_67"])
    assert cvar(returns, tail_share=0.0333) != pytest.approx(pinned["cvar_96_67_empyrical"], rel=1e-6), (
        "empyrical rounds the tail to whole days"
    )


def test_a_tail_of_three_days_is_none_though_skfolio_gives_one() -> None:
    assert isinstance(ORACLES["ratios"]["short"]["cvar_95"], float)
    assert cvar(RECORDS["short"]) is None


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_those_of_skfolio(name: str) -> None:
    pinned, excess = ORACLES["ratios"][name], excess_of(name)
    moments = sharpe_moments(excess)

    assert moments is not None
    assert moments.skew == same(pinned["skew"])
    assert moments.kurtosis == same(pinned["kurtosis"])
    assert probabilistic_sharpe(excess) == same(pinned["psr_0"])
    assert probabilistic_sharpe(excess, benchmark=0.05) == same(pinned["psr_5"])
    assert deflated_sharpe(excess, ORACLES["trial_sharpes"]) == same(ORACLES["deflated"][name])


@pytest.mark.parametrize("trials", list(ORACLES["expected_max"]))
def test_the_expected_best_of_trials_is_that_of_skfolio(trials: str) -> None:
    found = expected_max_sharpe(trials=float(trials), deviation_of_trials=0.07)

    assert found == same(ORACLES["expected_max"][trials])


@pytest.mark.parametrize("name", sorted(ORACLES["regressions"]))
@pytest.mark.parametrize("lags", [0, 5, 12])
def test_regressions_and_newey_west_errors_are_those_of_statsmodels(name: str, lags: int) -> None:
    pinned = ORACLES["regressions"][name][str(lags)]
    fit = regress(excess_of(name), [excess_of("eth"), excess_of("btc")], lags=lags)

    assert fit is not None
    assert [fit.alpha_day_ratio, *fit.betas] == same(pinned["coefficients"])
    assert [fit.alpha_t, *fit.beta_ts] == same(pinned["ts"])
    assert fit.alpha_se_ratio == same(pinned["errors"][0])


def test_the_default_lags_for_400_days_are_five() -> None:
    factors = [excess_of("eth"), excess_of("btc")]

    assert regress(excess_of("blend"), factors) == regress(excess_of("blend"), factors, lags=5)


def test_where_oracles_give_infinities_or_nan_ours_are_none() -> None:
    pinned = ORACLES["undefined"]
    constant, rising = [0.01] * 50, [0.01, 0.02, 0.03, 0.02]

    assert (pinned["constant_sharpe"], sharpe(constant)) == ("inf", None)
    assert (pinned["constant_psr"], probabilistic_sharpe(constant)) == ("nan", None)
    assert (pinned["rising_sortino"], sortino(rising)) == ("inf", None)
    assert (pinned["rising_calmar"], calmar(rising * 100)) == ("nan", None)
    assert (pinned["rising_omega"], omega(rising)) == ("nan", None)
    assert (pinned["one_sharpe"], sharpe(rising[:1])) == ("nan", None)
    assert (pinned["empty_max_drawdown"], max_drawdown([])) == ("nan", 0.0), "the start alone never fell"


def test_a_hole_in_the_record_is_refused_though_empyrical_skips_it() -> None:
    assert ORACLES["undefined"]["hole_sharpe"] == pytest.approx(198.5, abs=0.1)
    with pytest.raises(ValueError, match="nan"):
        sharpe([float("nan"), 0.01, 0.02], periods_a_year=8760)


def test_having_chosen_never_lowers_the_bar_though_skfolio_lets_it() -> None:
    assert ORACLES["undefined"]["expected_max_of_1.2"] < 0.0
    assert expected_max_sharpe(trials=1.2, deviation_of_trials=0.1) == 0.0
