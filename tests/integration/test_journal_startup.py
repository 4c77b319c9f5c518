"""A start on a journal that is damaged, cut or newer says so by name and code, and changes nothing."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.kills.host import Order
from tests.integration.kills.sweep import STRACE, hosting
from tests.unit.daemon.driver import folded, play, small_run
from treasury_actors.cli.main import main
from treasury_actors.clock import Clock, WallClock
from treasury_actors.errors import JournalCorrupt, JournalFault
from treasury_actors.journal.reader import open_readonly
from treasury_actors.journal.verify import verify
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.run import JOURNAL_NAME

HOUR_NS = 3_600 * 10**9
DAY_NS = 24 * HOUR_NS


@pytest.fixture
def one_day() -> Prepared:
    return small_run(days=1)


@pytest.fixture
async def journal(tmp_path: Path, one_day: Prepared) -> Path:
    await play(one_day, tmp_path / "run")
    return tmp_path / "run" / JOURNAL_NAME


def _sql(*statements: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    return damage


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _no_database(path: Path) -> None:
    path.write_bytes(b"no database " * 1_000)


def _zeroed_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4_096 * 3 : 4_096 * 4] = bytes(4_096)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (_sql("UPDATE event SET payload = '{}' WHERE seq = 3"), 74),
        (_sql("DELETE FROM event WHERE seq = 7"), 74),
        (_half, 74),
        (_no_database, 74),
        (_zeroed_page, 74),
        (_sql("PRAGMA user_version = 2"), 70),
    ],
)
async def test_a_start_on_a_bad_journal_is_refused_and_leaves_it_as_it_is(
    journal: Path, one_day: Prepared, *, damage: Callable[[Path], None], code: int
) -> None:
    damage(journal)
    before = journal.read_bytes()

    with pytest.raises(JournalFault) as caught:
        await play(one_day, journal.parent)

    assert caught.value.exit_code == code
    assert isinstance(caught.value, JournalCorrupt) == (code == 74)
    assert journal.read_bytes() == before


async def test_another_runs_log_beside_a_journal_changes_nothing(
    journal: Path, one_day: Prepared, tmp_path: Path
) -> None:
    head = folded(journal.parent).head
    with closing(sqlite3.connect(tmp_path / "other", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, stream TEXT)")
        journal.with_name(JOURNAL_NAME + "-wal").write_bytes((tmp_path / "other-wal").read_bytes())

        found: object = None
        try:
            found = verify(journal).head_hash
        except JournalFault as fault:
            found = type(fault)

    assert found in {head[1], JournalCorrupt}


async def test_a_start_on_less_than_was_told_outside_is_refused(
    journal: Path, one_day: Prepared, tmp_path: Path
) -> None:
    anchors = tmp_path / "anchors"
    await play(one_day, tmp_path / "anchored", anchor_dir=anchors)
    await play(one_day, tmp_path / "anchored", anchor_dir=anchors)
    anchored = tmp_path / "anchored" / JOURNAL_NAME
    whole = anchored.read_bytes()

    _sql("DELETE FROM event WHERE seq > 40")(anchored)
    with pytest.raises(JournalCorrupt, match="the journal was cut: its last event is 40") as cut:
        await play(one_day, anchored.parent, anchor_dir=anchors)
    assert cut.value.seq == 41

    anchored.write_bytes(whole)
    (tmp_path / "anchored" / "anchor.key").unlink()
    with pytest.raises(JournalFault, match="the key of the anchors cannot be read"):
        await play(one_day, anchored.parent, anchor_dir=anchors)


async def test_a_start_on_another_history_than_was_told_outside_is_refused(
    one_day: Prepared, tmp_path: Path
) -> None:
    anchors = tmp_path / "anchors"
    await play(one_day, tmp_path / "run", anchor_dir=anchors)
    other = small_run(days=1, seed=8)
    await play(other, tmp_path / "other")
    shorter = min(folded(tmp_path / name).head[0] for name in ("run", "other"))
    (tmp_path / "run" / JOURNAL_NAME).write_bytes((tmp_path / "other" / JOURNAL_NAME).read_bytes())

    with pytest.raises(JournalCorrupt, match=r"the journal was (rewritten|cut)") as caught:
        await play(one_day, tmp_path / "run", anchor_dir=anchors)

    assert caught.value.seq <= shorter + 1


def test_the_command_says_what_was_shown_and_leaves_by_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, anchors = tmp_path / "run", tmp_path / "anchors"
    asyncio.run(play(small_run(days=1), run, anchor_dir=anchors))
    (file,) = anchors.iterdir()
    kept = (run / "anchor.key").rename(tmp_path / "kept.key")
    verify_it = ["journal", "verify", str(run)]
    against = [*verify_it, "--anchor", str(file), "--anchor-key", str(kept)]
    capsys.readouterr()

    codes = [main(verify_it), main(against), main([*verify_it, "--anchor", str(file)])]
    _sql("DELETE FROM event WHERE seq > 40")(run / JOURNAL_NAME)
    codes += [main(verify_it), main(against)]

    said = capsys.readouterr()
    assert codes == [0, 0, 70, 0, 74]
    assert [line.rpartition(": ")[2] for line in said.out.splitlines()] == [
        "internally consistent; unanchored",
        f"internally consistent; anchored to its head, event {said.out.split(' events')[0].split()[-1]}",
        "internally consistent; unanchored",
    ]
    assert "anchor.key: the key of the anchors cannot be read" in said.err
    assert "was cut: its last event is 40" in said.err


class _JumpingClock(Clock):
    """The machine's clock, put back an hour and on two days again and again; what counts time is not."""

    def __init__(self) -> None:
        self._wall = WallClock()
        self._calls = 0

    def now_ns(self) -> int:
        self._calls += 1
        return self._wall.now_ns() + (0, -HOUR_NS, 2 * DAY_NS, -DAY_NS)[self._calls % 4]

    def monotonic_s(self) -> float:
        return self._wall.monotonic_s()


async def test_a_clock_that_jumps_changes_no_event(journal: Path, one_day: Prepared, tmp_path: Path) -> None:
    await play(one_day, tmp_path / "jumping", clock=_JumpingClock())

    with open_readonly(tmp_path / "jumping" / JOURNAL_NAME) as reader:
        times = [recorded.time_ns for recorded in reader.read()]
    assert times == sorted(times)
    assert folded(tmp_path / "jumping").head == folded(journal.parent).head


@pytest.mark.skipif(STRACE is None, reason="there is no strace here to make a disk read-only for root too")
def test_a_folder_on_a_read_only_disk_is_named(tmp_path: Path) -> None:
    order = Order(folder=str(tmp_path / "run"))
    (tmp_path / "run").mkdir()
    strace = ["-P", str(tmp_path / "run" / "lock"), "-e", "trace=openat", "-e", "inject=openat:error=EROFS"]

    with hosting() as host:
        ended = host.play_under(strace, order, log=tmp_path / "log")

    assert ended.exit_code == 70
    assert "cannot be used as a run folder: Read-only file system" in ended.error
    assert list((tmp_path / "run").iterdir()) == []
