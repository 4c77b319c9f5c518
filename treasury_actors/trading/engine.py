"""The trading engine: one actor that every execution passes, in order, within limits, unless stopped."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.ref import Ref
from treasury_actors.clock import Clock
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AgentId, AssetId, EntryId, OrderId
from treasury_actors.journal.ports import Journal
from treasury_actors.ledger.messages import (
    EntryPosted,
    LedgerMessage,
    Post,
    Statement,
)
from treasury_actors.ledger.model import (
    AgentStatement,
    Entry,
    EntryKind,
    EntryRejected,
    Posting,
    available,
    held,
    transfer,
    venue,
)
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.message import Provenance
from treasury_actors.trading.gas_account import GasAccount
from treasury_actors.trading.messages import (
    CancelOpenOrders,
    ChangeTradingState,
    CloseTurn,
    EngineMessage,
    GasToDivide,
    OpenTurn,
    SetMandates,
    SubmitOrders,
    TurnClosed,
    TurnOpened,
)
from treasury_actors.trading.model.gas import GasBudgets
from treasury_actors.trading.model.limits import Refusal, Turnover, check_latch, check_order, check_release
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.open_orders import OpenOrders, Working
from treasury_actors.trading.model.order import (
    Order,
    OrderAccepted,
    OrderEnded,
    OrderFilled,
    OrderRefused,
    OrderReleased,
    TradingReason,
    order_id,
)
from treasury_actors.trading.model.stop import OPERATOR, StopLatch, TradingState, TradingStateChanged
from treasury_actors.trading.ports import Executed, NotExecuted, Receipt, Ticket, Venue

ASK_TIMEOUT_S = 30.0


class TradingEngine(Actor[EngineMessage]):
    """
    Takes orders at the close of a turn, settles executions at the opening of the next.

    An agent has one order at a venue at a time (I13); its next is released when that one has ended, from
    what the fill really brought. Every step is journalled before it has an effect.
    """

    def __init__(
        self,
        *,
        universe: Universe,
        ledger: Ref[LedgerMessage],
        journal: Journal,
        clock: Clock,
        venue: Venue,
        latch: StopLatch,
        turnover: Turnover,
        budgets: GasBudgets,
        open_orders: OpenOrders,
        mandates: Iterable[Mandate],
        gas_wei_max: int,
    ) -> None:
        self._universe = universe
        self._ledger = ledger
        self._journal = journal
        self._clock = clock
        self._venue = venue
        self._latch = latch
        self._turnover = turnover
        self._open_orders = open_orders
        self._gas = GasAccount(universe=universe, ledger=ledger, budgets=budgets, policy_wei=gas_wei_max)
        self._mandates = {mandate.agent: mandate for mandate in mandates}
        self._gas.mandated(self._mandates.values())
        self._intake: list[Order] = []
        self._frame: MarketFrame | None = None
        self._touched: set[AgentId] = set()

    def __repr__(self) -> str:
        return f"<TradingEngine {self._latch.state}, {self._open_orders!r}>"

    async def started(self) -> None:
        """Send again what a venue that lives in this process forgot when the process ended."""
        if not self._venue.leaves_process:
            for working in self._open_orders.at_venue():
                await self._send(working)

    async def receive(self, message: EngineMessage) -> TurnOpened | TurnClosed | int | TradingState | None:
        """Handle one message."""
        match message:
            case OpenTurn():
                return await self._open(message.frame)
            case SubmitOrders():
                self._intake.extend(message.orders)
                return None
            case CloseTurn():
                return await self._close(message.turn)
            case SetMandates():
                self._mandates |= {mandate.agent: mandate for mandate in message.mandates}
                self._gas.mandated(message.mandates)
                return len(message.mandates)
            case GasToDivide():
                return await self._gas.divisible_wei()
            case ChangeTradingState():
                return await self._change_state(message)
            case CancelOpenOrders():
                return await self._cancel_open_orders()
            case _:
                assert_never(message)

    async def _open(self, frame: MarketFrame) -> TurnOpened:
        """Settle receipts until none comes: a settled order may release the next of its agent."""
        if self._frame is not None and frame.index <= self._frame.index:
            raise InvariantViolated(f"I11: frame {frame.index} after frame {self._frame.index}")
        self._frame = frame
        self._touched = set()
        while receipts := await self._venue.collect(frame):
            for receipt in receipts:
                await self._settle(receipt, frame)
        return TurnOpened(turn=frame.index, touched=tuple(sorted(self._touched)))

    async def _close(self, turn: int) -> TurnClosed:
        """Accept or refuse the orders of the turn, in (agent, number) order."""
        assert self._frame is not None, "a turn is opened before it is closed"
        intake, self._intake = sorted(self._intake, key=lambda o: (o.agent, o.number)), []
        accepted = 0
        for order in intake:
            verdict = await self._check(order, self._frame)
            if isinstance(verdict, Refusal):
                refused = OrderRefused(order=order, reason=verdict.reason, detail=verdict.detail)
                self._record(refused, order.order_id)
                continue
            accepted += 1
            event = OrderAccepted(order=order, value_micro_usd=verdict)
            self._record(event, order.order_id)
            if not order.reduce_only:
                self._turnover.add(event)
            self._open_orders.accepted(event)
        for agent in self._open_orders.waiting_agents():
            await self._release_next(agent)
        return TurnClosed(turn=turn, accepted=accepted, refused=len(intake) - accepted)

    async def _check(self, order: Order, frame: MarketFrame) -> int | Refusal:
        """Return the value of an order that may be done, or why it may not."""
        forbidden = check_latch(order, self._latch)
        if forbidden is not None:
            return forbidden
        if order.turn != frame.index or order.order_id != order_id(order.agent, order.turn, order.number):
            detail = f"decided at frame {order.turn}, now {frame.index}"
            return Refusal(reason=TradingReason.DUPLICATE, detail=detail)
        if self._open_orders.has(order):
            return Refusal(reason=TradingReason.DUPLICATE, detail="this order was accepted before")
        if self._open_orders.working_since_before(order):
            return Refusal(reason=TradingReason.IN_FLIGHT, detail="an earlier order is still open")
        statement = await self._statement(order.agent)
        return check_order(
            universe=self._universe,
            order=order,
            mandate=self._mandates.get(order.agent),
            holdings=statement.available,
            turnover_micro_usd=self._turnover.micro_usd(order.agent, frame.index),
            gas_left_wei=self._gas.left_wei(order.agent),
            frame=frame,
        )

    async def _release_next(self, agent: AgentId) -> None:
        """Hold the input of the agent's next order and send its first hop."""
        while (order := self._open_orders.next_of(agent)) is not None:
            source = self._universe.conversion_by_id[order.path[0]].source
            statement = await self._statement(agent)
            units = min(order.units, statement.available.get(source, 0))
            forbidden = check_release(order, self._mandates.get(agent), self._latch)
            if forbidden is not None:
                self._end(order, 0, forbidden.reason, forbidden.detail)
            elif units <= 0:
                self._end(order, 0, TradingReason.INSUFFICIENT_UNITS, f"no {source} left")
            elif not (gas_wei := await self._gas.cap_wei(order)):
                self._end(order, 0, TradingReason.NO_GAS, "no gas is left that this order may burn")
            else:
                postings = transfer(available(agent), held(agent), source, units)
                await self._post(f"{order.order_id}/hold", "hold", postings, order.order_id)
                await self._release(order, 0, units, gas_wei)
                return

    async def _release(self, order: Order, hop: int, units: int, gas_wei: int) -> None:
        """Set aside the gas of a hop and send it."""
        event = OrderReleased(
            order_id=order.order_id, agent=order.agent, hop=hop, units=units, gas_wei_max=gas_wei
        )
        self._record(event, order.order_id)
        self._gas.promise(order.agent, gas_wei)
        await self._send(self._open_orders.released(event))

    async def _send(self, working: Working) -> None:
        """Send the order's current hop; if that can't be taken back, what led to it is durable first."""
        order = working.order
        if self._venue.leaves_process:
            await self._journal.flush()
        ticket = Ticket(
            order_id=order.order_id,
            agent=order.agent,
            hop=working.hop,
            conversion=self._universe.conversion_by_id[order.path[working.hop]],
            units=working.held_units,
            gas_wei_max=working.gas_wei_max,
        )
        await self._venue.send(ticket)

    async def _settle(self, receipt: Receipt, frame: MarketFrame) -> None:
        """Post what a venue did, then let the order, or the agent's next one, go on."""
        working = self._open_orders.working(receipt.ticket.order_id)
        if working is None or working.hop != receipt.ticket.hop:
            raise InvariantViolated(f"I9: a receipt for {receipt.ticket.order_id} that nobody waits for")
        agent = working.order.agent
        self._touched.add(agent)
        match receipt:
            case Executed():
                await self._settle_executed(working, receipt, frame)
            case NotExecuted():
                source = receipt.ticket.conversion.source
                burnt, _ = await self._gas.charge(agent, receipt.gas_wei, 0, frame)
                await self._give_back(
                    working, source, receipt.reason, receipt.detail, also=burnt, gas_wei=receipt.gas_wei
                )
            case _:
                assert_never(receipt)
        await self._release_next(agent)

    async def _settle_executed(self, working: Working, receipt: Executed, frame: MarketFrame) -> None:
        """One entry for the whole execution: what was given, taken, left over and burnt as gas."""
        order, step, bought = working.order, receipt.ticket.conversion, receipt.quote
        last = working.hop + 1 == len(order.path)
        mandate = self._mandates.get(order.agent)
        forbidden = None if last else check_release(order, mandate, self._latch)
        goal = available(order.agent) if last or forbidden else held(order.agent)
        postings = [
            *transfer(held(order.agent), venue(step.venue), step.source, bought.given_units),
            *transfer(venue(step.venue), goal, step.target, bought.taken_units),
        ]
        left = working.held_units - bought.given_units
        if left:
            postings += transfer(held(order.agent), available(order.agent), step.source, left)
        is_income = goal == available(order.agent) and step.target == self._universe.reserve
        income = bought.taken_units if is_income else 0
        gas_postings, gas_charge = await self._gas.charge(order.agent, receipt.gas_wei, income, frame)
        postings += gas_postings
        name = f"{order.order_id}/{working.hop}"
        await self._post(name, "settle", tuple(postings), order.order_id)
        filled = OrderFilled(
            order_id=order.order_id,
            agent=order.agent,
            hop=working.hop,
            conversion=step.id,
            source=step.source,
            target=step.target,
            given_units=bought.given_units,
            taken_units=bought.taken_units,
            value_micro_usd=bought.value_micro_usd,
            fee_micro_usd=bought.fee_micro_usd,
            impact_micro_usd=bought.impact_micro_usd,
            gas_wei=receipt.gas_wei,
            gas_micro_usd=gas_charge,
            partial=bought.partial,
            last=last,
        )
        self._record(filled, order.order_id)
        self._gas.burn(order.agent, receipt.gas_wei)
        following = self._open_orders.filled(filled)
        if following is None:
            return
        if forbidden is not None:
            self._end(order, following.hop, forbidden.reason, forbidden.detail)
        elif not (gas_wei := await self._gas.cap_wei(order)):
            detail = "no gas is left for the next hop"
            await self._give_back(following, step.target, TradingReason.NO_GAS, detail)
        else:
            await self._release(order, following.hop, following.held_units, gas_wei)

    async def _give_back(
        self,
        working: Working,
        asset: AssetId,
        reason: TradingReason,
        detail: str,
        *,
        also: Sequence[Posting] = (),
        gas_wei: int = 0,
    ) -> None:
        """Release what is held for an order that ends here; one entry with the gas it may have burnt."""
        order = working.order
        postings = (*transfer(held(order.agent), available(order.agent), asset, working.held_units), *also)
        await self._post(f"{order.order_id}/{working.hop}/release", "release", postings, order.order_id)
        self._end(order, working.hop, reason, detail, gas_wei)

    def _end(self, order: Order, hop: int, reason: TradingReason, detail: str, gas_wei: int = 0) -> None:
        """Record that an accepted order ended without a further fill."""
        ended = OrderEnded(
            order_id=order.order_id, agent=order.agent, hop=hop, reason=reason, detail=detail, gas_wei=gas_wei
        )
        self._record(ended, order.order_id)
        self._gas.burn(order.agent, gas_wei)
        self._open_orders.ended(ended)

    async def _change_state(self, message: ChangeTradingState) -> TradingState:
        """
        Latch, make it durable, then acknowledge.

        A person is told only what can't be lost. A machine reduces in the middle of a turn, and a turn is
        durable as a whole: its change is committed with the turn, before anybody outside can see it.
        """
        changed = self._latch.decide(message.state, message.by, message.reason)
        if changed is not None:
            self._record(changed, f"stop:{changed.epoch}")
            self._latch.apply(changed)
        if message.by == OPERATOR:
            await self._journal.flush()
        return self._latch.state

    async def _cancel_open_orders(self) -> int:
        """End the orders of a simulated season that is over; a real venue's tickets can't be taken back."""
        assert not self._venue.leaves_process, "what was sent to a real venue is only watched"
        cancelled = len(self._open_orders)
        detail = "the season ended before its next frame"
        for working in self._open_orders.at_venue():
            source = self._universe.conversion_by_id[working.order.path[working.hop]].source
            await self._give_back(working, source, TradingReason.SEASON_OVER, detail)
        for agent in self._open_orders.waiting_agents():
            while (order := self._open_orders.next_of(agent)) is not None:
                self._end(order, 0, TradingReason.SEASON_OVER, detail)
        return cancelled

    async def _statement(self, agent: AgentId) -> AgentStatement:
        return await self._ledger.ask(Statement(agent=agent), timeout_s=ASK_TIMEOUT_S)

    async def _post(
        self, entry_id: str, kind: EntryKind, postings: tuple[Posting, ...], order_id: OrderId
    ) -> EntryPosted:
        """Post an entry that must be possible: the engine never asks for what the books don't allow."""
        entry = Entry(entry_id=EntryId(entry_id), kind=kind, postings=postings)
        provenance = Provenance(correlation_id=order_id)
        reply = await self._ledger.ask(Post(entry=entry, provenance=provenance), timeout_s=ASK_TIMEOUT_S)
        if isinstance(reply, EntryRejected):
            raise InvariantViolated(f"I3: the ledger refused {entry_id}: {reply.reason} ({reply.detail})")
        return reply

    def _record(
        self,
        event: OrderAccepted | OrderRefused | OrderReleased | OrderFilled | OrderEnded | TradingStateChanged,
        why: str,
    ) -> None:
        """Journal one event of the engine."""
        self._journal.append(
            event,
            stream="trading",
            time_ns=self._clock.now_ns(),
            provenance=Provenance(correlation_id=why),
        )
