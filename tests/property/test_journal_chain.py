"""Whatever is done to the rows of a journal file but cutting its end, verifying names the first bad one."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.clock import VirtualClock
from treasury_actors.errors import JournalCorrupt
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.journal.codec import event
from treasury_actors.journal.verify import verify

EVENTS = 12
TEXTS = ("stream", "type", "payload", "causation_id", "correlation_id", "prev_hash", "hash")
INTEGERS = ("time_ns", "wall_ns", "pid", "epoch", "outside_crc32")


@event("test_journal_chain.noted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    number: int


async def _write(path: Path) -> None:
    journal = await SqliteJournal.open(path, clock=VirtualClock(5), durable=False, epoch=3)
    for number in range(EVENTS):
        journal.append(Noted(number=number), stream=f"s{number}", time_ns=number * 10)
    await journal.close()


@pytest.fixture(scope="module")
def image() -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        asyncio.run(_write(path))
        yield path.read_bytes()


def _verify_after(image: bytes, *statements: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        path.write_bytes(image)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        verify(path)


def test_an_untouched_journal_verifies(image: bytes) -> None:
    _verify_after(image)


@given(seq=st.integers(1, EVENTS), column=st.sampled_from(TEXTS + INTEGERS))
def test_one_changed_column_is_named(image: bytes, seq: int, column: str) -> None:
    change = f"{column} || 'x'" if column in TEXTS else f"{column} + 1"

    with pytest.raises(JournalCorrupt) as caught:
        _verify_after(image, f"UPDATE event SET {column} = {change} WHERE seq = {seq}")  # noqa: S608

    assert caught.value.seq == seq
    assert caught.value.exit_code == 74


@given(st.integers(1, EVENTS - 1), st.integers(1, EVENTS))
def test_a_missing_stretch_before_the_end_is_named(image: bytes, first: int, length: int) -> None:
    last = min(first + length, EVENTS) - 1

    with pytest.raises(JournalCorrupt) as caught:
        _verify_after(image, f"DELETE FROM event WHERE seq BETWEEN {first} AND {last}")  # noqa: S608

    assert caught.value.seq == first


@given(st.lists(st.integers(1, EVENTS), min_size=2, max_size=2, unique=True))
def test_two_swapped_events_are_named(image: bytes, pair: list[int]) -> None:
    one, other = sorted(pair)

    with pytest.raises(JournalCorrupt) as caught:
        _verify_after(
            image,
            f"UPDATE event SET seq = 99 WHERE seq = {one}",  # noqa: S608
            f"UPDATE event SET seq = {one} WHERE seq = {other}",  # noqa: S608
            f"UPDATE event SET seq = {other} WHERE seq = 99",  # noqa: S608
        )

    assert caught.value.seq == one


@given(st.integers(-3, 0))
def test_an_event_before_the_first_is_found(image: bytes, seq: int) -> None:
    with pytest.raises(JournalCorrupt):
        _verify_after(
            image,
            f"INSERT INTO event SELECT {seq}, stream, type, time_ns, payload, causation_id, correlation_id, "  # noqa: S608
            "prev_hash, hash, wall_ns, pid, epoch, outside_crc32 FROM event WHERE seq = 1",
        )


@given(st.data())
def test_a_changed_byte_in_a_row_of_the_file_is_found(image: bytes, data: st.DataObject) -> None:
    seq = data.draw(st.integers(1, EVENTS))
    start = image.index(f"s{seq - 1}test_journal_chain.noted.v1".encode())
    end = start + len(f"s{seq - 1}test_journal_chain.noted.v1") + 140  # payload and both hashes
    place = data.draw(st.integers(start, end - 1))
    mask = data.draw(st.integers(1, 255))
    changed = bytearray(image)
    changed[place] ^= mask

    with pytest.raises(JournalCorrupt) as caught:
        _verify_after(bytes(changed))

    assert caught.value.seq == seq


@given(st.data())
def test_a_changed_byte_anywhere_among_the_rows_of_a_page_is_found(image: bytes, data: st.DataObject) -> None:
    page = len(image) // 2  # the schema has the first page, the rows the second
    rows_start = page + int.from_bytes(image[page + 5 : page + 7], "big")
    changed = bytearray(image)
    changed[data.draw(st.integers(rows_start, len(image) - 1))] ^= data.draw(st.integers(1, 255))

    with pytest.raises(JournalCorrupt):
        _verify_after(bytes(changed))
