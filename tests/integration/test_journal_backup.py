"""A backup is one moment of a journal, whole or not there; a run restored from it comes to the same end."""

import asyncio
import json
import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.daemon.driver import folded, play, small_run
from tests.unit.daemon.living import living
from treasury_actors.cli.main import main
from treasury_actors.clock import VirtualClock, WallClock
from treasury_actors.daemon.backup import back_up
from treasury_actors.errors import ConfigError, InvariantViolated
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.journal.codec import event
from treasury_actors.journal.sqlite_in_use import check_only_writer, sqlite_in_use, writing_descriptors
from treasury_actors.journal.verify import verify
from treasury_actors.simulation.run import JOURNAL_NAME

needs_descriptors = pytest.mark.skipif(
    writing_descriptors(Path(__file__)) is None, reason="this system does not list a process's descriptors"
)


@event("test_journal_backup.noted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    number: int


async def _open(path: Path) -> SqliteJournal:
    return await SqliteJournal.open(path, clock=VirtualClock(), durable=False)


async def test_a_backup_is_what_was_appended_before_it_while_the_writer_goes_on(tmp_path: Path) -> None:
    journal = await _open(tmp_path / "journal.db")
    for number in range(50):
        journal.append(Noted(number=number), stream="s", time_ns=0)
    head = journal.head
    async with asyncio.TaskGroup() as group:
        backing_up = group.create_task(journal.back_up(tmp_path / "copy.db"))
        group.create_task(_append_on(journal))
    verified = backing_up.result()
    await journal.close()

    assert verified.head_seq >= 50
    assert verify(tmp_path / "copy.db").head_hash == verified.head_hash
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    assert verify(tmp_path / "journal.db").events == 60
    assert head[0] == 50
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.db", "journal.db"]


async def _append_on(journal: SqliteJournal) -> None:
    for number in range(50, 60):
        journal.append(Noted(number=number), stream="s", time_ns=0)
        await journal.flush()


async def test_a_backup_replaces_nothing_and_a_leftover_of_one_is_no_hindrance(tmp_path: Path) -> None:
    journal = await _open(tmp_path / "journal.db")
    journal.append(Noted(number=1), stream="s", time_ns=0)
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "copy.db.partial").write_text("of a backup that was killed")

    with pytest.raises(ConfigError, match="a backup replaces nothing"):
        await journal.back_up(tmp_path / "mine")
    with pytest.raises(ConfigError, match="no such folder"):
        await journal.back_up(tmp_path / "absent" / "copy.db")
    verified = await journal.back_up(tmp_path / "copy.db")
    await journal.close()

    assert verified.events == 1
    assert (tmp_path / "mine").read_text() == "precious"
    assert not (tmp_path / "copy.db.partial").exists()


async def test_a_run_restored_from_a_backup_made_while_it_lived_ends_as_the_whole_one(tmp_path: Path) -> None:
    run_of, folder, restored = small_run(), tmp_path / "run", tmp_path / "restored"
    async with living(run_of, folder) as run:
        await run.reach(20)
        answer = await back_up(folder, tmp_path / "copy.db", clock=WallClock())
        again = await back_up(folder, tmp_path / "copy.db", clock=WallClock())
    await play(run_of, folder)
    restored.mkdir()
    shutil.copy(tmp_path / "copy.db", restored / JOURNAL_NAME)
    shutil.copy(folder / "manifest.json", restored / "manifest.json")
    copied = folded(restored)
    assert copied.head == (answer["events"], answer["head_hash"])
    assert again["ok"] is False

    await play(run_of, restored)

    assert folded(restored).state_hash == folded(folder).state_hash


async def test_a_dead_run_is_backed_up_under_its_lock(tmp_path: Path) -> None:
    run_of = small_run()
    await play(run_of, tmp_path / "run")

    answer = await back_up(tmp_path / "run", tmp_path / "copy.db", clock=WallClock())

    assert answer["head_hash"] == folded(tmp_path / "run").head[1] == verify(tmp_path / "copy.db").head_hash
    with pytest.raises(ConfigError, match="no run with a journal there"):
        await back_up(tmp_path, tmp_path / "other.db", clock=WallClock())


def test_the_command_backs_up_and_says_what_it_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(play(small_run(days=1), tmp_path / "run"))
    command = ["journal", "backup", "--json", "--out", str(tmp_path / "run"), str(tmp_path / "copy.db")]

    codes = [main(command), main(command)]

    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert codes == [0, 1]
    assert first["head_hash"] == verify(tmp_path / "copy.db").head_hash
    assert second["ok"] is False


@needs_descriptors
async def test_an_open_journal_is_open_for_writing_once_however_many_read_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = await _open(path)
    reading = list(journal.read())
    once = writing_descriptors(path)
    with closing(sqlite3.connect(path)) as second:
        second.execute("PRAGMA user_version")
        with pytest.raises(InvariantViolated, match="open for writing 2 times in this process"):
            check_only_writer(path)
    await journal.close()

    assert (reading, once, writing_descriptors(path)) == ([], 1, 0)


@needs_descriptors
async def test_a_journal_whose_file_somebody_here_can_write_already_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await (await _open(path)).close()
    with closing(sqlite3.connect(path)) as first:
        first.execute("PRAGMA user_version")
        with pytest.raises(InvariantViolated, match="one connection that writes"):
            await _open(path)

    await (await _open(path)).close()


@pytest.mark.parametrize(
    ("version", "has_defect"),
    [((3, 6, 23), False), ((3, 7, 0), True), ((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False)],
)
def test_the_versions_with_the_defect_are_known(version: tuple[int, ...], *, has_defect: bool) -> None:
    assert sqlite_in_use(version).wal_reset_defect is has_defect


def test_the_version_command_names_sqlite_and_what_guards_it(capsys: pytest.CaptureFixture[str]) -> None:
    main(["version", "--json"])
    found = json.loads(capsys.readouterr().out)["sqlite"]
    main(["version"])

    assert found["version"] == sqlite3.sqlite_version
    assert found["guard"] == "one read-write connection, checked at every start"
    assert f"SQLite {sqlite3.sqlite_version}" in capsys.readouterr().out
