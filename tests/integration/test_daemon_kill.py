"""A run as a process of its own: killed at any moment it goes on to the same end, told to leave it leaves."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.daemon.driver import folded
from treasury_actors.journal.verify import verify
from treasury_actors.simulation.run import JOURNAL_NAME

REPOSITORY = Path(__file__).parents[2]
KILL_AFTER_S = (0.05, 0.31, 0.62, 0.17, 0.44)
FRAMES_A_SECOND = 300


def start(
    folder: Path, *, days: int = 35, agents: int = 8, speed_x: float | None = None, simulated: int = 0
) -> "subprocess.Popen[str]":
    """Start a run as a process and wait for its first turn."""
    options = json.dumps({"days": days, "agents": agents, "speed_x": speed_x, "simulated": simulated})
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.daemon.driver", str(folder), options],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def end(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for the end of a process; return its exit code and its last line."""
    out, err = process.communicate(timeout=60.0)
    lines = (out + err if process.returncode else out).splitlines()
    return process.returncode, lines[-1] if lines else ""


@pytest.mark.slow
def test_a_run_that_is_killed_at_random_moments_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert end(start(whole)) == (0, "finished")

    events = []
    for seconds in KILL_AFTER_S:
        process = start(killed, speed_x=3_600.0 * FRAMES_A_SECOND)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
        assert end(process)[0] == -signal.SIGKILL
        events.append(verify(killed / JOURNAL_NAME).events)
    assert end(start(killed)) == (0, "finished")

    assert events == sorted(set(events)), "every life got further than the one before"
    assert folded(killed).state_hash == folded(whole).state_hash
    assert folded(killed).records.book.imbalances() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("speed_x", [1.0, 3_600.0 * FRAMES_A_SECOND])
def test_a_signal_ends_a_run_cleanly_within_ten_seconds(
    tmp_path: Path, number: signal.Signals, speed_x: float
) -> None:
    process = start(tmp_path, speed_x=speed_x)

    process.send_signal(number)
    process.wait(10.0)

    assert end(process) == (0, "interrupted")
    assert not (tmp_path / "control.sock").exists()
    assert verify(tmp_path / JOURNAL_NAME).events == folded(tmp_path).head[0]


def test_a_second_ctrl_c_loses_nothing(tmp_path: Path) -> None:
    whole, aborted = tmp_path / "whole", tmp_path / "aborted"
    assert end(start(whole, days=5)) == (0, "finished")
    process = start(aborted, days=5, speed_x=3_600.0 * FRAMES_A_SECOND)

    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    code, _ = end(process)

    assert code in {0, 130}  # the turn may have ended before the second came
    assert end(start(aborted, days=5)) == (0, "finished")
    assert folded(aborted).state_hash == folded(whole).state_hash


def test_a_second_process_leaves_with_75_and_the_first_goes_on(tmp_path: Path) -> None:
    first = start(tmp_path, speed_x=1.0)
    second = start(tmp_path, speed_x=1.0)

    code, line = end(second)
    first.terminate()

    assert code == 75
    assert str(first.pid) in line
    assert end(first) == (0, "interrupted")
