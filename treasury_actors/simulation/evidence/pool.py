"""
Seeds in processes of their own: each tells its trials to the parent, who alone writes the log.

A worker that is killed loses nothing that the log has: the next run of the same command asks the log first.
Workers die with their parent.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeAlias

from treasury_actors.errors import ConfigError, Fault, TreasuryError
from treasury_actors.evolution.model.trial import Trial
from treasury_actors.evolution.model.window_fitness import Judged
from treasury_actors.evolution.model.windows import Window
from treasury_actors.simulation.evidence.trials import TrialBook
from treasury_actors.simulation.evidence.trials_log import TrialsLog
from treasury_actors.simulation.worker import become_worker

Work: TypeAlias = Callable[[TrialBook, int, Callable[[str], None]], dict[str, Any]]
"""Compute one seed (or fold): given a book, its number, and whom to tell how far it is. Picklable."""


class SeedFault(Fault):
    """A seed could not be computed: its process failed or was ended."""


@dataclass(frozen=True, slots=True)
class _Added:
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class _Described:
    window_set: str
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class _Looked:
    run: str
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    text: str


@dataclass(frozen=True, slots=True)
class _Done:
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Failed:
    message: str
    by_user: bool


_Message: TypeAlias = _Added | _Described | _Looked | _Said | _Done | _Failed


class _Wire:
    """A worker's book: what the log knew when it began, and a pipe to the one who writes."""

    def __init__(self, known: dict[str, Judged], pipe: Connection) -> None:
        self._known = known
        self._pipe = pipe

    def judged(self, key: str) -> Judged | None:
        return self._known.get(key)

    def add(self, trials: Sequence[Trial]) -> None:
        self._known.update({trial.key: trial.judged for trial in trials})
        self._pipe.send(_Added(tuple(trials)))

    def describe(self, window_set: str, windows: Sequence[Window]) -> None:
        self._pipe.send(_Described(window_set, tuple(windows)))

    def look(self, run: str, windows: Sequence[Window]) -> None:
        self._pipe.send(_Looked(run, tuple(windows)))


def run_numbered(
    work: Work,
    numbers: Sequence[int],
    *,
    log: TrialsLog,
    run: str,
    workers: int,
    progress: Callable[[str], None],
) -> list[dict[str, Any]]:
    """
    Return the result of every number, in order; those the log has finished are not computed again.

    Args:
        workers: processes at once; with 1 everything happens here.

    Raises:
        ConfigError: what the user gave is wrong, in the words of the worker.
        SeedFault: a worker ended without a result.
    """
    left = [number for number in numbers if log.tally.result(run, number) is None]
    if workers <= 1:
        for number in left:
            log.finish(run, number, work(log, number, _tagged(progress, number)))
    else:
        _in_processes(work, left, log=log, run=run, workers=workers, progress=progress)
    return [log.tally.result(run, number) for number in numbers]


def _tagged(progress: Callable[[str], None], number: int) -> Callable[[str], None]:
    """Return a way to tell progress that says of which seed."""
    return lambda text: progress(f"[{number}] {text}")


def _in_processes(
    work: Work,
    left: list[int],
    *,
    log: TrialsLog,
    run: str,
    workers: int,
    progress: Callable[[str], None],
) -> None:
    """Keep so many workers busy, and write down what they tell."""
    context = multiprocessing.get_context("spawn")
    busy: dict[Connection, tuple[int, Any]] = {}
    waiting = list(left)
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                number = waiting.pop(0)
                ours, theirs = context.Pipe()
                process = context.Process(
                    target=_serve,
                    args=(work, number, dict(log.tally.verdicts), theirs),
                    name=f"seed-{number}",
                    daemon=True,
                )
                process.start()
                theirs.close()
                busy[ours] = (number, process)
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection), "only pipes are waited for"
                number, process = busy[pipe]
                if _take(pipe, process, log=log, run=run, number=number, progress=progress):
                    process.join()
                    pipe.close()
                    del busy[pipe]
    finally:
        for _, process in busy.values():
            process.kill()
            process.join()


def _take(
    pipe: Connection,
    process: Any,  # noqa: ANN401 (a process of the spawn context)
    *,
    log: TrialsLog,
    run: str,
    number: int,
    progress: Callable[[str], None],
) -> bool:
    """Take one message of a worker; say whether it was its last."""
    try:
        message: _Message = pipe.recv()
    except (EOFError, OSError):
        process.join()
        raise SeedFault(f"the process of seed {number} ended: exit {process.exitcode}") from None
    match message:
        case _Added():
            log.add(message.trials)
        case _Described():
            log.describe(message.window_set, message.windows)
        case _Looked():
            log.look(message.run, message.windows)
        case _Said():
            progress(f"[{number}] {message.text}")
        case _Done():
            log.finish(run, number, message.result)
            return True
        case _Failed():
            raise ConfigError(message.message) if message.by_user else SeedFault(message.message)
    return False


def _serve(work: Work, number: int, known: dict[str, Judged], pipe: Connection) -> None:
    """Be a worker: compute one number, tell everything, end."""
    become_worker()
    try:
        pipe.send(_Done(work(_Wire(known, pipe), number, lambda text: pipe.send(_Said(text)))))
    except TreasuryError as error:
        by_user = error.exit_code == ConfigError.exit_code
        pipe.send(_Failed(str(error) if by_user else f"{type(error).__name__}: {error}", by_user))
    pipe.close()
