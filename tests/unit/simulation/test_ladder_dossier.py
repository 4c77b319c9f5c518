"""What the days of an agent say: its gain with an error, and for how long it strays from its resimulation."""

import pytest

from treasury_actors.simulation.ladder.dossier import breach_days, gain_and_error, prior_variance

QUIET = [0.0001 * (-1) ** day for day in range(40)]


def test_live_that_is_its_resimulation_never_strays() -> None:
    assert breach_days(QUIET, QUIET) == 0


def test_a_steady_leak_strays_every_day_it_is_looked_at() -> None:
    leaking = [value - 0.0003 - 0.00001 * (day % 3) for day, value in enumerate(QUIET)]
    assert breach_days(leaking, QUIET) == 4


def test_one_wild_day_counts_from_that_day_on() -> None:
    wild = [*QUIET[:-1], QUIET[-1] + 0.05]
    assert breach_days(wild, QUIET) == 1


def test_under_twenty_days_nobody_can_say() -> None:
    leaking = [value - 0.01 for value in QUIET[:20]]
    assert breach_days(leaking, QUIET[:20]) == 0


def test_a_gain_over_lending_comes_with_its_standard_error() -> None:
    found = gain_and_error([0.0002, 0.0004] * 45)
    assert found is not None
    gain, error = found
    assert gain == pytest.approx(0.0003 * 365, rel=1e-3)
    assert error == pytest.approx(0.0001005 * 365 / 90**0.5, rel=1e-2)
    assert gain_and_error([0.1, 0.2]) is None


def test_gains_that_differ_by_no_more_than_their_errors_get_the_smallest_prior() -> None:
    assert prior_variance([(0.05, 0.1), (0.06, 0.1)]) == pytest.approx(1e-4)
    assert prior_variance([(0.0, 0.01), (0.4, 0.01)]) == pytest.approx(0.08 - 1e-4)
