"""From a journal and its frames to the state of the house: the only way state comes to be at a start."""

from dataclasses import dataclass, field
from typing import assert_never

from treasury_actors.agents.model.track import DAY_FRAMES
from treasury_actors.arena.model.events import AgentBorn, AgentClosed, AgentRetired, SeasonOpened
from treasury_actors.arena.model.promotion import PromotionEvent, Promotions
from treasury_actors.arena.model.roster import Roster
from treasury_actors.arena.model.state import state_hash
from treasury_actors.arena.model.tracks import Tracks
from treasury_actors.clock import HOUR_NS
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AgentId, AssetId, OrderId
from treasury_actors.journal.event import Recorded
from treasury_actors.ledger.model import Book, Entry, available, held, statement
from treasury_actors.market.model.frame import MarketFrame, Season
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
from treasury_actors.trading.model.valuation import nav_micro_usd

_AGENT_PREFIX, _AGENT_SUFFIX = "agent:", ":available"


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
        self.marks = Marks()
        self.tracks = Tracks(universe=season.universe, lending_benchmark=lending_benchmark)
        self.turn = -1
        self._season = season
        self._seq = 0
        self._marked = -1
        self._start_ns: int | None = None
        self._lending_benchmark = lending_benchmark

    @property
    def universe(self) -> Universe:
        """The universe of the season."""
        return self._season.universe

    def add(self, recorded: Recorded) -> None:
        """Fold the next event of the journal."""
        if recorded.seq != self._seq + 1:
            raise InvariantViolated(f"I5: event {recorded.seq} of the journal follows event {self._seq}")
        self._seq = recorded.seq
        event = recorded.event
        if isinstance(event, SeasonOpened):
            self._open(event)
        if self._start_ns is None:
            self.records.apply(event)
            return
        self.turn = max(self.turn, (recorded.time_ns - self._start_ns) // HOUR_NS)
        while self._marked < self.turn - 1:
            self._mark(self._season.frame(self._marked + 1))
        frame = self._season.frame(self.turn)
        agent = _flow_of(event)
        if agent is None:
            self.records.apply(event)
            self._follow(event, frame)
            return
        if self.turn > 0 and self._marked < self.turn:
            self._mark(frame)
        before = self._nav(agent, frame)
        self.records.apply(event)
        if self.records.roster.members[agent].life == "living":
            self._flow(event, agent, before, frame)

    def finish(self) -> None:
        """Mark the last turn: all its events are in; raise InvariantViolated if they don't add up."""
        self.records.verify()
        if self.turn >= 0 and self._marked < self.turn:
            self._mark(self._season.frame(self.turn))

    def _open(self, event: SeasonOpened) -> None:
        """Begin with a season: what earlier ones left is in the books alone."""
        is_this = event.data_hash == self._season.data_hash
        self._start_ns = event.start_ns if is_this else None
        self.turn = self._marked = -1
        self.marks = Marks()
        self.tracks = Tracks(universe=self._season.universe, lending_benchmark=self._lending_benchmark)

    def _follow(self, event: object, frame: MarketFrame) -> None:
        """Let marks and records follow births and deaths."""
        match event:
            case AgentBorn():
                self.tracks.begin(event.agent, frame)
            case AgentRetired():
                self.tracks.forget(event.agent)
            case AgentClosed():
                self.marks.forget(event.agent)
            case _:
                pass

    def _flow(self, event: object, agent: AgentId, before: int, frame: MarketFrame) -> None:
        """Take in capital that came or went."""
        assert isinstance(event, Entry), "only an entry moves capital"
        universe = self._season.universe
        units = sum(p.units for p in event.postings if p.account == available(agent))
        reserve, column = universe.by_id[universe.reserve], universe.column[universe.reserve]
        self.marks.flow(agent, reserve.value_micro_usd(units, frame.ticks[column]))
        self.tracks.flow(agent, frame.index, before, self._nav(agent, frame))

    def _mark(self, frame: MarketFrame) -> None:
        """Do what guardian and arena do with a frame once its fills are in."""
        self._marked = frame.index
        roster = self.records.roster
        for agent in sorted(roster.members):
            if roster.members[agent].life != "closed" and roster.members[agent].mandate is not None:
                self.marks.nav(agent, self._nav(agent, frame))
        if frame.index > 0 and frame.index % DAY_FRAMES == 0:
            for member in roster.living():
                self.tracks.mark(member.born.agent, frame, self._nav(member.born.agent, frame))

    def _nav(self, agent: AgentId, frame: MarketFrame) -> int:
        owned = statement(self.records.book, agent).owned
        return nav_micro_usd(self._season.universe, owned.items(), frame)


def _flow_of(event: object) -> AgentId | None:
    """Return whose capital an event moves; None if it moves none."""
    if not isinstance(event, Entry) or event.kind not in {"allot", "return"}:
        return None
    for posting in event.postings:
        if posting.account.startswith(_AGENT_PREFIX):
            return AgentId(posting.account.removeprefix(_AGENT_PREFIX).removesuffix(_AGENT_SUFFIX))
    return None
