"""The simulated venue on a bad day: late receipts, partial fills, reverts that burn gas, a receipt twice."""

from collections.abc import Callable
from dataclasses import replace

from treasury_actors.faults.plan import Plan
from treasury_actors.faults.sometimes import Sometimes
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.adapters.simulated import SimulatedVenue
from treasury_actors.trading.model.costs import ChainProfile
from treasury_actors.trading.model.order import TradingReason
from treasury_actors.trading.ports import Executed, NotExecuted, Receipt, Reversed, Ticket


class FaultyVenue(SimulatedVenue):
    """
    Executes as the simulated venue does, but for what the plan says of a frame.

    It lives in the process and is as forgetful; what it does hangs on frame and ticket alone, so a turn that
    is played again after a crash goes as it went.
    """

    def __init__(
        self,
        *,
        universe: Universe,
        chain: ChainProfile,
        plan: Plan,
        sometimes: Sometimes,
        says_twice: Callable[[int], bool],
    ) -> None:
        super().__init__(universe=universe, chain=chain)
        self._plan = plan
        self._sometimes = sometimes
        self._says_twice = says_twice
        self._said: list[Receipt] = []

    async def collect(self, frame: MarketFrame) -> list[Receipt]:
        """Return the receipts there are at this frame, some of them strange."""
        if self._said and self._says_twice(frame.index):
            said, self._said = self._said[-1], []
            return [said]
        if self._tickets and self._plan.at("venue-delay", frame.index):
            self._sometimes.reached("receipts-came-late")
            return []
        receipts = [self._odd(receipt, frame) for receipt in await super().collect(frame)]
        self._said += receipts
        return receipts

    def _odd(self, receipt: Receipt, frame: MarketFrame) -> Receipt:
        """Return what became of one ticket on this day."""
        if isinstance(receipt, Reversed):
            return receipt
        for fault in self._plan.at("venue-refusal", frame.index):
            if _concerns(fault.slot, receipt.ticket):
                self._sometimes.reached("venue-refused")
                gas_wei = receipt.ticket.gas_wei_max * (fault.number % 3) // 2
                return NotExecuted(
                    ticket=receipt.ticket,
                    reason=TradingReason.NO_LIQUIDITY,
                    detail="reverted, as planned",
                    gas_wei=gas_wei,
                )
        for fault in self._plan.at("venue-partial", frame.index):
            if isinstance(receipt, Executed) and _concerns(fault.slot, receipt.ticket):
                return self._part(receipt, frame, percent=1 + fault.number % 99)
        return receipt

    def _part(self, receipt: Executed, frame: MarketFrame, *, percent: int) -> Receipt:
        """Execute a part of a ticket; what is left of it the engine gives back."""
        ticket = receipt.ticket
        units = max(1, receipt.quote.given_units * percent // 100)
        part = self._execute(replace(ticket, units=units), frame)
        if not isinstance(part, Executed) or part.quote.taken_units == 0:
            return receipt
        self._sometimes.reached("order-partly-filled")
        return replace(part, ticket=ticket, quote=replace(part.quote, partial=True))


def _concerns(slot: int, ticket: Ticket) -> bool:
    """Say whether a fault strikes a ticket: two in three, by its agent's number."""
    return (int(ticket.agent.rsplit("-", 1)[1]) + slot) % 3 != 0
