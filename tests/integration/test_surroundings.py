"""What a process stands in changes nothing it writes: its place, its language, its terminal, its sleep."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.integration.test_daemon_kill import FRAMES_A_SECOND, end, start
from tests.unit.daemon.driver import folded
from treasury_actors.journal.verify import verify
from treasury_actors.simulation.run import JOURNAL_NAME

ROOT = Path(__file__).parents[2]
SEASON = ("backtest", "--days", "2", "--agents", "3", "--seed", "5", "--json")
PLACES = (
    {"TZ": "Pacific/Apia", "LC_ALL": "C", "PYTHONHASHSEED": "1"},
    {"TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2", "COLUMNS": "20"},
)


def test_a_season_has_the_same_journal_in_any_place_and_language(tmp_path: Path) -> None:
    heads = []
    for number, place in enumerate(PLACES):
        done = subprocess.run(
            [sys.executable, "run.py", *SEASON, "--out", str(tmp_path / str(number))],
            cwd=ROOT,
            env={**os.environ, **place},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout)
        heads.append(verify(tmp_path / str(number) / JOURNAL_NAME).head_hash)

    assert len(set(heads)) == 1


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    """`run.py … | head` closes the pipe before anything is written to it."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody_reads:
        done = subprocess.run(
            [sys.executable, "run.py", "faults", "--list-mutants"],
            cwd=ROOT,
            stdout=nobody_reads,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_terminal_that_closes_ends_a_run_as_a_kill_does_and_nothing_is_lost(tmp_path: Path) -> None:
    whole, hung_up = tmp_path / "whole", tmp_path / "hung-up"
    assert end(start(whole, days=5)) == (0, "finished")
    process = start(hung_up, days=5, speed_x=3_600.0 * FRAMES_A_SECOND)

    process.send_signal(signal.SIGHUP)
    code, _ = end(process)

    assert code in {0, -signal.SIGHUP}
    assert end(start(hung_up, days=5)) == (0, "finished")
    assert folded(hung_up).state_hash == folded(whole).state_hash


def test_a_process_put_to_sleep_keeps_its_folder_and_goes_on_when_it_wakes(tmp_path: Path) -> None:
    """Locks that expire let a second writer in while the first sleeps; this one never expires."""
    first = start(tmp_path, speed_x=1.0)
    first.send_signal(signal.SIGSTOP)
    try:
        code, line = end(start(tmp_path, speed_x=1.0))
    finally:
        first.send_signal(signal.SIGCONT)
    first.terminate()

    assert code == 75
    assert str(first.pid) in line
    assert end(first) == (0, "interrupted")
    assert verify(tmp_path / JOURNAL_NAME).events == folded(tmp_path).head[0]
