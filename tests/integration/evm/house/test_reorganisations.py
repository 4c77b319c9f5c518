"""Reorganisations shallower and deeper than what is counted on: undone, done again, and equal to the unit."""

import pytest

from tests.integration.evm.house.room import (
    BUY,
    CONFIRM_DEPTH,
    DEPOSIT,
    DOLLARS,
    SUPPLY,
    WETH,
    Room,
)
from tests.unit.trading.desk import ANN, BOB
from treasury_actors.ledger.model import Entry
from treasury_actors.trading.model.order import OrderFilled
from treasury_actors.trading.model.stop import TradingStateChanged
from treasury_actors.trading.model.transaction import TxReorged, TxSigned

DEPTHS = range(1, 13)


async def reorganise(room: Room, blocks: int) -> None:
    """Replace the newest blocks by empty ones: what they held is in no block and in no pool."""
    await room.ask("anvil_reorg", blocks, [])


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
    assert len(reverses) == (4 if was_counted else 0)
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
    assert len([e for e in room.events(Entry) if e.kind == "reverse"]) == 4
    assert (await room.differences()).is_equal
