"""Every reason for which an order is refused or ended, each brought about once."""

from dataclasses import replace

import pytest

from tests.unit.trading.desk import (
    ANN,
    AUSDC,
    BOB,
    BUY_WETH,
    DOLLARS,
    ETHER,
    LIMITS,
    SELL_WETH,
    STAKE,
    SUPPLY,
    UNSTAKE,
    USDC,
    WETH,
    WITHDRAW,
    WSTETH,
    Desk,
    frame,
    mandate,
    now,
    order,
)
from treasury_actors.ledger.model import available, held
from treasury_actors.trading.messages import CancelOpenOrders
from treasury_actors.trading.model.mandate import Limits
from treasury_actors.trading.model.order import TradingReason

THOUSAND = 1_000 * DOLLARS


def desk_with_cash(limits: Limits = LIMITS, *, gas_wei: int = ETHER) -> Desk:
    """Return a desk whose agent has $10,000."""
    desk = Desk(mandate(limits=limits), gas_wei=gas_wei)
    desk.give(ANN, USDC, 10 * THOUSAND)
    return desk


def test_nothing_is_accepted_while_stopped() -> None:
    desk = desk_with_cash()
    desk.change("stopped")
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND), order(0, SELL_WETH, units=1, number=1))

    assert desk.refusals == ["stopped", "stopped"]


def test_only_exits_are_accepted_while_reducing() -> None:
    desk = desk_with_cash()
    desk.give(ANN, WETH, ETHER)
    desk.change("reducing", by="arena")
    desk.turn(
        frame(0),
        order(0, BUY_WETH, units=THOUSAND),
        order(0, SELL_WETH, units=ETHER, number=1, reduce_only=True),
    )
    desk.turn(frame(1))

    assert desk.refusals == ["reducing"]
    assert [fill.source for fill in desk.fills] == [WETH]


def test_an_order_of_another_turn_is_a_duplicate() -> None:
    desk = desk_with_cash()
    desk.turn(frame(5), order(4, BUY_WETH, units=THOUSAND), order(6, BUY_WETH, units=THOUSAND))

    assert desk.refusals == ["duplicate", "duplicate"]


def test_the_same_order_twice_is_executed_once() -> None:
    desk = desk_with_cash()
    twice = order(0, BUY_WETH, units=THOUSAND)
    desk.turn(frame(0), twice, twice, replace(twice, units=2 * THOUSAND))
    desk.turn(frame(1))

    assert desk.refusals == ["duplicate", "duplicate"]
    assert [fill.given_units for fill in desk.fills] == [THOUSAND]


def test_an_order_whose_id_is_not_derived_from_it_is_a_duplicate() -> None:
    """An id of its own choice could be one that was executed before."""
    desk = desk_with_cash()
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND))
    borrowed = replace(order(1, BUY_WETH, units=THOUSAND), order_id=order(0, units=0).order_id)
    desk.turn(frame(1), borrowed)
    desk.turn(frame(2))

    assert desk.refusals == ["duplicate"]
    assert len(desk.fills) == 1


def test_an_agent_without_a_mandate_may_not_order() -> None:
    desk = desk_with_cash()
    desk.give(BOB, USDC, THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND, agent=BOB))

    assert desk.refusals == ["no_mandate"]


def test_a_closed_mandate_is_none() -> None:
    desk = Desk(mandate(status="closed"))
    desk.turn(frame(0), order(0, SELL_WETH, units=1, placed_by="guardian", reduce_only=True))

    assert desk.refusals == ["no_mandate"]


def test_i14_a_closing_mandate_takes_orders_of_the_guardian_alone() -> None:
    desk = Desk(mandate(status="closing"))
    desk.give(ANN, WETH, 2 * ETHER)
    desk.turn(
        frame(0),
        order(0, SELL_WETH, units=ETHER, reduce_only=True),
        order(0, SELL_WETH, units=ETHER, number=1, placed_by="guardian", reduce_only=True),
    )
    desk.turn(frame(1))

    assert desk.refusals == ["mandate_closing"]
    assert [fill.order_id for fill in desk.fills] == [order(0, units=0, number=1).order_id]


def test_i14_what_waits_when_a_mandate_begins_to_close_is_not_released() -> None:
    """I14: what is at the venue is watched; the next order, and the next hop of the first, are not sent."""
    desk = desk_with_cash()
    desk.turn(
        frame(0),
        order(0, BUY_WETH, STAKE, units=THOUSAND),
        order(0, SUPPLY, units=THOUSAND, number=1),
    )
    desk.set_mandate(mandate(status="closing"))
    desk.turn(frame(1))

    assert [fill.target for fill in desk.fills] == [WETH]
    assert desk.endings == ["mandate_closing", "mandate_closing"]
    assert dict(desk.book.balances(held(ANN))) == {}
    assert desk.units(available(ANN), WETH) > 0
    assert len(desk.open_orders) == 0


def test_i14_what_waits_when_a_mandate_is_frozen_is_not_released_and_nothing_is_sold() -> None:
    desk = desk_with_cash()
    desk.turn(
        frame(0),
        order(0, BUY_WETH, STAKE, units=THOUSAND),
        order(0, SUPPLY, units=THOUSAND, number=1),
    )
    desk.set_mandate(mandate(status="frozen"))
    desk.turn(frame(1), order(1, SELL_WETH, units=1, reduce_only=True))

    assert [fill.target for fill in desk.fills] == [WETH]
    assert desk.endings == ["mandate_frozen", "mandate_frozen"]
    assert desk.refusals == ["mandate_frozen"]
    assert dict(desk.book.balances(held(ANN))) == {}
    assert desk.units(available(ANN), WETH) > 0


def test_an_order_waits_for_the_earlier_one_of_its_agent() -> None:
    desk = desk_with_cash()
    desk.venue.keeps_back = True
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND))
    desk.turn(frame(1), order(1, BUY_WETH, units=THOUSAND))

    assert desk.refusals == ["in_flight"]


def test_a_conversion_nobody_knows_is_refused() -> None:
    desk = desk_with_cash()
    desk.turn(frame(0), order(0, "USDC>GOLD@nowhere", units=THOUSAND))

    assert desk.refusals == ["unknown_conversion"]


@pytest.mark.parametrize("path", [(), (BUY_WETH, WITHDRAW)], ids=["no hop", "hops apart"])
def test_a_path_that_is_none_is_refused(path: tuple[str, ...]) -> None:
    desk = desk_with_cash()
    desk.turn(frame(0), order(0, *path, units=THOUSAND))

    assert desk.refusals == ["broken_path"]


def test_an_order_that_claims_to_reduce_must_reduce_at_every_hop() -> None:
    desk = desk_with_cash()
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND, reduce_only=True))

    assert desk.refusals == ["not_reduce_only"]


def test_the_guardian_may_only_reduce() -> None:
    desk = desk_with_cash()
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND, placed_by="guardian"))

    assert desk.refusals == ["not_reduce_only"]


@pytest.mark.parametrize("units", [0, -THOUSAND])
def test_an_order_of_nothing_or_less_is_refused(units: int) -> None:
    desk = desk_with_cash()
    desk.turn(frame(0), order(0, BUY_WETH, units=units))

    assert desk.refusals == ["not_positive"]


@pytest.mark.parametrize("stale", ["USDC", "WETH", "wstETH"])
def test_nothing_is_ordered_at_a_stale_price_anywhere_on_the_path(stale: str) -> None:
    desk = desk_with_cash()
    desk.turn(frame(0, stale=[stale]), order(0, BUY_WETH, STAKE, units=THOUSAND))

    assert desk.refusals == ["stale_price"]


def test_a_price_that_turned_stale_ends_the_order_and_gives_everything_back() -> None:
    desk = desk_with_cash()
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND))
    desk.turn(frame(1, stale=["WETH"]))

    assert desk.endings == ["stale_price"]
    assert desk.units(available(ANN), USDC) == 10 * THOUSAND


def test_an_order_not_worth_its_gas_is_refused() -> None:
    desk = desk_with_cash()
    desk.turn(
        frame(0), order(0, BUY_WETH, units=9 * DOLLARS), order(0, BUY_WETH, units=10 * DOLLARS, number=1)
    )

    assert desk.refusals == ["below_minimum"]


def test_an_order_above_the_trade_limit_is_refused() -> None:
    desk = desk_with_cash(replace(LIMITS, trade_micro_usd_max=THOUSAND))
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND + 1), order(0, BUY_WETH, units=THOUSAND, number=1))

    assert desk.refusals == ["above_trade_limit"]


def test_turnover_counts_the_accepted_orders_of_24_turns() -> None:
    desk = desk_with_cash(replace(LIMITS, turnover_micro_usd_max=THOUSAND))
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND))
    desk.turn(frame(23), order(23, BUY_WETH, units=10 * DOLLARS))
    desk.turn(frame(24), order(24, BUY_WETH, units=THOUSAND))

    assert desk.refusals == ["above_turnover_limit"]
    assert desk.open_orders.at_venue()[0].order.turn == 24


def test_an_order_too_large_for_the_depth_of_its_pool_is_refused() -> None:
    desk = desk_with_cash(replace(LIMITS, impact_bps_max=10.0))
    shallow = frame(0, depth_usd=500_000)
    desk.turn(shallow, order(0, BUY_WETH, units=THOUSAND), order(0, BUY_WETH, units=THOUSAND // 4, number=1))

    assert desk.refusals == ["above_impact_limit"]


def test_an_agent_may_put_only_a_share_of_its_capital_at_one_yield_venue() -> None:
    desk = desk_with_cash(replace(LIMITS, venue_ratio_max=0.5))
    desk.give(ANN, AUSDC, 3 * THOUSAND)
    most = 13 * THOUSAND // 2 - 3 * THOUSAND
    desk.turn(frame(0), order(0, SUPPLY, units=most + 1), order(0, SUPPLY, units=most, number=1))

    assert desk.refusals == ["above_venue_limit"]


def test_an_exit_passes_the_limits_of_size_turnover_and_impact() -> None:
    nothing = Limits(
        trade_micro_usd_max=0,
        turnover_micro_usd_max=0,
        venue_ratio_max=0.0,
        impact_bps_max=0.0,
        trade_micro_usd_min=10**18,
        gas_wei_max=ETHER,
        gas_round=0,
    )
    desk = Desk(mandate(limits=nothing))
    desk.give(ANN, WSTETH, ETHER)
    desk.turn(frame(0, depth_usd=10_000), order(0, UNSTAKE, SELL_WETH, units=ETHER, reduce_only=True))
    desk.turn(frame(1, depth_usd=10_000))

    assert desk.refusals == []
    assert [fill.hop for fill in desk.fills] == [0, 1]


def test_an_order_finds_nothing_left_to_convert() -> None:
    desk = desk_with_cash()
    everything = 10 * THOUSAND
    desk.turn(frame(0), order(0, BUY_WETH, units=everything), order(0, SUPPLY, units=everything, number=1))
    desk.turn(frame(1))

    assert desk.endings == ["insufficient_units"]


def test_an_order_takes_what_is_left_when_that_is_less_than_it_asked() -> None:
    desk = desk_with_cash()
    desk.turn(
        frame(0),
        order(0, BUY_WETH, units=9 * THOUSAND),
        order(0, SUPPLY, units=9 * THOUSAND, number=1),
    )
    desk.turn(frame(1))

    assert len(desk.fills) == 2
    assert desk.fills[1].given_units < THOUSAND
    assert desk.units(available(ANN), USDC) == 0


def test_no_gas_money_no_transaction() -> None:
    desk = desk_with_cash(gas_wei=0)
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND))

    assert desk.endings == ["no_gas"]
    assert desk.units(available(ANN), USDC) == 10 * THOUSAND


def test_an_agent_whose_gas_budget_is_spent_is_refused_by_name_until_the_next_round() -> None:
    spent = replace(LIMITS, gas_wei_max=1)
    desk = desk_with_cash(replace(LIMITS, gas_wei_max=0))
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND))
    desk.set_mandate(mandate(limits=replace(spent, gas_round=1)))
    desk.turn(frame(1), order(1, BUY_WETH, units=THOUSAND))
    desk.turn(frame(2))

    assert desk.refusals == ["no_gas"]
    assert desk.endings == ["no_gas"]  # one wei is not enough for the venue either
    desk.set_mandate(mandate(limits=replace(LIMITS, gas_round=2)))
    desk.turn(frame(3), order(3, BUY_WETH, units=THOUSAND))
    desk.turn(frame(4))
    assert len(desk.fills) == 1


def test_gas_above_the_cap_ends_the_order_and_costs_nothing() -> None:
    desk = desk_with_cash()
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND))
    desk.turn(frame(1, l1_gas_gwei=10_000.0))

    assert desk.endings == ["no_gas"]
    assert desk.units(available(ANN), USDC) == 10 * THOUSAND


@pytest.mark.parametrize("market", [frame(1, depth_usd=0.0), frame(1, capacity_usd=0.0)])
def test_a_pool_without_liquidity_ends_the_order(market: object) -> None:
    desk = desk_with_cash()
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND))
    desk.turn(market)  # type: ignore[arg-type]  # parametrize knows no types

    assert desk.endings == ["no_liquidity"]
    assert desk.units(available(ANN), USDC) == 10 * THOUSAND


def test_what_is_open_when_a_season_ends_is_given_back() -> None:
    desk = desk_with_cash()
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND), order(0, SUPPLY, units=THOUSAND, number=1))
    cancelled = now(desk.engine.receive(CancelOpenOrders()))

    assert cancelled == 2
    assert desk.endings == ["season_over", "season_over"]
    assert desk.units(available(ANN), USDC) == 10 * THOUSAND


def test_an_agent_whose_capital_is_recalled_orders_nothing_and_what_it_ordered_goes_no_further() -> None:
    desk = desk_with_cash()
    desk.turn(frame(0), order(0, BUY_WETH, STAKE, units=THOUSAND))
    recalled = replace(mandate(status="recalling"), due_units=5 * THOUSAND)
    desk.set_mandate(recalled)
    desk.turn(frame(1), order(1, SUPPLY, units=THOUSAND))

    assert desk.endings == ["mandate_recalled"]
    assert desk.refusals == ["mandate_recalled"]
    assert desk.budgets.divisible_wei(ETHER) == ETHER


def test_reasons_say_which_may_be_fine_at_a_later_frame() -> None:
    transient = {reason for reason in TradingReason if reason.transient}

    assert transient == {
        TradingReason.REDUCING,
        TradingReason.NOT_RECONCILED,
        TradingReason.IN_FLIGHT,
        TradingReason.MANDATE_RECALLED,
        TradingReason.STALE_PRICE,
        TradingReason.ABOVE_TURNOVER_LIMIT,
        TradingReason.ABOVE_HOUR_LIMIT,
        TradingReason.ABOVE_SEND_LIMIT,
        TradingReason.NO_LIQUIDITY,
        TradingReason.NOT_SENT,
        TradingReason.REVERTED,
        TradingReason.CANCELLED,
    }
