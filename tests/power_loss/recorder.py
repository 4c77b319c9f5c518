"""A connection of `apsw` under the journal's adapter; its file operations are written down."""

import sqlite3
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias, cast

import apsw

from tests.power_loss.disk import Deleted, Opened, Operation, Synced, Truncated, Written
from treasury_actors.journal.adapters.sqlite import Connect

Buffer: TypeAlias = bytes | bytearray | memoryview

_NUMBERS = count(1)


class RecordingVfs(apsw.VFS):
    """The system's own file layer, telling `tell` each operation that a power cut could undo."""

    def __init__(self, tell: Callable[[Operation], None]) -> None:
        self.name = f"recording-{next(_NUMBERS)}"
        self._tell = tell
        super().__init__(self.name, "")

    def xOpen(self, name: "str | apsw.URIFilename | None", flags: list[int]) -> "_RecordingFile":  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        assert path is not None, "a journal needs no temporary files"
        return _RecordingFile(path, name, flags, self._tell)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001
        super().xDelete(filename, syncdir)
        self._tell(Deleted(name=Path(filename).name, folder_synced=syncdir))


class _RecordingFile(apsw.VFSFile):
    def __init__(
        self,
        path: str,
        name: "str | apsw.URIFilename | None",
        flags: list[int],
        tell: Callable[[Operation], None],
    ) -> None:
        self._name = Path(path).name
        self._tell = tell
        super().__init__("", cast("Any", name), flags)
        tell(Opened(name=self._name))

    def xWrite(self, data: Buffer, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._tell(Written(name=self._name, offset=offset, data=bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._tell(Truncated(name=self._name, size=newsize))

    def xSync(self, _: int) -> None:  # noqa: N802
        """Only say so: the disk is a model."""
        self._tell(Synced(name=self._name))


class _Facade:
    """As much of `sqlite3.Connection` as the adapter asks for, over an apsw connection."""

    def __init__(self, connection: apsw.Connection, say: Callable[[str], str]) -> None:
        self._connection = connection
        self._say = say

    def execute(self, sql: str, parameters: Iterable[object] = ()) -> "_Cursor":
        return self._run(sql, cast("Any", tuple(parameters)))

    def executemany(self, sql: str, rows: Iterable[Iterable[object]]) -> "_Cursor":
        """Open a transaction first, as Python's sqlite3 does before it inserts."""
        if not self._connection.in_transaction:
            self._run("BEGIN")
        cursor = self._connection.cursor()
        cursor.executemany(self._say(sql), cast("Any", rows))
        return _Cursor(cursor)

    def executescript(self, sql: str) -> "_Cursor":
        return self._run(sql)

    def commit(self) -> None:
        if self._connection.in_transaction:
            self._run("COMMIT")

    def close(self) -> None:
        self._connection.close()

    def _run(self, sql: str, parameters: "tuple[apsw.SQLiteValue, ...] | None" = None) -> "_Cursor":
        cursor = self._connection.cursor()
        cursor.execute(self._say(sql), parameters)
        return _Cursor(cursor)


class _Cursor:
    def __init__(self, cursor: apsw.Cursor) -> None:
        self._cursor = cursor

    def fetchone(self) -> object:
        return self._cursor.fetchone()

    def close(self) -> None:
        self._cursor.close()


def recording(
    tell: Callable[[Operation], None],
    *,
    autocheckpoint_pages: int | None = None,
    say: Callable[[str], str] = str,
) -> Connect:
    """
    Return what the adapter connects with, so that all it does to its files is told to `tell`.

    `autocheckpoint_pages` makes SQLite fold its log sooner than after 1,000 pages. `say` may change a
    statement on its way: only for showing that the harness sees what a wrong one costs.
    """
    vfs = RecordingVfs(tell)

    def connect(path: Path, _: float) -> sqlite3.Connection:
        connection = apsw.Connection(str(path), vfs=vfs.name)
        if autocheckpoint_pages is not None:
            connection.wal_autocheckpoint(autocheckpoint_pages)
        return cast("sqlite3.Connection", _Facade(connection, say))

    return connect
