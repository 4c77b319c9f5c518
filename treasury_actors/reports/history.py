"""What a journal says of one season: the values the fold in `historian` ends with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from treasury_actors.arena.model.demotion import AgentDemoted
from treasury_actors.arena.model.events import (
    AgentBorn,
    AgentClosed,
    AgentFrozen,
    AgentRetired,
    CapitalRefused,
    FitnessRecorded,
    GenomeRefused,
    RoundHeld,
    SeasonOpened,
)
from treasury_actors.ids import AgentId, AssetId, FamilyId, OrderId
from treasury_actors.reports.course import Course
from treasury_actors.reports.sources import SourceLine
from treasury_actors.trading.model.order import Order, OrderEnded, OrderFilled, OrderRefused
from treasury_actors.trading.model.stop import TradingStateChanged

Refusal = OrderRefused | OrderEnded | CapitalRefused | GenomeRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """
    Money that entered (positive) or left the treasury at a frame.

    Attributes:
        kind: `carried` is what an earlier season of the journal left behind and nobody swept.
        value_micro_usd: of the units, at the frame's price.
    """

    frame: int
    kind: Literal["carried", "deposit", "withdraw"]
    asset: AssetId
    units: int
    value_micro_usd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One executed hop and the frame it was executed at."""

    frame: int
    filled: OrderFilled


@dataclass(slots=True)
class Costs:
    """What trading has cost, in micro-dollars at the frames' prices."""

    fee_micro_usd: int = 0
    impact_micro_usd: int = 0
    gas_micro_usd: int = 0

    @property
    def total_micro_usd(self) -> int:
        """All of it."""
        return self.fee_micro_usd + self.impact_micro_usd + self.gas_micro_usd

    def add(self, filled: OrderFilled) -> None:
        """Count one hop."""
        self.fee_micro_usd += filled.fee_micro_usd
        self.impact_micro_usd += filled.impact_micro_usd
        self.gas_micro_usd += filled.gas_micro_usd


@dataclass(slots=True)
class AgentHistory:
    """
    One agent of the season, living or not.

    Attributes:
        start_lending_ticks: the price of the lending benchmark at its birth.
        end_lending_ticks: the same at its death or the end.
        fitness: as last recorded; its value is None while INSUFFICIENT.
        adds_ppb: to the book of all agents, as last recorded; None while too little is known.
    """

    born: AgentBorn
    start_lending_ticks: int
    end_lending_ticks: int
    course: Course = field(default_factory=Course)
    costs: Costs = field(default_factory=Costs)
    trades: int = 0
    allotted_micro_usd: int = 0
    returned_micro_usd: int = 0
    fitness: FitnessRecorded | None = None
    adds_ppb: int | None = None
    frozen: AgentFrozen | None = None
    retired: AgentRetired | None = None
    closed: AgentClosed | None = None

    @property
    def is_living(self) -> bool:
        """Whether it still decides."""
        return self.retired is None

    @property
    def is_frozen(self) -> bool:
        """Whether it is down with real money, and keeps what it has."""
        return self.frozen is not None and self.is_living

    @property
    def pnl_micro_usd(self) -> int:
        """What it made of the capital it was given: NAV and returns minus allotments."""
        return self.course.nav_micro_usd + self.returned_micro_usd - self.allotted_micro_usd

    @property
    def lending_return_ratio(self) -> float:
        """What lending returned over its life; 0 where the benchmark had no price."""
        if not self.start_lending_ticks or not self.end_lending_ticks:
            return 0.0
        return self.end_lending_ticks / self.start_lending_ticks - 1.0


@dataclass(slots=True)
class Supervision:
    """How often agents fell and what became of it."""

    crashes: int = 0
    restarts: int = 0
    quarantines: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFitness:
    """The fitness of everybody ranked in one round, in ppb, best first; INSUFFICIENT ones left out."""

    frame: int
    values_ppb: tuple[int, ...]
    insufficient: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """
    One season of a journal.

    Attributes:
        last_frame: the last frame that was played.
        nav_micro_usd: of everything the treasury owns, at every frame after its events.
        exit_nav_micro_usd: what a sale of everything would have brought then.
        holdings: (frame, units by asset) at the end of every frame at which they changed.
        family_days: per family, the NAV of its agents at every day close.
        idle_days: the reserve asset outside mandates at the same frames, in micro-dollars.
        idle_units: the same at the end, in units.
        sources: what each owner made of each asset from each source; together the gain, to the micro-dollar.
        orders: every order that was accepted, refused or ended, by id.
        entries, events: how many the whole journal has.
        data_hashes: of every season of the journal, each once.
    """

    opened: SeasonOpened
    last_frame: int
    nav_micro_usd: tuple[int, ...]
    exit_nav_micro_usd: tuple[int, ...]
    course: Course
    drawdowns: tuple[float, ...]
    holdings: tuple[tuple[int, Mapping[AssetId, int]], ...]
    flows: tuple[Flow, ...]
    sources: tuple[SourceLine, ...]
    agents: Mapping[AgentId, AgentHistory]
    rounds: tuple[RoundHeld, ...]
    round_fitness: tuple[RoundFitness, ...]
    family_days: Mapping[FamilyId, tuple[int, ...]]
    idle_days: tuple[int, ...]
    idle_units: int
    fills: tuple[Fill, ...]
    refusals: tuple[tuple[int, Refusal], ...]
    orders: Mapping[OrderId, Order]
    states: tuple[tuple[int, TradingStateChanged], ...]
    supervision: Supervision
    demotions: tuple[AgentDemoted, ...]
    entries: int
    events: int
    head_hash: str
    imbalances: tuple[str, ...]
    data_hashes: tuple[str, ...]

    @property
    def living(self) -> list[AgentHistory]:
        """The agents that decide at the end, in name order."""
        return [self.agents[agent] for agent in sorted(self.agents) if self.agents[agent].is_living]

    @property
    def dead(self) -> list[AgentHistory]:
        """The retired, in the order of their deaths."""
        dead = [agent for agent in self.agents.values() if not agent.is_living]
        return sorted(dead, key=lambda a: (a.retired.turn if a.retired else 0, a.born.agent))

    @property
    def invested_micro_usd(self) -> int:
        """What was put in: deposits and what was carried over."""
        return sum(flow.value_micro_usd for flow in self.flows if flow.kind != "withdraw")

    @property
    def withdrawn_micro_usd(self) -> int:
        """What was taken out."""
        return -sum(flow.value_micro_usd for flow in self.flows if flow.kind == "withdraw")

    @property
    def gain_micro_usd(self) -> int:
        """What the treasury gained: its NAV and withdrawals minus what was put in."""
        return self.nav_micro_usd[-1] + self.withdrawn_micro_usd - self.invested_micro_usd

    @property
    def costs(self) -> Costs:
        """What all trading of the season has cost."""
        costs = Costs()
        for fill in self.fills:
            costs.add(fill.filled)
        return costs

    @property
    def held_at_end(self) -> Mapping[AssetId, int]:
        """Units by asset at the end."""
        return self.holdings[-1][1] if self.holdings else {}


def rejections(history: History) -> list[tuple[int, OrderRefused | OrderEnded | CapitalRefused]]:
    """Return refused orders, orders that ended without any fill, and refused capital, in journal order."""
    return [
        (frame, refusal)
        for frame, refusal in history.refusals
        if isinstance(refusal, OrderRefused | CapitalRefused)
        or (isinstance(refusal, OrderEnded) and refusal.hop == 0)
    ]
