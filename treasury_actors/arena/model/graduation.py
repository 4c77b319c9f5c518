"""
Who may leave the proving grounds: vetoes first, then at most the better half of who is left. Pure.

What thirty days with a thousand dollars test is execution and books, not skill: among trend-like agents half
of those promoted are no better than those left behind. So a veto is never overruled by a rank, and where
vetoes leave fewer than half, fewer graduate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from treasury_actors.ids import AgentId


class Veto(StrEnum):
    """Why an agent can't graduate, whatever it earned."""

    DIED = "died"
    TOO_YOUNG = "too_young"
    TOO_FEW_DAYS = "too_few_days"
    DRAWDOWN = "drawdown"
    FAILED_SETTLEMENT = "failed_settlement"
    NEVER_TRADED = "never_traded"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """
    The gate from proving to main.

    Attributes:
        days_min: of chain time with the mandate; `nav_days_min`: of those with a NAV on record.
        share_max_percent: of the eligible, rounded up.
    """

    days_min: int = 30
    nav_days_min: int = 20
    drawdown_ratio_max: float = 0.10
    share_max_percent: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """
    What is known of one agent at the end of its trial.

    Attributes:
        return_ratio: time-weighted and net of every cost; ranks where there is no fitness yet.
        failed_settlements: transactions of its that were mined and reverted.
        baseline: idle cash, plain lending: nothing to trade, and labelled so.
    """

    agent: AgentId
    days: float
    nav_days: int
    max_drawdown_ratio: float
    failed_settlements: int
    trades: int
    fitness_ppb: int | None
    return_ratio: float
    alive: bool
    baseline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetoed:
    """An agent that can't graduate, and every reason why."""

    agent: AgentId
    vetoes: tuple[Veto, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graduation:
    """Who would graduate, best first; who was eligible but not among the better half; who was vetoed."""

    graduates: tuple[AgentId, ...]
    left_behind: tuple[AgentId, ...]
    vetoed: tuple[Vetoed, ...]


def graduate(candidates: Sequence[Candidate], rules: GateRules) -> Graduation:
    """Return who may leave; ties go by fitness, then return, then id."""
    eligible: list[Candidate] = []
    vetoed: list[Vetoed] = []
    for candidate in candidates:
        vetoes = _vetoes(candidate, rules)
        if vetoes:
            vetoed.append(Vetoed(agent=candidate.agent, vetoes=vetoes))
        else:
            eligible.append(candidate)
    ranked = [each.agent for each in sorted(eligible, key=_rank)]
    places = -(-len(ranked) * rules.share_max_percent // 100)
    return Graduation(
        graduates=tuple(ranked[:places]),
        left_behind=tuple(ranked[places:]),
        vetoed=tuple(sorted(vetoed, key=lambda each: each.agent)),
    )


def _vetoes(candidate: Candidate, rules: GateRules) -> tuple[Veto, ...]:
    """Return every reason why a candidate can't graduate."""
    found = (
        (Veto.DIED, not candidate.alive),
        (Veto.TOO_YOUNG, candidate.days < rules.days_min),
        (Veto.TOO_FEW_DAYS, candidate.nav_days < rules.nav_days_min),
        (Veto.DRAWDOWN, candidate.max_drawdown_ratio >= rules.drawdown_ratio_max),
        (Veto.FAILED_SETTLEMENT, candidate.failed_settlements > 0),
        (Veto.NEVER_TRADED, candidate.trades == 0 and not candidate.baseline),
    )
    return tuple(veto for veto, applies in found if applies)


def _rank(candidate: Candidate) -> tuple[bool, int, float, AgentId]:
    """Return what candidates are sorted by; one without a fitness stands behind those with one."""
    fitness = candidate.fitness_ppb
    return (fitness is None, -(fitness or 0), -candidate.return_ratio, candidate.agent)
