"""The orders that are not over: accepted and waiting, or at a venue. A fold over the engine's events."""

from collections import deque
from dataclasses import dataclass

from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AgentId, OrderId
from treasury_actors.trading.model.order import Order, OrderAccepted, OrderEnded, OrderFilled, OrderReleased


@dataclass(slots=True)
class Working:
    """An order that was released: which hop it is at, what is held for that, what it may burn as gas."""

    order: Order
    hop: int
    held_units: int
    gas_wei_max: int


class OpenOrders:
    """
    Accepted orders, one at a venue per agent, the rest in the order they will run.

    Start and recovery fold the same events the live engine applies, so both end with the same orders.
    """

    __slots__ = ("_queues", "_working")

    def __init__(self) -> None:
        self._queues: dict[AgentId, deque[Order]] = {}
        self._working: dict[AgentId, Working] = {}

    def __repr__(self) -> str:
        return f"<OpenOrders {len(self._working)} working, {sum(map(len, self._queues.values()))} waiting>"

    def __len__(self) -> int:
        return len(self._working) + sum(len(queue) for queue in self._queues.values())

    def accepted(self, event: OrderAccepted) -> None:
        """Queue an accepted order behind the others of its agent."""
        self._queues.setdefault(event.order.agent, deque()).append(event.order)

    def released(self, event: OrderReleased) -> Working:
        """Take an order from the head of its queue for its first hop, or let it go on to its next."""
        order_id, agent = event.order_id, event.agent
        queue, working = self._queues.get(agent), self._working.get(agent)
        if working is not None and working.order.order_id == order_id and working.hop == event.hop > 0:
            working.gas_wei_max = event.gas_wei_max
            return working
        if working is not None:
            raise InvariantViolated(f"I13: {order_id} is a second order of {agent} at a venue")
        if not queue or queue[0].order_id != order_id:
            raise InvariantViolated(f"I9: {order_id} is not the next order of {agent}")
        working = Working(queue.popleft(), hop=0, held_units=event.units, gas_wei_max=event.gas_wei_max)
        self._working[agent] = working
        if not queue:
            del self._queues[agent]
        return working

    def filled(self, event: OrderFilled) -> Working | None:
        """Move on to the next hop, from the actual fill; None if that was the last."""
        working = self.working(event.order_id)
        if working is None or working.hop != event.hop:
            raise InvariantViolated(f"I9: a second fill of {event.order_id} hop {event.hop}")
        if event.last:
            del self._working[event.agent]
            return None
        working.hop += 1
        working.held_units = event.taken_units
        return working

    def ended(self, event: OrderEnded) -> None:
        """Forget an order that ended without a further fill."""
        if self.working(event.order_id) is not None:
            del self._working[event.agent]
            return
        queue = self._queues.get(event.agent, deque())
        if not queue or queue[0].order_id != event.order_id:
            raise InvariantViolated(f"I9: {event.order_id} ended but was not open")
        queue.popleft()
        if not queue:
            del self._queues[event.agent]

    def working(self, order_id: OrderId) -> Working | None:
        """Return the order if it is at a venue."""
        working = self._working.get(AgentId(order_id.rsplit("/", 2)[0]))
        return working if working is not None and working.order.order_id == order_id else None

    def next_of(self, agent: AgentId) -> Order | None:
        """Return the agent's next order to release, or None if one is working or none waits."""
        queue = self._queues.get(agent)
        return queue[0] if queue and agent not in self._working else None

    def has(self, order: Order) -> bool:
        """Say whether an order of this id is open."""
        queue = self._queues.get(order.agent, ())
        return self.working(order.order_id) is not None or any(o.order_id == order.order_id for o in queue)

    def working_since_before(self, order: Order) -> bool:
        """Say whether an order of the same agent from an earlier turn is still open."""
        working, queue = self._working.get(order.agent), self._queues.get(order.agent)
        older = (working.order if working else None, queue[0] if queue else None)
        return any(other is not None and other.turn < order.turn for other in older)

    def at_venue(self) -> list[Working]:
        """Return the orders at a venue, in agent order."""
        return [self._working[agent] for agent in sorted(self._working)]

    def waiting(self, agent: AgentId) -> list[Order]:
        """Return the orders of an agent that wait for their turn, in their order."""
        return list(self._queues.get(agent, ()))

    def waiting_agents(self) -> list[AgentId]:
        """Return the agents with orders that wait, in name order."""
        return sorted(self._queues)
