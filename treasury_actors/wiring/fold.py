"""From a journal and its frames to the state of the house: the only way state comes to be at a start."""

from dataclasses import dataclass, field
from typing import assert_never

from treasury_actors.agents.messages import StateRecorded
from treasury_actors.arena.model.events import SeasonOpened
from treasury_actors.arena.model.promotion import PromotionEvent, Promotions
from treasury_actors.arena.model.roster import Roster
from treasury_actors.arena.model.state import state_hash
from treasury_actors.arena.model.tracks import Tracks
from treasury_actors.clock import HOUR_NS
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AgentId, AssetId, OrderId
from treasury_actors.journal.event import Recorded
from treasury_actors.ledger.model import Book, Entry, held
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.model.gas import GasBudgets
from treasury_actors.trading.model.limits import Turnover
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.marks import Marks
from treasury_actors.trading.model.nonce_slots import Slots
from treasury_actors.trading.model.open_orders import OpenOrders
from treasury_actors.trading.model.order import OrderAccepted, OrderEnded, OrderFilled, OrderReleased
from treasury_actors.trading.model.signing_gate import SigningGate
from treasury_actors.trading.model.stop import StopLatch, TradingStateChanged
from treasury_actors.trading.model.transaction import (
    IntentId,
    TxEnded,
    TxEvent,
    TxPermitted,
    TxReorged,
    call_intent,
)
from treasury_actors.wiring.courses import Courses, flow_of

_CHANGE_NOTHING = frozenset({"trading.order_refused.v1"})
"""Types of events that are a fifth of a journal and no part of any state: a fold need not decode them."""


@dataclass(slots=True)
class Records:
    """
    What a journal alone adds up to; no frame is needed for it.

    Attributes:
        wallets: the nonces of each address that ever signed for this house.
        unfinal: fills on a chain that a reorganisation could still undo, by the call's intent.
        unbooked: transactions and their blocks that were undone before their order was: nothing was posted.
        promotions: what was proposed to rise, and what became of it.
    """

    book: Book
    roster: Roster
    latch: StopLatch
    gate: SigningGate
    turnover: Turnover
    budgets: GasBudgets
    open_orders: OpenOrders
    wallets: dict[str, Slots]
    unfinal: dict[IntentId, OrderFilled]
    unbooked: dict[tuple[IntentId, str], None] = field(default_factory=dict)
    promotions: Promotions = field(default_factory=Promotions)

    @classmethod
    def empty(cls, universe: Universe) -> "Records":
        """Return the state of an empty journal."""
        latch = StopLatch()
        return cls(
            book=Book(asset.id for asset in universe.assets),
            roster=Roster(),
            latch=latch,
            gate=SigningGate(switch=latch.switch),
            turnover=Turnover(),
            budgets=GasBudgets(),
            open_orders=OpenOrders(),
            wallets={},
            unfinal={},
        )

    def slots(self, chain_id: int, sender: str) -> Slots:
        """Return the nonces of an address: none yet, if it never signed."""
        return self.wallets.setdefault(sender, Slots(chain_id=chain_id, sender=sender))

    def apply(self, event: object) -> None:
        """Fold one event."""
        match event:
            case Entry():
                self.book.apply(event)
            case OrderAccepted() | OrderReleased() | OrderFilled() | OrderEnded():
                self._order(event)
            case Mandate():
                self.roster.apply(event)
                self.budgets.mandated(event)
            case TradingStateChanged():
                self.latch.apply(event)
                self.gate.apply(event)
            case TxPermitted():
                self.gate.apply(event)
            case _ if isinstance(event, PromotionEvent):
                self.promotions.apply(event)
            case _ if isinstance(event, TxEvent):
                self._transaction(event)
            case _:
                self.roster.apply(event)

    def _order(self, event: OrderAccepted | OrderReleased | OrderFilled | OrderEnded) -> None:
        """Fold what became of an order, and what it burnt."""
        match event:
            case OrderAccepted():
                self.open_orders.accepted(event)
                self.turnover.add(event)
            case OrderReleased():
                self.open_orders.released(event)
                self.budgets.promise(event.agent, event.gas_wei_max)
            case OrderFilled():
                self.open_orders.filled(event)
                self.budgets.burn(event.agent, event.gas_wei)
                if self.wallets:
                    self.unfinal[call_intent(event.order_id, event.hop)] = event
            case OrderEnded():
                self.open_orders.ended(event)
                self.budgets.burn(event.agent, event.gas_wei)
            case _:
                assert_never(event)

    def _transaction(self, event: TxEvent) -> None:
        """Fold what became of a transaction; a final one can't be undone any more."""
        slots = self.slots(event.slot.chain_id, event.slot.sender)
        if isinstance(event, TxReorged) and event.compensates:
            slot = slots.get(event.slot)
            if slot is not None and self._is_at_venue(slot.intent):
                self.unbooked[slot.intent, event.block_hash] = None
        slots.apply(event)
        if isinstance(event, TxEnded):
            self.unfinal.pop(event.intent, None)

    def _is_at_venue(self, intent: IntentId) -> bool:
        """Say whether the hop a transaction is for is not over."""
        order_id, _, rest = intent.rpartition("/")[0].rpartition("/")
        working = self.open_orders.working(OrderId(order_id)) if order_id else None
        return working is not None and str(working.hop) == rest

    def verify(self) -> None:
        """Raise InvariantViolated unless the books balance (I2) and hold what orders are out for (I18)."""
        imbalances = self.book.imbalances()
        if imbalances:
            raise InvariantViolated(f"I2: {'; '.join(imbalances)}")
        at_venue = {working.order.agent: working.held_units for working in self.open_orders.at_venue()}
        for agent in sorted(self.roster.members):
            units = sum(self.book.balances(held(agent)).values())
            if units != at_venue.get(agent, 0):
                raise InvariantViolated(
                    f"I18: {agent} holds {units} units for {at_venue.get(agent, 0)} at a venue"
                )

    @property
    def state_hash(self) -> str:
        """The hash of ledger, mandates, lineage and last states."""
        return state_hash(self.book, self.roster)


class Fold:
    """
    Folds a journal along the frames it was lived on.

    What depends on prices (each mandate's course, each agent's daily record) is not journalled: it is
    computed again, at the same frames, in the same order. Capital moves after the frame was marked; the
    opening of a season is the exception, its capital is there before frame 0.

    Attributes:
        turn: the last frame that has an event; -1 before the first.
    """

    def __init__(self, *, season: Season, lending_benchmark: AssetId) -> None:
        self.records = Records.empty(season.universe)
        self.turn = -1
        self._season = season
        self._lending_benchmark = lending_benchmark
        self._seq = 0
        self._states: dict[AgentId, StateRecorded] = {}  # the newest alone; a third of all events
        self._start_ns: int | None = None
        self._courses = self._new_courses()

    @property
    def universe(self) -> Universe:
        """The universe of the season."""
        return self._season.universe

    @property
    def marks(self) -> Marks:
        """Each mandate's course, up to the last `finish`."""
        return self._courses.marks

    @property
    def tracks(self) -> Tracks:
        """Each living agent's daily record, up to the last `finish`."""
        return self._courses.tracks

    def add(self, recorded: Recorded) -> None:
        """Fold the next event of the journal."""
        if recorded.seq != self._seq + 1:
            raise InvariantViolated(f"I5: event {recorded.seq} of the journal follows event {self._seq}")
        self._seq = recorded.seq
        if recorded.type in _CHANGE_NOTHING:
            self._reach(recorded.time_ns)
            return
        event = recorded.event
        if isinstance(event, SeasonOpened):
            self._open(event)
        self._reach(recorded.time_ns)
        if isinstance(event, StateRecorded):
            self._states[event.agent] = event
        elif self._start_ns is None:
            self.records.apply(event)
        elif (agent := flow_of(event)) is not None:
            self._flow(event, agent)
        else:
            self._follow(event)

    def settle(self) -> None:
        """Do now what would be due later, at the latest in `finish`; more events may follow."""
        self._courses.catch_up_all()

    def finish(self) -> None:
        """Mark the last turn: all its events are in; raise InvariantViolated if they don't add up."""
        for state in self._states.values():
            self.records.apply(state)
        self._states.clear()
        self.records.verify()
        if self.turn >= 0:
            self.mark_up_to(self.turn)

    def mark_up_to(self, index: int) -> None:
        """Mark everyone at every frame up to this one: those after the last event leave no other trace."""
        self._courses.reach(index)
        self._courses.catch_up_all()

    def _open(self, event: SeasonOpened) -> None:
        """Begin with a season: what earlier ones left is in the books alone."""
        is_this = event.data_hash == self._season.data_hash
        self._start_ns = event.start_ns if is_this else None
        self.turn = -1
        self._courses = self._new_courses()

    def _reach(self, time_ns: int) -> None:
        """Go on to the turn of an event; the frames before it are due."""
        if self._start_ns is None:
            return
        turn = (time_ns - self._start_ns) // HOUR_NS
        if turn > self.turn:
            self.turn = turn
            self._courses.reach(turn - 1)

    def _follow(self, event: object) -> None:
        """Fold an event that moves no capital."""
        self._courses.before(event)
        self.records.apply(event)
        self._courses.after(event, self.turn)

    def _flow(self, event: object, agent: AgentId) -> None:
        """Fold an entry that moves capital: this turn's fills are in, so its frame is due."""
        assert isinstance(event, Entry), "only an entry moves capital"
        frame = self._season.frame(self.turn)
        if self.turn > 0:
            self._courses.reach(self.turn)
        self._courses.catch_up(agent)
        before = self._courses.nav(agent, frame)
        self.records.apply(event)
        if self.records.roster.members[agent].life == "living":
            self._courses.flow(event, agent, before, frame)

    def _new_courses(self) -> Courses:
        return Courses(
            season=self._season,
            lending_benchmark=self._lending_benchmark,
            book=self.records.book,
            roster=self.records.roster,
        )
