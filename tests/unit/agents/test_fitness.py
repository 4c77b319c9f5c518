"""What a fitness says, and that none but the current one is ever ranked."""

import math
from dataclasses import replace
from typing import get_args

import pytest

from treasury_actors.agents.model.fitness import (
    PPB,
    RUIN_CE,
    Evaluation,
    Fitness,
    FitnessBoard,
    FormulaName,
    Insufficient,
    evaluate,
)
from treasury_actors.agents.model.track import DAY_FRAMES, TrackRecord
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AgentId

A, B, C = AgentId("trend-0001"), AgentId("trend-0002"), AgentId("trend-0003")
FORMULAS = get_args(FormulaName)
LENT = 1.05 ** (1 / 365) - 1


def record_of(returns: list[float], lending: float = LENT) -> TrackRecord:
    record = TrackRecord(born_frame=0, lending_index=1.0)
    nav, index = 10**18, 1.0
    record.flow(frame=0, nav_before_micro_usd=0, nav_after_micro_usd=nav)
    for day, change in enumerate(returns, start=1):
        nav = round(nav * (1.0 + change))
        index *= 1.0 + lending
        record.mark(day * DAY_FRAMES, nav, index)
    return record


def evaluated(
    record: TrackRecord, formula: FormulaName = "certainty_equivalent", genome: str = "trend:24,480"
) -> Evaluation:
    return evaluate(
        record,
        canonical_genome=genome,
        data_hash="d0",
        cost_model="l2/1",
        frame=record.last_frame,
        formula=formula,
    )


def fitness_of(returns: list[float], formula: FormulaName = "certainty_equivalent") -> Fitness:
    evaluation = evaluated(record_of(returns), formula)
    assert isinstance(evaluation, Fitness)
    return evaluation


def swings(size: float, days: int, drift: float = 0.0) -> list[float]:
    """Return days that alternate by `size` around `drift`."""
    return [drift + (size if day % 2 else -size) for day in range(days)]


def test_a_sure_yield_is_worth_its_log_growth_and_has_no_error() -> None:
    fitness = fitness_of([LENT] * 60)
    assert fitness.value_ppb == pytest.approx(math.log(1.05) * PPB, rel=1e-6)
    assert fitness.se_ppb <= 1
    assert fitness.blocks == 8


def test_the_certainty_equivalent_is_as_computed_by_hand() -> None:
    returns = [0.01, -0.02, 0.03, 0.0, 0.01, -0.01, 0.02] * 4
    mean = sum(returns[:7]) / 7
    variance = sum((value - mean) ** 2 for value in returns[:7]) / 6 * 365
    growth = sum(math.log1p(value) for value in returns[:7]) * 365 / 7
    fitness = fitness_of(returns)
    assert fitness.value_ppb == pytest.approx((growth - 1.5 * variance) * PPB, rel=1e-9)
    assert fitness.se_ppb <= 1


def test_one_standard_error_is_taken_off_the_mean_of_the_blocks() -> None:
    returns = [0.001] * 7 + [0.002] * 7 + [0.003] * 7 + [0.004] * 7
    growth = [math.log1p(r) * 365 for r in (0.001, 0.002, 0.003, 0.004)]
    mean = sum(growth) / 4
    error = math.sqrt(sum((value - mean) ** 2 for value in growth) / 3) / 2
    fitness = fitness_of(returns)
    assert fitness.se_ppb == pytest.approx(error * PPB, abs=1)
    assert fitness.value_ppb == pytest.approx((mean - error) * PPB, abs=1)


def test_a_drawdown_beyond_the_free_one_is_charged() -> None:
    """The same seven returns in another order: only the path differs."""
    shallow = [0.10, -0.10, 0.10, -0.10, 0.10, -0.10, 0.0] * 4
    deep = [-0.10, -0.10, -0.10, 0.10, 0.10, 0.10, 0.0] * 4
    gap = (fitness_of(shallow).value_ppb - fitness_of(deep).value_ppb) / PPB
    assert gap == pytest.approx((1 - 0.9**3) - 0.15, rel=1e-6)


def test_a_block_that_lost_everything_is_worth_the_floor_and_stays_finite() -> None:
    fitness = evaluated(record_of([0.0] * 34 + [-1.0]))
    assert isinstance(fitness, Fitness)
    assert fitness.value_ppb == pytest.approx((RUIN_CE / 5 - 2.0) * PPB)


@pytest.mark.parametrize("formula", FORMULAS)
def test_twenty_seven_days_are_insufficient_and_twenty_eight_are_four_blocks(formula: FormulaName) -> None:
    short = evaluated(record_of([LENT] * 27), formula)
    assert isinstance(short, Insufficient)
    assert (short.blocks, short.needed) == (3, 4)
    long = evaluated(record_of([LENT] * 28), formula)
    assert isinstance(long, Fitness)
    assert long.blocks == 4


def test_every_day_counts_also_those_that_do_not_fill_a_block() -> None:
    assert fitness_of([LENT] * 34).value_ppb != fitness_of([LENT] * 33 + [-0.05]).value_ppb


def test_blocks_grow_longer_instead_of_more_beyond_half_a_year() -> None:
    assert fitness_of([LENT] * 400).blocks == 26


def test_a_near_constant_lender_does_not_score_fifty() -> None:
    """Defect 9 of the brief: without a volatility floor a steady lender is a genius, or has no Sharpe."""
    steady = fitness_of([LENT + (1e-7 if day % 3 else -1e-7) for day in range(60)], "brief_repaired")
    constant = fitness_of([LENT] * 60, "brief_repaired")
    assert abs(steady.value_ppb) < 0.15 * PPB
    assert constant.value_ppb == pytest.approx(0.3 * ((1 + LENT) ** 60 - 1) * PPB, abs=2)


def test_the_sharpe_of_the_repaired_formula_is_clamped_at_both_ends() -> None:
    best = fitness_of([0.01] * 60, "brief_repaired")
    assert best.value_ppb == pytest.approx((0.3 * (1.01**60 - 1) + 0.4 * 5.0 + 0.1) * PPB, rel=1e-6)
    worst = fitness_of([-0.01] * 60, "brief_repaired")
    expected = 0.3 * (0.99**60 - 1) - 0.4 * 3.0 - 0.2 * (1 - 0.99**60)
    assert worst.value_ppb == pytest.approx(expected * PPB, rel=1e-6)


def test_a_lender_earns_no_bonus_for_winning_every_day() -> None:
    better = fitness_of([LENT + 1e-6] * 60, "brief_repaired").value_ppb
    level = fitness_of([LENT] * 60, "brief_repaired").value_ppb
    assert better - level > 0.1 * PPB
    assert level < 0.01 * PPB


def test_volatility_without_drift_costs_fitness() -> None:
    assert fitness_of(swings(0.03, 56)).value_ppb < fitness_of(swings(0.01, 56)).value_ppb


def test_a_noisier_record_has_a_larger_error() -> None:
    calm = [0.001 * (day // 7 % 3) for day in range(56)]
    wild = [0.004 * (day // 7 % 3) for day in range(56)]
    assert fitness_of(wild).se_ppb > fitness_of(calm).se_ppb > 0


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_longer_record_of_the_same_kind_has_a_smaller_error(formula: FormulaName) -> None:
    weeks = [-0.02, 0.01, 0.03, 0.0, -0.01, 0.02, 0.0, 0.01, 0.02, -0.01, 0.0, 0.01, -0.02, 0.01]
    short, long = fitness_of(weeks * 2, formula), fitness_of(weeks * 8, formula)
    assert 0 < long.se_ppb < short.se_ppb


def test_the_repaired_formula_is_as_computed_by_hand() -> None:
    returns = [0.02, -0.01, 0.01, 0.0, 0.01, -0.02, 0.02] * 4
    excess = [value - LENT for value in returns]
    mean = sum(excess) / 28
    annual = math.sqrt(sum((value - mean) ** 2 for value in excess) / 27 * 365)
    total = math.prod(1.0 + value for value in returns)
    fall = 1.0 - 0.98  # the worst is one day
    sharpe = min(5.0, mean * 365 / annual)
    expected = 0.3 * (total - 1.0) + 0.4 * sharpe - 0.2 * fall - 0.1 * annual  # 16 of 28 days won
    assert fitness_of(returns, "brief_repaired").value_ppb == pytest.approx(expected * PPB, rel=1e-9)


def test_a_return_that_is_no_number_is_refused() -> None:
    record = record_of([LENT] * 30)
    record.daily_returns[3] = math.nan
    with pytest.raises(InvariantViolated, match="not a number"):
        evaluated(record)


def test_anything_that_matters_changes_the_key() -> None:
    key = fitness_of([LENT] * 30).key
    others = [
        replace(key, canonical_genome="trend:24,481"),
        replace(key, data_hash="d1"),
        replace(key, born_frame=24),
        replace(key, last_frame=key.last_frame + 24),
        replace(key, fitness_version="brief_repaired/1"),
        replace(key, cost_model="l1/1"),
    ]
    assert len({key.digest, *(other.digest for other in others)}) == 7


def test_equal_genomes_on_equal_records_have_equal_fitness_to_the_bit() -> None:
    assert fitness_of(swings(0.01, 40)) == fitness_of(swings(0.01, 40))


def test_defect_1_a_fitness_without_todays_row_is_refused() -> None:
    """The earlier attempt computed the fitness first and appended today's row after it."""
    record = record_of([LENT] * 30)
    before = evaluated(record)
    record.mark(31 * DAY_FRAMES, 1, 1.01)
    after = evaluated(record)
    board = FitnessBoard()
    board.expect(A, replace(before.key, last_frame=31 * DAY_FRAMES))
    with pytest.raises(InvariantViolated, match="stale"):
        board.record(A, before)
    board.record(A, after)
    assert board.evaluation(A) == after


def test_stale_fitness_is_void_the_moment_the_genome_changes() -> None:
    evaluation = evaluated(record_of([LENT] * 30))
    board = FitnessBoard()
    board.expect(A, evaluation.key)
    board.record(A, evaluation)
    board.expect(A, evaluation.key)
    assert board.evaluation(A) == evaluation
    board.expect(A, replace(evaluation.key, canonical_genome="trend:25,480"))
    with pytest.raises(InvariantViolated, match="not evaluated"):
        board.evaluation(A)
    with pytest.raises(InvariantViolated, match="stale"):
        board.record(A, evaluation)


def test_ranking_before_everyone_is_evaluated_raises() -> None:
    evaluation = evaluated(record_of([LENT] * 30))
    board = FitnessBoard()
    board.expect(A, evaluation.key)
    board.expect(B, evaluation.key)
    board.record(A, evaluation)
    with pytest.raises(InvariantViolated, match="trend-0002"):
        board.ranking()


def test_a_fitness_of_an_agent_nobody_expects_is_refused() -> None:
    board = FitnessBoard()
    with pytest.raises(InvariantViolated, match="stale"):
        board.record(A, evaluated(record_of([LENT] * 30)))


def test_a_fitness_computed_before_its_record_ended_is_refused() -> None:
    record = record_of([LENT] * 30)
    with pytest.raises(InvariantViolated, match="reaches"):
        evaluate(record, canonical_genome="g", data_hash="d", cost_model="c", frame=29 * DAY_FRAMES)
    evaluation = replace(evaluated(record), computed_at_frame=29 * DAY_FRAMES)
    board = FitnessBoard()
    board.expect(A, evaluation.key)
    with pytest.raises(InvariantViolated, match="before its record was complete"):
        board.record(A, evaluation)


def test_the_best_is_ranked_first_and_the_insufficient_not_at_all() -> None:
    board = FitnessBoard()
    for agent, days in ((A, [LENT] * 30), (B, [2 * LENT] * 30), (C, [LENT] * 3)):
        evaluation = evaluated(record_of(days))
        board.expect(agent, evaluation.key)
        board.record(agent, evaluation)
    assert [agent for agent, _ in board.ranking()] == [B, A]
    board.forget(B)
    assert [agent for agent, _ in board.ranking()] == [A]
