"""The course of a treasury: its value with capital that comes and goes taken out."""

import pytest

from treasury_actors.reports.course import Course, course_of


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
