"""The house trades on a real node, and its books are the chain's to the unit."""

from tests.integration.evm.house.ground import AUSDC, BUY, DOLLARS, SELL, SUPPLY, USDC, WETH
from tests.integration.evm.house.room import Room
from tests.unit.trading.desk import ANN, BOB
from treasury_actors.trading.model.order import OrderEnded, OrderFilled


async def test_a_swap_a_supply_and_a_route_of_two_hops_leave_books_and_chain_equal(room: Room) -> None:
    buy = room.order(BUY, units=1_000 * DOLLARS)
    supply = room.order(SUPPLY, units=500 * DOLLARS, agent=BOB)
    await room.turn(buy, supply)
    await room.settle()
    await room.trade(BUY, SELL, units=300 * DOLLARS)
    await room.settle()

    assert [(f.agent, f.hop) for f in room.events(OrderFilled)] == [(ANN, 0), (BOB, 0), (ANN, 0), (ANN, 1)]
    assert room.events(OrderEnded) == []
    assert room.units(ANN, WETH) > 0
    assert room.units(BOB, AUSDC) > 0
    assert room.units(BOB, USDC) < 9_500 * DOLLARS
    assert (await room.differences()).is_equal
    assert await room.allowances() == {}


async def test_a_restart_between_turns_changes_nothing(room: Room) -> None:
    await room.trade(BUY, units=1_000 * DOLLARS)
    await room.restart()
    await room.settle()

    assert (await room.differences()).is_equal
    assert await room.allowances() == {}
