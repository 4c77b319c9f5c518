"""
A disk that may lose what was not synced, and what of it a power cut can leave. Pure.

The model is harsher than most disks: between two syncs of a file, any of its 512-byte sectors may have
reached the medium or not, in any order, one of them perhaps half; a file's end may have moved or not; and a
folder may have any prefix of the names that were made and taken away since it was synced last. What was
synced is there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

import numpy as np

SECTOR_BYTES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A name of the folder was opened; the first time, that made the file."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """`data` was written at `offset`."""

    name: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncated:
    """The file's end was moved to `size`."""

    name: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """The file was synced; SQLite syncs the folder with the first sync of a file it made."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """The name was taken away."""

    name: str
    folder_synced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSynced:
    """The folder itself was synced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """Somebody was told that the events up to `seq` are durable."""

    seq: int


Operation: TypeAlias = Opened | Written | Truncated | Synced | Deleted | FolderSynced | Acknowledged
Files: TypeAlias = Mapping[str, bytes]


class _File:
    """One file, whatever its name: what of it is on the medium, and what happened to it since."""

    def __init__(self, durable: bytes = b"", *, folder_knows: bool = False) -> None:
        self.durable = durable
        self.pending: list[Written | Truncated] = []
        self.folder_knows = folder_knows


class Disk:
    """The files of one folder, and the operations done to them so far."""

    def __init__(self, files: Files) -> None:
        self._durable_names = {name: _File(data, folder_knows=True) for name, data in files.items()}
        self._names = dict(self._durable_names)
        self._pending_names: list[tuple[str, _File | None]] = []
        self.acknowledged_seq = 0

    def __repr__(self) -> str:
        return f"<Disk {sorted(self._names)} acknowledged={self.acknowledged_seq}>"

    @property
    def has_pending(self) -> bool:
        """Whether a power cut now could lose anything."""
        return bool(self._pending_names) or any(file.pending for file in self._files())

    def do(self, operation: Operation) -> None:
        """Let an operation happen."""
        match operation:
            case Opened(name=name):
                if name not in self._names:
                    self._names[name] = _File()
                    self._pending_names.append((name, self._names[name]))
            case Written() | Truncated():
                self._names[operation.name].pending.append(operation)
            case Synced(name=name):
                file = self._names[name]
                file.durable = _after(file.durable, file.pending)
                file.pending.clear()
                if not file.folder_knows:
                    self._sync_folder()
            case Deleted(name=name, folder_synced=folder_synced):
                self._names.pop(name, None)
                self._pending_names.append((name, None))
                if folder_synced:
                    self._sync_folder()
            case FolderSynced():
                self._sync_folder()
            case Acknowledged(seq=seq):
                self.acknowledged_seq = seq
            case _:
                assert_never(operation)

    def left_by_cut(self, draw: np.random.Generator) -> dict[str, bytes]:
        """Return the files as a power cut at this moment may leave them; `draw` decides what was lucky."""
        names = dict(self._durable_names)
        for name, made in self._pending_names[: int(draw.integers(len(self._pending_names) + 1))]:
            if made is None:
                names.pop(name, None)
            else:
                names[name] = made
        return {name: _cut(file, draw) for name, file in sorted(names.items())}

    def _files(self) -> Iterable[_File]:
        yield from self._names.values()
        yield from self._durable_names.values()

    def _sync_folder(self) -> None:
        self._durable_names = dict(self._names)
        self._pending_names.clear()
        for file in self._names.values():
            file.folder_knows = True


def _after(content: bytes, operations: Sequence[Written | Truncated]) -> bytes:
    """Return a file's content after operations that all came through."""
    found = bytearray(content)
    for operation in operations:
        _apply(found, operation)
    return bytes(found)


def _cut(file: _File, draw: np.random.Generator) -> bytes:
    """Return the content that a power cut leaves of a file."""
    pending = file.pending
    if not pending:
        return file.durable
    way = int(draw.integers(4))
    if way == 0:  # in order, up to one that is torn
        whole = int(draw.integers(len(pending) + 1))
        found = bytearray(_after(file.durable, pending[:whole]))
        if whole < len(pending):
            _tear(found, pending[whole], draw)
        return bytes(found)
    found = bytearray(file.durable)
    luck_ratio = (0.1, 0.5, 0.9)[way - 1]
    for operation in pending:
        if isinstance(operation, Truncated):
            if draw.random() < luck_ratio:
                _apply(found, operation)
            continue
        for part in _sectors(operation):
            if draw.random() < luck_ratio:
                _apply(found, part)
    if draw.random() < luck_ratio:
        _tear(found, pending[int(draw.integers(len(pending)))], draw)
    return bytes(found)


def _sectors(write: Written) -> Iterable[Written]:
    """Split a write where the medium's sectors end."""
    start, end = write.offset, write.offset + len(write.data)
    while start < end:
        stop = min(end, (start // SECTOR_BYTES + 1) * SECTOR_BYTES)
        data = write.data[start - write.offset : stop - write.offset]
        yield Written(name=write.name, offset=start, data=data)
        start = stop


def _tear(found: bytearray, operation: Written | Truncated, draw: np.random.Generator) -> None:
    """Let the first bytes of a write come through, and not the rest."""
    if isinstance(operation, Written):
        data = operation.data[: int(draw.integers(len(operation.data) + 1))]
        _apply(found, Written(name=operation.name, offset=operation.offset, data=data))


def _apply(found: bytearray, operation: Written | Truncated) -> None:
    """Let one operation come through; what lies between the old end and a write far behind it is zeros."""
    if isinstance(operation, Truncated):
        del found[operation.size :]
        found.extend(bytes(operation.size - len(found)))
        return
    end = operation.offset + len(operation.data)
    if operation.data and end > len(found):
        found.extend(bytes(end - len(found)))
    found[operation.offset : operation.offset + len(operation.data)] = operation.data
