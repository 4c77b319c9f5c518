"""
The log of trials: one append-only file a workspace, each line chained to the one before by its hash.

Whatever was tried stays: the failed and the vetoed, other seeds, other configs, last month. How good the
best of so many looks by luck alone is counted from here, and so is how often a test window was looked at.
A line that was cut off by a kill was never acknowledged and is dropped; anything else that is wrong is an
error that names its line.
"""

import json
import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from treasury_actors.errors import ConfigError, DataError, JournalFault
from treasury_actors.evolution.model.trial import Trial
from treasury_actors.evolution.model.window_fitness import Judged
from treasury_actors.evolution.model.windows import Window
from treasury_actors.journal.folder import FolderLock, sync_folder
from treasury_actors.simulation.evidence.trials_tally import TrialsTally, of_judged

FILE = "trials.jsonl"
_GENESIS = "0" * 64


class TrialsLog:
    """
    The trials of a workspace; a context manager that holds the folder's lock.

    Attributes:
        tally: what its lines say together.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FolderLock(folder)
        self._handle: int | None = None
        self._head = _GENESIS
        self._seq = 0
        self.tally = TrialsTally()

    def __repr__(self) -> str:
        return f"<TrialsLog {self._folder}, {self.tally.ever} trials>"

    def __enter__(self) -> Self:
        self._lock.acquire()
        try:
            self._read()
            flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND
            self._handle = os.open(self._folder / FILE, flags, 0o600)
            sync_folder(self._folder)
        except OSError as error:
            self._lock.release()
            raise JournalFault(f"{self._folder / FILE}: {error.strerror}") from error
        except DataError:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        self._lock.release()

    @property
    def head(self) -> str:
        """The hash of the last line: what a report anchors."""
        return self._head

    def judged(self, key: str) -> Judged | None:
        """Return what a key was judged before, if it was."""
        return self.tally.verdicts.get(key)

    def preregister(self, config_hash: str, content: Mapping[str, object]) -> bool:
        """Write gates and windows down before a run; return whether they were new."""
        if config_hash in self.tally.registered:
            return False
        self._append([("preregistered", {"config_hash": config_hash, "content": dict(content)})])
        return True

    def begin(self, run: str, config_hash: str, about: Mapping[str, object]) -> bool:
        """
        Begin a run, or go on with it; return whether it is new.

        Raises:
            ConfigError: nobody wrote its gates down before, or they were edited after it began.
        """
        if config_hash not in self.tally.registered:
            raise ConfigError(f"config {config_hash[:12]} was not preregistered in {self._folder}")
        begun = self.tally.runs.get(run)
        if begun is None:
            self._append([("run", {"run": run, "config_hash": config_hash, "about": dict(about)})])
            return True
        if begun != config_hash:
            raise ConfigError(
                f"run {run}: gates edited after it started: it began under {begun[:12]}, the config is now"
                f" {config_hash[:12]}; start another run"
            )
        return False

    def add(self, trials: Sequence[Trial]) -> None:
        """Append evaluations; a run that asks for what was judged before counts it as its trial, too."""
        lines: list[tuple[str, dict[str, Any]]] = []
        for trial in trials:
            known = trial.key in self.tally.verdicts
            if known and (trial.purpose != "fitness" or self.tally.has_asked(trial.run, trial.key)):
                continue
            body: dict[str, Any] = {
                "run": trial.run,
                "arm": trial.arm,
                "purpose": trial.purpose,
                "key": trial.key,
            }
            if not known:
                body |= {
                    "genome": trial.genome.canonical,
                    "windows": trial.window_set,
                    "seed": trial.seed,
                    **of_judged(trial.judged),
                }
            lines.append(("trial", body))
        if lines:
            # A cut of the power may cost trials whose results nobody has seen; a kill costs none.
            self._append(lines, durable=False)

    def describe(self, window_set: str, windows: Sequence[Window]) -> None:
        """Write down once which windows a set is."""
        if window_set not in self.tally.window_sets:
            names = [f"{window.label} {window.name}" for window in windows]
            self._append([("windows", {"set": window_set, "windows": names})], durable=False)

    def look(self, run: str, windows: Sequence[Window]) -> None:
        """Write down that a run looks at test windows; once a run, before it does."""
        new = [window.name for window in windows if not self.tally.has_looked(run, window)]
        if new:
            self._append([("looked", {"run": run, "windows": new})])

    def finish(self, run: str, seed: int, result: Mapping[str, object]) -> None:
        """Note what a run found for a seed or fold, so that it is not computed again."""
        self._append([("result", {"run": run, "seed": seed, "result": dict(result)})])

    def _append(self, entries: Sequence[tuple[str, dict[str, Any]]], *, durable: bool = True) -> None:
        """Write lines, and make all that was written durable."""
        assert self._handle is not None, "a log is opened before it is written"
        lines = []
        for kind, body in entries:
            self._seq += 1
            self._head = _link(self._head, kind, body)
            lines.append(
                _canonical({"seq": self._seq, "kind": kind, "body": body, "hash": self._head}) + "\n"
            )
            self.tally.fold(kind, body)
        try:
            data = "".join(lines).encode()
            while data:
                data = data[os.write(self._handle, data) :]
            if durable:
                os.fsync(self._handle)
        except OSError as error:
            raise JournalFault(f"{self._folder / FILE}: {error.strerror}") from error

    def _read(self) -> None:
        """Fold the file; drop a last line that was cut off."""
        path = self._folder / FILE
        data = path.read_bytes() if path.exists() else b""
        whole, cut, torn = data.rpartition(b"\n")
        if torn:
            os.truncate(path, len(whole) + len(cut))
        for number, line in enumerate(whole.split(b"\n") if whole else (), start=1):
            try:
                entry = json.loads(line)
                seq, kind, body, claimed = (entry[name] for name in ("seq", "kind", "body", "hash"))
                self._head = _link(self._head, kind, body)
                if seq != number or claimed != self._head:
                    raise DataError(f"{path}: line {number}: not what was written: its hash differs")
                self._seq = seq
                self.tally.fold(kind, body)
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path}: line {number}: no line of a log of trials: {error}") from None


def _canonical(value: object) -> str:
    """Return the one JSON text of a value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _link(head: str, kind: str, body: object) -> str:
    """Return the hash of a line after the line of hash `head`."""
    return sha256(f"{head}\n{kind}\n{_canonical(body)}".encode()).hexdigest()
