"""The operators that make genomes."""

from collections import Counter

import pytest

from treasury_actors.agents.model.family import Family, Gene
from treasury_actors.evolution.model.chance import Chance
from treasury_actors.evolution.model.genome import Genome, crossover, mutate, random_genome
from treasury_actors.ids import FamilyId

GENES = (
    Gene(name="fast_h", unit="h", low=6, high=168, scale="log"),
    Gene(name="hold_h", unit="h", low=0, high=720, scale="log"),
    Gene(name="band_bps", unit="bps", low=10, high=300),
    Gene(name="venues_mask", unit="mask", low=1, high=15, scale="mask"),
    Gene(name="fixed_count", unit="count", low=3, high=3),
    Gene(name="steps_count", unit="count", low=0, high=1),
)


def family_of(genes: tuple[Gene, ...], name: str = "trend") -> Family:
    return Family(
        id=FamilyId(name),
        story="",
        genes=genes,
        genome=lambda *values: values,
        state=tuple,
        assets=lambda universe: (),
        slowest_span_h=lambda genome: max(genome, default=0),
        decide=lambda state, view, genome: (state, []),
    )


TREND = family_of(GENES)
IDLE = family_of((), "idle_cash")


def test_the_canonical_form_and_its_id_are_pinned() -> None:
    """They are journalled: a change here makes old journals unreadable."""
    genome = Genome(family=FamilyId("trend"), genes=(24, 480))
    assert genome.canonical == "trend:24,480"
    assert genome.id == "b69bb6d1b52fd7ea"
    assert Genome(family=FamilyId("idle_cash"), genes=()).canonical == "idle_cash:"


def test_chance_is_pinned_and_depends_on_the_whole_path() -> None:
    """They decide births: a change here changes every run."""
    chance = Chance((7, "birth", 3, 1))
    assert [chance.below(1000) for _ in range(3)] == [378, 6, 453]
    firsts = {Chance(path).unit() for path in ((1, 23), (12, 3), (1, "23"), (1, 2, 3), (1, 23, 0))}
    assert len(firsts) == 5


def test_gauss_has_mean_zero_and_deviation_one() -> None:
    chance = Chance(("gauss",))
    draws = [chance.gauss() for _ in range(4000)]
    mean = sum(draws) / len(draws)
    assert abs(mean) < 0.06
    assert abs(sum((draw - mean) ** 2 for draw in draws) / len(draws) - 1.0) < 0.08


def test_random_genomes_reach_both_ends_of_every_gene() -> None:
    genomes = [random_genome(TREND, (seed,)) for seed in range(2000)]
    assert all(genome.belongs_to(TREND) for genome in genomes)
    for i, gene in enumerate(GENES):
        values = [genome.genes[i] for genome in genomes]
        assert min(values) <= gene.low + (gene.high - gene.low) // 50
        assert max(values) >= gene.high - (gene.high - gene.low) // 20


def test_a_span_of_time_is_drawn_evenly_over_its_logarithm() -> None:
    values = sorted(random_genome(TREND, (seed,)).genes[0] for seed in range(2000))
    assert 28 <= values[1000] <= 36  # the root of 6 x 168 is 32


def test_mutation_moves_a_fifth_of_the_genes_and_at_least_one() -> None:
    genome = random_genome(TREND, ("start",))
    moved = Counter[int]()
    for seed in range(1000):
        mutant = mutate(genome, TREND, (seed,))
        changed = [i for i in range(len(GENES)) if mutant.genes[i] != genome.genes[i]]
        assert mutant.belongs_to(TREND)
        assert changed
        moved.update(changed)
    assert moved[4] == 0  # a gene without a range
    assert all(180 < moved[i] < 360 for i in (0, 1, 2, 3, 5))


def test_mutation_of_a_mask_flips_one_bit_and_keeps_it_in_range() -> None:
    family = family_of((GENES[3],))
    for mask in range(1, 16):
        for seed in range(20):
            mutant = mutate(Genome(family=family.id, genes=(mask,)), family, (seed,)).genes[0]
            assert 1 <= mutant <= 15
            assert (mask ^ mutant).bit_count() == 1


@pytest.mark.parametrize("value", [10, 300])
def test_mutation_at_the_end_of_a_range_steps_inside(value: int) -> None:
    family = family_of((GENES[2],))
    mutants = {
        mutate(Genome(family=family.id, genes=(value,)), family, (seed,)).genes[0] for seed in range(99)
    }
    assert value not in mutants
    assert all(10 <= mutant <= 300 for mutant in mutants)


def test_a_family_without_genes_gives_the_same_genome() -> None:
    idle = random_genome(IDLE, (1,))
    assert idle == mutate(idle, IDLE, (2,)) == crossover(idle, idle, IDLE, (3,))


def test_a_child_lies_between_its_parents_in_every_gene() -> None:
    for seed in range(300):
        a, b = random_genome(TREND, (seed, "a")), random_genome(TREND, (seed, "b"))
        child = crossover(a, b, TREND, (seed,))
        for i, gene in enumerate(GENES):
            mine, low, high = child.genes[i], min(a.genes[i], b.genes[i]), max(a.genes[i], b.genes[i])
            if gene.scale == "mask":
                assert mine & ~(low | high) == 0
                assert mine & (low & high) == low & high
            else:
                assert low <= mine <= high


def test_a_child_takes_whole_genes_and_blends_from_both_parents() -> None:
    family = family_of(tuple(Gene(name=f"g{i}_bps", unit="bps", low=0, high=1000) for i in range(6)))
    a = Genome(family=family.id, genes=(0,) * 6)
    b = Genome(family=family.id, genes=(1000,) * 6)
    seen = Counter[str]()
    for seed in range(200):
        for value in crossover(a, b, family, (seed,)).genes:
            seen["a" if value == 0 else "b" if value == 1000 else "blend"] += 1
    assert all(200 < seen[kind] < 800 for kind in ("a", "b", "blend"))


def test_a_genome_of_another_family_is_refused() -> None:
    with pytest.raises(AssertionError, match="no genome of"):
        mutate(Genome(family=FamilyId("idle_cash"), genes=()), TREND, (1,))


def test_operators_depend_on_nothing_but_their_path() -> None:
    genome = random_genome(TREND, (1, "a", 2))
    assert genome == random_genome(TREND, (1, "a", 2))
    assert mutate(genome, TREND, (5,)) == mutate(genome, TREND, (5,))
    assert len({mutate(genome, TREND, (seed,)) for seed in range(50)}) > 25
