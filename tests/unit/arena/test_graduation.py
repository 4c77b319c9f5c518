"""The gate of the proving grounds: vetoes first, then at most the better half of who is left."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.arena.model.graduation import Candidate, GateRules, Veto, Vetoed, graduate
from treasury_actors.ids import AgentId

RULES = GateRules()
GOOD = Candidate(
    agent=AgentId("trend-0001"),
    days=30.0,
    nav_days=30,
    max_drawdown_ratio=0.02,
    failed_settlements=0,
    trades=4,
    fitness_ppb=None,
    return_ratio=0.01,
    alive=True,
)


def candidates(count: int) -> list[Candidate]:
    """Return agents of which a higher number earned more."""
    return [
        replace(GOOD, agent=AgentId(f"trend-{n:04d}"), return_ratio=n / 1000) for n in range(1, count + 1)
    ]


@pytest.mark.parametrize(("count", "places"), [(10, 5), (9, 5), (2, 1), (1, 1), (0, 0)])
def test_at_most_the_better_half_of_the_eligible_graduates(count: int, places: int) -> None:
    gate = graduate(candidates(count), RULES)

    assert len(gate.graduates) == places
    assert list(gate.graduates) == sorted(gate.graduates, reverse=True)
    assert len(gate.left_behind) == count - places
    assert gate.vetoed == ()


@pytest.mark.parametrize(
    ("flaw", "veto"),
    [
        ({"alive": False}, Veto.DIED),
        ({"days": 29.9}, Veto.TOO_YOUNG),
        ({"nav_days": 19}, Veto.TOO_FEW_DAYS),
        ({"max_drawdown_ratio": 0.10}, Veto.DRAWDOWN),
        ({"failed_settlements": 1}, Veto.FAILED_SETTLEMENT),
        ({"trades": 0}, Veto.NEVER_TRADED),
    ],
)
def test_a_veto_is_never_overruled_by_a_rank(flaw: dict[str, object], veto: Veto) -> None:
    best = replace(GOOD, agent=AgentId("trend-0999"), return_ratio=9.0, **flaw)  # type: ignore[arg-type]
    gate = graduate([*candidates(2), best], RULES)

    assert gate.vetoed == (Vetoed(agent=best.agent, vetoes=(veto,)),)
    assert gate.graduates == (AgentId("trend-0002"),)


def test_where_all_are_vetoed_nobody_graduates() -> None:
    gate = graduate([replace(each, days=3.0) for each in candidates(10)], RULES)

    assert gate.graduates == ()
    assert len(gate.vetoed) == 10


def test_a_baseline_need_not_trade() -> None:
    gate = graduate([replace(GOOD, trades=0, baseline=True)], RULES)

    assert gate.graduates == (GOOD.agent,)


def test_fitness_goes_before_return_and_a_tie_goes_by_id() -> None:
    fit = replace(GOOD, agent=AgentId("b-0002"), fitness_ppb=5, return_ratio=-0.5)
    tied = [replace(GOOD, agent=AgentId("d-0004")), replace(GOOD, agent=AgentId("c-0003"))]
    gate = graduate([*tied, fit], RULES)

    assert gate.graduates == (AgentId("b-0002"), AgentId("c-0003"))
    assert gate.left_behind == (AgentId("d-0004"),)


@given(st.lists(st.tuples(st.integers(-5, 5), st.booleans()), max_size=12))
def test_everybody_is_in_one_place_and_vetoed_ones_never_in_front(drawn: list[tuple[int, bool]]) -> None:
    given_candidates = [
        replace(GOOD, agent=AgentId(f"x-{n:04d}"), fitness_ppb=fitness, alive=alive)
        for n, (fitness, alive) in enumerate(drawn)
    ]
    gate = graduate(given_candidates, RULES)
    placed = [*gate.graduates, *gate.left_behind, *(each.agent for each in gate.vetoed)]

    assert sorted(placed) == [each.agent for each in given_candidates]
    assert len(gate.graduates) <= (sum(alive for _, alive in drawn) + 1) // 2
    assert {each.agent for each in gate.vetoed} == {c.agent for c in given_candidates if not c.alive}
