"""What the arena understands."""

from dataclasses import dataclass
from typing import TypeAlias

from treasury_actors.arena.model.demotion import AgentDemoted
from treasury_actors.arena.model.withdrawal import (
    Wanted,
    WithdrawalCancelled,
    WithdrawalPlanned,
    WithdrawalRefused,
)
from treasury_actors.ids import AgentId, FamilyId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.message import Ask
from treasury_actors.trading.messages import Watched
from treasury_actors.trading.model.mandate import Stage


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """
    A genome that comes up to a stage.

    Attributes:
        parent: the agent that ran it before, in this journal or, before `sim:`, in the simulated house's.
    """

    family: FamilyId
    genes: tuple[int, ...]
    generation: int
    parent: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit(Ask[tuple[AgentId, ...]]):
    """
    Let entrants be born on a stage with a mandate each, paid from its pool; replies with their names.

    Only at the end of a turn. Who can't warm up or can't be paid is refused by an event and left out.

    Attributes:
        micro_usd: what each is given.
    """

    frame: MarketFrame
    stage: Stage
    entrants: tuple[Entrant, ...]
    micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismiss(Ask[int]):
    """
    Let these agents' mandates close: their capital goes home; replies with how many lived.

    Attributes:
        demotions: noted before, where it is for a demotion.
    """

    agents: tuple[AgentId, ...]
    reason: str
    demotions: tuple[AgentDemoted, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWithdrawal(Ask[WithdrawalPlanned | WithdrawalRefused]):
    """Say how a withdrawal would be brought together at this frame; nothing moves."""

    frame: MarketFrame
    wanted: Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginWithdrawal(Ask[WithdrawalPlanned | WithdrawalRefused]):
    """
    Bring a withdrawal together, from now on and ahead of every round; replies with what it began with.

    Only between turns. The same one sent twice counts once.

    Attributes:
        plan: what was shown to the treasurer; another plan is refused. Empty: whatever it is by now.
    """

    frame: MarketFrame
    wanted: Wanted
    plan: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelWithdrawal(Ask[WithdrawalCancelled | WithdrawalRefused]):
    """Give back what was set aside for a withdrawal that nobody wants any more."""

    frame: MarketFrame
    withdrawal: str
    reason: str


WithdrawalMessage: TypeAlias = PlanWithdrawal | BeginWithdrawal | CancelWithdrawal
WithdrawalReply: TypeAlias = WithdrawalPlanned | WithdrawalCancelled | WithdrawalRefused
ArenaMessage: TypeAlias = (
    OpenSeason
    | PlayTurn
    | HoldRound
    | CloseSeason
    | CloseMandates
    | Admit
    | Dismiss
    | PlanWithdrawal
    | BeginWithdrawal
    | CancelWithdrawal
)
