"""A process that waits beside the one that plays: it goes on when that dies, and does nothing before."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import anyio
import pytest

from tests.integration.test_daemon_kill import REPOSITORY, end, start
from tests.unit.daemon.driver import folded
from tests.unit.daemon.living import count, state
from tests.unit.daemon.paper import Living, Market, paper, play_paper
from treasury_actors.clock import WallClock
from treasury_actors.daemon import operate
from treasury_actors.daemon.standby import take_over
from treasury_actors.errors import JournalCorrupt
from treasury_actors.journal.folder import FolderLock
from treasury_actors.journal.verify import verify
from treasury_actors.simulation.following import Follower
from treasury_actors.simulation.live.session import catch_up
from treasury_actors.simulation.run import JOURNAL_NAME

DAYS, AGENTS = 35, 8
HOURS = 26
SLOW_X = 3_600.0 * 10
"""Ten frames a second: a season lasts longer than any process takes to start."""


def stand_by(folder: Path, *, agents: int = AGENTS, speed_x: float | None = None) -> "subprocess.Popen[str]":
    """Start a standby."""
    options = {"days": DAYS, "agents": agents, "speed_x": speed_x, "standby": True}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.unit.daemon.driver", str(folder), json.dumps(options)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def line(process: "subprocess.Popen[str]") -> list[str]:
    """Return the words of the next line a process prints."""
    assert process.stdout is not None
    return process.stdout.readline().split()


def ready(process: "subprocess.Popen[str]", seq: int) -> None:
    """Wait until a standby knows so many events."""
    while True:
        word, known = line(process)
        assert word == "standby"
        if int(known) >= seq:
            return


def plays(standby: "subprocess.Popen[str]") -> None:
    """Wait until a standby has played a turn."""
    while line(standby)[0] == "standby":
        pass


def holder(folder: Path, waiting: "list[subprocess.Popen[str]]") -> "subprocess.Popen[str]":
    """Return which of those that wait has got the folder, once one has."""
    while True:
        pid = (folder / "lock").read_text().strip()
        for standby in waiting:
            assert standby.poll() is None
            if str(standby.pid) == pid:
                return standby


@pytest.mark.slow
def test_one_of_two_that_wait_goes_on_when_the_one_that_plays_is_killed(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert end(start(whole, days=DAYS)) == (0, "finished")
    playing = start(killed, days=DAYS, speed_x=SLOW_X)
    waiting = [stand_by(killed, speed_x=SLOW_X), stand_by(killed, speed_x=SLOW_X)]
    for standby in waiting:
        ready(standby, 60)

    while waiting:
        playing.kill()
        assert end(playing)[0] == -signal.SIGKILL
        playing = holder(killed, waiting)
        waiting.remove(playing)
        plays(playing)
    playing.terminate()
    assert end(playing) == (0, "interrupted")
    assert end(start(killed, days=DAYS)) == (0, "finished")

    found = folded(killed)
    assert found.state_hash == folded(whole).state_hash
    assert found.records.book.imbalances() == []
    assert count(found, "daemon.resumed.v1") == 3
    assert verify(killed / JOURNAL_NAME).events == found.head[0]


async def test_a_stop_outlives_the_process_that_was_told_of_it(tmp_path: Path) -> None:
    playing = start(tmp_path, days=DAYS, speed_x=SLOW_X)
    standby = stand_by(tmp_path, speed_x=SLOW_X)
    ready(standby, 60)

    stopped = await operate.stop(tmp_path, "a drill", clock=WallClock())
    playing.kill()
    end(playing)
    plays(standby)
    status = await operate.status(tmp_path)
    standby.terminate()

    assert stopped["state"] == "stopped"
    assert (status["answering"], state(status)) == (True, "stopped")
    assert end(standby) == (0, "interrupted")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_leave_it_leaves_and_the_one_that_plays_never_knew(
    tmp_path: Path, number: signal.Signals
) -> None:
    playing = start(tmp_path, days=DAYS, speed_x=3_600.0)
    before = {file.name for file in tmp_path.iterdir()}
    epoch = (tmp_path / "epoch").read_text()
    standby = stand_by(tmp_path)
    ready(standby, 1)

    standby.send_signal(number)
    code, last = end(standby)
    after = {file.name for file in tmp_path.iterdir()}
    holder = (tmp_path / "lock").read_text()
    playing.terminate()

    assert (code, last) == (0, "interrupted")
    assert (after, holder.strip()) == (before, str(playing.pid))
    assert end(playing) == (0, "interrupted")
    assert (tmp_path / "epoch").read_text() == epoch


def test_where_nobody_plays_it_begins_at_once(tmp_path: Path) -> None:
    standby = stand_by(tmp_path / "new")

    assert end(standby) == (0, "finished")


def test_one_of_another_config_is_refused_before_it_waits(tmp_path: Path) -> None:
    playing = start(tmp_path, days=DAYS, speed_x=3_600.0)
    code, last = end(stand_by(tmp_path, agents=AGENTS + 1))
    playing.terminate()
    end(playing)

    assert code == 78
    assert "another config" in last


async def test_it_leaves_when_the_journal_it_follows_is_not_what_was_written(tmp_path: Path) -> None:
    prepared, growing = paper()
    (tmp_path / JOURNAL_NAME).write_bytes(b"no journal" * 1_000)
    follower = Follower(prepared.plan, prepared.season)

    with FolderLock(tmp_path), pytest.raises(JournalCorrupt):
        await take_over(
            FolderLock(tmp_path),
            tmp_path / JOURNAL_NAME,
            follower,
            hears=lambda _: None,
            read_frames=partial(catch_up, growing, tmp_path),
        )


async def test_beside_a_run_on_a_chain_it_reads_the_frames_that_were_decided_on(tmp_path: Path) -> None:
    played = Living(market=Market())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(play_paper, played, tmp_path)
        await played.play_to(HOURS - 1)
        signal.raise_signal(signal.SIGTERM)
    prepared, growing = paper()
    follower = Follower(prepared.plan, prepared.season)
    holder, lock = FolderLock(tmp_path), FolderLock(tmp_path)
    holder.acquire()

    def let_go(seq: int) -> None:
        assert seq == folded(tmp_path).head[0]
        holder.release()

    taken = await take_over(
        lock,
        tmp_path / JOURNAL_NAME,
        follower,
        hears=let_go,
        read_frames=partial(catch_up, growing, tmp_path),
    )
    lock.release()

    assert taken
    assert growing.frame_count == HOURS
    assert follower.seq == folded(tmp_path).head[0]
