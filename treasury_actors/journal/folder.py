"""The lock on a run folder: one process at a time, and a number for each start."""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from treasury_actors.errors import FolderInUse, JournalFault
from treasury_actors.journal.mounts import MOUNTS, check_local

# A forked child shares the lock's file description and would hold it after its parent was killed.
_HELD: set[int] = set()


class FolderLock:
    """
    The right to write in a run folder, held until `release` or the death of the process, however it dies.

    `with FolderLock(folder) as lock:` acquires it, unless that was done, and makes the folder (0700) if it is
    not there. `lock` in it names the process; `epoch` counts the starts, so that what an earlier life wrote
    can be told from this one's.
    `mounts` says what is mounted; a folder on a network's file system is refused.
    """

    def __init__(self, folder: Path, *, mounts: Path = MOUNTS) -> None:
        self._folder = folder
        self._mounts = mounts
        self._handle: int | None = None
        self._epoch = 0

    def __enter__(self) -> Self:
        if self._handle is None:
            self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<FolderLock {self._folder} {'free' if self._handle is None else f'epoch={self._epoch}'}>"

    @property
    def folder(self) -> Path:
        """The folder itself, whatever links lead to it; known once acquired."""
        return self._folder

    @property
    def epoch(self) -> int:
        """1 for the first start in this folder, one more for each after it."""
        assert self._handle is not None, "an epoch belongs to who holds the lock"
        return self._epoch

    def acquire(self) -> None:
        """
        Take the lock at once.

        Raises FolderInUse naming the process that has it, ConfigError for a folder where no lock holds.
        """
        assert self._handle is None, "a lock is acquired once"
        check_local(self._folder, mounts=self._mounts)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder = self._folder.resolve(strict=True)
            handle = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise JournalFault(f"{self._folder} cannot be used as a run folder: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
            os.close(handle)
            raise FolderInUse(f"{self._folder} is in use by process {holder or 'unknown'}") from None
        with ExitStack() as undo:
            undo.callback(os.close, handle)
            try:
                os.ftruncate(handle, 0)
                os.pwrite(handle, f"{os.getpid()}\n".encode("ascii"), 0)
                self._epoch = _next_epoch(self._folder)
            except OSError as error:
                raise JournalFault(f"{self._folder} cannot be written: {error.strerror}") from error
            undo.pop_all()
        _HELD.add(handle)
        self._handle = handle

    def release(self) -> None:
        """Let go. The file stays: taking it away would let two processes lock two files of one name."""
        if self._handle is not None:
            _HELD.discard(self._handle)
            os.close(self._handle)
            self._handle = None


def _next_epoch(folder: Path) -> int:
    """Count this start, durably, and return its number."""
    file = folder / "epoch"
    try:
        text = file.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        text = "0\n"
    if not text.strip().isdecimal():
        raise JournalFault(f"{file} holds {text!r:.40}, not the number of the last start")
    epoch = int(text) + 1
    draft = folder / "epoch.new"
    handle = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        os.write(handle, f"{epoch}\n".encode("ascii"))
        os.fsync(handle)
    finally:
        os.close(handle)
    draft.replace(file)
    sync_folder(folder)
    return epoch


def sync_folder(folder: Path) -> None:
    """Make durable which files a folder holds; raise OSError if the disk cannot."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _let_go_in_child() -> None:
    for handle in _HELD:
        os.close(handle)  # not an unlock: that would free the parent's lock too
    _HELD.clear()


os.register_at_fork(after_in_child=_let_go_in_child)
