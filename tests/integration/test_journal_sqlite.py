"""The journal in a real file: kept through kills, one writer, readers that leave no trace, damage named."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from treasury_actors.clock import VirtualClock
from treasury_actors.errors import InvariantViolated, JournalCorrupt, JournalFault
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.journal.codec import event
from treasury_actors.journal.reader import open_readonly
from treasury_actors.journal.tail import tail
from treasury_actors.journal.verify import verify

REPOSITORY = Path(__file__).parents[2]


@event("test_journal_sqlite.noted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    number: int


async def _open(path: Path, *, verify_chain: bool = False, epoch: int = 0) -> SqliteJournal:
    return await SqliteJournal.open(
        path, clock=VirtualClock(), durable=False, verify_chain=verify_chain, epoch=epoch
    )


async def _write(path: Path, count: int) -> None:
    journal = await _open(path)
    first = journal.head[0]
    for number in range(first + 1, first + count + 1):
        journal.append(Noted(number=number), stream=f"s{number % 2}", time_ns=number)
    await journal.close()


def _files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in sorted(folder.iterdir())}


async def test_a_reopened_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await _write(path, 3)
    await _write(path, 3)

    journal = await _open(path, verify_chain=True)
    recorded = journal.append(Noted(number=7), stream="s", time_ns=7)
    await journal.close()

    assert recorded.seq == 7
    verified = verify(path)
    assert (verified.events, verified.head_hash) == (7, recorded.hash)
    assert verified.statement == "internally consistent; unanchored"


async def test_a_live_journal_syncs_every_commit(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / "journal.db", clock=VirtualClock(), durable=True)
    async with journal._connection.execute("PRAGMA synchronous") as cursor:
        found = await cursor.fetchone()
    await journal.close()

    assert found == (2,)  # FULL


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    journal = await _open(tmp_path / "journal.db")
    journal.append(Noted(number=1), stream="s", time_ns=1)
    await journal.flush()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    await journal.close()

    assert modes == dict.fromkeys(["journal.db", "journal.db-wal", "journal.db-shm"], 0o600)


async def test_two_runs_of_the_same_events_have_the_same_hashes_at_other_times(tmp_path: Path) -> None:
    heads = []
    for name, wall_ns, epoch in (("one", 5, 1), ("two", 999, 2)):
        journal = await SqliteJournal.open(tmp_path / name, clock=VirtualClock(wall_ns), epoch=epoch)
        journal.append(Noted(number=1), stream="s", time_ns=1)
        heads.append(journal.head)
        await journal.close()

    assert heads[0] == heads[1]


async def test_a_second_writer_in_the_process_is_refused_through_any_link(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    (tmp_path / "link.db").symlink_to(path)
    journal = await _open(path)

    with pytest.raises(InvariantViolated, match="has a writer"):
        await _open(tmp_path / "link.db")

    await journal.close()
    await (await _open(tmp_path / "link.db")).close()


async def test_appends_that_wait_share_one_commit(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = await _open(path)
    commits: list[int] = []
    journal._clock = _CountingClock(commits)

    async with asyncio.TaskGroup() as group:
        for number in range(100):
            journal.append(Noted(number=number), stream="s", time_ns=1)
            group.create_task(journal.flush())
    await journal.close()

    assert len(commits) <= 2
    assert verify(path).events == 100


class _CountingClock(VirtualClock):
    def __init__(self, calls: list[int]) -> None:
        super().__init__()
        self._calls = calls

    def now_ns(self) -> int:
        self._calls.append(1)
        return 0


async def test_a_cancelled_flusher_does_not_tear_the_commit(tmp_path: Path) -> None:
    journal = await _open(tmp_path / "journal.db")
    for number in range(500):
        journal.append(Noted(number=number), stream="s", time_ns=1)

    async with asyncio.TaskGroup() as group:
        flushing = group.create_task(journal.flush())
        await asyncio.sleep(0)
        flushing.cancel()
    await journal.flush()

    assert flushing.cancelled()

    assert journal.durable_seq == 500
    await journal.close()
    assert verify(tmp_path / "journal.db").events == 500


async def test_a_reader_sees_what_is_committed_while_the_writer_lives(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = await _open(path)
    with open_readonly(path) as reader:
        assert list(reader.read()) == []

        journal.append(Noted(number=1), stream="s", time_ns=1)
        await journal.flush()
        journal.append(Noted(number=2), stream="s", time_ns=2)

        assert [recorded.event for recorded in reader.read()] == [Noted(number=1)]
        reading = reader.read()
        next(reading)
        await journal.flush()  # a reader half way through holds nothing up
    await journal.close()
    assert verify(path).events == 2


async def test_reading_a_closed_journal_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await _write(path, 1_500)
    before = _files(tmp_path)
    tmp_path.chmod(0o500)
    try:
        assert verify(path).events == 1_500
        assert [recorded.seq for recorded in tail(path, 3)] == [1_498, 1_499, 1_500]
        assert [recorded.seq for recorded in tail(path, 4, stream="s1")] == [1_497, 1_499]
    finally:
        tmp_path.chmod(0o700)

    assert _files(tmp_path) == before


async def test_a_reader_that_began_before_the_writer_came_reads_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await _write(path, 600)
    with open_readonly(path) as reader:
        reading = reader.read()
        seqs = [next(reading).seq]

        await _write(path, 600)
        seqs += [recorded.seq for recorded in reading]
        journal = await _open(path)
        journal.append(Noted(number=0), stream="s", time_ns=9_999)
        await journal.flush()
        seqs += [recorded.seq for recorded in reader.read(1_201)]
        await journal.close()

    assert seqs == list(range(1, 1_202))


async def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await _write(path, 2)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    before = _files(tmp_path)

    with pytest.raises(JournalFault, match="newer version: schema 2, known up to 1") as caught:
        await _open(path)

    assert caught.value.exit_code == 70
    assert _files(tmp_path) == before


async def test_a_start_that_died_before_the_table_was_made_is_made_good(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.touch(mode=0o600)

    await _write(path, 1)

    assert verify(path).events == 1


async def test_a_first_write_that_the_power_was_cut_in_is_taken_back(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "first", isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 1")  # pages are written before the commit
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE something (a)")
        connection.executemany("INSERT INTO something VALUES (?)", [("x" * 4_000,)] * 20)
        path = tmp_path / "journal.db"
        path.write_bytes((tmp_path / "first").read_bytes()[:512])
        (tmp_path / "journal.db-journal").write_bytes((tmp_path / "first-journal").read_bytes())

    with pytest.raises(JournalFault):
        verify(path)
    await _write(path, 2)

    assert verify(path).events == 2


async def test_what_is_no_journal_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database " * 100)
    (tmp_path / "empty").touch()
    with closing(sqlite3.connect(tmp_path / "other")) as connection:
        connection.execute("CREATE TABLE something (a)")

    for name in ("text", "empty", "other"):
        with pytest.raises(JournalCorrupt) as caught:
            verify(tmp_path / name)
        assert caught.value.seq == 0
    for name in ("text", "other"):
        with pytest.raises(JournalCorrupt):
            await _open(tmp_path / name)
    with pytest.raises(JournalFault, match="there is no journal"):
        verify(tmp_path / "absent")


async def test_opening_checks_the_tail_and_on_request_the_whole_chain(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await _write(path, 200)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE event SET payload = '{}' WHERE seq = 7")
        connection.commit()

    await (await _open(path)).close()
    with pytest.raises(JournalCorrupt) as whole:
        await _open(path, verify_chain=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE event SET payload = '{}' WHERE seq = 199")
        connection.commit()
    with pytest.raises(JournalCorrupt) as last:
        await _open(path)

    assert (whole.value.seq, last.value.seq) == (7, 199)


async def test_a_payload_of_an_unknown_type_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    reader = "from pathlib import Path; from treasury_actors.journal.verify import verify; import sys"
    await _write(path, 2)

    found = subprocess.run(
        [sys.executable, "-c", f"{reader}; verify(Path(sys.argv[1]))", str(path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "event 1 cannot be decoded: unknown event type test_journal_sqlite.noted.v1" in found.stderr


_WRITER = """
import asyncio, sys
from dataclasses import dataclass
from pathlib import Path
from treasury_actors.clock import WallClock
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.journal.codec import event

@event("test_journal_sqlite.noted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    number: int

async def main():
    journal = await SqliteJournal.open(Path(sys.argv[1]), clock=WallClock(), durable=False, verify_chain=True)
    while True:
        for _ in range(7):
            seq = journal.append(Noted(number=journal.head[0]), stream="s", time_ns=0).seq
        await journal.flush()
        print(seq, flush=True)

asyncio.run(main())
"""


def _acknowledged_until_killed(path: Path, lines: int) -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for _ in range(lines):
            yield int(writer.stdout.readline())
        writer.kill()
        for line in writer.stdout:  # what it said between our last line and its death
            if line.endswith("\n"):
                yield int(line)


@pytest.mark.parametrize("verify_first", [True, False])
def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path, *, verify_first: bool) -> None:
    path = tmp_path / "journal.db"
    acknowledged = 0
    for lines in (1, 5, 40, 3, 120):
        acknowledged = list(_acknowledged_until_killed(path, lines))[-1]
        if verify_first:
            verified = verify(path)
            assert verified.head_seq >= acknowledged
            assert verified.head_seq % 7 == 0, "a turn's events are committed together"

    assert verify(path).head_seq >= acknowledged


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(JournalFault, match="cannot be made"):
            await _open(tmp_path / "journal.db")
    finally:
        tmp_path.chmod(0o700)
