"""What holds for every genome and every generation."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.agents.model.family import Family, Gene
from treasury_actors.agents.model.fitness import Evaluation, Fitness, FitnessKey, Insufficient
from treasury_actors.evolution.model.breeding import (
    BreedingRules,
    Living,
    elite_count,
    initial_genomes,
    plan_generation,
    rank,
)
from treasury_actors.evolution.model.genome import crossover, mutate, random_genome
from treasury_actors.ids import AgentId, FamilyId

KEY = FitnessKey(
    canonical_genome="", data_hash="", born_frame=0, last_frame=0, fitness_version="", cost_model=""
)


@st.composite
def genes(draw: st.DrawFn) -> Gene:
    """Draw a gene of any scale and range."""
    scale = draw(st.sampled_from(["linear", "log", "mask"]))
    low = draw(st.integers(0, 20))
    high = low + draw(st.integers(0, 20) | st.integers(0, 10**6))
    match scale:
        case "mask":
            return Gene(name="venues_mask", unit="mask", low=low, high=high, scale="mask")
        case "log":
            return Gene(name="span_h", unit="h", low=low, high=high, scale="log")
        case _:
            return Gene(name="band_bps", unit="bps", low=low, high=high)


def family_of(own_genes: tuple[Gene, ...], name: str = "any") -> Family:
    return Family(
        id=FamilyId(name),
        story="",
        genes=own_genes,
        genome=lambda *values: values,
        state=tuple,
        assets=lambda universe: (),
        slowest_span_h=lambda genome: 1,
        decide=lambda state, view, genome: (state, []),
    )


FAMILIES = st.lists(genes(), max_size=8).map(lambda drawn: family_of(tuple(drawn)))


@given(FAMILIES, st.integers(0, 2**40))
def test_every_operator_stays_in_range(family: Family, seed: int) -> None:
    a, b = random_genome(family, (seed, "a")), random_genome(family, (seed, "b"))
    assert a.belongs_to(family)
    assert mutate(a, family, (seed,)).belongs_to(family)
    assert crossover(a, b, family, (seed,)).belongs_to(family)


@given(FAMILIES, st.integers(0, 2**40))
def test_mutation_changes_a_genome_that_can_change(family: Family, seed: int) -> None:
    genome = random_genome(family, (seed,))
    movable = any(gene.low < gene.high for gene in family.genes)
    assert (mutate(genome, family, (seed,)) != genome) == movable


@given(FAMILIES, st.integers(0, 2**40))
def test_a_child_of_twins_is_their_twin(family: Family, seed: int) -> None:
    genome = random_genome(family, (seed,))
    assert crossover(genome, genome, family, (seed,)) == genome


BAND = Gene(name="band_bps", unit="bps", low=0, high=9_999)


@st.composite
def populations(draw: st.DrawFn) -> tuple[list[Living], dict[FamilyId, Family], BreedingRules]:
    """Draw a population, some of it without a fitness, and rules for it."""
    names = [f"f{i}" for i in range(draw(st.integers(1, 9)))]
    families = {FamilyId(name): family_of((BAND,) * draw(st.integers(0, 3)), name) for name in names}
    count = draw(st.integers(0, 60))
    values = draw(st.lists(st.none() | st.integers(-9, 9), min_size=count, max_size=count))
    genomes = initial_genomes(families, count, 5)
    living = [
        Living(
            agent=AgentId(f"{genome.family}-{number:04}"),
            genome=genome,
            born_frame=0,
            evaluation=evaluation_of(value),
        )
        for number, (genome, value) in enumerate(zip(genomes, values, strict=True))
    ]
    rules = BreedingRules(
        target_population=count + draw(st.integers(0, 10)), cull_bps=draw(st.sampled_from([0, 2_000, 9_000]))
    )
    return living, families, rules


def evaluation_of(value: int | None) -> Evaluation:
    if value is None:
        return Insufficient(key=KEY, computed_at_frame=0, blocks=0, needed=4)
    return Fitness(value_ppb=value, se_ppb=0, key=KEY, computed_at_frame=0, blocks=4)


@given(populations(), st.integers(0, 12), st.integers(0, 99))
def test_every_generation_obeys_its_rules(
    drawn: tuple[list[Living], dict[FamilyId, Family], BreedingRules], empty: int, seed: int
) -> None:
    living, families, rules = drawn
    plan = plan_generation(
        living, families=families, rules=rules, seed=seed, round_number=4, empty_slots=empty
    )
    ranked = [each.agent for each in rank(living)]
    elites = ranked[: elite_count(len(ranked), rules)]
    assert set(plan.retire) <= set(ranked) - set(elites)
    assert len(plan.retire) == len(set(plan.retire)) <= len(ranked) * rules.cull_bps // 10_000
    assert len(plan.births) == min(empty, rules.target_population - len(living))
    retired = set(plan.retire)
    assert all(parent in set(ranked) - retired for birth in plan.births for parent in birth.parents)
    before = Counter(each.genome.family for each in living)
    after = Counter(each.genome.family for each in living if each.agent not in retired)
    floor = rules.floor_of(len(families))
    assert all(after[family] >= min(floor, before[family]) for family in families)
    born = Counter(birth.genome.family for birth in plan.births)
    short = sum(max(0, floor - after[family]) for family in families)
    refilled = sum(min(born[family], max(0, floor - after[family])) for family in families)
    assert refilled == min(short, len(plan.births))


@given(populations(), st.integers(0, 99))
def test_the_best_survives_every_round(
    drawn: tuple[list[Living], dict[FamilyId, Family], BreedingRules], seed: int
) -> None:
    """Elitism: on a fixed record the best so far never falls."""
    living, families, rules = drawn
    plan = plan_generation(living, families=families, rules=rules, seed=seed, round_number=1, empty_slots=0)
    assert not {each.agent for each in rank(living)[:1]} & set(plan.retire)
