"""The rungs, what their gates say of themselves, who may pass them, and when a machine sends down."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.arena.model.demotion import Cause, Condition, DemotionRules, causes_of
from treasury_actors.arena.model.graduation import Candidate, Lived, Veto, WindowTrial, graduate, vetoes_of
from treasury_actors.arena.model.ladder import (
    false_pass,
    gate_text,
    posterior_above,
    student_above,
)
from treasury_actors.arena.model.stages import (
    LADDER,
    MAIN_GATE,
    PAPER_GATE,
    PROVING_GATE,
    above,
    check_ladder,
    gates_hash,
    rung_of,
)
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AgentId

TESTED = WindowTrial(
    windows=8,
    vetoed=False,
    fitness_ppb=90_000_000,
    lending_ppb=50_000_000,
    stressed_ppb=70_000_000,
    drawdown_p95_ratio=0.05,
    trades=40,
)
LIVED = Lived(
    tracking_error_ratio=0.001,
    tracking_sum_ratio=0.0001,
    tracking_t=0.5,
    posterior=0.9,
    psr=0.99,
    dsr=0.5,
)
GOOD = Candidate(
    agent=AgentId("peg-0001"),
    days=90.0,
    nav_days=90,
    max_drawdown_ratio=0.02,
    failed_settlements=0,
    trades=9,
    fitness_ppb=90_000_000,
    return_ratio=0.01,
    alive=True,
    tested=TESTED,
    lived=LIVED,
)


def test_the_ladder_has_the_briefs_money_and_places() -> None:
    assert [(rung.stage, rung.pool_usd, rung.mandate_usd, rung.places) for rung in LADDER[1:]] == [
        ("proving", 10_000, 1_000, 10),
        ("main", 50_000, 10_000, 5),
        ("full", 200_000, 20_000, 15),
    ]
    check_ladder(LADDER)
    assert above(LADDER, "full") is None
    assert above(LADDER, "sim") == rung_of(LADDER, "proving")


def test_a_pool_smaller_than_its_mandates_is_refused_by_name() -> None:
    small = replace(LADDER[1], pool_usd=9_999)
    with pytest.raises(
        ConfigError, match=r"stage proving: a pool of \$9,999 is smaller than its 10 mandates"
    ):
        check_ladder((LADDER[0], small, *LADDER[2:]))


def test_editing_any_gate_is_another_ladder() -> None:
    softer = replace(LADDER[1], gate=replace(PROVING_GATE, drawdown_ratio_max=0.11))
    assert gates_hash((LADDER[0], softer, *LADDER[2:])) != gates_hash(LADDER)


@pytest.mark.parametrize("gate", [PAPER_GATE, PROVING_GATE, MAIN_GATE])
def test_the_good_candidate_passes_every_gate(gate: object) -> None:
    assert vetoes_of(GOOD, gate) == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "veto"),
    [
        ({"windows": 7}, Veto.TOO_FEW_WINDOWS),
        ({"vetoed": True}, Veto.VETOED_IN_A_WINDOW),
        ({"fitness_ppb": 50_000_000}, Veto.NOT_ABOVE_LENDING),
        ({"fitness_ppb": None}, Veto.NOT_ABOVE_LENDING),
        ({"stressed_ppb": None}, Veto.FAILS_AT_DOUBLE_COST),
        ({"trades": 9}, Veto.NEVER_TRADED),
    ],
)
def test_the_gate_to_money_asks_for_windows_lending_costs_and_trades(
    change: dict[str, object], veto: Veto
) -> None:
    tested = replace(TESTED, **change)  # type: ignore[arg-type]
    assert veto in vetoes_of(replace(GOOD, tested=tested), PAPER_GATE)


def test_the_gate_to_the_main_arena_asks_for_the_backtests_drawdown_and_for_tracking() -> None:
    deep = replace(GOOD, max_drawdown_ratio=0.076)
    leaking = replace(GOOD, lived=replace(LIVED, tracking_sum_ratio=-0.009, tracking_t=-4.0))
    unknown = replace(GOOD, lived=Lived())

    assert vetoes_of(deep, PROVING_GATE) == (Veto.DEEPER_THAN_BACKTEST,)
    assert vetoes_of(leaking, PROVING_GATE) == (Veto.TRACKING,)
    assert vetoes_of(unknown, PROVING_GATE) == (Veto.NOT_MEASURED,)


def test_the_gate_to_full_scale_wants_proof_but_a_low_dsr_is_for_people_to_sign() -> None:
    unsure = replace(GOOD, lived=replace(LIVED, posterior=0.79))
    lucky = replace(GOOD, lived=replace(LIVED, psr=0.94))
    young = replace(GOOD, days=89.0)

    assert vetoes_of(unsure, MAIN_GATE) == (Veto.UNSURE_OF_LENDING,)
    assert vetoes_of(lucky, MAIN_GATE) == (Veto.SHARPE_MAY_BE_CHANCE,)
    assert vetoes_of(young, MAIN_GATE) == (Veto.TOO_YOUNG,)
    assert vetoes_of(replace(GOOD, lived=replace(LIVED, dsr=0.0)), MAIN_GATE) == ()


@pytest.mark.parametrize(("eligible", "up"), [(10, 5), (9, 5), (1, 1), (0, 0)])
def test_the_top_half_is_of_the_eligible_and_never_filled_with_the_vetoed(eligible: int, up: int) -> None:
    fit = [replace(GOOD, agent=AgentId(f"a-{n:02d}"), fitness_ppb=n) for n in range(eligible)]
    dead = [replace(GOOD, agent=AgentId(f"z-{n:02d}"), fitness_ppb=10**9, alive=False) for n in range(7)]
    gate = graduate([*dead, *fit], PROVING_GATE)

    assert len(gate.graduates) == up
    assert all(agent.startswith("a-") for agent in gate.graduates)
    assert len(gate.vetoed) == 7


def test_no_more_go_up_than_there_are_places() -> None:
    fit = [replace(GOOD, agent=AgentId(f"a-{n:02d}"), fitness_ppb=n) for n in range(10)]
    assert graduate(fit, PROVING_GATE, places=2).graduates == ("a-09", "a-08")
    assert graduate(fit, PROVING_GATE, places=0).graduates == ()


def test_students_distribution_is_that_of_the_tables() -> None:
    tail = [student_above(score, degrees) for score, degrees in ((6.3138, 1), (2.920, 2), (1.8946, 7))]
    assert tail == pytest.approx([0.05, 0.05, 0.05], abs=1e-4)
    assert student_above(0.0, 9) == pytest.approx(0.5)
    assert student_above(-2.0, 8) == pytest.approx(1.0 - student_above(2.0, 8))


def test_a_gate_prints_its_own_false_passes_for_the_genomes_tried() -> None:
    rung = LADDER[0]
    one = false_pass(rung, 1)
    many = false_pass(rung, 905)
    words = " ".join(gate_text(rung, tried=905).lines())

    assert one.one_ratio == pytest.approx(student_above(2.0, 7))
    assert one.any_ratio == pytest.approx(one.one_ratio)
    assert many.any_ratio > 0.999
    assert false_pass(rung, 0).any_ratio == 0.0
    assert "905 genomes tried" in words
    assert "Student 1908" in words


def test_the_gate_of_the_proving_grounds_says_that_it_tests_no_skill() -> None:
    words = " ".join(gate_text(LADDER[1], tried=10, eligible=9).lines())
    assert "execution and books, not skill" in words
    assert false_pass(LADDER[1], 10, eligible=9).one_ratio == pytest.approx(5 / 9)


@given(st.floats(-0.5, 0.5), st.floats(0.001, 1.0), st.floats(1e-4, 0.1))
def test_shrinking_never_makes_a_gain_surer(gain: float, error: float, prior: float) -> None:
    shrunk = posterior_above(gain, error, prior)
    plain = posterior_above(gain, error, 1e9)

    assert shrunk is not None
    assert plain is not None
    assert abs(shrunk - 0.5) <= abs(plain - 0.5) + 1e-9


def test_without_an_error_there_is_no_posterior() -> None:
    assert posterior_above(0.1, 0.0, 0.01) is None


@pytest.mark.parametrize(
    ("condition", "causes"),
    [
        (Condition(drawdown_ratio=0.05, drawdown_p95_ratio=0.03), ()),
        (Condition(drawdown_ratio=0.061, drawdown_p95_ratio=0.03), (Cause.DRAWDOWN,)),
        (Condition(drawdown_ratio=0.101, drawdown_p95_ratio=0.20), (Cause.DRAWDOWN,)),
        (Condition(drawdown_ratio=0.009, drawdown_p95_ratio=0.001), ()),
        (Condition(drawdown_ratio=0.0, drawdown_p95_ratio=None, tracking_breach_days=3), (Cause.TRACKING,)),
        (Condition(drawdown_ratio=0.0, drawdown_p95_ratio=None, depegged_ratio=0.2), (Cause.DEPEG,)),
        (Condition(drawdown_ratio=0.0, drawdown_p95_ratio=None, stale_ratio=0.6), (Cause.STALE_DATA,)),
    ],
)
def test_a_machine_demotes_for_what_the_rules_name(condition: Condition, causes: tuple[Cause, ...]) -> None:
    assert causes_of(condition, DemotionRules()) == causes
