"""What a fill does to the books, and how an order walks its path."""

from dataclasses import replace

import pytest

from tests.unit.trading.desk import (
    ANN,
    AUSDC,
    BOB,
    BUY_WETH,
    DOLLARS,
    ETHER,
    GAS_WEI_MAX,
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
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import ConversionId, EntryId
from treasury_actors.ledger.messages import EntryPosted, Withdraw
from treasury_actors.ledger.model import GAS, GAS_BURNT, Entry, available, held
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.model.costs import CHAINS, ChainProfile
from treasury_actors.trading.model.order import OrderAccepted, OrderReleased, TradingReason
from treasury_actors.trading.ports import NotExecuted, Receipt

THOUSAND = 1_000 * DOLLARS
L1 = CHAINS["ethereum"]


def test_a_fill_happens_at_the_prices_of_the_next_frame() -> None:
    """I11: at the frame of the decision nobody knows them."""
    desk = Desk()
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, units=2 * THOUSAND))
    assert desk.fills == []
    desk.turn(frame(1, {"WETH": 4_000.0}))

    assert desk.fills[0].taken_units == pytest.approx(0.5 * (1 - 5 / 10_000) * ETHER)


def test_i11_frames_go_forward() -> None:
    desk = Desk()
    desk.open(frame(1))
    with pytest.raises(InvariantViolated, match="I11"):
        desk.open(frame(1))


def test_orders_are_taken_by_agent_and_number_whatever_the_order_they_came_in() -> None:
    desk = Desk(mandate(), mandate(BOB))
    for agent in (ANN, BOB):
        desk.give(agent, USDC, 4 * THOUSAND)
    desk.turn(
        frame(0),
        order(0, SUPPLY, units=THOUSAND, number=1, agent=BOB),
        order(0, SUPPLY, units=THOUSAND, number=1),
        order(0, BUY_WETH, units=THOUSAND, agent=BOB),
        order(0, BUY_WETH, units=THOUSAND),
    )

    accepted = [(event.order.agent, event.order.number) for event in desk.events(OrderAccepted)]
    assert accepted == [(ANN, 0), (ANN, 1), (BOB, 0), (BOB, 1)]


def test_i13_an_agent_has_one_order_at_a_venue_at_a_time() -> None:
    desk = Desk()
    desk.give(ANN, USDC, 4 * THOUSAND)
    orders = [order(0, BUY_WETH, units=THOUSAND, number=n) for n in range(3)]
    desk.turn(frame(0), *orders)

    assert [working.order.number for working in desk.open_orders.at_venue()] == [0]
    assert desk.units(held(ANN), USDC) == THOUSAND
    with pytest.raises(InvariantViolated, match="I13"):
        desk.open_orders.released(
            OrderReleased(order_id=orders[1].order_id, agent=ANN, hop=0, units=THOUSAND, gas_wei_max=1)
        )


def test_a_path_is_walked_hop_by_hop_each_from_the_actual_fill() -> None:
    desk = Desk()
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, STAKE, units=2 * THOUSAND))
    desk.turn(frame(1))

    first, second = desk.fills
    assert second.given_units == first.taken_units
    assert (first.last, second.last) == (False, True)
    assert desk.units(available(ANN), WSTETH) == second.taken_units
    assert dict(desk.book.balances(held(ANN))) == {}


def test_what_a_venue_had_no_liquidity_for_is_given_back() -> None:
    desk = Desk()
    desk.give(ANN, AUSDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, WITHDRAW, units=4 * THOUSAND, reduce_only=True))
    desk.turn(frame(1, capacity_usd=1_500.0))

    fill = desk.fills[0]
    assert (fill.partial, fill.given_units) == (True, 1_500 * DOLLARS)
    assert desk.units(available(ANN), AUSDC) == 2_500 * DOLLARS
    assert dict(desk.book.balances(held(ANN))) == {}


def test_the_next_hop_of_a_partial_fill_is_smaller() -> None:
    desk = Desk()
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, STAKE, units=2 * THOUSAND))
    desk.turn(frame(1, capacity_usd=500.0))

    first, second = desk.fills
    assert first.partial
    assert second.given_units == first.taken_units
    assert desk.units(available(ANN), USDC) == 3_500 * DOLLARS - charged_units(desk)


def charged_units(desk: Desk) -> int:
    """Return what agents paid into `treasury:gas` in the reserve asset."""
    return desk.units(GAS, USDC)


def test_the_exact_gas_is_burnt_and_the_agent_charged_its_value_rounded_up() -> None:
    odd = ChainProfile(name="odd", l2_gas_gwei=1e-9, data_gas_scalar=0.0)
    desk = Desk(chain=odd)
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND))
    desk.turn(frame(1))

    assert desk.fills[0].gas_wei == 160_000  # 160,000 gas at a billionth of a gwei: 3.2e-10 dollars
    assert desk.fills[0].gas_micro_usd == 1
    assert desk.units(GAS_BURNT, MAINNET.gas) == 160_000
    assert charged_units(desk) == 1


def test_gas_is_charged_in_units_worth_at_least_the_fee() -> None:
    """At 0.97 dollars a unit of the reserve is less than a micro-dollar."""
    desk = Desk()
    desk.give(ANN, USDC, 4 * THOUSAND)
    cheap = {"USDC": 0.97}
    desk.turn(frame(0, cheap), order(0, BUY_WETH, units=THOUSAND))
    desk.turn(frame(1, cheap))

    fee = desk.fills[0].gas_micro_usd
    assert fee == -(-desk.fills[0].gas_wei * 2_000 // 10**12)
    assert charged_units(desk) * 97 >= fee * 100 > (charged_units(desk) - 1) * 97


def test_gas_is_paid_from_what_the_same_fill_brings() -> None:
    desk = Desk()
    desk.give(ANN, AUSDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, WITHDRAW, units=4 * THOUSAND, reduce_only=True))
    desk.turn(frame(1))

    assert charged_units(desk) == desk.fills[0].gas_micro_usd
    assert desk.units(available(ANN), USDC) == 4 * THOUSAND - charged_units(desk)


def test_what_a_purse_lacks_of_the_gas_the_treasury_bears() -> None:
    """An exit is never refused for want of gas money."""
    desk = Desk()
    desk.give(ANN, WSTETH, ETHER)
    desk.turn(frame(0), order(0, UNSTAKE, units=ETHER, reduce_only=True))
    desk.turn(frame(1))

    assert desk.fills[0].gas_micro_usd > 0
    assert charged_units(desk) == 0
    assert desk.units(GAS, MAINNET.gas) == ETHER - desk.fills[0].gas_wei


class Reverting:
    """A venue whose every transaction reverts, for its full gas."""

    leaves_process = False

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def collect(self, market: MarketFrame) -> list[Receipt]:
        """Turn each ticket into a revert."""
        waiting, self._desk.venue._tickets = self._desk.venue._tickets, []
        return [
            NotExecuted(ticket=t, reason=TradingReason.NO_LIQUIDITY, detail="revert", gas_wei=GAS_WEI_MAX)
            for t in waiting
        ]


def test_a_revert_burns_its_gas_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND))
    monkeypatch.setattr(desk.venue, "collect", Reverting(desk).collect)
    desk.turn(frame(1))

    assert desk.endings == ["no_liquidity"]
    assert desk.units(GAS_BURNT, MAINNET.gas) == GAS_WEI_MAX
    assert charged_units(desk) == 2 * DOLLARS  # 0.001 ETH at $2,000
    assert desk.units(available(ANN), USDC) == 4 * THOUSAND - 2 * DOLLARS


def test_gas_for_the_next_hop_that_is_gone_ends_the_order_there() -> None:
    first_hop_wei = CHAINS["base"].gas_wei(MAINNET.conversion_by_id[ConversionId(BUY_WETH)], 10.0)
    desk = Desk(mandate(limits=replace(LIMITS, gas_wei_max=first_hop_wei)))
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, STAKE, units=THOUSAND))
    desk.turn(frame(1))

    assert desk.endings == ["no_gas"]
    assert desk.units(available(ANN), WETH) == desk.fills[0].taken_units


def test_i15_a_stop_between_two_hops_gives_back_what_the_first_brought() -> None:
    """I15: nothing is released any more, neither the next hop nor the next order."""
    desk = Desk()
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, STAKE, units=THOUSAND), order(0, SUPPLY, units=THOUSAND, number=1))
    desk.change("stopped")
    desk.turn(frame(1))

    assert [fill.target for fill in desk.fills] == [WETH]  # what was sent is only watched
    assert desk.endings == ["stopped", "stopped"]
    assert desk.units(available(ANN), WETH) == desk.fills[0].taken_units
    assert dict(desk.book.balances(held(ANN))) == {}
    assert len(desk.open_orders) == 0


def test_i15_a_reduced_engine_lets_no_further_hop_add_risk() -> None:
    desk = Desk()
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, STAKE, units=THOUSAND))
    desk.change("reducing", by="arena")
    desk.turn(frame(1))

    assert desk.endings == ["reducing"]
    assert desk.units(available(ANN), WETH) == desk.fills[0].taken_units


def test_after_a_resume_orders_are_taken_again() -> None:
    desk = Desk()
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.change("stopped")
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND))
    assert desk.change("active", by="arena") == "stopped"
    assert desk.change("active") == "active"
    desk.turn(frame(1), order(1, BUY_WETH, units=THOUSAND))
    desk.turn(frame(2))

    assert [fill.order_id for fill in desk.fills] == [order(1, units=0).order_id]


def test_a_stop_is_durable_before_it_is_acknowledged() -> None:
    desk = Desk()
    desk.open(frame(0))
    desk.change("stopped")

    assert desk.journal.durable_seq == desk.journal.head[0]


def test_i9_a_receipt_nobody_waits_for_stops_the_house() -> None:
    desk = Desk()
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND))
    desk.venue._tickets *= 2
    with pytest.raises(InvariantViolated, match="I9"):
        desk.open(frame(1))


def test_i3_an_engine_that_asks_for_what_the_books_do_not_allow_stops_the_house() -> None:
    desk = Desk(gas_wei=GAS_WEI_MAX)
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND))
    gone = Withdraw(
        entry_id=EntryId("w"), account=GAS, asset=MAINNET.gas, units=GAS_WEI_MAX, reason="under its feet"
    )
    assert isinstance(now(desk.ledger.receive(gone)), EntryPosted)
    with pytest.raises(InvariantViolated, match="I3"):
        desk.open(frame(1))


def test_i12_a_fill_does_not_depend_on_the_orders_of_others() -> None:
    """Each meets the whole depth of the frame; the report says what all together could have cost."""
    alone, together = Desk(mandate(), mandate(BOB)), Desk(mandate(), mandate(BOB))
    for desk in (alone, together):
        desk.give(ANN, USDC, 4 * THOUSAND)
        desk.give(BOB, USDC, 90 * THOUSAND)
    mine, other = order(0, BUY_WETH, units=THOUSAND), order(0, BUY_WETH, units=40 * THOUSAND, agent=BOB)
    shallow = frame(1, depth_usd=20_000_000, capacity_usd=41_000)
    alone.turn(frame(0), mine)
    together.turn(frame(0), mine, other)
    for desk in (alone, together):
        desk.turn(shallow)

    assert len(together.fills) == 2
    assert alone.fills == [fill for fill in together.fills if fill.agent == ANN]


def test_every_entry_of_an_order_carries_its_id() -> None:
    desk = Desk()
    desk.give(ANN, USDC, 4 * THOUSAND)
    placed = order(0, BUY_WETH, STAKE, units=THOUSAND)
    desk.turn(frame(0), placed)
    desk.turn(frame(1))

    ours = [recorded for recorded in desk.journal.read() if recorded.correlation_id == placed.order_id]
    entries = [r.event.entry_id for r in ours if isinstance(r.event, Entry)]
    assert entries == [f"{placed.order_id}/hold", f"{placed.order_id}/0", f"{placed.order_id}/1"]


def test_an_l1_pays_the_price_of_the_frame() -> None:
    desk = Desk(chain=L1, gas_wei=10 * ETHER)
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, SELL_WETH, units=1), replace(order(0, BUY_WETH, units=THOUSAND), number=0))
    desk.turn(frame(1, l1_gas_gwei=2.0))

    assert [fill.gas_wei for fill in desk.fills] == [160_000 * 2 * 10**9]
