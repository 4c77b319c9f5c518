"""
Who may leave a rung of the ladder: vetoes first, then at most the better half of who is left. Pure.

What thirty days with a thousand dollars test is execution and books, not skill: among trend-like agents half
of those promoted are no better than those left behind. So a veto is never overruled by a rank, and where
vetoes leave fewer than half, fewer graduate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from treasury_actors.ids import AgentId

TRACKING_ERROR_MAX = 0.02
TRACKING_SUM_MAX = 0.0020
TRACKING_T_MIN = 3.0
"""Of live against its own resimulation: annual error, and the signed sum of 30 days with its t."""


class Veto(StrEnum):
    """Why an agent can't graduate, whatever it earned."""

    DIED = "died"
    TOO_YOUNG = "too_young"
    TOO_FEW_DAYS = "too_few_days"
    DRAWDOWN = "drawdown"
    FAILED_SETTLEMENT = "failed_settlement"
    NEVER_TRADED = "never_traded"
    TOO_FEW_WINDOWS = "too_few_windows"
    VETOED_IN_A_WINDOW = "vetoed_in_a_window"
    NOT_ABOVE_LENDING = "not_above_lending"
    FAILS_AT_DOUBLE_COST = "fails_at_double_cost"
    DEEPER_THAN_BACKTEST = "deeper_than_backtest"
    TRACKING = "tracking"
    UNSURE_OF_LENDING = "unsure_of_lending"
    SHARPE_MAY_BE_CHANCE = "sharpe_may_be_chance"
    NOT_MEASURED = "not_measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """
    The gate from one rung to the next; the defaults are those from proving to main.

    Attributes:
        days_min: of chain time with the mandate; `nav_days_min`: of those with a NAV on record.
        share_max_percent: of the eligible, rounded up.
        drawdown_p95_factor: live drawdown against the 95th percentile of the backtest's; 0 asks for none.
        tracking: whether live must agree with its own resimulation.
        windows_min: disjoint windows a fitness must be of; 0 asks for none.
        beats_lending: whether the fitness must be above plain lending's; `survives_stress`: at twice the
            costs, too.
        trades_min: executions on record (where windows are asked for, in these), baselines excepted.
        posterior_min: probability that live beats lending; `psr_min`: that its Sharpe ratio over lending is
            above 0, live and out of sample; 0 asks for none.
        dsr_min: below it the promotion needs people who sign a proposal that records it; never a veto.
    """

    days_min: int = 30
    nav_days_min: int = 20
    drawdown_ratio_max: float = 0.10
    share_max_percent: int = 50
    drawdown_p95_factor: float = 0.0
    tracking: bool = False
    windows_min: int = 0
    beats_lending: bool = False
    survives_stress: bool = False
    trades_min: int = 1
    posterior_min: float = 0.0
    psr_min: float = 0.0
    dsr_min: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTrial:
    """
    What is known of a genome from windows of history, before anybody gave it money.

    Attributes:
        windows: disjoint ones it was tried on; `vetoed`: what no return makes up for happened in one.
        fitness_ppb: mean certainty equivalent less two standard errors; None while INSUFFICIENT.
        lending_ppb: the same of plain lending; `stressed_ppb`: its own at twice the costs.
        drawdown_p95_ratio: 95th percentile of its windows' maximum drawdowns.
        trades: executions in all windows.
    """

    windows: int
    vetoed: bool
    fitness_ppb: int | None
    lending_ppb: int
    stressed_ppb: int | None
    drawdown_p95_ratio: float
    trades: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """
    What the days with money say; None is what could not be computed.

    Attributes:
        tracking_error_ratio: annual, of live against its own resimulation.
        tracking_sum_ratio, tracking_t: the signed sum of the differences, and it in standard errors.
        posterior: probability that it beats lending, shrunk; `psr`, `dsr`: of its excess over lending.
    """

    tracking_error_ratio: float | None = None
    tracking_sum_ratio: float | None = None
    tracking_t: float | None = None
    posterior: float | None = None
    psr: float | None = None
    dsr: float | None = None

    @property
    def tracks(self) -> bool | None:
        """Whether live is what the simulation says it should be; None if it was not measured."""
        if self.tracking_error_ratio is None or self.tracking_sum_ratio is None:
            return None
        leak = (
            abs(self.tracking_sum_ratio) > TRACKING_SUM_MAX and abs(self.tracking_t or 0.0) > TRACKING_T_MIN
        )
        return self.tracking_error_ratio < TRACKING_ERROR_MAX and not leak


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """
    What is known of one agent at the end of its trial.

    Attributes:
        return_ratio: time-weighted and net of every cost; ranks where there is no fitness yet.
        failed_settlements: transactions of its that were mined and reverted.
        baseline: idle cash, plain lending: nothing to trade, and labelled so.
        tested: what its genome showed on windows; `lived`: what its own days show.
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
    tested: WindowTrial | None = None
    lived: Lived | None = None


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


def graduate(candidates: Sequence[Candidate], rules: GateRules, *, places: int | None = None) -> Graduation:
    """
    Return who may leave; ties go by fitness, then return, then id.

    Args:
        places: free on the next rung; more than the share of the eligible is never used.
    """
    eligible: list[Candidate] = []
    vetoed: list[Vetoed] = []
    for candidate in candidates:
        vetoes = vetoes_of(candidate, rules)
        if vetoes:
            vetoed.append(Vetoed(agent=candidate.agent, vetoes=vetoes))
        else:
            eligible.append(candidate)
    ranked = [each.agent for each in sorted(eligible, key=_rank)]
    share = -(-len(ranked) * rules.share_max_percent // 100)
    room = share if places is None else min(share, max(0, places))
    return Graduation(
        graduates=tuple(ranked[:room]),
        left_behind=tuple(ranked[room:]),
        vetoed=tuple(sorted(vetoed, key=lambda each: each.agent)),
    )


def vetoes_of(candidate: Candidate, rules: GateRules) -> tuple[Veto, ...]:
    """Return every reason why a candidate can't graduate."""
    trades_min = 0 if candidate.baseline else rules.trades_min
    trades = candidate.tested.trades if rules.windows_min and candidate.tested else candidate.trades
    found = (
        (Veto.DIED, not candidate.alive),
        (Veto.TOO_YOUNG, candidate.days < rules.days_min),
        (Veto.TOO_FEW_DAYS, candidate.nav_days < rules.nav_days_min),
        (Veto.DRAWDOWN, candidate.max_drawdown_ratio >= rules.drawdown_ratio_max),
        (Veto.FAILED_SETTLEMENT, candidate.failed_settlements > 0),
        (Veto.NEVER_TRADED, trades < trades_min),
    )
    simple = tuple(veto for veto, applies in found if applies)
    return simple + _vetoes_tested(candidate, rules) + _vetoes_lived(candidate.lived, rules)


def _vetoes_tested(candidate: Candidate, rules: GateRules) -> tuple[Veto, ...]:
    """Return what the windows forbid; where they are asked for and missing, that."""
    tested = candidate.tested
    if not (rules.windows_min or rules.beats_lending or rules.survives_stress or rules.drawdown_p95_factor):
        return ()
    if tested is None:
        return (Veto.NOT_MEASURED,)
    floor = tested.lending_ppb
    above = tested.fitness_ppb is not None and tested.fitness_ppb > floor
    stressed = tested.stressed_ppb is not None and tested.stressed_ppb > floor
    deep = rules.drawdown_p95_factor * tested.drawdown_p95_ratio
    too_deep = candidate.max_drawdown_ratio >= max(deep, DRAWDOWN_NOISE)
    found = (
        (Veto.TOO_FEW_WINDOWS, tested.windows < rules.windows_min),
        (Veto.VETOED_IN_A_WINDOW, tested.vetoed),
        (Veto.NOT_ABOVE_LENDING, rules.beats_lending and not above),
        (Veto.FAILS_AT_DOUBLE_COST, rules.survives_stress and not stressed),
        (Veto.DEEPER_THAN_BACKTEST, bool(rules.drawdown_p95_factor) and too_deep),
    )
    return tuple(veto for veto, applies in found if applies)


DRAWDOWN_NOISE = 0.01
"""A live drawdown of less is what gas and fees take of a small mandate, whatever the backtest had."""


def _vetoes_lived(lived: Lived | None, rules: GateRules) -> tuple[Veto, ...]:
    """Return what its own days forbid; what is asked for and could not be computed is a veto, not a pass."""
    if not (rules.tracking or rules.posterior_min or rules.psr_min):
        return ()
    if lived is None:
        return (Veto.NOT_MEASURED,)
    missing = (
        (rules.tracking and lived.tracks is None)
        or (rules.posterior_min > 0.0 and lived.posterior is None)
        or (rules.psr_min > 0.0 and lived.psr is None)
    )
    found = (
        (Veto.NOT_MEASURED, missing),
        (Veto.TRACKING, rules.tracking and lived.tracks is False),
        (Veto.UNSURE_OF_LENDING, lived.posterior is not None and lived.posterior < rules.posterior_min),
        (Veto.SHARPE_MAY_BE_CHANCE, lived.psr is not None and lived.psr < rules.psr_min),
    )
    return tuple(veto for veto, applies in found if applies)


def _rank(candidate: Candidate) -> tuple[bool, int, float, AgentId]:
    """Return what candidates are sorted by; one without a fitness stands behind those with one."""
    fitness = candidate.fitness_ppb
    return (fitness is None, -(fitness or 0), -candidate.return_ratio, candidate.agent)
