"""What a seed does to the house: the world it lives in, the schedule, and every fault. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from treasury_actors.evolution.model.chance import Chance
from treasury_actors.faults.kinds import KINDS, Fault, FaultKind
from treasury_actors.faults.loop import Schedule

TURNS_MIN: Final = 48
AGENTS_MIN: Final = 8
HEAL_TURNS: Final = 14
"""So many turns at the end of a seed have no fault: long enough for an exit to be sold and sent home."""

_WORLDS: Final = 4
_QUIET_PERCENT: Final = 12
"""So many seeds in a hundred have no fault at all: only their schedule differs."""

_DAY: Final = 24
_RICH_USD: Final = 1_000
_LAST_AGENT: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    One seed, drawn out: the same plan gives the same trace.

    Attributes:
        world: which of the prepared seasons it is lived on.
        turns: the last frame that is played.
        round_turns: frames between two rounds; at least two rounds are held.
        heals_at: from this frame on nothing more goes wrong.
        gas_usd: what is deposited for gas; sometimes too little.
    """

    seed: int
    world: int
    schedule: Schedule
    agents: int
    turns: int
    round_turns: int
    gas_usd: int
    faults: tuple[Fault, ...]

    @property
    def heals_at(self) -> int:
        """The first frame at which nothing goes wrong any more."""
        return self.turns - HEAL_TURNS + 1

    @property
    def is_rich(self) -> bool:
        """Whether there is gas enough for every exit."""
        return self.gas_usd > _RICH_USD

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its faults, in the order of the catalogue."""
        present = {fault.kind for fault in self.faults}
        return tuple(name for name in KINDS if name in present)

    def of(self, kind: str) -> tuple[Fault, ...]:
        """Return the faults of one kind."""
        return tuple(fault for fault in self.faults if fault.kind == kind)

    @property
    def freezes(self) -> bool:
        """Whether quarantine freezes a mandate, as where money is real: in one seed of three."""
        return Chance((self.seed, "faults", "freezes")).below(3) == 0

    def at(self, kind: str, turn: int) -> tuple[Fault, ...]:
        """Return the faults of one kind that last at a turn."""
        return tuple(fault for fault in self.faults if fault.kind == kind and fault.covers(turn))

    def without(self, kinds: Collection[str]) -> "Plan":
        """Return the plan without the faults of some kinds."""
        return replace(self, faults=tuple(fault for fault in self.faults if fault.kind not in kinds))

    def world_alone(self) -> "Plan":
        """Return the plan of a process that nothing befalls, in the same world."""
        kept = tuple(fault for fault in self.faults if KINDS[fault.kind].replays)
        return replace(self, faults=kept, schedule="fifo")

    def shorter(self, turns: int) -> "Plan":
        """Return the plan with an earlier end; what would strike later is dropped."""
        end = turns - HEAL_TURNS
        kept = tuple(fault for fault in self.faults if fault.turn <= end)
        return replace(self, turns=turns, faults=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """
    What of a seed is kept, as a command line says it; the rest is drawn as ever.

    Attributes:
        only: the kinds that are left in the plan; None: all.
        schedule: instead of the drawn one.
        turns: an earlier end.
    """

    only: frozenset[str] | None = None
    schedule: Schedule | None = None
    turns: int | None = None

    def of(self, plan: Plan) -> Plan:
        """Return what is left of a plan."""
        if self.schedule is not None:
            plan = replace(plan, schedule=self.schedule)
        if self.turns is not None and self.turns < plan.turns:
            plan = plan.shorter(self.turns)
        return plan if self.only is None else plan.without(KINDS.keys() - self.only)


def draw_plan(seed: int, *, only: Collection[str] | None = None, agents: int | None = None) -> Plan:
    """
    Draw the plan of a seed.

    Each kind has a stream of its own, so that leaving one out leaves the others as they were. With `only`,
    a seed that would lack these kinds has them.
    """
    chance = Chance((seed, "faults", "plan"))
    schedules: tuple[Schedule, ...] = ("fifo", "fifo", "jitter", "jitter", "hostile")
    schedule = schedules[chance.below(len(schedules))]
    population = AGENTS_MIN + chance.below(_LAST_AGENT)
    turns = TURNS_MIN + chance.below(_DAY // 2)
    round_turns = (8, 12, 16, 24)[chance.below(4)]
    poor = chance.below(100) < _QUIET_PERCENT
    quiet = chance.below(100) < _QUIET_PERCENT and only is None
    world = chance.below(_WORLDS)
    plan = Plan(
        seed=seed,
        world=world,
        schedule=schedule,
        agents=population if agents is None else max(AGENTS_MIN, agents),
        turns=turns,
        round_turns=round_turns,
        gas_usd=2 + chance.below(20) if poor else 5_000,
        faults=(),
    )
    if quiet:
        return plan
    faults: list[Fault] = []
    for kind in KINDS.values():
        if only is None or kind.name in only:
            faults += _draw(seed, kind, plan, certain=only is not None)
    if not faults:
        faults = _draw(seed, KINDS["kill"], plan, certain=True)
    return replace(plan, faults=tuple(faults))


def _draw(seed: int, kind: FaultKind, plan: Plan, *, certain: bool) -> list[Fault]:
    """Draw how often a kind strikes in a seed, when, and how hard."""
    chance = Chance((seed, "faults", kind.name))
    strikes = chance.below(100) < kind.percent or certain
    count = 1 + chance.below(kind.times_max)
    if not strikes:
        return []
    focus = 1 + Chance((seed, "faults", "focus")).below(plan.heals_at - 2)
    drawn = [_draw_one(kind, plan, chance, focus) for _ in range(count)]
    return sorted(drawn, key=lambda fault: (fault.turn, fault.slot, fault.number))


_LASTS: Final[Mapping[str, int]] = {
    "agent-loop": 8,
    "feed-gap": 5,
    "feed-stale": 9,
    "thin-pools": 6,
    "gas-spike": 6,
    "venue-delay": 6,
    "venue-partial": 4,
    "venue-refusal": 3,
    "stop": 6,
    "reduce": 6,
    "stop-within": 6,
    "disk-full": 3,
    "chain-lost": 5,
    "chain-silent": 4,
    "chain-stale": 5,
    "chain-idle": 6,
    "chain-fees": 5,
    "chain-stop": 5,
}
"""The longest that a fault of a kind lasts, in turns (of a full disk: in starts)."""


def _draw_one(kind: FaultKind, plan: Plan, chance: Chance, focus: int) -> Fault:
    """Draw one fault of a kind: at a round, around the turn this seed has it in for, or anywhere."""
    end = plan.heals_at - 1
    turn = 1 + chance.below(end - 1)
    match chance.below(4):
        case 0:
            turn = plan.round_turns * (1 + chance.below(end // plan.round_turns))
        case 1:
            turn = min(end, focus + chance.below(3))
        case _:
            pass
    longest = _LASTS.get(kind.name, 1)
    lasts = 1 + chance.below(longest)
    if kind.name == "agent-loop":
        lasts = longest
    return Fault(
        kind=kind.name,
        turn=turn,
        turns=max(1, min(lasts, end + 1 - turn)),
        slot=chance.below(1 << 16),
        number=chance.below(1 << 16),
    )
