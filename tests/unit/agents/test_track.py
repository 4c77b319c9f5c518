"""What counts as a return, and what does not."""

import pytest

from treasury_actors.agents.model.track import DAY_FRAMES, TrackRecord
from treasury_actors.errors import InvariantViolated

K = 1_000_000_000


def funded(capital: int = K) -> TrackRecord:
    record = TrackRecord(born_frame=168, lending_index=1.0)
    record.flow(frame=168, nav_before_micro_usd=0, nav_after_micro_usd=capital)
    return record


def test_capital_given_and_taken_is_never_a_return() -> None:
    record = funded()
    record.flow(frame=180, nav_before_micro_usd=K, nav_after_micro_usd=3 * K)
    record.flow(frame=185, nav_before_micro_usd=3 * K, nav_after_micro_usd=2 * K)
    record.mark(192, 2 * K, 1.0)
    assert record.daily_returns == [0.0]
    assert record.growth_index == 1.0


def test_a_day_compounds_its_stretches_between_flows() -> None:
    record = funded()
    record.flow(frame=180, nav_before_micro_usd=11 * K // 10, nav_after_micro_usd=4 * K)
    record.mark(192, 2 * K, 1.0)
    assert record.daily_returns == [pytest.approx(1.1 * 0.5 - 1.0)]


def test_days_without_capital_are_skipped_and_not_zero() -> None:
    record = TrackRecord(born_frame=0, lending_index=1.0)
    record.mark(24, 0, 1.01)
    record.mark(48, 0, 1.02)
    record.flow(frame=48, nav_before_micro_usd=0, nav_after_micro_usd=K)
    record.mark(72, K + K // 100, 1.03)
    assert record.daily_returns == [pytest.approx(0.01)]
    assert record.lending_returns == [pytest.approx(1.03 / 1.02 - 1)]


@pytest.mark.parametrize("mark_first", [True, False])
def test_capital_that_comes_at_a_close_leaves_both_days_whole(mark_first: bool) -> None:  # noqa: FBT001 (a case)
    record = TrackRecord(born_frame=0, lending_index=1.0)
    if mark_first:
        record.mark(24, 0, 1.0)
        record.flow(frame=24, nav_before_micro_usd=0, nav_after_micro_usd=K)
    else:
        record.flow(frame=24, nav_before_micro_usd=0, nav_after_micro_usd=K)
        record.mark(24, K, 1.0)
    record.mark(48, 2 * K, 1.0)
    assert record.daily_returns == [1.0]


@pytest.mark.parametrize("mark_first", [True, False])
def test_capital_that_goes_at_a_close_leaves_both_days_whole(mark_first: bool) -> None:  # noqa: FBT001 (a case)
    record = funded()
    if mark_first:
        record.mark(192, 2 * K, 1.0)
    record.flow(frame=192, nav_before_micro_usd=2 * K, nav_after_micro_usd=0)
    if not mark_first:
        record.mark(192, 0, 1.0)
    record.mark(216, 0, 1.0)
    assert record.daily_returns == [1.0]


def test_a_part_of_a_day_counts_in_the_index_and_not_as_a_daily_return() -> None:
    record = TrackRecord(born_frame=0, lending_index=1.0)
    record.flow(frame=12, nav_before_micro_usd=0, nav_after_micro_usd=K)
    record.mark(24, K // 2, 1.0)
    record.flow(frame=30, nav_before_micro_usd=K // 4, nav_after_micro_usd=0)
    record.mark(48, 0, 1.0)
    assert record.daily_returns == []
    assert record.growth_index == 0.25
    assert record.max_drawdown_ratio == 0.75


def test_drawdown_starts_from_the_first_dollar_and_ignores_flows() -> None:
    record = funded()
    record.mark(192, 9 * K // 10, 1.0)
    assert record.max_drawdown_ratio == pytest.approx(0.1)
    record.flow(frame=192, nav_before_micro_usd=9 * K // 10, nav_after_micro_usd=K // 10)
    record.mark(216, K // 10, 1.0)
    assert record.max_drawdown_ratio == pytest.approx(0.1)
    record.mark(240, 2 * K // 10, 1.0)
    assert record.drawdown_ratio == 0.0


def test_a_fall_within_a_day_is_seen_when_observed() -> None:
    record = funded()
    record.observe(K * 7 // 10)
    assert record.drawdown_ratio == pytest.approx(0.3)
    record.mark(192, K, 1.0)
    assert record.max_drawdown_ratio == pytest.approx(0.3)
    assert record.daily_returns == [0.0]


def test_ruin_is_a_day_of_minus_one_even_when_the_mandate_closes_that_day() -> None:
    record = funded()
    record.flow(frame=180, nav_before_micro_usd=0, nav_after_micro_usd=0)
    record.mark(192, 0, 1.0)
    record.mark(216, 0, 1.0)
    assert record.daily_returns == [-1.0]
    assert record.max_drawdown_ratio == 1.0


@pytest.mark.parametrize("frame", [192, 193, 240])
def test_a_day_close_is_neither_repeated_nor_skipped(frame: int) -> None:
    record = funded()
    record.mark(192, K, 1.0)
    with pytest.raises(InvariantViolated, match=f"{frame}"):
        record.mark(frame, K, 1.0)


def test_a_first_day_that_is_shorter_yields_no_return() -> None:
    record = TrackRecord(born_frame=170, lending_index=1.0)
    record.flow(frame=170, nav_before_micro_usd=0, nav_after_micro_usd=K)
    record.mark(192, 2 * K, 1.0)
    record.mark(192 + DAY_FRAMES, 3 * K, 1.0)
    assert record.daily_returns == [0.5]


@pytest.mark.parametrize("frame", [167, 193])
def test_a_flow_outside_the_open_day_is_refused(frame: int) -> None:
    with pytest.raises(InvariantViolated, match="flow"):
        funded().flow(frame=frame, nav_before_micro_usd=K, nav_after_micro_usd=K)
