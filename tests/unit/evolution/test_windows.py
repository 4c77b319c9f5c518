"""Windows: disjoint, purged, warmed up, and never fewer than asked for."""

import pytest

from treasury_actors.errors import ConfigError
from treasury_actors.evolution.model.windows import (
    Span,
    TooShort,
    Window,
    WindowRules,
    check_disjoint,
    sample_windows,
    window_set_id,
)

RULES = WindowRules(count_min=8, count_max=8, days=60, embargo_h=48, warmup_h=2_880)
DATA = "ab" * 32


def sampled(end_frame: int, *, warmup: int = 2_880, rotation: int = 0) -> tuple[Window, ...] | TooShort:
    return sample_windows([span(end_frame, warmup=warmup)], RULES, seed=7, rotation=rotation)


def span(end_frame: int, *, warmup: int = 2_880, history: str = DATA) -> Span:
    return Span(
        history=history, label="HYPOTHETICAL", first_frame=0, end_frame=end_frame, warmup_count=warmup
    )


def window(first_frame: int, days: int = 60, history: str = DATA) -> Window:
    return Window(history=history, label="HYPOTHETICAL", first_frame=first_frame, days=days)


def test_exactly_enough_history_gives_every_window_and_an_hour_less_gives_none() -> None:
    enough = 8 * 1_440 + 7 * 48
    windows = sampled(enough)
    assert isinstance(windows, tuple)
    assert [each.first_frame for each in windows] == [slot * 1_488 for slot in range(8)]
    assert windows[-1].last_frame == enough
    short = sampled(enough - 1)
    assert isinstance(short, TooShort)
    assert (short.windows, short.needed) == (7, 8)
    assert "7 windows of 60 days after a warm-up of 2880 h, 8 are needed" in short.reason


def test_a_season_too_short_for_its_warm_up_says_so() -> None:
    enough = 8 * 1_440 + 7 * 48
    assert isinstance(sampled(enough, warmup=2_879), TooShort)
    assert isinstance(sampled(enough + 1, warmup=2_879), tuple)


def test_every_rotation_is_disjoint_and_draws_one_window_from_each_stretch() -> None:
    sets = [sampled(24 * 1_500, rotation=rotation) for rotation in range(20)]
    for windows in sets:
        assert isinstance(windows, tuple)
        check_disjoint(windows, embargo_h=48)
        assert [each.first_frame for each in windows] == sorted(each.first_frame for each in windows)
        assert windows[0].first_frame < 24 * 300
        assert windows[-1].last_frame > 24 * 1_200
    assert len({window_set_id(windows) for windows in sets if isinstance(windows, tuple)}) > 10
    assert sampled(24 * 1_500, rotation=3) == sets[3]


def test_histories_with_a_gap_between_them_fill_k_together() -> None:
    half, other = 4 * 1_440 + 3 * 48, "cd" * 32
    windows = sample_windows([span(half), span(half, history=other)], RULES)
    assert isinstance(windows, tuple)
    assert [each.history for each in windows] == [DATA] * 4 + [other] * 4
    assert isinstance(sample_windows([span(half), span(half - 1, history=other)], RULES), TooShort)


def test_windows_that_overlap_or_crowd_their_embargo_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"ab.*\+0/60d and .*\+1440/60d overlap: at least 48 h"):
        check_disjoint([window(1_440), window(0)], embargo_h=48)
    check_disjoint([window(0), window(1_488)], embargo_h=48)
    check_disjoint([window(0), window(0, history="cd" * 32)], embargo_h=48)


@pytest.mark.parametrize(
    "wrong", [{"count_min": 1}, {"count_min": 9, "count_max": 8}, {"days": 0}, {"embargo_h": 47}]
)
def test_rules_that_make_no_windows_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="windows: "):
        WindowRules(**wrong)


def test_another_window_is_another_set() -> None:
    assert window_set_id([window(0)]) != window_set_id([window(24)])
    assert window_set_id([window(0)]) == window_set_id([window(0)])
