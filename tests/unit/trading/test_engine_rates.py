"""The engine holds to its rates: an agent above its own is refused, an arena above its own reduces."""

from dataclasses import replace

from tests.unit.trading.desk import (
    ANN,
    BOB,
    BUY_WETH,
    DOLLARS,
    LIMITS,
    SELL_WETH,
    USDC,
    Desk,
    frame,
    mandate,
    order,
)
from treasury_actors.trading.model.rates import RateLimits

THOUSAND = 1_000 * DOLLARS
RATES = RateLimits(arena_day_micro_usd_max=10 * THOUSAND, arena_sends_hour_max=100, hour_bps_max=5_000)


def desk() -> Desk:
    """Return a desk of two agents with $10,000 each, who may order $8,000 a day."""
    limits = replace(LIMITS, turnover_micro_usd_max=8 * THOUSAND)
    made = Desk(mandate(limits=limits), mandate(agent=BOB, limits=limits), rates=RATES)
    for agent in (ANN, BOB):
        made.give(agent, USDC, 10 * THOUSAND)
    return made


def test_an_agent_above_its_hour_is_refused_and_nobody_else_notices() -> None:
    here = desk()
    here.turn(
        frame(0),
        order(0, BUY_WETH, units=4 * THOUSAND),
        order(0, BUY_WETH, units=10 * DOLLARS, number=1),
        order(0, BUY_WETH, units=THOUSAND, agent=BOB),
    )

    assert here.refusals == ["above_hour_limit"]
    assert here.latch.state == "active"


def test_an_arena_above_its_hour_reduces_the_house_until_a_person_resumes() -> None:
    here = desk()
    here.turn(
        frame(0),
        order(0, BUY_WETH, units=4 * THOUSAND),
        order(0, BUY_WETH, units=2 * THOUSAND, agent=BOB),
        order(0, BUY_WETH, units=THOUSAND // 2, agent=BOB, number=1),
    )
    here.turn(
        frame(1),
        order(1, SELL_WETH, units=10**17, reduce_only=True),
        order(1, BUY_WETH, units=THOUSAND, agent=BOB),
    )

    assert here.refusals == ["above_arena_hour_limit", "reducing", "reducing"]
    assert (here.latch.state, here.latch.epoch) == ("reducing", 1)
    assert "above_arena_hour_limit" in here.latch.reason
