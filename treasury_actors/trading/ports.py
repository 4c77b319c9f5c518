"""What trading needs from outside: a venue that executes one conversion at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from treasury_actors.ids import AgentId, AssetId, ConversionId, OrderId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion
from treasury_actors.trading.model.costs import Quote
from treasury_actors.trading.model.order import TradingReason
from treasury_actors.trading.model.stop import TradingStateChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """
    One hop of an order, released to a venue: convert `units`, which are held, for gas within a cap.

    Attributes:
        gas_wei_max: for all transactions of the hop together, an approval included.
        reduces: the order only reduces risk, and may go on while trading does.
        epoch: of trading's state when it was released.
    """

    order_id: OrderId
    agent: AgentId
    hop: int
    conversion: Conversion
    units: int
    gas_wei_max: int
    reduces: bool = False
    epoch: int = 0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed:
    """
    What a receipt said was undone, or done again: the chain was reorganised deeper than was counted on.

    It speaks of one transaction of a hop: its conversion, or one beside it that only burnt gas.

    Attributes:
        name: of the transaction; with `block_hash`, of the block that is gone or has it now, of the entry.
        conversion: None if nothing but gas is undone.
        again: it is in a block once more; until then it is as if it never happened.
        gas_wei: the fee of that transaction alone.
    """

    name: str
    agent: AgentId
    conversion: ConversionId | None
    given_units: int
    taken_units: int
    gas_wei: int
    block_hash: str
    again: bool


Receipt: TypeAlias = Executed | NotExecuted | Reversed


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """
    Something a person must hear of.

    Attributes:
        stops: nothing may be trusted any more: trading stops until an operator has looked.
    """

    reason: str
    stops: bool


class Venue(Protocol):
    """Where conversions happen. A ticket is sent once; what became of it comes back as a receipt."""

    @property
    def leaves_process(self) -> bool:
        """Whether a send can't be taken back: then what led to it must be durable first."""
        ...

    async def resume(self, tickets: Sequence[Ticket]) -> None:
        """Take back, at a start, the tickets whose receipts never came; nothing is sent a second time."""
        ...

    async def send(self, ticket: Ticket) -> None:
        """Take a ticket; never waits for the outcome."""
        ...

    async def collect(self, frame: MarketFrame) -> list[Receipt]:
        """Return the receipts that have arrived by this frame, in (agent, order) order; empty if none."""
        ...

    async def holdings(self) -> Mapping[AssetId, int] | None:
        """
        Return what is really there of every asset, in its smallest units, to compare the books with.

        None if it can't be said now: something the books don't know yet is on its way, or nobody answers.
        A venue that does not leave the process has nothing beside the books, and is never asked.
        """
        ...

    def alarms(self) -> list[Alarm]:
        """Return what must be heard of since the last time this was asked."""
        ...

    async def heed(self, change: TradingStateChanged) -> None:
        """Know that trading was stopped, reduced or resumed, before anybody is told that it was."""
        ...
