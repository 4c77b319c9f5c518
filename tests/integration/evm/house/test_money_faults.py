"""Money that comes unasked, money that is missing, contracts that refuse: the books stay true."""

import pytest

from tests.integration.evm.house.ground import (
    AUSDC,
    BUY,
    CONFIRM_DEPTH,
    DOLLARS,
    ETH,
    SELL,
    SUPPLY,
    USDC,
    WETH,
    WITHDRAW,
)
from tests.integration.evm.house.room import Room
from tests.unit.trading.desk import ANN, BOB
from treasury_actors.ids import AgentId
from treasury_actors.ledger.model import UNSOLICITED, Entry, statement
from treasury_actors.simulation.rehearsal.stranger import Stranger
from treasury_actors.trading.model.order import OrderEnded, OrderFilled, OrderRefused, TradingReason
from treasury_actors.trading.model.stop import TradingStateChanged
from treasury_actors.trading.model.transaction import TxReverted, TxSigned

PAUSE = "setReservePause(address,bool)"
TRANSFER = "transfer(address,uint256)"
STRANGER = 4


def owned(room: Room, agent: AgentId) -> dict[str, int]:
    """Return what an agent owns, which nobody's gift may change."""
    return {
        str(asset): units for asset, units in statement(room.house.fold.records.book, agent).owned.items()
    }


async def take_away(room: Room, units: int) -> str:
    """Move USDC out of our wallet as if we had done it, and leave no other trace; return where it went."""
    thief = room.world.roles.borrower
    wei, nonce = [
        await room.ask(method, room.address, "latest")
        for method in ("eth_getBalance", "eth_getTransactionCount")
    ]
    await room.command(room.world.tokens[USDC], TRANSFER, thief, units, sender=room.address)
    await room.ask("anvil_setBalance", room.address, wei)
    await room.ask("anvil_setNonce", room.address, nonce)
    return thief


async def test_dust_in_every_block_stops_nothing_and_belongs_to_nobody(room: Room) -> None:
    accounts = await room.ask("eth_accounts")
    assert isinstance(accounts, list)
    stranger = Stranger(room.world, account=str(accounts[STRANGER]))
    await stranger.prepare()
    before = owned(room, BOB)
    turns = 6
    for number in range(turns):
        await stranger.send_dust(room.address)
        await room.turn(*([room.order(SUPPLY, units=100 * DOLLARS)] if number % 2 == 0 else []))
        await stranger.send_dust(room.address)
        await room.mine(CONFIRM_DEPTH)
    await room.settle()
    await room.bury()

    gifts = room.house.fold.records.book.balances(UNSOLICITED)
    assert len(room.events(OrderFilled)) == turns // 2
    assert room.events(TradingStateChanged) == []
    assert owned(room, BOB) == before
    assert {str(asset) for asset in gifts} == {str(asset) for asset in stranger.kinds}
    assert gifts[USDC] == 2 * turns
    assert gifts[ETH] == 2 * turns
    assert (await room.differences()).is_equal


async def test_dust_that_a_reorganisation_takes_back_is_no_shortfall(room: Room) -> None:
    accounts = await room.ask("eth_accounts")
    assert isinstance(accounts, list)
    stranger = Stranger(room.world, account=str(accounts[STRANGER]))
    await stranger.prepare()
    await room.turn()
    await stranger.send_dust(room.address)
    await room.mine()
    await room.turn()
    await room.ask("anvil_reorg", 1, [])
    await room.turn()
    await room.trade(BUY, units=100 * DOLLARS)
    await room.settle()

    assert room.events(TradingStateChanged) == []
    assert len(room.events(OrderFilled)) == 1
    assert (await room.differences()).is_equal


async def test_one_unit_that_is_missing_stops_trading_until_it_is_back_and_an_operator_says_so(
    room: Room,
) -> None:
    thief = await take_away(room, 1)
    await room.turn()
    stopped = room.events(TradingStateChanged)[-1]
    await room.restart()
    await room.trade(BUY, units=100 * DOLLARS)
    await room.change("active")
    await room.trade(BUY, units=100 * DOLLARS)
    again = room.events(TradingStateChanged)[-1]
    await room.command(room.world.tokens[USDC], TRANSFER, room.address, 1, sender=thief)
    await room.change("active")
    uncompared = room.order_now(BUY, units=100 * DOLLARS)
    await room.close_turn(uncompared)
    refused = [r.reason for r in room.events(OrderRefused)]
    await room.trade(BUY, units=100 * DOLLARS)
    await room.settle()

    assert (stopped.state, stopped.by) == ("stopped", "broken_invariant")
    assert stopped.reason == "missing from the wallet: 1 USDC of 20000000000"
    assert again.state == "stopped"
    assert refused == [TradingReason.STOPPED, TradingReason.STOPPED, TradingReason.NOT_RECONCILED]
    assert len(room.events(OrderFilled)) == 1
    assert (await room.differences()).is_equal


async def test_a_paused_reserve_takes_nothing_and_the_allowance_is_taken_back(room: Room) -> None:
    usdc = room.world.tokens[USDC]
    await room.command(room.world.aave.configurator, PAUSE, usdc, True)  # noqa: FBT003 - as the contract has it
    await room.trade(SUPPLY, units=100 * DOLLARS)
    await room.settle()
    refused = room.events(OrderEnded)
    at_rest = await room.allowances()
    await room.command(room.world.aave.configurator, PAUSE, usdc, False)  # noqa: FBT003 - likewise
    await room.trade(SUPPLY, units=100 * DOLLARS)
    await room.settle()

    assert [e.reason for e in refused] == [TradingReason.NO_LIQUIDITY]
    assert "reserve_paused" in refused[0].detail
    assert at_rest == {}
    assert len(room.events(OrderFilled)) == 1
    assert (await room.differences()).is_equal


async def test_a_reserve_without_cash_gives_nothing_and_keeps_what_it_has(room: Room) -> None:
    await room.trade(SUPPLY, units=1_000 * DOLLARS)
    await room.settle()
    shares = room.units(ANN, AUSDC)
    usdc, ausdc = room.world.tokens[USDC], room.world.tokens[AUSDC]
    cash = await room.world.writer.number(usdc, "balanceOf(address)", ausdc)
    await room.ask("anvil_setBalance", ausdc, hex(10**18))
    await room.command(usdc, TRANSFER, room.world.roles.borrower, cash - DOLLARS, sender=ausdc)
    signed = len(room.events(TxSigned))
    await room.trade(WITHDRAW, units=shares, reduce_only=True)
    await room.settle()

    (ended,) = room.events(OrderEnded)
    assert ended.reason is TradingReason.NO_LIQUIDITY
    assert len(room.events(TxSigned)) == signed
    assert room.units(ANN, AUSDC) == shares
    assert (await room.differences()).is_equal


async def test_a_token_that_reverts_at_everything_is_not_traded_and_breaks_nothing(room: Room) -> None:
    token = room.ground.registry.token(WETH).address
    honest = await room.ask("eth_getCode", token, "latest")
    await room.ask("anvil_setCode", token, "0x60006000fd")
    for _ in range(3):
        await room.trade(BUY, units=100 * DOLLARS)
        await room.mine(CONFIRM_DEPTH)
    filled = room.events(OrderFilled)
    await room.ask("anvil_setCode", token, honest)
    await room.settle()
    await room.trade(SUPPLY, units=100 * DOLLARS, agent=BOB)
    await room.settle()

    assert filled == []
    assert room.events(TxReverted) == []
    assert [f.agent for f in room.events(OrderFilled)] == [BOB]
    assert [e for e in room.events(Entry) if e.kind == "inflow"] == []
    assert await room.allowances() == {}
    assert (await room.differences()).is_equal


async def test_a_token_that_blacklists_us_is_not_traded_and_what_we_have_of_it_is_still_counted(
    room: Room,
) -> None:
    """A dollar whose issuer put our address on a list, by the code of a token that has such a list."""
    writer, usdc = room.world.writer, room.world.tokens[USDC]
    async with writer.blocks():
        twin = await writer.deploy("BlacklistToken", "USDC", "USDC", 6)
    await room.ask("anvil_setCode", usdc, await room.ask("eth_getCode", twin, "latest"))
    await room.turn()
    same = (await room.differences()).is_equal
    await room.command(usdc, "setBlacklisted(address,bool)", room.address, True)  # noqa: FBT003 - its own
    await room.turn(room.order(BUY, units=100 * DOLLARS), room.order(SUPPLY, units=100 * DOLLARS, agent=BOB))
    await room.settle()
    refused = room.events(OrderEnded)
    at_rest = await room.allowances()
    await room.command(usdc, "setBlacklisted(address,bool)", room.address, False)  # noqa: FBT003 - its own
    await room.trade(BUY, units=100 * DOLLARS)
    await room.settle()

    assert same, "the twin keeps its balances where the token kept them"
    assert len(refused) == 2
    assert at_rest == {}
    assert [f.agent for f in room.events(OrderFilled)] == [ANN]
    assert room.events(TradingStateChanged) == []
    assert (await room.differences()).is_equal


@pytest.mark.parametrize("code", ["0x", "0x60006000f3"])
@pytest.mark.parametrize("path", [[BUY], [BUY, SELL]])
async def test_a_contract_that_gives_nothing_for_what_it_took_stops_trading_at_the_first_time(
    room: Room, code: str, path: list[str]
) -> None:
    """A token without code, or that answers everything with nothing, lets a swap pass that brings none."""
    token = room.ground.registry.token(WETH).address
    honest = await room.ask("eth_getCode", token, "latest")
    await room.ask("anvil_setCode", token, code)
    for _ in range(3):
        await room.trade(*path, units=100 * DOLLARS)
        await room.mine(CONFIRM_DEPTH)
    await room.restart()
    await room.trade(*path, units=100 * DOLLARS)
    await room.ask("anvil_setCode", token, honest)
    await room.turn()

    (filled,) = room.events(OrderFilled)
    (stopped,) = room.events(TradingStateChanged)
    assert (filled.given_units, filled.taken_units) == (100 * DOLLARS, 0)
    assert stopped.reason == "uniswap-v3 took 100000000 USDC for no WETH"
    assert await room.allowances() == {}
    assert (await room.differences()).is_equal


async def test_every_approval_is_for_exactly_what_its_call_takes(room: Room) -> None:
    await room.turn(room.order(BUY, units=123_456_789), room.order(SUPPLY, units=98_765_432, agent=BOB))
    await room.settle()

    granted = [
        int(event.raw.split("095ea7b3")[1][64:128], 16)
        for event in room.events(TxSigned)
        if "095ea7b3" in event.raw
    ]
    assert granted == [123_456_789, 98_765_432]
    assert await room.allowances() == {}
