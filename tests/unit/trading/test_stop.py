"""Who may put trading into which state: every transition there is."""

import pytest

from treasury_actors.trading.model.stop import StopLatch, TradingState

STATES: tuple[TradingState, ...] = ("active", "reducing", "stopped")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("wanted", STATES)
@pytest.mark.parametrize("by", ["operator", "arena", "guardian", ""])
def test_i10_an_operator_may_do_anything_and_a_machine_only_reduce(
    state: TradingState, wanted: TradingState, by: str
) -> None:
    latch = StopLatch(state=state, epoch=7)
    allowed = {("operator", s, w) for s in STATES for w in STATES if s != w}
    allowed |= {(machine, "active", "reducing") for machine in ("arena", "guardian", "")}

    changed = latch.decide(wanted, by, "why")

    assert (changed is not None) == ((by, state, wanted) in allowed)
    assert latch == StopLatch(state=state, epoch=7)  # deciding changes nothing
    if changed is not None:
        latch.apply(changed)
        assert latch == StopLatch(state=wanted, epoch=8, reason="why")
