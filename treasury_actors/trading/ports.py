"""What trading needs from outside: a venue that executes one conversion at a time."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from treasury_actors.ids import AgentId, OrderId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion
from treasury_actors.trading.model.costs import Quote
from treasury_actors.trading.model.order import TradingReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One hop of an order, released to a venue: convert `units`, which are held, for gas within a cap."""

    order_id: OrderId
    agent: AgentId
    hop: int
    conversion: Conversion
    units: int
    gas_wei_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """The venue executed the ticket, perhaps in part. `gas_wei` is the exact fee."""

    ticket: Ticket
    quote: Quote
    gas_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotExecuted:
    """The venue did not execute the ticket, and it is known that it never will."""

    ticket: Ticket
    reason: TradingReason
    detail: str
    gas_wei: int = 0


Receipt: TypeAlias = Executed | NotExecuted


class Venue(Protocol):
    """Where conversions happen. A ticket is sent once; what became of it comes back as a receipt."""

    @property
    def leaves_process(self) -> bool:
        """Whether a send can't be taken back: then what led to it must be durable first."""
        ...

    async def send(self, ticket: Ticket) -> None:
        """Take a ticket; never waits for the outcome."""
        ...

    async def collect(self, frame: MarketFrame) -> list[Receipt]:
        """Return the receipts that have arrived by this frame, in (agent, order) order; empty if none."""
        ...
