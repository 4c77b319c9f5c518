"""Known-bad changes of the engine, its limits, its stop and its gas."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from treasury_actors.faults.planting import Change, known_bad
from treasury_actors.ids import AgentId, OrderId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.trading import engine
from treasury_actors.trading.engine import TradingEngine
from treasury_actors.trading.model.gas import GasBudgets
from treasury_actors.trading.model.limits import Refusal
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.open_orders import OpenOrders, Working
from treasury_actors.trading.model.order import Order, OrderFilled, TradingReason
from treasury_actors.trading.model.stop import StopLatch, TradingState, TradingStateChanged
from treasury_actors.wiring.fold import Records

Check: TypeAlias = Callable[..., Refusal | None]


@known_bad("stop-checked-only-at-intake", "An order that was accepted before a stop is released after it")
def _stop_checked_only_at_intake() -> Iterator[Change]:
    def careless(order: Order, mandate: Mandate | None, latch: StopLatch) -> Refusal | None:
        del order, mandate, latch
        return None

    yield engine, "check_release", careless


@known_bad("stop-not-checked-at-intake", "New orders are accepted while trading is stopped")
def _stop_not_checked_at_intake() -> Iterator[Change]:
    def careless(order: Order, latch: StopLatch) -> Refusal | None:
        del order, latch
        return None

    yield engine, "check_latch", careless


@known_bad("stop-flag-read-before-await", "The state of trading is read once and used for what comes later")
def _stop_flag_read_before_await() -> Iterator[Change]:
    check_latch: Check = vars(engine)["check_latch"]
    check_release: Check = vars(engine)["check_release"]
    read: list[tuple[StopLatch, TradingState]] = []

    def late(latch: StopLatch) -> StopLatch:
        read.append((latch, latch.state))
        whose, state = read[-2:][0]
        del read[:-1]
        return replace(latch, state=state) if whose is latch else latch

    def late_latch(order: Order, latch: StopLatch) -> Refusal | None:
        return check_latch(order, late(latch))

    def late_release(order: Order, mandate: Mandate | None, latch: StopLatch) -> Refusal | None:
        return check_release(order, mandate, late(latch))

    yield engine, "check_latch", late_latch
    yield engine, "check_release", late_release


@known_bad("stop-not-durable", "A stop is a flag in memory")
def _stop_not_durable() -> Iterator[Change]:
    decide = StopLatch.decide

    def light(self: StopLatch, wanted: TradingState, by: str, reason: str) -> TradingStateChanged | None:
        changed = decide(self, wanted, by, reason)
        if changed is not None:
            self.apply(changed)
        return None

    yield StopLatch, "decide", light


@known_bad("stop-acknowledged-before-durable", "An operator is told of a stop that a power cut can take away")
def _stop_acknowledged_before_durable() -> Iterator[Change]:
    yield engine, "OPERATOR", "nobody"


@known_bad("stop-forgotten-at-start", "A start finds trading active, whatever the journal says")
def _stop_forgotten_at_start() -> Iterator[Change]:
    apply = Records.apply

    def forgetful(self: Records, event: object) -> None:
        if not isinstance(event, TradingStateChanged):
            apply(self, event)

    yield Records, "apply", forgetful


@known_bad(
    "machine-resumes", "What a machine wants of the latch is done, whatever it is; and it wants to trade on"
)
def _machine_resumes() -> Iterator[Change]:
    decide = StopLatch.decide

    def obedient(self: StopLatch, wanted: TradingState, by: str, reason: str) -> TradingStateChanged | None:
        if by == "operator":
            return decide(self, wanted, by, reason)
        return TradingStateChanged(state="active", by=by, reason=reason, epoch=self.epoch + 1)

    yield StopLatch, "decide", obedient


@known_bad("closing-mandate-releases", "What a retired agent ordered before goes to the venue after")
def _closing_mandate_releases() -> Iterator[Change]:
    check_latch: Check = vars(engine)["check_latch"]

    def careless(order: Order, mandate: Mandate | None, latch: StopLatch) -> Refusal | None:
        del mandate
        return check_latch(order, latch)

    yield engine, "check_release", careless


@known_bad("second-order-at-venue", "An agent's next order is released while one is at a venue")
def _second_order_at_venue() -> Iterator[Change]:
    def impatient(self: OpenOrders, agent: AgentId) -> Order | None:
        queue = self._queues.get(agent)
        return queue[0] if queue else None

    yield OpenOrders, "next_of", impatient


@known_bad("fill-synthesised", "A receipt that nobody waits for is settled all the same")
def _fill_synthesised() -> Iterator[Change]:
    working, filled = OpenOrders.working, OpenOrders.filled
    over: dict[OrderId, tuple[OpenOrders, Working]] = {}

    def remembers(self: OpenOrders, event: OrderFilled) -> Working | None:
        found = working(self, event.order_id)
        if found is None:
            return None
        then = Working(found.order, found.hop, found.held_units, found.gas_wei_max)
        over[event.order_id] = (self, then)
        return filled(self, event)

    def obliging(self: OpenOrders, order_id: OrderId) -> Working | None:
        whose, then = over.get(order_id, (None, None))
        return working(self, order_id) or (then if whose is self else None)

    yield OpenOrders, "filled", remembers
    yield OpenOrders, "working", obliging


@known_bad("duplicate-order-accepted", "An order that comes twice is accepted twice")
def _duplicate_order_accepted() -> Iterator[Change]:
    def blind(_: OpenOrders, __: Order) -> bool:
        return False

    yield OpenOrders, "has", blind


@known_bad("orders-not-sent-again", "What was at a venue of the process that died is at none after the start")
def _orders_not_sent_again() -> Iterator[Change]:
    async def idle(_: TradingEngine) -> None:
        pass

    yield TradingEngine, "started", idle


@known_bad("limits-ignored", "An order of any size is accepted")
def _limits_ignored() -> Iterator[Change]:
    check_order: Callable[..., int | Refusal] = vars(engine)["check_order"]

    def generous(**asked: Any) -> int | Refusal:  # noqa: ANN401 - handed on
        verdict = check_order(**asked)
        sizes = (
            TradingReason.ABOVE_TRADE_LIMIT,
            TradingReason.ABOVE_TURNOVER_LIMIT,
            TradingReason.BELOW_MINIMUM,
        )
        if isinstance(verdict, Refusal) and verdict.reason in sizes:
            source = asked["universe"].conversion_by_id[asked["order"].path[0]].source
            ticks = asked["frame"].ticks[asked["universe"].column[source]]
            return int(asked["universe"].by_id[source].value_micro_usd(asked["order"].units, ticks))
        return verdict

    yield engine, "check_order", generous


@known_bad("stale-price-accepted", "An order is accepted at a price that is hours old")
def _stale_price_accepted() -> Iterator[Change]:
    check_order: Callable[..., int | Refusal] = vars(engine)["check_order"]

    def credulous(**asked: Any) -> int | Refusal:  # noqa: ANN401 - handed on
        frame: MarketFrame = asked["frame"]
        asked["frame"] = replace(frame, fresh=tuple(True for _ in frame.fresh))
        return check_order(**asked)

    yield engine, "check_order", credulous


@known_bad("gas-promised-twice", "Every transaction may burn what there is, whatever others were promised")
def _gas_promised_twice() -> Iterator[Change]:
    def generous(_: GasBudgets, order: Order, *, balance_wei: int, policy_wei: int) -> int:
        del order
        return min(balance_wei, policy_wei)

    yield GasBudgets, "cap_wei", generous
