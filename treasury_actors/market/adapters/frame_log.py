"""
The frames of a live run, each durable in the run folder before anyone decides on it.

One file, one canonical JSON line a frame, each with the hash of itself and of the line before; what comes
before the first is the season's beginning, so that the log of another season is no log of this one. A line
that a crash left unfinished was never acknowledged: it is cut off, and named. Any other byte that isn't as it
was written is an error that names its line.
"""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isinf, isnan, nan
from pathlib import Path
from typing import Final, Self

from anyio import to_thread

from treasury_actors.errors import JournalCorrupt, JournalFault
from treasury_actors.journal.codec import TimeNs
from treasury_actors.journal.folder import sync_folder
from treasury_actors.journal.forms import form_of_class, parse_json
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.frame_checks import Finding, LiveFrame
from treasury_actors.market.model.frame_reading import Block

FILE_NAME: Final = "frames.jsonl"
_LINE = re.compile(r'\{"hash":"([0-9a-f]{64})","frame":(\{.*\})\}')


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """A live frame as it is written; null is an unknown rate, or a depth that nothing limits."""

    index: int
    time_ns: TimeNs
    block: Block | None
    ticks: tuple[int, ...]
    fresh: tuple[bool, ...]
    rates: tuple[float | None, ...]
    share_prices: tuple[float, ...]
    depth_usd: tuple[float | None, ...]
    capacity_usd: tuple[float | None, ...]
    l1_gas_gwei: float
    tbill_rate: float | None
    suspects: tuple[float, ...]
    findings: tuple[Finding, ...]


_FORM = form_of_class(_Columns)


class FrameLog:
    """
    The log of a folder that this process has locked. `open` it, read `records`, then append.

    Attributes:
        cut: what was cut off an unfinished end at `open`, in words; empty if nothing was.
    """

    def __init__(self, path: Path, handle: int, records: list[LiveFrame], head: str, cut: str) -> None:
        self._path = path
        self._handle = handle
        self._records = records
        self._head = head
        self._failed = False
        self.cut = cut

    @classmethod
    def open(cls, folder: Path, *, beginning_hash: str) -> Self:
        """
        Read the log of a run folder, or begin one.

        Raises:
            JournalCorrupt: a line isn't what was written, or the log is of another season; `seq` is its line.
            JournalFault: the file can't be read or written.
        """
        path = folder / FILE_NAME
        try:
            handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise JournalFault(f"{path} cannot be opened: {error.strerror}") from error
        try:
            content = _read_all(handle)
            records, head = _records(path, content, beginning_hash)
            end = content.rfind(b"\n") + 1
            cut = ""
            if end < len(content):
                cut = (
                    f"{path}: an unfinished line {len(records) + 1} of {len(content) - end} bytes was cut off"
                )
                os.ftruncate(handle, end)
                os.fsync(handle)
            os.lseek(handle, end, os.SEEK_SET)
            sync_folder(folder)
        except OSError as error:
            os.close(handle)
            raise JournalFault(f"{path} cannot be read: {error.strerror}") from error
        except JournalFault:
            os.close(handle)
            raise
        return cls(path, handle, records, head, cut)

    def __repr__(self) -> str:
        return f"<FrameLog {self._path} {len(self._records)} frames>"

    @property
    def records(self) -> Sequence[LiveFrame]:
        """Everything that is durable, oldest first."""
        return tuple(self._records)

    @property
    def head(self) -> str:
        """The hash of the last line; that of the season's beginning if there is none."""
        return self._head

    async def append(self, frames: Sequence[LiveFrame]) -> None:
        """
        Return when `frames` are durable.

        Raises JournalFault if they can't be written: what is on disk is then known only to the next start.
        """
        if self._failed:
            raise JournalFault(
                f"{self._path}: a write has failed before; only a new start reads the disk again"
            )
        head, lines = self._head, []
        for frame in frames:
            body = _FORM.encode(_written(frame))
            head = _hash(head, body)
            lines.append(f'{{"hash":"{head}","frame":{body}}}\n')
        self._failed = True
        await to_thread.run_sync(self._write, "".join(lines).encode("ascii"))
        self._failed = False
        self._head = head
        self._records += frames

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _write(self, content: bytes) -> None:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(self._handle, rest) :]
            os.fsync(self._handle)
        except OSError as error:
            raise JournalFault(f"{self._path} cannot be written: {error.strerror}") from error


def read_frames(folder: Path, *, beginning_hash: str) -> Sequence[LiveFrame]:
    """
    Return what the log of a run folder holds, oldest first; nothing is written, whoever else may append.

    Raises:
        JournalCorrupt: a line isn't what was written, or the log is of another season; `seq` is its line.
        JournalFault: the file can't be read.
    """
    path = folder / FILE_NAME
    try:
        content = path.read_bytes()
    except OSError as error:
        raise JournalFault(f"{path} cannot be read: {error.strerror}") from error
    records, _ = _records(path, content, beginning_hash)
    return records


def _records(path: Path, content: bytes, beginning_hash: str) -> tuple[list[LiveFrame], str]:
    """Return the frames of the whole lines, and the hash of the last."""
    records: list[LiveFrame] = []
    head = beginning_hash
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            head, body = _checked(line, head)
            columns = _FORM.decode(parse_json(body))
        except ValueError as error:
            raise JournalCorrupt(
                f"{path} line {number} is not what was written: {error}", seq=number
            ) from None
        assert isinstance(columns, _Columns), "the form reads back what it writes"
        records.append(_read_back(columns))
    return records, head


def _checked(line: bytes, before: str) -> tuple[str, str]:
    """Return the hash and the frame of a line; raise ValueError unless it follows the line before."""
    found = _LINE.fullmatch(line.decode("ascii"))
    if found is None:
        raise ValueError("it is no line of a frame log")
    if _hash(before, found[2]) != found[1]:
        raise ValueError("it was changed, or does not follow what is before it")
    return found[1], found[2]


def _hash(before: str, body: str) -> str:
    return hashlib.sha256(f"{before}\n{body}".encode("ascii")).hexdigest()


def _read_all(handle: int) -> bytes:
    parts = []
    while part := os.read(handle, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _written(live: LiveFrame) -> _Columns:
    """Return a frame without the numbers that JSON has no word for."""
    frame = live.frame
    return _Columns(
        index=frame.index,
        time_ns=frame.time_ns,
        block=live.block,
        ticks=frame.ticks,
        fresh=frame.fresh,
        rates=tuple(None if isnan(rate) else rate for rate in frame.rates),
        share_prices=frame.share_prices,
        depth_usd=tuple(None if isinf(depth) else depth for depth in frame.depth_usd),
        capacity_usd=tuple(None if isinf(capacity) else capacity for capacity in frame.capacity_usd),
        l1_gas_gwei=frame.l1_gas_gwei,
        tbill_rate=None if isnan(frame.tbill_rate) else frame.tbill_rate,
        suspects=live.suspects,
        findings=live.findings,
    )


def _read_back(columns: _Columns) -> LiveFrame:
    """Return the frame that was written."""
    return LiveFrame(
        frame=MarketFrame(
            index=columns.index,
            time_ns=columns.time_ns,
            ticks=columns.ticks,
            fresh=columns.fresh,
            rates=tuple(nan if rate is None else rate for rate in columns.rates),
            share_prices=columns.share_prices,
            depth_usd=tuple(inf if depth is None else depth for depth in columns.depth_usd),
            capacity_usd=tuple(inf if capacity is None else capacity for capacity in columns.capacity_usd),
            l1_gas_gwei=columns.l1_gas_gwei,
            tbill_rate=nan if columns.tbill_rate is None else columns.tbill_rate,
        ),
        block=columns.block,
        findings=columns.findings,
        suspects=columns.suspects,
    )
