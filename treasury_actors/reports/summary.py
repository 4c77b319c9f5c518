"""Every figure of a report as one value; whoever sets it in type computes nothing."""

from dataclasses import dataclass, field

from treasury_actors.agents.model.metrics.regression import Regression
from treasury_actors.arena.model.demotion import AgentDemoted
from treasury_actors.arena.model.spending import Spending
from treasury_actors.ids import AgentId, AssetId, FamilyId
from treasury_actors.market.model.frame import Label
from treasury_actors.reports.attribution import Attribution
from treasury_actors.reports.history import Costs
from treasury_actors.reports.lines import BenchmarkResult
from treasury_actors.reports.reach import Reach
from treasury_actors.reports.sources import SourceLine
from treasury_actors.reports.verdict import Verdict
from treasury_actors.trading.model.costs import ChainProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """
    What a report needs to know beyond journal and season.

    Attributes:
        journal_path: openable from the caller's directory.
        state_hash: of the live house at the end.
        replay_hash: of a replay of the journal; None if none was made.
        wall_s: how long the season took on the machine's clock.
        last_frame: the last frame played; None: where the season closed, else the frame of the last event.
        notes: what the season assumed or lacked, one sentence each.
        spending: what the treasury's owners spend, and what running costs.
        equal_agents: the same first agents with equal capital and no allocator; None if not computed.
        random_agents: random agents without evolution; None if not computed.
    """

    run_id: str
    seed: int
    wall_s: float
    journal_path: str
    state_hash: str
    chain: ChainProfile
    replay_hash: str | None = None
    lending_asset: AssetId = AssetId("aUSDC")
    last_frame: int | None = None
    notes: tuple[str, ...] = ()
    spending: Spending = field(default_factory=Spending)
    equal_agents: BenchmarkResult | None = None
    random_agents: BenchmarkResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFigures:
    """The season: where it came from, its first and its last played frame."""

    source: str
    hash: str
    start: str
    end: str
    frames: int
    days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFigures:
    """
    The population; `spawned` counts living starts and births, the next three count events.

    Attributes:
        alive: at the end.
        frozen: of these; they decide no more and keep what they have.
    """

    spawned: int
    alive: int
    crashed: int
    restarted: int
    quarantined: int
    frozen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyFigures:
    """One family: living agents, all ever born, fills, NAV of the living, P&L of all."""

    name: FamilyId
    agents: int
    born: int
    trades: int
    nav_micro_usd: int
    pnl_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalFigures:
    """
    The treasury's money at the last frame.

    Attributes:
        deposited_micro_usd: what was put in, at the prices of those frames, gas money included; what an
            earlier season left behind counts too.
        idle_micro_usd: the reserve asset outside every mandate; part of NAV.
        own_pnl_micro_usd: what no agent made: idle cash and gas money, gas charges included.
        return_ratio: time-weighted: deposits and withdrawals are no return.
    """

    deposited_micro_usd: int
    withdrawn_micro_usd: int
    nav_micro_usd: int
    exit_nav_micro_usd: int
    idle_micro_usd: int
    own_pnl_micro_usd: int
    costs: Costs
    return_ratio: float
    max_drawdown_ratio: float
    apy_ratio: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFigures:
    """The record: where it is, how long, and what it adds up to."""

    path: str
    events: int
    entries: int
    head_hash: str
    state_hash: str
    replay_hash: str | None

    @property
    def replay_is_live(self) -> bool | None:
        """Whether a replay gives the live state; None if none was made."""
        return None if self.replay_hash is None else self.replay_hash == self.state_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFigures:
    """One line of "what the treasury would have become"; no result if it was not computed."""

    key: str
    title: str
    result: BenchmarkResult | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    One agent, living or dead.

    Attributes:
        born_frame: season frame of its birth.
        days: how long it has had its part in the season.
        return_ratio: time-weighted and net of every cost.
        against_lending_ratio: that minus what lending returned over the same frames.
        fitness_ppb: None while INSUFFICIENT.
        adds_ppb: the book's utility with the agent minus without it, growth a year; None: too little known.
        apy_ratio: None under 365 days.
        betas: its daily returns over lending regressed on the factors'; None under 20 days.
        died: why and when; empty for the living.
    """

    agent: AgentId
    family: FamilyId
    born_frame: int
    generation: int
    parents: tuple[AgentId, ...]
    operator: str
    days: float
    fitness_ppb: int | None
    adds_ppb: int | None
    nav_micro_usd: int
    pnl_micro_usd: int
    costs: Costs
    return_ratio: float
    against_lending_ratio: float
    apy_ratio: float | None
    max_drawdown_ratio: float
    trades: int
    betas: tuple[float, ...] | None
    died: str = ""
    died_frame: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graveyard:
    """All the dead together: those a leaderboard does not show."""

    count: int
    pnl_micro_usd: int
    costs_micro_usd: int
    trades: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """
    The arena's daily returns over lending, the factors taken out.

    Attributes:
        sharpe: annual, over lending; None for a record without days or variance.
        sharpe_se: its standard error, sqrt(365 / days).
    """

    factors: tuple[str, ...]
    regression: Regression | None
    sharpe: float | None
    sharpe_se: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """
    How much of the fittest agent's record is luck, judged by every agent of the season, the dead too.

    Attributes:
        agent: None while nobody has a fitness.
        psr: probability that its Sharpe ratio over lending is above zero; `dsr`: above what the best of so
            many shows by luck, each trial over the days of its own life.
        pbo: None: agents of one season live on different days, and it compares trials on the same.
        trials: agents that lived here. How often the season was played before, a journal can't say.
        undefined: why what is None is None.
    """

    agent: AgentId | None
    psr: float | None
    dsr: float | None
    pbo: float | None
    trials: int
    undefined: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """
    Everything a report says.

    Attributes:
        rounds: season frames, first = 0.
        births: of this season, without the first agents.
        lines: the arena last.
        leaderboard: the living, fittest first; those without a fitness after them.
        graveyard_rows: the dead, in the order of their deaths.
        sources: what each owner made of each asset from each source; together the gain, to the micro-dollar.
        aggregate_impact_micro_usd: what price impact would have cost more, had orders shared a pool's depth.
        ended_early: orders that ended after a part of their path was filled; no rejections.
    """

    run_id: str
    label: Label
    seed: int
    data: DataFigures
    agents: AgentFigures
    generations: int
    births: int
    deaths: int
    rounds: tuple[int, ...]
    trades: int
    rejections: int
    rejections_by_reason: tuple[tuple[str, int], ...]
    ended_early: int
    genomes_refused: int
    families: tuple[FamilyFigures, ...]
    capital: CapitalFigures
    reach: Reach
    imbalances: tuple[str, ...]
    journal: JournalFigures
    lines: tuple[LineFigures, ...]
    attribution: Attribution
    sources: tuple[SourceLine, ...]
    aggregate_impact_micro_usd: int
    skill: Skill
    champion: Champion
    leaderboard: tuple[Standing, ...]
    graveyard: Graveyard
    graveyard_rows: tuple[Standing, ...]
    demotions: tuple[AgentDemoted, ...]
    states: tuple[tuple[int, str], ...]
    verdict: Verdict
    notes: tuple[str, ...]
    wall_s: float
    speed_x: float | None

    def line(self, key: str) -> LineFigures:
        """Return the line of this key."""
        return next(line for line in self.lines if line.key == key)
