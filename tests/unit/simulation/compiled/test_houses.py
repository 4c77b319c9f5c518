"""Houses of many in machine code against `evaluate_population`: shared gas and limits, exits, part fills."""

from functools import cache

import pytest

from tests.unit.simulation.compiled.genomes import genomes_of
from tests.unit.simulation.houses import SHIPPED, house_rules, world
from treasury_actors.arena.model.rules import RiskRules
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.compiled.layout import death_of
from treasury_actors.simulation.compiled.tape import Tape, read_tape
from treasury_actors.simulation.evaluate import Candidate, evaluate_population
from treasury_actors.simulation.evidence.history import History
from treasury_actors.simulation.lifeline import Population
from treasury_actors.trading.model.guard import GuardPolicy

pytest.importorskip("numba", reason="numba is not installed: nothing is compiled")

from treasury_actors.simulation.compiled.batch import Batch, playable

pytestmark = pytest.mark.timeout(600)
"""Whoever is first makes the machine code, which takes a while on a busy machine."""
CANDIDATES: list[Candidate] = [
    (family, genome.genes) for family in SHIPPED.values() for genome in genomes_of(family, 4)
]
HOUSES = {
    "default": house_rules(),
    "nervous": house_rules(guard=GuardPolicy(stop_loss_ratio=0.02, drawdown_ratio_max=0.03)),
    "narrow": house_rules(
        risk=RiskRules(
            trade_usd_max=3_000, agent_turnover_ratio_max=0.5, impact_bps_max=1.0, venue_ratio_max=0.7
        )
    ),
    "dear": house_rules(capital_usd=64_000, chain="ethereum"),
    "huge": house_rules(
        capital_usd=8_000_000_000,
        risk=RiskRules(trade_usd_max=10**10, arena_turnover_usd_max=10**12, impact_bps_max=10_000.0),
    ),
    "poor": house_rules(gas_usd=3),
    "poor and nervous": house_rules(
        gas_usd=3, guard=GuardPolicy(stop_loss_ratio=0.02, drawdown_ratio_max=0.03)
    ),
    "more gas than 64 bits": house_rules(gas_usd=500_000),
}


@cache
def history() -> History:
    return History(season=world())


@cache
def tape(rules: HouseRules) -> Tape:
    return read_tape(history(), rules.chain)


@cache
def lived(rules: HouseRules) -> tuple[Batch, Population]:
    season = history().season
    assert all(playable(tape(rules), family) for family in SHIPPED.values())
    batch = Batch(
        tape(rules),
        [CANDIDATES, CANDIDATES[:3]],
        rules,
        first=season.frame(0),
        first_frame=0,
        frame_count=season.frame_count,
        log_size=2_000,
    )
    batch.play(2)
    return batch, evaluate_population(season, CANDIDATES, rules)


@pytest.mark.parametrize("rules", HOUSES.values(), ids=HOUSES)
def test_a_house_has_every_fill_of_its_lifelines_to_the_unit(rules: HouseRules) -> None:
    batch, population = lived(rules)

    assert batch.failed == []
    for life, fills, units in zip(population.lifelines, batch.fills(0), batch.units(0), strict=True):
        assert fills == life.fills, life.agent
        assert units == life.units, life.agent


@pytest.mark.parametrize("rules", HOUSES.values(), ids=HOUSES)
def test_a_house_has_the_courses_and_deaths_of_its_lifelines(rules: HouseRules) -> None:
    batch, population = lived(rules)

    for place, life in enumerate(population.lifelines):
        record = batch.lives[place]
        assert tuple(batch.days[place].tolist()) == life.course.daily_nav_micro_usd
        assert record["nav"] == life.course.nav_micro_usd
        assert record["max_drawdown_ratio"] == life.course.max_drawdown_ratio
        assert record["refused_count"] == len(life.refused)
        assert record["trade_count"] == life.trades
        assert death_of(record, rules) == life.death


def test_these_houses_meet_every_case_they_are_there_for() -> None:
    lives = {name: lived(rules)[1].lifelines for name, rules in HOUSES.items()}

    assert any(not fill.last for life in lives["default"] for fill in life.fills), "a route of two hops"
    assert any(fill.partial for life in lives["huge"] for fill in life.fills), "a lender short of cash"
    assert any(life.death for life in lives["nervous"]), "a breach of the guardian's"
    assert {order.reason for life in lives["narrow"] for order in life.refused} >= {
        "above_turnover_limit",
        "above_venue_limit",
    }
    fills = {name: sum(len(life.fills) for life in lives[name]) for name in HOUSES}
    assert 0 < fills["poor"] < fills["default"]


def test_a_second_house_in_the_batch_is_what_it_is_alone() -> None:
    batch, _ = lived(HOUSES["default"])

    alone = evaluate_population(history().season, CANDIDATES[:3], HOUSES["default"])

    assert batch.fills(1) == [life.fills for life in alone.lifelines]


def test_a_house_with_more_fills_than_are_kept_is_left_to_plain_calls() -> None:
    rules, season = HOUSES["default"], history().season
    batch = Batch(
        tape(rules),
        [CANDIDATES, CANDIDATES[:1]],
        rules,
        first=season.frame(0),
        first_frame=0,
        frame_count=season.frame_count,
        log_size=1,
    )

    batch.play(1)

    assert 0 in batch.failed
