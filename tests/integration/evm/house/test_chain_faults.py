"""What a chain and its nodes do (C1, C3, C4, C6-C11) to the whole house: it settles once, or it stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.integration.evm.fault_proxy import (
    HTML,
    DropReply,
    FaultProxy,
    Rewrite,
    Status,
    error,
    lie,
    stale_block,
)
from tests.integration.evm.house.ground import BUY, CONFIRM_DEPTH, DOLLARS, SUPPLY, WETH, Ground
from tests.integration.evm.house.room import Room, room_on
from tests.unit.trading.desk import ANN, BOB
from treasury_actors.chain.adapters.anvil import AnvilNode
from treasury_actors.chain.adapters.failover import ChainPin, FailoverRpc
from treasury_actors.chain.adapters.http_rpc import Endpoint
from treasury_actors.chain.model.rpc import Json
from treasury_actors.clock import VirtualClock
from treasury_actors.ledger.model import Entry
from treasury_actors.trading.model.order import OrderEnded, OrderFilled, TradingReason
from treasury_actors.trading.model.stop import TradingStateChanged, VenueAlarm
from treasury_actors.trading.model.transaction import (
    TxForeign,
    TxPlanned,
    TxReplaced,
    TxReverted,
    TxSent,
    TxSigned,
    TxUnknown,
)

SEND = "eth_sendRawTransaction"
NO_HASH = "0x" + "11" * 32
GWEI = 10**9
TIMEOUT_S = 2.0


@pytest.fixture
async def proxy(node: AnvilNode) -> AsyncIterator[FaultProxy]:
    """Return a proxy in front of the node."""
    async with FaultProxy(node.url) as proxy:
        yield proxy


@asynccontextmanager
async def behind(ground: Ground, node: AnvilNode, proxy: FaultProxy) -> AsyncIterator[Room]:
    """Open a house that sees the node through the proxy, its books compared once."""
    async with room_on(ground, node.url, through=proxy.url, deadline_s=TIMEOUT_S) as room:
        await room.turn()
        yield room


async def check_settled_once(room: Room) -> None:
    """Assert that what was ordered was done once, nothing is left, and the books are the chain's."""
    assert len(room.events(OrderFilled)) == 1
    assert room.events(OrderEnded) == []
    assert room.events(TradingStateChanged) == []
    assert [e for e in room.events(Entry) if e.kind == "inflow"] == []
    assert await room.allowances() == {}
    assert (await room.differences()).is_equal
    assert room.units(ANN, WETH) > 0


async def our_hashes(room: Room) -> list[str]:
    return [signed.tx_hash for signed in room.events(TxSigned)]


async def test_a_transaction_that_the_pool_dropped_is_sent_again(room: Room) -> None:
    await room.trade(BUY, units=1_000 * DOLLARS)
    for tx_hash in await our_hashes(room):
        await room.ask("anvil_dropTransaction", tx_hash)
    await room.settle()

    await check_settled_once(room)


async def test_a_gap_of_nonces_is_filled_by_the_very_transaction_that_is_missing(room: Room) -> None:
    await room.trade(BUY, units=1_000 * DOLLARS)
    await room.ask("anvil_dropTransaction", (await our_hashes(room))[0])
    await room.settle()

    await check_settled_once(room)
    assert {s.slot.nonce for s in room.events(TxSigned)} == {0, 1}


@pytest.mark.parametrize("fault", [DropReply(), DropReply(forward=False), HTML, Status(status=503)])
async def test_a_send_without_a_believable_reply_is_unknown_and_settles_once(
    ground: Ground, node: AnvilNode, proxy: FaultProxy, fault: DropReply | Status
) -> None:
    async with behind(ground, node, proxy) as room:
        proxy.next(SEND, fault)
        await room.trade(BUY, units=1_000 * DOLLARS)
        proxy.next(SEND, fault)
        await room.settle()
        await room.trade(BUY, units=1_000 * DOLLARS, agent=BOB)
        await room.settle()

        assert room.events(TxUnknown)
        assert {f.agent for f in room.events(OrderFilled)} >= {BOB}
        assert len({s.slot.nonce for s in room.events(TxSigned)}) == len(room.events(TxPlanned))
        assert room.events(TradingStateChanged) == []
        assert await room.allowances() == {}
        assert (await room.differences()).is_equal


async def test_a_foreign_transaction_with_our_key_stops_trading_for_good(room: Room) -> None:
    await room.ask("anvil_impersonateAccount", room.address)
    theft: dict[str, Json] = {"from": room.address, "to": room.world.roles.deployer, "value": "0x1"}
    await room.ask("eth_sendTransaction", theft)
    await room.mine()
    await room.trade(BUY, units=1_000 * DOLLARS)
    for _ in range(8):
        await room.mine(CONFIRM_DEPTH)
        await room.trade(BUY, units=100 * DOLLARS)
    await room.restart()
    await room.trade(BUY, units=100 * DOLLARS)

    stopped = room.events(TradingStateChanged)
    assert [(c.state, c.by) for c in stopped] == [("stopped", "broken_invariant")]
    assert room.events(TxSigned) == []
    assert await room.ask("eth_getTransactionCount", room.address, "latest") == "0x1"


async def test_a_foreign_transaction_that_takes_the_nonce_of_ours_stops_trading(room: Room) -> None:
    await room.trade(BUY, units=1_000 * DOLLARS)
    await room.ask("anvil_dropAllTransactions")
    await room.ask("anvil_impersonateAccount", room.address)
    theft: dict[str, Json] = {"from": room.address, "to": room.world.roles.deployer, "value": "0x1"}
    for _ in range(2):
        await room.ask("eth_sendTransaction", theft)
    await room.mine()
    for _ in range(8):
        await room.mine(CONFIRM_DEPTH)
        await room.turn()

    assert [(c.state, c.by) for c in room.events(TradingStateChanged)] == [("stopped", "broken_invariant")]
    assert len(room.events(TxForeign)) == 2
    assert [e.reason for e in room.events(OrderEnded)] == [TradingReason.NOT_SENT]
    assert room.events(OrderFilled) == []


async def test_whichever_of_two_attempts_is_mined_is_the_one_that_is_settled(room: Room) -> None:
    """Gas is too dear for the first attempt, a second is signed, gas falls, and the first one is mined."""
    await room.trade(BUY, units=1_000 * DOLLARS)
    first = {signed.slot.nonce: signed for signed in room.events(TxSigned)}
    for _ in range(2):
        for _ in range(2):
            await room.ask("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
            await room.mine()
        await room.turn()
    await room.ask("anvil_dropAllTransactions")
    await room.ask("anvil_setNextBlockBaseFeePerGas", hex(GWEI // 10))
    await room.mine()
    for signed in first.values():
        await room.ask(SEND, signed.raw)
    await room.settle()
    await room.bury()

    assert len(room.events(TxSigned)) > len(first)
    assert {r.winner for r in room.events(TxReplaced)} == {0}
    await check_settled_once(room)


async def test_a_node_that_names_another_hash_is_not_believed_and_the_second_lie_stops(
    ground: Ground, node: AnvilNode, proxy: FaultProxy
) -> None:
    async with behind(ground, node, proxy) as room:
        proxy.next(SEND, lie(NO_HASH), lie(NO_HASH))
        await room.trade(BUY, units=1_000 * DOLLARS)
        await room.turn()
        signed = len(room.events(TxSigned))
        await room.settle_stopped()

        assert [(c.state, c.by) for c in room.events(TradingStateChanged)] == [
            ("stopped", "broken_invariant")
        ]
        assert len(room.events(TxSigned)) == signed
        assert [u.cause for u in room.events(TxUnknown)][:2] == ["wrong_hash"] * 2


async def test_a_receipt_of_another_transaction_counts_for_nothing(
    ground: Ground, node: AnvilNode, proxy: FaultProxy
) -> None:
    def other(item: dict[str, Json]) -> dict[str, Json]:
        result = item["result"]
        return {**item, "result": {**result, "transactionHash": NO_HASH}} if result else item  # type: ignore[dict-item]

    async with behind(ground, node, proxy) as room:
        await room.trade(BUY, units=1_000 * DOLLARS)
        proxy.always("eth_getTransactionReceipt", Rewrite(answer=other))
        for _ in range(3):
            await room.mine(CONFIRM_DEPTH)
            await room.turn()
        believed = room.events(OrderFilled)
        proxy.clear()
        await room.settle()

        assert believed == []
        await check_settled_once(room)


async def test_a_node_that_is_behind_makes_nothing_happen_and_nothing_twice(
    ground: Ground, node: AnvilNode, proxy: FaultProxy
) -> None:
    async with behind(ground, node, proxy) as room:
        head = int(str(await room.ask("eth_blockNumber")), 16)
        await room.trade(BUY, units=1_000 * DOLLARS)
        proxy.always("eth_getBlockByNumber", stale_block(head))
        for _ in range(4):
            await room.mine(CONFIRM_DEPTH)
            await room.turn()
        believed = room.events(OrderFilled)
        proxy.clear()
        await room.settle()

        assert believed == []
        assert len(room.events(TxSigned)) == 2
        await check_settled_once(room)


async def test_while_no_node_answers_nothing_is_signed_and_then_it_goes_on(
    ground: Ground, node: AnvilNode, proxy: FaultProxy
) -> None:
    async with behind(ground, node, proxy) as room:
        await room.trade(BUY, units=1_000 * DOLLARS)
        await proxy.down()
        for _ in range(3):
            await room.mine(CONFIRM_DEPTH)
            await room.trade(SUPPLY, units=100 * DOLLARS, agent=BOB)
        signed = len(room.events(TxSigned))
        await proxy.up()
        await room.settle()

        assert signed == 2
        assert [f.agent for f in room.events(OrderFilled)] == [ANN]
        assert {e.reason for e in room.events(OrderEnded)} == {TradingReason.NOT_SENT}
        assert (await room.differences()).is_equal


@pytest.mark.parametrize("answer", [lie("0x2105"), lie("0x1"), error(-32_601, "method not found")])
async def test_on_another_chain_nothing_is_signed(
    ground: Ground, node: AnvilNode, proxy: FaultProxy, answer: Rewrite
) -> None:
    """The node was on our chain when the house began to trade; a minute later it says that it isn't."""
    clock = VirtualClock()
    endpoint = Endpoint(url=proxy.url, deadline_s=TIMEOUT_S)
    pin = ChainPin(chain_id=ground.registry.chain_id)
    async with (
        FailoverRpc([endpoint], pin=pin, clock=clock) as pinned,
        room_on(ground, node.url, wrap=lambda _: pinned) as room,
    ):
        await room.turn()
        compared = room.house.fold.records
        proxy.always("eth_chainId", answer)
        clock.advance_to(61 * 10**9)
        for _ in range(3):
            await room.trade(BUY, units=1_000 * DOLLARS)
            await room.mine(CONFIRM_DEPTH)

        assert room.events(TxSigned) == []
        assert SEND not in proxy.seen
        assert {e.reason for e in room.events(OrderEnded)} == {TradingReason.NOT_SENT}
        assert compared.latch.state == "active"


async def test_gas_above_its_cap_is_not_paid_and_the_order_ends(room: Room) -> None:
    await room.ask("anvil_setNextBlockBaseFeePerGas", hex(1_000 * GWEI))
    await room.mine()
    await room.trade(BUY, units=1_000 * DOLLARS)
    await room.settle()

    (ended,) = room.events(OrderEnded)
    assert ended.reason is TradingReason.VENUE_REFUSED
    assert "fee_above_cap" in ended.detail
    assert room.events(TxSigned) == []
    assert (await room.differences()).is_equal


async def test_gas_that_spikes_while_a_swap_is_under_way_delays_it_and_no_more(room: Room) -> None:
    await room.trade(BUY, units=1_000 * DOLLARS)
    for _ in range(5):
        await room.ask("anvil_setNextBlockBaseFeePerGas", hex(1_000 * GWEI))
        await room.mine()
        await room.turn()
    delayed = room.events(OrderFilled)
    await room.ask("anvil_setNextBlockBaseFeePerGas", hex(GWEI // 10))
    await room.settle()

    most = {p.slot: p.fee_wei_max for p in room.events(TxPlanned)}
    assert delayed == []
    assert all(s.gas_limit * s.max_fee_wei <= most[s.slot] for s in room.events(TxSigned))
    await check_settled_once(room)


async def test_a_swap_that_reverts_after_its_simulation_passed_costs_its_gas_alone(room: Room) -> None:
    await room.trade(BUY, units=1_000 * DOLLARS)
    waiting = [signed.raw for signed in room.events(TxSigned)]
    await room.ask("anvil_dropAllTransactions")
    await room.move_pool(WETH, ratio=1.05)
    for raw in waiting:
        await room.ask(SEND, raw)
    await room.settle()

    (ended,) = room.events(OrderEnded)
    assert ended.reason is TradingReason.REVERTED
    assert ended.gas_wei > 0
    assert room.units(ANN, WETH) == 0
    assert await room.allowances() == {}
    assert (await room.differences()).is_equal


async def test_a_call_that_runs_out_of_gas_costs_its_gas_alone(room: Room) -> None:
    """The token is a loop without end for as long as the swap is mined."""
    token = room.ground.registry.token(WETH).address
    code = await room.ask("eth_getCode", token, "latest")
    await room.trade(BUY, units=1_000 * DOLLARS)
    await room.ask("anvil_setCode", token, "0x5b600056")
    await room.mine()
    await room.ask("anvil_setCode", token, code)
    await room.settle()
    await room.bury()

    assert len(room.events(TxReverted)) == 1
    assert [e.reason for e in room.events(OrderEnded)] == [TradingReason.REVERTED]
    assert await room.allowances() == {}
    assert (await room.differences()).is_equal
    assert room.events(TxSent)
    assert not any(alarm.stops for alarm in room.events(VenueAlarm))
