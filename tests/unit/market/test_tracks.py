"""Facts laid on a grid of hours."""

from math import isnan, nan

import pytest

from treasury_actors.clock import DAY_NS, HOUR_NS
from treasury_actors.market.model.series import Row, Series
from treasury_actors.market.model.tracks import (
    HOURS_A_YEAR,
    Hours,
    Track,
    accrued_between_rows,
    accrued_hourly,
    apr_of_apy,
    track,
    trailing_growth,
    trailing_mean,
)


def daily(values: list[float], *, known_after_h: int = 0, max_age_h: int = 48) -> Series:
    """Return one value a day from day 1 on."""
    rows = [
        Row(
            event_time_ns=day * DAY_NS,
            available_at_ns=day * DAY_NS + known_after_h * HOUR_NS,
            values=(value,),
        )
        for day, value in enumerate(values, start=1)
    ]
    return Series.of("daily", ("x",), max_age_h, rows)


def test_a_track_is_unknown_then_fresh_then_stale_at_the_last_known_value() -> None:
    made = track(
        daily([7.0], known_after_h=24, max_age_h=1), "x", Hours(start_ns=2 * DAY_NS - HOUR_NS, count=4)
    )

    assert isnan(made.values[0])
    assert (made.values[1:], made.fresh) == ([7.0, 7.0, 7.0], [False, True, True, False])


def test_a_null_is_never_fresh() -> None:
    made = track(daily([nan]), "x", Hours(start_ns=DAY_NS, count=1))

    assert (isnan(made.values[0]), made.fresh) == (True, [False])


def test_a_product_is_fresh_only_while_both_sides_are() -> None:
    one, other = Track(values=[2.0, 3.0], fresh=[True, True]), Track(values=[5.0, 7.0], fresh=[True, False])

    assert one.times(other) == Track(values=[10.0, 21.0], fresh=[True, False])
    assert one.over(other).values == [0.4, 3.0 / 7.0]


def test_once_known_a_better_source_is_never_left_again() -> None:
    better = Track(values=[nan, 2.0, 2.0], fresh=[False, True, False])
    other = Track(values=[1.0, 1.0, 1.0], fresh=[True, True, True])

    assert better.once_known(other) == Track(values=[1.0, 2.0, 2.0], fresh=[True, True, False])


def test_while_fresh_falls_back_to_the_other_source() -> None:
    hourly = Track(values=[1.0, 1.0, 1.0], fresh=[True, False, False])
    other = Track(values=[9.0, 9.0, nan], fresh=[True, True, False])

    assert hourly.while_fresh(other) == Track(values=[1.0, 9.0, 1.0], fresh=[True, True, False])


def test_annual_growth_looks_back_the_span_and_is_unknown_before() -> None:
    growth = trailing_growth(daily([1.0, 1.0, 1.01, 1.02]), "x", 2)

    assert [isnan(rate) for rate in growth] == [True, True, False, False]
    assert growth[2:] == [pytest.approx(0.01 * 365 / 2), pytest.approx(0.02 * 365 / 2)]


def test_growth_across_a_long_gap_is_unknown() -> None:
    rows = [
        Row(event_time_ns=day * DAY_NS, available_at_ns=day * DAY_NS, values=(1.0 + day,)) for day in (1, 20)
    ]

    assert isnan(trailing_growth(Series.of("gap", ("x",), 48, rows), "x", 7)[1])


def test_a_trailing_mean_holds_exactly_the_days_asked_for() -> None:
    assert trailing_mean(daily([1.0, 3.0, 5.0]), "x", 2) == [1.0, 2.0, 4.0]


def test_a_trailing_mean_leaves_nulls_out_and_is_null_at_one() -> None:
    means = trailing_mean(daily([1.0, nan, 5.0]), "x", 3)

    assert (means[0], isnan(means[1]), means[2]) == (1.0, True, 3.0)


def test_an_index_grows_between_its_rows_and_no_longer_than_they_are_fresh() -> None:
    made = accrued_between_rows(daily([2.0], max_age_h=2), "x", [0.0876], Hours(start_ns=DAY_NS, count=4))

    assert made.values == pytest.approx([2.0, 2.00002, 2.00004, 2.00004], abs=1e-12)
    assert made.fresh == [True, True, True, False]


def test_an_index_starts_at_one_and_earns_each_hour_the_rate_known_at_its_start() -> None:
    rates = Track(values=[nan, 0.5, 0.7, 0.7, 0.7], fresh=[False, True, True, False, True])
    made = accrued_hourly(rates)

    assert isnan(made.values[0])
    assert made.values[1:4] == [
        1.0,
        1 + 0.5 / HOURS_A_YEAR,
        (1 + 0.5 / HOURS_A_YEAR) * (1 + 0.7 / HOURS_A_YEAR),
    ]
    assert made.values[4] == made.values[3], "a stale rate earns nothing"


def test_a_yield_is_turned_into_the_rate_that_compounds_to_it() -> None:
    assert apr_of_apy(0.05) == 0.04879016416943201
    assert apr_of_apy(0.0) == 0.0
    assert isnan(apr_of_apy(nan))
