"""Plans: drawn from a seed alone, stable when a kind is left out, and always long enough."""

from dataclasses import replace

from treasury_actors.faults.kinds import KINDS
from treasury_actors.faults.plan import AGENTS_MIN, HEAL_TURNS, TURNS_MIN, Narrowing, draw_plan
from treasury_actors.faults.sometimes import STATES, Sometimes

SEEDS = range(1, 301)


def test_a_seed_has_eight_agents_forty_eight_turns_and_two_rounds() -> None:
    for seed in SEEDS:
        plan = draw_plan(seed)
        assert plan.agents >= AGENTS_MIN == 8
        assert plan.turns >= TURNS_MIN == 48
        assert plan.turns // plan.round_turns >= 2


def test_four_seeds_in_five_have_a_fault_and_every_kind_is_drawn() -> None:
    plans = [draw_plan(seed) for seed in SEEDS]

    assert sum(bool(plan.faults) for plan in plans) >= 0.8 * len(plans)
    assert {kind for plan in plans for kind in plan.kinds} == set(KINDS)


def test_all_schedules_are_drawn() -> None:
    assert {draw_plan(seed).schedule for seed in SEEDS} == {"fifo", "jitter", "hostile"}


def test_nothing_strikes_while_a_seed_heals() -> None:
    for seed in SEEDS:
        plan = draw_plan(seed)
        assert all(fault.turn + fault.turns <= plan.heals_at for fault in plan.faults)
        assert plan.turns - plan.heals_at + 1 == HEAL_TURNS


def test_leaving_a_kind_out_leaves_the_others_as_they_were() -> None:
    for seed in SEEDS:
        plan = draw_plan(seed)
        alone = draw_plan(seed, only=plan.kinds[:1])
        if plan.faults:
            assert alone.faults == plan.of(plan.kinds[0])


def test_what_is_narrowed_is_what_was_asked_for() -> None:
    plan = next(plan for plan in map(draw_plan, SEEDS) if plan.of("kill") and plan.of("stop"))
    narrowed = Narrowing(only=frozenset({"kill"}), schedule="fifo", turns=30).of(plan)

    assert narrowed.turns == 30
    assert narrowed.schedule == "fifo"
    assert all(fault.kind == "kill" and fault.turn <= 30 - HEAL_TURNS for fault in narrowed.faults)


def test_a_twin_keeps_the_world_and_loses_what_befalls_the_process() -> None:
    plan = next(plan for plan in map(draw_plan, SEEDS) if plan.of("kill") and plan.of("venue-delay"))
    twin = plan.world_alone()

    assert twin.of("venue-delay") == plan.of("venue-delay")
    assert not twin.of("kill")
    assert twin == replace(plan, schedule="fifo", faults=twin.faults)


def test_states_are_counted_and_those_never_reached_are_named() -> None:
    sometimes = Sometimes()
    sometimes.reached("killed", 3)
    sometimes.add({"killed": 1, "stopped": 2})

    assert sometimes.counts()["killed"] == 4
    assert set(sometimes.never_reached()) == set(STATES) - {"killed", "stopped"}
