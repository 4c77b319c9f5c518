"""Who dies and who is bred at a round. Fitness is given; nothing here computes or remembers it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.fitness import Evaluation, Fitness
from treasury_actors.evolution.model.chance import Chance, SeedPath
from treasury_actors.evolution.model.genome import Genome, crossover, mutate, random_genome
from treasury_actors.ids import AgentId, FamilyId

_BPS = 10_000
_BRED_ATTEMPTS = 4
_ATTEMPTS = 12
"""The first few attempts at a birth breed, the others are immigrants; the best misfit is the last resort."""

Operator: TypeAlias = Literal["initial", "mutation", "crossover", "immigrant"]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class BreedingRules:
    """
    How a population renews itself.

    Attributes:
        target_population: how many agents live at most.
        cull_bps: largest part of the ranked that one round retires.
        elite_bps: the part of the ranked, best first and rounded up, that is never culled.
        tournament_size: how many of the ranked a parent has to beat, itself included.
        immigrant_bps: chance of a birth to be a fresh genome: cheap insurance against one idea for all.
        crossover_bps: chance of a bred child to have two parents.
        family_floor: no family falls below it by culling, and one that is below is refilled first.
        family_floor_from: the floor holds in populations of at least this size.
    """

    target_population: int
    cull_bps: int = 2_000
    elite_bps: int = 1_000
    tournament_size: int = 3
    immigrant_bps: int = 1_000
    crossover_bps: int = 5_000
    family_floor: int = 2
    family_floor_from: int = 21

    def floor_of(self, families: int) -> int:
        """Return the floor that holds with so many families: never more than all of them can have."""
        if self.target_population < self.family_floor_from or families == 0:
            return 0
        return min(self.family_floor, self.target_population // families)


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """An agent that may be culled or bred. `generation` is 0 for a genome without parents."""

    agent: AgentId
    genome: Genome
    born_frame: int
    evaluation: Evaluation
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where an agent comes from. `parents` is empty for a random genome."""

    child: AgentId
    parents: tuple[AgentId, ...]
    generation: int
    operator: Operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """A genome to be given to a new agent, and how it came about."""

    genome: Genome
    parents: tuple[AgentId, ...]
    operator: Operator
    generation: int

    def lineage(self, child: AgentId) -> Lineage:
        """Return the lineage of the agent that is born with this genome."""
        return Lineage(child=child, parents=self.parents, generation=self.generation, operator=self.operator)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationPlan:
    """What a round does to the population: the retired worst first, births in the order of their slots."""

    retire: tuple[AgentId, ...]
    births: tuple[Birth, ...]


def initial_families(families: Sequence[FamilyId], count: int) -> list[FamilyId]:
    """
    Return the family of each of the first `count` slots: dealt round-robin in the order of names.

    No family gets two more than another, so with 21 agents and up to seven families each has three.
    """
    ordered = sorted(families)
    assert ordered, "a population needs a family"
    return [ordered[slot % len(ordered)] for slot in range(count)]


def initial_genome(family: Family, seed: int, slot: int, attempt: int = 0) -> Genome:
    """Return the genome of a first slot; a higher `attempt` refills a slot whose genome did not fit."""
    return random_genome(family, (seed, "initial", slot, attempt))


def initial_genomes(families: Mapping[FamilyId, Family], count: int, seed: int) -> list[Genome]:
    """Return the genomes of the first `count` slots."""
    dealt = initial_families(list(families), count)
    return [initial_genome(families[family], seed, slot) for slot, family in enumerate(dealt)]


def rank(living: Sequence[Living]) -> list[Living]:
    """Return those with a fitness, best first; ties to the longer record, then by genome and agent."""
    ranked = [(each, each.evaluation) for each in living if isinstance(each.evaluation, Fitness)]
    ranked.sort(
        key=lambda pair: (-pair[1].value_ppb, pair[0].born_frame, pair[0].genome.canonical, pair[0].agent)
    )
    return [each for each, _ in ranked]


def elite_count(ranked: int, rules: BreedingRules) -> int:
    """Return how many of the ranked are never culled: rounded up, so the best one never is."""
    return -(-ranked * rules.elite_bps // _BPS)


def tournament(ranked: Sequence[Item], size: int, path: SeedPath) -> Item:
    """Return the best of `size` draws, with replacement, from a sequence that is sorted best first."""
    assert ranked, "a tournament needs a contestant"
    chance = Chance((*path, "tournament"))
    return ranked[min(chance.below(len(ranked)) for _ in range(max(1, size)))]


def plan_generation(
    living: Sequence[Living],
    *,
    families: Mapping[FamilyId, Family],
    rules: BreedingRules,
    seed: int,
    round_number: int,
    empty_slots: int,
    history_h: int | None = None,
) -> GenerationPlan:
    """
    Decide culls and births of a round.

    Only agents with a fitness are culled or bred, and nobody is bred who is culled. Births fill slots that
    were empty before this round's culls: the capital of the dead has to come home first.

    Args:
        living: every agent that lives, in any order.
        families: the families that may be bred; each living agent's is among them.
        rules: the limits.
        seed: the run's seed.
        round_number: makes this round's chance its own.
        empty_slots: slots without a living agent whose capital is back in the pool.
        history_h: hours of market history a newborn's warm-up may use; None for no limit.
    """
    assert empty_slots >= 0, "slots are counted"
    ranked = rank(living)
    counts = Counter(dict.fromkeys(families, 0))
    counts.update(each.genome.family for each in living)
    floor = rules.floor_of(len(families))
    retire = _cull(ranked, counts, floor, rules)
    survivors = [each for each in ranked if each.agent not in retire]
    nursery = _Nursery(
        survivors=survivors,
        families=families,
        rules=rules,
        history_h=history_h,
        taken={each.genome for each in living},
    )
    births: list[Birth] = []
    for slot in range(min(empty_slots, max(0, rules.target_population - len(living)))):
        needy = min(sorted(families), key=lambda family: counts[family])
        birth = nursery.birth(needy if counts[needy] < floor else None, (seed, "birth", round_number, slot))
        if birth is not None:
            births.append(birth)
            counts[birth.genome.family] += 1
            nursery.taken.add(birth.genome)
    return GenerationPlan(retire=retire, births=tuple(births))


def _cull(
    ranked: Sequence[Living], counts: Counter[FamilyId], floor: int, rules: BreedingRules
) -> tuple[AgentId, ...]:
    """Return whom the round retires, worst first, and take them off the counts of their families."""
    limit = len(ranked) * rules.cull_bps // _BPS
    retire: list[AgentId] = []
    for each in reversed(ranked[elite_count(len(ranked), rules) :]):
        if len(retire) == limit:
            break
        if counts[each.genome.family] > floor:
            retire.append(each.agent)
            counts[each.genome.family] -= 1
    return tuple(retire)


@dataclass(slots=True, kw_only=True)
class _Nursery:
    """What a birth is made from. `taken` grows: two agents of one genome would share one fate."""

    survivors: Sequence[Living]
    families: Mapping[FamilyId, Family]
    rules: BreedingRules
    history_h: int | None
    taken: set[Genome]

    def birth(self, family: FamilyId | None, path: SeedPath) -> Birth | None:
        """
        Return a birth, in `family` if one is given.

        None if no genome that was tried can warm up on the history there is. A genome that lives already is
        taken only when nothing else is found: some families have a single one.
        """
        parents = [each for each in self.survivors if family is None or each.genome.family == family]
        immigrant = family is None and Chance((*path, "kind")).below(_BPS) < self.rules.immigrant_bps
        last_resort: Birth | None = None
        for attempt in range(_ATTEMPTS):
            stem = (*path, attempt)
            if immigrant or not parents or attempt >= _BRED_ATTEMPTS:
                birth = self._immigrant(family, stem)
            else:
                birth = self._bred(parents, stem)
            if not self._can_warm_up(birth.genome):
                continue
            if birth.genome not in self.taken:
                return birth
            last_resort = last_resort or birth
        return last_resort

    def _immigrant(self, family: FamilyId | None, path: SeedPath) -> Birth:
        """Return a fresh genome, of any family unless one is given."""
        names = sorted(self.families)
        chosen = names[Chance((*path, "family")).below(len(names))] if family is None else family
        genome = random_genome(self.families[chosen], path)
        return Birth(genome=genome, parents=(), operator="immigrant", generation=0)

    def _bred(self, parents: Sequence[Living], path: SeedPath) -> Birth:
        """Return a mutant of one survivor, or of the cross of two of one family."""
        first = tournament(parents, self.rules.tournament_size, (*path, "first"))
        family = self.families[first.genome.family]
        mates = [each for each in parents if each.genome.family == family.id and each.genome != first.genome]
        if mates and Chance((*path, "parents")).below(_BPS) < self.rules.crossover_bps:
            second = tournament(mates, self.rules.tournament_size, (*path, "second"))
            cross = crossover(first.genome, second.genome, family, path)
            return Birth(
                genome=mutate(cross, family, path),
                parents=(first.agent, second.agent),
                operator="crossover",
                generation=1 + max(first.generation, second.generation),
            )
        return Birth(
            genome=mutate(first.genome, family, path),
            parents=(first.agent,),
            operator="mutation",
            generation=1 + first.generation,
        )

    def _can_warm_up(self, genome: Genome) -> bool:
        family = self.families[genome.family]
        return self.history_h is None or family.warmup_h(genome.genes) <= self.history_h
