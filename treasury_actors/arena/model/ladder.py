"""What a gate of the ladder says about itself: what it tests, how often it passes luck. Pure."""

from dataclasses import dataclass
from math import atan, cos, pi, sin, sqrt
from statistics import NormalDist

from treasury_actors.arena.model.graduation import GateRules
from treasury_actors.arena.model.stages import Rung
from treasury_actors.trading.model.mandate import Stage

STANDARD_ERRORS = 2.0
"""What a fitness over windows leaves off its mean (evolution: window fitness)."""

_DAYS_A_YEAR = 365.0
_EPSILON = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class FalsePass:
    """
    How often a gate passes agents without any skill.

    Attributes:
        one_ratio: one such agent; `any_ratio`: at least one of `tried` such, were they independent.
        formula: how both are computed, with its source.
    """

    one_ratio: float
    any_ratio: float
    tried: int
    formula: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateText:
    """What a gate tests, in words for those who approve, and its own error."""

    tests: str
    false_pass: FalsePass

    def lines(self) -> tuple[str, ...]:
        """Return it for people."""
        told = self.false_pass
        return (
            self.tests,
            (
                f"False passes: {told.one_ratio:.2%} of agents without skill; of {told.tried:,} genomes tried"
                f" at least one with probability {told.any_ratio:.1%} ({told.formula})."
            ),
        )


def gate_text(rung: Rung, *, tried: int, eligible: int = 0) -> GateText:
    """
    Return what the gate out of a rung says of itself.

    Args:
        tried: genomes evaluated so far, failed and rejected ones too.
        eligible: candidates of this gate that no veto holds back; for the share that is promoted.
    """
    assert rung.gate is not None, "the last rung has no gate"
    return GateText(tests=_tests(rung.stage, rung.gate), false_pass=false_pass(rung, tried, eligible))


def false_pass(rung: Rung, tried: int, eligible: int = 0) -> FalsePass:
    """
    Return the rate of false passes of the gate out of a rung.

    Of one agent without skill: on paper, P(t with K-1 degrees > 2), because its fitness is a mean over K
    windows less two standard errors of it (Student 1908); in the proving grounds, the share promoted, because
    thirty days can't rank (the standard error of an annual Sharpe ratio is sqrt(365/n), Lo 2002); from main
    on, 1 - psr_min, the level of the test (Bailey and Lopez de Prado 2012). Of many: 1 - (1 - p)^N (Sidak
    1967), an upper end, since genomes are alike.
    """
    rules = rung.gate
    assert rules is not None, "the last rung has no gate"
    many = "1 - (1 - p)^N, Sidak 1967"
    if rung.stage == "sim":
        degrees = max(1, rules.windows_min - 1)
        one = student_above(STANDARD_ERRORS, degrees)
        how = f"p = P(t > {STANDARD_ERRORS:g}) with {degrees} degrees of freedom, Student 1908; {many}"
    elif rules.psr_min:
        one = 1.0 - rules.psr_min
        how = f"p = 1 - {rules.psr_min:g}, level of the PSR test, Bailey and Lopez de Prado 2012; {many}"
    else:
        share = -(-eligible * rules.share_max_percent // 100) / eligible if eligible else 0.0
        one = share if eligible else rules.share_max_percent / 100.0
        se = sqrt(_DAYS_A_YEAR / rules.days_min)
        how = f"p = share promoted: a Sharpe ratio of {rules.days_min} days is +-{se:.1f}, Lo 2002; {many}"
    return FalsePass(one_ratio=one, any_ratio=1.0 - (1.0 - one) ** max(0, tried), tried=tried, formula=how)


def student_above(score: float, degrees: int) -> float:
    """
    Return P(T > score) of Student's t with a whole number of degrees of freedom.

    The finite series of Abramowitz and Stegun (1964), 26.7.3 and 26.7.4.
    """
    assert degrees >= 1, "a spread needs two values"
    angle = atan(score / sqrt(degrees))
    squared = cos(angle) ** 2
    term, series = 1.0, 0.0
    first = 2 if degrees % 2 else 1
    for step in range(first, degrees, 2):
        series += term
        term *= squared * step / (step + 1)
    if degrees % 2:
        odd = sin(angle) * cos(angle) * series if degrees > 1 else 0.0
        inside = 2.0 / pi * (angle + odd)
    else:
        inside = sin(angle) * series
    return (1.0 - inside) / 2.0


def posterior_above(gain: float, error: float, prior_variance: float) -> float | None:
    """
    Return the probability that the true gain is above 0, its prior centred there: shrunk, then asked.

    m = B gain with B = tau^2 / (tau^2 + se^2), variance B se^2 (normal prior and likelihood). None without an
    error to shrink by.

    Args:
        gain, error: the measured gain over lending a year, and its standard error.
        prior_variance: tau^2, how far true gains differ between agents.
    """
    if error < _EPSILON or prior_variance <= 0.0:
        return None
    shrink = prior_variance / (prior_variance + error * error)
    return NormalDist().cdf(shrink * gain / sqrt(shrink * error * error))


def _tests(stage: Stage, rules: GateRules) -> str:
    """Return what a gate tests, in words."""
    if stage == "sim":
        return (
            f"Tests whether a genome beat plain lending on {rules.windows_min} windows by two standard"
            f" errors, at twice the costs too, and traded {rules.days_min} days forward on paper; no money."
        )
    if stage == "proving":
        return (
            f"{rules.days_min} days at $1,000 test execution and books, not skill: of agents like these, half"
            " of those promoted are no better than those left behind. The better half of those without a"
            " veto goes up, at most."
        )
    return (
        f"{rules.days_min} days with money: P(beats lending) > {rules.posterior_min:.0%}, PSR over lending >"
        f" {rules.psr_min:.0%} live and out of sample, DSR >= {rules.dsr_min:.0%} or people who sign it away,"
        f" drawdown < {rules.drawdown_ratio_max:.0%}. It can't tell skill from a kind market."
    )
