"""What the evidence commands do, without a word about the screen."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from treasury_actors.agents.model.family import Family
from treasury_actors.agents.registry import families as shipped_families
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.search import early_generation
from treasury_actors.evolution.model.window_course import Evaluate
from treasury_actors.evolution.model.window_fitness import PPB, Insufficient, WindowFitness
from treasury_actors.evolution.model.windows import TooShort, sample_windows
from treasury_actors.ids import FamilyId
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.code_version import code_hash
from treasury_actors.simulation.compiled.evaluator import CompiledEvaluator
from treasury_actors.simulation.evidence.archive import load_archive, short_histories
from treasury_actors.simulation.evidence.arms import SEARCHED, Yardstick, choose_of, evolve, story_of
from treasury_actors.simulation.evidence.config import EvidenceConfig, WorldName
from treasury_actors.simulation.evidence.experiment import run_seed, world_ground
from treasury_actors.simulation.evidence.folds import Fold, data_ground, make_folds
from treasury_actors.simulation.evidence.history import History
from treasury_actors.simulation.evidence.plain import PlainEvaluator
from treasury_actors.simulation.evidence.pool import run_numbered
from treasury_actors.simulation.evidence.trials import TrialBook, Trials
from treasury_actors.simulation.evidence.trials_log import TrialsLog
from treasury_actors.simulation.evidence.walk_forward import champion_of, concatenate, run_fold, verdict_of
from treasury_actors.simulation.evidence.worlds import accept, by_fold, summarise

_RUN_HEX = 12
_NOBODY: dict[str, Any] = {"best": None, "ensemble": [], "champion": None}


@dataclass(frozen=True, slots=True)
class Maker:
    """
    Make evaluators under the rules of a config.

    Attributes:
        compiled: by machine code where numba is installed; the same courses either way.
    """

    config: EvidenceConfig
    compiled: bool = True

    def __call__(self, history: History, families: Mapping[FamilyId, Family]) -> Evaluate:
        """Return an evaluator of a history."""
        if self.compiled:
            return CompiledEvaluator(history, families, self.config.rules, threads=1)
        return PlainEvaluator(history, families, self.config.rules)


@dataclass(frozen=True, slots=True)
class WorldWork:
    """One seed of a world, to be computed anywhere."""

    config: EvidenceConfig
    name: WorldName
    run: str
    engine: str
    make: Maker

    def __call__(self, book: TrialBook, number: int, progress: Callable[[str], None]) -> dict[str, Any]:
        """Compute seed `number`."""
        return run_seed(
            self.config,
            self.name,
            number,
            book=book,
            run=self.run,
            engine=self.engine,
            make=self.make,
            progress=progress,
        )


def run_name(command: str, about: Mapping[str, object]) -> str:
    """Return the name of a run: the same command on the same things is the same run, and goes on."""
    text = json.dumps(dict(about), sort_keys=True, separators=(",", ":"))
    return f"{command}-{sha256(text.encode()).hexdigest()[:_RUN_HEX]}"


def preregister(config: EvidenceConfig, workspace: Path) -> dict[str, Any]:
    """Write gates and windows of a config into a workspace, before any run; return what stands there."""
    with TrialsLog(workspace) as log:
        new = log.preregister(config.config_hash, config.content)
        return {
            "config_hash": config.config_hash,
            "new": new,
            "anchor": log.head,
            "gates": config.content["gates"],
            "windows": config.content["windows"],
            "trials": {"ever": log.tally.ever},
        }


def world_evidence(
    config: EvidenceConfig,
    name: WorldName,
    *,
    seeds: int,
    workspace: Path,
    workers: int,
    progress: Callable[[str], None],
    compiled: bool = True,
) -> dict[str, Any]:
    """
    Return what `seeds` seeds of a world show; seeds that were finished before are not computed again.

    Raises:
        ConfigError: the gates were edited after the run started.
    """
    engine = code_hash()
    run = run_name("evidence", {"world": name, "config": config.config_hash, "engine": engine})
    with TrialsLog(workspace) as log:
        log.preregister(config.config_hash, config.content)
        log.begin(run, config.config_hash, {"world": name, "engine": engine})
        work = WorldWork(config, name, run, engine, Maker(config, compiled))
        results = run_numbered(work, range(seeds), log=log, run=run, workers=workers, progress=progress)
        found = summarise(name, results, config_hash=config.config_hash, label="GENERATED")
        return {
            **found,
            "acceptance": accept(name, found),
            "trials": {"here": log.tally.here(run), "ever": log.tally.ever},
            "run": run,
        }


@dataclass(frozen=True, slots=True)
class FoldWork:
    """One fold of a walk-forward and one seed of its search, to be computed anywhere."""

    config: EvidenceConfig
    folder: Path
    start_ns: int | None
    end_ns: int | None
    seeds: int
    run: str
    engine: str
    arms: tuple[str, ...]
    make: Maker

    def folds(self) -> tuple[Fold, ...]:
        """Return the folds that can be learnt for, or all if none can; asked to begin early, all."""
        archive = load_archive(self.folder.resolve(), self.config.sections.windows.warmup_h)
        folds = make_folds(archive, self.config, start_ns=self.start_ns, end_ns=self.end_ns)
        if self.start_ns is not None:
            return folds
        rules = self.config.windows
        told = tuple(f for f in folds if not isinstance(sample_windows(f.spans, rules), TooShort))
        return told or folds

    def __call__(self, book: TrialBook, number: int, progress: Callable[[str], None]) -> dict[str, Any]:
        """Compute fold `number // seeds` with seed `number % seeds`."""
        archive = load_archive(self.folder.resolve(), self.config.sections.windows.warmup_h)
        folds = self.folds()
        fold, seed = folds[number // self.seeds], number % self.seeds
        return run_fold(
            archive,
            fold,
            self.config,
            seed=seed,
            book=book,
            run=self.run,
            engine=self.engine,
            make=self.make,
            progress=progress,
            arms=self.arms,
            tell_champion=fold == folds[-1],  # a minute of work: the last one is told of
        )


def walk_forward(
    config: EvidenceConfig,
    folder: Path,
    *,
    start_ns: int | None,
    end_ns: int | None,
    seed: int,
    workspace: Path,
    workers: int,
    progress: Callable[[str], None],
    compiled: bool = True,
) -> dict[str, Any]:
    """
    Return the one out-of-sample curve of a data folder; folds that were finished are not computed again.

    Raises:
        ConfigError: no day to test on, or the gates were edited after the run started.
        DataError: the folder is wrong.
    """
    engine = code_hash()
    archive = load_archive(folder.resolve(), config.sections.windows.warmup_h)
    about = {
        "data": [history.name for history in archive.histories],
        "start_ns": start_ns,
        "end_ns": end_ns,
        "seed": seed,
        "engine": engine,
    }
    run = run_name("walk-forward", {**about, "config": config.config_hash})
    # With so many seeds that the last is `seed`, number = fold * (seed + 1) + seed.
    work = FoldWork(
        config, folder, start_ns, end_ns, seed + 1, run, engine, ("ga", "none"), Maker(config, compiled)
    )
    folds = work.folds()
    with TrialsLog(workspace) as log:
        log.preregister(config.config_hash, config.content)
        log.begin(run, config.config_hash, about)
        numbers = [place * (seed + 1) + seed for place in range(len(folds))]
        results = run_numbered(work, numbers, log=log, run=run, workers=workers, progress=progress)
        figures = concatenate(results, sharpes=log.tally.sharpes(run))
        insufficient = [result["insufficient"] for result in results if "insufficient" in result]
        curve = workspace / run / "curve.csv"
        _write_curve(curve, figures.pop("curve"))
        told = [result for result in results if "insufficient" not in result]
        return {
            "label": archive.histories[0].label,
            "folds": len(told),
            "insufficient_folds": len(insufficient),
            "start": told[0]["start"] if told else None,
            **figures,
            "trials": {"here": log.tally.here(run), "ever": log.tally.ever},
            "too_short_for_k": short_histories(archive, config.windows),
            "looks": [log.tally.looks(fold.test) for fold in folds],
            "champion": next((each["champion"] for each in told if each["champion"]), None),
            "ensembles": {result["start"]: result["members"]["ga"] for result in told},
            "curve_path": str(curve),
            "verdict": verdict_of(figures, insufficient),
            "formula_passes_gates": config.fitness().passes_gates,
            "config_hash": config.config_hash,
            "run": run,
        }


def folder_evidence(
    config: EvidenceConfig,
    folder: Path,
    *,
    seeds: int,
    workspace: Path,
    workers: int,
    progress: Callable[[str], None],
    compiled: bool = True,
) -> dict[str, Any]:
    """Return every arm on the folds of a data folder: seeds averaged in a fold, intervals over folds."""
    engine = code_hash()
    archive = load_archive(folder.resolve(), config.sections.windows.warmup_h)
    about = {"data": [history.name for history in archive.histories], "engine": engine, "seeds": seeds}
    run = run_name("evidence", {**about, "config": config.config_hash})
    work = FoldWork(config, folder, None, None, seeds, run, engine, SEARCHED, Maker(config, compiled))
    with TrialsLog(workspace) as log:
        log.preregister(config.config_hash, config.content)
        log.begin(run, config.config_hash, about)
        numbers = range(len(work.folds()) * seeds)
        results = run_numbered(work, numbers, log=log, run=run, workers=workers, progress=progress)
        told = [result for result in results if "insufficient" not in result]
        found = summarise(
            folder.name, by_fold(told), config_hash=config.config_hash, label=archive.histories[0].label
        )
        return {
            **found,
            "seeds": seeds,
            "folds": len({result["fold"] for result in told}),
            "trials": {"here": log.tally.here(run), "ever": log.tally.ever},
            "verdict": "reported, not required: folds are few" if told else "INSUFFICIENT",
            "run": run,
        }


def _write_curve(path: Path, rows: list[tuple[str, int, float, float]]) -> None:
    """Write the curve as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["fold_start,day,ensembles,lending"]
    lines += [f"{start},{day},{value:.9f},{lending:.9f}" for start, day, value, lending in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def evolve_on(
    config: EvidenceConfig,
    *,
    folder: Path | None,
    world: WorldName | None,
    seed: int,
    workspace: Path,
    progress: Callable[[str], None],
    compiled: bool = True,
) -> dict[str, Any]:
    """
    Run one search to its early stop and say whom it would fund; a run that was killed goes on.

    Without data or a world the market is the config's own season, whose GENERATED windows do not count.

    Raises:
        ConfigError: the gates were edited after the run started.
    """
    engine, families = code_hash(), shipped_families(MAINNET)
    make = Maker(config, compiled)
    if world is not None:
        archive, grounds = world_ground(config, world, seed, families=families, make=make)
    else:
        archive, grounds = data_ground(config, folder, seed, families=families, make=make)
    about = {"data": [history.name for history in archive.histories], "seed": seed, "engine": engine}
    run = run_name("evolve", {**about, "config": config.config_hash})
    label = archive.histories[0].label
    found: dict[str, Any] = {"label": label, "run": run, "seed": seed, "config_hash": config.config_hash}
    with TrialsLog(workspace) as log:
        log.preregister(config.config_hash, config.content)
        log.begin(run, config.config_hash, about)
        if isinstance(grounds, TooShort):
            return {**found, "verdict": f"INSUFFICIENT: {grounds.reason}", **_NOBODY}
        trials = Trials(log, run=run, engine=engine, seed=seed)
        generations = []
        for generation in evolve(config, families, grounds, trials, seed=seed, stop_early=True):
            generations.append(generation)
            progress(story_of(generation, config))
        values = [generation.validation_ppb for generation in generations]
        kept = generations[early_generation(values, config.search.patience)]
        ranked = kept.ranked
        chosen = choose_of(ranked, config, families, grounds, trials, arm="ga")
        best = ranked[0] if ranked else None
        seen = Yardstick(archive, grounds.fit[-1].windows, config, grounds.fit[-1].evaluate)
        sharpes = log.tally.sharpes(run)
        short = next((v for _, v in kept.members if isinstance(v, Insufficient)), None)
        return {
            **found,
            "windows": [window.name for window in grounds.fit[-1].windows],
            "generations": len(generations),
            "kept_generation": kept.number + 1,
            "best": None if best is None else _told(*best),
            "median": None if kept.median_ppb is None else kept.median_ppb / PPB,
            "lending": grounds.lending_ppb / PPB,
            "ensemble": [genome.canonical for genome in chosen.members],
            "dropped": {genome.canonical: reason for genome, reason in chosen.dropped},
            "trials": {"here": log.tally.here(run), "ever": log.tally.ever},
            "champion": None if best is None else champion_of(kept.genomes, best[0], seen, archive, sharpes),
            "verdict": _verdict(ranked, short, config, label),
        }


def _told(genome: Genome, found: WindowFitness) -> dict[str, Any]:
    """Return a genome with its fitness."""
    return {
        "genome": genome.canonical,
        "fitness": found.value_ppb / PPB,
        "mean": found.mean_ppb / PPB,
        "se": found.se_ppb / PPB,
    }


def _verdict(
    ranked: Sequence[tuple[Genome, WindowFitness]],
    short: Insufficient | None,
    config: EvidenceConfig,
    label: str,
) -> str:
    """Say in a word what a search's result may be used for."""
    if short is not None:
        return f"INSUFFICIENT: {short.windows} windows count, {short.needed} are needed"
    if not ranked:
        return "NOBODY: every genome was vetoed"
    if not config.fitness().passes_gates:
        return "NOT EVIDENCE: the brief's formula passes no gate"
    if label == "GENERATED":
        return "NOT EVIDENCE: GENERATED; no live config accepts it"
    return "NOT PROVEN: in sample; only a walk-forward says what it is worth"
