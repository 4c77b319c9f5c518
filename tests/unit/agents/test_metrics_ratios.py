"""Returns, ratios, falls and tails: by hand, and where they are undefined."""

from collections.abc import Callable
from math import expm1, log, sqrt

import pytest

from treasury_actors.agents.model.metrics.drawdown import (
    calmar,
    calmar_ranked,
    cvar,
    max_drawdown,
    max_drawdown_of_nav,
)
from treasury_actors.agents.model.metrics.returns import (
    apy,
    compound,
    excess_over,
    growth_a_year,
    total_return,
    turnover_a_year,
)
from treasury_actors.agents.model.metrics.sharpe import (
    omega,
    sharpe,
    sharpe_error,
    sharpe_ranked,
    sortino,
    sortino_ranked,
)
from treasury_actors.agents.model.metrics.tracking import tracking_error, tracking_gap

LENDER = [0.05 / 365] * 400
NAN, INF = float("nan"), float("inf")

METRICS: dict[str, Callable[[list[float]], object]] = {
    "calmar": calmar,
    "calmar_ranked": calmar_ranked,
    "compound": lambda values: compound(values, periods=1),
    "cvar": cvar,
    "excess_over": lambda values: excess_over(values, [0.0] * len(values)),
    "growth_a_year": growth_a_year,
    "max_drawdown": max_drawdown,
    "max_drawdown_of_nav": max_drawdown_of_nav,
    "omega": omega,
    "sharpe": sharpe,
    "sharpe_ranked": sharpe_ranked,
    "sortino": sortino,
    "sortino_ranked": sortino_ranked,
    "total_return": total_return,
    "tracking_error": lambda values: tracking_error(values, [0.0] * len(values)),
    "turnover_a_year": lambda values: turnover_a_year(values, [1.0] * len(values)),
}


@pytest.mark.parametrize("name", sorted(METRICS))
@pytest.mark.parametrize("hole", [NAN, INF, -INF, 1e31])
def test_what_is_no_figure_is_refused_by_every_metric(name: str, hole: float) -> None:
    with pytest.raises(ValueError, match="number 7 is"):
        METRICS[name]([*[0.01] * 7, hole, *[0.02] * 300])


def test_excess_is_over_lending_day_by_day() -> None:
    assert excess_over([0.03, 0.01], [0.01, 0.02]) == pytest.approx((0.02, -0.01))
    with pytest.raises(ValueError, match="one number of each"):
        excess_over([0.03], [0.01, 0.02])


def test_hours_compound_to_days_and_a_part_of_a_day_is_refused() -> None:
    assert compound([0.01] * 48) == pytest.approx((1.01**24 - 1,) * 2)
    assert compound([], periods=24) == ()
    assert compound([0.5, -1.0, 9.0], periods=3) == (-1.0,)
    with pytest.raises(ValueError, match="no whole number"):
        compound([0.01] * 47)


def test_a_return_and_its_growth_are_those_of_the_product() -> None:
    returns = [0.10, -0.05, 0.02]
    product = 1.10 * 0.95 * 1.02

    assert total_return(returns) == pytest.approx(product - 1.0, rel=1e-14)
    assert growth_a_year(returns, periods_a_year=12) == pytest.approx(log(product) * 4.0, rel=1e-14)
    assert total_return([]) == 0.0
    assert growth_a_year([]) is None


def test_who_lost_all_has_no_growth_and_later_gains_bring_nothing_back() -> None:
    ruined = [0.1, -1.0, 5.0] * 150

    assert total_return(ruined) == -1.0
    assert growth_a_year(ruined) is None
    assert max_drawdown(ruined) == 1.0
    assert calmar(ruined) is None
    assert calmar_ranked(ruined) is None
    assert total_return([-3.0, -3.0]) == -1.0, "two debts are no wealth"


def test_what_outgrows_a_float_is_none_or_refused() -> None:
    beyond = [1e9] * 400

    assert total_return(beyond) is None
    assert calmar(beyond) is None
    assert calmar_ranked(beyond) is None
    with pytest.raises(ValueError, match="beyond"):
        compound(beyond, periods=400)


def test_nothing_shorter_than_a_year_is_annualised() -> None:
    assert apy(0.5, 364.9) is None
    assert apy(-1.0, 400) is None
    assert apy(0.21, 730) == pytest.approx(0.1)
    assert calmar([0.01, -0.01] * 182) is None
    assert calmar([0.01, -0.01] * 183) is not None
    with pytest.raises(ValueError, match="nan"):
        apy(NAN, 400)


def test_hourly_returns_make_a_year_of_hours() -> None:
    hours = [0.0001, -0.00005] * 4380

    assert calmar(hours[:-2], periods_a_year=8760) is None
    assert calmar(hours, periods_a_year=8760) == pytest.approx(
        ((1.0001 * 0.99995) ** 4380 - 1.0) / max_drawdown(hours), rel=1e-9
    )


def test_undefined_ratios_are_none() -> None:
    for ratio in (sharpe, sortino):
        assert ratio([]) is None
        assert ratio([0.01]) is None
        assert ratio([0.01] * 50) is None
        assert ratio([0.0] * 50) is None
    assert sharpe_ranked([0.01]) is None
    assert sortino_ranked([0.01]) is None
    assert sharpe_error(0) is None
    assert omega([]) is None
    assert omega([0.01, 0.0]) is None
    assert calmar([0.001] * 400) is None


def test_a_constant_record_has_no_sharpe_whatever_its_size() -> None:
    """The mean of equal numbers can differ from them in the last bit, which is no deviation."""
    for value in (0.1, 1 / 3, 1e10 / 3, 5.7e-6):
        assert sharpe([value] * 97) is None


def test_ratios_are_those_of_the_book() -> None:
    assert sharpe([0.01, -0.01, 0.02]) == pytest.approx(sqrt(365) * (0.02 / 3) / 0.0152752523)
    assert sharpe_error(365) == 1.0
    assert sharpe_error(180) == pytest.approx(1.42, abs=0.005)
    assert sortino([0.01, -0.01, 0.02]) == pytest.approx(sqrt(365) * (0.02 / 3) / sqrt(0.0001 / 3))
    assert omega([0.01, -0.01, 0.02]) == pytest.approx(3.0)
    assert omega([0.01, -0.01, 0.02], threshold_ratio=0.01) == pytest.approx(0.5)


def test_a_floor_makes_stable_records_comparable() -> None:
    """Raw, the steadier of two lenders wins by any factor; with the floor, the better paid one."""
    steady, better = [0.0001, 0.000101] * 90, [0.0002, 0.00022] * 90
    raw_steady, raw_better = sharpe(steady), sharpe(better)
    ranked_steady, ranked_better = sharpe_ranked(steady), sharpe_ranked(better)

    assert raw_steady is not None
    assert raw_better is not None
    assert raw_steady > raw_better
    assert ranked_steady == pytest.approx(365 * 0.0001005 / 0.05)
    assert ranked_better == pytest.approx(365 * 0.00021 / 0.05)
    assert sortino_ranked(better) == pytest.approx(365 * 0.00021 / 0.03)


def test_above_the_floor_a_ranked_ratio_is_the_ratio() -> None:
    wild = [0.03, -0.02, 0.01, -0.04, 0.05] * 80

    assert sharpe_ranked(wild) == pytest.approx(sharpe(wild), rel=1e-12)
    assert sortino_ranked(wild) == pytest.approx(sortino(wild), rel=1e-12)
    growth = growth_a_year(wild)
    assert growth is not None
    assert calmar_ranked(wild) == pytest.approx(expm1(growth) / max_drawdown(wild), rel=1e-12)
    assert calmar_ranked(LENDER) == pytest.approx(((1 + 0.05 / 365) ** 365 - 1) / 0.02)


def test_the_fall_from_the_start_counts() -> None:
    assert max_drawdown([-0.1, 0.05]) == pytest.approx(0.1)
    assert max_drawdown([0.1, -0.2, 0.5, -0.1]) == pytest.approx(0.2)
    assert max_drawdown([0.1, 0.1]) == 0.0
    assert max_drawdown_of_nav([100.0, 90.0, 95.0]) == pytest.approx(0.1)
    assert max_drawdown_of_nav([100, 110, -5, 300]) == 1.0
    assert max_drawdown_of_nav([]) is None
    assert max_drawdown_of_nav([0.0, 10.0]) is None


def test_the_tail_is_the_mean_of_the_worst_days() -> None:
    days = [day / 1000 for day in range(-50, 50)]

    assert cvar(days) == pytest.approx(-0.048)
    assert cvar(days, tail_share=0.055) == pytest.approx(
        (-0.05 - 0.049 - 0.048 - 0.047 - 0.046 - 0.0225) / 5.5
    )
    assert cvar(days, tail_share=1.0) == pytest.approx(-0.0005)
    assert cvar(days[:99]) is None
    for share in (0.0, -0.1, 1.1, NAN):
        with pytest.raises(ValueError, match="a tail of"):
            cvar(days, tail_share=share)


def test_turnover_counts_every_fill_against_the_mean_treasury() -> None:
    assert turnover_a_year([50.0, -50.0, 0.0], [100.0, 200.0, 300.0]) == pytest.approx(0.5 * 365 / 3)
    assert turnover_a_year([], []) is None
    assert turnover_a_year([1.0], [0.0]) is None
    with pytest.raises(ValueError, match="one number of each"):
        turnover_a_year([1.0], [])


def test_a_small_steady_leak_shows_in_the_signed_sum_not_in_the_tracking_error() -> None:
    resimulated = [0.001, -0.001] * 15
    live = [value - 0.0003 + (0.0001 if day % 3 else -0.0002) for day, value in enumerate(resimulated)]
    gap = tracking_gap(live, resimulated)
    error = tracking_error(live, resimulated)

    assert gap is not None
    assert gap.sum_ratio == pytest.approx(-0.009)
    assert gap.t is not None
    assert gap.t < -3.0
    assert error is not None
    assert error < 0.02
    assert tracking_error(live[:19], resimulated[:19]) is None
    assert tracking_gap(live[:19], resimulated[:19]) is None


def test_live_that_is_its_resimulation_has_no_error_and_no_t() -> None:
    gap = tracking_gap(LENDER, LENDER)

    assert tracking_error(LENDER, LENDER) == 0.0
    assert gap is not None
    assert (gap.sum_ratio, gap.t) == (0.0, None)
