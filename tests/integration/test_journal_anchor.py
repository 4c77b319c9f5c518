"""An anchor outside the run folder shows what a chain alone cannot: a cut tail, a history written anew."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from treasury_actors.clock import VirtualClock
from treasury_actors.errors import JournalCorrupt, JournalFault
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.journal.anchor import Anchor, export_anchor, read_anchors, verify_against_anchor
from treasury_actors.journal.codec import event
from treasury_actors.journal.verify import verify


@event("test_journal_anchor.noted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    text: str


async def _append(path: Path, *texts: str) -> Anchor:
    journal = await SqliteJournal.open(path, clock=VirtualClock(), durable=False)
    for text in texts:
        journal.append(Noted(text=text), stream="s", time_ns=0)
    await journal.flush()
    seq, hash_ = journal.head
    await journal.close()
    return Anchor(seq=seq, hash=hash_, reason="daily", wall_ns=1_715_472_000_000_000_000)


async def test_a_journal_that_grew_since_its_anchor_holds(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    file = export_anchor(tmp_path / "anchors", "run-1", await _append(path, "a", "b"))
    export_anchor(tmp_path / "anchors", "run-1", await _append(path, "c"))
    at_head = verify_against_anchor(path, file)
    await _append(path, "d")

    grown = verify_against_anchor(path, file)

    assert file == tmp_path / "anchors" / "run-1.jsonl"
    assert [anchor.seq for anchor in read_anchors(file)] == [2, 3]
    assert at_head.statement == "internally consistent; anchored to its head, event 3"
    assert grown.statement == "internally consistent; anchored up to event 3 of 4"


async def test_a_cut_tail_is_found_only_with_the_anchor(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    file = export_anchor(tmp_path / "anchors", "run", await _append(path, "a", "b", "c", "d"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM event WHERE seq > 2")
        connection.commit()

    assert verify(path).statement == "internally consistent; unanchored"
    with pytest.raises(JournalCorrupt, match="was cut: its last event is 2, an anchor saw 4") as caught:
        verify_against_anchor(path, file)

    assert caught.value.seq == 3


async def test_a_full_rewrite_is_found_only_with_the_anchor(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    file = export_anchor(tmp_path / "anchors", "run", await _append(path, "a"))
    export_anchor(tmp_path / "anchors", "run", await _append(path, "b", "c"))
    path.unlink()
    await _append(path, "a", "forged", "c", "d")

    assert verify(path).events == 4
    with pytest.raises(JournalCorrupt, match="was rewritten: event 3 is not the one") as caught:
        verify_against_anchor(path, file)

    assert caught.value.seq == 2, "event 1 is still the one the first anchor saw"


async def test_an_anchor_of_an_empty_journal_vouches_for_nothing_yet(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    file = export_anchor(tmp_path, "run", await _append(path))

    assert verify_against_anchor(path, file).anchored_seq == 0


async def test_a_line_that_a_crash_left_unfinished_is_no_anchor_and_makes_way(tmp_path: Path) -> None:
    anchor = await _append(tmp_path / "journal.db", "a")
    file = export_anchor(tmp_path, "run", anchor)
    with file.open("a") as torn:
        torn.write('{"seq":2,"ha')

    assert read_anchors(file) == (anchor,)
    export_anchor(tmp_path, "run", anchor)
    assert read_anchors(file) == (anchor, anchor)


async def test_a_damaged_anchor_file_is_a_fault_naming_the_line(tmp_path: Path) -> None:
    file = export_anchor(tmp_path, "run", await _append(tmp_path / "journal.db", "a"))
    with file.open("a") as damaged:
        damaged.write("{}\n")

    with pytest.raises(JournalFault, match="line 2 is no anchor: Anchor lacks seq"):
        read_anchors(file)
