"""Trying genomes on a ground, each trial written down; what was tried before is not tried again."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from typing import Protocol

from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.trial import Purpose, Trial, TrialKey
from treasury_actors.evolution.model.window_course import Evaluate
from treasury_actors.evolution.model.window_fitness import FitnessPolicy, Judged, Lending, judge
from treasury_actors.evolution.model.windows import Window, window_set_id


class TrialBook(Protocol):
    """Where trials are written: the log itself, or a worker's way to it."""

    def judged(self, key: str) -> Judged | None:
        """Return what a key was judged before, if it was."""
        ...

    def add(self, trials: Sequence[Trial]) -> None:
        """Write evaluations down."""
        ...

    def describe(self, window_set: str, windows: Sequence[Window]) -> None:
        """Write down which windows a set is."""
        ...

    def look(self, run: str, windows: Sequence[Window]) -> None:
        """Write down that a run looks at test windows."""
        ...


@dataclass(frozen=True, kw_only=True)
class Ground:
    """
    Where genomes are tried.

    Attributes:
        evaluate: lets them trade a window; lending: what lending gave on its days.
        costs: names the cost model, its stress included.
        in_world: whether GENERATED windows count, because the market is a labelled world.
    """

    windows: tuple[Window, ...]
    evaluate: Evaluate
    lending: Lending
    policy: FitnessPolicy
    costs: str
    in_world: bool

    @cached_property
    def window_set(self) -> str:
        """Return the id of its windows."""
        return window_set_id(self.windows)

    @cached_property
    def formula(self) -> str:
        """Return the version of the formula, with a hash of its policy."""
        text = json.dumps(asdict(self.policy), sort_keys=True)
        return f"{self.policy.version}+{sha256(text.encode()).hexdigest()[:12]}"

    def key(self, genome: Genome, *, engine: str, seed: int) -> str:
        """Return the digest of all that a verdict on a genome here depends on."""
        return TrialKey(
            genome=genome.canonical,
            data_hash="/".join(dict.fromkeys(window.history for window in self.windows)),
            window_set=self.window_set,
            costs=self.costs,
            fitness_version=self.formula,
            engine=engine,
            seed=seed,
        ).digest


class Trials:
    """The trials of one search: every question goes through here, and into the book."""

    def __init__(self, book: TrialBook, *, run: str, engine: str, seed: int) -> None:
        self._book = book
        self._run = run
        self._engine = engine
        self._seed = seed

    def __repr__(self) -> str:
        return f"<Trials of {self._run}, seed {self._seed}>"

    def judge(self, ground: Ground, genomes: Sequence[Genome], *, arm: str, purpose: Purpose) -> list[Judged]:
        """Return one verdict a genome, in order; write every one into the book."""
        keys = [ground.key(genome, engine=self._engine, seed=self._seed) for genome in genomes]
        before = {key: self._book.judged(key) for key in keys}
        missing = {key: genome for key, genome in zip(keys, genomes, strict=True) if before[key] is None}
        new = dict(zip(missing, self._verdicts(ground, list(missing.values())), strict=True))
        found = [before[key] or new[key] for key in keys]
        self._book.describe(ground.window_set, ground.windows)
        self._book.add(
            [
                Trial(
                    run=self._run,
                    arm=arm,
                    purpose=purpose,
                    key=key,
                    genome=genome,
                    window_set=ground.window_set,
                    seed=self._seed,
                    judged=verdict,
                )
                for key, genome, verdict in zip(keys, genomes, found, strict=True)
            ]
        )
        return found

    def look(self, windows: Iterable[Window]) -> None:
        """Write down that test windows are looked at."""
        self._book.look(self._run, list(windows))

    def _verdicts(self, ground: Ground, genomes: Sequence[Genome]) -> list[Judged]:
        """Evaluate and judge."""
        if not genomes:
            return []
        by_window = [ground.evaluate(genomes, window) for window in ground.windows]
        return [
            judge(
                [courses[number] for courses in by_window],
                ground.lending,
                ground.policy,
                in_world=ground.in_world,
            )
            for number in range(len(genomes))
        ]
