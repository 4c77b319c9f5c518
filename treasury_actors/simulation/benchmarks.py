"""
What the same treasury would have become without an arena, computed in a process of its own.

Two populations over the run's own season, with its costs and limits: the run's first agents with equal
capital that nobody moves, and other random genomes of the same families. Both fill the second core while the
run fills the first; the process makes the season again from its recipe and dies with its parent.
"""

import multiprocessing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

import anyio.to_thread

from treasury_actors.agents.adapters.strategy_file import load_strategy
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.registry import families
from treasury_actors.errors import ConfigError, Fault, TreasuryError
from treasury_actors.evolution.model.breeding import initial_families, initial_genome
from treasury_actors.evolution.model.genome import Genome, random_genome
from treasury_actors.ids import FamilyId
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.universe import Universe
from treasury_actors.reports.lines import BenchmarkResult
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.evaluate import evaluate_population
from treasury_actors.simulation.recipe import SeasonRecipe
from treasury_actors.simulation.worker import become_worker

_ATTEMPTS_MAX = 200


class BenchmarkFault(Fault):
    """The benchmarks could not be computed: their process failed or was ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkJob:
    """
    What the benchmarks of a run are computed from: small, and the same in any process.

    Attributes:
        strategies: files of the user's own families.
    """

    recipe: SeasonRecipe
    rules: HouseRules
    strategies: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmarks:
    """What the whole treasury, gas included, would have become."""

    equal_agents: BenchmarkResult
    random_agents: BenchmarkResult


def first_genomes(known: Mapping[FamilyId, Family], rules: HouseRules, warmup_h: int) -> list[Genome]:
    """
    Return the genomes the arena deals at the opening of a season with so much history before it.

    Raises:
        ConfigError: a family has none that can warm up; the arena says the same.
    """
    seed = rules.arena.seed
    return _dealt(known, rules, warmup_h, lambda family, *at: initial_genome(family, seed, *at))


def random_genomes(known: Mapping[FamilyId, Family], rules: HouseRules, warmup_h: int) -> list[Genome]:
    """Return as many genomes, of the same families, by other chance."""
    seed = rules.arena.seed
    return _dealt(known, rules, warmup_h, lambda family, *at: random_genome(family, (seed, "benchmark", *at)))


def compute_benchmarks(job: BenchmarkJob, season: Season | None = None) -> Benchmarks:
    """Compute the benchmarks here and now; `season` is what the recipe gives, if it is at hand."""
    season = season or job.recipe.build()
    known = _families_of(job, season.universe)
    first = first_genomes(known, job.rules, season.warmup_count)
    other = random_genomes(known, job.rules, season.warmup_count)
    equal_agents, random_agents = (
        evaluate_population(season, [(known[g.family], g.genes) for g in genomes], job.rules).treasury
        for genomes in (first, other)
    )
    return Benchmarks(equal_agents=equal_agents, random_agents=random_agents)


class BenchmarkWorker:
    """
    A process that computes benchmarks, started at once.

    Use as a context manager, or call `stop`: a worker that nobody waits for is ended, never left behind. One
    whose parent is killed ends itself.
    """

    def __init__(self, job: BenchmarkJob) -> None:
        context = multiprocessing.get_context("spawn")
        self._results, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(job, sender), name="benchmarks", daemon=True)
        self._process.start()
        sender.close()

    def __repr__(self) -> str:
        return f"<BenchmarkWorker {'running' if self._process.is_alive() else 'ended'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The process id of the worker."""
        return self._process.pid

    def wait(self) -> Benchmarks:
        """
        Wait for the result; blocks its thread.

        Raises:
            ConfigError: what the user gave is wrong, in the words of the worker.
            BenchmarkFault: the worker ended without a result.
        """
        try:
            outcome: Benchmarks | _Failed = self._results.recv()
        except (EOFError, OSError):
            self._process.join()
            raise BenchmarkFault(f"the benchmarks' process ended: exit {self._process.exitcode}") from None
        self._process.join()
        if isinstance(outcome, _Failed):
            raise outcome.as_error()
        return outcome

    async def result(self) -> Benchmarks:
        """Wait for the result without blocking the loop; raises what `wait` raises."""
        return await anyio.to_thread.run_sync(self.wait, abandon_on_cancel=True)

    def stop(self) -> None:
        """End the process if it still runs."""
        self._process.kill()
        self._process.join()
        self._results.close()


def run_benchmarks_in_worker(job: BenchmarkJob) -> Benchmarks:
    """Compute the benchmarks in a process of their own and wait for them; raises what `wait` raises."""
    with BenchmarkWorker(job) as worker:
        return worker.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failed:
    """What went wrong in the worker, in words: an error of any class may not survive the pipe."""

    message: str
    by_user: bool

    def as_error(self) -> TreasuryError:
        """Return the error to raise in the parent."""
        return ConfigError(self.message) if self.by_user else BenchmarkFault(self.message)


def _work(job: BenchmarkJob, results: Connection) -> None:
    """Be the worker: compute, send, end."""
    become_worker()
    outcome: Benchmarks | _Failed
    try:
        outcome = compute_benchmarks(job)
    except TreasuryError as error:
        by_user = error.exit_code == ConfigError.exit_code
        outcome = _Failed(message=f"{type(error).__name__}: {error}", by_user=by_user)
    results.send(outcome)
    results.close()


def _families_of(job: BenchmarkJob, universe: Universe) -> dict[FamilyId, Family]:
    """Return the shipped families and the user's own."""
    known = families(universe)
    for path in job.strategies:
        family = load_strategy(path, known.keys())
        known[family.id] = family
    return dict(sorted(known.items()))


def _dealt(
    known: Mapping[FamilyId, Family],
    rules: HouseRules,
    warmup_h: int,
    draw: Callable[[Family, int, int], Genome],
) -> list[Genome]:
    """Return a genome for every slot; one that can't warm up is drawn again."""
    genomes = []
    for slot, family_id in enumerate(initial_families(list(known), rules.arena.population)):
        family = known[family_id]
        drawn = (draw(family, slot, attempt) for attempt in range(_ATTEMPTS_MAX))
        genome = next((genome for genome in drawn if family.warmup_h(genome.genes) <= warmup_h), None)
        if genome is None:
            raise ConfigError(f"family {family.id}: no genome can warm up on {warmup_h} h of history")
        genomes.append(genome)
    return genomes
