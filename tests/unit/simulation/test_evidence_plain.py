"""The evaluators by windows: what a house of one lives, alone or in company, plain or compiled."""

import pytest

from treasury_actors.agents.registry import families
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.search import fresh_genomes
from treasury_actors.evolution.model.windows import Window
from treasury_actors.ids import AssetId, FamilyId
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.file import Settings
from treasury_actors.simulation.evaluate import evaluate_population
from treasury_actors.simulation.evidence.fixed_arms import fixed_arms, tbill_course
from treasury_actors.simulation.evidence.history import STRESS_FACTOR, History
from treasury_actors.simulation.evidence.plain import PlainEvaluator

FAMILIES = families(MAINNET)
RULES = Settings().house_rules(0)
HISTORY = History(season=generate_season(universe=MAINNET, seed=3, days=24, warmup_h=2_880))
GENOMES = fresh_genomes(FAMILIES, 8, (7, "evaluators"))


def window(first_frame: int = 0, days: int = 20) -> Window:
    return Window(history=HISTORY.name, label="GENERATED", first_frame=first_frame, days=days)


def test_a_genome_lives_what_it_lives_in_an_arena_of_one() -> None:
    evaluate = PlainEvaluator(HISTORY, FAMILIES, RULES)
    courses = evaluate(GENOMES, window())
    for genome, course in zip(GENOMES, courses, strict=True):
        lived = evaluate_population(
            HISTORY.season, [(FAMILIES[genome.family], genome.genes)], evaluate.rules
        ).lifelines[0]
        assert course.daily_nav_micro_usd == lived.course.daily_nav_micro_usd[:21]


def test_company_changes_nothing() -> None:
    evaluate = PlainEvaluator(HISTORY, FAMILIES, RULES)
    together = evaluate(GENOMES[:6], window(48, 5))
    assert [evaluate([genome], window(48, 5))[0] for genome in GENOMES[:6]] == together


def test_what_comes_after_a_window_changes_nothing_in_it() -> None:
    shorter = History(season=generate_season(universe=MAINNET, seed=3, days=10, warmup_h=2_880))
    inside = Window(history=shorter.name, label="GENERATED", first_frame=24, days=5)
    assert shorter.name != HISTORY.name
    with_future = PlainEvaluator(HISTORY, FAMILIES, RULES)(GENOMES, window(24, 5))
    without = PlainEvaluator(shorter, FAMILIES, RULES)(GENOMES, inside)
    assert [each.daily_nav_micro_usd for each in with_future] == [
        each.daily_nav_micro_usd for each in without
    ]


def test_dearer_costs_never_pay_and_cost_whoever_trades() -> None:
    dear_history = HISTORY.stressed()
    step, dear_step = HISTORY.universe.conversions[0], dear_history.universe.conversions[0]
    assert dear_step.fee_bps == STRESS_FACTOR * step.fee_bps
    assert dear_step.gas_units == STRESS_FACTOR * step.gas_units
    held = Genome(family=FamilyId("equal_weight"), genes=())
    arms = {family.id: family for family in fixed_arms()}
    cheap = PlainEvaluator(HISTORY, arms, RULES)([held], window())[0]
    dear = PlainEvaluator(dear_history, arms, RULES)([held], window())[0]
    assert dear.trades == cheap.trades > 0
    assert dear.daily_nav_micro_usd[-1] < cheap.daily_nav_micro_usd[-1]


def test_fixed_arms_hold_what_they_say() -> None:
    arms = {family.id: family for family in fixed_arms()}
    genomes = [Genome(family=name, genes=()) for name in arms]
    courses = dict(zip(arms, PlainEvaluator(HISTORY, arms, RULES)(genomes, window()), strict=True))
    lent = HISTORY.daily_index(window(), AssetId("aUSDC"))
    capital, last = courses[FamilyId("lending")].daily_nav_micro_usd[0], -1
    grown = courses[FamilyId("lending")].daily_nav_micro_usd[last] / capital
    assert grown == pytest.approx(lent[last], abs=3e-3)
    assert dict(courses[FamilyId("lending")].venue_shares).keys() == {"aave-v3"}
    assert courses[FamilyId("buy_hold_eth")].stable_ratio_min < 0.05
    assert 0.3 < courses[FamilyId("equal_weight")].stable_ratio_min < 0.6
    assert courses[FamilyId("eg")].trades > 2
    bills = tbill_course(HISTORY, window(), capital_usd=10_000)
    assert bills is not None
    assert bills.daily_nav_micro_usd[-1] / bills.daily_nav_micro_usd[0] == pytest.approx(
        1 + 0.048 * 20 / 365, abs=1e-3
    )
