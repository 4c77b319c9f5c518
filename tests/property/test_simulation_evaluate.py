"""What holds of every evaluated population, whatever its genomes, its market and its rules."""

from functools import cache
from math import isfinite

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.simulation.houses import SHIPPED, house_rules, world
from treasury_actors.agents.model.family import Family
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.evaluate import Candidate, evaluate_population
from treasury_actors.simulation.rewrite import cut_after, odd_season, with_history, with_other_future

FEW = settings(max_examples=12)
FRAMES = 24 * 8
CUTS = st.integers(1, FRAMES - 30)


@cache
def ordinary() -> ColumnSeason:
    return world(days=8, warmup_h=240)


@cache
def odd(seed: int) -> ColumnSeason:
    return odd_season(MAINNET, seed=seed, frames=FRAMES, warmup_h=48)


SEASONS = st.one_of(st.builds(ordinary), st.builds(odd, st.integers(0, 3)))


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    """Draw a few genomes of any family."""
    chosen: list[Family] = draw(st.lists(st.sampled_from(list(SHIPPED.values())), min_size=1, max_size=4))
    return [(f, draw(st.tuples(*(st.integers(g.low, g.high) for g in f.genes)))) for f in chosen]


RULES = st.builds(
    house_rules,
    capital_usd=st.sampled_from([1, 1_000, 40_000, 10_000_000]),
    chain=st.sampled_from(["base", "ethereum"]),
)


@FEW
@given(who=candidates(), season=SEASONS, rules=RULES)
def test_no_cent_is_lost_or_made(who: list[Candidate], season: ColumnSeason, rules: HouseRules) -> None:
    """What every hop gives, less fee and impact, is what it takes: to the micro-dollar, hop by hop."""
    population = evaluate_population(season, who, rules)

    for life in population.lifelines:
        assert all(units > 0 for _, units in life.units)
        assert life.course.nav_micro_usd >= 0
        for fill in life.fills:
            step = MAINNET.conversion_by_id[fill.conversion]
            ticks = season.frame(fill.frame).ticks[MAINNET.column[step.target]]
            taken = MAINNET.by_id[step.target].value_micro_usd(fill.taken_units, ticks)
            assert fill.value_micro_usd == taken + fill.fee_micro_usd + fill.impact_micro_usd
            assert fill.fee_micro_usd >= 0
            assert fill.impact_micro_usd >= 0
            assert fill.gas_micro_usd > 0
    parts = (len(who) + 1) * len(MAINNET.assets)
    alone = sum(life.course.nav_micro_usd for life in population.lifelines)
    gas_usd = rules.arena.gas_usd
    assert population.treasury.path_micro_usd[0] >= gas_usd * 10**6 - parts
    assert population.treasury.nav_micro_usd >= alone


@FEW
@given(who=candidates(), season=SEASONS, rules=RULES)
def test_figures_are_numbers_in_their_ranges(
    who: list[Candidate], season: ColumnSeason, rules: HouseRules
) -> None:
    population = evaluate_population(season, who, rules)

    assert len(population.treasury.path_micro_usd) == season.frame_count
    for life in population.lifelines:
        course = life.course
        assert 0.0 <= course.max_drawdown_ratio <= 1.0
        assert course.liquid_24h_ratio is None or 0.0 <= course.liquid_24h_ratio <= 1.0
        assert isfinite(course.return_ratio)
        assert len(course.daily_nav_micro_usd) == season.frame_count // 24
        assert course.daily_nav_micro_usd[0] == course.capital_micro_usd


@FEW
@given(who=candidates(), season=SEASONS, rules=RULES, cut=CUTS, seed=st.integers(0, 100))
def test_another_future_changes_no_bit_of_the_past(
    who: list[Candidate], season: ColumnSeason, rules: HouseRules, cut: int, seed: int
) -> None:
    rewritten = cut_after(with_other_future(season, after=cut, seed=seed), cut + 24)
    first, other = (
        evaluate_population(each, who, rules, foresight=True, traced=True) for each in (season, rewritten)
    )

    assert first.treasury.path_micro_usd[: cut + 1] == other.treasury.path_micro_usd[: cut + 1]
    for mine, theirs in zip(first.lifelines, other.lifelines, strict=True):
        decided = [[repr(d) for d in life.decisions if d.frame <= cut] for life in (mine, theirs)]
        assert decided[0] == decided[1]
        filled = [[fill for fill in life.fills if fill.frame <= cut] for life in (mine, theirs)]
        assert filled[0] == filled[1]


@FEW
@given(who=candidates(), season=SEASONS, rules=RULES)
def test_a_second_evaluation_is_the_same_to_the_bit(
    who: list[Candidate], season: ColumnSeason, rules: HouseRules
) -> None:
    first, second = (evaluate_population(season, who, rules, traced=True) for _ in range(2))

    assert repr(first) == repr(second)


@FEW
@given(season=SEASONS, warmup_h=st.integers(0, 48), last=CUTS)
def test_a_season_that_is_cut_keeps_every_number_of_what_is_left(
    season: ColumnSeason, warmup_h: int, last: int
) -> None:
    cut = with_history(cut_after(season, last), warmup_h)

    assert (cut.warmup_count, cut.frame_count) == (warmup_h, last + 1)
    for index in (-warmup_h, 0, last):
        assert repr(cut.frame(index)) == repr(season.frame(index))
