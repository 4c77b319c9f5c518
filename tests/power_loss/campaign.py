"""
Power cuts at random moments of a journal's life, each followed by a start of the real adapter.

A life is recorded once: batches of events through the adapter, over a connection whose file operations are
written down. Then the power is cut after an operation, the disk keeps what it must and, by chance, some of
what it need not (`disk`), and what is left is opened by the adapter over Python's own SQLite. Nothing that
was acknowledged may be missing, nothing may be there that was never appended, and every hash must hold. The
next life begins with what a cut left.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal

import numpy as np

from tests.power_loss.disk import Acknowledged, Disk, FolderSynced, Operation
from tests.power_loss.recorder import recording
from treasury_actors.clock import VirtualClock
from treasury_actors.errors import JournalFault
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.journal.codec import event

NAME = "journal.db"
Safety = Literal["FULL", "NORMAL", "OFF"]
"""What the adapter says (`FULL`), and what it must not say where money is real."""

_TEXT_CHARACTERS = (20, 400, 4_000, 30_000)
_WRITES_ON_RATIO = 0.125
_NEW_JOURNAL_RATIO = 0.3
_SURVIVOR_RATIO = 0.1
_BATCHES_MAX = 12
_BATCH_EVENTS_MAX = 5
_AUTOCHECKPOINT_PAGES: tuple[int | None, ...] = (8, 40, None)


@event("test_power_loss.noted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Any event; what it says makes pages fill at different speeds."""

    text: str


@dataclass(slots=True, kw_only=True)
class Tally:
    """
    What a campaign found.

    Attributes:
        states: different states of the disk that were opened.
        cuts: power cuts, some of which left the same state.
        lost: states in which something acknowledged was missing.
        corrupt: states that the adapter refused as damaged, or that held what nobody appended.
        pending: states that differ from what a kill would have left.
        first: the first bad state, in words.
    """

    lives: int = 0
    states: int = 0
    cuts: int = 0
    lost: int = 0
    corrupt: int = 0
    pending: int = 0
    first: str = ""
    hashes: set[bytes] = field(default_factory=set)

    @property
    def bad(self) -> int:
        """How many states broke the promise."""
        return self.lost + self.corrupt


@dataclass(frozen=True, slots=True, kw_only=True)
class _Life:
    """A recorded life: what it found, what it did, and the hash of each event it ever appended."""

    files: dict[str, bytes]
    operations: tuple[Operation, ...]
    hashes: tuple[str, ...]
    acknowledged_seq: int


def quick_folder(otherwise: Path) -> Path:
    """Return where states are opened: in memory where the system has a folder there, for speed alone."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK):
        return memory / f"power-loss-{os.getpid()}"
    return otherwise


def campaign(folder: Path, *, seed: int, states: int, safety: Safety = "FULL") -> Tally:
    """Cut the power until so many different states were opened; `folder` is used for them and emptied."""
    try:
        return asyncio.run(_campaign(folder, seed=seed, states=states, safety=safety))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _campaign(folder: Path, *, seed: int, states: int, safety: Safety) -> Tally:
    tally, life = Tally(), None
    while tally.states < states:
        draw = np.random.default_rng([seed, tally.lives])
        tally.lives += 1
        if life is None or draw.random() < _NEW_JOURNAL_RATIO:
            life = _Life(files={}, operations=(), hashes=(), acknowledged_seq=0)
        life = await _lived(folder, life, draw, safety=safety)
        life = await _cut_often(folder, life, draw, tally, wanted=states - tally.states)
    return tally


async def _lived(folder: Path, before: _Life, draw: np.random.Generator, *, safety: Safety) -> _Life:
    """Live one life from what the last one left, recording it."""
    path = _laid_out(folder, before.files)
    operations: list[Operation] = []
    connect = recording(
        operations.append,
        autocheckpoint_pages=_AUTOCHECKPOINT_PAGES[int(draw.integers(3))],
        say=lambda sql: sql.replace("synchronous = FULL", f"synchronous = {safety}"),
    )
    journal = await SqliteJournal.open(path, clock=VirtualClock(), durable=True, connect=connect)
    operations.append(FolderSynced())
    known = [*before.hashes[: journal.head[0]]]
    for _ in range(int(draw.integers(1, _BATCHES_MAX + 1))):
        characters = _TEXT_CHARACTERS[int(draw.choice(4, p=(0.4, 0.3, 0.2, 0.1)))]
        for _ in range(int(draw.integers(1, _BATCH_EVENTS_MAX + 1))):
            text = chr(97 + int(draw.integers(26))) * characters
            known.append(journal.append(Noted(text=text), stream="s", time_ns=0).hash)
        await journal.flush()
        operations.append(Acknowledged(seq=journal.durable_seq))
    await journal.close()
    return _Life(
        files=before.files,
        operations=tuple(operations),
        hashes=tuple(known),
        acknowledged_seq=before.acknowledged_seq,
    )


async def _cut_often(
    folder: Path, life: _Life, draw: np.random.Generator, tally: Tally, *, wanted: int
) -> _Life | None:
    """Open up to `wanted` states that cuts of a life leave; return a life that begins with one of them."""
    survivor, until = None, tally.states + wanted
    for disk, moment in _moments(life):
        for _ in range(int(draw.integers(3)) if disk.has_pending else 1):
            files = disk.left_by_cut(draw)
            tally.cuts += 1
            digest = _digest(files, disk.acknowledged_seq)
            if digest in tally.hashes:
                continue
            tally.hashes.add(digest)
            tally.states += 1
            tally.pending += disk.has_pending
            writes_on = draw.random() < _WRITES_ON_RATIO
            wrong = await _what_is_wrong(folder, files, life, disk.acknowledged_seq, writes_on=writes_on)
            if wrong is None:
                if survivor is None or draw.random() < _SURVIVOR_RATIO:
                    survivor = _Life(
                        files=files,
                        operations=(),
                        hashes=life.hashes,
                        acknowledged_seq=disk.acknowledged_seq,
                    )
            else:
                tally.lost += wrong[0] == "lost"
                tally.corrupt += wrong[0] == "corrupt"
                tally.first = tally.first or f"life {tally.lives}, after operation {moment}: {wrong[1]}"
            if tally.states >= until:
                return survivor
    return survivor


def _moments(life: _Life) -> Iterator[tuple[Disk, int]]:
    """Yield the disk after each operation of a life."""
    disk = Disk(life.files)
    disk.do(Acknowledged(seq=life.acknowledged_seq))
    for number, operation in enumerate(life.operations):
        disk.do(operation)
        yield disk, number


async def _what_is_wrong(
    folder: Path, files: dict[str, bytes], life: _Life, acknowledged_seq: int, *, writes_on: bool
) -> tuple[Literal["lost", "corrupt"], str] | None:
    """Start as a house would; return what of the promise is broken, and how it showed."""
    path = _laid_out(folder, files)
    try:
        journal = await SqliteJournal.open(path, clock=VirtualClock(), durable=False, verify_chain=True)
    except JournalFault as fault:
        return "corrupt", str(fault)
    try:
        seq, hash_ = journal.head
        if seq < acknowledged_seq:
            return "lost", f"acknowledged {acknowledged_seq}, found {seq}"
        if seq and (seq > len(life.hashes) or life.hashes[seq - 1] != hash_):
            return "corrupt", f"event {seq} was never appended"
        if writes_on:
            journal.append(Noted(text="goes on"), stream="s", time_ns=0)
            await journal.flush()
    except JournalFault as fault:
        return "corrupt", str(fault)
    finally:
        await journal.abandon()
    return None


def _laid_out(folder: Path, files: dict[str, bytes]) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder / NAME


def _digest(files: dict[str, bytes], acknowledged_seq: int) -> bytes:
    digest = sha256(str(acknowledged_seq).encode())
    for name, data in sorted(files.items()):
        digest.update(f"\n{name} {len(data)}\n".encode())
        digest.update(data)
    return digest.digest()[:16]
