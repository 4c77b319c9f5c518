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
from treasury_actors.ledger.model import Posting, available, held, transfer, venue
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.books import Books, moved
from treasury_actors.trading.chain_books import ChainBooks
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
from treasury_actors.trading.model.rates import (
    ARENA_BREACHES,
    RATES,
    RateLimits,
    check_agent_rates,
    check_arena_rates,
)
from treasury_actors.trading.model.stop import BROKEN_INVARIANT, OPERATOR, StopLatch, TradingState, VenueAlarm
from treasury_actors.trading.ports import Executed, NotExecuted, Receipt, Reversed, Ticket, Venue

LOOKS_MAX = 64
"""So often a real venue is asked at a season's end for what is still on its way."""


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
        rates: RateLimits,
    ) -> None:
        self._universe = universe
        self._books = Books(ledger=ledger, journal=journal, clock=clock)
        self._venue = venue
        self._chain_books = ChainBooks(universe=universe, books=self._books, venue=venue)
        self._latch = latch
        self._turnover = turnover
        self._rates = rates
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
        while receipts := await self._venue.collect(frame):
            for receipt in receipts:
                await self._settle(receipt, frame)
        for alarm in self._venue.alarms():
            self._books.record(VenueAlarm(reason=alarm.reason, stops=alarm.stops), f"turn:{frame.index}")
            await self._stop_if(alarm.reason if alarm.stops else None)
        await self._stop_if(await self._chain_books.compare(frame.index))
        touched, self._touched = self._touched, set()
        return TurnOpened(turn=frame.index, touched=tuple(sorted(touched)))

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
            self._turnover.add(event)
            self._open_orders.accepted(event)
        for agent in self._open_orders.waiting_agents() if self._chain_books.agree else ():
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
        forbidden = self._chain_books.check()
        if forbidden is not None:
            return forbidden
        if self._open_orders.has(order):
            return Refusal(reason=TradingReason.DUPLICATE, detail="this order was accepted before")
        if self._open_orders.working_since_before(order):
            return Refusal(reason=TradingReason.IN_FLIGHT, detail="an earlier order is still open")
        statement = await self._books.statement(order.agent)
        verdict = check_order(
            universe=self._universe,
            order=order,
            mandate=self._mandates.get(order.agent),
            holdings=statement.available,
            turnover_micro_usd=self._turnover.micro_usd(order.agent, frame.index),
            gas_left_wei=self._gas.left_wei(order.agent),
            frame=frame,
            stale_exits=self._venue.leaves_process,
        )
        return verdict if isinstance(verdict, Refusal) else await self._check_rates(order, verdict)

    async def _check_rates(self, order: Order, value: int) -> int | Refusal:
        """Return the value of an order that isn't too much for its hour; a runaway arena may only reduce."""
        mandate = self._mandates[order.agent]
        refusal = check_agent_rates(
            order, value, mandate=mandate.limits, rates=self._rates, turnover=self._turnover
        ) or check_arena_rates(order, value, rates=self._rates, turnover=self._turnover)
        if refusal is not None and refusal.reason in ARENA_BREACHES:
            await self._change_state("reducing", RATES, f"{refusal.reason}: {refusal.detail}")
        return value if refusal is None else refusal

    async def _release_next(self, agent: AgentId) -> None:
        """Hold the input of the agent's next order and send its first hop."""
        while self._chain_books.agree and (order := self._open_orders.next_of(agent)) is not None:
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
                self._touched.add(agent)
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
            self._touched.add(receipt.agent)
            await self._stop_if(await self._chain_books.reverse(receipt))
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
        if not bought.taken_units:  # no minimum allows that: the contract is not what is pinned
            await self._stop_if(f"{step.venue} took {bought.given_units} {step.source} for no {step.target}")
        forbidden = None
        if not last:
            forbidden = self._chain_books.check() or check_release(order, mandate, self._latch)
        goal = available(order.agent) if last or forbidden else held(order.agent)
        left = working.held_units - bought.given_units
        postings = [
            *moved(held(order.agent), venue(step.venue), step.source, bought.given_units),
            *moved(venue(step.venue), goal, step.target, bought.taken_units),
            *moved(held(order.agent), available(order.agent), step.source, left),
        ]
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

    async def _stop_if(self, reason: str | None) -> None:
        """Stop trading if there is a reason to: what holds the house together doesn't hold."""
        if reason is not None:
            await self._change_state("stopped", BROKEN_INVARIANT, reason)

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
            if state == "active" and self._venue.leaves_process:
                self._chain_books.agree = False
        if by == OPERATOR:
            await self._books.flush()
            self._latch.switch.pulled = False
        return self._latch.state

    async def _cancel_open_orders(self) -> int:
        """End the orders of a season that is over; what was sent to a real venue is watched to its end."""
        cancelled = len(self._open_orders)
        detail = "the season ended before its next frame"
        for agent in self._open_orders.waiting_agents():
            for order in self._open_orders.waiting(agent):
                self._end(order, 0, TradingReason.SEASON_OVER, detail)
        if self._venue.leaves_process:
            await self._watch_to_the_end()
            return cancelled
        for working in self._open_orders.at_venue():
            source = self._universe.conversion_by_id[working.order.path[working.hop]].source
            await self._give_back(working, source, TradingReason.SEASON_OVER, detail)
        return cancelled

    async def _watch_to_the_end(self) -> None:
        """Settle what is at the venue until nothing is, or until looking again has shown nothing for long."""
        assert self._frame is not None, "a season that is over had frames"
        for _ in range(LOOKS_MAX):
            for receipt in await self._venue.collect(self._frame):
                await self._settle(receipt, self._frame)
            if not self._open_orders.at_venue():
                break
        for _ in range(2):  # a gift is booked when it is seen again
            await self._stop_if(await self._chain_books.compare(self._frame.index))
