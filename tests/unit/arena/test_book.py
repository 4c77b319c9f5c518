"""Who is whose copy, and what each agent adds to the others, in cases one can check by hand."""

from math import sin

import pytest

from treasury_actors.agents.model.fitness import PPB, certainty_equivalent
from treasury_actors.agents.model.track import DAY_FRAMES, TrackRecord
from treasury_actors.arena.model.book import DAYS_MAX, DAYS_MIN, contributions, copies, read_book
from treasury_actors.ids import AgentId

K = 10**9


def record(returns: list[float], *, born_day: int = 0, lending: float = 0.0) -> TrackRecord:
    """Return a record of these days from the first whole day on."""
    nav, index = K * 1_000, 1.0
    track = TrackRecord(born_frame=born_day * DAY_FRAMES, lending_index=index)
    track.flow(frame=born_day * DAY_FRAMES, nav_before_micro_usd=0, nav_after_micro_usd=nav)
    track.mark(born_day * DAY_FRAMES, nav, index)
    for day, value in enumerate(returns, born_day + 1):
        nav, index = round(nav * (1.0 + value)), index * (1.0 + lending)
        track.mark(day * DAY_FRAMES, nav, index)
    return track


def wave(days: int, *, step: float, size: float = 0.01, drift: float = 0.0005) -> list[float]:
    return [drift + size * sin(step * day) for day in range(days)]


def of(**records: TrackRecord) -> dict[AgentId, TrackRecord]:
    return {AgentId(name): track for name, track in records.items()}


def test_a_record_knows_on_which_frame_each_of_its_days_ended() -> None:
    track = record([0.01, 0.02], born_day=3)
    assert track.return_frames == [4 * DAY_FRAMES, 5 * DAY_FRAMES]
    assert len(track.daily_returns) == len(track.lending_returns) == 2


def test_agents_that_move_together_share_one_name_and_others_have_none() -> None:
    same = wave(40, step=1.0)
    records = of(
        a=record(wave(40, step=2.3)), b=record(same), c=record([2 * value for value in same]), d=record(same)
    )
    assert copies(records, correlation_min=0.9) == {"b": "b", "c": "b", "d": "b"}


def test_a_group_is_all_who_are_linked_whatever_the_order() -> None:
    one, other = wave(60, step=1.0), wave(60, step=1.7)
    between = [x + y for x, y in zip(one, other, strict=True)]
    records = of(a=record(one), b=record(other), z=record(between))
    assert copies(records, correlation_min=0.6) == {"a": "a", "b": "a", "z": "a"}
    assert copies(records, correlation_min=0.9) == {}


def test_what_everybody_earns_by_lending_makes_nobody_a_copy() -> None:
    lent = [0.0002] * 40
    records = of(
        a=record(lent, lending=0.0002),
        b=record([value + 1e-6 * (day % 2) for day, value in enumerate(lent)], lending=0.0002),
        c=record([value + 1e-6 * (day % 2) for day, value in enumerate(lent)], lending=0.0002),
    )
    assert copies(records, correlation_min=0.9) == {}


@pytest.mark.parametrize(("days", "found"), [(DAYS_MIN - 1, {}), (DAYS_MIN, {"a": "a", "b": "a"})])
def test_a_record_of_fewer_than_28_days_is_nobodys_copy(days: int, found: dict[str, str]) -> None:
    records = of(a=record(wave(days, step=1.0)), b=record(wave(days, step=1.0)))
    assert copies(records, correlation_min=0.9) == found


def test_only_common_days_count_and_only_the_last_90() -> None:
    late = wave(40, step=1.0)
    older = [*wave(200, step=2.9), *late]
    records = of(a=record(older), b=record(late, born_day=200))
    assert copies(records, correlation_min=0.9) == {"a": "a", "b": "a"}
    assert len(older) > DAYS_MAX
    moved = of(a=record([*late, *wave(DAYS_MAX, step=2.9)]), b=record([*late, *wave(DAYS_MAX, step=0.7)]))
    assert copies(moved, correlation_min=0.9) == {}


def test_a_contribution_is_the_book_with_the_agent_minus_the_book_without_it() -> None:
    mine, its = wave(40, step=1.0, size=0.04), wave(40, step=1.0, size=-0.04)
    a, b = AgentId("a"), AgentId("b")
    found = contributions(of(a=record(mine), b=record(its)), {a: 3 * K, b: K})
    book = [(3 * one + other) / 4 for one, other in zip(mine, its, strict=True)]
    assert found[a] == pytest.approx(certainty_equivalent(book) - certainty_equivalent(its), abs=1e-6)
    assert found[b] == pytest.approx(certainty_equivalent(book) - certainty_equivalent(mine), abs=1e-6)
    assert (found[b] or 0.0) > 0.0  # it hedges: it adds, though alone it is worth no more than the other


def test_an_agent_that_is_the_books_copy_adds_nothing() -> None:
    same = wave(40, step=1.0)
    found = contributions(of(a=record(same), b=record(same)), {AgentId("a"): K, AgentId("b"): 5 * K})
    assert found == {"a": pytest.approx(0.0, abs=1e-9), "b": pytest.approx(0.0, abs=1e-9)}


def test_a_contribution_that_can_not_be_known_is_none() -> None:
    days = wave(40, step=1.0)
    alone = contributions(of(a=record(days)), {AgentId("a"): K})
    poor = contributions(of(a=record(days), b=record(days)), {AgentId("a"): 0, AgentId("b"): K})
    young = contributions(
        of(a=record(days), b=record(days[: DAYS_MIN - 1], born_day=13)), {AgentId("a"): K, AgentId("b"): K}
    )
    assert alone == {"a": None}
    assert poor == {"a": None, "b": None}
    assert young == {"a": None, "b": None}


def test_a_book_lists_everybody_and_says_whether_it_says_anything() -> None:
    records = of(b=record(wave(40, step=1.0)), a=record(wave(40, step=2.3)))
    units = {AgentId("a"): K, AgentId("b"): K}
    book = read_book(records, units, turn=960, correlation_min_ppb=PPB)
    assert [line.agent for line in book.lines] == ["a", "b"]
    assert book.says_something
    assert book.copy_of == {}
    short = of(a=record(wave(10, step=1.0)))
    assert not read_book(short, units, turn=240, correlation_min_ppb=PPB // 2).says_something
