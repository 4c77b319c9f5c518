"""What holds for every record and its fitness."""

from math import isclose, prod

from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.agents.model.fitness import RUIN_CE, Fitness, FormulaName, evaluate
from treasury_actors.agents.model.track import DAY_FRAMES, TrackRecord

PPB = 10**9
RETURNS = st.lists(st.floats(-0.3, 0.3), min_size=28, max_size=90)
FORMULAS = st.sampled_from(["certainty_equivalent", "brief_repaired"])


def record_of(returns: list[float], *, flows: bool = False) -> TrackRecord:
    """Return the record of daily returns; with flows, capital comes or goes at every noon."""
    record = TrackRecord(born_frame=0, lending_index=1.0)
    nav = 10**15
    record.flow(frame=0, nav_before_micro_usd=0, nav_after_micro_usd=nav)
    for day, change in enumerate(returns):
        start = nav
        if flows:
            after = nav // 2 if day % 2 else nav * 2
            record.flow(frame=day * DAY_FRAMES + 12, nav_before_micro_usd=nav, nav_after_micro_usd=after)
            start = after
        nav = max(1, round(start * (1.0 + change)))
        record.mark((day + 1) * DAY_FRAMES, nav, 1.0001 ** (day + 1))
    return record


def fitness_of(record: TrackRecord, formula: FormulaName) -> Fitness:
    fitness = evaluate(
        record,
        canonical_genome="g",
        data_hash="d",
        cost_model="c",
        frame=record.last_frame,
        formula=formula,
    )
    assert isinstance(fitness, Fitness)
    return fitness


@given(RETURNS)
def test_flows_change_no_return(returns: list[float]) -> None:
    without, with_flows = record_of(returns), record_of(returns, flows=True)
    pairs = zip(without.daily_returns, with_flows.daily_returns, strict=True)
    assert all(isclose(a, b, abs_tol=1e-6) for a, b in pairs)
    assert isclose(without.max_drawdown_ratio, with_flows.max_drawdown_ratio, abs_tol=1e-6)


@given(RETURNS)
def test_the_daily_returns_chain_to_the_growth_index(returns: list[float]) -> None:
    record = record_of(returns)
    assert isclose(prod(1.0 + r for r in record.daily_returns), record.growth_index, rel_tol=1e-9)
    assert len(record.daily_returns) == len(record.lending_returns) == len(returns)
    assert 0.0 <= record.drawdown_ratio <= record.max_drawdown_ratio <= 1.0


@given(RETURNS, FORMULAS)
def test_a_fitness_is_finite_and_its_error_not_negative(returns: list[float], formula: FormulaName) -> None:
    fitness = fitness_of(record_of(returns), formula)
    assert abs(fitness.value_ppb) < 10**3 * PPB
    assert fitness.se_ppb >= 0


@given(RETURNS, st.floats(0.0001, 0.01))
def test_a_record_that_did_better_by_the_same_each_day_is_worth_more_before_its_error(
    returns: list[float], more: float
) -> None:
    """The shift leaves volatility alone, raises growth and deepens no drawdown; ruin is worth ruin."""
    worse = fitness_of(record_of(returns), "certainty_equivalent")
    better = fitness_of(record_of([value + more for value in returns]), "certainty_equivalent")
    if better.value_ppb > RUIN_CE * PPB:
        assert better.value_ppb + better.se_ppb > worse.value_ppb + worse.se_ppb
    else:
        assert worse.value_ppb == better.value_ppb


@given(RETURNS, FORMULAS)
def test_the_same_record_has_the_same_fitness_to_the_bit(returns: list[float], formula: FormulaName) -> None:
    assert fitness_of(record_of(returns), formula) == fitness_of(record_of(returns), formula)


@given(RETURNS)
def test_no_record_is_worth_less_than_ruin_and_its_error(returns: list[float]) -> None:
    fitness = fitness_of(record_of(returns), "certainty_equivalent")
    assert fitness.value_ppb + fitness.se_ppb >= RUIN_CE * PPB - 1
