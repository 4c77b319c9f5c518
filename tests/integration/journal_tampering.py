"""
Changes a journal in every way a hand with SQLite, or with the file alone, can; asks `verify` what it sees.

A tampering is drawn by its number. Each says which events it would be right to name; for a change inside an
event's row that is this event alone.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from treasury_actors.errors import JournalCorrupt
from treasury_actors.journal.anchor import Anchor, export_anchor, verify_against_anchor
from treasury_actors.journal.anchor_key import own_key
from treasury_actors.journal.event import Head, Recorded, after, hash_of
from treasury_actors.journal.reader import open_readonly
from treasury_actors.journal.schema import row_of
from treasury_actors.journal.verify import verify

NAME = "journal.db"
_TEXTS = ("stream", "type", "payload", "causation_id", "correlation_id", "prev_hash", "hash")
_NUMBERS = ("seq", "time_ns", "wall_ns", "pid", "epoch", "outside_crc32")
_COLUMNS = (
    "stream, type, time_ns, payload, causation_id, correlation_id, prev_hash, hash,"
    " wall_ns, pid, epoch, outside_crc32"
)
_CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz{}[],:\"'é\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A journal as it was written, and the anchors somebody kept of it elsewhere."""

    folder: Path
    events: tuple[Recorded, ...]
    anchor_file: Path
    anchored: tuple[int, ...]

    @property
    def count(self) -> int:
        return len(self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampering:
    """
    What was done.

    Attributes:
        names: the events that may be named for it; empty if any may, for the file itself is damaged.
        shows_without_anchor: whether the chain alone must show it.
    """

    kind: str
    names: tuple[int, ...]
    shows_without_anchor: bool = True


Draw: TypeAlias = np.random.Generator
_Way: TypeAlias = Callable[[Path, Original, Draw], Tampering]


def original_of(run_folder: Path, folder: Path) -> Original:
    """Return the journal of a run, copied to `folder`, with an anchor at each third of it."""
    folder.mkdir()
    shutil.copy(run_folder / NAME, folder / NAME)
    with open_readonly(folder / NAME) as reader:
        events = tuple(reader.read())
    anchored = (len(events) // 3, 2 * len(events) // 3, len(events))
    file = folder / "none"
    for seq in anchored:
        anchor = Anchor(seq=seq, hash=events[seq - 1].hash, reason="daily", wall_ns=0)
        file = export_anchor(folder / "anchors", "run", anchor, key=own_key(folder))
    return Original(folder=folder, events=events, anchor_file=file, anchored=anchored)


def what_verify_missed(original: Original, place: Path, number: int) -> tuple[str, str]:
    """Tamper in the way of a number; return its kind, and in words what was missed or misnamed."""
    draw = np.random.default_rng([31, number])
    path = place / NAME
    place.mkdir(exist_ok=True)
    for leftover in ("", "-wal", "-shm", "-journal"):
        path.with_name(NAME + leftover).unlink(missing_ok=True)
    shutil.copy(original.folder / NAME, path)
    way = _WAYS[number % len(_WAYS)]
    tampering = way(path, original, draw)
    return tampering.kind, missed(original, path, tampering)


def missed(original: Original, path: Path, tampering: Tampering) -> str:
    try:
        plain = verify(path)
    except JournalCorrupt as corrupt:
        if tampering.names and corrupt.seq not in tampering.names:
            return f"{tampering.kind}: named event {corrupt.seq}, not one of {tampering.names}"
        if not tampering.shows_without_anchor:
            return f"{tampering.kind}: shown without an anchor: {corrupt}"
        return ""
    if tampering.shows_without_anchor:
        return f"{tampering.kind} of {tampering.names}: not seen"
    if plain.statement != "internally consistent; unanchored":
        return f"{tampering.kind}: said to be {plain.statement}"
    try:
        verify_against_anchor(path, original.anchor_file, key_file=original.folder / "anchor.key")
    except JournalCorrupt as corrupt:
        return "" if corrupt.seq in tampering.names else f"{tampering.kind}: named event {corrupt.seq}"
    return f"{tampering.kind} of {tampering.names}: not seen against the anchors"


def _edit_text(path: Path, original: Original, draw: Draw) -> Tampering:
    """Change, add or take away one character of a column."""
    seq, column = _any_seq(original, draw), _TEXTS[int(draw.integers(len(_TEXTS)))]
    with closing(sqlite3.connect(path)) as connection:
        (text,) = connection.execute(f"SELECT {column} FROM event WHERE seq = ?", (seq,)).fetchone()  # noqa: S608
        connection.execute(f"UPDATE event SET {column} = ? WHERE seq = ?", (_changed(text, draw), seq))  # noqa: S608
        connection.commit()
    return Tampering(kind=f"edit of {column}", names=(seq,))


def _changed(text: str, draw: Draw) -> str:
    place = int(draw.integers(len(text) + 1))
    while True:
        character = _CHARACTERS[int(draw.integers(len(_CHARACTERS)))]
        found = text[:place] + ("", character)[int(draw.integers(2))] + text[place + int(draw.integers(2)) :]
        if found != text:
            return found


def _edit_number(path: Path, original: Original, draw: Draw) -> Tampering:
    """Put another number into a column."""
    seq, column = _any_seq(original, draw), _NUMBERS[int(draw.integers(len(_NUMBERS)))]
    change = int(draw.choice((-1, 1))) * int(10 ** int(draw.integers(10)))
    if column == "seq":  # not where another event is
        change = change * 1_000 + (original.count if change > 0 else -original.count)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE event SET {column} = {column} + ? WHERE seq = ?", (change, seq))  # noqa: S608
        connection.commit()
    # the last event, put before the first, is a cut tail: what stands before the first is said of the file
    moved_away = column == "seq" and change < 0 and seq == original.count
    return Tampering(kind=f"edit of {column}", names=(0,) if moved_away else (seq,))


def _flip_bit(path: Path, original: Original, draw: Draw) -> Tampering:
    """Flip one bit of an event's text in the file, as a bad disk would."""
    seq = _any_seq(original, draw)
    recorded = original.events[seq - 1]
    row = recorded.payload.encode()
    content = bytearray(path.read_bytes())
    starts = _places(content, row)
    start = starts[int(draw.integers(len(starts)))] if starts else content.index(recorded.hash.encode())
    length = len(row) if starts else len(recorded.hash)
    content[start + int(draw.integers(length))] ^= 1 << int(draw.integers(8))
    path.write_bytes(content)
    same = tuple(other.seq for other in original.events if other.payload == recorded.payload)
    return Tampering(kind="flipped bit", names=same if starts else (seq, seq + 1))


def _places(content: bytearray, text: bytes) -> list[int]:
    found, start = [], content.find(text)
    while start >= 0:
        found.append(start)
        start = content.find(text, start + 1)
    return found


def _delete(path: Path, original: Original, draw: Draw) -> Tampering:
    """Take out an event that has others after it."""
    seq = int(draw.integers(1, original.count))
    _run(path, "DELETE FROM event WHERE seq = ?", seq)
    return Tampering(kind="deleted event", names=(seq,))


def _swap(path: Path, original: Original, draw: Draw) -> Tampering:
    """Let two events change places."""
    one, other = sorted(int(seq) + 1 for seq in draw.choice(original.count, 2, replace=False))
    for old, new in ((one, -1), (other, one), (-1, other)):
        _run(path, "UPDATE event SET seq = ?2 WHERE seq = ?1", old, new)
    return Tampering(kind="swapped events", names=(one,))


def _insert(path: Path, original: Original, draw: Draw) -> Tampering:
    """Put a copy of an event after the last, or before the first."""
    seq, place = _any_seq(original, draw), (0, original.count + 1)[int(draw.integers(2))]
    _run(path, f"INSERT INTO event SELECT ?2, {_COLUMNS} FROM event WHERE seq = ?1", seq, place)  # noqa: S608
    return Tampering(kind="inserted event", names=(place,))


def _cut_tail(path: Path, original: Original, draw: Draw) -> Tampering:
    """Take away the last events, however many."""
    kept = int(draw.integers(original.count))
    _run(path, "DELETE FROM event WHERE seq > ?", kept)
    return Tampering(kind="cut tail", names=(kept + 1,), shows_without_anchor=False)


def _rewrite(path: Path, original: Original, draw: Draw) -> Tampering:
    """Change one event and give it, and all after it, hashes that fit."""
    first = _any_seq(original, draw)
    head = after(original.events[first - 2]) if first > 1 else Head()
    changed = original.events[first - 1]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM event WHERE seq >= ?", (first,))
        for recorded in original.events[first - 1 :]:
            stream = "forged" if recorded is changed else recorded.stream
            forged = _rechained(recorded, stream, head)
            connection.execute(
                f"INSERT INTO event VALUES ({', '.join('?' * 13)})",  # noqa: S608
                row_of(forged, wall_ns=0, pid=1, epoch=1),
            )
            head = after(forged)
        connection.commit()
    held = max((seq for seq in original.anchored if seq < first), default=0)
    return Tampering(kind="rewritten history", names=(held + 1,), shows_without_anchor=False)


def _rechained(recorded: Recorded, stream: str, head: Head) -> Recorded:
    parts = {
        "stream": stream,
        "time_ns": recorded.time_ns,
        "payload": recorded.payload,
        "causation_id": recorded.causation_id,
        "correlation_id": recorded.correlation_id,
        "prev_hash": head.hash,
        "seq": head.seq + 1,
    }
    return Recorded(**parts, type=recorded.type, hash=hash_of(**parts, type_=recorded.type))  # type: ignore[arg-type]


def _cut_file(path: Path, original: Original, draw: Draw) -> Tampering:
    """Take away the file's last bytes, at least a page of them."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(int(draw.integers(size - 4_096)))
    return Tampering(kind="cut file", names=())


def _any_seq(original: Original, draw: Draw) -> int:
    return int(draw.integers(1, original.count + 1))


def _run(path: Path, sql: str, *values: int) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql, values)
        connection.commit()


_WAYS: tuple[_Way, ...] = (
    *(_edit_text, _edit_text, _edit_text, _edit_number, _edit_number, _flip_bit, _flip_bit),
    *(_cut_tail, _rewrite, _delete, _swap, _insert, _cut_file),
)
KINDS_OF_CHANGE = len(dict.fromkeys(_WAYS))
