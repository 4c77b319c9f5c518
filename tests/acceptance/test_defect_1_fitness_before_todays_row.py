"""Defect 1 of the earlier attempt: fitness was computed before today's row was appended."""

from math import inf

import pytest

from tests.acceptance.houses import Lived, usual
from treasury_actors.agents.model.fitness import Fitness, evaluate
from treasury_actors.agents.model.track import TrackRecord
from treasury_actors.arena.model.events import FitnessRecorded
from treasury_actors.errors import InvariantViolated
from treasury_actors.wiring.fold import Fold


def record_of(returns: list[float]) -> TrackRecord:
    record = TrackRecord(born_frame=0, lending_index=1.0)
    nav = 10**12
    record.flow(frame=0, nav_before_micro_usd=0, nav_after_micro_usd=nav)
    for day, change in enumerate(returns, start=1):
        nav = round(nav * (1 + change))
        record.mark(24 * day, nav, 1.0)
    return record


def fitness_at(record: TrackRecord, frame: int) -> Fitness:
    found = evaluate(record, canonical_genome="g", data_hash="d", cost_model="c", frame=frame)
    assert isinstance(found, Fitness)
    return found


def fitness_without_today(lived: Lived) -> list[tuple[FitnessRecorded, int]]:
    """Return each judged fitness of a run with what it would be without the last day."""
    fold = Fold(season=lived.season, lending_benchmark=lived.rules.arena.lending_benchmark)
    found = []
    for recorded in lived.journal.read():
        event = recorded.event
        if isinstance(event, FitnessRecorded):
            fold.finish()
            returns = fold.tracks.of(event.agent).daily_returns
            if event.value_ppb is not None and len(returns) > 28:
                yesterday = record_of(returns[:-1])
                found.append((event, fitness_at(yesterday, 24 * len(returns)).value_ppb))
        fold.add(recorded)
    return found


def test_defect_1_fitness_was_computed_before_todays_row_was_appended() -> None:
    lived = usual()
    rows = fitness_without_today(lived)
    moved = [event for event, stale_ppb in rows if abs((event.value_ppb or 0) - stale_ppb) > 10**6]

    assert len(rows) > 10
    assert len(moved) > len(rows) / 2, "leaving today's row out changes most of them: it is in"


def test_a_crash_of_today_is_in_todays_fitness() -> None:
    quiet, crashed = record_of([0.001] * 35), record_of([0.001] * 34 + [-0.5])

    assert fitness_at(crashed, 35 * 24).value_ppb < fitness_at(quiet, 35 * 24).value_ppb - 10**9


def test_a_fitness_of_a_record_that_ends_later_than_its_moment_is_refused() -> None:
    with pytest.raises(InvariantViolated, match="of a record that reaches frame 840"):
        fitness_at(record_of([0.001] * 35), 839)


@pytest.mark.parametrize("wrong", [inf, float("nan")])
def test_a_row_that_is_no_number_is_never_ranked(wrong: float) -> None:
    record = record_of([0.001] * 35)
    record.daily_returns[-1] = wrong

    with pytest.raises(InvariantViolated, match="not a number"):
        fitness_at(record, 35 * 24)
