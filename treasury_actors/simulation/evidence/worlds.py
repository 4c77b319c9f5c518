"""Many seeds of a world, and what they say together: the JSON contract of `evidence --world`."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from treasury_actors.agents.model.metrics.series import mean
from treasury_actors.evolution.model.chance import Chance
from treasury_actors.simulation.evidence.arms import ARMS

RESAMPLES = 4_000
NEAR_LENDING, WORST_ENSEMBLE = 0.01, -0.05
GAIN_SHARE = 0.80
ORACLE, ORACLE_WITHIN = 0.125, 0.02
_TAIL_BPS = 250
_BPS = 10_000


def bootstrap(values: Sequence[float], *, path: str) -> dict[str, float | None]:
    """
    Return the mean of values and its 95% interval, resampled whole; the ends are None of fewer than two.

    A value is one seed or one fold: what is independent, never a day within it. Equal arguments give
    equal results.
    """
    if not values:
        return {"mean": None, "low": None, "high": None}
    centre = mean(values)
    if len(values) < 2:  # noqa: PLR2004  one value has no spread
        return {"mean": centre, "low": None, "high": None}
    chance = Chance(("bootstrap", path))
    count = len(values)
    means = sorted(sum(values[chance.below(count)] for _ in range(count)) / count for _ in range(RESAMPLES))
    edge = RESAMPLES * _TAIL_BPS // _BPS
    return {"mean": centre, "low": means[edge], "high": means[RESAMPLES - 1 - edge]}


def summarise(
    world: str, results: Sequence[Mapping[str, Any]], *, config_hash: str, label: str
) -> dict[str, Any]:
    """
    Return what seeds (or folds) show together.

    `train` and `fresh` are means, `median_fresh` the median over them; the unit is the certainty
    equivalent, growth a year. `won_share` is the share of seeds in which the first arm made more on fresh
    data, `worst_ensemble` the worst of what either genetic arm funded.
    """
    arms = {}
    for arm in ARMS:
        pairs = [result["arms"][arm] for result in results if result["arms"].get(arm) is not None]
        fresh = [pair["fresh"] for pair in pairs]
        arms[arm] = {
            "train": mean([pair["train"] for pair in pairs]) if pairs else None,
            "fresh": mean(fresh) if fresh else None,
            "median_fresh": median(fresh) if fresh else None,
        }

    def less(one: str, other: str) -> dict[str, float | None]:
        gaps = [result["arms"][one]["fresh"] - result["arms"][other]["fresh"] for result in results]
        won = sum(gap > 0.0 for gap in gaps) / len(gaps) if gaps else None
        return bootstrap(gaps, path=f"{world} {one} {other}") | {"won_share": won}

    gains = [result["median_last"] - result["median_first"] for result in results]
    return {
        "world": world,
        "label": label,
        "seeds": len(results),
        "arms": arms,
        "ga_minus_random": less("ga", "random"),
        "ga_minus_none": less("ga", "none"),
        "ga_minus_lending": less("ga", "lending"),
        "median_gain": bootstrap(gains, path=f"{world} gain"),
        "median_gain_share": sum(gain > 0.0 for gain in gains) / len(gains) if gains else None,
        "worst_ensemble": min(
            (result["arms"][arm]["fresh"] for result in results for arm in ("ga", "ga_early")), default=None
        ),
        "optimism": mean(
            [result["arms"]["ga"]["train"] - result["arms"]["ga"]["fresh"] for result in results]
        )
        if results
        else None,
        "champion": next((result["champion"] for result in results if result["champion"]), None),
        "config_hash": config_hash,
    }


def accept(world: str, found: Mapping[str, Any]) -> dict[str, bool]:
    """
    Return which of the conditions, fixed before any run, the seeds of a world meet.

    In the positive world evolution must beat random search and improve its population on fresh paths; in
    the null world it must come home to lending. Either alone is worth nothing.
    """
    arms = found["arms"]
    if world == "null":
        gap = arms["ga"]["median_fresh"] - arms["lending"]["median_fresh"]
        return {
            "median_seed_is_near_lending": abs(gap) <= NEAR_LENDING,
            "no_ensemble_lost_much": found["worst_ensemble"] >= WORST_ENSEMBLE,
        }
    low, share = found["ga_minus_random"]["low"], found["median_gain_share"]
    return {
        "ga_beats_random_search": low is not None and low > 0.0,
        "population_improves_on_fresh_paths": share >= GAIN_SHARE,
        "oracle_is_where_it_was_set": abs(arms["oracle"]["fresh"] - ORACLE) <= ORACLE_WITHIN,
    }


def by_fold(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one result a fold, its seeds averaged: seeds of one fold saw the same market."""
    folds: dict[int, list[Mapping[str, Any]]] = {}
    for result in results:
        folds.setdefault(result["fold"], []).append(result)
    found = []
    for some in folds.values():
        arms = {
            arm: {what: mean([each["arms"][arm][what] for each in some]) for what in ("train", "fresh")}
            for arm in some[0]["arms"]
        }
        found.append(
            {
                "arms": arms,
                "median_first": mean([each["median_first"] for each in some]),
                "median_last": mean([each["median_last"] for each in some]),
                "champion": some[-1]["champion"],
            }
        )
    return found
