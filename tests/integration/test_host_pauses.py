"""
A run whose host stands still or has no time for it: SIGSTOP and SIGCONT, and a neighbour that takes the CPU.

Nobody could have met a deadline meanwhile, so none may have passed: no agent is counted as crashed, no budget
is touched, the run ends as any other, and that it stood still is an event.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from tests.integration.slow_run import run_of
from tests.unit.daemon.driver import folded, play
from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.arena.model.events import AgentCrashed, HostPaused
from treasury_actors.clock import WallClock
from treasury_actors.journal.reader import open_readonly
from treasury_actors.simulation.run import JOURNAL_NAME

HOST = WallClock()
REPOSITORY = Path(__file__).parents[2]
SLICES, DEADLINE_S, PAUSE_S = 10, 1.0, 4.0
OUTSIDE_THE_STATE = frozenset({"arena.host_paused.v1", "arena.agent_crashed.v1", "arena.agent_restarted.v1"})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the same run, whose agents are quick and which nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    anyio.run(lambda: play(run_of(0), folder))
    return folder


@contextmanager
def running(folder: Path, slices: int) -> Iterator["subprocess.Popen[str]"]:
    """Run a daemon of slow agents, from its first turn on; it is gone when the body ends."""
    arguments = (str(folder), str(slices), str(DEADLINE_S))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.slow_run", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        wait_for_turn(process)
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_turn(process: "subprocess.Popen[str]") -> None:
    """Wait until the next turn has ended: its agents are at work on the one after it."""
    assert process.stdout is not None
    assert process.stdout.readline(), "the run ended"


@contextmanager
def busy_neighbour(cpu: int) -> Iterator[None]:
    """Keep one CPU busy while the body runs."""
    code = f"import os\nos.sched_setaffinity(0, {{{cpu}}})\nprint('busy', flush=True)\nwhile True: pass"
    hog = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert hog.stdout is not None
    try:
        assert hog.stdout.readline() == "busy\n"
        yield
    finally:
        hog.kill()
        hog.communicate()


def events_of(folder: Path) -> list[object]:
    with open_readonly(folder / JOURNAL_NAME) as journal:
        return [recorded.event for recorded in journal.read()]


def lived(folder: Path) -> list[str]:
    """Return the types of all events but those that tell of the host and of crashes."""
    return [type_ for type_ in folded(folder).types if type_ not in OUTSIDE_THE_STATE]


def test_a_run_that_was_suspended_counts_no_crash_and_ends_as_one_that_was_not(
    tmp_path: Path, undisturbed: Path
) -> None:
    with running(tmp_path, SLICES) as process:
        process.send_signal(signal.SIGSTOP)
        began_s = HOST.monotonic_s()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(PAUSE_S)
        process.send_signal(signal.SIGCONT)
        stood_still_s = HOST.monotonic_s() - began_s
        process.communicate(timeout=60.0)
        assert process.returncode == 0

    events = events_of(tmp_path)
    pauses = [each.gap_s for each in events if isinstance(each, HostPaused) and each.gap_s > DEADLINE_S * 3]
    assert len(pauses) == 1, "one pause, one event, though more than one supervisor noticed"
    assert PAUSE_S - DEADLINE_S <= pauses[0] <= stood_still_s + 1.0
    assert not any(isinstance(each, AgentCrashed) for each in events)
    assert folded(tmp_path).state_hash == folded(undisturbed).state_hash
    assert lived(tmp_path) == lived(undisturbed)


@pytest.mark.slow
def test_a_run_that_is_suspended_again_and_again_counts_every_pause_and_still_no_crash(
    tmp_path: Path, undisturbed: Path
) -> None:
    """More pauses than a budget has crashes, each longer than a deadline."""
    times = SupervisionPolicy().crashes_max + 1
    with running(tmp_path, SLICES) as process:
        for _ in range(times):
            process.send_signal(signal.SIGSTOP)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(DEADLINE_S * 1.5)
            process.send_signal(signal.SIGCONT)
            wait_for_turn(process)
        process.communicate(timeout=60.0)
        assert process.returncode == 0

    assert not any(isinstance(each, AgentCrashed) for each in events_of(tmp_path))
    assert folded(tmp_path).state_hash == folded(undisturbed).state_hash


def test_an_agent_that_takes_too_long_by_itself_is_a_crashed_one(tmp_path: Path) -> None:
    """So the tests above can fail: that deadline does hold."""
    with running(tmp_path, int(2 * DEADLINE_S / 0.02)):
        pass  # the first turn has ended: without the deadline it would have ended, too, but by decisions

    causes = [each.cause for each in events_of(tmp_path) if isinstance(each, AgentCrashed)]
    assert causes
    assert all("deadline" in cause for cause in causes)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs a system that pins processes")
def test_a_neighbour_that_takes_the_cpu_costs_time_and_nobodys_life(
    tmp_path: Path, undisturbed: Path
) -> None:
    cpu = min(os.sched_getaffinity(0))
    with running(tmp_path, SLICES) as process:
        os.sched_setaffinity(process.pid, {cpu})
        os.setpriority(os.PRIO_PROCESS, process.pid, 10)  # the neighbour gets nine tenths
        with busy_neighbour(cpu):
            process.communicate(timeout=60.0)
        assert process.returncode == 0

    assert not any(isinstance(each, AgentCrashed) for each in events_of(tmp_path))
    assert folded(tmp_path).state_hash == folded(undisturbed).state_hash
    assert lived(tmp_path) == lived(undisturbed)
