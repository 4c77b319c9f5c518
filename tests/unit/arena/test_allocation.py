"""How capital is allotted, in cases one can check by hand."""

from dataclasses import replace
from math import exp, inf, nan

import pytest

from treasury_actors.arena.model.allocation import PPB, Allocation, AllocationPolicy, Candidate, allocate
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AgentId

POLICY = AllocationPolicy()
TOTAL = 1_000_000_000


def candidate(
    name: str,
    merit_ppb: int | None = 0,
    *,
    se_ppb: int = 0,
    current_units: int = 0,
    drawdown_ratio: float = 0.0,
    frozen: bool = False,
) -> Candidate:
    return Candidate(
        agent=AgentId(name),
        merit_ppb=merit_ppb,
        se_ppb=se_ppb,
        current_units=current_units,
        drawdown_ratio=drawdown_ratio,
        frozen=frozen,
    )


def units_of(allocation: Allocation) -> dict[str, int]:
    return dict(allocation.targets)


def test_shares_follow_the_softmax_of_merit() -> None:
    agents = [candidate(f"a{i}", i * 10_000_000) for i in range(10)]
    units = units_of(allocate(agents, TOTAL, POLICY))
    weights = [exp(i * 0.1) for i in range(10)]
    for i in range(10):
        assert units[f"a{i}"] == pytest.approx(0.9 * TOTAL * weights[i] / sum(weights), abs=2)


def test_what_exceeds_the_cap_is_poured_over_the_others() -> None:
    agents = [candidate("star", 10 * PPB), *(candidate(f"a{i}") for i in range(5))]
    units = units_of(allocate(agents, TOTAL, POLICY))
    assert units == {"star": TOTAL // 4, **{f"a{i}": 130_000_000 for i in range(5)}}


@pytest.mark.parametrize(("count", "most"), [(1, 0.9), (2, 0.45), (3, 0.3), (4, 0.25), (5, 0.25), (50, 0.25)])
def test_defect_9_the_cap_holds_for_any_count_and_strands_nothing(count: int, most: float) -> None:
    """The tiers of the earlier attempt gave a single elite 60% of three to nine agents' money."""
    agents = [candidate(f"a{i:02}", 0 if i else 5 * PPB) for i in range(count)]
    allocation = allocate(agents, TOTAL, POLICY)
    assert max(units_of(allocation).values()) == round(most * TOTAL)
    assert allocation.reserve_units == TOTAL // 10


def test_provisional_agents_get_an_equal_share_and_the_ranked_compete_for_the_rest() -> None:
    agents = [candidate("new1", None), candidate("new2", None)]
    agents += [candidate(f"a{i}", i * 100_000_000) for i in range(8)]
    units = units_of(allocate(agents, TOTAL, POLICY))
    assert units["new1"] == units["new2"] == 90_000_000
    assert sum(units.values()) == 900_000_000
    assert units["a7"] > units["new1"] > units["a0"]


def test_an_uncertain_merit_moves_less_money_than_a_certain_one() -> None:
    crowd = [candidate(f"a{i}") for i in range(8)]
    sure = units_of(allocate([*crowd, candidate("x", 200_000_000)], TOTAL, POLICY))
    unsure = units_of(allocate([*crowd, candidate("x", 200_000_000, se_ppb=500_000_000)], TOTAL, POLICY))
    assert sure["x"] > 2 * unsure["x"]
    assert unsure["x"] > unsure["a0"]


def test_a_crowd_of_unknowns_does_not_drag_the_known() -> None:
    """Twenty agents that lost much on too short a record must not make plain lending look brilliant."""
    crowd = [candidate(f"u{i:02}", -PPB, se_ppb=PPB) for i in range(20)]
    units = units_of(allocate([*crowd, candidate("lender", 50_000_000)], TOTAL, POLICY))
    assert units["lender"] < TOTAL // 6  # towards a plain mean it would reach the cap of a quarter


def test_drawdown_takes_the_share_home_linearly() -> None:
    ratios = [0.0, 0.1, 0.125, 0.15, 0.2, 0.9, 0.05, 0.0, 0.0]
    agents = [candidate(f"a{i}", drawdown_ratio=ratio) for i, ratio in enumerate(ratios)]
    allocation = allocate(agents, TOTAL, POLICY)
    parts = [units_of(allocation)[f"a{i}"] for i in range(9)]
    assert parts == [100_000_000, 100_000_000, 75_000_000, 50_000_000, 0, 0, *[100_000_000] * 3]
    assert allocation.reserve_units == TOTAL - sum(parts)


def test_nobody_to_give_to_leaves_everything_in_reserve() -> None:
    assert allocate([], TOTAL, POLICY) == Allocation(targets=(), reserve_units=TOTAL, rebalanced=False)
    drowned = allocate([candidate("a", 5, drawdown_ratio=0.5)], TOTAL, POLICY)
    assert drowned.reserve_units == TOTAL


def test_a_frozen_agent_keeps_exactly_what_it_has() -> None:
    agents = [
        candidate("a", current_units=123_456_789, drawdown_ratio=0.9, frozen=True),
        *(candidate(f"b{i}") for i in range(4)),
    ]
    allocation = allocate(agents, TOTAL, POLICY)
    assert units_of(allocation)["a"] == 123_456_789
    assert sum(units_of(allocation).values()) == 900_000_000


def test_frozen_capital_above_the_budget_leaves_nothing_for_others() -> None:
    agents = [candidate("a", current_units=TOTAL, frozen=True), candidate("b", None), candidate("c", 4)]
    assert units_of(allocate(agents, TOTAL, POLICY)) == {"a": TOTAL, "b": 0, "c": 0}


def invested(merits: list[int], total: int = TOTAL) -> list[Candidate]:
    """Return agents that hold equal shares of nine tenths of the total."""
    part = total * 9 // 10 // len(merits)
    return [candidate(f"a{i}", merit, current_units=part) for i, merit in enumerate(merits)]


def test_a_small_change_of_merit_moves_no_money() -> None:
    agents = invested([0, 1_000_000, 2_000_000, 0, 0, 0, 0, 0, 0, 0])
    allocation = allocate(agents, TOTAL, POLICY)
    assert not allocation.rebalanced
    assert units_of(allocation) == {each.agent: each.current_units for each in agents}


def test_a_large_change_of_merit_moves_money() -> None:
    agents = invested([0, 0, 0, 0, 0, 400_000_000, 400_000_000, 0, 0, 0])
    allocation = allocate(agents, TOTAL, POLICY)
    assert allocation.rebalanced
    assert units_of(allocation)["a5"] == TOTAL // 4


def test_a_newborn_is_funded_within_the_band_from_those_furthest_above_their_targets() -> None:
    agents = invested([0] * 20)
    agents[3] = replace(agents[3], current_units=60_000_000)
    agents[4] = replace(agents[4], current_units=25_000_000)
    allocation = allocate([*agents, candidate("new", None)], TOTAL, POLICY)
    units = units_of(allocation)
    assert not allocation.rebalanced
    assert sum(units.values()) == 900_000_000
    assert units["a3"] == units["new"] == 42_857_143
    assert units["a4"] == 25_000_000
    untouched = [each for each in agents if units[each.agent] == each.current_units]
    assert len(untouched) == 9  # the one below its target, and eight of those that are just above theirs


def test_a_drawdown_is_defunded_within_the_band() -> None:
    agents = invested([0] * 10)
    agents[2] = replace(agents[2], drawdown_ratio=0.15)
    allocation = allocate(agents, TOTAL, POLICY)
    assert not allocation.rebalanced
    assert units_of(allocation)["a2"] == 45_000_000
    assert allocation.reserve_units == 145_000_000


def test_profits_do_not_eat_the_reserve_within_the_band() -> None:
    agents = invested([0] * 10)
    agents[0] = replace(agents[0], current_units=agents[0].current_units + 10_000_000)
    allocation = allocate(agents, TOTAL + 10_000_000, POLICY)
    assert not allocation.rebalanced
    assert allocation.reserve_units == 101_000_000
    assert units_of(allocation)["a0"] == 99_000_000


def test_a_capital_above_the_cap_is_trimmed_within_the_band() -> None:
    agents = invested([0] * 4)
    agents[0] = replace(agents[0], current_units=260_000_000)
    units = units_of(allocate(agents, TOTAL, POLICY))
    assert max(units.values()) <= TOTAL // 4


@pytest.mark.parametrize("ratio", [nan, inf, -0.1, 1.1])
def test_a_drawdown_that_is_no_ratio_is_rejected(ratio: float) -> None:
    with pytest.raises(InvariantViolated, match="drawdown"):
        candidate("a", drawdown_ratio=ratio)


@pytest.mark.parametrize("field", ["merit_ppb", "se_ppb", "current_units"])
def test_a_merit_that_is_not_a_number_is_rejected(field: str) -> None:
    with pytest.raises(InvariantViolated, match="nan is not an integer"):
        replace(candidate("a"), **{field: nan})  # type: ignore[arg-type]


def test_capital_overflow_is_rejected() -> None:
    with pytest.raises(InvariantViolated, match="more than there is"):
        allocate([candidate("a", current_units=TOTAL + 1)], TOTAL, POLICY)


def test_two_candidates_of_one_id_are_rejected() -> None:
    with pytest.raises(InvariantViolated, match="one id"):
        allocate([candidate("a"), candidate("a")], TOTAL, POLICY)


def test_a_policy_out_of_range_is_refused() -> None:
    with pytest.raises(AssertionError, match="reserve_ppb"):
        AllocationPolicy(reserve_ppb=PPB + 1)
