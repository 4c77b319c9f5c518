"""Machine code against plain calls: the same courses, to the micro-dollar and to the bit."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.simulation.compiled.genomes import genomes_of, window_of
from tests.unit.simulation.houses import SHIPPED, house_rules, world
from treasury_actors.agents.model.family import Family
from treasury_actors.evolution.model.windows import Window
from treasury_actors.ids import FamilyId
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.compiled.evaluator import CompiledEvaluator, has_compiler
from treasury_actors.simulation.evidence.history import History
from treasury_actors.simulation.evidence.plain import PlainEvaluator
from treasury_actors.simulation.rewrite import odd_season, with_other_future
from treasury_actors.trading.model.guard import GuardPolicy

pytestmark = pytest.mark.timeout(600)
"""Whoever is first makes the machine code, which takes a while on a busy machine."""
FAMILIES = pytest.mark.parametrize("family", SHIPPED.values(), ids=SHIPPED)
COMPILER = pytest.mark.skipif(not has_compiler(), reason="numba is not installed: nothing is compiled")
RULES = house_rules()


@cache
def history() -> History:
    return History(season=world(days=40))


@cache
def odd(seed: int) -> History:
    return History(season=odd_season(MAINNET, seed=seed, frames=24 * 9, warmup_h=72))


def evaluators(past: History, rules: HouseRules = RULES) -> tuple[CompiledEvaluator, PlainEvaluator]:
    return CompiledEvaluator(past, SHIPPED, rules), PlainEvaluator(past, SHIPPED, rules)


@COMPILER
@FAMILIES
def test_every_family_has_the_courses_of_plain_calls(family: Family) -> None:
    genomes, window = genomes_of(family, 8), window_of(history(), first_frame=30, days=30)
    compiled, plain = evaluators(history())

    assert compiled.compiled(genomes, window) == plain(genomes, window)


@COMPILER
def test_dearer_costs_cost_the_same_in_both() -> None:
    genomes = [genome for family in SHIPPED.values() for genome in genomes_of(family, 2)]
    compiled, plain = evaluators(history().stressed())
    window = window_of(history(), first_frame=0, days=20)

    dear = compiled.compiled(genomes, window)

    assert dear == plain(genomes, window)
    assert dear != evaluators(history())[0].compiled(genomes, window)


@COMPILER
@settings(max_examples=10)
@given(
    seed=st.integers(0, 2),
    first=st.integers(0, 24),
    draw=st.integers(0, 1_000),
    stop=st.sampled_from([0.02, 0.25]),
    chain=st.sampled_from(["base", "ethereum"]),
)
def test_odd_markets_make_no_difference(seed: int, first: int, draw: int, stop: float, chain: str) -> None:
    """Prices that jump, are stale or unknown, pools without depth, gas a hundred times dearer, breaches."""
    rules = house_rules(chain=chain, guard=GuardPolicy(stop_loss_ratio=stop, drawdown_ratio_max=stop))
    genomes = [genome for family in SHIPPED.values() for genome in genomes_of(family, 2, seed=draw)]
    compiled, plain = evaluators(odd(seed), rules)
    window = window_of(odd(seed), first_frame=first, days=7)

    courses = compiled(genomes, window)

    assert courses == plain(genomes, window)
    assert None not in compiled.compiled(genomes, window), "nothing of this is beyond machine code"


@COMPILER
@settings(max_examples=6)
@given(day=st.integers(1, 12), seed=st.integers(0, 100))
def test_another_future_changes_nothing_up_to_the_day_it_begins(day: int, seed: int) -> None:
    """The whole history lies in memory; what is later than a frame can't be asked for in it (I11)."""
    season = history().season
    assert isinstance(season, ColumnSeason)
    other = History(season=with_other_future(season, after=day * 24, seed=seed))
    genomes = [genome for family in SHIPPED.values() for genome in genomes_of(family, 3)]

    first, second = (
        evaluators(past)[0].compiled(genomes, window_of(past, first_frame=0, days=20))
        for past in (history(), other)
    )

    known, changed = (
        [course.daily_nav_micro_usd if course else () for course in courses] for courses in (first, second)
    )
    assert [navs[: day + 1] for navs in known] == [navs[: day + 1] for navs in changed]
    assert known != changed, "another future is another course, or this test is blind"


@COMPILER
def test_threads_and_company_change_no_bit() -> None:
    genomes = [genome for family in SHIPPED.values() for genome in genomes_of(family, 3)]
    window = window_of(history(), first_frame=0, days=15)

    one, three = (
        CompiledEvaluator(history(), SHIPPED, RULES, threads=threads).compiled(genomes, window)
        for threads in (1, 3)
    )
    backwards = evaluators(history())[0].compiled(genomes[::-1], window)

    assert one == three
    assert one == backwards[::-1]


@COMPILER
def test_windows_of_one_tape_are_those_of_a_tape_of_their_own() -> None:
    genomes = genomes_of(SHIPPED[FamilyId("trend")], 4)
    compiled, _ = evaluators(history())
    windows = [window_of(history(), first_frame=first, days=10) for first in (0, 240, 500)]

    together = [compiled.compiled(genomes, window) for window in windows]
    apart = [evaluators(history())[0].compiled(genomes, window) for window in windows[::-1]]

    assert together == apart[::-1]
    assert together[0] != together[1]


@COMPILER
def test_capital_that_floats_cannot_hold_is_left_to_plain_calls() -> None:
    genomes, window = genomes_of(SHIPPED[FamilyId("trend")], 2), window_of(history(), first_frame=0, days=5)
    rich, plain = (
        make(history(), SHIPPED, RULES, capital_usd=20_000_000_000)
        for make in (CompiledEvaluator, PlainEvaluator)
    )
    assert isinstance(rich, CompiledEvaluator)

    assert rich.compiled(genomes, window) == [None, None]
    assert rich(genomes, window) == plain(genomes, window)


def test_without_a_compiler_plain_calls_play(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treasury_actors.simulation.compiled.evaluator.has_compiler", lambda: False)
    genomes, window = (
        genomes_of(SHIPPED[FamilyId("dollar_cost")], 2),
        window_of(history(), first_frame=0, days=3),
    )
    compiled, plain = evaluators(history())

    assert compiled(genomes, window) == plain(genomes, window)


def test_a_window_of_another_history_is_refused() -> None:
    other = Window(history="another", label="GENERATED", first_frame=0, days=3)

    with pytest.raises(AssertionError, match="no window of"):
        evaluators(history())[0](genomes_of(SHIPPED[FamilyId("trend")], 1), other)
