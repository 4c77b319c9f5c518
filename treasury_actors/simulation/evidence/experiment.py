"""One seed of an experiment in a world whose truth is known: search there, then look at fresh paths."""

from collections.abc import Mapping
from typing import Any

from treasury_actors.agents.model.family import Family
from treasury_actors.agents.registry import families as shipped_families
from treasury_actors.errors import ConfigError
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.search import check_genomes
from treasury_actors.evolution.model.windows import DAY_FRAMES, Span, TooShort, Window
from treasury_actors.ids import FamilyId
from treasury_actors.market.model.evidence_worlds import generate_world
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.evidence.arms import (
    SEARCHED,
    Grounds,
    Progress,
    Searched,
    Yardstick,
    run_searches,
)
from treasury_actors.simulation.evidence.config import EvidenceConfig, WorldName
from treasury_actors.simulation.evidence.grounds import make_grounds
from treasury_actors.simulation.evidence.history import Archive, History, MakeEvaluator
from treasury_actors.simulation.evidence.trials import TrialBook, Trials
from treasury_actors.simulation.evidence.walk_forward import champion

_FRESH_OFFSET = 1_000_000
"""A fresh path is the world of a seed that no search has."""


def parse_genome(text: str, families: Mapping[FamilyId, Family]) -> Genome:
    """
    Return the genome of its canonical text.

    Raises:
        ConfigError: it is none, or out of its ranges.
    """
    family, _, genes = text.partition(":")
    try:
        genome = Genome(family=FamilyId(family), genes=tuple(map(int, genes.split(","))) if genes else ())
    except ValueError:
        raise ConfigError(f"genome {text!r}: write FAMILY:GENE,GENE,…") from None
    check_genomes([genome], families)
    return genome


def run_seed(
    config: EvidenceConfig,
    name: WorldName,
    seed: int,
    *,
    book: TrialBook,
    run: str,
    engine: str,
    make: MakeEvaluator,
    progress: Progress,
) -> dict[str, Any]:
    """
    Return what every arm was worth on the windows it was chosen on, and on fresh ones.

    Raises:
        ConfigError: the config leaves too little room for its own windows.
    """
    families = shipped_families(MAINNET)
    own = config.sections.windows
    archive, grounds = world_ground(config, name, seed, families=families, make=make)
    if isinstance(grounds, TooShort):
        raise ConfigError(f"{name} world: INSUFFICIENT: {grounds.reason}")
    trials = Trials(book, run=run, engine=engine, seed=seed)
    searched = run_searches(config, families, grounds, trials, seed=seed, progress=progress)
    trained = Yardstick(archive, grounds.fit[-1].windows, config, grounds.fit[-1].evaluate)
    elsewhere = _history(
        config, name, seed + _FRESH_OFFSET, own.fresh * (own.days + own.embargo_h // DAY_FRAMES)
    )
    stride = own.days * DAY_FRAMES + own.embargo_h
    fresh_windows = [
        Window(history=elsewhere.name, label=elsewhere.label, first_frame=number * stride, days=own.days)
        for number in range(own.fresh)
    ]
    trials.look(fresh_windows)
    fresh = Yardstick(Archive(histories=(elsewhere,)), fresh_windows, config, make(elsewhere, families))
    progress("fresh paths")
    oracle = parse_genome(config.sections.world.oracle, families)
    return {
        "arms": _arms(searched, trained, fresh, oracle),
        "median_first": fresh.median(searched.first),
        "median_last": fresh.median(searched.choices["ga"].population),
        "members": {arm: [g.canonical for g in searched.choices[arm].members] for arm in SEARCHED},
        "champion": champion(searched, trained, archive) if seed == 0 else None,  # one seed tells it
    }


def world_ground(
    config: EvidenceConfig,
    name: WorldName,
    seed: int,
    *,
    families: Mapping[FamilyId, Family],
    make: MakeEvaluator,
) -> tuple[Archive, Grounds | TooShort]:
    """Return a path of a world, as long as the windows of a config, and where to search on it."""
    own, history = config.sections.windows, _history(config, name, seed, _training_days(config))
    last = history.season.frame_count - 1
    validation = Window(
        history=history.name,
        label=history.label,
        first_frame=last - own.validation_days * DAY_FRAMES,
        days=own.validation_days,
    )
    span = Span(
        history=history.name,
        label=history.label,
        first_frame=0,
        end_frame=validation.first_frame - own.embargo_h,
        warmup_count=history.season.warmup_count,
    )
    archive = Archive(histories=(history,))
    return archive, make_grounds(
        archive, [span], validation, config, families=families, make=make, seed=seed, in_world=True
    )


def _history(config: EvidenceConfig, name: WorldName, seed: int, days: int) -> History:
    """Return a path of a world."""
    season = generate_world(
        config.world(name), universe=MAINNET, seed=seed, days=days, warmup_h=config.sections.windows.warmup_h
    )
    return History(season=season)


def _training_days(config: EvidenceConfig) -> int:
    """Return the days that K windows, their embargoes and a validation take, and no more."""
    own = config.sections.windows
    return own.count * own.days + -(-own.count * own.embargo_h // DAY_FRAMES) + own.validation_days


def _arms(
    searched: Searched, trained: Yardstick, fresh: Yardstick, oracle: Genome
) -> dict[str, dict[str, float]]:
    """Return the value of every arm on both; an arm that chose nobody keeps its capital in cash."""
    found = {}
    for arm in SEARCHED:
        members = searched.choices[arm].members
        found[arm] = (trained.ensemble(members), fresh.ensemble(members))
    found["oracle"] = (trained.ensemble([oracle]), fresh.ensemble([oracle]))
    found["random_agents"] = (trained.ensemble(searched.first), fresh.ensemble(searched.first))
    there, here = trained.fixed(), fresh.fixed()
    found |= {arm: (there[arm], here[arm]) for arm in there}
    return {
        arm: {"train": trained.value(before), "fresh": fresh.value(after)}
        for arm, (before, after) in found.items()
    }
