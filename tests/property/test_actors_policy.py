"""The restart budget and the common-cause rule, against a model that recounts everything from the start."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.actors.policy import CrashBook, Judgement, PastCrash, SupervisionPolicy

NAMES = ("ann", "bob", "cid", "dot", "eve", "fay")


@dataclass(frozen=True)
class Crash:
    """One crash of a made-up history."""

    name: str
    turn: int
    at_s: float


def _history(steps: list[tuple[str, int, float]]) -> list[Crash]:
    turn, at_s, crashes = 0, 0.0, []
    for name, turns, seconds in steps:
        turn, at_s = turn + turns, at_s + seconds
        crashes.append(Crash(name, turn, at_s))
    return crashes


histories = st.lists(
    st.tuples(
        st.sampled_from(NAMES), st.sampled_from([0, 0, 0, 1, 1, 5, 30]), st.sampled_from([0.0, 1.0, 50.0])
    ),
    min_size=1,
    max_size=60,
).map(_history)
policies = st.builds(
    SupervisionPolicy,
    crashes_max=st.integers(1, 6),
    period_turns=st.integers(1, 30),
    period_s=st.none() | st.sampled_from([10.0, 60.0]),
    common_cause_min=st.integers(2, 4),
    common_cause_ratio=st.sampled_from([0.0, 0.2, 0.5]),
    common_cause_period_s=st.none() | st.sampled_from([10.0, 60.0]),
)


def _together(policy: SupervisionPolicy, crash: Crash, last: Crash) -> bool:
    if policy.common_cause_period_s is None:
        return crash.turn == last.turn
    return last.at_s - crash.at_s < policy.common_cause_period_s


def _excused(policy: SupervisionPolicy, crashes: list[Crash], living: int) -> set[int]:
    """Return the places of crashes that shared their time with enough others, judged at each crash anew."""
    excused: set[int] = set()
    for end, last in enumerate(crashes):
        group = [place for place in range(end + 1) if _together(policy, crashes[place], last)]
        names = {crashes[place].name for place in group}
        if len(names) >= policy.common_cause_min and len(names) > policy.common_cause_ratio * living:
            excused.update(group)
    return excused


def _spent(policy: SupervisionPolicy, own: list[Crash], last: Crash) -> bool:
    in_turns = [crash for crash in own if last.turn - crash.turn < policy.period_turns]
    in_seconds = [
        crash for crash in own if policy.period_s is not None and last.at_s - crash.at_s < policy.period_s
    ]
    return max(len(in_turns), len(in_seconds)) >= policy.crashes_max


def _note_all(policy: SupervisionPolicy, crashes: list[Crash]) -> tuple[CrashBook, list[Judgement]]:
    book = CrashBook(policy)
    return book, [
        book.note(crash.name, turn=crash.turn, at_s=crash.at_s, living=len(NAMES)) for crash in crashes
    ]


@given(policy=policies, crashes=histories)
def test_a_child_stays_down_exactly_when_its_crashes_fill_the_budget(
    policy: SupervisionPolicy, crashes: list[Crash]
) -> None:
    _, judgements = _note_all(policy, crashes)

    for end, (crash, judgement) in enumerate(zip(crashes, judgements, strict=True)):
        own = [other for other in crashes[: end + 1] if other.name == crash.name]
        assert judgement.over_budget == _spent(policy, own, crash)


@given(policy=policies, crashes=histories)
def test_the_verdict_is_quarantine_exactly_when_crashes_of_its_own_fill_the_budget(
    policy: SupervisionPolicy, crashes: list[Crash]
) -> None:
    book, _ = _note_all(policy, crashes)
    excused = _excused(policy, crashes, len(NAMES))

    for name in dict.fromkeys(crash.name for crash in crashes):
        places = [place for place, crash in enumerate(crashes) if crash.name == name]
        own = [crashes[place] for place in places if place not in excused]
        guilty = places[-1] not in excused and _spent(policy, own, crashes[places[-1]])
        assert book.verdict(name) == ("quarantine" if guilty else "restart")


@given(policy=policies, crashes=histories)
def test_a_common_cause_is_reported_once_and_names_enough_children(
    policy: SupervisionPolicy, crashes: list[Crash]
) -> None:
    _, judgements = _note_all(policy, crashes)

    for end, (crash, judgement) in enumerate(zip(crashes, judgements, strict=True)):
        names = judgement.common_cause
        group = [place for place in range(end + 1) if _together(policy, crashes[place], crash)]
        before = _excused(policy, crashes[:end], len(NAMES))
        common = end in _excused(policy, crashes[: end + 1], len(NAMES))
        assert bool(names) == (common and not before.intersection(group))
        if names:
            assert set(names) == {crashes[place].name for place in group}
            assert len(set(names)) == len(names) >= policy.common_cause_min


@given(policy=policies, crashes=histories)
def test_the_same_history_is_judged_the_same(policy: SupervisionPolicy, crashes: list[Crash]) -> None:
    assert _note_all(policy, crashes)[1] == _note_all(policy, crashes)[1]


@given(name=st.text(max_size=8), attempt=st.integers(1, 10_000), first_s=st.floats(0.0, 5.0))
def test_back_off_doubles_up_to_its_limit_less_at_most_half(name: str, attempt: int, first_s: float) -> None:
    policy = SupervisionPolicy(backoff_first_s=first_s)
    longest_s = min(first_s * 2.0 ** min(attempt - 1, 60), 10.0)

    assert longest_s / 2 <= policy.backoff_s(name, attempt) <= longest_s
    assert policy.backoff_s(name, attempt) == policy.backoff_s(name, attempt)


def test_children_that_crash_together_do_not_come_back_together() -> None:
    policy = SupervisionPolicy.live()

    assert len({policy.backoff_s(f"a{number}", 1) for number in range(50)}) == 50


def test_a_backtest_restarts_without_waiting() -> None:
    assert SupervisionPolicy().backoff_s("ann", 4) == 0.0


def test_crashes_of_a_child_that_is_gone_are_forgotten() -> None:
    book = CrashBook(SupervisionPolicy(crashes_max=2))
    book.note("ann", turn=1, at_s=0.0, living=1)
    book.forget("ann")

    assert not book.note("ann", turn=1, at_s=0.0, living=1).over_budget


@pytest.mark.parametrize("crashed", [3, 4])
def test_a_fifth_is_not_more_than_a_fifth(crashed: int) -> None:
    book = CrashBook(SupervisionPolicy())
    found = [book.note(f"a{number}", turn=1, at_s=0.0, living=15).common_cause for number in range(crashed)]

    assert any(found) == (crashed > 3)


@given(policy=policies, crashes=histories, cut=st.integers(0, 60))
def test_a_book_that_recalls_its_past_judges_turns_as_one_that_never_ended(
    policy: SupervisionPolicy, crashes: list[Crash], cut: int
) -> None:
    """A process is killed between turns, so all of a turn's crashes are before the cut or after it."""
    in_turns = replace(policy, period_s=None, common_cause_period_s=None)
    earlier = [crash for crash in crashes if crash.turn < cut]
    later = crashes[len(earlier) :]
    whole, ended, resumed = CrashBook(in_turns), CrashBook(in_turns), CrashBook(in_turns)
    for crash in earlier:
        for book in (whole, ended):
            book.note(crash.name, turn=crash.turn, at_s=crash.at_s, living=len(NAMES))
    for name, own in ended._of_child.items():
        past = [PastCrash(turn=crash.turn, excused=crash.excused) for crash in own]
        assert resumed.recall(name, past) == ended._exceeds(tuple(own), own[-1])
        assert resumed.verdict(name) == whole.verdict(name)
    for crash in later:
        judged = [
            book.note(crash.name, turn=crash.turn, at_s=crash.at_s, living=len(NAMES))
            for book in (whole, resumed)
        ]
        assert judged[0] == judged[1]
        assert whole.verdict(crash.name) == resumed.verdict(crash.name)
