"""What the arena understands."""

from dataclasses import dataclass
from typing import TypeAlias

from treasury_actors.ids import AgentId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.message import Ask
from treasury_actors.trading.messages import Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSeason(Ask[int]):
    """Deposit the capital, open the pool, let the first agents be born; replies with how many."""

    season: int
    seed: int
    frame: MarketFrame
    label: str
    source: str
    data_hash: str
    config_hash: str
    frames: int
    warmup_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayTurn(Ask[int]):
    """
    Let every living agent decide on a frame; replies with how many did.

    Attributes:
        end: how many frames the market's features hold now.
        touched: agents whose accounts changed since the last turn.
        watched: what the guardian saw.
    """

    frame: MarketFrame
    end: int
    touched: tuple[AgentId, ...]
    watched: Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRound(Ask[int]):
    """Hold a round at the end of a turn; replies with how many agents live after it."""

    frame: MarketFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSeason(Ask[int]):
    """The last frame was played: stop the agents; replies with how many lived."""

    frame: MarketFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseMandates(Ask[int]):
    """An operator wants the capital home: let every living agent's mandate close; replies with how many."""

    reason: str


ArenaMessage: TypeAlias = OpenSeason | PlayTurn | HoldRound | CloseSeason | CloseMandates
