"""
Defect 9 of the earlier attempt: rules that contradicted each other.

With 3 to 9 agents the tier rule gave one of them 60% against its own limit of 30%; with one or two it left
40% and 10% of the pool unused; and its score could only be reached by a flat line.
"""

from collections.abc import Callable
from math import sqrt

import pytest

from tests.acceptance.houses import Sums, live, market, rules_for
from treasury_actors.agents.model.fitness import Fitness, evaluate
from treasury_actors.agents.model.track import TrackRecord
from treasury_actors.arena.model.allocation import PPB, Allocation, AllocationPolicy, Candidate, allocate
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AgentId
from treasury_actors.settings.file import check_settings

TOTAL = 500_000 * 10**6
POLICY = AllocationPolicy()
BUDGET = TOTAL * (PPB - POLICY.reserve_ppb) // PPB
CAP = TOTAL * POLICY.cap_ppb // PPB
CROWDS = range(1, 61)
MERITS: dict[str, Callable[[int], int | None]] = {
    "one far ahead": lambda place: 2_000_000_000 if place == 0 else -500_000_000,
    "all alike": lambda _: 100_000_000,
    "a ladder": lambda place: 400_000_000 - 20_000_000 * place,
    "nobody known": lambda _: None,
    "half unknown": lambda place: None if place % 2 else 300_000_000 - place,
    "all losing": lambda place: -1_000_000_000 - place,
}


def allocation_of(count: int, merits: str, *, policy: AllocationPolicy = POLICY) -> Allocation:
    candidates = []
    for place in range(count):
        merit = MERITS[merits](place)
        candidates.append(
            Candidate(
                agent=AgentId(f"a-{place:04d}"),
                merit_ppb=merit,
                se_ppb=0 if merit is None else 20_000_000,
                current_units=0,
                drawdown_ratio=0.0,
            )
        )
    return allocate(candidates, TOTAL, policy)


@pytest.mark.parametrize("merits", MERITS)
def test_defect_9_rules_contradicted_each_other(merits: str) -> None:
    """Nobody is above the cap unless an equal share is more, and nothing is stranded beyond the reserve."""
    for count in CROWDS:
        allocation = allocation_of(count, merits)
        units = [part for _, part in allocation.targets]
        equal = -(-BUDGET // count)

        assert max(units) <= max(CAP, equal), count
        assert min(units) >= 0, count
        assert sum(units) == BUDGET, count
        assert allocation.reserve_units == TOTAL - BUDGET, count


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_the_one_far_ahead_never_gets_sixty_percent_among_several(count: int) -> None:
    best = dict(allocation_of(count, "one far ahead").targets)[AgentId("a-0000")]

    assert best <= max(CAP, -(-BUDGET // count))
    assert best * count >= BUDGET, "and still as much as anybody"


@pytest.mark.parametrize("agents", [1, 2, 3, 5, 9])
def test_a_house_of_few_uses_all_but_its_reserve(agents: int) -> None:
    lived = live(market(8), rules_for(arena={"agents": agents}))
    sums = Sums()
    for row in lived.tape.rows("ledger.entry_posted", "arena.round_held"):
        if row.type == "ledger.entry_posted":
            sums.add(row.body)
            continue
        total, reserve = int(row.body["total_units"]), int(row.body["reserve_units"])
        assert reserve == total - total * (PPB - POLICY.reserve_ppb) // PPB

    assert lived.end == "finished"
    assert lived.tape.of("arena.round_held")


def record_of(returns: list[float], lending: float) -> TrackRecord:
    record = TrackRecord(born_frame=0, lending_index=1.0)
    nav, index = 10**12, 1.0
    record.flow(frame=0, nav_before_micro_usd=0, nav_after_micro_usd=nav)
    for day, change in enumerate(returns, start=1):
        nav, index = round(nav * (1 + change)), index * (1 + lending)
        record.mark(24 * day, nav, index)
    return record


def score(returns: list[float], lending: float = 0.0001) -> float:
    found = evaluate(
        record_of(returns, lending),
        canonical_genome="g",
        data_hash="d",
        cost_model="c",
        frame=24 * len(returns),
        formula="brief_repaired",
    )
    assert isinstance(found, Fitness)
    return found.value_ppb / 1e9


def test_a_constant_lender_has_no_infinite_and_no_zero_skill() -> None:
    """Its deviation is 0: the earlier formula gave it 0, and 50 and more to one that wobbles a little."""
    flat = score([0.0001] * 60)
    wobbling = score([0.0001 + (1e-6 if day % 2 else -1e-6) for day in range(60)])

    assert flat == pytest.approx(wobbling, abs=0.1)
    assert abs(flat) < 0.1


def test_skill_is_bounded_however_smooth_the_record() -> None:
    assert score([0.01] * 60) <= 0.3 * (1.01**60 - 1) + 0.4 * 5.0 + 0.1 + 1e-6


def test_a_good_year_can_be_told_from_a_poor_one_below_a_sharpe_of_five() -> None:
    steady = [0.002 + 0.01 * (1 if day % 2 else -1) for day in range(60)]
    weaker = [0.001 + 0.01 * (1 if day % 2 else -1) for day in range(60)]

    assert 0.002 / 0.01 * sqrt(365) < 5.0
    assert score(steady) > score(weaker)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [("arena", "reserve_ratio", 2), ("arena", "agent_share_max", 3), ("risk", "venue_ratio_max", 2)],
)
def test_a_config_can_not_ask_for_more_than_the_whole(section: str, key: str, value: int) -> None:
    with pytest.raises(ConfigError, match=rf"{section}\.{key} = {value}"):
        check_settings({section: {key: value}}, "a.toml")
