"""What the trading engine and the guardian understand."""

from dataclasses import dataclass
from typing import TypeAlias

from treasury_actors.ids import AgentId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.message import Ask
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.order import Order
from treasury_actors.trading.model.stop import TradingState


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnOpened:
    """Fills are in: `touched` names the agents whose accounts changed, in name order."""

    turn: int
    touched: tuple[AgentId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTurn(Ask[TurnOpened]):
    """A new frame: settle whatever the venues executed at it."""

    frame: MarketFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitOrders:
    """The orders of one agent for one turn. Told, not asked: what became of them shows in the books."""

    agent: AgentId
    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnClosed:
    """Every order of the turn was accepted or refused."""

    turn: int
    accepted: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseTurn(Ask[TurnClosed]):
    """Take all orders of the turn, sorted by agent and number."""

    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMandates(Ask[int]):
    """Hold these agents to these mandates from now on; replies with how many changed."""

    mandates: tuple[Mandate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasToDivide(Ask[int]):
    """How much of `treasury:gas`, in wei, is left for a round to divide: nobody else may still burn it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTradingState(Ask[TradingState]):
    """Stop, reduce or resume. The reply comes when the latch is durable and says what now holds."""

    state: TradingState
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOpenOrders(Ask[int]):
    """End every open order and give back what is held: a simulated season is over. Replies with how many."""


EngineMessage: TypeAlias = (
    OpenTurn | SubmitOrders | CloseTurn | SetMandates | GasToDivide | ChangeTradingState | CancelOpenOrders
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A mandate lost more than it may: its capital must come home."""

    agent: AgentId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """
    What the guardian saw at a frame.

    Attributes:
        breaches: mandates over their stop-loss or drawdown; the arena closes them.
        emptied: closing mandates whose accounts hold the reserve asset alone.
    """

    turn: int
    breaches: tuple[Breach, ...]
    emptied: tuple[AgentId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch(Ask[Watched]):
    """Look at every mandate at this frame; `touched` are those whose accounts changed since the last."""

    frame: MarketFrame
    touched: tuple[AgentId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard(Ask[int]):
    """Watch these mandates from now on; replies with how many are watched."""

    mandates: tuple[Mandate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalMoved:
    """Capital came to (positive) or went from a mandate: no gain, no loss."""

    agent: AgentId
    micro_usd: int


GuardianMessage: TypeAlias = Watch | Guard | CapitalMoved
