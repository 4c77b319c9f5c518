"""
The walk-forward: choose on what was known, test on the next sixty days, once, and lay the tests end to end.

That one curve is the only headline figure there is; everything a search says of its own windows is not.
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from treasury_actors.agents.model.metrics.drawdown import max_drawdown
from treasury_actors.agents.model.metrics.overfitting import deflated_sharpe, probabilistic_sharpe
from treasury_actors.agents.model.metrics.regression import regress
from treasury_actors.agents.model.metrics.returns import apy, excess_over, total_return
from treasury_actors.agents.model.metrics.series import DAYS_A_YEAR, deviation
from treasury_actors.agents.model.metrics.sharpe import sharpe
from treasury_actors.agents.registry import families as shipped_families
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.window_course import WindowCourse
from treasury_actors.evolution.model.windows import TooShort
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.market.model.utc import utc_text
from treasury_actors.simulation.evidence.arms import SEARCHED, Progress, Searched, Yardstick, run_searches
from treasury_actors.simulation.evidence.config import EvidenceConfig
from treasury_actors.simulation.evidence.fixed_arms import LENT, WBTC, WETH
from treasury_actors.simulation.evidence.folds import Fold
from treasury_actors.simulation.evidence.grounds import make_grounds
from treasury_actors.simulation.evidence.history import Archive, MakeEvaluator
from treasury_actors.simulation.evidence.luck import excess_of, luck_of
from treasury_actors.simulation.evidence.trials import TrialBook, Trials
from treasury_actors.simulation.evidence.worlds import bootstrap

BENCHMARKS = ("lending", "tbill", "equal_weight", "buy_hold_eth", "random_agents")
_T_NEEDED, _DSR_NEEDED = 2.0, 0.95


def run_fold(
    archive: Archive,
    fold: Fold,
    config: EvidenceConfig,
    *,
    seed: int,
    book: TrialBook,
    run: str,
    engine: str,
    make: MakeEvaluator,
    progress: Progress,
    arms: Sequence[str] = SEARCHED,
    tell_champion: bool = True,
) -> dict[str, Any]:
    """Return what every arm chose before a test, and its days in it; `insufficient` if nothing could be."""
    families = shipped_families(MAINNET)
    grounds = make_grounds(
        archive, fold.spans, fold.validation, config, families=families, make=make, seed=seed, in_world=False
    )
    about = {"fold": fold.number, "start": utc_text(fold.start_ns), "days": fold.test.days, "seed": seed}
    if isinstance(grounds, TooShort):
        return {**about, "insufficient": grounds.reason}
    trials = Trials(book, run=run, engine=engine, seed=seed)
    searched = run_searches(config, families, grounds, trials, seed=seed, progress=progress, arms=arms)
    trained = Yardstick(archive, grounds.fit[-1].windows, config, grounds.fit[-1].evaluate)
    trials.look([fold.test])
    tested = Yardstick(archive, [fold.test], config, grounds.fit[-1].evaluate)
    there, here = trained.fixed(), tested.fixed()
    pairs = {arm: (there[arm], here[arm]) for arm in there}
    for arm, choice in searched.choices.items():
        pairs[arm] = (trained.ensemble(choice.members), tested.ensemble(choice.members))
    pairs["random_agents"] = (trained.ensemble(searched.first), tested.ensemble(searched.first))
    return {
        **about,
        "arms": {
            arm: {"train": trained.value(before), "fresh": tested.value(after)}
            for arm, (before, after) in pairs.items()
        },
        "daily": {arm: _days(after, fold.test.days) for arm, (_, after) in pairs.items()},
        "factors": {
            asset: list(archive.of(fold.test).daily_returns(fold.test, asset)) for asset in (WETH, WBTC)
        },
        "members": {
            arm: [genome.canonical for genome in choice.members] for arm, choice in searched.choices.items()
        },
        "median_first": tested.median(searched.first),
        "median_last": tested.median(searched.choices["ga"].population),
        "champion": champion(searched, trained, archive) if tell_champion else None,
    }


def champion(searched: Searched, trained: Yardstick, archive: Archive) -> dict[str, Any] | None:
    """Return how much of the champion's record is luck, judged by everybody it was chosen from."""
    population, ranked = searched.choices["ga"].population, searched.generations[-1].ranked
    return champion_of(population, ranked[0][0], trained, archive, searched.sharpes) if ranked else None


def champion_of(
    population: Sequence[Genome],
    best: Genome,
    trained: Yardstick,
    archive: Archive,
    sharpes: Sequence[float],
) -> dict[str, Any]:
    """Return the same for the best of a population, on the windows it was chosen on."""
    columns = [
        (genome, excess_of(courses, archive.lending([course.window for course in courses], LENT)))
        for genome, courses in zip(population, trained.courses(population), strict=True)
    ]
    return luck_of(best, columns, sharpes)


def concatenate(folds: Sequence[Mapping[str, Any]], *, sharpes: Sequence[float]) -> dict[str, Any]:
    """
    Return the figures of the one curve: the tests of all folds, end to end.

    Args:
        sharpes: of a day, of every candidate of the run: what the DSR is deflated by.
    """
    told = [fold for fold in folds if "insufficient" not in fold]
    daily = {arm: _joined(told, arm) for arm in ("ga", *BENCHMARKS)}
    mine, lent = daily["ga"], daily["lending"]
    if mine is None or lent is None:
        return dict.fromkeys(
            ("return", "apy", "vol", "max_drawdown", "sharpe_excess", "alpha", "alpha_t", "psr", "dsr")
        ) | {
            "days": 0,
            "beta": {"eth": None, "btc": None},
            "benchmarks": dict.fromkeys(BENCHMARKS),
            "over_lending_a_fold": bootstrap([], path=""),
            "curve": [],
        }
    excess = excess_over(mine, lent)
    factors = [
        excess_over([value for fold in told for value in fold["factors"][asset]], lent)
        for asset in (WETH, WBTC)
    ]
    fit = regress(excess, factors)
    grown = total_return(mine)
    return {
        "days": len(mine),
        "return": grown,
        "apy": None if grown is None else apy(grown, len(mine)),
        "vol": deviation(mine) * sqrt(DAYS_A_YEAR) if len(mine) > 1 else None,
        "max_drawdown": max_drawdown(mine),
        "sharpe_excess": sharpe(excess),
        "alpha": None if fit is None else fit.alpha_day_ratio * DAYS_A_YEAR,
        "alpha_t": None if fit is None else fit.alpha_t,
        "beta": {
            "eth": None if fit is None else fit.betas[0],
            "btc": None if fit is None else fit.betas[1],
        },
        "psr": probabilistic_sharpe(excess),
        "dsr": deflated_sharpe(excess, sharpes),
        "benchmarks": {
            arm: None if (days := daily[arm]) is None else total_return(days) for arm in BENCHMARKS
        },
        "over_lending_a_fold": bootstrap(
            [_over_lending(fold) for fold in told], path="walk-forward over lending"
        ),
        "curve": _curve(told, mine, lent),
    }


def verdict_of(figures: Mapping[str, Any], insufficient: Sequence[str]) -> str:
    """Say in one sentence what the curve shows, and no more."""
    if not figures["days"]:
        return f"INSUFFICIENT: {insufficient[0] if insufficient else 'nothing was tested'}"
    alpha, t, dsr = figures["alpha"], figures["alpha_t"], figures["dsr"]
    if alpha is None or t is None:
        return f"NOT PROVEN: {figures['days']} days are too few to tell skill from the market"
    told = f"alpha {alpha:+.1%} a year (t {t:.2f}), DSR {'undefined' if dsr is None else f'{dsr:.2f}'}"
    shown = t >= _T_NEEDED and dsr is not None and dsr >= _DSR_NEEDED
    return f"{'SUPPORTED' if shown else 'NOT PROVEN'}: {told}" + (
        f"; {len(insufficient)} folds INSUFFICIENT" if insufficient else ""
    )


def _days(courses: Sequence[WindowCourse] | None, days: int) -> list[float] | None:
    """Return the daily returns in a test; capital that nobody was given earns nothing."""
    return [0.0] * days if courses is None else list(courses[0].daily_returns)


def _over_lending(fold: Mapping[str, Any]) -> float:
    """Return what a fold's ensemble gained more than lending in its days, as a fraction of the capital."""
    mine, lent = total_return(fold["daily"]["ga"]), total_return(fold["daily"]["lending"])
    return (mine or 0.0) - (lent or 0.0)


def _joined(folds: Sequence[Mapping[str, Any]], arm: str) -> list[float] | None:
    """Return the days of all folds; None if there is none."""
    return [value for fold in folds for value in fold["daily"][arm]] or None


def _curve(
    folds: Sequence[Mapping[str, Any]], mine: Sequence[float], lent: Sequence[float]
) -> list[tuple[str, int, float, float]]:
    """Return fold start, day, and what a dollar has become, in the funded ensembles and lent."""
    starts = [fold["start"] for fold in folds for _ in range(fold["days"])]
    rows, value, lending = [], 1.0, 1.0
    for day, (start, change, rate) in enumerate(zip(starts, mine, lent, strict=True), start=1):
        value *= 1.0 + change
        lending *= 1.0 + rate
        rows.append((start, day, value, lending))
    return rows
