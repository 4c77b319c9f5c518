"""When an agent with money must go down again: at once, by a machine, without anybody's leave. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from treasury_actors.arena.model.graduation import DRAWDOWN_NOISE
from treasury_actors.ids import AgentId
from treasury_actors.journal.codec import event
from treasury_actors.trading.model.mandate import Stage


class Cause(StrEnum):
    """Why an agent was demoted."""

    DRAWDOWN = "drawdown"
    TRACKING = "tracking"
    DEPEG = "depeg"
    STALE_DATA = "stale_data"
    OPERATOR = "operator"


@event("arena.agent_demoted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDemoted:
    """
    An agent lost its mandate; its capital goes home, its genome back to paper.

    Attributes:
        by: `machine`, or the name of whoever asked for it; cutting risk needs nobody's approval.
    """

    agent: AgentId
    turn: int
    stage: Stage
    to_stage: Stage
    causes: tuple[Cause, ...]
    by: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemotionRules:
    """
    When a machine demotes.

    Attributes:
        drawdown_ratio_max: from the peak of its time with this mandate; `drawdown_p95_factor`: or sooner, at
            so many times the 95th percentile of its backtest's drawdowns.
        tracking_days_max: days in a row of a tracking breach.
        depegged_ratio_max: share of NAV in stablecoins off their peg; `stale_ratio_max`: at stale prices.
    """

    drawdown_ratio_max: float = 0.10
    drawdown_p95_factor: float = 2.0
    tracking_days_max: int = 3
    depegged_ratio_max: float = 0.10
    stale_ratio_max: float = 0.50


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How an agent with money is at the close of a day; ratios are shares of its NAV."""

    drawdown_ratio: float
    drawdown_p95_ratio: float | None
    tracking_breach_days: int = 0
    depegged_ratio: float = 0.0
    stale_ratio: float = 0.0


def causes_of(condition: Condition, rules: DemotionRules) -> tuple[Cause, ...]:
    """Return why an agent must be demoted now, or nothing."""
    limit = rules.drawdown_ratio_max
    if condition.drawdown_p95_ratio is not None:
        limit = min(limit, max(DRAWDOWN_NOISE, rules.drawdown_p95_factor * condition.drawdown_p95_ratio))
    found = (
        (Cause.DRAWDOWN, condition.drawdown_ratio > limit),
        (Cause.TRACKING, condition.tracking_breach_days >= rules.tracking_days_max),
        (Cause.DEPEG, condition.depegged_ratio > rules.depegged_ratio_max),
        (Cause.STALE_DATA, condition.stale_ratio > rules.stale_ratio_max),
    )
    return tuple(cause for cause, applies in found if applies)
