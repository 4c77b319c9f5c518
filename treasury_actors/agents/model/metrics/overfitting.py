"""
How much of a Sharpe ratio is luck: of a short record (PSR), of fat tails, and of many trials (DSR).

Ratios here are of one period and over lending: `sharpe(excess, periods_a_year=1)`, never annual ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import e, erfc, sqrt
from statistics import NormalDist

from treasury_actors.agents.model.metrics.series import (
    NO_DEVIATION,
    deviation,
    finite,
    mean,
    refuse_unusable,
)

EULER_GAMMA = 0.5772156649015329
CONFIDENCE = 0.95
_PERIODS_MIN = 3
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class SharpeMoments:
    """
    What a Sharpe ratio's own error depends on.

    Attributes:
        periods: how many it was measured over.
        sharpe: of one period, its deviation with n - 1.
        skew, kurtosis: standardised moments of the population (n); a normal one has 0 and 3.
    """

    periods: int
    sharpe: float
    skew: float = 0.0
    kurtosis: float = 3.0

    @property
    def variance(self) -> float | None:
        """Return 1 - g3 SR + (g4 - 1)/4 SR^2, n - 1 times the ratio's (Mertens 2002); None if <= 0."""
        value = 1.0 - self.skew * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe**2
        return value if value > 0.0 else None


def sharpe_moments(excess: Sequence[float]) -> SharpeMoments | None:
    """Return the Sharpe ratio of one period and its moments; None below three periods or if none deviates."""
    refuse_unusable(excess)
    periods = len(excess)
    if periods < _PERIODS_MIN:
        return None
    spread = deviation(excess)
    if spread < NO_DEVIATION:
        return None
    centre = mean(excess)
    population = spread * sqrt((periods - 1) / periods)
    scores = [(value - centre) / population for value in excess]
    return SharpeMoments(
        periods=periods,
        sharpe=centre / spread,
        skew=mean([score**3 for score in scores]),
        kurtosis=mean([score**4 for score in scores]),
    )


def probabilistic_sharpe(excess: Sequence[float], *, benchmark: float = 0.0) -> float | None:
    """
    Return the probability that the true Sharpe ratio exceeds `benchmark`, both of one period.

    PSR = Phi((SR - SR*) sqrt(n - 1) / sqrt(1 - g3 SR + (g4 - 1)/4 SR^2)), Bailey and Lopez de Prado (2012).
    None below three periods, without deviation, and where the variance is not positive.
    """
    refuse_unusable((benchmark,))
    moments = sharpe_moments(excess)
    if moments is None or moments.variance is None:
        return None
    return _below((moments.sharpe - benchmark) * sqrt(moments.periods - 1) / sqrt(moments.variance))


def expected_max_sharpe(*, trials: float, deviation_of_trials: float) -> float:
    """
    Return the Sharpe ratio that the best of `trials` without any skill is expected to show.

    SR0 = sd ((1 - ge) Phi^-1(1 - 1/N) + ge Phi^-1(1 - 1/(N e))), ge Euler's constant, Bailey and Lopez de
    Prado (2014). 0 for one trial or trials that do not differ. Never below 0: between one and two
    effective trials the approximation is, though having chosen raises no one's odds.

    Args:
        trials: how many were independent, 1 or more; need not be whole.
        deviation_of_trials: sample deviation (n - 1) of the ratios of ALL trials, of one period.

    Raises:
        ValueError: fewer than one trial, or a negative deviation.
    """
    refuse_unusable((trials, deviation_of_trials))
    if trials < 1.0 or deviation_of_trials < 0.0:
        raise ValueError(f"{trials} trials whose ratios deviate by {deviation_of_trials}")
    if trials == 1.0:
        return 0.0
    # Phi^-1(1 - p) as -Phi^-1(p): 1 - p would round away what a million trials are about.
    best = (1.0 - EULER_GAMMA) * -_NORMAL.inv_cdf(1.0 / trials)
    best += EULER_GAMMA * -_NORMAL.inv_cdf(1.0 / (trials * e))
    return max(0.0, deviation_of_trials * best)


def deflated_sharpe(
    excess: Sequence[float], trial_sharpes: Sequence[float], *, trials: float | None = None
) -> float | None:
    """
    Return the PSR of the chosen record over what the best of so many trials shows by luck alone.

    DSR = PSR(SR0), Bailey and Lopez de Prado (2014).

    Args:
        excess: the returns of the chosen trial over lending.
        trial_sharpes: the ratio of one period of EVERY trial that has one, failed and rejected ones too.
        trials: how many of them were independent; by default each was. Those without a ratio count here.

    None without any trial, and where the PSR is None.
    """
    refuse_unusable(trial_sharpes)
    if not trial_sharpes:
        return None
    spread = deviation(trial_sharpes) if len(trial_sharpes) > 1 else 0.0
    count = float(len(trial_sharpes)) if trials is None else trials
    return probabilistic_sharpe(
        excess, benchmark=expected_max_sharpe(trials=count, deviation_of_trials=spread)
    )


def minimum_track_record(
    excess: Sequence[float], *, benchmark: float = 0.0, confidence: float = CONFIDENCE
) -> float | None:
    """Return `periods_needed` for the moments of a record; None where it has none."""
    moments = sharpe_moments(excess)
    return None if moments is None else periods_needed(moments, benchmark=benchmark, confidence=confidence)


def periods_needed(
    moments: SharpeMoments, *, benchmark: float = 0.0, confidence: float = CONFIDENCE
) -> float | None:
    """
    Return how many periods a record of such moments must have for its PSR to reach `confidence`: MinTRL.

    1 + (1 - g3 SR + (g4 - 1)/4 SR^2) (Phi^-1(a) / (SR - SR*))^2, Bailey and Lopez de Prado (2012).
    None when SR <= SR*, where no length is enough, and where the variance is not positive.

    Raises:
        ValueError: the confidence is not between one half and one.
    """
    refuse_unusable((benchmark, moments.sharpe, moments.skew, moments.kurtosis))
    if not 0.5 < confidence < 1.0:  # noqa: PLR2004  at a half a coin is enough
        raise ValueError(f"a confidence of {confidence}: take one between 0.5 and 1")
    lead = moments.sharpe - benchmark
    if lead <= 0.0 or moments.variance is None:
        return None
    ratio = _NORMAL.inv_cdf(confidence) / lead
    return finite(1.0 + moments.variance * (ratio * ratio))


def _below(score: float) -> float:
    """Return Phi(score); by erfc, so that a small probability keeps its digits."""
    return 0.5 * erfc(-score / sqrt(2.0))
