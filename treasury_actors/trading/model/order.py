"""Orders and what becomes of them. An order walks a path of conversions, each hop from the actual fill."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from treasury_actors.ids import AgentId, AssetId, ConversionId, OrderId
from treasury_actors.journal.codec import Units, event

PlacedBy = Literal["agent", "guardian"]


class TradingReason(StrEnum):
    """Why an order is refused or ended, in order of precedence."""

    STOPPED = "stopped"
    REDUCING = "reducing"
    NOT_RECONCILED = "not_reconciled"
    DUPLICATE = "duplicate"
    IN_FLIGHT = "in_flight"
    UNKNOWN_CONVERSION = "unknown_conversion"
    BROKEN_PATH = "broken_path"
    NO_MANDATE = "no_mandate"
    MANDATE_CLOSING = "mandate_closing"
    MANDATE_RECALLED = "mandate_recalled"
    MANDATE_FROZEN = "mandate_frozen"
    NOT_REDUCE_ONLY = "not_reduce_only"
    NOT_POSITIVE = "not_positive"
    STALE_PRICE = "stale_price"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_TRADE_LIMIT = "above_trade_limit"
    ABOVE_TURNOVER_LIMIT = "above_turnover_limit"
    ABOVE_IMPACT_LIMIT = "above_impact_limit"
    ABOVE_VENUE_LIMIT = "above_venue_limit"
    INSUFFICIENT_UNITS = "insufficient_units"
    NO_GAS = "no_gas"
    ABOVE_HOUR_LIMIT = "above_hour_limit"
    ABOVE_SEND_LIMIT = "above_send_limit"
    ABOVE_ARENA_HOUR_LIMIT = "above_arena_hour_limit"
    ABOVE_ARENA_DAY_LIMIT = "above_arena_day_limit"
    ABOVE_ARENA_SEND_LIMIT = "above_arena_send_limit"
    NO_LIQUIDITY = "no_liquidity"
    NOT_SENT = "not_sent"
    VENUE_REFUSED = "venue_refused"
    REVERTED = "reverted"
    CANCELLED = "cancelled"
    SEASON_OVER = "season_over"

    @property
    def transient(self) -> bool:
        """Say whether the same order may be fine at a later frame."""
        return self in _TRANSIENT


_TRANSIENT = frozenset(
    {
        TradingReason.REDUCING,
        TradingReason.NOT_RECONCILED,
        TradingReason.IN_FLIGHT,
        TradingReason.MANDATE_RECALLED,
        TradingReason.STALE_PRICE,
        TradingReason.ABOVE_TURNOVER_LIMIT,
        TradingReason.ABOVE_HOUR_LIMIT,
        TradingReason.ABOVE_SEND_LIMIT,
        TradingReason.NO_LIQUIDITY,
        TradingReason.NOT_SENT,
        TradingReason.REVERTED,
        TradingReason.CANCELLED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    A wish to convert `units` of the first source along `path`.

    Attributes:
        order_id: agent, turn and number; the same id is never executed twice (I9).
        turn: the season frame it was decided at; it fills at the next frame.
        number: its place among the agent's orders of that turn.
        units: of the first hop's source asset; fewer are used if the agent then has fewer.
        reduce_only: true for an exit: every hop turns an asset towards the reserve.
    """

    order_id: OrderId
    agent: AgentId
    turn: int
    number: int
    path: tuple[ConversionId, ...]
    units: Units
    placed_by: PlacedBy
    reduce_only: bool
    reason: str


@event("trading.order_accepted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAccepted:
    """The order passed every limit. `value_micro_usd` is what counts against turnover."""

    order: Order
    value_micro_usd: Units


@event("trading.order_refused", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefused:
    """The order was refused before anything was held."""

    order: Order
    reason: TradingReason
    detail: str


@event("trading.order_released", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReleased:
    """One hop of an order goes to a venue: `units` are held for it, and it may burn up to `gas_wei_max`."""

    order_id: OrderId
    agent: AgentId
    hop: int
    units: Units
    gas_wei_max: Units


@event("trading.order_filled", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilled:
    """
    One hop of an order was executed; its postings are the ledger entry of the same cause.

    Attributes:
        hop: the place in the order's path.
        given_units: of `source`, what the venue took.
        taken_units: of `target`, what the venue gave.
        value_micro_usd: what was given, at this frame's price.
        fee_micro_usd: the pool's fee; `impact_micro_usd`: price impact and haircut.
        gas_wei: the exact gas fee, paid from `treasury:gas`.
        gas_micro_usd: the same at frame price, rounded up; what the agent was charged.
        partial: the venue had liquidity for less than was asked.
        last: no further hop follows.
    """

    order_id: OrderId
    agent: AgentId
    hop: int
    conversion: ConversionId
    source: AssetId
    target: AssetId
    given_units: Units
    taken_units: Units
    value_micro_usd: Units
    fee_micro_usd: Units
    impact_micro_usd: Units
    gas_wei: Units
    gas_micro_usd: Units
    partial: bool
    last: bool


@event("trading.order_ended", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEnded:
    """An accepted order ended without (another) fill; what it held was released, `gas_wei` burnt in vain."""

    order_id: OrderId
    agent: AgentId
    hop: int
    reason: TradingReason
    detail: str
    gas_wei: Units = 0


def order_id(agent: AgentId, turn: int, number: int) -> OrderId:
    """Return the id of an order: derived, so that a repeat of the decision is a repeat of the order."""
    return OrderId(f"{agent}/{turn}/{number}")
