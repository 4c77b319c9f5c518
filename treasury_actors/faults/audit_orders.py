"""The life of every order, followed a second time: what may be accepted, sent, filled, and when."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from treasury_actors.faults.audit_books import BooksAudit, Payload
from treasury_actors.faults.sometimes import Sometimes
from treasury_actors.faults.violation import violated

_GAS: Final = ("treasury:gas", "ETH")
_TURNOVER_TURNS: Final = 24
_OPERATOR: Final = "operator"
_RANK: Final = {"active": 0, "reducing": 1, "stopped": 2}


@dataclass(slots=True)
class _Followed:
    """An accepted order; `hop` is -1 while it waits."""

    order: Payload
    hop: int = -1
    held_units: int = 0
    gas_wei_max: int = 0


class OrdersAudit:
    """
    Orders, the latch they pass and the mandates they are held to.

    Args:
        stale: names an asset of a conversion whose price is old in a turn, if there is one.

    Attributes:
        open: orders that are not over, in the order they were accepted.
        mandates: the last one of every agent.
        state: of trading, as the journal has it.
        changed_seq: the event that made it so.
    """

    def __init__(
        self, books: BooksAudit, sometimes: Sometimes | None, *, stale: Callable[[int, str], str | None]
    ) -> None:
        self.open: dict[str, _Followed] = {}
        self.mandates: dict[str, Payload] = {}
        self.state = "active"
        self.epoch = 0
        self.changed_seq = 0
        self._books = books
        self.sometimes = sometimes
        self._seen: dict[str, None] = {}
        self._stale = stale
        self._turnover: dict[str, list[tuple[int, int]]] = {}

    def at_venue(self) -> dict[str, _Followed]:
        """Return what is at a venue, by agent."""
        return {followed.order["agent"]: followed for followed in self.open.values() if followed.hop >= 0}

    def mandate(self, mandate: Payload) -> None:
        """Take in a mandate; one that is frozen or closing never opens again (I14)."""
        before = self.mandates.get(mandate["agent"])
        ranks = {"active": 0, "recalling": 0, "frozen": 1, "closing": 2, "closed": 3}
        if before is not None and ranks[mandate["status"]] < ranks[before["status"]]:
            violated("I14", f"{mandate['agent']}: a {before['status']} mandate is {mandate['status']} again")
        self.mandates[mandate["agent"]] = mandate

    def changed(self, change: Payload, seq: int) -> None:
        """Take in a change of the latch: only an operator loosens it (I10)."""
        state, by = change["state"], change["by"]
        if change["epoch"] != self.epoch + 1:
            violated("I10", f"stop epoch {change['epoch']} after {self.epoch}")
        tightens = _RANK[state] > _RANK[self.state]
        if by != _OPERATOR and (not tightens or (state == "stopped" and "invariant" not in by)):
            violated("I10", f"{by} put trading from {self.state} to {state}")
        self.epoch = change["epoch"]
        self.changed_seq = seq
        self._count({"active": "resumed", "reducing": "reduced", "stopped": "stopped"}[state])
        if state == "stopped" and self.at_venue():
            self._count("stopped-with-orders-at-venue")
        self.state = state

    def accepted(self, event: Payload, turn: int) -> None:
        """Take in an accepted order: I9, I14, I15 and its mandate's limits."""
        order = event["order"]
        name, agent = order["order_id"], order["agent"]
        if name in self._seen:
            violated("I9", f"order {name} was accepted twice")
        if order["turn"] != turn or name != f"{agent}/{order['turn']}/{order['number']}":
            violated("I9", f"order {name} of turn {order['turn']} was accepted in turn {turn}")
        self._check_allowed(order, "accepted")
        for step in order["path"]:
            asset = self._stale(turn, step)
            if asset is not None:
                violated("I11", f"order {name} was accepted at a price of {asset} that is old in turn {turn}")
        self._seen[name] = None
        self._check_size(order, int(event["value_micro_usd"]), turn)
        if any(followed.order["agent"] == agent for followed in self.open.values()):
            self._count("order-waited")
        if order["placed_by"] == "guardian":
            self._count("guardian-sold")
        self.open[name] = _Followed(order)

    def _check_size(self, order: Payload, value: int, turn: int) -> None:
        """Hold an order that adds risk to the limits of its mandate."""
        if order["reduce_only"]:
            return
        agent = order["agent"]
        limits = self.mandates[agent]["limits"]
        if not int(limits["trade_micro_usd_min"]) <= value <= int(limits["trade_micro_usd_max"]):
            violated("limits", f"order {order['order_id']} of {value} micro-dollars was accepted")
        spent = self._turnover.setdefault(agent, [])
        spent.append((turn, value))
        total = sum(each for then, each in spent if turn - then < _TURNOVER_TURNS)
        if total > int(limits["turnover_micro_usd_max"]):
            violated("limits", f"{agent} ordered {total} micro-dollars in {_TURNOVER_TURNS} turns")

    def _check_allowed(self, order: Payload, what: str) -> None:
        """I14 and I15, asked before everything that begins to move money."""
        name = order["order_id"]
        if self.state == "stopped":
            violated("I15", f"order {name} was {what} while trading was stopped")
        if self.state == "reducing" and not order["reduce_only"]:
            violated("I15", f"order {name} was {what} while trading was reduced")
        mandate = self.mandates.get(order["agent"])
        is_open = mandate is not None and mandate["status"] == "active"
        if mandate is not None and mandate["status"] == "frozen":
            violated("I14", f"order {name} was {what} for a mandate that is frozen")
        if order["placed_by"] == "guardian":
            if not order["reduce_only"]:
                violated("I14", f"order {name}: the guardian adds risk")
        elif not is_open:
            violated("I14", f"order {name} was {what} without an open mandate")

    def released(self, event: Payload) -> None:
        """Take in a hop that goes to a venue: I9, I13, I14, I15, I18 and I19."""
        name, agent, hop = event["order_id"], event["agent"], event["hop"]
        followed = self.open.get(name)
        if followed is None or followed.order["agent"] != agent:
            violated("I9", f"order {name} was released, but is not open")
        at_venue = self.at_venue()
        if agent in at_venue and at_venue[agent] is not followed:
            violated("I13", f"order {name} is a second order of {agent} at a venue")
        if hop != max(followed.hop, 0):
            violated("I9", f"order {name} was released for hop {hop} while at {followed.hop}")
        self._check_allowed(followed.order, "released")
        followed.hop = hop
        followed.held_units = int(event["units"])
        followed.gas_wei_max = int(event["gas_wei_max"])
        self._check_held(agent, followed)
        if hop > 0:
            self._count("order-of-two-hops")
        out = sum(each.gas_wei_max for each in self.open.values())
        if out > self._books.units(*_GAS):
            violated("I19", f"{out} wei are promised, there are {self._books.units(*_GAS)}")

    def _check_held(self, agent: str, followed: _Followed | None) -> None:
        """Compare what is held with what the order at the venue is out for (I18)."""
        held = sum(self._books.of(f"agent:{agent}:held").values())
        out = 0 if followed is None else followed.held_units
        if held != out:
            violated("I18", f"{agent} holds {held} units for {out} at a venue")

    def filled(self, event: Payload, turn: int) -> None:
        """Take in a fill: I9, I11, I19, and that its postings are what it says."""
        name, agent, hop = event["order_id"], event["agent"], event["hop"]
        followed = self.open.get(name)
        if followed is None or followed.hop != hop:
            violated("I9", f"a fill of {name} hop {hop} that nobody waits for")
        if turn <= followed.order["turn"]:
            violated("I11", f"order {name} of turn {followed.order['turn']} was filled in turn {turn}")
        given, taken = int(event["given_units"]), int(event["taken_units"])
        venue = f"venue:{event['conversion'].rpartition('@')[2]}"
        moved = self._books.moved(venue, event["source"]), self._books.moved(venue, event["target"])
        if moved != (given, -taken) or not 0 < given <= followed.held_units or taken <= 0:
            violated("I9", f"fill of {name} hop {hop} says {given} for {taken}, its entry {moved}")
        if int(event["gas_wei"]) > followed.gas_wei_max:
            violated("I19", f"{name} hop {hop} burnt {event['gas_wei']} wei of {followed.gas_wei_max}")
        followed.gas_wei_max = 0
        self._books.unmatched = ""
        if event["last"]:
            del self.open[name]
            self._check_held(agent, None)
            return
        followed.hop += 1
        followed.held_units = taken

    def ended(self, event: Payload) -> None:
        """Take in the end of an order without another fill."""
        name, reason = event["order_id"], event["reason"]
        if self.open.pop(name, None) is None:
            violated("I9", f"order {name} ended, but was not open")
        self._check_held(event["agent"], self.at_venue().get(event["agent"]))
        self._count("order-ended-unfilled")
        if reason == "no_gas":
            self._count("gas-ran-out")

    def refused(self, event: Payload) -> None:
        """Count an order that was refused."""
        self._count("order-refused")
        if event["reason"] == "duplicate":
            self._count("order-duplicate")
        if event["reason"] == "stale_price":
            self._count("price-stale")

    def turn_ended(self) -> None:
        """Look at all that is held once nothing is on its way."""
        if self._books.unmatched:
            violated("I9", f"settlement {self._books.unmatched} without a fill")
        at_venue = self.at_venue()
        for agent in self.mandates:
            self._check_held(agent, at_venue.get(agent))

    def _count(self, state: str) -> None:
        if self.sometimes is not None:
            self.sometimes.reached(state)
