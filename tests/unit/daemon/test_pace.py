"""Frames are spread over real time without drifting."""

from treasury_actors.daemon.pace import Pace


def test_at_a_hundredfold_speed_a_frame_is_due_every_36_seconds() -> None:
    pace = Pace(100.0, now_s=10.0)

    assert [pace.next_due_s(10.0), pace.next_due_s(46.0), pace.next_due_s(82.0)] == [46.0, 82.0, 118.0]


def test_the_time_a_turn_takes_does_not_add_up() -> None:
    pace, now_s = Pace(3_600.0, now_s=0.0), 0.0

    for _ in range(1_000):
        due_s = pace.next_due_s(now_s)
        now_s = max(now_s + 0.3, due_s)

    assert now_s == 1_000.0


def test_a_short_delay_is_caught_up_with() -> None:
    pace = Pace(3_600.0, now_s=0.0)
    pace.next_due_s(0.0)

    late = [pace.next_due_s(50.0) for _ in range(60)]

    assert sum(due_s <= 50.0 for due_s in late) == 49


def test_a_long_pause_is_not() -> None:
    pace = Pace(3_600.0, now_s=0.0)

    pace.next_due_s(86_400.0)

    assert pace.next_due_s(86_400.0) == 86_401.0


def test_without_a_speed_every_frame_is_due_at_once() -> None:
    pace = Pace(None, now_s=5.0)

    assert all(pace.next_due_s(now_s) <= now_s for now_s in (5.0, 5.1, 500.0))
