"""How fast the house may trade: rolling hours and days of value and of sends, each breach with its name."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.trading.desk import ANN, BOB, BUY_WETH, DOLLARS, LIMITS, SELL_WETH, STAKE, order
from treasury_actors.ids import AgentId
from treasury_actors.trading.model.limits import HOUR_TURNS, TURNOVER_TURNS, Refusal, Turnover
from treasury_actors.trading.model.order import OrderAccepted, TradingReason
from treasury_actors.trading.model.rates import (
    ARENA_BREACHES,
    RateLimits,
    check_agent_rates,
    check_arena_rates,
)

THOUSAND = 1_000 * DOLLARS
MANDATE = replace(LIMITS, turnover_micro_usd_max=10 * THOUSAND)
RATES = RateLimits(
    arena_day_micro_usd_max=12 * THOUSAND,
    arena_sends_hour_max=12,
    agent_sends_hour_max=6,
    hour_bps_max=5_000,
)


def spent(*entries: tuple[AgentId, int, int]) -> Turnover:
    """Return a turnover of (agent, turn, micro-dollars), each an order of one hop."""
    turnover = Turnover()
    for number, (agent, turn, value) in enumerate(entries):
        wish = order(turn, BUY_WETH, units=value, number=number, agent=agent)
        turnover.add(OrderAccepted(order=wish, value_micro_usd=value))
    return turnover


def of_agent(turnover: Turnover, turn: int, value: int, **fields: object) -> TradingReason | None:
    """Return why an order of ANN's would be refused for ANN's own rates."""
    wish = replace(order(turn, BUY_WETH, units=1, number=99), **fields)  # type: ignore[arg-type]
    return reason(check_agent_rates(wish, value, mandate=MANDATE, rates=RATES, turnover=turnover))


def of_arena(turnover: Turnover, turn: int, value: int, **fields: object) -> TradingReason | None:
    """Return why an order of ANN's would be refused for the arena's rates."""
    wish = replace(order(turn, BUY_WETH, units=1, number=99), **fields)  # type: ignore[arg-type]
    return reason(check_arena_rates(wish, value, rates=RATES, turnover=turnover))


def reason(found: Refusal | None) -> TradingReason | None:
    return None if found is None else found.reason


def test_an_hour_has_a_part_of_the_days_turnover_and_not_a_unit_more() -> None:
    turnover = spent((ANN, 7, 3 * THOUSAND), (BOB, 7, 4 * THOUSAND))

    assert of_agent(turnover, 7, 2 * THOUSAND) is None
    assert of_agent(turnover, 7, 2 * THOUSAND + 1) is TradingReason.ABOVE_HOUR_LIMIT
    assert of_agent(turnover, 8, 5 * THOUSAND) is None


def test_a_route_counts_every_hop_it_sends() -> None:
    turnover = spent(*((ANN, 7, 1) for _ in range(5)))
    two_hops = {"path": (BUY_WETH, STAKE)}

    assert of_agent(turnover, 7, 1) is None
    assert of_agent(turnover, 7, 1, **two_hops) is TradingReason.ABOVE_SEND_LIMIT
    assert of_agent(turnover, 8, 1, **two_hops) is None


def test_the_arenas_hour_is_over_when_all_agents_together_are() -> None:
    turnover = spent((ANN, 7, 2 * THOUSAND), (BOB, 7, 3 * THOUSAND))

    assert of_arena(turnover, 7, THOUSAND) is None
    assert of_arena(turnover, 7, THOUSAND + 1) is TradingReason.ABOVE_ARENA_HOUR_LIMIT


def test_the_arenas_day_rolls() -> None:
    turnover = spent((ANN, 0, 5 * THOUSAND), (BOB, 1, 5 * THOUSAND), (BOB, 2, THOUSAND))

    assert of_arena(turnover, 23, THOUSAND) is None
    assert of_arena(turnover, 23, THOUSAND + 1) is TradingReason.ABOVE_ARENA_DAY_LIMIT
    assert of_arena(turnover, 24, 6 * THOUSAND) is None


def test_too_many_sends_of_all_agents_are_a_breach_however_small_they_are() -> None:
    turnover = spent(*((agent, 7, 1) for agent in (ANN, BOB) for _ in range(6)))

    assert of_arena(turnover, 7, 1) is TradingReason.ABOVE_ARENA_SEND_LIMIT
    assert of_arena(turnover, 8, 1) is None


def test_an_exit_passes_every_rate_and_spends_sends_alone() -> None:
    turnover = spent((ANN, 7, 5 * THOUSAND), *((ANN, 7, 0) for _ in range(12)))
    leave = {"path": (SELL_WETH,), "reduce_only": True}

    assert of_agent(turnover, 7, 50 * THOUSAND, **leave) is None
    assert of_arena(turnover, 7, 50 * THOUSAND, **leave) is None
    left = order(7, SELL_WETH, units=1, number=50, reduce_only=True)
    before = turnover.micro_usd(ANN, 7), turnover.all_sends(7)
    turnover.add(OrderAccepted(order=left, value_micro_usd=9 * THOUSAND))
    assert (turnover.micro_usd(ANN, 7), turnover.all_sends(7)) == (before[0], before[1] + 1)


@pytest.mark.parametrize("name", sorted(ARENA_BREACHES))
def test_what_the_whole_house_did_wrong_is_not_better_at_the_next_frame(name: TradingReason) -> None:
    assert not name.transient
    assert name.startswith("above_arena_")


def test_another_season_owes_nothing_to_the_last_frames_of_the_one_before() -> None:
    turnover = spent((ANN, 4_319, 5 * THOUSAND), (ANN, 0, THOUSAND))

    assert turnover.micro_usd(ANN, 0) == turnover.all_micro_usd(0) == THOUSAND
    assert spent((ANN, 4_319, THOUSAND)).all_micro_usd(0) == 0


def test_an_hour_above_its_day_is_no_limit() -> None:
    with pytest.raises(AssertionError, match="no more than its day"):
        replace(RATES, hour_bps_max=10_001)


@given(
    st.lists(st.tuples(st.sampled_from([ANN, BOB]), st.integers(0, 60), st.integers(0, 10**9)), max_size=40),
    st.integers(0, 30),
)
def test_windows_equal_the_sum_over_all_that_was_ever_accepted(
    entries: list[tuple[AgentId, int, int]], later: int
) -> None:
    entries.sort(key=lambda entry: entry[1])
    turn = (entries[-1][1] if entries else 0) + later
    turnover = spent(*entries)

    for span in (HOUR_TURNS, TURNOVER_TURNS):
        inside = [entry for entry in entries if turn - span < entry[1] <= turn]
        assert turnover.all_micro_usd(turn, span) == sum(value for _, _, value in inside)
        assert turnover.micro_usd(ANN, turn, span) == sum(v for agent, _, v in inside if agent == ANN)
    sent = [entry for entry in entries if entry[1] == turn]
    assert turnover.all_sends(turn) == len(sent)
    assert turnover.sends(BOB, turn) == sum(agent == BOB for agent, _, _ in sent)
