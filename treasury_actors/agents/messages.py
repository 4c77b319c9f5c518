"""What an agent understands, and what it answers a turn with."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from treasury_actors.agents.model.family import State
from treasury_actors.ids import AgentId
from treasury_actors.journal.codec import event
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.trading.model.mandate import Mandate


@dataclass(frozen=True, slots=True)
class Turn:
    """
    A frame to decide on.

    Attributes:
        end: how many frames of the market's features are known now, warm-up included.
        books_version: changes whenever the agent's accounts did; the agent then reads its statement again.
    """

    frame: MarketFrame
    end: int
    mandate: Mandate
    books_version: int


AgentMessage: TypeAlias = Turn


@dataclass(frozen=True, slots=True)
class Decided:
    """An agent has decided on a turn: what its strategy remembers, and whether it ordered."""

    agent: AgentId
    turn: int
    state: State
    ordered: bool


class HearsDecided(Protocol):
    """Whoever waits for the agents of a turn."""

    def tell(self, message: Decided) -> None:
        """Take an answer; never waits."""
        ...


@event("agents.state_recorded", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class StateRecorded:
    """
    What a strategy remembered after deciding on `turn`: every 24 turns, and whenever it ordered.

    A crashed agent starts from its last record and decides again on the few frames since.
    """

    agent: AgentId
    turn: int
    state: tuple[float, ...]
