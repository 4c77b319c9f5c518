"""How the journal lies in an SQLite file, for the one that writes it and those that read it."""

import sqlite3
from typing import TypeAlias, cast
from zlib import crc32

from treasury_actors.errors import JournalCorrupt, JournalFault
from treasury_actors.journal.event import Recorded

SCHEMA_VERSION = 1
SQLITE_NEEDED = (3, 37, 0)  # STRICT tables

# All but the last four columns are in the hash; those have a checksum of their own, over the hash too.
CREATE = f"""
BEGIN IMMEDIATE;
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    type TEXT NOT NULL,
    time_ns INTEGER NOT NULL,
    payload TEXT NOT NULL,
    causation_id TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    wall_ns INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    outside_crc32 INTEGER NOT NULL
) STRICT;
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
INSERT = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
SELECT = "SELECT * FROM event WHERE seq >= ? ORDER BY seq LIMIT ?"

Row: TypeAlias = tuple[int, str, str, int, str, str, str, str, str, int, int, int, int]
_ROW_TYPES = (int, str, str, int, str, str, str, str, str, int, int, int, int)

_ENVIRONMENT = frozenset(
    {
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)


def row_of(recorded: Recorded, *, wall_ns: int, pid: int, epoch: int) -> Row:
    """Return an event as its row."""
    return (
        recorded.seq,
        recorded.stream,
        recorded.type,
        recorded.time_ns,
        recorded.payload,
        recorded.causation_id,
        recorded.correlation_id,
        recorded.prev_hash,
        recorded.hash,
        wall_ns,
        pid,
        epoch,
        _outside_crc32(recorded.hash, wall_ns, pid, epoch),
    )


def recorded_of(row: tuple[object, ...]) -> Recorded:
    """Return the event of a row; raise ValueError if the row is not as `row_of` made it."""
    if tuple(map(type, row)) != _ROW_TYPES:
        raise ValueError("a column has another type")
    # `_ROW_TYPES` was just compared with it
    *columns, wall_ns, pid, epoch, crc = cast("Row", row)
    recorded = Recorded._make(columns)
    if crc != _outside_crc32(recorded.hash, wall_ns, pid, epoch):
        raise ValueError("its wall time, process or epoch was changed")
    return recorded


def fault_of(error: sqlite3.Error, doing: str, *, seq: int) -> JournalFault:
    """
    Return what an SQLite error means: JournalFault if the machine failed, JournalCorrupt if the file is bad.

    `seq` is the event that was being read, 0 for the file as a whole.
    """
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _ENVIRONMENT:
        return JournalFault(f"{doing}: {error}")
    return JournalCorrupt(f"{doing}: {error}", seq=seq)


def _outside_crc32(hash_: str, wall_ns: int, pid: int, epoch: int) -> int:
    return crc32(f"{hash_} {wall_ns} {pid} {epoch}".encode())
