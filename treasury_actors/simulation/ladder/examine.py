"""What a genome shows on disjoint windows of history before anybody funds it, twice the costs included."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Protocol

from treasury_actors.agents.model.family import Family
from treasury_actors.arena.model.graduation import WindowTrial
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.window_course import WindowCourse
from treasury_actors.evolution.model.window_fitness import Insufficient, Judged, Vetoed, WindowFitness, judge
from treasury_actors.evolution.model.windows import Window
from treasury_actors.ids import FamilyId, GenomeId
from treasury_actors.simulation.evidence.config import EvidenceConfig
from treasury_actors.simulation.evidence.fixed_arms import LENT, fixed_arms
from treasury_actors.simulation.evidence.history import STRESS_FACTOR, Archive, History, MakeEvaluator
from treasury_actors.simulation.evidence.luck import excess_of, luck_of
from treasury_actors.simulation.evidence.plain import PlainEvaluator

_LENDING = Genome(family=FamilyId("lending"), genes=())
_TAIL_PERCENT = 95


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRecord:
    """
    What crosses with a genome into the house with money: all its gate goes by, and what it rests on.

    Attributes:
        label: of the windows; GENERATED counts nowhere but in a labelled world.
        sharpe_day: of one day over lending, all windows together; one of the trials a DSR is deflated by.
        reasons: why it is vetoed.
    """

    genome: GenomeId
    canonical: str
    label: str
    windows: tuple[str, ...]
    fitness: str
    tested: WindowTrial
    sharpe_day: float | None
    reasons: tuple[str, ...]

    @property
    def hash(self) -> str:
        """SHA-256 of all of it."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


class Examines(Protocol):
    """Answers for genomes; at once, or for those it has got to."""

    @property
    def tried(self) -> int:
        """How many genomes were evaluated, failed ones too: N."""
        ...

    @property
    def trial_sharpes(self) -> list[float]:
        """The ratio of one day of every trial that has one."""
        ...

    def lacks(self, genomes: Sequence[Genome]) -> list[Genome]:
        """Return those it has no record of, and can't make one of now."""
        ...

    def examine(self, genomes: Sequence[Genome]) -> dict[str, EvidenceRecord]:
        """Return a record a genome, by its canonical text; none may be lacking."""
        ...


class Examiner:
    """Tries genomes on one set of windows; who was tried before is not tried again."""

    def __init__(
        self,
        archive: Archive,
        windows: Sequence[Window],
        config: EvidenceConfig,
        families: Mapping[FamilyId, Family],
        make: MakeEvaluator,
        *,
        in_world: bool,
    ) -> None:
        self._windows = tuple(windows)
        self._config = config
        self._in_world = in_world
        self._evaluate = archive.evaluator(make, families)
        dear = [History(season=each.season, cost_factor=STRESS_FACTOR) for each in archive.histories]
        self._evaluate_dear = Archive(histories=tuple(dear)).evaluator(make, families)
        self._lent = archive.lending(self._windows, LENT)
        self._label = self._windows[0].label
        self._lending_ppb = self._fitness_of_lending(archive)
        self._known: dict[str, EvidenceRecord] = {}
        self._excess: dict[Genome, tuple[float, ...]] = {}

    def __repr__(self) -> str:
        return f"<Examiner of {self.tried} genomes on {len(self._windows)} windows>"

    @property
    def tried(self) -> int:
        """How many genomes were evaluated, failed ones too: N."""
        return len(self._known)

    @property
    def lending_ppb(self) -> int:
        """The fitness of plain lending on the same windows."""
        return self._lending_ppb

    @property
    def trial_sharpes(self) -> list[float]:
        """The ratio of one day of every trial that has one."""
        return [each.sharpe_day for each in self._known.values() if each.sharpe_day is not None]

    def lacks(self, genomes: Sequence[Genome]) -> list[Genome]:
        """Return nothing: whoever was not tried yet is tried when asked for."""
        del genomes
        return []

    def examine(self, genomes: Sequence[Genome]) -> dict[str, EvidenceRecord]:
        """Return a record a genome, by its canonical text."""
        new = {genome.canonical: genome for genome in genomes if genome.canonical not in self._known}
        chosen = list(new.values())
        verdicts = self._judge(chosen, dear=False)
        fit = [g for g, (verdict, _) in zip(chosen, verdicts, strict=True) if self._is_worth_it(verdict)]
        stressed = dict(zip([g.canonical for g in fit], self._judge(fit, dear=True), strict=True))
        for genome, (verdict, courses) in zip(chosen, verdicts, strict=True):
            dear = stressed.get(genome.canonical)
            self._excess[genome] = excess_of(courses, self._lent)
            self._known[genome.canonical] = self._record(genome, verdict, courses, dear[0] if dear else None)
        return {genome.canonical: self._known[genome.canonical] for genome in genomes}

    def champion(self) -> dict[str, Any] | None:
        """Return how much of the fittest of all tried is luck; None if none has a fitness without a veto."""
        fit = [
            (each.tested.fitness_ppb, genome)
            for genome in self._excess
            if not (each := self._known[genome.canonical]).tested.vetoed
            and each.tested.fitness_ppb is not None
        ]
        if not fit:
            return None
        _, best = max(fit, key=lambda pair: (pair[0], pair[1].canonical))
        return luck_of(best, list(self._excess.items()), self.trial_sharpes)

    def _judge(self, genomes: Sequence[Genome], *, dear: bool) -> list[tuple[Judged, list[WindowCourse]]]:
        """Return verdict and courses of each."""
        if not genomes:
            return []
        evaluate = self._evaluate_dear if dear else self._evaluate
        by_window = [evaluate(genomes, window) for window in self._windows]
        policy = self._config.fitness()
        every = [[courses[number] for courses in by_window] for number in range(len(genomes))]
        return [(judge(own, self._lent, policy, in_world=self._in_world), own) for own in every]

    def _is_worth_it(self, verdict: Judged) -> bool:
        """Say whether a genome is good enough at plain costs to be tried at twice the costs."""
        return isinstance(verdict, WindowFitness) and verdict.value_ppb > self._lending_ppb

    def _record(
        self, genome: Genome, verdict: Judged, courses: Sequence[WindowCourse], dear: Judged | None
    ) -> EvidenceRecord:
        """Return the record of one genome."""
        measured = verdict.measured if isinstance(verdict, Vetoed) else verdict
        found = None if isinstance(measured, Insufficient) else measured
        real = [course for course in courses if self._in_world or course.window.label != "GENERATED"]
        drawdowns = sorted(course.max_drawdown_ratio for course in courses)
        place = -(-_TAIL_PERCENT * len(drawdowns) // 100) - 1
        tested = WindowTrial(
            windows=len(real),
            vetoed=isinstance(verdict, Vetoed),
            fitness_ppb=found.value_ppb if found else None,
            lending_ppb=self._lending_ppb,
            stressed_ppb=dear.value_ppb if isinstance(dear, WindowFitness) else None,
            drawdown_p95_ratio=drawdowns[place],
            trades=sum(course.trades for course in courses),
        )
        return EvidenceRecord(
            genome=genome.id,
            canonical=genome.canonical,
            label=self._label,
            windows=tuple(window.name for window in self._windows),
            fitness=self._config.fitness().version,
            tested=tested,
            sharpe_day=found.sharpe_day if found else None,
            reasons=verdict.reasons if isinstance(verdict, Vetoed) else (),
        )

    def _fitness_of_lending(self, archive: Archive) -> int:
        """Return what plain lending is worth here, at plain costs."""
        arms = {family.id: family for family in fixed_arms()}
        courses = [
            PlainEvaluator(archive.of(window), arms, self._config.rules)([_LENDING], window)[0]
            for window in self._windows
        ]
        verdict = judge(courses, self._lent, self._config.fitness(), in_world=self._in_world)
        measured = verdict.measured if isinstance(verdict, Vetoed) else verdict
        return 0 if isinstance(measured, Insufficient) else measured.value_ppb
