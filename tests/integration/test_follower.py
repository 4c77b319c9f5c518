"""Who follows a journal as it grows knows in the end what a start does that folds it from the first event."""

import signal
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.daemon.driver import play, small_run
from treasury_actors.agents.model.track import TrackRecord
from treasury_actors.errors import InvariantViolated
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.journal.event import Recorded
from treasury_actors.journal.reader import open_readonly
from treasury_actors.simulation.following import Follower, find_season
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.run import JOURNAL_NAME, SeasonState

DAYS, AGENTS = 9, 14
"""A round is in it."""


@cache
def run(seed: int = 7) -> Prepared:
    """Return a run that has as many families as agents."""
    return small_run(days=DAYS, agents=AGENTS, seed=seed)


@cache
def lived(seed: int = 7) -> tuple[Recorded, ...]:
    """Return the events of its season."""
    with TemporaryDirectory() as folder:
        anyio.run(lambda: play(run(seed), Path(folder)))
        with open_readonly(Path(folder) / JOURNAL_NAME) as reader:
            return tuple(reader.read())


@cache
def ends(seed: int = 7) -> tuple[int, ...]:
    """Return the events a journal can end with: only whole turns are committed."""
    events = lived(seed)
    return tuple(one.seq for one, following in pairwise(events) if one.time_ns < following.time_ns)


def end_after(seq: int, seed: int = 7) -> int:
    """Return the first of them from an event on."""
    return min(end for end in ends(seed) if end >= seq)


class Grown:
    """A journal that has got so far."""

    def __init__(self, events: tuple[Recorded, ...], end: int) -> None:
        self._events = events[:end]

    def read(self, first_seq: int = 1) -> Iterator[Recorded]:
        return iter(self._events[first_seq - 1 :])

    def count(self, type_: str, *, after_seq: int = 0) -> int:
        return sum(recorded.type == type_ for recorded in self._events[after_seq:])


def journal(events: tuple[Recorded, ...], end: int) -> MemoryJournal:
    """Return the journal that a start finds."""
    return MemoryJournal(events[:end])


def cold(events: tuple[Recorded, ...], end: int, of: Prepared) -> SeasonState:
    """Return what a start makes of it that knows nothing."""
    return find_season(of.plan, journal(events, end), of.season)


def everything(state: SeasonState) -> object:
    """Return all that a fold knows, as values that can be compared."""
    records, fold = state.fold.records, state.fold
    living = [member.born.agent for member in records.roster.living()]
    return (
        (state.number, state.is_open, state.is_closed, fold.turn),
        records.state_hash,
        records.roster.members,
        repr(records.open_orders.at_venue()),
        (records.latch.state, records.latch.reason),
        {agent: fold.marks.of(agent) for agent in living},
        {agent: [getattr(fold.tracks.of(agent), slot) for slot in TrackRecord.__slots__] for agent in living},
    )


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_followed_in_any_steps_a_journal_leaves_what_it_leaves_read_at_once(data: st.DataObject) -> None:
    events = lived()
    seen = sorted(data.draw(st.lists(st.integers(0, len(events)), max_size=6)))
    end = data.draw(st.sampled_from(ends()))
    follower = Follower(run().plan, run().season)
    for each in seen:
        if each <= end:
            follower.follow(Grown(events, each))
            assert follower.seq == each

    assert everything(follower.state(journal(events, end))) == everything(cold(events, end, run()))


def test_it_takes_no_event_after_the_one_it_is_told() -> None:
    follower = Follower(run().plan, run().season)

    follower.follow(Grown(lived(), len(lived())), up_to=100)

    assert follower.seq == 100


@pytest.mark.parametrize("end", [50, 400])
def test_where_another_journal_lies_it_begins_again_and_keeps_nothing_of_the_first(end: int) -> None:
    """A backup was put in its place, shorter or longer than what was followed."""
    other = run(11)
    follower = Follower(other.plan, other.season)
    follower.follow(Grown(lived(), 200))

    end = end_after(end, 11)
    follower.follow(Grown(lived(11), end))

    assert everything(follower.state(journal(lived(11), end))) == everything(cold(lived(11), end, other))


def test_a_tail_that_was_cut_off_is_forgotten() -> None:
    follower = Follower(run().plan, run().season)
    follower.follow(Grown(lived(), 300))
    end = end_after(200)

    assert everything(follower.state(journal(lived(), end))) == everything(cold(lived(), end, run()))


def test_an_event_that_does_not_follow_is_refused() -> None:
    events = lived()
    follower = Follower(run().plan, run().season)
    follower.follow(Grown(events, 100))

    with pytest.raises(InvariantViolated, match="I5"):
        follower.follow(Grown((*events[:100], *events[101:]), 150))


async def test_a_season_that_begins_meanwhile_is_followed_along_its_own_frames(tmp_path: Path) -> None:
    short = small_run(days=2)
    turns = 0

    def leave(frame: int, frames: int, living: int) -> None:
        nonlocal turns
        turns += 1
        if turns == 60:
            signal.raise_signal(signal.SIGTERM)

    await play(short, tmp_path, until_end=False, progress=leave)
    with open_readonly(tmp_path / JOURNAL_NAME) as reader:
        events = tuple(reader.read())
    opened = [recorded.seq for recorded in events if recorded.type == "arena.season_opened.v1"]
    follower = Follower(short.plan, short.season)
    for end in (opened[1] - 1, opened[1] + 5, len(events) - 3):
        follower.follow(Grown(events, end))

    state = follower.state(journal(events, len(events)))

    assert state.number == 2
    assert everything(state) == everything(cold(events, len(events), short))
