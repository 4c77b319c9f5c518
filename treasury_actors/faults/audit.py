"""Every event held to the promises the moment it has its place: chain, money, orders, lives."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from treasury_actors.faults.audit_books import BooksAudit, Payload
from treasury_actors.faults.audit_orders import OrdersAudit
from treasury_actors.faults.audit_people import PeopleAudit
from treasury_actors.faults.sometimes import Sometimes
from treasury_actors.faults.violation import violated
from treasury_actors.journal.event import GENESIS_HASH, Recorded
from treasury_actors.wiring.fold import Records

_HOUR_NS: Final = 3_600 * 10**9
_DOMAIN: Final = "treasury-actors/journal/event/1\n"


class Audit:
    """
    A fold of the journal's text that shares no code with the components whose work it checks.

    Attributes:
        turn: of the last event; -1 before a season is open.
        head: seq and hash of the last event.
        in_round: a round has begun that has not been recorded as held.
    """

    def __init__(
        self,
        *,
        round_turns: int,
        sometimes: Sometimes | None,
        is_planned: Callable[[str, int, str], bool],
        stale: Callable[[int, str], str | None],
    ) -> None:
        self.books = BooksAudit()
        self.orders = OrdersAudit(self.books, sometimes, stale=stale)
        self.people = PeopleAudit(self.books, sometimes, round_turns=round_turns, is_planned=is_planned)
        self.turn = -1
        self.head = (0, GENESIS_HASH)
        self.in_round = False
        self._time_ns = 0
        self._start_ns = 0

    def count_into(self, sometimes: Sometimes) -> None:
        """Count the states that are reached from here on."""
        self.orders.sometimes = self.people.sometimes = sometimes

    def see(self, recorded: Recorded) -> None:
        """Take in the next event; raise Violation if it can't be."""
        self._check_chain(recorded)
        event: Payload = json.loads(recorded.payload)
        kind = recorded.type.rpartition(".")[0]
        if kind == "arena.season_opened":
            self._start_ns = int(event["start_ns"])
        self.turn = (recorded.time_ns - self._start_ns) // _HOUR_NS
        self._see(kind, event)

    def _see(self, kind: str, event: Payload) -> None:
        """Give an event to whoever follows its kind."""
        turn, orders, people = self.turn, self.orders, self.people
        match kind:
            case "ledger.entry_posted":
                self.books.entry(event)
            case "trading.order_accepted":
                orders.accepted(event, turn)
            case "trading.order_refused":
                orders.refused(event)
            case "trading.order_released":
                orders.released(event)
            case "trading.order_filled":
                orders.filled(event, turn)
            case "trading.order_ended":
                orders.ended(event)
            case "trading.state_changed":
                orders.changed(event, self.head[0])
            case "trading.mandate_set":
                orders.mandate(event)
            case _:
                self._see_life(kind, event, turn, people)

    def _see_life(self, kind: str, event: Payload, turn: int, people: PeopleAudit) -> None:
        """Give an event of the arena to whoever follows its kind."""
        match kind:
            case "agents.state_recorded":
                people.state_recorded(event, turn)
            case "arena.agent_born":
                people.born(event)
            case "arena.agent_frozen":
                people.frozen(event)
            case "arena.agent_retired":
                people.retired(event)
            case "arena.agent_closed":
                people.closed(event)
            case "arena.agent_crashed":
                people.crashed(event, turn)
            case "arena.agent_quarantined":
                people.put_away(event)
            case "arena.common_cause_found":
                people.common_cause(event)
            case _:
                self._see_round(kind, event, turn, people)

    def _see_round(self, kind: str, event: Payload, turn: int, people: PeopleAudit) -> None:
        """Give an event of a round to whoever follows it."""
        match kind:
            case "arena.fitness_recorded":
                self.in_round = True
                people.fitness(event)
            case "arena.round_held":
                self.in_round = False
                people.round_held(event, turn)
            case "arena.capital_refused":
                people.refused()
            case _:
                people.withdrawal(kind)

    def _check_chain(self, recorded: Recorded) -> None:
        """No gap, no fork, no step back in time, and every byte in the hash (I5)."""
        seq, hash_ = self.head
        if recorded.seq != seq + 1 or recorded.prev_hash != hash_ or recorded.time_ns < self._time_ns:
            violated("I5", f"event {recorded.seq} at {recorded.time_ns} ns follows event {seq}")
        content = [
            recorded.prev_hash,
            recorded.seq,
            recorded.stream,
            recorded.type,
            recorded.time_ns,
            recorded.payload,
            recorded.causation_id,
            recorded.correlation_id,
        ]
        text = _DOMAIN + json.dumps(content, separators=(",", ":"))
        if recorded.hash != sha256(text.encode()).hexdigest():
            violated("I5", f"event {recorded.seq} does not have the hash of its content")
        self.head = (recorded.seq, recorded.hash)
        self._time_ns = recorded.time_ns

    def turn_ended(self, turn: int, records: Records) -> None:
        """Compare what lives in the house with what the journal says, at the end of a turn (I2, I7, I18)."""
        self.orders.turn_ended()
        self.people.turn_ended(turn)
        self.compare(records)

    def compare(self, records: Records) -> None:
        """Compare a state of the house with this fold (I2, I7)."""
        imbalances = records.book.imbalances()
        if imbalances:
            violated("I2", "; ".join(imbalances))
        if records.book.canonical() != self.books.canonical():
            violated("I7", "the books of the house are not what the journal adds up to")
        mine = [
            (agent, each.order["order_id"], each.hop)
            for agent, each in sorted(self.orders.at_venue().items())
        ]
        theirs = [(w.order.agent, w.order.order_id, w.hop) for w in records.open_orders.at_venue()]
        if mine != theirs or len(records.open_orders) != len(self.orders.open):
            violated("I7", f"orders at a venue: the journal says {mine}, the house {theirs}")
        if (records.latch.state, records.latch.epoch) != (self.orders.state, self.orders.epoch):
            violated("I7", f"trading is {records.latch.state}, the journal says {self.orders.state}")
        living = [str(member.born.agent) for member in records.roster.living()]
        if living != sorted(self.people.living()):
            violated("I7", f"{living} live in the house, in the journal {self.people.living()}")
