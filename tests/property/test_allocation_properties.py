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


@given(arenas(), POLICIES)
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


@given(arenas(held=False, frozen=False), POLICIES)
def test_without_drawdowns_the_whole_budget_is_given(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy
) -> None:
    candidates, total = arena
    calm = [replace(each, drawdown_ratio=0.0) for each in candidates]
    units = [part for _, part in allocate(calm, total, policy).targets]
    assert sum(units) == budget_of(total, policy)


@given(arenas(), POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_candidates_changes_nothing(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy, chance: Random
) -> None:
    candidates, total = arena
    shuffled = list(candidates)
    chance.shuffle(shuffled)
    assert allocate(shuffled, total, policy) == allocate(candidates, total, policy)


@given(arenas(), POLICIES, st.integers(-(10**12), 10**12))
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


@given(arenas(held=False, frozen=False), POLICIES, st.integers(1, 5 * PPB), st.data())
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


@given(arenas(), POLICIES)
def test_applying_an_allocation_twice_is_applying_it_once(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy
) -> None:
    candidates, total = arena
    once = allocate(candidates, total, policy)
    twice = allocate(applied(candidates, once), total, policy)
    assert twice.targets == once.targets
    assert not twice.rebalanced


@given(arenas(), POLICIES)
def test_the_frozen_keep_what_they_have(arena: tuple[list[Candidate], int], policy: AllocationPolicy) -> None:
    candidates, total = arena
    units = dict(allocate(candidates, total, policy).targets)
    assert all(units[each.agent] == each.current_units for each in candidates if each.frozen)


@given(arenas(frozen=False), POLICIES)
def test_nobody_eligible_leaves_all_in_reserve(
    arena: tuple[list[Candidate], int], policy: AllocationPolicy
) -> None:
    candidates, total = arena
    drowned = [replace(each, drawdown_ratio=0.2) for each in candidates]
    assert allocate(drowned, total, policy).reserve_units == total
