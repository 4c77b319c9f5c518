"""Both adapters keep the promises of the `Journal` port."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from treasury_actors.clock import VirtualClock
from treasury_actors.errors import InvariantViolated, JournalFault
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.journal.codec import event
from treasury_actors.journal.event import GENESIS_HASH
from treasury_actors.journal.ports import Journal
from treasury_actors.message import Provenance


@event("test_contract.noted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    number: int
    ratio: float = 0.0


@pytest.fixture(params=["memory", "sqlite"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    opened: Journal = MemoryJournal()
    if request.param == "sqlite":
        opened = await SqliteJournal.open(tmp_path / "journal.db", clock=VirtualClock(), durable=False)
    yield opened
    await opened.close()


@pytest.fixture(params=["memory", "sqlite"])
async def failing(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    """Give a journal whose first commit fails; the file's because another writer got in and stays."""
    if request.param == "memory":
        yield MemoryJournal(fail_at_seq=2)
        return
    path = tmp_path / "journal.db"
    opened = await SqliteJournal.open(path, clock=VirtualClock(), durable=False, busy_timeout_s=0.01)
    intruder = sqlite3.connect(path, isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    yield opened
    intruder.close()
    await opened.close()


def _append(journal: Journal, *numbers: int) -> None:
    for number in numbers:
        journal.append(Noted(number=number), stream="test", time_ns=number)


async def test_an_abandoned_journal_drops_what_is_pending_and_is_used_no_more(journal: Journal) -> None:
    _append(journal, 1, 2)
    await journal.flush()
    _append(journal, 3, 4)
    await journal.abandon()

    assert journal.durable_seq == 2
    with pytest.raises(JournalFault, match="abandoned"):
        journal.append(Noted(number=5), stream="test", time_ns=5)
    with pytest.raises(JournalFault, match="abandoned"):
        await journal.flush()
    await journal.abandon()  # a second call lets go of nothing more


async def test_events_of_a_type_are_counted_whether_they_are_durable_or_pending(journal: Journal) -> None:
    _append(journal, 1, 2)
    await journal.flush()
    _append(journal, 3)

    assert journal.count("test_contract.noted.v1") == 3
    assert [journal.count("test_contract.noted.v1", after_seq=seq) for seq in (1, 2, 3)] == [2, 1, 0]
    assert journal.count("test_contract.noted.v2") == 0


async def test_an_abandoned_file_goes_on_after_its_last_durable_event(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    first = await SqliteJournal.open(path, clock=VirtualClock(), durable=False)
    _append(first, 1, 2)
    await first.flush()
    _append(first, 3, 4)
    await first.abandon()
    second = await SqliteJournal.open(path, clock=VirtualClock(), durable=False, verify_chain=True)
    _append(second, 5)
    await second.flush()

    numbers = [each.event.number for each in second.read() if isinstance(each.event, Noted)]
    await second.close()
    assert numbers == [1, 2, 5]


async def test_an_abandoned_memory_journal_leaves_its_durable_events() -> None:
    journal = MemoryJournal()
    _append(journal, 1)
    await journal.flush()
    _append(journal, 2)
    await journal.abandon()

    assert [each.seq for each in journal.after_crash().read()] == [1]


async def test_a_commit_under_way_ends_when_a_file_is_abandoned(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    opened = await SqliteJournal.open(path, clock=VirtualClock(), durable=False)
    _append(opened, 1)
    waiting = asyncio.create_task(opened.flush())  # noqa: TID251 - somebody who waits meanwhile
    for _ in range(3):  # the flush begins, then its commit takes what there is
        await asyncio.sleep(0)
    _append(opened, 2)
    await opened.abandon()
    with suppress(JournalFault):  # what it waited for is there, but the journal can't be used any more
        await waiting

    again = await SqliteJournal.open(path, clock=VirtualClock(), durable=False)
    last_seq = again.head[0]
    await again.close()
    assert last_seq == 1
    assert waiting.done()


async def test_an_empty_journal_has_the_genesis_head(journal: Journal) -> None:
    assert journal.head == (0, GENESIS_HASH)
    assert journal.durable_seq == 0
    assert list(journal.read()) == []
    await journal.flush()


async def test_seq_and_hash_are_given_at_once_and_without_a_gap(journal: Journal) -> None:
    first = journal.append(Noted(number=1), stream="a", time_ns=7)
    second = journal.append(
        Noted(number=2), stream="b", time_ns=7, provenance=Provenance(causation_id="c", correlation_id="r")
    )

    assert (first.seq, second.seq) == (1, 2)
    assert second.prev_hash == first.hash
    assert (second.causation_id, second.correlation_id) == ("c", "r")
    assert journal.head == (2, second.hash)
    assert journal.durable_seq == 0


async def test_a_flush_makes_all_before_it_durable(journal: Journal) -> None:
    _append(journal, 1, 2, 3)

    await journal.flush()

    assert journal.durable_seq == 3


async def test_reading_gives_what_is_durable_and_what_is_pending(journal: Journal) -> None:
    _append(journal, 1, 2, 3)
    await journal.flush()
    _append(journal, 4, 5)

    assert [recorded.event for recorded in journal.read()] == [Noted(number=n) for n in range(1, 6)]
    assert [recorded.seq for recorded in journal.read(3)] == [3, 4, 5]
    assert [recorded.seq for recorded in journal.read(5)] == [5]
    assert list(journal.read(6)) == []


async def test_a_read_that_was_begun_does_not_see_what_comes_after(journal: Journal) -> None:
    _append(journal, 1, 2)
    await journal.flush()
    _append(journal, 3)
    reading = journal.read()
    begun = [next(reading).seq]

    _append(journal, 4)
    await journal.flush()

    assert begun + [recorded.seq for recorded in reading] == [1, 2, 3]


async def test_concurrent_flushers_are_each_served(journal: Journal) -> None:
    async def append_and_flush(number: int) -> int:
        recorded = journal.append(Noted(number=number), stream="test", time_ns=1)
        await journal.flush()
        assert journal.durable_seq >= recorded.seq
        return recorded.seq

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(append_and_flush(number)) for number in range(20)]

    assert [task.result() for task in tasks] == list(range(1, 21))


async def test_time_may_stand_still_but_never_goes_back(journal: Journal) -> None:
    _append(journal, 5, 5)

    with pytest.raises(InvariantViolated, match="time went back"):
        _append(journal, 4)

    assert journal.head[0] == 2


async def test_an_event_that_cannot_be_written_leaves_the_journal_as_it_was(journal: Journal) -> None:
    _append(journal, 1)
    before = journal.head

    with pytest.raises(InvariantViolated, match=r"Noted\.ratio"):
        journal.append(Noted(number=2, ratio=float("nan")), stream="test", time_ns=2)

    assert journal.head == before
    _append(journal, 2)
    await journal.flush()
    assert [recorded.seq for recorded in journal.read()] == [1, 2]


async def test_a_closed_journal_refuses_and_closes_twice(journal: Journal) -> None:
    _append(journal, 1)

    await journal.close()
    await journal.close()

    assert journal.durable_seq == 1
    with pytest.raises(JournalFault, match="closed"):
        _append(journal, 2)


async def test_a_failed_write_poisons_the_journal(failing: Journal) -> None:
    _append(failing, 1, 2)

    with pytest.raises(JournalFault) as caught:
        await failing.flush()

    assert caught.value.exit_code == 70
    assert not caught.value.transient
    assert failing.durable_seq == 0
    with pytest.raises(JournalFault):
        _append(failing, 3)
    with pytest.raises(JournalFault):
        await failing.flush()
    with pytest.raises(JournalFault):
        failing.read()
    with pytest.raises(JournalFault):
        _ = failing.head


async def test_a_failed_write_is_told_to_all_who_wait(failing: Journal) -> None:
    _append(failing, 1, 2)

    async def flush() -> str:
        try:
            await failing.flush()
        except JournalFault as fault:
            return type(fault).__name__
        return "flushed"

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(flush()) for _ in range(5)]

    assert [task.result() for task in tasks] == ["JournalFault"] * 5


async def test_a_crash_takes_only_what_was_not_flushed() -> None:
    journal = MemoryJournal()
    _append(journal, 1, 2)
    await journal.flush()
    flushed = journal.head
    _append(journal, 3)

    found = journal.after_crash()

    assert found.head == flushed
    assert found.durable_seq == 2
