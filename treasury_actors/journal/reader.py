"""
Reading a journal file from any process, while its writer lives or after it died, without disturbing either.

Never open the file by other means than SQLite: closing a plain file handle would drop the POSIX locks that
the writer in the same process holds.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Self, TypeAlias

from treasury_actors.errors import JournalCorrupt, JournalFault
from treasury_actors.journal.event import Head, Recorded, what_is_wrong
from treasury_actors.journal.schema import SCHEMA_VERSION, SELECT, fault_of, recorded_of

_CHUNK_ROWS = 512  # a read transaction this short never keeps the writer from resetting its log
_BUSY_TIMEOUT_S = 5.0

_Print: TypeAlias = tuple[bool, int, int, int]


def open_readonly(path: Path) -> "ReadonlyJournal":
    """
    Open a journal file to read.

    Raises JournalFault if there is none or it is of a newer version, JournalCorrupt if it is no journal.
    """
    return ReadonlyJournal(path)


class ReadonlyJournal:
    """
    The events of a journal file, checked link by link as they are read.

    Every read sees what was committed when it came by. With no writer about, the file is opened as immutable,
    so that not even SQLite's own side files appear; if a writer comes meanwhile, what was read is read again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        if not self._path.is_file():
            raise JournalFault(f"there is no journal {path}")
        self._connection, self._print = self._connect()
        try:
            self._check_version()
        except JournalFault:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ReadonlyJournal {self._path}>"

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def read(self, first_seq: int = 1, *, last_seq: int | None = None) -> Iterator[Recorded]:
        """
        Yield the events from `first_seq` to `last_seq` or the end, each after checking its hash and link.

        Raises JournalCorrupt at the first that is not what was written. The link of the first one yielded
        can only be checked if it is event 1.
        """
        expected = max(first_seq, 1)
        head: Head | Recorded | None = Head() if expected == 1 else None
        while last_seq is None or expected <= last_seq:
            wanted = _CHUNK_ROWS if last_seq is None else min(_CHUNK_ROWS, last_seq - expected + 1)
            rows, damage = self._fetch(expected, wanted)
            for row in rows:
                head = recorded = self._checked(row, head, expected)
                yield recorded
                expected += 1
            if damage is not None:
                raise fault_of(damage, f"{self._path}: event {expected} cannot be read", seq=expected)
            if len(rows) < wanted:
                return

    def last(self) -> Recorded | None:
        """Return the last event, unchecked, or None if there is none."""
        seq = self._number("SELECT max(seq) FROM event")
        return next(self.read(seq), None) if seq else None

    def count(self, type_: str, *, after_seq: int = 0) -> int:
        """Return how many events of a type there are after one, unchecked."""
        return self._number("SELECT count(*) FROM event WHERE seq > ? AND type = ?", after_seq, type_)

    def check_pages(self) -> None:
        """Raise JournalCorrupt if SQLite finds its own structure damaged, or an event before the first."""
        found = self._value("PRAGMA quick_check(1)")
        if found != "ok":
            raise JournalCorrupt(f"{self._path}: {found}", seq=0)
        if self._number("SELECT count(*) FROM event WHERE seq < 1"):
            raise JournalCorrupt(f"{self._path}: an event stands before the first", seq=0)

    def _checked(self, row: tuple[object, ...], head: Head | Recorded | None, expected: int) -> Recorded:
        try:
            recorded = recorded_of(row)
        except ValueError as error:
            raise JournalCorrupt(
                f"{self._path}: event {expected} was changed: {error}", seq=expected
            ) from None
        if head is None:  # in the middle: what came before is taken on trust
            head = Head(seq=expected - 1, hash=recorded.prev_hash, time_ns=recorded.time_ns)
        wrong = what_is_wrong(recorded, head)
        if wrong is not None:
            raise JournalCorrupt(f"{self._path}: {wrong}", seq=expected)
        return recorded

    def _fetch(self, first_seq: int, count: int) -> tuple[list[tuple[object, ...]], sqlite3.Error | None]:
        """Return up to `count` rows as of one moment, and the error that cut them short if there was one."""
        while True:
            rows: list[tuple[object, ...]] = []
            damage: sqlite3.Error | None = None
            try:
                with closing(self._connection.execute(SELECT, (first_seq, count))) as cursor:
                    rows.extend(cursor)
            except sqlite3.Error as error:
                damage = error
            if self._is_settled():
                return rows, damage

    def _is_settled(self) -> bool:
        """Say whether what was just read can be trusted; if not, a writer came: open anew, to its rules."""
        if self._print[0] or self._print == _print_of(self._path):
            return True
        self._connection.close()
        self._connection, self._print = self._connect()
        return False

    def _connect(self) -> tuple[sqlite3.Connection, _Print]:
        print_ = _print_of(self._path)
        try:
            return _connect(self._path, has_writer_log=print_[0]), print_
        except sqlite3.Error as error:
            raise fault_of(error, f"{self._path} cannot be opened", seq=0) from error

    def _check_version(self) -> None:
        version = self._number("PRAGMA user_version")
        if version > SCHEMA_VERSION:
            raise JournalFault(
                f"{self._path} was written by a newer version: schema {version}, known up to {SCHEMA_VERSION}"
            )
        if version < 1 or not self._number("SELECT count(*) FROM sqlite_master WHERE name = 'event'"):
            raise JournalCorrupt(f"{self._path} holds no journal", seq=0)

    def _number(self, query: str, *parameters: int | str) -> int:
        found = self._value(query, *parameters)
        return found if isinstance(found, int) else 0

    def _value(self, query: str, *parameters: int | str) -> object:
        while True:
            value: object = None
            damage: sqlite3.Error | None = None
            try:
                with closing(self._connection.execute(query, parameters)) as cursor:
                    (value,) = cursor.fetchone()
            except sqlite3.Error as error:
                damage = error
            if self._is_settled():
                if damage is not None:
                    raise fault_of(damage, f"{self._path} cannot be read", seq=0) from damage
                return value


def is_blank(path: Path) -> bool:
    """Say whether a file is one that a start made but did not live to make a journal of."""
    try:
        with closing(_connect(path, has_writer_log=_print_of(path)[0])) as connection:
            (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise fault_of(error, f"{path} cannot be read", seq=0) from error
    return bool(objects == 0 and version == 0)


def _connect(path: Path, *, has_writer_log: bool) -> sqlite3.Connection:
    """Open to read; where no writer is about, so that SQLite makes no side files either."""
    uri = f"{path.as_uri()}?mode=ro" + ("" if has_writer_log else "&immutable=1")
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None)


def _print_of(path: Path) -> _Print:
    """Return whether a log of its writer stands beside the file, and what changes when the file does."""
    found = path.stat()
    has_log = any(path.with_name(path.name + suffix).exists() for suffix in ("-wal", "-journal"))
    return has_log, found.st_ino, found.st_size, found.st_mtime_ns
