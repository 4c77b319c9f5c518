"""A stop between any two steps of a hop: nothing more is signed or sent, what was sent is watched."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.integration.evm.house.ground import BUY, CONFIRM_DEPTH, DOLLARS, SUPPLY, WETH, Ground
from tests.integration.evm.house.room import Room, room_on
from tests.unit.trading.desk import ANN
from treasury_actors.chain.adapters.anvil import AnvilNode
from treasury_actors.chain.adapters.http_rpc import HttpRpc
from treasury_actors.chain.model.rpc import Answer, RpcCall, RpcError, SendAnswer
from treasury_actors.chain.ports import Rpc
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.trading.model.order import OrderEnded, OrderFilled, OrderRefused, TradingReason
from treasury_actors.trading.model.stop import StopSwitch, TradingStateChanged
from treasury_actors.trading.model.transaction import TxPlanned, TxSigned


class Traffic:
    """A session that counts what leaves the process."""

    def __init__(self, rpc: HttpRpc) -> None:
        self._rpc = rpc
        self.sends = 0
        self.is_slow_to_allow = False

    async def call(self, method: str, params: object = ()) -> Answer:
        """Ask the node; while `is_slow_to_allow`, its pending state has no allowance of ours yet."""
        if self.is_slow_to_allow and method == "eth_call" and "pending" in params:  # type: ignore[operator]
            request = params[0]  # type: ignore[index]
            if "from" in request and not str(request["data"]).startswith("0x095ea7b3"):
                return RpcError(code=3, message="execution reverted: STF", data=STF)
        return await self._rpc.call(method, params)  # type: ignore[arg-type]

    async def batch(self, calls: list[RpcCall]) -> list[Answer]:
        """Ask the node."""
        return await self._rpc.batch(calls)

    async def send(self, raw: str, tx_hash: str) -> SendAnswer:
        """Send, and count it."""
        self.sends += 1
        return await self._rpc.send(raw, tx_hash)


STF = "0x08c379a0" + "20".rjust(64, "0") + "3".rjust(64, "0") + b"STF".hex().ljust(64, "0")
"""What the swap router says when it may not take its due."""


@dataclass(slots=True)
class Stopping:
    """A room, and what its session saw leave."""

    room: Room
    traffic: Traffic

    @property
    def out(self) -> tuple[int, int]:
        """Return how many signatures and sends there were."""
        return len(self.room.events(TxSigned)), self.traffic.sends


async def before_the_approval(stopping: Stopping) -> None:
    await stopping.room.open_turn()


async def after_the_approval_was_sent(stopping: Stopping) -> None:
    stopping.traffic.is_slow_to_allow = True
    await stopping.room.trade(BUY, units=1_000 * DOLLARS)
    assert stopping.out == (1, 1)


async def after_the_approval_was_mined(stopping: Stopping) -> None:
    await after_the_approval_was_sent(stopping)
    await stopping.room.mine(1)
    await stopping.room.turn()
    stopping.traffic.is_slow_to_allow = False


async def after_the_call_was_sent(stopping: Stopping) -> None:
    await stopping.room.trade(BUY, units=1_000 * DOLLARS)
    assert stopping.out == (2, 2)


async def after_the_call_was_mined(stopping: Stopping) -> None:
    await after_the_call_was_sent(stopping)
    await stopping.room.mine(1)
    await stopping.room.turn()


Reach = Callable[[Stopping], Awaitable[None]]
STEPS: list[Reach] = [
    before_the_approval,
    after_the_approval_was_sent,
    after_the_approval_was_mined,
    after_the_call_was_sent,
    after_the_call_was_mined,
]


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("reach", STEPS)
async def test_after_a_stop_nothing_leaves_and_after_a_resume_trading_waits_for_a_comparison(
    ground: Ground, node: AnvilNode, reach: Reach, *, restarts: bool
) -> None:
    seen: list[Traffic] = []

    def wrap(rpc: HttpRpc) -> Rpc:
        seen.append(Traffic(rpc))
        return seen[0]  # type: ignore[return-value]  # it answers what is asked here

    async with room_on(ground, node.url, wrap=wrap) as room:
        await room.turn()
        stopping = Stopping(room, seen[0])
        await reach(stopping)
        assert await room.change("stopped") == "stopped"
        before = stopping.out
        await room.close_turn(room.order_now(BUY, units=50 * DOLLARS))
        if restarts:
            await room.restart()
        for _ in range(3):
            await room.mine(CONFIRM_DEPTH)
            await room.turn(room.order(SUPPLY, units=50 * DOLLARS))
        stopped_out = stopping.out
        stopping.traffic.is_slow_to_allow = False
        was_sent = reach in {after_the_call_was_sent, after_the_call_was_mined}
        stopped_fills = len(room.events(OrderFilled))
        assert await room.change("active") == "active"
        await room.open_turn()
        early = room.order_now(SUPPLY, units=50 * DOLLARS, number=7)
        agrees_at_once = was_sent or reach is before_the_approval
        await room.close_turn(early)
        await room.settle()
        await room.trade(SUPPLY, units=60 * DOLLARS)
        await room.settle()

        assert stopped_out == before
        assert stopped_fills == was_sent
        assert {r.reason for r in room.events(OrderRefused)} <= {
            TradingReason.STOPPED,
            TradingReason.NOT_RECONCILED,
        }
        refused = {r.order.order_id for r in room.events(OrderRefused)}
        assert (early.order_id in refused) is not agrees_at_once
        assert len(room.events(OrderFilled)) == was_sent + agrees_at_once + 1
        assert (room.units(ANN, WETH) > 0) == was_sent
        assert (await room.differences()).is_equal
        assert await room.allowances() == {}
        assert room.house.fold.records.open_orders.at_venue() == []


async def test_a_stop_survives_any_number_of_starts_and_only_an_operator_ends_it(room: Room) -> None:
    await room.change("stopped")
    for _ in range(2):
        await room.restart()
        await room.trade(BUY, units=100 * DOLLARS)
    still = await room.change("active", by="a machine")
    await room.change("active")

    assert still == "stopped"
    assert [c.state for c in room.events(TradingStateChanged)] == ["stopped", "active"]
    assert room.events(TxSigned) == []


async def test_the_switch_pulled_while_a_turn_is_closing_lets_nothing_more_be_signed(
    ground: Ground, node: AnvilNode
) -> None:
    """The operator is quicker than the engine, which still has orders to release."""
    seen: list[Traffic] = []

    def wrap(rpc: HttpRpc) -> Rpc:
        seen.append(Traffic(rpc))
        return seen[0]  # type: ignore[return-value]  # it answers what is asked here

    async with room_on(ground, node.url, wrap=wrap) as room:
        await room.turn()
        switch, send = room.house.fold.records.latch.switch, seen[0].send

        async def send_and_pull(raw: str, tx_hash: str) -> SendAnswer:
            switch.pulled = True
            return await send(raw, tx_hash)

        seen[0].send = send_and_pull  # type: ignore[method-assign]
        many = [room.order(BUY, units=20 * DOLLARS, number=number) for number in range(200)]
        await room.turn(*many)
        signed = len(room.events(TxSigned))
        await room.change("stopped")
        for _ in range(3):
            await room.mine(CONFIRM_DEPTH)
            await room.turn()
        stopped = len(room.events(TxSigned))
        await room.change("active")
        await room.settle()

        assert signed == stopped == 1
        assert len(room.events(TxSigned)) == 2, "the allowance was taken back after the resume"
        assert {e.reason for e in room.events(OrderEnded)} == {TradingReason.STOPPED}
        assert len(room.events(OrderEnded)) == 200
        assert await room.allowances() == {}
        assert (await room.differences()).is_equal


class PullingJournal(MemoryJournal):
    """A journal in memory that pulls the stop's switch at the commit of the n-th event of a kind."""

    kind: type = TxSigned
    left = 0
    switch: StopSwitch | None = None

    async def flush(self) -> None:
        """Commit; what is to happen next finds the switch pulled."""
        fresh = [recorded.event for recorded in self.read(self.durable_seq + 1)]
        await super().flush()
        if self.switch is not None and any(isinstance(event, self.kind) for event in fresh):
            self.left -= 1
            if self.left == 0:
                self.switch.pulled = True


@pytest.mark.parametrize("place", [1, 2], ids=["approval", "call"])
@pytest.mark.parametrize("kind", [TxPlanned, TxSigned])
async def test_a_switch_pulled_between_planning_signing_and_sending_holds_back_what_comes_next(
    ground: Ground, node: AnvilNode, kind: type, place: int
) -> None:
    """What was signed and not sent never is: its nonce is taken by nothing once an operator has resumed."""
    seen: list[Traffic] = []

    def wrap(rpc: HttpRpc) -> Rpc:
        seen.append(Traffic(rpc))
        return seen[0]  # type: ignore[return-value]  # it answers what is asked here

    journal = PullingJournal()
    async with room_on(ground, node.url, journal=journal, wrap=wrap) as room:
        await room.turn()
        journal.kind, journal.left = kind, place
        journal.switch = room.house.fold.records.latch.switch
        await room.trade(BUY, units=1_000 * DOLLARS)
        at_stop = Stopping(room, seen[0]).out
        journal.switch = None
        await room.change("stopped")
        for _ in range(3):
            await room.mine(CONFIRM_DEPTH)
            await room.turn()
        while_stopped = Stopping(room, seen[0]).out
        raw = {signed.tx_hash for signed in room.events(TxSigned)}
        await room.change("active")
        await room.settle()
        await room.trade(SUPPLY, units=60 * DOLLARS)
        await room.settle()

        assert at_stop == while_stopped == (place - (kind is TxPlanned), place - 1)
        reason = TradingReason.STOPPED if kind is TxPlanned else TradingReason.CANCELLED
        assert [e.reason for e in room.events(OrderEnded)] == [reason]
        assert room.units(ANN, WETH) == 0
        assert len(room.events(OrderFilled)) == 1
        assert len(raw) == at_stop[0]
        assert await room.allowances() == {}
        assert (await room.differences()).is_equal
