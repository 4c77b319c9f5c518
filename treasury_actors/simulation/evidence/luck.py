"""How much of a champion's record is luck, judged by everybody it was chosen from."""

from collections.abc import Mapping, Sequence
from typing import Any

from treasury_actors.agents.model.metrics.cscv import null_overfitting, overfitting_probability
from treasury_actors.agents.model.metrics.overfitting import deflated_sharpe, probabilistic_sharpe
from treasury_actors.agents.model.metrics.returns import excess_over
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.window_course import WindowCourse
from treasury_actors.evolution.model.windows import Window

NULL_DRAWS = 8


def excess_of(
    courses: Sequence[WindowCourse], lending: Mapping[Window, Sequence[float]]
) -> tuple[float, ...]:
    """Return the days of a genome over lending, all its windows laid end to end."""
    days: tuple[float, ...] = ()
    for course in courses:
        days += excess_over(course.daily_returns, lending[course.window])
    return days


def luck_of(
    best: Genome, columns: Sequence[tuple[Genome, Sequence[float]]], sharpes: Sequence[float]
) -> dict[str, Any]:
    """
    Return PSR, DSR and PBO of a champion, with the PBO of noise beside it, for scripts.

    Args:
        columns: the days over lending of those it was chosen from, on the same days; its own too, or it has
            no record here.
        sharpes: of a day, of every candidate of the run: what the DSR is deflated by.

    What is undefined is None, and `undefined` says why.
    """
    every = [column for _, column in columns]
    excess = next((column for genome, column in columns if genome == best), ())
    null = null_overfitting(every, draws=NULL_DRAWS)
    found: dict[str, Any] = {
        "genome": best.canonical,
        "psr": probabilistic_sharpe(excess),
        "dsr": deflated_sharpe(excess, sharpes),
        "pbo": overfitting_probability(every),
        "pbo_null": None if null is None else {"mean": null.mean, "sd": null.sd},
    }
    reasons = []
    if found["dsr"] is None:
        reasons.append("DSR: fewer than three days over lending, or none of them deviates")
    if found["pbo"] is None:
        reasons.append("PBO: fewer than two candidates, or fewer than a hundred days")
    return {**found, "undefined": reasons} if reasons else found
