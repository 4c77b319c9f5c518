"""The arms of an experiment: what each chooses on one span, and what its choice is worth elsewhere."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TypeAlias

from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.metrics.series import mean
from treasury_actors.evolution.model.ensemble import Ensemble, choose_ensemble
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.search import (
    Generation,
    early_generation,
    fresh_genomes,
    search,
)
from treasury_actors.evolution.model.window_course import Evaluate, WindowCourse, together
from treasury_actors.evolution.model.window_fitness import (
    FitnessPolicy,
    Insufficient,
    Judged,
    Vetoed,
    WindowFitness,
    certainty_equivalent,
    rank,
)
from treasury_actors.evolution.model.windows import Window
from treasury_actors.ids import FamilyId
from treasury_actors.simulation.evidence.config import EvidenceConfig
from treasury_actors.simulation.evidence.fixed_arms import fixed_arms, tbill_course
from treasury_actors.simulation.evidence.history import Archive
from treasury_actors.simulation.evidence.plain import CAPITAL_USD, PlainEvaluator
from treasury_actors.simulation.evidence.trials import Ground, Trials

SEARCHED = ("ga", "ga_early", "random", "none")
ARMS = (
    *SEARCHED,
    "oracle",
    "lending",
    "tbill",
    "equal_weight",
    "buy_hold_eth",
    "eg",
    "random_agents",
)
Progress: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """
    Where one search is made and judged.

    Attributes:
        fit: by generation's rotation, the windows its fitness is the mean over; one where none rotate.
        validation: days after all of them; stress: the first of them at dearer costs.
    """

    fit: tuple[Ground, ...]
    validation: Ground
    stress: Ground
    lending_ppb: int
    rotate_every: int

    def fit_of(self, generation: int) -> Ground:
        """Return the ground of a generation."""
        return self.fit[min(generation // self.rotate_every, len(self.fit) - 1)]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What an arm chose, and the population it chose from; `population` is empty where there is none."""

    members: tuple[Genome, ...]
    population: tuple[Genome, ...] = ()
    dropped: tuple[tuple[Genome, str], ...] = ()
    fitness_ppb: int | None = None


@dataclass(frozen=True, kw_only=True)
class Searched:
    """
    The choices of every arm that searches, and the course of the genetic algorithm.

    Attributes:
        first: the population nobody had chosen from yet.
        sharpes: of a day, of every candidate that has one, the vetoed too: what luck is counted from.
    """

    choices: dict[str, Choice]
    generations: tuple[Generation, ...]
    first: tuple[Genome, ...]
    sharpes: tuple[float, ...]


def run_searches(
    config: EvidenceConfig,
    families: Mapping[FamilyId, Family],
    grounds: Grounds,
    trials: Trials,
    *,
    seed: int,
    progress: Progress,
    arms: Sequence[str] = SEARCHED,
) -> Searched:
    """Let every searching arm of `arms` choose, at equal evaluations."""
    generations = []
    for generation in evolve(config, families, grounds, trials, seed=seed):
        generations.append(generation)
        progress(story_of(generation, config))
    rules = config.search
    stop = early_generation([each.validation_ppb for each in generations], rules.patience)
    choices = {}
    for arm, generation in (
        ("ga", generations[-1]),
        ("ga_early", generations[stop]),
        ("none", generations[0]),
    ):
        if arm not in arms:
            continue
        ranked = generation.ranked
        chosen = choose_of(ranked, config, families, grounds, trials, arm=arm)
        choices[arm] = Choice(
            members=chosen.members,
            population=generation.genomes,
            dropped=chosen.dropped,
            fitness_ppb=ranked[0][1].value_ppb if ranked else None,
        )
    drawn: list[Genome] = []
    judged: list[Judged] = []
    if "random" in arms:
        drawn = fresh_genomes(families, rules.evaluations, (seed, "random search"))
    last = grounds.fit_of(rules.generations - 1)
    for start in range(0, len(drawn), rules.population):
        judged += trials.judge(last, drawn[start : start + rules.population], arm="random", purpose="fitness")
    if drawn:
        progress(f"random search: {len(drawn)} genomes")
        ranked = rank(list(zip(drawn, judged, strict=True)))
        chosen = choose_of(ranked, config, families, grounds, trials, arm="random")
        choices["random"] = Choice(
            members=chosen.members,
            dropped=chosen.dropped,
            fitness_ppb=ranked[0][1].value_ppb if ranked else None,
        )
    tried = dict(zip(drawn, judged, strict=True))
    for generation in generations:
        tried.update(generation.members)
    return Searched(
        choices=choices,
        generations=tuple(generations),
        first=generations[0].genomes,
        sharpes=tuple(_sharpes(tried.values())),
    )


def _sharpes(verdicts: Iterable[Judged]) -> Iterator[float]:
    """Yield the Sharpe ratio of a day of every verdict that has one."""
    for verdict in verdicts:
        measured = verdict.measured if isinstance(verdict, Vetoed) else verdict
        if isinstance(measured, WindowFitness) and measured.sharpe_day is not None:
            yield measured.sharpe_day


def evolve(
    config: EvidenceConfig,
    families: Mapping[FamilyId, Family],
    grounds: Grounds,
    trials: Trials,
    *,
    seed: int,
    stop_early: bool = False,
) -> Iterator[Generation]:
    """Yield the generations of the genetic algorithm; each is in the book before the next is bred."""
    rules = replace(config.search, stop_early=stop_early)

    def judge(genomes: Sequence[Genome], number: int) -> list[Judged]:
        return trials.judge(grounds.fit_of(number), genomes, arm="ga", purpose="fitness")

    def validate(genome: Genome) -> Judged:
        return trials.judge(grounds.validation, [genome], arm="ga", purpose="validation")[0]

    return search(families=families, rules=rules, seed=seed, judge=judge, validate=validate)


def choose_of(
    ranked: Sequence[tuple[Genome, WindowFitness]],
    config: EvidenceConfig,
    families: Mapping[FamilyId, Family],
    grounds: Grounds,
    trials: Trials,
    *,
    arm: str,
) -> Ensemble:
    """Return whom a ranking, best first, would fund."""
    return choose_ensemble(
        ranked,
        families,
        config.ensemble,
        validate=lambda some: trials.judge(grounds.validation, some, arm=arm, purpose="validation"),
        stress=lambda some: trials.judge(grounds.stress, some, arm=arm, purpose="stress"),
        lending_ppb=grounds.lending_ppb,
    )


def story_of(generation: Generation, config: EvidenceConfig) -> str:
    """Tell a generation in one line."""
    ranked = generation.ranked
    vetoed = sum(isinstance(verdict, Vetoed) for _, verdict in generation.members)
    short = sum(isinstance(verdict, Insufficient) for _, verdict in generation.members)
    best = f"best {ranked[0][1].value_ppb / 1e9:+.2%} ({ranked[0][0].family})" if ranked else "nobody ranked"
    middle = generation.median_ppb
    return (
        f"generation {generation.number + 1} of {config.search.generations}: {best},"
        f" median {'none' if middle is None else f'{middle / 1e9:+.2%}'},"
        f" {vetoed} vetoed{f', {short} with too little history' if short else ''}"
    )


class Yardstick:
    """What choices and fixed arms are worth on given windows, by the certainty equivalent without tails."""

    def __init__(
        self,
        archive: Archive,
        windows: Sequence[Window],
        config: EvidenceConfig,
        evaluate: Evaluate,
    ) -> None:
        self._archive = archive
        self._windows = tuple(windows)
        self._policy: FitnessPolicy = config.fitness(with_tails=False)
        self._evaluate = evaluate
        self._rules = config.rules
        self._courses: dict[Genome, tuple[WindowCourse, ...]] = {}

    def courses(self, genomes: Sequence[Genome]) -> list[tuple[WindowCourse, ...]]:
        """Return the courses of genomes, one a window."""
        missing = [genome for genome in dict.fromkeys(genomes) if genome not in self._courses]
        if missing:
            by_window = [self._evaluate(missing, window) for window in self._windows]
            for genome, courses in zip(missing, zip(*by_window, strict=True), strict=True):
                self._courses[genome] = courses
        return [self._courses[genome] for genome in genomes]

    def ensemble(self, members: Sequence[Genome]) -> tuple[WindowCourse, ...] | None:
        """Return what equal parts with each member became; None of nobody."""
        if not members:
            return None
        return tuple(together(some) for some in zip(*self.courses(members), strict=True))

    def fixed(self) -> dict[str, tuple[WindowCourse, ...] | None]:
        """Return the courses of every arm that needs no search."""
        arms = {family.id: family for family in fixed_arms()}
        genomes = [Genome(family=name, genes=()) for name in arms]
        by_window = [
            PlainEvaluator(self._archive.of(window), arms, self._rules)(genomes, window)
            for window in self._windows
        ]
        found: dict[str, tuple[WindowCourse, ...] | None] = dict(
            zip(map(str, arms), zip(*by_window, strict=True), strict=True)
        )
        bills = [
            tbill_course(self._archive.of(window), window, capital_usd=CAPITAL_USD)
            for window in self._windows
        ]
        known = tuple(course for course in bills if course is not None)
        found["tbill"] = known if len(known) == len(bills) else None
        return found

    def value(self, courses: Sequence[WindowCourse] | None) -> float:
        """Return the mean certainty equivalent; capital that nobody was given earns nothing."""
        if courses is None:
            return 0.0
        return mean([certainty_equivalent(course, self._policy) for course in courses])

    def median(self, genomes: Sequence[Genome]) -> float:
        """Return the median over a population, each alone."""
        return median(self.value(courses) for courses in self.courses(genomes))
