"""Fitness over windows: what it is, what lowers it, what it is not given to."""

from math import log, sqrt

import pytest

from tests.unit.evolution.courses import DAYS, course, window
from treasury_actors.errors import InvariantViolated
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.vetoes import VetoPolicy
from treasury_actors.evolution.model.window_course import WindowCourse, together
from treasury_actors.evolution.model.window_fitness import (
    FitnessPolicy,
    Insufficient,
    Judged,
    TailHaircut,
    Vetoed,
    WindowFitness,
    brief_score,
    certainty_equivalent,
    judge,
    rank,
    to_ppb,
)
from treasury_actors.evolution.model.windows import Window
from treasury_actors.ids import FamilyId, VenueId
from treasury_actors.market.model.frame import Label

POLICY = FitnessPolicy(vetoes=VetoPolicy(apy_ratio_max=1e9, sharpe_max=1e9))
STEADY = [0.001] * DAYS
LENT = [0.0001] * DAYS


def judged(courses: list[WindowCourse], policy: FitnessPolicy = POLICY, *, in_world: bool = False) -> Judged:
    return judge(courses, {each.window: LENT for each in courses}, policy, in_world=in_world)


def eight(returns: list[float] = STEADY, label: Label = "HYPOTHETICAL") -> list[WindowCourse]:
    return [course(window(number, label), returns) for number in range(8)]


def test_eight_equal_windows_are_worth_their_growth_and_have_no_error() -> None:
    verdict = judged(eight())
    assert isinstance(verdict, WindowFitness)
    assert verdict.value_ppb == pytest.approx(round(log(1.001) * 365 * 1e9), abs=2_000)
    assert verdict.se_ppb == 0
    assert len(verdict.window_ppb) == 8


def test_two_standard_errors_come_off_the_mean() -> None:
    values = [0.0005 * (number + 1) for number in range(8)]
    verdict = judged([course(window(number), [value] * DAYS) for number, value in enumerate(values)])
    assert isinstance(verdict, WindowFitness)
    growth = [log(1.0 + value) * 365 for value in values]
    mean = sum(growth) / 8
    error = sqrt(sum((value - mean) ** 2 for value in growth) / 7 / 8)
    assert verdict.mean_ppb == pytest.approx(mean * 1e9, abs=2_000)
    assert verdict.value_ppb == pytest.approx((mean - 2 * error) * 1e9, abs=4_000)


def test_volatility_falls_and_missing_liquidity_cost_what_the_formula_says() -> None:
    returns = [0.02, -0.02] * (DAYS // 2)
    plain = certainty_equivalent(course(window(0), returns, fall=0.02), POLICY)
    total = (1.02 * 0.98) ** (DAYS // 2)
    variance = sum(value**2 for value in returns) / (DAYS - 1) * 365
    assert plain == pytest.approx(log(total) * 365 / DAYS - 1.5 * variance, rel=1e-6)
    assert certainty_equivalent(course(window(0), returns, fall=0.25), POLICY) == pytest.approx(plain - 0.10)
    dry = course(window(0), returns, fall=0.02, liquid=0.05)
    assert certainty_equivalent(dry, POLICY) == pytest.approx(plain - 0.5 * 0.15)


def test_what_lies_at_a_venue_pays_for_its_tail() -> None:
    aave = VenueId("aave-v3")
    policy = FitnessPolicy(
        tails=(TailHaircut(venue=aave, hazard_a_year=0.02, loss_ratio=0.5),), vetoes=POLICY.vetoes
    )
    held = [course(window(number), STEADY, venues=((aave, 0.5),)) for number in range(8)]
    with_tail, without = judged(held, policy), judged(held)
    assert isinstance(with_tail, WindowFitness)
    assert isinstance(without, WindowFitness)
    assert without.value_ppb - with_tail.value_ppb == pytest.approx(5_000_000, abs=2)


def test_fewer_windows_than_k_are_insufficient_and_no_number() -> None:
    assert judged(eight()[:7]) == Insufficient(windows=7, needed=8)


def test_generated_windows_neither_fill_k_nor_raise_a_fitness_and_may_lower_it() -> None:
    real = eight()
    boom = [course(window(20 + number, "GENERATED"), [0.01] * DAYS) for number in range(8)]
    bust = [course(window(40 + number, "GENERATED"), [-0.005] * DAYS) for number in range(8)]
    alone, raised, lowered = judged(real), judged([*real, *boom]), judged([*real, *bust])
    assert isinstance(alone, WindowFitness)
    assert isinstance(raised, WindowFitness)
    assert isinstance(lowered, WindowFitness)
    assert raised.value_ppb <= alone.value_ppb
    assert lowered.value_ppb < alone.value_ppb
    assert judged([*real[:7], *boom]) == Insufficient(windows=7, needed=8)


def test_in_a_labelled_world_its_own_windows_count() -> None:
    verdict = judged(eight(label="GENERATED"), in_world=True)
    assert isinstance(verdict, WindowFitness)
    assert judged(eight(label="GENERATED")) == Insufficient(windows=0, needed=8)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"fall": 0.31}, "drawdown 31.0%, allowed 30%"),
        ({"liquid": 0.19}, "liquid within 24 h 19.0%, needed 20%"),
        ({"stable": 0.49}, "in stablecoins 49.0%, needed 50%"),
        ({"death": "stop-loss: down 26.0% of its capital"}, "closed: stop-loss"),
    ],
)
def test_one_window_is_enough_for_a_veto_and_its_reason_is_told(
    wrong: dict[str, object], reason: str
) -> None:
    policy = FitnessPolicy(vetoes=VetoPolicy(stable_ratio_min=0.5, apy_ratio_max=1e9, sharpe_max=1e9))
    courses = eight()
    courses[3] = course(window(3), STEADY, **wrong)  # type: ignore[arg-type]
    verdict = judged(courses, policy)
    assert isinstance(verdict, Vetoed)
    assert [reason in each for each in verdict.reasons] == [True]
    assert "+3000/10d" in verdict.reasons[0]


def test_what_is_too_good_to_be_true_is_quarantined() -> None:
    verdict = judged(eight([0.01] * DAYS), FitnessPolicy())
    assert isinstance(verdict, Vetoed)
    assert all("until a person has looked" in reason for reason in verdict.reasons)


def test_a_fitness_that_is_no_number_is_never_ranked() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(InvariantViolated, match="can't be ranked"):
            to_ppb(value)


def test_only_a_fitness_is_ranked_and_ties_go_by_the_genome() -> None:
    def genome(*genes: int) -> Genome:
        return Genome(family=FamilyId("trend"), genes=genes)

    good = judged(eight())
    assert isinstance(good, WindowFitness)
    everyone: list[tuple[Genome, Judged]] = [
        (genome(2), good),
        (genome(9), Vetoed(reasons=("no",), measured=good)),
        (genome(8), Insufficient(windows=1, needed=8)),
        (genome(1), good),
    ]
    assert [each for each, _ in rank(everyone)] == [genome(1), genome(2)]


def test_the_briefs_formula_is_there_for_comparison_and_passes_no_gate() -> None:
    policy = FitnessPolicy(formula="brief_repaired", vetoes=POLICY.vetoes)
    assert not policy.passes_gates
    assert FitnessPolicy().passes_gates
    assert policy.version != FitnessPolicy().version
    verdict = judged(eight(), policy)
    assert isinstance(verdict, WindowFitness)
    total = 1.001**DAYS - 1.0
    assert verdict.value_ppb / 1e9 == pytest.approx(0.3 * total + 0.4 * 5.0 + 0.1, rel=1e-6)
    assert brief_score([-0.001] * DAYS, LENT, 0.01) < 0.0


def test_an_ensemble_is_equal_parts_left_alone() -> None:
    at: Window = window(0)
    both = together([course(at, [0.10] * DAYS), course(at, [-0.05] * DAYS)])
    expected = (1.1**DAYS + 0.95**DAYS) / 2
    assert both.daily_nav_micro_usd[-1] / both.daily_nav_micro_usd[0] == pytest.approx(expected)
    assert together([course(at, STEADY)]).daily_nav_micro_usd == course(at, STEADY).daily_nav_micro_usd
