"""The search: deterministic, elitist, without parents that were vetoed; and whom it funds."""

from collections.abc import Sequence

import pytest

from tests.unit.evolution.test_genome import GENES, IDLE, family_of
from treasury_actors.agents.model.family import Family
from treasury_actors.errors import ConfigError, InvariantViolated
from treasury_actors.evolution.model.ensemble import (
    EnsembleRules,
    choose_ensemble,
    distance,
    distinct_best,
)
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.search import (
    Generation,
    SearchRules,
    check_genomes,
    early_generation,
    fresh_genomes,
    search,
)
from treasury_actors.evolution.model.window_fitness import Insufficient, Judged, Vetoed, WindowFitness
from treasury_actors.ids import FamilyId

FAMILIES: dict[FamilyId, Family] = {
    family.id: family for family in (IDLE, family_of(GENES), family_of(GENES[:3], "lending_rotation"))
}
RULES = SearchRules(population=20, generations=8)


def fitness(value_ppb: int) -> WindowFitness:
    return WindowFitness(value_ppb=value_ppb, mean_ppb=0, se_ppb=0, window_ppb=(), sharpe_day=None)


def value_of(genome: Genome) -> WindowFitness:
    """Best is `trend` with all its genes low."""
    if genome.family != "trend":
        return fitness(-(10**9))
    return fitness(-sum(genome.genes))


def run(
    seed: int = 7, rules: SearchRules = RULES, judged: list[list[Genome]] | None = None
) -> list[Generation]:
    def judge(genomes: Sequence[Genome], number: int) -> list[Judged]:
        if judged is not None:
            judged.append(list(genomes))
        return [value_of(genome) for genome in genomes]

    return list(search(families=FAMILIES, rules=rules, seed=seed, judge=judge, validate=value_of))


def test_the_same_seed_gives_the_same_generations_and_another_gives_others() -> None:
    assert run() == run()
    assert run(seed=8) != run()


def test_the_best_never_gets_worse_on_the_same_windows() -> None:
    bests = [generation.ranked[0][1].value_ppb for generation in run()]
    assert bests == sorted(bests)
    assert bests[-1] > bests[0]


def test_the_median_of_the_last_generation_beats_the_first() -> None:
    for seed in range(5):
        generations = run(seed=seed)
        first, last = generations[0].median_ppb, generations[-1].median_ppb
        assert first is not None
        assert last is not None
        assert last > first


def test_no_genome_is_bred_twice_and_evaluations_are_as_many_as_announced() -> None:
    asked: list[list[Genome]] = []
    run(judged=asked)
    everyone = [genome for genomes in asked for genome in genomes]
    assert len(everyone) == RULES.population * RULES.generations
    assert len({*everyone}) <= RULES.evaluations == 20 + 7 * 18
    for genomes in asked:
        assert len({*genomes}) == len(genomes)
    check_genomes(everyone, FAMILIES)


def test_who_was_vetoed_or_has_too_little_history_has_no_children() -> None:
    def judge(genomes: Sequence[Genome], number: int) -> list[Judged]:
        return [
            Vetoed(reasons=("no",), measured=fitness(10**9))
            if genome.family == "trend"
            else Insufficient(windows=1, needed=8)
            for genome in genomes
        ]

    rules = SearchRules(population=10, generations=3)
    generations = list(search(families=FAMILIES, rules=rules, seed=1, judge=judge, validate=value_of))
    assert [generation.validation_ppb for generation in generations] == [None, None, None]
    assert all(generation.median_ppb is None for generation in generations)
    assert not {*generations[0].genomes} & {*generations[1].genomes} - {Genome(family=IDLE.id, genes=())}


def test_survivors_are_judged_again_in_every_generation() -> None:
    asked: list[list[Genome]] = []
    generations = run(judged=asked)
    for number in range(1, len(asked)):
        elite = [genome for genome, _ in generations[number - 1].ranked[: RULES.elites]]
        assert asked[number][: RULES.elites] == elite


def test_a_verdict_that_is_missing_breaks_the_search() -> None:
    broken = search(families=FAMILIES, rules=RULES, seed=1, judge=lambda _, __: [], validate=value_of)
    with pytest.raises(InvariantViolated, match="20 genomes, 0 verdicts"):
        next(iter(broken))


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([1, 2, 3], 2),
        ([1, 5, 2, 2, 2, 9], 1),
        ([1, 5, 2, 9, 2, 2, 2, 99], 3),
        ([None, None], 0),
        ([None, -3, None, None, None, 7], 1),
    ],
)
def test_an_early_stop_keeps_the_best_until_patience_ran_out(values: list[int | None], kept: int) -> None:
    assert early_generation(values, 3) == kept


def test_a_search_that_may_stop_early_does() -> None:
    rules = SearchRules(population=10, generations=30, patience=2, stop_early=True)

    def validate(genome: Genome) -> Judged:
        return fitness(0)

    def judge(genomes: Sequence[Genome], number: int) -> list[Judged]:
        return [value_of(genome) for genome in genomes]

    generations = list(search(families=FAMILIES, rules=rules, seed=1, judge=judge, validate=validate))
    assert len(generations) == 3


@pytest.mark.parametrize(
    "genome",
    [
        Genome(family=FamilyId("trend"), genes=(5, 0, 10, 1, 3, 0)),
        Genome(family=FamilyId("trend"), genes=(6, 0, 10)),
        Genome(family=FamilyId("nobody"), genes=()),
    ],
)
def test_a_genome_that_is_out_of_range_of_other_genes_or_no_family_is_refused(genome: Genome) -> None:
    with pytest.raises(ConfigError, match="genome "):
        check_genomes([genome], FAMILIES)


def test_fresh_genomes_differ_and_go_round_the_families() -> None:
    genomes = fresh_genomes(FAMILIES, 30, (7, "x"))
    assert len({*genomes}) == 30
    assert sum(genome.family == "idle_cash" for genome in genomes) == 1
    with pytest.raises(ConfigError, match="fewer than 2 genomes"):
        fresh_genomes({IDLE.id: IDLE}, 2, (7, "x"))


def trend(*genes: int) -> Genome:
    return Genome(family=FamilyId("trend"), genes=genes)


def test_distance_is_the_mean_part_of_a_range_and_families_are_apart() -> None:
    low, high = trend(6, 0, 10, 1, 3, 0), trend(168, 720, 300, 14, 3, 1)
    assert distance(low, low, FAMILIES) == 0.0
    assert distance(low, high, FAMILIES) == pytest.approx((1 + 1 + 1 + 1 + 0 + 1) / 6)
    assert distance(low, Genome(family=IDLE.id, genes=()), FAMILIES) == 1.0


def test_near_copies_of_the_best_are_not_counted_as_others() -> None:
    a, near, far = trend(6, 0, 10, 1, 3, 0), trend(6, 0, 12, 1, 3, 0), trend(6, 0, 200, 1, 3, 0)
    ranked = [(a, fitness(3)), (near, fitness(2)), (far, fitness(1))]
    assert distinct_best(ranked, FAMILIES, EnsembleRules()) == [a, far]


def test_an_ensemble_drops_who_fails_validation_or_dearer_costs_and_says_why() -> None:
    lender = Genome(family=FamilyId("lending_rotation"), genes=(6, 0, 10))
    vetoed, weak, good = trend(6, 0, 10, 1, 3, 0), trend(6, 0, 200, 14, 3, 1), trend(168, 720, 10, 1, 3, 0)
    idle = Genome(family=IDLE.id, genes=())
    ranked = [(genome, fitness(90_000_000)) for genome in (vetoed, weak, good)]
    ranked += [(lender, fitness(58_000_000)), (idle, fitness(0))]

    def validate(some: Sequence[Genome]) -> list[Judged]:
        return [Vetoed(reasons=("fell",), measured=fitness(9)) if g == vetoed else fitness(1) for g in some]

    def stress(some: Sequence[Genome]) -> list[Judged]:
        return [fitness(60_000_001 if genome == good else 50_000_000) for genome in some]

    chosen = choose_ensemble(
        ranked, FAMILIES, EnsembleRules(), validate=validate, stress=stress, lending_ppb=60_000_000
    )
    assert chosen.members == (good, lender)
    assert dict(chosen.dropped) == {
        vetoed: "validation: fell",
        weak: "cost stress: 5.00% a year, plain lending 6.00%",
        idle: "worse than plain lending by 6.00% a year",
    }


@pytest.mark.parametrize(
    ("value_ppb", "stressed_ppb", "funded"),
    [
        (65_000_000, 10_000_000, True),
        (65_000_001, 60_000_000, False),
        (65_000_001, 60_000_001, True),
        (55_000_000, 10_000_000, True),
        (54_999_999, 70_000_000, False),
    ],
)
def test_only_a_claim_must_survive_and_only_half_a_point_below_lending_is_lending(
    value_ppb: int, stressed_ppb: int, *, funded: bool
) -> None:
    chosen = choose_ensemble(
        [(trend(6, 0, 10, 1, 3, 0), fitness(value_ppb))],
        FAMILIES,
        EnsembleRules(),
        validate=lambda genomes: [fitness(1) for _ in genomes],
        stress=lambda genomes: [fitness(stressed_ppb) for _ in genomes],
        lending_ppb=60_000_000,
    )
    assert bool(chosen.members) is funded


@pytest.mark.parametrize(("ranked", "funded"), [(0, 0), (1, 1), (9, 5), (10, 5)])
def test_an_ensemble_has_at_most_five_and_never_fills_up(ranked: int, funded: int) -> None:
    some = [
        (
            Genome(family=FamilyId("lending_rotation"), genes=(6, 0, 10 + number)),
            fitness(1),
        )
        for number in range(ranked)
    ]
    chosen = choose_ensemble(
        some,
        FAMILIES,
        EnsembleRules(distance_min=0.0),
        validate=lambda genomes: [fitness(1) for _ in genomes],
        stress=lambda genomes: [fitness(1) for _ in genomes],
        lending_ppb=0,
    )
    assert len(chosen.members) == funded
    assert [reason for _, reason in chosen.dropped] == ["outranked"] * (ranked - funded)
