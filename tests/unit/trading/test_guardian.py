"""The guardian brings capital home: of the retired, the quarantined, and those who lost too much."""

from dataclasses import replace

from tests.unit.trading.desk import (
    ANN,
    AUSDC,
    BUY_WETH,
    DOLLARS,
    ETHER,
    SELL_WETH,
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
from treasury_actors.ids import EntryId
from treasury_actors.ledger.messages import EntryPosted, Withdraw
from treasury_actors.ledger.model import available, held
from treasury_actors.trading.messages import CapitalMoved
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.order import OrderAccepted

THOUSAND = 1_000 * DOLLARS


def test_a_mandate_that_lost_a_quarter_is_a_breach() -> None:
    desk = Desk()
    desk.give(ANN, WETH, ETHER)
    desk.watched_turn(frame(0))
    assert desk.watched_turn(frame(1, {"WETH": 1_501.0})).breaches == ()
    watched = desk.watched_turn(frame(2, {"WETH": 1_500.0}))

    assert [(breach.agent, breach.reason) for breach in watched.breaches] == [
        (ANN, "stop-loss: down 25.0% of its capital")
    ]


def test_a_mandate_that_fell_from_its_peak_is_a_breach_even_with_a_gain() -> None:
    desk = Desk()
    desk.give(ANN, WETH, ETHER)
    for index, price in enumerate((2_000.0, 4_000.0)):
        desk.watched_turn(frame(index, {"WETH": price}))
    watched = desk.watched_turn(frame(2, {"WETH": 2_799.0}))

    assert [breach.reason for breach in watched.breaches] == ["drawdown: down 30.0% from its peak"]


def test_capital_that_is_taken_is_no_loss() -> None:
    desk = Desk()
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.watched_turn(frame(0))
    taken = Withdraw(
        entry_id=EntryId("w"), account=available(ANN), asset=USDC, units=3 * THOUSAND, reason="taken"
    )
    assert isinstance(now(desk.ledger.receive(taken)), EntryPosted)
    now(desk.guardian.receive(CapitalMoved(agent=ANN, micro_usd=-3 * THOUSAND)))

    assert desk.watched_turn(frame(1)).breaches == ()
    assert desk.marks.of(ANN).index == 1.0


def test_no_breach_is_called_on_a_stale_price() -> None:
    desk = Desk()
    desk.give(ANN, WETH, ETHER)
    desk.watched_turn(frame(0))
    assert desk.watched_turn(frame(1, {"WETH": 1_000.0}, stale=["WETH"])).breaches == ()
    assert desk.watched_turn(frame(2, {"WETH": 1_000.0})).breaches != ()


def test_i14_a_closing_mandate_is_sold_over_every_hop_until_only_the_reserve_is_left() -> None:
    desk = Desk(mandate(status="closing"))
    desk.give(ANN, WSTETH, ETHER)
    desk.give(ANN, AUSDC, THOUSAND)
    assert desk.watched_turn(frame(0)).emptied == ()
    assert desk.watched_turn(frame(1)).emptied == (ANN,)

    placed = [event.order for event in desk.events(OrderAccepted)]
    assert [(each.placed_by, each.reduce_only, len(each.path)) for each in placed] == [
        ("guardian", True, 1),
        ("guardian", True, 2),
    ]
    assert list(desk.book.balances(available(ANN))) == [USDC]
    assert dict(desk.book.balances(held(ANN))) == {}


def recalled(dollars: int) -> Mandate:
    """Return the mandate of an agent that has to give back so many dollars."""
    return replace(mandate(status="recalling"), due_units=dollars * DOLLARS)


def sold(desk: Desk) -> list[tuple[str, int]]:
    """Return what the guardian sold: first conversion and units."""
    return [(event.order.path[0], event.order.units) for event in desk.events(OrderAccepted)]


def test_of_a_recalled_mandate_no_more_is_sold_than_it_lacks_and_the_cheapest_first() -> None:
    desk = Desk(recalled(1_500))
    for asset, units in ((USDC, 500 * DOLLARS), (WETH, ETHER), (AUSDC, THOUSAND // 2)):
        desk.give(ANN, asset, units)
    desk.watched_turn(frame(0, depth_usd=1_000_000.0))
    desk.watched_turn(frame(1, depth_usd=1_000_000.0))

    (first, units), (second, rest) = sold(desk)
    assert (first, units) == (WITHDRAW, THOUSAND // 2)  # at par: nothing is cheaper
    assert second == SELL_WETH
    assert 0.25 * ETHER < rest < 0.26 * ETHER  # $500 more are due, with a little over for the costs
    assert desk.units(available(ANN), USDC) >= 1_500 * DOLLARS


def test_a_recall_that_is_covered_by_cash_sells_nothing() -> None:
    desk = Desk(recalled(500))
    desk.give(ANN, USDC, 500 * DOLLARS)
    desk.give(ANN, WETH, ETHER)
    desk.watched_turn(frame(0))

    assert sold(desk) == []


def test_a_recall_takes_from_a_thin_pool_what_it_lets_out_at_one_percent_an_hour() -> None:
    desk = Desk(recalled(1_900))
    desk.give(ANN, WETH, ETHER)
    for index in range(4):
        desk.watched_turn(frame(index, depth_usd=49_500.0))

    assert [units for _, units in sold(desk)[:3]] == [ETHER // 4] * 3


def test_what_has_no_fresh_price_is_not_recalled() -> None:
    desk = Desk(recalled(1_000))
    desk.give(ANN, WETH, ETHER)
    desk.watched_turn(frame(0, stale=["WETH"]))

    assert sold(desk) == []


def test_a_recalled_mandate_that_loses_too_much_is_a_breach_like_any_other() -> None:
    desk = Desk(recalled(1_000))
    desk.give(ANN, WETH, ETHER)
    desk.watched_turn(frame(0, stale=["USDC"]))

    assert len(desk.watched_turn(frame(1, {"WETH": 1_400.0})).breaches) == 1


def test_an_exit_waits_for_fresh_prices_all_along_its_way() -> None:
    desk = Desk(mandate(status="closing"))
    desk.give(ANN, WSTETH, ETHER)
    for index, stale in enumerate(("wstETH", "WETH", "USDC")):
        assert desk.watched_turn(frame(index, stale=[stale])).emptied == ()
    assert desk.events(OrderAccepted) == []
    assert desk.refusals == []
    desk.watched_turn(frame(3))
    assert desk.watched_turn(frame(4)).emptied == (ANN,)


def test_an_exit_goes_on_while_the_venue_lacks_liquidity() -> None:
    desk = Desk(mandate(status="closing"))
    desk.give(ANN, AUSDC, 3 * THOUSAND)
    turns = 0
    while desk.watched_turn(frame(turns, capacity_usd=1_000.0)).emptied == ():
        turns += 1
        assert turns < 10
    assert [fill.given_units for fill in desk.fills] == [THOUSAND] * 3


def test_what_is_worth_less_than_a_cent_needs_no_exit() -> None:
    desk = Desk(mandate(status="closing"))
    desk.give(ANN, WETH, ETHER // 2_000 // 101)
    desk.give(ANN, AUSDC, 9_999)
    assert desk.watched_turn(frame(0)).emptied == (ANN,)

    desk.give(ANN, AUSDC, 1)
    assert desk.watched_turn(frame(1)).emptied == ()


def test_an_order_of_before_is_awaited_then_sold() -> None:
    desk = Desk()
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, units=2 * THOUSAND))
    desk.set_mandate(mandate(status="closing"))
    assert desk.watched_turn(frame(1)).emptied == ()
    assert desk.watched_turn(frame(2)).emptied == (ANN,)
    assert desk.units(available(ANN), WETH) == 0


def test_a_stopped_engine_takes_no_exits_and_the_guardian_keeps_trying() -> None:
    desk = Desk(mandate(status="closing"))
    desk.give(ANN, WETH, ETHER)
    desk.change("stopped")
    desk.watched_turn(frame(0))
    desk.watched_turn(frame(1))
    assert desk.refusals == ["stopped", "stopped"]
    desk.change("active")
    desk.watched_turn(frame(2))
    assert desk.watched_turn(frame(3)).emptied == (ANN,)


def test_exits_run_while_trading_is_reduced() -> None:
    desk = Desk(mandate(status="closing"))
    desk.give(ANN, WETH, ETHER)
    desk.change("reducing", by="arena")
    desk.watched_turn(frame(0))
    assert desk.watched_turn(frame(1)).emptied == (ANN,)


def test_a_closed_mandate_is_forgotten() -> None:
    desk = Desk(mandate(status="closing"))
    desk.give(ANN, USDC, THOUSAND)
    assert desk.watched_turn(frame(0)).emptied == (ANN,)
    desk.set_mandate(mandate(status="closed"))
    assert desk.watched_turn(frame(1)).emptied == ()
