"""An anchor outside the run folder shows what a chain alone cannot: a cut tail, a history written anew."""

import hmac
import sqlite3
import stat
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from treasury_actors.clock import VirtualClock
from treasury_actors.errors import JournalCorrupt, JournalFault
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.journal.anchor import Anchor, export_anchor, read_anchors, verify_against_anchor
from treasury_actors.journal.anchor_key import own_key
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
    file = export_anchor(tmp_path / "anchors", "run-1", await _append(path, "a", "b"), key=own_key(tmp_path))
    export_anchor(tmp_path / "anchors", "run-1", await _append(path, "c"), key=own_key(tmp_path))
    at_head = verify_against_anchor(path, file)
    await _append(path, "d")

    grown = verify_against_anchor(path, file)

    assert file == tmp_path / "anchors" / "run-1.jsonl"
    assert [anchor.seq for anchor in read_anchors(file, own_key(tmp_path))] == [2, 3]
    assert at_head.statement == "internally consistent; anchored to its head, event 3"
    assert grown.statement == "internally consistent; anchored up to event 3 of 4"


async def test_a_cut_tail_is_found_only_with_the_anchor(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    file = export_anchor(
        tmp_path / "anchors", "run", await _append(path, "a", "b", "c", "d"), key=own_key(tmp_path)
    )
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM event WHERE seq > 2")
        connection.commit()

    assert verify(path).statement == "internally consistent; unanchored"
    with pytest.raises(JournalCorrupt, match="was cut: its last event is 2, an anchor saw 4") as caught:
        verify_against_anchor(path, file)

    assert caught.value.seq == 3


async def test_a_full_rewrite_is_found_only_with_the_anchor(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    file = export_anchor(tmp_path / "anchors", "run", await _append(path, "a"), key=own_key(tmp_path))
    export_anchor(tmp_path / "anchors", "run", await _append(path, "b", "c"), key=own_key(tmp_path))
    path.unlink()
    await _append(path, "a", "forged", "c", "d")

    assert verify(path).events == 4
    with pytest.raises(JournalCorrupt, match="was rewritten: event 3 is not the one") as caught:
        verify_against_anchor(path, file)

    assert caught.value.seq == 2, "event 1 is still the one the first anchor saw"


async def test_an_anchor_of_an_empty_journal_vouches_for_nothing_yet(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    file = export_anchor(tmp_path, "run", await _append(path), key=own_key(tmp_path))

    assert verify_against_anchor(path, file).anchored_seq == 0


async def test_a_line_that_a_crash_left_unfinished_is_no_anchor_and_makes_way(tmp_path: Path) -> None:
    anchor = await _append(tmp_path / "journal.db", "a")
    file = export_anchor(tmp_path, "run", anchor, key=own_key(tmp_path))
    with file.open("a") as torn:
        torn.write('{"seq":2,"ha')

    assert read_anchors(file, own_key(tmp_path)) == (anchor,)
    export_anchor(tmp_path, "run", anchor, key=own_key(tmp_path))
    assert read_anchors(file, own_key(tmp_path)) == (anchor, anchor)


async def test_a_damaged_anchor_file_is_a_fault_naming_the_line(tmp_path: Path) -> None:
    file = export_anchor(tmp_path, "run", await _append(tmp_path / "journal.db", "a"), key=own_key(tmp_path))
    with file.open("a") as damaged:
        damaged.write("{}\n")

    with pytest.raises(JournalFault, match="line 2 is no anchor: _Line lacks seq"):
        read_anchors(file, own_key(tmp_path))


async def test_an_anchor_that_was_changed_taken_out_or_added_is_named_by_its_line(tmp_path: Path) -> None:
    path, key = tmp_path / "journal.db", own_key(tmp_path)
    file = export_anchor(tmp_path / "anchors", "run", await _append(path, "a"), key=key)
    for text in ("b", "c"):
        export_anchor(tmp_path / "anchors", "run", await _append(path, text), key=key)
    lines = file.read_text().splitlines(keepends=True)
    forged = export_anchor(tmp_path / "others", "run", read_anchors(file, key)[2], key=bytes(32)).read_text()

    for number, damaged in (
        (2, [lines[0], lines[1].replace("daily", "stop"), lines[2]]),
        (2, [lines[0], lines[2]]),
        (1, lines[1:]),
        (4, [*lines, forged]),
        (4, [*lines, lines[2]]),
    ):
        file.write_text("".join(damaged))
        with pytest.raises(JournalFault, match=f"line {number} was not signed by this run's key"):
            verify_against_anchor(path, file)
    file.write_text("".join(lines[:2]))
    assert verify_against_anchor(path, file).statement.endswith("anchored up to event 2 of 3")


async def test_the_key_is_its_owners_alone_and_can_be_kept_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    file = export_anchor(tmp_path / "anchors", "run", await _append(path, "a"), key=own_key(tmp_path))
    key_file = tmp_path / "anchor.key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert own_key(tmp_path) == own_key(tmp_path)

    key_file.chmod(0o644)
    with pytest.raises(JournalFault, match=r"others may read or write it \(mode 0644\); allowed is 0600"):
        verify_against_anchor(path, file)
    key_file.chmod(0o600)
    elsewhere = key_file.rename(tmp_path / "kept")
    with pytest.raises(JournalFault, match="the key of the anchors cannot be read"):
        verify_against_anchor(path, file)
    assert verify_against_anchor(path, file, key_file=elsewhere).anchored_seq == 1
    elsewhere.write_text("not hexadecimal")
    with pytest.raises(JournalFault, match="not a key; allowed are 32 bytes"):
        verify_against_anchor(path, file, key_file=elsewhere)


async def test_a_signature_is_compared_in_a_time_that_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, key, real = tmp_path / "journal.db", own_key(tmp_path), hmac.compare_digest
    file = export_anchor(tmp_path / "anchors", "run", await _append(path, "a"), key=key)
    compared: list[tuple[bytes, bytes]] = []

    def watched(ours: bytes, found: bytes) -> bool:
        compared.append((ours, found))
        return real(ours, found)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    read_anchors(file, key)

    assert [ours == found for ours, found in compared] == [True]
