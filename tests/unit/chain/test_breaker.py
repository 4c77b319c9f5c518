"""An endpoint is left alone after five failures in 30 s, and tried again by one question."""

from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.chain.model.breaker import Breaker


def after(*failures_s: float) -> Breaker:
    breaker = Breaker()
    for at in failures_s:
        breaker = breaker.failed(at)
    return breaker


def test_the_fifth_failure_within_30_s_opens_it_for_30_s() -> None:
    assert after(0, 1, 2, 3).allows(3)
    opened = after(0, 1, 2, 3, 4)

    assert not opened.allows(4)
    assert not opened.allows(33.9)
    assert opened.allows(34)


def test_failures_further_apart_leave_it_closed() -> None:
    assert after(0, 8, 16, 24, 32, 40, 48).allows(48)


def test_half_open_lets_one_question_through() -> None:
    asked = after(0, 1, 2, 3, 4).asked(34)

    assert not asked.allows(34)
    assert asked.allows(64)  # the one that was let through never came back


def test_half_open_failing_opens_it_anew() -> None:
    again = after(0, 1, 2, 3, 4).asked(40).failed(41)

    assert not again.allows(70.9)
    assert again.allows(71)


def test_a_lie_opens_it_at_once() -> None:
    assert not Breaker().tripped(5).allows(34.9)
    assert Breaker().tripped(5).allows(35)


@given(st.lists(st.floats(min_value=0, max_value=20), max_size=60))
def test_it_is_never_closed_with_five_failures_in_its_window_and_forgets_the_rest(
    gaps_s: list[float],
) -> None:
    now_s, breaker, seen = 0.0, Breaker(), list[float]()
    for gap in gaps_s:
        now_s += gap
        if breaker.allows(now_s):
            breaker = breaker.asked(now_s).failed(now_s)
            seen.append(now_s)
        if len([at for at in seen if now_s - at < 30.0]) >= 5:
            assert breaker.closed_again_s is not None
        assert len(breaker.failures_s) <= 5
