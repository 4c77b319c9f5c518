"""
Genomes examined beside a living run: in a process of its own, that dies with its parent and holds no lock.

The run asks for the records of genomes and goes on; they come when they come, and are kept in its folder, so
that nobody is tried twice and N counts all who ever were.
"""

import json
import multiprocessing
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, TypeAlias

from treasury_actors.agents.model.family import Family
from treasury_actors.arena.model.graduation import WindowTrial
from treasury_actors.clock import HOUR_NS
from treasury_actors.errors import TreasuryError
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.windows import Span, TooShort, sample_windows
from treasury_actors.ids import FamilyId, GenomeId
from treasury_actors.market.model.evidence_worlds import generate_world
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.evidence.archive import load_archive
from treasury_actors.simulation.evidence.commands import Maker
from treasury_actors.simulation.evidence.config import EvidenceConfig, WorldName
from treasury_actors.simulation.evidence.history import Archive, History
from treasury_actors.simulation.ladder.examine import EvidenceRecord, Examiner
from treasury_actors.simulation.plan import families_with
from treasury_actors.simulation.worker import become_worker

RECORDS: Final = "genomes.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A GENERATED world to cut windows from; for tests of the way, never for real money."""

    name: WorldName
    seed: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamineJob:
    """
    What genomes are examined on: small, and the same in any process.

    Attributes:
        source: a folder of market data, a world, or None if nothing was named.
        in_world: whether GENERATED windows count: only where the run itself is GENERATED.
        before_ns: the run's first frame; nothing from there on is in a window.
        strategy: the user's own family, if there is one.
    """

    source: Path | World | None
    config: EvidenceConfig
    seed: int
    in_world: bool = False
    compiled: bool = True
    before_ns: int = 0
    strategy: Path | None = None

    @property
    def name(self) -> str:
        """Return what the records of a job are kept under: others are not this one's."""
        content = (str(self.source), self.config.config_hash, self.seed, self.in_world, self.before_ns)
        return sha256(repr(content).encode()).hexdigest()


def make_examiner(job: ExamineJob) -> Examiner | TooShort:
    """
    Cut the windows of a job and return who examines on them, or that there is too little history.

    Raises:
        DataError: the data are wrong.
    """
    own = job.config.sections.windows
    match job.source:
        case None:
            why = "no market data are named in simulation.history, and GENERATED ones pass no gate"
            return TooShort(windows=0, needed=own.count, reason=why)
        case World(name=name, seed=seed, days=days):
            world = job.config.world(name)
            season = generate_world(world, universe=MAINNET, seed=seed, days=days, warmup_h=own.warmup_h)
            archive = Archive(histories=(History(season=season),))
        case folder:
            archive = load_archive(folder.resolve(), own.warmup_h)
    found = [_span_of(history, job) for history in archive.histories]
    spans = [span for span in found if span.end_frame > 0 and (job.in_world or span.label != "GENERATED")]
    windows = sample_windows(spans, job.config.windows, seed=job.seed)
    if isinstance(windows, TooShort):
        return windows
    families: dict[FamilyId, Family] = families_with(job.strategy)
    maker = Maker(job.config, compiled=job.compiled)
    return Examiner(archive, windows, job.config, families, maker, in_world=job.in_world)


def _span_of(history: History, job: ExamineJob) -> Span:
    """Return what of a history lies before the run, with a gap; a world of its own lies wholly before it."""
    end = history.season.frame_count - 1
    if not isinstance(job.source, World):
        until = (job.before_ns - history.start_ns) // HOUR_NS - job.config.sections.windows.embargo_h
        end = min(end, until)
    return Span(
        history=history.name,
        label=history.label,
        first_frame=0,
        end_frame=end,
        warmup_count=history.season.warmup_count,
    )


@dataclass(frozen=True, slots=True)
class _Examined:
    records: tuple[tuple[str, EvidenceRecord], ...]


@dataclass(frozen=True, slots=True)
class _Stopped:
    """Why there will be no record: too little history, or what went wrong."""

    reason: str
    insufficient: bool


_Answer: TypeAlias = _Examined | _Stopped


class ExaminerProcess:
    """
    Knows the records there are, and has others made.

    Attributes:
        insufficient: why no genome can be examined here; empty while they can.
        failed: what the process ended of; empty while it did not.
    """

    def __init__(self, job: ExamineJob, folder: Path) -> None:
        """
        Read what is known; no process is started before somebody asks.

        Args:
            folder: where records are kept; of the run.
        """
        self._job = job
        self._file = folder / RECORDS
        self._known = _read(self._file, job.name)
        self._process: Any = None
        self._pipe: Connection | None = None
        self._is_asked = False
        self.insufficient = ""
        self.failed = ""

    def __repr__(self) -> str:
        return f"<ExaminerProcess {self.tried} genomes known{', busy' if self._is_asked else ''}>"

    @property
    def tried(self) -> int:
        """How many genomes were evaluated, failed ones too: N."""
        return len(self._known)

    @property
    def trial_sharpes(self) -> list[float]:
        """The ratio of one day of every trial that has one."""
        return [each.sharpe_day for each in self._known.values() if each.sharpe_day is not None]

    @property
    def is_over(self) -> bool:
        """Whether there will be no more records in this process."""
        return bool(self.insufficient or self.failed)

    @property
    def pid(self) -> int | None:
        """The process id of the worker, if there is one."""
        return None if self._process is None else self._process.pid

    def lacks(self, genomes: Sequence[Genome]) -> list[Genome]:
        """Return those there is no record of yet, each once."""
        found = {each.canonical: each for each in genomes if each.canonical not in self._known}
        return list(found.values())

    def examine(self, genomes: Sequence[Genome]) -> dict[str, EvidenceRecord]:
        """Return a record a genome, by its canonical text; none may be lacking."""
        return {genome.canonical: self._known[genome.canonical] for genome in genomes}

    def ask(self, genomes: Sequence[Genome]) -> None:
        """Have genomes examined, unless it is busy with others."""
        if self._is_asked or self.is_over:
            return
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(
                target=_serve, args=(self._job, theirs), name="examiner", daemon=True
            )
            self._process.start()
            theirs.close()
        assert self._pipe is not None, "a process has its pipe"
        self._pipe.send(tuple(genomes))
        self._is_asked = True

    def hear(self) -> None:
        """Take in what has been examined since; never waits."""
        if not self._is_asked or self._pipe is None or not self._pipe.poll(0):
            return
        self._is_asked = False
        try:
            answer: _Answer = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            self.failed = f"the examiner's process ended: exit {self._process.exitcode}"
            return
        match answer:
            case _Examined(records=records):
                self._known.update(records)
                _write(self._file, self._job.name, self._known)
            case _Stopped(reason=reason, insufficient=True):
                self.insufficient = reason
            case _Stopped(reason=reason):
                self.failed = reason

    def stop(self) -> None:
        """End the process if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None
        self._is_asked = False


def _serve(job: ExamineJob, pipe: Connection) -> None:
    """Be the worker: examine what is asked for, until nobody asks any more."""
    become_worker()
    try:
        examiner = make_examiner(job)
        if isinstance(examiner, TooShort):
            pipe.send(_Stopped(examiner.reason, insufficient=True))
            return
        while True:
            asked: tuple[Genome, ...] = pipe.recv()
            pipe.send(_Examined(tuple(examiner.examine(asked).items())))
    except EOFError:
        return
    except TreasuryError as error:
        pipe.send(_Stopped(f"{type(error).__name__}: {error}", insufficient=False))


def _read(file: Path, name: str) -> dict[str, EvidenceRecord]:
    """Return the records of a job that a file holds; none if it is of another, or not there."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    if content["job"] != name:
        return {}
    return {each["canonical"]: _record(each) for each in content["records"]}


def _record(content: dict[str, Any]) -> EvidenceRecord:
    own = {**content, "tested": WindowTrial(**content["tested"]), "genome": GenomeId(content["genome"])}
    return EvidenceRecord(**{**own, "windows": tuple(own["windows"]), "reasons": tuple(own["reasons"])})


def _write(file: Path, name: str, known: dict[str, EvidenceRecord]) -> None:
    """Keep the records, whole or not at all."""
    file.parent.mkdir(exist_ok=True)
    partial = file.with_suffix(".partial")
    content = {"job": name, "records": [asdict(each) for each in known.values()]}
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    partial.replace(file)
