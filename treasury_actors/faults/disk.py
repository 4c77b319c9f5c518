"""
A disk that loses what was not synced, and what it holds of a journal.

A commit is a group of lines, one an event, closed by a line with its checksum: like a transaction in a
write-ahead log, a group that is not whole at the end was never written. What was synced is there for good.
What was not may be there in part after a power cut, its last sector perhaps garbage.
"""

import json
from collections.abc import Sequence
from operator import attrgetter
from typing import Final
from zlib import crc32

from treasury_actors.errors import JournalCorrupt
from treasury_actors.evolution.model.chance import Chance
from treasury_actors.journal.event import Head, Recorded, after, what_is_wrong

_SECTOR: Final = 512
_COMMIT: Final = b"#"
_FIELDS: Final = tuple(Recorded._fields)
_row_of: Final = attrgetter(*_FIELDS)


class Disk:
    """
    Bytes that outlive a process.

    Attributes:
        synced: what no power cut takes away.
        tail: what was written after the last sync.
        is_full: no byte more is taken.
    """

    def __init__(self) -> None:
        self.synced = bytearray()
        self.tail = bytearray()
        self.is_full = False

    def write(self, data: bytes) -> None:
        """Take bytes; they are safe after the next `sync`."""
        assert not self.is_full, "a full disk was written to"
        self.tail += data

    def sync(self) -> None:
        """Make everything written safe."""
        self.synced += self.tail
        self.tail.clear()

    def power_cut(self, chance: Chance) -> bool:
        """Lose some, all or nothing of what was not synced; say whether only a part of it is left."""
        written = bytes(self.tail)
        self.tail.clear()
        if not written:
            return False
        kept = bytearray(written[: chance.below(len(written) + 1)])
        if len(kept) > _SECTOR and chance.below(2):
            for place in range(len(kept) - 1 - chance.below(_SECTOR), len(kept)):
                kept[place] ^= 1 + chance.below(255)
        self.synced += kept
        return bytes(kept) not in (b"", written)

    def flip(self, chance: Chance) -> int | None:
        """Turn one bit of an event, not of a commit line; return its place, None on an empty disk."""
        lines = _lines(self.synced)
        rows = [line for line in lines if not self.synced.startswith(_COMMIT, line[0])]
        if not rows:
            return None
        start, end = rows[chance.below(len(rows))]
        place = start + chance.below(end - 1 - start)
        self.synced[place] ^= 1 << chance.below(7)
        return place


def group_of(events: Sequence[Recorded]) -> bytes:
    """Return the lines of one commit."""
    rows = b"".join(json.dumps(_row_of(event), separators=(",", ":")).encode() + b"\n" for event in events)
    return rows + _COMMIT + str(crc32(rows)).encode() + b"\n"


def recover(disk: Disk) -> list[Recorded]:
    """
    Return the events of every whole commit, each checked as a start checks them; cut off a torn end.

    Only the last commit can be torn, and its checksum tells; older ones have been moved to pages that have
    none, as a checkpoint does: there the chain of hashes alone finds damage.

    Raises:
        JournalCorrupt: damage that no torn end explains.
    """
    events: list[Recorded] = []
    head, group_start = Head(), 0
    content = bytes(disk.synced)
    commits = [(start, end) for start, end in _lines(content) if content.startswith(_COMMIT, start)]
    for number, (start, end) in enumerate(commits, start=1):
        rows = content[group_start:start]
        if number == len(commits) and content[start + 1 : end - 1] != str(crc32(rows)).encode():
            break
        for row in rows.splitlines():
            recorded = _event_of(row, head)
            events.append(recorded)
            head = after(recorded)
        group_start = end
    del disk.synced[group_start:]
    return events


def _event_of(row: bytes, head: Head) -> Recorded:
    """Return the event of a line; it must be the one after `head`."""
    seq = head.seq + 1
    try:
        recorded = Recorded(**dict(zip(_FIELDS, json.loads(row), strict=True)))
        problem = what_is_wrong(recorded, head)
    except (ValueError, TypeError, AttributeError) as error:
        raise JournalCorrupt(f"event {seq} can't be read: {error}", seq=seq) from error
    if problem is not None:
        raise JournalCorrupt(problem, seq=seq)
    return recorded


def _lines(content: bytes | bytearray) -> list[tuple[int, int]]:
    """Return start and end of every whole line, the newline included."""
    found, start = [], 0
    while (end := content.find(b"\n", start) + 1) > 0:
        found.append((start, end))
        start = end
    return found
