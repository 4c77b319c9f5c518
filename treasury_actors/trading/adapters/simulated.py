"""The simulated venue: real costs from the frame's own depth, fills at the next frame, no luck."""

from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.model.costs import ChainProfile, quote
from treasury_actors.trading.model.order import TradingReason
from treasury_actors.trading.ports import Executed, NotExecuted, Receipt, Ticket


class SimulatedVenue:
    """
    Executes tickets against frames.

    A ticket sent after frame t is executed at the prices, depth, capacity and gas of frame t + 1 when
    that is collected. Each ticket meets the frame's whole depth: no fill depends on another agent's.
    """

    leaves_process = False

    def __init__(self, *, universe: Universe, chain: ChainProfile) -> None:
        self._universe = universe
        self._chain = chain
        self._tickets: list[Ticket] = []

    def __repr__(self) -> str:
        return f"<SimulatedVenue {self._chain.name}, {len(self._tickets)} tickets waiting>"

    async def send(self, ticket: Ticket) -> None:
        """Take a ticket; it waits for the next collect."""
        self._tickets.append(ticket)

    async def collect(self, frame: MarketFrame) -> list[Receipt]:
        """Execute what waits, at this frame."""
        waiting, self._tickets = self._tickets, []
        return [self._execute(ticket, frame) for ticket in waiting]

    def _execute(self, ticket: Ticket, frame: MarketFrame) -> Receipt:
        """Execute one ticket. Nothing trades at a price that is missing or stale."""
        step = ticket.conversion
        for asset in (step.source, step.target):
            if not frame.fresh[self._universe.column[asset]]:
                return NotExecuted(ticket=ticket, reason=TradingReason.STALE_PRICE, detail=asset)
        gas_wei = self._chain.gas_wei(step, frame.l1_gas_gwei)
        if gas_wei > ticket.gas_wei_max:
            detail = f"{gas_wei} wei of gas is above the cap of {ticket.gas_wei_max}"
            return NotExecuted(ticket=ticket, reason=TradingReason.NO_GAS, detail=detail)
        bought = quote(self._universe, step, ticket.units, frame)
        if bought is None:
            return NotExecuted(ticket=ticket, reason=TradingReason.NO_LIQUIDITY, detail=step.id)
        return Executed(ticket=ticket, quote=bought, gas_wei=gas_wei)
