"""Every known-bad change is caught again: by the seed that caught it in the full hunt, or by its test."""

import json
from pathlib import Path

import pytest

from tests.simulation.settings import SETTING
from treasury_actors.faults.harness import hunt_by_tests
from treasury_actors.faults.mutants import MUTANTS
from treasury_actors.faults.plan import draw_plan
from treasury_actors.faults.planting import planted
from treasury_actors.faults.seed import play

CAUGHT = json.loads(Path(__file__).with_name("caught.json").read_text(encoding="utf-8"))
SIMULATED = [name for name, mutant in MUTANTS.items() if mutant.harness == "simulation"]
TRIED_BY_TESTS = [name for name, mutant in MUTANTS.items() if mutant.tests]


def test_every_mutant_of_the_simulation_has_a_seed_that_caught_it() -> None:
    assert sorted(CAUGHT) == sorted(SIMULATED)


@pytest.mark.parametrize("name", SIMULATED)
def test_a_known_bad_change_is_caught_by_its_recorded_seed(name: str) -> None:
    plan = draw_plan(CAUGHT[name]["seed"])
    with planted(MUTANTS[name]):
        caught = play(plan, SETTING).violation

    assert caught is not None
    assert caught.invariant == CAUGHT[name]["invariant"]


@pytest.mark.parametrize("name", TRIED_BY_TESTS)
def test_a_known_bad_change_at_an_edge_is_caught_by_the_test_named_for_it(name: str) -> None:
    caught = hunt_by_tests(MUTANTS[name]).caught_by

    assert caught is not None
    assert caught.partition("[")[0] in MUTANTS[name].tests


@pytest.mark.parametrize("name", list(MUTANTS))
def test_a_planted_change_is_taken_out_again(name: str) -> None:
    mutant = MUTANTS[name]
    before = [(where, attribute, vars(where)[attribute]) for where, attribute, _ in mutant.changes()]
    with planted(mutant):
        changed = [vars(where)[attribute] is not usual for where, attribute, usual in before]

    assert all(changed)
    assert all(vars(where)[attribute] is usual for where, attribute, usual in before)
