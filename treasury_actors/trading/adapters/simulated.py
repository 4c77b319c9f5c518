"""The simulated venue: real costs from the frame's own depth, fills at the next frame, no luck."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.model.costs import ChainProfile
from treasury_actors.trading.model.settlement import Done, NotDone, execute
from treasury_actors.trading.model.stop import TradingStateChanged
from treasury_actors.trading.ports import Alarm, Executed, NotExecuted, Receipt, Ticket


class SimulatedVenue:
    """
    Executes tickets against frames.

    A ticket sent after frame t is executed at the prices, depth, capacity and gas of frame t + 1 when
    that is collected. Each ticket meets the frame's whole depth: no fill depends on another agent's (I12).
    """

    leaves_process = False

    def __init__(self, *, universe: Universe, chain: ChainProfile) -> None:
        self._universe = universe
        self._chain = chain
        self._tickets: list[Ticket] = []

    def __repr__(self) -> str:
        return f"<SimulatedVenue {self._chain.name}, {len(self._tickets)} tickets waiting>"

    async def resume(self, tickets: Sequence[Ticket]) -> None:
        """Take again what was forgotten when the process ended: nothing of it has happened."""
        self._tickets.extend(tickets)

    async def send(self, ticket: Ticket) -> None:
        """Take a ticket; it waits for the next collect."""
        self._tickets.append(ticket)

    async def collect(self, frame: MarketFrame) -> list[Receipt]:
        """
        Execute what waits, at this frame, in the order of agents: each has one ticket at most.

        Whenever each was sent, they come as they would after a start, which sends them again in that order.
        """
        waiting, self._tickets = sorted(self._tickets, key=lambda ticket: ticket.agent), []
        return [self._execute(ticket, frame) for ticket in waiting]

    async def holdings(self) -> Mapping[AssetId, int] | None:
        """Return None: what is simulated is nowhere but in the books."""
        return None

    def alarms(self) -> list[Alarm]:
        """Return none: nothing here can surprise anybody."""
        return []

    async def heed(self, change: TradingStateChanged) -> None:
        """Do nothing: a ticket that was taken is executed at the next frame."""

    def _execute(self, ticket: Ticket, frame: MarketFrame) -> Receipt:
        """Execute one ticket with the arithmetic that every driver shares."""
        outcome = execute(
            self._universe,
            ticket.conversion,
            ticket.units,
            frame,
            chain=self._chain,
            gas_wei_max=ticket.gas_wei_max,
        )
        match outcome:
            case Done():
                return Executed(ticket=ticket, quote=outcome.quote, gas_wei=outcome.gas_wei)
            case NotDone():
                return NotExecuted(ticket=ticket, reason=outcome.reason, detail=outcome.detail)
            case _:
                assert_never(outcome)
