"""What the evidence commands do, without a word about the screen."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from treasury_actors.agents.model.family import Family
from treasury_actors.evolution.model.window_course import Evaluate
from treasury_actors.ids import FamilyId
from treasury_actors.simulation.code_version import code_hash
from treasury_actors.simulation.evidence.config import EvidenceConfig, WorldName
from treasury_actors.simulation.evidence.experiment import run_seed
from treasury_actors.simulation.evidence.history import History
from treasury_actors.simulation.evidence.plain import PlainEvaluator
from treasury_actors.simulation.evidence.pool import run_numbered
from treasury_actors.simulation.evidence.trials import TrialBook
from treasury_actors.simulation.evidence.trials_log import TrialsLog
from treasury_actors.simulation.evidence.worlds import summarise

_RUN_HEX = 12


@dataclass(frozen=True, slots=True)
class MakePlain:
    """Make plain evaluators under the rules of a config."""

    config: EvidenceConfig

    def __call__(self, history: History, families: Mapping[FamilyId, Family]) -> Evaluate:
        """Return an evaluator of a history."""
        return PlainEvaluator(history, families, self.config.rules)


@dataclass(frozen=True, slots=True)
class WorldWork:
    """One seed of a world, to be computed anywhere."""

    config: EvidenceConfig
    name: WorldName
    run: str
    engine: str

    def __call__(self, book: TrialBook, number: int, progress: Callable[[str], None]) -> dict[str, Any]:
        """Compute seed `number`."""
        return run_seed(
            self.config,
            self.name,
            number,
            book=book,
            run=self.run,
            engine=self.engine,
            make=MakePlain(self.config),
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
        work = WorldWork(config, name, run, engine)
        results = run_numbered(work, range(seeds), log=log, run=run, workers=workers, progress=progress)
        found = summarise(name, results, config_hash=config.config_hash, label="GENERATED")
        return {**found, "trials": {"here": log.tally.here(run), "ever": log.tally.ever}, "run": run}
