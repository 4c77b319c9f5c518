"""What happens to a population, as the journal has it."""

from dataclasses import dataclass
from typing import Literal

from treasury_actors.ids import AgentId, FamilyId, GenomeId
from treasury_actors.journal.codec import TimeNs, Units, event

BirthOperator = Literal["initial", "mutation", "crossover", "immigrant", "carried", "promoted"]


@event("arena.season_opened", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonOpened:
    """A season begins: everything that decides its course is named here."""

    season: int
    seed: int
    label: str
    source: str
    data_hash: str
    config_hash: str
    start_ns: TimeNs
    frames: int
    population: int


@event("arena.season_closed", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonClosed:
    """The last frame of a season was played; what the treasury held then is in the ledger."""

    season: int
    turn: int


@event("arena.agent_born", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class AgentBorn:
    """
    An agent begins to live; its capital comes by ledger entries.

    Attributes:
        number: counts births in this journal; part of the agent's name.
        turn: the season frame it was born at; it decides from the next (the first agents: from frame 0).
        generation: 0 without parents, else one more than the older parent's.
    """

    agent: AgentId
    number: int
    family: FamilyId
    genes: tuple[int, ...]
    genome: GenomeId
    turn: int
    generation: int
    parents: tuple[AgentId, ...]
    operator: BirthOperator


@event("arena.genome_refused", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class GenomeRefused:
    """A genome can't warm up on the history there is; its slot was refilled from the same family."""

    family: FamilyId
    genome: GenomeId
    warmup_h: int
    history_h: int


@event("arena.agent_retired", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRetired:
    """An agent decides no more; the guardian brings its capital home."""

    agent: AgentId
    turn: int
    reason: str


@event("arena.agent_frozen", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFrozen:
    """
    An agent with real money decides no more; what it owns stays as it is until it is retired.

    The guardian still holds its mandate to stop-loss and drawdown, and a person may close it.
    """

    agent: AgentId
    turn: int
    reason: str


@event("arena.agent_closed", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class AgentClosed:
    """The capital of a retired agent is back in the pool."""

    agent: AgentId
    turn: int
    returned_units: Units


@event("arena.fitness_recorded", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class FitnessRecorded:
    """
    A fitness, computed from the record that `key` names.

    Attributes:
        value_ppb: None while the record is too short: INSUFFICIENT, neither bred nor culled.
    """

    agent: AgentId
    turn: int
    key: str
    value_ppb: int | None
    se_ppb: int
    blocks: int


@event("arena.round_held", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class RoundHeld:
    """
    One allocation cycle.

    Attributes:
        number: counts rounds of this season from 1.
        generation: how many generations so far: rounds that bred and retired.
        total_units: all there was to allot; `reserve_units`: what of it stays in the pool.
        paid_units: what was allotted at once; `due_units`: what was asked back.
        rebalanced: false if the change was too small to move money for.
    """

    number: int
    turn: int
    generation: int
    births: int
    deaths: int
    rebalanced: bool
    total_units: Units
    reserve_units: Units
    paid_units: Units
    due_units: Units


@event("arena.capital_refused", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalRefused:
    """
    An allotment that was not made, or not in full.

    Attributes:
        reason: more than the pool may give; less than a mandate needs; or the runway might no longer be
            within a day's reach.
    """

    agent: AgentId
    turn: int
    wanted_units: Units
    free_units: Units
    reason: Literal["exceeds_pool", "below_mandate_minimum", "runway_floor"]


@event("arena.agent_crashed", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCrashed:
    """An agent died of a message; its siblings go on."""

    agent: AgentId
    turn: int
    cause: str
    message: str


@event("arena.agent_restarted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRestarted:
    """A new object took over the agent's mailbox."""

    agent: AgentId
    turn: int


@event("arena.agent_quarantined", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class AgentQuarantined:
    """An agent used up its restarts and stays down; it is retired, or frozen where money is real."""

    agent: AgentId
    turn: int
    crashes: int


@event("arena.common_cause_found", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class CommonCauseFound:
    """So many agents crashed at once that none is to blame: trading is reduced, nobody quarantined."""

    turn: int
    agents: tuple[AgentId, ...]


@event("arena.host_paused", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class HostPaused:
    """The process stood still; deadlines were extended by as much."""

    turn: int
    gap_s: float
