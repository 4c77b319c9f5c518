"""
Which SQLite this process has, and that a known defect of it can't reach a journal.

SQLite 3.7.0 to 3.51.2 can lose pages when two connections write to, or checkpoint, one file in WAL mode at
the same instant and one of them resets the log. A journal has one connection that may write, in one process:
the folder's lock keeps other processes out, the adapter other openings, and `check_only_writer` asks the
system whether that is really so. Readers open the file read-only, and who may only read never checkpoints.
"""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from treasury_actors.errors import InvariantViolated

_DEFECT_FIRST, _DEFECT_LAST = (3, 7, 0), (3, 51, 2)
_DESCRIPTORS = Path("/proc/self/fd")
_DESCRIPTOR_FACTS = Path("/proc/self/fdinfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteInUse:
    """
    The SQLite that Python brought along.

    Attributes:
        wal_reset_defect: whether this version has the defect that needs two writing connections.
        guard: what keeps it from a journal.
    """

    version: str
    wal_reset_defect: bool
    guard: str


def sqlite_in_use(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> SqliteInUse:
    """Return what is to be said of the SQLite in use."""
    has_defect = _DEFECT_FIRST <= version <= _DEFECT_LAST
    return SqliteInUse(
        version=".".join(map(str, version)),
        wal_reset_defect=has_defect,
        guard="one read-write connection, checked at every start",
    )


def check_only_writer(path: Path) -> None:
    """
    Assert that this process has the file open for writing exactly once.

    Where the system does not list its descriptors (macOS), the adapter's own book of open files has to do.
    """
    count = writing_descriptors(path)
    if count is not None and count != 1:
        raise InvariantViolated(
            f"{path} is open for writing {count} times in this process; SQLite {sqlite3.sqlite_version}"
            " is safe with one connection that writes"
        )


def writing_descriptors(path: Path) -> int | None:
    """Return how many of this process's descriptors may write to a file; None where the system won't say."""
    try:
        names = sorted(entry.name for entry in _DESCRIPTORS.iterdir())
    except OSError:
        return None
    wanted = path.stat()
    return sum(_writes_to(name, wanted) for name in names)


def _writes_to(descriptor: str, wanted: os.stat_result) -> bool:
    try:
        found = os.fstat(int(descriptor))
        if not os.path.samestat(found, wanted):
            return False
        facts = (_DESCRIPTOR_FACTS / descriptor).read_text(encoding="ascii")
    except OSError:
        return False  # closed meanwhile: the one that listed them, for instance
    flags = next(line for line in facts.splitlines() if line.startswith("flags:"))
    return int(flags.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
