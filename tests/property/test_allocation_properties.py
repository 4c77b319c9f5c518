"""
What holds for every allocation.

Tolerance of the comparisons between two allocations: rounding gives or takes less than one unit an agent,
and a weight is a whole part of 10**12, so `count` units and a 10**9-th of the total bound it.
"""

from dataclasses import replace
from itertools import pairwise
from random import Random  # noqa: TID251 (only the type of what hypothesis draws)

from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.arena.model.allocation import PPB, Allocation, AllocationPolicy, Candidate, allocate
from treasury_actors.ids import AgentId

TOTALS = st.integers(0, 2 * 10**14)
MERITS = st.integers(-20 * PPB, 20 * PPB) | st.integers(-PPB // 5, PPB // 5)
ERRORS = st.just(0) | st.integers(0, 3 * PPB)
DRAWDOWNS = st.just(0.0) | st.floats(0.0, 1.0)
POLICIES = st.builds(
    AllocationPolicy,
    reserve_ppb=st.sampled_from([0, PPB // 10, PPB // 3]),
    cap_ppb=st.sampled_from([PPB // 50, PPB // 4, PPB]),
    temperature_ppb=st.sampled_from([PPB // 100, PPB // 10, PPB]),
    move_threshold_ppb=st.sampled_from([0, PPB // 10, PPB // 2]),
)


@st.composite
def arenas(draw: st.DrawFn, *, held: bool = True, frozen: bool = True) -> tuple[list[Candidate], int]:
    """Draw candidates and a total that covers what they hold."""
    count = draw(st.integers(1, 8) | st.just(21))
    total = draw(TOTALS)
    left = total
    candidates = []
    for number in range(count):
        units = draw(st.integers(0, left)) if held and draw(st.booleans()) else 0
        left -= units
        merit = draw(st.none() | MERITS)
        candidates.append(
            Candidate(
                agent=AgentId(f"a-{number:04}"),
                merit_ppb=merit,
                se_ppb=0 if merit is None else draw(ERRORS),
                current_units=units,
                drawdown_ratio=draw(DRAWDOWNS),
                frozen=frozen and draw(st.integers(0, 9)) == 0,
            )
        )
    return candidates, total


@st.composite
def crowds(draw: st.DrawFn, *, held: bool = True, frozen: bool = True) -> tuple[list[Candidate], int]:
    """Draw candidates of whom some are copies of each other."""
    candidates, total = draw(arenas(held=held, frozen=frozen))
    names = [each.agent for each in candidates]
    group = [draw(st.none() | st.sampled_from(names[:3])) for _ in candidates]
    return [replace(each, copy_of=name) for each, name in zip(candidates, group, strict=True)], total


def cap_of(count: int, total: int, policy: AllocationPolicy) -> int:
    budget = budget_of(total, policy)
    return max(total * policy.cap_ppb // PPB, -(-budget // count))


def budget_of(total: int, policy: AllocationPolicy) -> int:
    return total * (PPB - policy.reserve_ppb) // PPB


def tolerance(count: int, total: int) -> int:
    return count + total // 10**9


def applied(candidates: list[Candidate], allocation: Allocation) -> list[Candidate]:
    units = dict(allocation.targets)
    return [replace(each, current_units=units[each.agent]) for each in candidates]


@given(arenas() | crowds(), POLICIES)
def test_targets_and_reserve_are_exactly_the_total(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy
) -> None:
    candidates, total = arena
    allocation = allocate(candidates, total, policy)
    assert sum(units for _, units in allocation.targets) + allocation.reserve_units == total
    assert allocation.reserve_units >= 0
    assert [agent for agent, _ in allocation.targets] == sorted(each.agent for each in candidates)


@given(arenas(frozen=False), POLICIES)
def test_no_agent_exceeds_its_cap_and_all_of_them_leave_the_reserve(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy
) -> None:
    candidates, total = arena
    units = [part for _, part in allocate(candidates, total, policy).targets]
    assert all(0 <= part <= cap_of(len(candidates), total, policy) for part in units)
    assert sum(units) <= budget_of(total, policy)


@given(arenas(held=False, frozen=False) | crowds(held=False, frozen=False), POLICIES)
def test_without_drawdowns_the_whole_budget_is_given(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy
) -> None:
    candidates, total = arena
    calm = [replace(each, drawdown_ratio=0.0) for each in candidates]
    units = [part for _, part in allocate(calm, total, policy).targets]
    assert sum(units) == budget_of(total, policy)


@given(arenas() | crowds(), POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_candidates_changes_nothing(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy, chance: Random
) -> None:
    candidates, total = arena
    shuffled = list(candidates)
    chance.shuffle(shuffled)
    assert allocate(shuffled, total, policy) == allocate(candidates, total, policy)


@given(arenas() | crowds(), POLICIES, st.integers(-(10**12), 10**12))
def test_adding_a_constant_to_every_merit_changes_nothing(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy, constant: int
) -> None:
    candidates, total = arena
    shifted = [
        each if each.merit_ppb is None else replace(each, merit_ppb=each.merit_ppb + constant)
        for each in candidates
    ]
    assert allocate(shifted, total, policy) == allocate(candidates, total, policy)


@given(arenas(held=False, frozen=False), POLICIES, ERRORS)
def test_a_better_agent_never_gets_less_than_a_worse_one_that_is_as_well_known(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy, error: int
) -> None:
    candidates, total = arena
    alike = [
        replace(each, drawdown_ratio=0.0, se_ppb=error, merit_ppb=each.merit_ppb or 0) for each in candidates
    ]
    units = dict(allocate(alike, total, policy).targets)
    ranked = sorted(alike, key=lambda each: each.merit_ppb or 0)
    for worse, better in pairwise(ranked):
        assert units[better.agent] >= units[worse.agent] - 1


@given(
    arenas(held=False, frozen=False) | crowds(held=False, frozen=False),
    POLICIES,
    st.integers(1, 5 * PPB),
    st.data(),
)
def test_raising_one_merit_never_lowers_its_share(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy, rise: int, data: st.DataObject
) -> None:
    candidates, total = arena
    i = data.draw(st.integers(0, len(candidates) - 1))
    merits = [replace(each, merit_ppb=each.merit_ppb or 0) for each in candidates]
    raised = list(merits)
    raised[i] = replace(merits[i], merit_ppb=(merits[i].merit_ppb or 0) + rise)
    before = dict(allocate(merits, total, policy).targets)[merits[i].agent]
    after = dict(allocate(raised, total, policy).targets)[merits[i].agent]
    assert after >= before - tolerance(len(candidates), total)


@given(arenas() | crowds(), POLICIES)
def test_applying_an_allocation_twice_is_applying_it_once(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy
) -> None:
    candidates, total = arena
    once = allocate(candidates, total, policy)
    twice = allocate(applied(candidates, once), total, policy)
    assert twice.targets == once.targets
    assert not twice.rebalanced


@given(arenas() | crowds(), POLICIES)
def test_the_frozen_keep_what_they_have(arena: tuple[list[Candidate], int], policy: AllocationPolicy) -> None:
    candidates, total = arena
    units = dict(allocate(candidates, total, policy).targets)
    assert all(units[each.agent] == each.current_units for each in candidates if each.frozen)


@given(arenas(frozen=False) | crowds(frozen=False), POLICIES)
def test_nobody_eligible_leaves_all_in_reserve(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy
) -> None:
    candidates, total = arena
    drowned = [replace(each, drawdown_ratio=0.2) for each in candidates]
    assert allocate(drowned, total, policy).reserve_units == total


@given(crowds(held=False, frozen=False), POLICIES)
def test_copies_together_get_no_more_than_one_agent_may(
    crowd: tuple[list[Candidate], int], policy: AllocationPolicy
) -> None:
    candidates, total = crowd
    ranked = [replace(each, merit_ppb=each.merit_ppb or 0, drawdown_ratio=0.0) for each in candidates]
    units = dict(allocate(ranked, total, policy).targets)
    seats: dict[AgentId, int] = {}
    for each in ranked:
        seats[each.seat] = seats.get(each.seat, 0) + units[each.agent]
    assert all(given <= cap_of(len(seats), total, policy) for given in seats.values())


@given(arenas(held=False, frozen=False), POLICIES, st.integers(1, 4), st.data())
def test_an_idea_gets_no_more_for_being_had_again(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy, again: int, data: st.DataObject
) -> None:
    """Tolerance: a copy changes the centre of the merits of agents that are known to different degrees."""
    candidates, total = arena
    alike = [
        replace(each, merit_ppb=each.merit_ppb or 0, se_ppb=0, drawdown_ratio=0.0) for each in candidates
    ]
    one = alike[data.draw(st.integers(0, len(alike) - 1))]
    crowd = [
        replace(one, agent=AgentId(f"{one.agent}-{number}"), copy_of=one.agent) for number in range(again)
    ]
    others = [each for each in alike if each.agent != one.agent]
    before = dict(allocate(alike, total, policy).targets)
    after = dict(allocate([*others, replace(one, copy_of=one.agent), *crowd], total, policy).targets)
    near = tolerance(len(after), total)
    assert abs(sum(after[each.agent] for each in (one, *crowd)) - before[one.agent]) <= near
    assert all(abs(after[each.agent] - before[each.agent]) <= near for each in others)


@given(
    st.integers(0, 10**14),
    st.lists(st.tuples(st.integers(0, 5), st.floats(0.0, 2.0), st.integers(-PPB, PPB)), max_size=20),
    POLICIES,
)
def test_capital_is_conserved_over_any_course_of_gains_losses_deaths_and_rounds(
    deposited: int, course: list[tuple[int, float, int]], policy: AllocationPolicy
) -> None:
    """All that agents and reserve have is what was deposited and what was gained, whatever happens."""
    capital: dict[AgentId, int] = {}
    reserve, gained = deposited, 0
    for number, growth, merit in course:
        agent = AgentId(f"a-{number}")
        if growth < 0.2 and agent in capital:  # it dies: its capital goes home
            reserve += capital.pop(agent)
        elif agent in capital:
            made = round(capital[agent] * growth) - capital[agent]
            capital[agent] += made
            gained += made
        else:
            capital[agent] = 0
        candidates = [
            Candidate(agent=each, merit_ppb=merit, se_ppb=0, current_units=units, drawdown_ratio=0.0)
            for each, units in capital.items()
        ]
        allocation = allocate(candidates, reserve + sum(capital.values()), policy)
        capital, reserve = dict(allocation.targets), allocation.reserve_units
        assert min([reserve, *capital.values()]) >= 0
        assert reserve + sum(capital.values()) == deposited + gained
