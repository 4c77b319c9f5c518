"""The trading engine: one actor that every execution passes, in order, within limits, unless stopped."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.ref import Ref
from treasury_actors.clock import Clock
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.journal.ports import Journal
from treasury_actors.ledger.messages import LedgerMessage
from treasury_actors.ledger.model import GAS, GAS_BURNT, Posting, available, held, transfer, venue
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.books import Books
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
from treasury_actors.trading.model.stop import BROKEN_INVARIANT, OPERATOR, StopLatch, TradingState
from treasury_actors.trading.ports import Executed, NotExecuted, Receipt, Reversed, Ticket, Venue


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
        self._books = Books(ledger=ledger, journal=journal, clock=clock)
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
        self._undone: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<TradingEngine {self._latch.state}, {self._open_orders!r}>"

    async def started(self) -> None:
        """Tell the venue what it had: one that lives in this process forgot it when the process ended."""
        await self._venue.resume([self._ticket(working) for working in self._open_orders.at_venue()])

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
                return await self._change_state(message.state, message.by, message.reason)
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
        for alarm in self._venue.alarms():
            if alarm.stops:
                await self._change_state("stopped", BROKEN_INVARIANT, alarm.reason)
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
                self._books.record(refused, order.order_id)
                continue
            accepted += 1
            event = OrderAccepted(order=order, value_micro_usd=verdict)
            self._books.record(event, order.order_id)
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
        statement = await self._books.statement(order.agent)
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
            statement = await self._books.statement(agent)
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
                await self._books.post(f"{order.order_id}/hold", "hold", postings, order.order_id)
                await self._release(order, 0, units, gas_wei)
                return

    async def _release(self, order: Order, hop: int, units: int, gas_wei: int) -> None:
        """Set aside the gas of a hop and send it."""
        event = OrderReleased(
            order_id=order.order_id, agent=order.agent, hop=hop, units=units, gas_wei_max=gas_wei
        )
        self._books.record(event, order.order_id)
        self._gas.promise(order.agent, gas_wei)
        await self._send(self._open_orders.released(event))

    async def _send(self, working: Working) -> None:
        """Send the order's current hop; if that can't be taken back, what led to it is durable first."""
        if self._venue.leaves_process:
            await self._books.flush()
        await self._venue.send(self._ticket(working))

    def _ticket(self, working: Working) -> Ticket:
        """Return the ticket of an order's current hop."""
        order = working.order
        return Ticket(
            order_id=order.order_id,
            agent=order.agent,
            hop=working.hop,
            conversion=self._universe.conversion_by_id[order.path[working.hop]],
            units=working.held_units,
            gas_wei_max=working.gas_wei_max,
            reduces=order.reduce_only,
            epoch=self._latch.epoch,
        )

    async def _settle(self, receipt: Receipt, frame: MarketFrame) -> None:
        """Post what a venue did, then let the order, or the agent's next one, go on."""
        if isinstance(receipt, Reversed):
            await self._reverse(receipt)
            return
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
        await self._books.post(name, "settle", tuple(postings), order.order_id)
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
        self._books.record(filled, order.order_id)
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
        await self._books.post(f"{order.order_id}/{working.hop}/release", "release", postings, order.order_id)
        self._end(order, working.hop, reason, detail, gas_wei)

    def _end(self, order: Order, hop: int, reason: TradingReason, detail: str, gas_wei: int = 0) -> None:
        """Record that an accepted order ended without a further fill."""
        ended = OrderEnded(
            order_id=order.order_id, agent=order.agent, hop=hop, reason=reason, detail=detail, gas_wei=gas_wei
        )
        self._books.record(ended, order.order_id)
        self._gas.burn(order.agent, gas_wei)
        self._open_orders.ended(ended)

    async def _reverse(self, receipt: Reversed) -> None:
        """
        Post the reverse of a hop that a reorganisation undid, or post it again once it is in a block.

        What the agent was charged for gas stays; what the treasury burnt follows the chain. An agent that has
        spent the proceeds already leaves the books short of the chain: then nothing more is traded.
        """
        name = f"{receipt.order_id}/{receipt.hop}"
        step = self._universe.conversion_by_id[receipt.conversion]
        own, theirs = available(receipt.agent), venue(step.venue)
        gave, got = (own, theirs) if receipt.again else (theirs, own)
        postings = [
            *transfer(gave, got, step.source, receipt.given_units),
            *transfer(got, gave, step.target, receipt.taken_units),
        ]
        burns = (GAS, GAS_BURNT) if receipt.again else (GAS_BURNT, GAS)
        postings += transfer(*burns, self._universe.gas, receipt.gas_wei)
        if receipt.again and self._undone.pop(name, None) is None:
            return
        kind = "redo" if receipt.again else "undo"
        refused = await self._books.try_post(
            f"{name}/{kind}/{receipt.block_hash}", "reverse", postings, receipt.order_id
        )
        self._touched.add(receipt.agent)
        if refused is not None:
            reason = f"{name}: a reorganisation {kind}es what is spent: {refused.reason} ({refused.detail})"
            await self._change_state("stopped", BROKEN_INVARIANT, reason)
        elif not receipt.again:
            self._undone[name] = receipt.block_hash

    async def _change_state(self, state: TradingState, by: str, reason: str) -> TradingState:
        """
        Latch, make it durable, then acknowledge.

        A person is told only what can't be lost. A machine reduces in the middle of a turn, and a turn is
        durable as a whole: its change is committed with the turn, before anybody outside can see it.
        """
        changed = self._latch.decide(state, by, reason)
        if changed is not None:
            self._books.record(changed, f"stop:{changed.epoch}")
            self._latch.apply(changed)
            await self._venue.heed(changed)
        if by == OPERATOR:
            await self._books.flush()
            self._latch.switch.pulled = False
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
