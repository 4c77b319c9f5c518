"""
The search: a generational genetic algorithm whose every draw follows from (seed, generation, slot).

It keeps no stream of chance and no value of its own: fitness is asked for at every generation, for the
whole population. Whoever answers may remember what was asked before under the same key, and then a search
that was killed goes on where it was by being run again; when the windows have rotated, the keys have
changed with them, and no survivor lives on a value of other windows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from treasury_actors.agents.model.family import Family
from treasury_actors.errors import ConfigError, InvariantViolated
from treasury_actors.evolution.model.breeding import tournament
from treasury_actors.evolution.model.chance import Chance, SeedPath
from treasury_actors.evolution.model.genome import Genome, crossover, mutate, random_genome
from treasury_actors.evolution.model.window_fitness import Judged, WindowFitness, rank
from treasury_actors.ids import FamilyId

_BPS = 10_000
_ATTEMPTS = 12
_BRED_ATTEMPTS = 8

JudgeGeneration: TypeAlias = Callable[[Sequence[Genome], int], Sequence[Judged]]
"""Judge genomes on the windows of a generation: one verdict each, in order."""

Validate: TypeAlias = Callable[[Genome], Judged]
"""Judge one genome on days that no fitness is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRules:
    """
    How a search goes.

    Attributes:
        elite_bps: best part of a population that lives on, rounded up.
        crossover_bps: chance of a bred child to have two parents.
        immigrant_bps: chance of a slot to be filled by a fresh genome.
        patience: generations without a better validation after which the early stop would have come.
        stop_early: whether it then really ends; if not, the generation is only noted.
    """

    population: int = 50
    generations: int = 20
    elite_bps: int = 1_000
    tournament_size: int = 3
    crossover_bps: int = 7_000
    immigrant_bps: int = 1_000
    patience: int = 5
    stop_early: bool = False

    def __post_init__(self) -> None:
        if self.population < 2 or self.generations < 1 or self.patience < 1:  # noqa: PLR2004  two to choose from
            raise ConfigError(
                f"search: population {self.population}, generations {self.generations}, patience"
                f" {self.patience}; allowed are 2, 1 and 1 at least"
            )

    @property
    def elites(self) -> int:
        """Return how many live on."""
        return -(-self.population * self.elite_bps // _BPS)

    @property
    def evaluations(self) -> int:
        """Return how many genomes are evaluated in all: what another way of searching may have, too."""
        return self.population + (self.generations - 1) * (self.population - self.elites)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """
    A population and its verdicts, in the order of its slots.

    Attributes:
        validation_ppb: of its best, on days outside every window of a fitness; None if vetoed or unranked.
    """

    number: int
    members: tuple[tuple[Genome, Judged], ...]
    validation_ppb: int | None

    @property
    def genomes(self) -> tuple[Genome, ...]:
        """Return who lives."""
        return tuple(genome for genome, _ in self.members)

    @property
    def ranked(self) -> list[tuple[Genome, WindowFitness]]:
        """Return those with a fitness, best first."""
        return rank(self.members)

    @property
    def median_ppb(self) -> int | None:
        """Return the median fitness of the ranked, the lower of two middles; None of nobody."""
        values = sorted(fitness.value_ppb for _, fitness in self.ranked)
        return values[(len(values) - 1) // 2] if values else None


def check_genomes(genomes: Sequence[Genome], families: Mapping[FamilyId, Family]) -> None:
    """
    Refuse what can't be evaluated.

    Raises:
        ConfigError: a genome of an unknown family, out of its ranges, or made for other genes.
    """
    for genome in genomes:
        family = families.get(genome.family)
        if family is None:
            raise ConfigError(f"genome {genome.canonical}: no family {genome.family}")
        if not genome.belongs_to(family):
            ranges = ", ".join(f"{gene.name} {gene.low}..{gene.high}" for gene in family.genes)
            raise ConfigError(f"genome {genome.canonical}: allowed are {ranges or 'no genes'}")


def fresh_genomes(families: Mapping[FamilyId, Family], count: int, path: SeedPath) -> list[Genome]:
    """
    Return so many different genomes, drawn evenly, the families in turn.

    A family that has no other genome left (some have a single one) leaves its turn to the next.
    """
    names = sorted(families)
    assert names, "a search needs a family"
    found: list[Genome] = []
    taken: set[Genome] = set()
    turn = 0
    while len(found) < count:
        if turn > _ATTEMPTS * (count + len(names)):
            raise ConfigError(f"{len(names)} families have fewer than {count} genomes")
        family = families[names[turn % len(names)]]
        genome = random_genome(family, (*path, turn))
        turn += 1
        if genome not in taken:
            taken.add(genome)
            found.append(genome)
    return found


def search(
    *,
    families: Mapping[FamilyId, Family],
    rules: SearchRules,
    seed: int,
    judge: JudgeGeneration,
    validate: Validate,
) -> Iterator[Generation]:
    """
    Yield generation after generation, each judged.

    Raises:
        InvariantViolated: a verdict is missing.
    """
    genomes = fresh_genomes(families, rules.population, (seed, "search", "first"))
    known = set(genomes)
    bests: list[int | None] = []
    for number in range(rules.generations):
        judged = judge(genomes, number)
        if len(judged) != len(genomes):
            raise InvariantViolated(f"{len(genomes)} genomes, {len(judged)} verdicts")
        members = tuple(zip(genomes, judged, strict=True))
        ranked = rank(members)
        validated = validate(ranked[0][0]) if ranked else None
        value = validated.value_ppb if isinstance(validated, WindowFitness) else None
        bests.append(value)
        yield Generation(number=number, members=members, validation_ppb=value)
        if rules.stop_early and early_generation(bests, rules.patience) < number - rules.patience + 1:
            return
        genomes = next_genomes(ranked, known, families, rules, (seed, "search", number + 1))
        known.update(genomes)


def early_generation(validation_ppb: Sequence[int | None], patience: int) -> int:
    """
    Return the generation an early stop would have kept: the best so far when patience ran out.

    Generations without a validation count as no better; the first is kept if there is none at all.
    """
    best, best_value = 0, None
    for number, value in enumerate(validation_ppb):
        if value is not None and (best_value is None or value > best_value):
            best, best_value = number, value
        elif number - best >= patience:
            break
    return best


def next_genomes(
    ranked: Sequence[tuple[Genome, WindowFitness]],
    known: set[Genome],
    families: Mapping[FamilyId, Family],
    rules: SearchRules,
    path: SeedPath,
) -> list[Genome]:
    """
    Return the next population: the elite, then a child or an immigrant for every other slot.

    Who was vetoed has no children. A genome that was evaluated already is not bred again.
    """
    genomes = [genome for genome, _ in ranked[: rules.elites]]
    parents = [genome for genome, _ in ranked]
    taken = set(genomes)
    for slot in range(rules.population - len(genomes)):
        stem = (*path, slot)
        immigrant = Chance((*stem, "kind")).below(_BPS) < rules.immigrant_bps
        last: Genome | None = None
        for attempt in range(_ATTEMPTS):
            if immigrant or not parents or attempt >= _BRED_ATTEMPTS:
                last = _immigrant(families, (*stem, attempt))
            else:
                last = _child(parents, families, rules, (*stem, attempt))
            if last not in known and last not in taken:
                break
        assert last is not None, "there was an attempt"
        genomes.append(last)
        taken.add(last)
    return genomes


def _immigrant(families: Mapping[FamilyId, Family], path: SeedPath) -> Genome:
    """Return a fresh genome of any family."""
    names = sorted(families)
    return random_genome(families[names[Chance((*path, "family")).below(len(names))]], path)


def _child(
    parents: Sequence[Genome], families: Mapping[FamilyId, Family], rules: SearchRules, path: SeedPath
) -> Genome:
    """Return a mutant of one of the ranked, or of the cross of two of one family."""
    first = tournament(parents, rules.tournament_size, (*path, "first"))
    family = families[first.family]
    mates = [genome for genome in parents if genome.family == first.family and genome != first]
    if mates and Chance((*path, "parents")).below(_BPS) < rules.crossover_bps:
        second = tournament(mates, rules.tournament_size, (*path, "second"))
        return mutate(crossover(first, second, family, path), family, path)
    return mutate(first, family, path)
