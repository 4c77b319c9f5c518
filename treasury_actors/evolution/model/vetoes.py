"""What no return makes up for: a genome that does one of these in any window is not ranked at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from treasury_actors.agents.model.metrics.returns import growth_a_year
from treasury_actors.agents.model.metrics.sharpe import sharpe_ranked
from treasury_actors.evolution.model.window_course import WindowCourse


@dataclass(frozen=True, slots=True, kw_only=True)
class VetoPolicy:
    """
    The limits of a genome in every window.

    Leverage needs none: nothing can be borrowed here.

    Attributes:
        drawdown_ratio_max: from the highest NAV of the window.
        liquid_ratio_min: share that must be the reserve within 24 h: six months of burn, or a fifth.
        stable_ratio_min: share in stablecoins and what is lent of them; 0 asks for none.
        apy_ratio_max, sharpe_max: beyond them a person looks for the error first.
    """

    drawdown_ratio_max: float = 0.30
    liquid_ratio_min: float = 0.20
    stable_ratio_min: float = 0.0
    apy_ratio_max: float = 3.0
    sharpe_max: float = 10.0


def vetoes_of(course: WindowCourse, policy: VetoPolicy) -> tuple[str, ...]:
    """Return why a genome is vetoed by one window, one sentence each; none if it is not."""
    at, found = course.window.name, []
    if course.death:
        found.append(f"{at}: closed: {course.death}")
    if course.max_drawdown_ratio > policy.drawdown_ratio_max:
        found.append(
            f"{at}: drawdown {course.max_drawdown_ratio:.1%}, allowed {policy.drawdown_ratio_max:.0%}"
        )
    if course.liquid_ratio_min < policy.liquid_ratio_min:
        found.append(
            f"{at}: liquid within 24 h {course.liquid_ratio_min:.1%}, needed {policy.liquid_ratio_min:.0%}"
        )
    if course.stable_ratio_min < policy.stable_ratio_min:
        found.append(
            f"{at}: in stablecoins {course.stable_ratio_min:.1%}, needed {policy.stable_ratio_min:.0%}"
        )
    return tuple(found)


def too_good(returns: Sequence[float], excess: Sequence[float], policy: VetoPolicy) -> tuple[str, ...]:
    """
    Return why the days of all windows together are beyond belief; none if they are not.

    Not of one window: 60 lucky days may grow by any figure a year.

    Args:
        returns: one a day; excess: the same over lending.
    """
    found = []
    growth = growth_a_year(returns)
    if growth is not None and growth > log(1.0 + policy.apy_ratio_max):
        found.append(f"grows by e^{growth:.2f} a year: quarantined until a person has looked")
    score = sharpe_ranked(excess)
    if score is not None and score > policy.sharpe_max:
        found.append(f"Sharpe ratio {score:.1f}: quarantined until a person has looked")
    return tuple(found)
