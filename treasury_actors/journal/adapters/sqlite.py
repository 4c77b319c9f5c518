"""The journal in an SQLite file: one writer, one connection, many appends to a commit."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, closing
from functools import partial
from itertools import chain as chained
from pathlib import Path
from typing import TypeAlias

import aiosqlite

from treasury_actors.clock import Clock
from treasury_actors.errors import InvariantViolated, JournalFault
from treasury_actors.journal.access import check_written_by_owner_alone
from treasury_actors.journal.adapters.backup import copy_journal
from treasury_actors.journal.event import Head, Recorded, after, chain
from treasury_actors.journal.folder import sync_folder
from treasury_actors.journal.ports import NO_PROVENANCE
from treasury_actors.journal.reader import ReadonlyJournal, is_blank
from treasury_actors.journal.schema import CREATE, INSERT, SQLITE_NEEDED, fault_of, row_of
from treasury_actors.journal.sqlite_in_use import check_only_writer
from treasury_actors.journal.verify import Verified, verify
from treasury_actors.message import Provenance

_TAIL_EVENTS = 64  # how many of the last events every opening checks
_BUSY_TIMEOUT_S = 5.0  # nobody else writes; a reader that recovers a log holds it for a moment

Connect: TypeAlias = Callable[[Path, float], sqlite3.Connection]
"""Makes the one connection that writes, of a path and how many seconds to wait for a reader's lock."""

# SQLite's own locks do not keep two connections of one process from taking turns, so this does.
_OPEN_HERE: set[Path] = set()


def _plainly(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=busy_timeout_s)


class SqliteJournal:
    """
    The `Journal` port over an SQLite file in WAL mode. Make one with `open`.

    Who opens a file holds the lock on its run folder; a second writer in one process is refused here.
    """

    def __init__(
        self, path: Path, connection: aiosqlite.Connection, *, head: Head, clock: Clock, epoch: int
    ) -> None:
        self._path = path
        self._connection = connection
        self._head = head
        self._durable_seq = head.seq
        self._pending: list[Recorded] = []
        self._commit: asyncio.Task[None] | None = None
        self._refusal: str | None = None
        self._clock = clock
        self._epoch = epoch
        self._pid = os.getpid()

    def __repr__(self) -> str:
        return f"<SqliteJournal {self._path} seq={self._head.seq} durable={self._durable_seq}>"

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        durable: bool = True,
        epoch: int = 0,
        verify_chain: bool = False,
        busy_timeout_s: float = _BUSY_TIMEOUT_S,
        connect: Connect = _plainly,
    ) -> "SqliteJournal":
        """
        Open `path` to append after its last event; make it, readable by its owner alone, if it is not there.

        `clock` gives the wall time and `epoch` the start of the process: both stand beside each event,
        outside the hash. With `durable` a flush survives a power failure, without it only a kill, which is
        enough where no money is real. `verify_chain` checks the chain of all of the file, not of its tail.
        `connect` is for who wants to see, or to break, what is done to the disk.

        Raises JournalCorrupt naming the first bad event, JournalFault for a file of a newer version (left as
        it is) or one that cannot be opened, ConfigError for one that others may write, InvariantViolated if
        this process has it open already.
        """
        with ExitStack() as undo:
            path = _claim(path)
            undo.callback(_OPEN_HERE.discard, path)
            is_new = _make_file(path, partial(connect, path, busy_timeout_s))
            head = Head() if is_new else _checked_head(path, verify_chain=verify_chain)
            connection = await _connect(
                partial(connect, path, busy_timeout_s), path, durable=durable, is_new=is_new
            )
            undo.pop_all()
        return cls(path, connection, head=head, clock=clock, epoch=epoch)

    def append(
        self, event: object, *, stream: str, time_ns: int, provenance: Provenance = NO_PROVENANCE
    ) -> Recorded:
        """Give `event` the next place in the chain; see the port."""
        self._check_usable()
        recorded = chain(self._head, event, stream=stream, time_ns=time_ns, provenance=provenance)
        self._pending.append(recorded)
        self._head = after(recorded)
        return recorded

    async def flush(self) -> None:
        """Return when all appended before the call is committed; one commit serves all who wait."""
        self._check_usable()
        wanted_seq = self._head.seq
        while self._durable_seq < wanted_seq:
            if self._commit is None:
                # A task of its own: whoever waits may be cancelled, a commit half done may not.
                self._commit = asyncio.create_task(self._commit_pending())  # noqa: TID251
            await asyncio.shield(self._commit)
            self._check_usable()

    @property
    def head(self) -> tuple[int, str]:
        """Seq and hash of the last appended event."""
        self._check_usable()
        return self._head.seq, self._head.hash

    @property
    def durable_seq(self) -> int:
        """Seq of the last committed event; readable of a poisoned journal too."""
        return self._durable_seq

    def read(self, first_seq: int = 1) -> Iterator[Recorded]:
        """Yield the events from `first_seq` on; see the port. It blocks the loop: for a start, not a turn."""
        self._check_usable()
        pending = [recorded for recorded in self._pending if recorded.seq >= first_seq]
        return chained(self._read_file(first_seq, self._durable_seq), pending)

    def count(self, type_: str, *, after_seq: int = 0) -> int:
        """Return how many events of a type there are after one; see the port."""
        self._check_usable()
        pending = sum(recorded.type == type_ and recorded.seq > after_seq for recorded in self._pending)
        with ReadonlyJournal(self._path) as reader:
            return reader.count(type_, after_seq=after_seq) + pending

    async def back_up(self, target: Path) -> Verified:
        """
        Copy all that is durable after a flush to the file `target`; return what the copy, verified, holds.

        Raises ConfigError if `target` is there already or has no folder, JournalFault if it can't be written:
        this journal goes on either way.
        """
        await self.flush()
        return await copy_journal(self._connection, target)

    async def abandon(self) -> None:
        """Let go of the file without writing what is pending; a commit under way is waited for."""
        if self._commit is not None:
            await asyncio.shield(self._commit)
        self._refusal = self._refusal or "the journal was abandoned"
        await self.close()

    async def close(self) -> None:
        """Flush, fold the log into the file, let go of it."""
        if self._path not in _OPEN_HERE:
            return
        try:
            if self._refusal is None:
                await self.flush()
        finally:
            self._refusal = self._refusal or "the journal is closed"
            try:
                await self._connection.close()
            except sqlite3.Error as error:
                raise fault_of(error, f"{self._path} cannot be closed", seq=0) from error
            finally:
                _OPEN_HERE.discard(self._path)

    def _read_file(self, first_seq: int, last_seq: int) -> Iterator[Recorded]:
        if first_seq > last_seq:
            return
        with ReadonlyJournal(self._path) as reader:
            yield from reader.read(first_seq, last_seq=last_seq)

    async def _commit_pending(self) -> None:
        """Write all that is pending in one transaction. A failure is left in `_refusal`, for all who wait."""
        batch = self._pending[:]
        wall_ns = self._clock.now_ns()
        rows = [row_of(each, wall_ns=wall_ns, pid=self._pid, epoch=self._epoch) for each in batch]
        refusal: str | None = "the commit was given up"
        try:
            await self._connection.executemany(INSERT, rows)
            await self._connection.commit()
            refusal = None
        except (sqlite3.Error, OSError, MemoryError) as error:
            # Never tried again here: after a failed fsync the kernel may have thrown the pages away, and a
            # second one would report success. A new start reads the disk.
            why = str(error) or "out of memory"
            refusal = f"{self._path}: events {batch[0].seq} to {batch[-1].seq} were not written: {why}"
        finally:
            self._refusal = self._refusal or refusal
            self._commit = None
        self._durable_seq = batch[-1].seq if refusal is None else self._durable_seq
        del self._pending[: len(batch) if refusal is None else 0]

    def _check_usable(self) -> None:
        if self._refusal is not None:
            raise JournalFault(self._refusal)


def _claim(path: Path) -> Path:
    """Return the file itself, whatever links lead to it, as this process's alone."""
    path = path.resolve()
    if path in _OPEN_HERE:
        raise InvariantViolated(f"{path} has a writer in this process already")
    _OPEN_HERE.add(path)
    return path


def _make_file(path: Path, connector: Callable[[], sqlite3.Connection]) -> bool:
    """Make the file if it is not there; say whether it has yet to become a journal."""
    if sqlite3.sqlite_version_info < SQLITE_NEEDED:
        raise JournalFault(f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or newer is needed")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        check_written_by_owner_alone(path)
        _undo_first_write(path, connector)
        return is_blank(path)
    except OSError as error:
        raise JournalFault(f"{path} cannot be made: {error.strerror}") from error
    return True


def _undo_first_write(path: Path, connector: Callable[[], sqlite3.Connection]) -> None:
    """
    Let SQLite take back a first write that the power was cut in.

    Until a file is in WAL mode its writes have a rollback journal, and half of its first page makes it no
    database for whoever may only read.
    """
    if not path.with_name(path.name + "-journal").exists():
        return
    try:
        with closing(connector()) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise fault_of(error, f"{path} cannot be opened", seq=0) from error


def _checked_head(path: Path, *, verify_chain: bool) -> Head:
    """Return where the file ends, after checking its tail or all of it."""
    if verify_chain:
        verify(path, decode_payloads=False)  # the replay that follows decodes
    with ReadonlyJournal(path) as reader:
        last = reader.last()
        if last is None:
            return Head()
        for recorded in reader.read(last.seq - _TAIL_EVENTS + 1):
            last = recorded
    return after(last)


async def _connect(
    connector: Callable[[], sqlite3.Connection], path: Path, *, durable: bool, is_new: bool
) -> aiosqlite.Connection:
    async with AsyncExitStack() as undo:
        try:
            connection = await aiosqlite.Connection(connector, iter_chunk_size=1)
            undo.push_async_callback(connection.close)
            async with connection.execute("PRAGMA journal_mode = WAL") as cursor:
                mode = await cursor.fetchone()
            await connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            # macOS: without it a sync stops at the drive's own memory
            await connection.execute(f"PRAGMA fullfsync = {int(durable)}")
            if is_new:
                await connection.executescript(CREATE)
            sync_folder(path.parent)
        except sqlite3.Error as error:
            raise fault_of(error, f"{path} cannot be opened", seq=0) from error
        except OSError as error:
            raise JournalFault(f"{path.parent} cannot be synced: {error.strerror}") from error
        if mode is None or mode[0] != "wal":
            raise JournalFault(f"{path}: this file system has no write-ahead log")
        check_only_writer(path)
        undo.pop_all()
    return connection
