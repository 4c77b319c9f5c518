"""
Fitness: one number for a record, computed, then recorded, then ranked, in that order and no other.

A fitness carries the key of what it was computed from. The board knows the key that is current and takes
no other, so yesterday's value, or one of a genome that has since changed, can't be ranked.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import fsum, isfinite, log, sqrt
from typing import Literal, TypeAlias

from treasury_actors.agents.model.metrics.series import DAYS_A_YEAR, deviation, mean
from treasury_actors.agents.model.track import TrackRecord
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AgentId

PPB = 10**9
BLOCK_DAYS_MIN = 7
BLOCKS_MIN = 4
BLOCKS_MAX = 26
"""Beyond half a year blocks grow longer instead of more: enough for a standard error, and cheap."""

RISK_AVERSION = 4.0
DRAWDOWN_PENALTY = 1.0
DRAWDOWN_FREE_RATIO = 0.15
STANDARD_ERRORS = 1.0
"""
How many standard errors are taken off the mean.

One, not the two used over long windows of history: an agent's own record is 4 to 26 weeks, where two
errors of a strategy of 40% volatility are 115% a year or more. They would drown any edge and rank by
volatility alone, which the risk aversion already prices; the allocator shrinks by the same error again.
"""
RUIN_CE = -10.0
"""The annual certainty equivalent of a block that lost everything; no block counts as worse."""

VOLATILITY_FLOOR = 0.05
SHARPE_MIN = -3.0
SHARPE_MAX = 5.0
WIN_RATE_BONUS_FROM = 0.65

FormulaName: TypeAlias = Literal["certainty_equivalent", "brief_repaired"]

FORMULA_VERSION: dict[FormulaName, str] = {
    "certainty_equivalent": "certainty_equivalent/1",
    "brief_repaired": "brief_repaired/1",
}
"""The version is part of the key: change a formula and every fitness of the old one is stale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitnessKey:
    """
    What a fitness was computed from; two keys are equal when nothing that matters changed.

    Attributes:
        canonical_genome: the canonical text of the genome.
        data_hash: content hash of the market data.
        born_frame: first frame of the record.
        last_frame: last day close in the record.
        fitness_version: name and version of the formula.
        cost_model: name and version of what trading costs.
    """

    canonical_genome: str
    data_hash: str
    born_frame: int
    last_frame: int
    fitness_version: str
    cost_model: str

    @property
    def digest(self) -> str:
        """Return the sha256 of all of it, in hex: what is journalled."""
        parts = [
            self.canonical_genome,
            self.data_hash,
            self.born_frame,
            self.last_frame,
            self.fitness_version,
            self.cost_model,
        ]
        return sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitness:
    """
    A fitness that may be ranked.

    Attributes:
        value_ppb: the fitness in parts per billion of the formula's unit.
        se_ppb: its standard error over the blocks of the record, same unit.
        computed_at_frame: when; never before the last frame of the record.
        blocks: how many blocks of days it rests on.
    """

    value_ppb: int
    se_ppb: int
    key: FitnessKey
    computed_at_frame: int
    blocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Insufficient:
    """The record is too short to say anything: neither bred nor culled."""

    key: FitnessKey
    computed_at_frame: int
    blocks: int
    needed: int


Evaluation: TypeAlias = Fitness | Insufficient


def evaluate(
    record: TrackRecord,
    *,
    canonical_genome: str,
    data_hash: str,
    cost_model: str,
    frame: int,
    formula: FormulaName = "certainty_equivalent",
) -> Evaluation:
    """
    Compute the fitness of a record as it is at `frame`; the record's span goes into the key.

    Raises:
        InvariantViolated: the record reaches beyond `frame`, or holds a return that is no number.
    """
    if record.last_frame > frame:
        raise InvariantViolated(
            f"fitness at frame {frame} of a record that reaches frame {record.last_frame}"
        )
    key = FitnessKey(
        canonical_genome=canonical_genome,
        data_hash=data_hash,
        born_frame=record.born_frame,
        last_frame=record.last_frame,
        fitness_version=FORMULA_VERSION[formula],
        cost_model=cost_model,
    )
    returns, lending = record.daily_returns, record.lending_returns
    if not all(map(isfinite, returns)) or not all(map(isfinite, lending)):
        raise InvariantViolated("a daily return is not a number")
    blocks = min(len(returns) // BLOCK_DAYS_MIN, BLOCKS_MAX)
    if blocks < BLOCKS_MIN:
        return Insufficient(key=key, computed_at_frame=frame, blocks=blocks, needed=BLOCKS_MIN)
    value, error = _FORMULAS[formula](returns, lending, blocks)
    return Fitness(
        value_ppb=round(value * PPB),
        se_ppb=round(error * PPB),
        key=key,
        computed_at_frame=frame,
        blocks=blocks,
    )


class FitnessBoard:
    """
    The fitness of every living agent, none of it stale.

    The arena says what is current (`expect`), from its own clock and books and not from the record; only
    then is a fitness recorded (`record`), and only when all are in may they be ranked (`ranking`).
    """

    __slots__ = ("_current", "_expected")

    def __init__(self) -> None:
        self._expected: dict[AgentId, FitnessKey] = {}
        self._current: dict[AgentId, Evaluation] = {}

    def expect(self, agent: AgentId, key: FitnessKey) -> None:
        """Say what an agent's fitness must be computed from now; a record under another key is void."""
        if self._expected.get(agent) != key:
            self._current.pop(agent, None)
        self._expected[agent] = key

    def forget(self, agent: AgentId) -> None:
        """Drop an agent that no longer lives."""
        self._expected.pop(agent, None)
        self._current.pop(agent, None)

    def record(self, agent: AgentId, evaluation: Evaluation) -> None:
        """
        Take an agent's fitness.

        Raises:
            InvariantViolated: it is stale, of an unknown agent, or older than the record it speaks of.
        """
        expected = self._expected.get(agent)
        if expected is None or evaluation.key != expected:
            raise InvariantViolated(
                f"stale fitness of {agent}: computed from {evaluation.key}, not {expected}"
            )
        if evaluation.computed_at_frame < expected.last_frame:
            raise InvariantViolated(f"fitness of {agent} was computed before its record was complete")
        self._current[agent] = evaluation

    def evaluation(self, agent: AgentId) -> Evaluation:
        """Return an agent's current evaluation; raise InvariantViolated if it has none."""
        if agent not in self._current:
            raise InvariantViolated(f"{agent} was not evaluated on its current record")
        return self._current[agent]

    def ranking(self) -> tuple[tuple[AgentId, Fitness], ...]:
        """
        Return every agent with a fitness, best first; ties by genome, then by agent.

        Raises:
            InvariantViolated: an expected agent was not evaluated yet.
        """
        agents = sorted(self._expected)
        judged = [(agent, self.evaluation(agent)) for agent in agents]
        ranked = [(agent, fitness) for agent, fitness in judged if isinstance(fitness, Fitness)]
        ranked.sort(key=lambda pair: (-pair[1].value_ppb, pair[1].key.canonical_genome, pair[0]))
        return tuple(ranked)


def _mean_less_an_error(
    returns: Sequence[float], _lending: Sequence[float], blocks: int
) -> tuple[float, float]:
    """
    Return the mean certainty equivalent over the blocks less one standard error, and that error.

    Unit: growth a year. A sure 5% is worth 0.0488 (ln 1.05); a volatile strategy less than its growth.
    """
    values = [certainty_equivalent(returns[low:high]) for low, high in _edges(len(returns), blocks)]
    error = deviation(values) / sqrt(blocks)
    return mean(values) - STANDARD_ERRORS * error, error


def certainty_equivalent(returns: Sequence[float]) -> float:
    """
    Return g - (lam - 1)/2 sigma^2 - kap max(0, MDD - D) of daily returns, the first two annual.

    g is log growth; it already holds -sigma^2/2, hence lam - 1.
    """
    total, drawdown = _growth_and_drawdown(returns)
    if total <= 0.0:
        return RUIN_CE
    growth = log(total) * DAYS_A_YEAR / len(returns)
    variance = deviation(returns) ** 2 * DAYS_A_YEAR
    excess = max(0.0, drawdown - DRAWDOWN_FREE_RATIO)
    return max(RUIN_CE, growth - 0.5 * (RISK_AVERSION - 1.0) * variance - DRAWDOWN_PENALTY * excess)


def _brief_repaired(returns: Sequence[float], lending: Sequence[float], blocks: int) -> tuple[float, float]:
    """Return the brief's score of the whole record, and its error by leaving out one block at a time."""
    without = []
    for low, high in _edges(len(returns), blocks):
        without.append(_brief_score([*returns[:low], *returns[high:]], [*lending[:low], *lending[high:]]))
    centre = mean(without)
    spread = fsum((value - centre) ** 2 for value in without)
    return _brief_score(returns, lending), sqrt((blocks - 1) / blocks * spread)


def _brief_score(returns: Sequence[float], lending: Sequence[float]) -> float:
    """
    Return 0.3 total return + 0.4 Sharpe - 0.2 max drawdown - 0.1 volatility + 0.1 [win rate > 0.65].

    Repaired where the brief's own formula breaks: Sharpe and wins are over what lending paid on the same
    days (a lender had infinite skill, and won every day), the volatility it divides by is at least 5% a
    year (a near-constant one scored 50 and more), and it is clamped to -3 .. 5. Annual by the root of 365.
    """
    excess = [mine - lent for mine, lent in zip(returns, lending, strict=True)]
    total, drawdown = _growth_and_drawdown(returns)
    annual = sqrt(DAYS_A_YEAR)
    sharpe = mean(excess) * DAYS_A_YEAR / max(deviation(excess) * annual, VOLATILITY_FLOOR)
    sharpe = min(max(sharpe, SHARPE_MIN), SHARPE_MAX)
    wins = sum(1 for value in excess if value > 0.0) / len(excess)
    bonus = 0.1 if wins > WIN_RATE_BONUS_FROM else 0.0
    return 0.3 * (total - 1.0) + 0.4 * sharpe - 0.2 * drawdown - 0.1 * deviation(returns) * annual + bonus


_Formula: TypeAlias = Callable[[Sequence[float], Sequence[float], int], tuple[float, float]]

_FORMULAS: dict[FormulaName, _Formula] = {
    "certainty_equivalent": _mean_less_an_error,
    "brief_repaired": _brief_repaired,
}


def _edges(days: int, blocks: int) -> list[tuple[int, int]]:
    """Return where each block starts and ends: every day in one block, lengths a day apart at most."""
    return [(days * block // blocks, days * (block + 1) // blocks) for block in range(blocks)]


def _growth_and_drawdown(returns: Sequence[float]) -> tuple[float, float]:
    """Return what one dollar became, and the deepest fall from its peak, the start included."""
    value = peak = 1.0
    drawdown = 0.0
    for change in returns:
        value *= 1.0 + change
        peak = max(peak, value)
        drawdown = max(drawdown, 1.0 - value / peak)
    return value, drawdown
