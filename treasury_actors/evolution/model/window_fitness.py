"""
Fitness over windows: the mean certainty equivalent of many disjoint spans, less two standard errors.

On one window everything that is optimised is luck; what is left after two standard errors over eight
windows is worth breeding for (`docs/evidence.md`). A verdict is a fitness, a veto with its reasons, or the
word that there is too little history: a number is only ever the first of the three.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import fsum, isfinite, log, sqrt
from typing import Literal, TypeAlias

from treasury_actors.agents.model.metrics.series import DAYS_A_YEAR, deviation, mean
from treasury_actors.agents.model.metrics.sharpe import VOLATILITY_FLOOR_RATIO, sharpe_ranked
from treasury_actors.errors import InvariantViolated
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.vetoes import VetoPolicy, too_good, vetoes_of
from treasury_actors.evolution.model.window_course import WindowCourse
from treasury_actors.evolution.model.windows import Window
from treasury_actors.ids import VenueId

PPB = 10**9
FITNESS_VERSION = "window_ce/1"
BRIEF_VERSION = "window_brief/1"
RUIN_CE = -10.0
"""The annual certainty equivalent of a window that lost everything; none counts as worse."""

Formula: TypeAlias = Literal["certainty_equivalent", "brief_repaired"]
Lending: TypeAlias = Mapping[Window, Sequence[float]]
"""What plain lending returned on each day of each window."""

_VOLATILITY_FLOOR = 0.05
_SHARPE_MIN, _SHARPE_MAX = -3.0, 5.0
_WIN_SHARE = 0.65


@dataclass(frozen=True, slots=True, kw_only=True)
class TailHaircut:
    """
    What a venue is assumed to lose to what no history shows: a hack, a depeg.

    Attributes:
        hazard_a_year: how likely it is; `loss_ratio`: how much of what lies there goes.
    """

    venue: VenueId
    hazard_a_year: float
    loss_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FitnessPolicy:
    """
    How windows become one number.

    Attributes:
        windows_min: fewer real ones make no fitness: K.
        standard_errors: taken off the mean.
        risk_aversion: lambda of the certainty equivalent.
        drawdown_free_ratio: what may be lost from the peak before it costs; beyond it, one to one.
        liquid_ratio_need: what is missing from it in the worst hour costs half.
        tails: one a venue; a venue without one is taken for safe.
        formula: `brief_repaired` is the brief's own, for comparison: it passes no gate.
    """

    windows_min: int = 8
    standard_errors: float = 2.0
    risk_aversion: float = 4.0
    drawdown_penalty: float = 1.0
    drawdown_free_ratio: float = 0.15
    liquid_ratio_need: float = 0.20
    liquid_penalty: float = 0.5
    tails: tuple[TailHaircut, ...] = ()
    formula: Formula = "certainty_equivalent"
    vetoes: VetoPolicy = field(default_factory=VetoPolicy)

    @property
    def version(self) -> str:
        """Name the formula in every record."""
        return FITNESS_VERSION if self.formula == "certainty_equivalent" else BRIEF_VERSION

    @property
    def passes_gates(self) -> bool:
        """Whether a fitness of this formula may be evidence for anything."""
        return self.formula == "certainty_equivalent"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowFitness:
    """
    A fitness that may be ranked.

    Attributes:
        value_ppb: the mean less the standard errors, and never above what generated windows leave of it.
        mean_ppb, se_ppb: of the real windows.
        window_ppb: one a window, in their order.
        sharpe_day: of one day over lending, all windows together, the deviation at least that of 5% a year:
            else lenders, who hardly deviate, would decide how far the ratios of trials spread.
    """

    value_ppb: int
    mean_ppb: int
    se_ppb: int
    window_ppb: tuple[int, ...]
    sharpe_day: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetoed:
    """Never ranked, bred or funded; `measured` is what it would have been, for the record of trials."""

    reasons: tuple[str, ...]
    measured: WindowFitness


@dataclass(frozen=True, slots=True, kw_only=True)
class Insufficient:
    """Too few windows that count: no number."""

    windows: int
    needed: int


Judged: TypeAlias = WindowFitness | Vetoed | Insufficient


def judge(
    courses: Sequence[WindowCourse], lending: Lending, policy: FitnessPolicy, *, in_world: bool = False
) -> Judged:
    """
    Return what the courses of one genome are worth together.

    Args:
        courses: one a window, of disjoint windows.
        in_world: the market itself is a labelled generated one, as in `evidence --world`: its windows count.
            Elsewhere GENERATED windows may lower a fitness and neither raise it nor fill K.

    Raises:
        InvariantViolated: a figure is no number.
    """
    real = [course for course in courses if in_world or course.window.label != "GENERATED"]
    if len(real) < policy.windows_min:
        return Insufficient(windows=len(real), needed=policy.windows_min)
    reasons = [reason for course in courses for reason in vetoes_of(course, policy.vetoes)]
    returns = list(chain.from_iterable(course.daily_returns for course in real))
    lent = list(chain.from_iterable(lending[course.window] for course in real))
    excess = [mine - other for mine, other in zip(returns, lent, strict=True)]
    reasons += too_good(returns, excess, policy.vetoes)
    values = [window_value(course, lending[course.window], policy) for course in real]
    value, error = _lower_bound(values, policy)
    if len(real) < len(courses):
        every = [window_value(course, lending[course.window], policy) for course in courses]
        value = min(value, _lower_bound(every, policy)[0])
    measured = WindowFitness(
        value_ppb=to_ppb(value),
        mean_ppb=to_ppb(mean(values)),
        se_ppb=to_ppb(error),
        window_ppb=tuple(map(to_ppb, values)),
        sharpe_day=sharpe_ranked(
            excess, periods_a_year=1, floor_ratio=VOLATILITY_FLOOR_RATIO / sqrt(DAYS_A_YEAR)
        ),
    )
    return Vetoed(reasons=tuple(reasons), measured=measured) if reasons else measured


def window_value(course: WindowCourse, lending: Sequence[float], policy: FitnessPolicy) -> float:
    """Return what one window is worth by the policy's formula."""
    if policy.formula == "brief_repaired":
        return brief_score(course.daily_returns, lending, course.max_drawdown_ratio)
    return certainty_equivalent(course, policy) - tail_cost(course, policy)


def certainty_equivalent(course: WindowCourse, policy: FitnessPolicy) -> float:
    """
    Return g - (lam - 1)/2 sigma^2 - kap max(0, MDD - D) - half of what liquidity lacks: growth a year.

    g, log growth, already holds -sigma^2/2, hence lam - 1. A sure 5% is worth 0.0488 (ln 1.05).
    """
    first, last = course.daily_nav_micro_usd[0], course.daily_nav_micro_usd[-1]
    if last <= 0:
        return RUIN_CE
    growth = log(last / first) * DAYS_A_YEAR / course.window.days
    variance = deviation(course.daily_returns) ** 2 * DAYS_A_YEAR
    fall = max(0.0, course.max_drawdown_ratio - policy.drawdown_free_ratio)
    dry = max(0.0, policy.liquid_ratio_need - course.liquid_ratio_min)
    value = (
        growth
        - 0.5 * (policy.risk_aversion - 1.0) * variance
        - policy.drawdown_penalty * fall
        - policy.liquid_penalty * dry
    )
    return max(RUIN_CE, value)


def tail_cost(course: WindowCourse, policy: FitnessPolicy) -> float:
    """Return what is expected to go at the venues a year: share x hazard x loss, summed."""
    shares = dict(course.venue_shares)
    return fsum(shares.get(tail.venue, 0.0) * tail.hazard_a_year * tail.loss_ratio for tail in policy.tails)


def brief_score(returns: Sequence[float], lending: Sequence[float], drawdown_ratio: float) -> float:
    """
    Return 0.3 total return + 0.4 Sharpe - 0.2 max drawdown - 0.1 volatility + 0.1 [win rate > 0.65].

    The brief's formula, repaired as in the live arena: Sharpe and wins are over lending, the volatility it
    divides by is at least 5% a year, and it is clamped to -3 .. 5. It ranks by luck and passes no gate.
    """
    excess = [mine - lent for mine, lent in zip(returns, lending, strict=True)]
    total = 1.0
    for value in returns:
        total *= 1.0 + value
    annual = sqrt(DAYS_A_YEAR)
    ratio = mean(excess) * DAYS_A_YEAR / max(deviation(excess) * annual, _VOLATILITY_FLOOR)
    ratio = min(max(ratio, _SHARPE_MIN), _SHARPE_MAX)
    wins = sum(1 for value in excess if value > 0.0) / len(excess)
    bonus = 0.1 if wins > _WIN_SHARE else 0.0
    return (
        0.3 * (total - 1.0) + 0.4 * ratio - 0.2 * drawdown_ratio - 0.1 * deviation(returns) * annual + bonus
    )


def to_ppb(value: float) -> int:
    """
    Round to parts per billion, as every value is before it is ranked or recorded.

    Raises:
        InvariantViolated: it is NaN or infinite.
    """
    if not isfinite(value):
        raise InvariantViolated(f"a fitness of {value} can't be ranked")
    return round(value * PPB)


def rank(judged: Sequence[tuple[Genome, Judged]]) -> list[tuple[Genome, WindowFitness]]:
    """Return those with a fitness, best first; ties by the canonical genome."""
    ranked = [(genome, verdict) for genome, verdict in judged if isinstance(verdict, WindowFitness)]
    ranked.sort(key=lambda pair: (-pair[1].value_ppb, pair[0].canonical))
    return ranked


def _lower_bound(values: Sequence[float], policy: FitnessPolicy) -> tuple[float, float]:
    """Return the mean less the standard errors, and one of these."""
    error = deviation(values) / sqrt(len(values))
    return mean(values) - policy.standard_errors * error, error
