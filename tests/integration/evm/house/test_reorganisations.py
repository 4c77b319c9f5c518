"""Reorganisations shallower and deeper than what is counted on: undone, done again, and equal to the unit."""

import pytest

from tests.integration.evm.house.ground import BUY, CONFIRM_DEPTH, DEPOSIT, DOLLARS, SELL, SUPPLY, USDC, WETH
from tests.integration.evm.house.room import Room
from tests.unit.trading.desk import ANN, BOB
from treasury_actors.ledger.model import Entry
from treasury_actors.trading.model.order import OrderEnded, OrderFilled, TradingReason
from treasury_actors.trading.model.stop import TradingStateChanged
from treasury_actors.trading.model.transaction import TxMined, TxReorged, TxSigned

DEPTHS = range(1, 13)


async def reorganise(room: Room, blocks: int) -> None:
    """Replace the newest blocks by empty ones: what they held is in no block and in no pool."""
    await room.ask("anvil_reorg", blocks, [])


def gifts(room: Room) -> list[Entry]:
    """Return what was booked as sent by strangers: a fee that was counted wrong would end there."""
    return [entry for entry in room.events(Entry) if entry.kind == "inflow"]


@pytest.mark.parametrize("depth", DEPTHS)
async def test_whatever_a_reorganisation_undoes_is_sent_again_and_counted_once(
    room: Room, depth: int
) -> None:
    """The transactions are counted at depth 3; they lie under as many blocks as the reorganisation undoes."""
    await room.turn(
        room.order(BUY, units=1_000 * DOLLARS), room.order(SUPPLY, units=500 * DOLLARS, agent=BOB)
    )
    await room.mine(depth)
    await room.turn()
    await reorganise(room, depth)
    await room.turn()
    await room.settle()
    await room.bury()

    was_counted = depth >= CONFIRM_DEPTH
    reverses = [e for e in room.events(Entry) if e.kind == "reverse"]
    assert [e.compensates for e in room.events(TxReorged)] == [was_counted] * 4
    assert len(reverses) == (8 if was_counted else 0)
    assert gifts(room) == []
    assert {f.agent for f in room.events(OrderFilled)} == {ANN, BOB}
    assert len(room.events(OrderFilled)) == 2
    assert room.events(TradingStateChanged) == []
    assert len({s.slot.nonce for s in room.events(TxSigned)}) == 4
    assert room.slots.live() == ()
    assert (await room.differences()).is_equal
    assert await room.allowances() == {}


async def test_between_undo_and_redo_the_books_say_that_it_never_happened(room: Room) -> None:
    await room.trade(BUY, units=1_000 * DOLLARS)
    await room.mine(CONFIRM_DEPTH + 1)
    await room.turn()
    bought = room.units(ANN, WETH)
    await reorganise(room, CONFIRM_DEPTH + 1)
    await room.turn()
    undone = room.units(ANN, WETH)
    await room.settle()
    await room.bury()

    assert bought > 0
    assert undone == 0
    assert room.units(ANN, WETH) > 0
    assert (await room.differences()).is_equal


async def test_a_reorganisation_during_a_restart_is_undone_and_redone_once(room: Room) -> None:
    await room.turn(
        room.order(BUY, units=1_000 * DOLLARS), room.order(DEPOSIT, units=200 * DOLLARS, agent=BOB)
    )
    await room.mine(5)
    await room.turn()
    await reorganise(room, 5)
    await room.restart()
    await room.turn()
    await room.restart()
    await room.settle()
    await room.restart()
    await room.settle()
    await room.bury()

    assert [f.agent for f in room.events(OrderFilled)] == [ANN, BOB]
    assert len([e for e in room.events(Entry) if e.kind == "reverse"]) == 8
    assert gifts(room) == []
    assert (await room.differences()).is_equal


async def test_a_route_whose_first_hop_is_undone_after_the_second_was_sent_ends_equal(room: Room) -> None:
    await room.trade(BUY, SELL, units=1_000 * DOLLARS)
    await room.mine(CONFIRM_DEPTH)
    await room.turn()
    await reorganise(room, CONFIRM_DEPTH)
    await room.settle()
    await room.bury()

    assert [f.hop for f in room.events(OrderFilled)] == [0, 1]
    assert len(room.events(TxMined)) >= 4
    assert (await room.differences()).is_equal


@pytest.mark.parametrize("base_fee_wei", [10**6, 2 * 10**8])
async def test_the_gas_of_every_transaction_is_what_its_last_block_took(
    room: Room, base_fee_wei: int
) -> None:
    """After the reorganisation gas is cheaper or dearer, for the approval too, whose order is over."""
    await room.trade(BUY, units=1_000 * DOLLARS)
    await room.mine(CONFIRM_DEPTH)
    await room.turn()
    await reorganise(room, CONFIRM_DEPTH)
    await room.ask("anvil_setNextBlockBaseFeePerGas", hex(base_fee_wei))
    await room.settle()
    await room.bury()

    assert gifts(room) == []
    assert room.events(TradingStateChanged) == []
    assert (await room.differences()).is_equal


async def test_a_swap_that_reverts_where_it_is_mined_again_is_undone_for_good(room: Room) -> None:
    before = room.units(ANN, USDC)
    await room.trade(BUY, units=1_000 * DOLLARS)
    await room.mine(CONFIRM_DEPTH)
    await room.turn()
    bought = room.units(ANN, WETH)
    await reorganise(room, CONFIRM_DEPTH)
    await room.turn()
    await room.ask("anvil_dropAllTransactions")
    await room.move_pool(WETH, ratio=1.05)
    await room.settle()
    await room.bury()

    assert bought > 0
    assert room.units(ANN, WETH) == 0
    assert before - DOLLARS < room.units(ANN, USDC) < before
    assert gifts(room) == []
    assert room.events(TradingStateChanged) == []
    assert (await room.differences()).is_equal


async def test_a_swap_that_reverted_may_succeed_where_it_is_mined_again(room: Room) -> None:
    await room.trade(BUY, units=1_000 * DOLLARS)
    await room.ask("anvil_dropAllTransactions")
    await room.move_pool(WETH, ratio=1.05)
    await room.settle()
    ended = room.events(OrderEnded)
    await reorganise(room, 14)  # the block that moved the pool is gone, too
    await room.turn()
    await room.settle()
    await room.bury()

    assert [e.reason for e in ended] == [TradingReason.REVERTED]
    assert room.units(ANN, WETH) > 0
    assert gifts(room) == []
    assert (await room.differences()).is_equal
    assert await room.allowances() == {}


async def test_what_was_undone_before_its_order_was_over_is_not_undone_again_after_a_restart(
    room: Room,
) -> None:
    """The approval is counted and undone while its call is still on its way: the books never had it."""
    await room.trade(BUY, units=1_000 * DOLLARS)
    await room.ask("anvil_dropTransaction", room.events(TxSigned)[1].tx_hash)
    await room.mine(CONFIRM_DEPTH)
    await room.turn()
    await reorganise(room, CONFIRM_DEPTH)
    await room.ask("anvil_setNextBlockBaseFeePerGas", hex(10**6))
    await room.turn()
    for _ in range(3):
        await room.mine(CONFIRM_DEPTH)
        await room.turn()
    undone = [event.compensates for event in room.events(TxReorged)]
    filled = len(room.events(OrderFilled))
    await room.restart()
    await room.turn()
    await room.settle()
    await room.bury()

    assert undone == [True]
    assert filled == 1
    assert [e for e in room.events(Entry) if e.kind == "reverse"] == []
    assert gifts(room) == []
    assert room.events(TradingStateChanged) == []
    assert (await room.differences()).is_equal
