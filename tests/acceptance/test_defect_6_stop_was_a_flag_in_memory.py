"""
Defect 6 of the earlier attempt: the stop was a flag in memory.

Queued work went on, a restart forgot it, and any exception was retried three times.
"""

from collections.abc import Mapping, Sequence

import pytest

from tests.acceptance.houses import Bench, Lived, check_on_bench, live, market, order_of, rules_for
from treasury_actors.errors import ActorCrashed
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.trading.messages import ChangeTradingState
from treasury_actors.trading.model.stop import TradingState, TradingStateChanged
from treasury_actors.trading.ports import Alarm, Receipt, Ticket
from treasury_actors.wiring.house import House

ANN = AgentId("ann-0001")
STOPPED_AT = 60
RULES = rules_for(arena={"agents": 16})


async def change(house: House, state: TradingState, by: str = "operator") -> TradingState:
    message = ChangeTradingState(state=state, by=by, reason="test")
    return await house.engine.ask(message, timeout_s=1)


def stopped_at(turn: int, *, then: bool) -> Lived:
    async def between(house: House, frame: MarketFrame) -> bool:
        if frame.index != turn:
            return True
        acknowledged = await change(house, "stopped")
        types = [recorded.type for recorded in house.journal.read()]
        assert acknowledged == "stopped"
        assert house.journal.durable_seq >= types.index("trading.state_changed.v1") + 1, "durable first"
        return then

    return live(market(8), RULES, between=between)


def test_defect_6_the_stop_was_a_flag_in_memory() -> None:
    """It is durable before it is acknowledged (checked at that moment), and no order passes after it."""
    lived = stopped_at(STOPPED_AT, then=True)
    (stop,) = lived.tape.of("trading.state_changed")
    accepted = [row for row in lived.tape.rows("trading.order_accepted") if row.seq > stop.seq]
    refused = [row.body["reason"] for row in lived.tape.rows("trading.order_refused") if row.seq > stop.seq]

    assert lived.end == "finished"
    assert not accepted
    assert set(refused) == {"stopped"}, "agents went on wishing"


def test_what_was_sent_before_the_stop_is_watched_to_its_end_and_nothing_else_fills() -> None:
    lived = stopped_at(STOPPED_AT, then=True)
    (stop,) = lived.tape.of("trading.state_changed")
    fills = [row for row in lived.tape.rows("trading.order_filled") if row.seq > stop.seq]

    assert all(row.turn == STOPPED_AT + 1 and row.body["hop"] == 0 for row in fills)


def test_a_stop_survives_the_death_of_the_process() -> None:
    before = stopped_at(STOPPED_AT, then=False)
    assert before.end == "interrupted"
    after = live(market(8), RULES, journal=before.journal.after_crash())
    (stop,) = after.tape.of("trading.state_changed")

    assert after.end == "finished"
    assert after.fold.records.latch.state == "stopped"
    assert not [row for row in after.tape.rows("trading.order_accepted") if row.seq > stop.seq]


def test_a_stop_cut_off_before_it_was_durable_was_not_acknowledged() -> None:
    """A journal that can't write it poisons the stop: the asker gets a crash, never a "stopped"."""
    told: list[str] = []

    async def between(house: House, frame: MarketFrame) -> bool:
        if frame.index == STOPPED_AT:
            with pytest.raises(ActorCrashed):
                told.append(await change(house, "stopped"))
            return False
        return True

    seq = stopped_at(STOPPED_AT, then=False).tape.of("trading.state_changed")[0].seq
    live(market(8), RULES, journal=MemoryJournal(fail_at_seq=seq), between=between)

    assert told == []


def test_after_a_restart_only_an_operator_resumes() -> None:
    before = stopped_at(STOPPED_AT, then=False)
    answers: list[TradingState] = []

    async def between(house: House, frame: MarketFrame) -> bool:
        if frame.index == STOPPED_AT + 10:
            answers.append(await change(house, "active", by="arena"))
            answers.append(await change(house, "reducing", by="arena"))
            answers.append(await change(house, "active"))
        return True

    after = live(market(8), RULES, journal=before.journal.after_crash(), between=between)
    filled = [row.turn for row in after.tape.rows("trading.order_filled")]

    assert answers == ["stopped", "stopped", "active"]
    assert any(turn > STOPPED_AT + 10 for turn in filled)
    assert not any(STOPPED_AT + 1 < turn <= STOPPED_AT + 10 for turn in filled)


async def _queue_three_then_stop(bench: Bench) -> None:
    await bench.fund(ANN, 10_000)
    wishes = ("USDC>aUSDC@aave-v3", "USDC>USDT@uniswap-v3", "USDC>WETH@uniswap-v3 WETH>wstETH@lido")
    orders = [order_of(ANN, 0, path, 10**9, number=number) for number, path in enumerate(wishes)]
    assert await bench.turn(0, *orders) == (3, 0)
    message = ChangeTradingState(state="stopped", by="operator", reason="test")
    await bench.engine.ask(message, timeout_s=1)
    await bench.turn(1)

    filled = [row.body["order_id"] for row in bench.rows("trading.order_filled")]
    ended = {row.body["order_id"]: row.body["reason"] for row in bench.rows("trading.order_ended")}
    assert filled == ["ann-0001/0/0"], "it was at the venue before the stop"
    assert ended == {"ann-0001/0/1": "stopped", "ann-0001/0/2": "stopped"}
    assert (await bench.owned(ANN)).keys() == {"USDC", "aUSDC"}


def test_queued_orders_are_not_released_after_a_stop() -> None:
    check_on_bench(_queue_three_then_stop)


async def _stop_between_hops(bench: Bench) -> None:
    await bench.fund(ANN, 10_000)
    path = "USDC>WETH@uniswap-v3 WETH>wstETH@lido"
    assert await bench.turn(0, order_of(ANN, 0, path, 10**9)) == (1, 0)
    message = ChangeTradingState(state="stopped", by="operator", reason="test")
    await bench.engine.ask(message, timeout_s=1)
    await bench.turn(1)
    (ended,) = bench.rows("trading.order_ended")
    hops = [row.body["hop"] for row in bench.rows("trading.order_filled")]

    assert hops == [0]
    assert (ended.body["hop"], ended.body["reason"]) == (1, "stopped")
    assert (await bench.owned(ANN)).keys() == {"USDC", "WETH"}


def test_a_route_goes_no_hop_further_after_a_stop() -> None:
    check_on_bench(_stop_between_hops)


class BrokenVenue:
    """A venue whose answers are exceptions; counts what it was sent."""

    leaves_process = False

    def __init__(self) -> None:
        self.sent: list[Ticket] = []
        self.asked = 0

    async def resume(self, tickets: Sequence[Ticket]) -> None:
        self.sent.extend(tickets)

    async def send(self, ticket: Ticket) -> None:
        self.sent.append(ticket)

    async def holdings(self) -> Mapping[AssetId, int] | None:
        return None

    def alarms(self) -> list[Alarm]:
        return []

    async def heed(self, change: TradingStateChanged) -> None:
        pass

    async def collect(self, frame: MarketFrame) -> list[Receipt]:
        self.asked += 1
        if self.sent:
            raise TimeoutError("the node did not answer")
        return []


def test_no_exception_is_retried() -> None:
    """What was sent once is never sent again, whatever the venue raises: trading stops instead."""
    venue = BrokenVenue()

    async def scene(bench: Bench) -> None:
        await bench.fund(ANN, 10_000)
        await bench.turn(0, order_of(ANN, 0, "USDC>aUSDC@aave-v3", 10**9))
        with pytest.raises(ActorCrashed, match="the node did not answer"):
            await bench.turn(1)
        assert isinstance(bench.core.escalation, TimeoutError)
        assert not bench.rows("trading.order_filled")

    check_on_bench(scene, venue=venue)

    assert (len(venue.sent), venue.asked) == (1, 2)


def test_the_same_order_sent_twice_is_executed_once() -> None:
    async def scene(bench: Bench) -> None:
        await bench.fund(ANN, 10_000)
        order = order_of(ANN, 0, "USDC>aUSDC@aave-v3", 10**9)
        assert await bench.turn(0, order, order) == (1, 1)
        await bench.turn(1, order)
        assert len(bench.rows("trading.order_filled")) == 1
        assert [row.body["reason"] for row in bench.rows("trading.order_refused")] == ["duplicate"] * 2

    check_on_bench(scene)


@pytest.mark.parametrize("cut", [1, 61, 150, 168, 169, 191])
def test_a_run_that_died_and_went_on_is_the_run_that_did_not(cut: int) -> None:
    async def between(_: House, frame: MarketFrame) -> bool:
        return frame.index != cut

    died = live(market(8), RULES, between=between)
    resumed = live(market(8), RULES, journal=died.journal.after_crash())
    whole = live(market(8), RULES)
    fills = [(row.body["order_id"], row.body["hop"]) for row in resumed.tape.rows("trading.order_filled")]

    assert len(set(fills)) == len(fills)
    assert resumed.fold.records.state_hash == whole.fold.records.state_hash
