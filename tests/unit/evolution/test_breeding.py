"""Who dies and who is born at a round."""

from collections import Counter
from dataclasses import replace

import pytest

from treasury_actors.agents.model.family import Family, Gene
from treasury_actors.agents.model.fitness import Evaluation, Fitness, FitnessKey, Insufficient
from treasury_actors.evolution.model.breeding import (
    BreedingRules,
    Lineage,
    Living,
    elite_count,
    initial_families,
    initial_genomes,
    plan_generation,
    rank,
    tournament,
)
from treasury_actors.evolution.model.genome import Genome, random_genome
from treasury_actors.ids import AgentId, FamilyId

RULES = BreedingRules(target_population=50)


def family_of(name: str, genes: int) -> Family:
    return Family(
        id=FamilyId(name),
        story="",
        genes=tuple(Gene(name=f"g{i}_h", unit="h", low=1, high=500, scale="log") for i in range(genes)),
        genome=lambda *values: values,
        state=tuple,
        assets=lambda universe: (),
        slowest_span_h=lambda genome: max(genome, default=0),
        decide=lambda state, view, genome: (state, []),
    )


FAMILIES = {
    family.id: family
    for family in (
        family_of("carry", 3),
        family_of("idle_cash", 0),
        family_of("lending", 4),
        family_of("peg", 3),
        family_of("stake", 2),
        family_of("trend", 5),
    )
}


def evaluation_of(value_ppb: int | None) -> Evaluation:
    key = FitnessKey(
        canonical_genome="", data_hash="", born_frame=0, last_frame=0, fitness_version="", cost_model=""
    )
    if value_ppb is None:
        return Insufficient(key=key, computed_at_frame=0, blocks=1, needed=4)
    return Fitness(value_ppb=value_ppb, se_ppb=1, key=key, computed_at_frame=0, blocks=4)


def population(count: int = 50, *, ranked: bool = True) -> list[Living]:
    """Return agents whose fitness falls with their number, families dealt round-robin."""
    genomes = initial_genomes(FAMILIES, count, 7)
    return [
        Living(
            agent=AgentId(f"{genome.family}-{number:04}"),
            genome=genome,
            born_frame=0,
            evaluation=evaluation_of(-number if ranked else None),
        )
        for number, genome in enumerate(genomes)
    ]


def number_of(agent: AgentId) -> int:
    return int(agent.rpartition("-")[2])


def test_twenty_one_agents_give_each_of_seven_families_three() -> None:
    names = [FamilyId(name) for name in "gfedcba"]
    assert Counter(initial_families(names, 21)) == dict.fromkeys(names, 3)


def test_fewer_slots_than_families_are_dealt_by_name() -> None:
    assert initial_families([FamilyId("b"), FamilyId("c"), FamilyId("a")], 2) == ["a", "b"]


def test_a_strategy_of_the_users_is_dealt_slots_like_the_others() -> None:
    dealt = Counter(initial_families([*FAMILIES, FamilyId("mine")], 50))
    assert dealt[FamilyId("mine")] in (7, 8)


def test_first_genomes_differ_by_slot_and_not_by_run() -> None:
    genomes = initial_genomes(FAMILIES, 50, 7)
    assert genomes == initial_genomes(FAMILIES, 50, 7)
    assert genomes != initial_genomes(FAMILIES, 50, 8)
    assert len({genome for genome in genomes if genome.genes}) > 40
    assert all(genome.belongs_to(FAMILIES[genome.family]) for genome in genomes)


def test_a_round_retires_the_worst_fifth_and_no_more() -> None:
    plan = plan_generation(
        population(), families=FAMILIES, rules=RULES, seed=1, round_number=4, empty_slots=0
    )
    assert [number_of(agent) for agent in plan.retire] == [49, 48, 47, 46, 45, 44, 43, 42, 41, 40]
    assert plan.births == ()


def test_births_fill_only_the_slots_that_were_empty_before_the_culls() -> None:
    plan = plan_generation(
        population(46), families=FAMILIES, rules=RULES, seed=1, round_number=4, empty_slots=3
    )
    assert len(plan.retire) == 9
    assert len(plan.births) == 3


def test_births_never_exceed_the_target_population() -> None:
    plan = plan_generation(
        population(49), families=FAMILIES, rules=RULES, seed=1, round_number=4, empty_slots=30
    )
    assert len(plan.births) == 1


def test_the_insufficient_are_neither_culled_nor_bred() -> None:
    living = population(40, ranked=False)
    plan = plan_generation(living, families=FAMILIES, rules=RULES, seed=1, round_number=1, empty_slots=10)
    assert plan.retire == ()
    assert [birth.operator for birth in plan.births] == ["immigrant"] * 10
    few = [replace(each, evaluation=evaluation_of(5)) if i < 5 else each for i, each in enumerate(living)]
    plan = plan_generation(few, families=FAMILIES, rules=RULES, seed=1, round_number=1, empty_slots=10)
    able = {each.agent for each in few[:5]}
    assert {parent for birth in plan.births for parent in birth.parents} <= able
    assert set(plan.retire) <= able
    assert any(birth.parents for birth in plan.births)


def test_elites_are_never_culled() -> None:
    greedy = replace(RULES, cull_bps=10_000, family_floor=0)
    plan = plan_generation(
        population(), families=FAMILIES, rules=greedy, seed=1, round_number=4, empty_slots=0
    )
    assert sorted(map(number_of, plan.retire)) == list(range(5, 50))
    assert [elite_count(n, RULES) for n in (0, 1, 10, 11, 50)] == [0, 1, 1, 2, 5]


def test_culling_stops_at_the_floor_of_a_family() -> None:
    trend, idle = FAMILIES[FamilyId("trend")], FAMILIES[FamilyId("idle_cash")]
    living = [
        Living(
            agent=AgentId(f"{family.id}-{number:04}"),
            genome=random_genome(family, (number,)),
            born_frame=0,
            evaluation=evaluation_of(-number),
        )
        for number, family in enumerate([trend] * 40 + [idle] * 3)
    ]
    families = {trend.id: trend, idle.id: idle}
    plan = plan_generation(living, families=families, rules=RULES, seed=1, round_number=4, empty_slots=0)
    assert [number_of(agent) for agent in plan.retire] == [42, 39, 38, 37, 36, 35, 34, 33]


def test_a_family_below_its_floor_is_refilled_first() -> None:
    living = [each for each in population(50) if each.genome.family not in ("peg", "idle_cash")]
    plan = plan_generation(living, families=FAMILIES, rules=RULES, seed=1, round_number=4, empty_slots=6)
    families = [birth.genome.family for birth in plan.births]
    assert sorted(families[:4]) == ["idle_cash", "idle_cash", "peg", "peg"]


def test_small_populations_have_no_floor() -> None:
    assert BreedingRules(target_population=20).floor_of(7) == 0
    assert BreedingRules(target_population=21).floor_of(7) == 2
    assert BreedingRules(target_population=21).floor_of(12) == 1


def test_nobody_is_bred_who_is_culled() -> None:
    rules = replace(RULES, cull_bps=8_000, family_floor=0, immigrant_bps=0)
    plan = plan_generation(
        population(40), families=FAMILIES, rules=rules, seed=1, round_number=4, empty_slots=10
    )
    parents = {parent for birth in plan.births for parent in birth.parents}
    assert parents
    assert not parents & set(plan.retire)


def test_children_are_new_genomes_with_one_or_two_parents_of_their_family() -> None:
    living = [replace(each, generation=number_of(each.agent) % 4) for each in population(40)]
    by_id = {each.agent: each for each in living}
    births = [
        birth
        for round_number in range(20)
        for birth in plan_generation(
            living, families=FAMILIES, rules=RULES, seed=1, round_number=round_number, empty_slots=10
        ).births
    ]
    operators = Counter(birth.operator for birth in births)
    assert all(operators[operator] > 10 for operator in ("mutation", "crossover", "immigrant"))
    genomes = {each.genome for each in living}
    for birth in births:
        assert birth.genome not in genomes
        assert birth.genome.belongs_to(FAMILIES[birth.genome.family])
        assert len(birth.parents) == {"immigrant": 0, "mutation": 1, "crossover": 2}[birth.operator]
        assert len(set(birth.parents)) == len(birth.parents)
        assert all(by_id[parent].genome.family == birth.genome.family for parent in birth.parents)
        depth = max((by_id[parent].generation for parent in birth.parents), default=-1)
        assert birth.generation == depth + 1


def test_the_fit_have_more_children_than_the_unfit() -> None:
    parents = [
        number_of(birth.parents[0])
        for round_number in range(30)
        for birth in plan_generation(
            population(40), families=FAMILIES, rules=RULES, seed=1, round_number=round_number, empty_slots=10
        ).births
        if birth.parents
    ]
    assert sum(number < 20 for number in parents) > 3 * sum(number >= 20 for number in parents)


def test_births_of_a_round_do_not_share_a_genome() -> None:
    one = {FamilyId("trend"): FAMILIES[FamilyId("trend")]}
    living = [replace(each, evaluation=evaluation_of(1)) for each in population(6) if "trend" in each.agent]
    plan = plan_generation(living, families=one, rules=RULES, seed=3, round_number=1, empty_slots=40)
    assert len({birth.genome for birth in plan.births}) == 40


def test_a_genome_that_can_not_warm_up_is_not_born() -> None:
    plan = plan_generation(
        population(40), families=FAMILIES, rules=RULES, seed=1, round_number=4, empty_slots=10, history_h=400
    )
    warmups = [FAMILIES[birth.genome.family].warmup_h(birth.genome.genes) for birth in plan.births]
    assert warmups
    assert max(warmups) <= 400


def test_the_plan_depends_on_seed_and_round_and_not_on_the_order_of_agents() -> None:
    living = population(40)
    plan = plan_generation(living, families=FAMILIES, rules=RULES, seed=1, round_number=4, empty_slots=5)
    shuffled = plan_generation(
        living[::-1],
        families=dict(reversed(FAMILIES.items())),
        rules=RULES,
        seed=1,
        round_number=4,
        empty_slots=5,
    )
    assert plan == shuffled
    for seed, round_number in ((2, 4), (1, 5)):
        other = plan_generation(
            living, families=FAMILIES, rules=RULES, seed=seed, round_number=round_number, empty_slots=5
        )
        assert other.births != plan.births


def test_ties_go_to_the_longer_record_then_to_genome_and_agent() -> None:
    genome = Genome(family=FamilyId("stake"), genes=(2, 3))
    young = Living(agent=AgentId("a"), genome=genome, born_frame=24, evaluation=evaluation_of(1))
    old = replace(young, agent=AgentId("c"), born_frame=0)
    twin = replace(old, agent=AgentId("b"))
    assert [each.agent for each in rank([young, old, twin])] == ["b", "c", "a"]


def test_a_tournament_of_one_is_a_lottery_and_a_large_one_a_coronation() -> None:
    draws = Counter(tournament("abcd", 1, (seed,)) for seed in range(400))
    assert min(draws[letter] for letter in "abcd") > 60
    assert {tournament("abcd", 60, (seed,)) for seed in range(50)} == {"a"}
    with pytest.raises(AssertionError, match="contestant"):
        tournament("", 3, (1,))


def test_a_birth_becomes_a_lineage() -> None:
    plan = plan_generation(
        population(40),
        families=FAMILIES,
        rules=replace(RULES, immigrant_bps=0, crossover_bps=0),
        seed=1,
        round_number=4,
        empty_slots=1,
    )
    birth = plan.births[0]
    assert birth.lineage(AgentId("x")) == Lineage(
        child=AgentId("x"), parents=birth.parents, generation=1, operator="mutation"
    )
