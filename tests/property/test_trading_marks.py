"""Capital that comes or goes is no gain and no loss, at whatever moment and of whatever size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.ids import AgentId
from treasury_actors.trading.model.guard import GuardPolicy, breach_of
from treasury_actors.trading.model.marks import Mark, Marks

ANN = AgentId("ann-0001")
GROWTH = st.floats(0.5, 2.0)
FLOW = st.one_of(st.just(0), st.integers(-(10**12), 10**12))


@given(st.integers(10**9, 10**13), st.lists(st.tuples(GROWTH, FLOW), max_size=30))
def test_flows_never_move_the_index(capital: int, days: list[tuple[float, int]]) -> None:
    """The index is the product of the growths, as if nothing had ever been given or taken."""
    marks = Marks()
    marks.flow(ANN, capital)
    nav, expected, peak = capital, 1.0, 1.0
    for growth, flow in days:
        grown = round(nav * growth)
        expected *= grown / nav
        peak = max(peak, expected)
        mark = marks.nav(ANN, grown)
        index_before = mark.index
        moved = max(flow, 10**6 - grown)  # never all of it: then there is nothing left to measure
        marks.flow(ANN, moved)
        nav = grown + moved
        assert marks.of(ANN).index == index_before

    mark = marks.of(ANN)
    assert mark.index == pytest.approx(expected, rel=1e-9)
    assert mark.peak == pytest.approx(peak, rel=1e-9)
    assert mark.nav_micro_usd == nav


@given(st.floats(0.0, 3.0), st.floats(1.0, 3.0))
def test_a_breach_is_called_at_the_loss_and_the_drawdown_it_is_named_for(index: float, peak: float) -> None:
    policy = GuardPolicy(stop_loss_ratio=0.25, drawdown_ratio_max=0.30)
    mark = Mark(nav_micro_usd=1, index=index, peak=max(index, peak))
    reason = breach_of(mark, policy)

    if 1.0 - index >= 0.25:
        assert reason.startswith("stop-loss")
    elif 1.0 - index / mark.peak >= 0.30:
        assert reason.startswith("drawdown")
    else:
        assert reason == ""


def test_a_mandate_that_lost_everything_stays_lost_until_new_capital_comes() -> None:
    marks = Marks()
    marks.flow(ANN, 100)
    marks.nav(ANN, 0)
    assert marks.of(ANN).loss_ratio == 1.0
    marks.flow(ANN, 100)
    marks.nav(ANN, 200)
    assert marks.of(ANN).index == 0.0
