"""Who may touch a journal: what its owner sees who widened its permissions, by the hand or by a copy."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from treasury_actors.journal.verify import verify
from treasury_actors.simulation.run import JOURNAL_NAME

REPOSITORY = Path(__file__).parents[2]


def run(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Play a run of a day, or go on with it, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tests.unit.daemon.driver", str(folder), '{"days": 1, "agents": 3}'],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60.0,
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("access") / "run"
    assert run(folder).returncode == 0
    assert stat.S_IMODE((folder / JOURNAL_NAME).stat().st_mode) == 0o600
    return folder


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_journal_that_others_may_write_is_refused_in_one_line_and_left_as_it_is(
    played: Path, mode: int
) -> None:
    journal = played / JOURNAL_NAME
    before = journal.read_bytes()
    journal.chmod(mode)

    ended = run(played)

    assert ended.returncode == 78
    (line,) = [line for line in ended.stderr.splitlines() if "error" not in line]
    assert line.startswith(f"{journal}: others than its owner may write it (mode {mode:04o})")
    assert "chmod 600" in line
    assert journal.read_bytes() == before
    assert stat.S_IMODE(journal.stat().st_mode) == mode, "whose file it is decides who may do what with it"
    assert verify(journal).events > 0, "it can be read and verified all the same"


def test_a_journal_that_others_may_read_is_played_and_named(played: Path) -> None:
    journal = played / JOURNAL_NAME
    journal.chmod(0o640)

    ended = run(played)
    lines = [json.loads(line) for line in (played / "log.jsonl").read_text().splitlines()]

    assert ended.returncode == 0
    (said,) = [line for line in lines if line["event"] == "journal_readable_by_others"]
    assert said["mode"] == "0640"
    assert stat.S_IMODE(journal.stat().st_mode) == 0o640


def test_a_journal_of_its_owner_alone_is_no_news(played: Path) -> None:
    (played / JOURNAL_NAME).chmod(0o600)

    ended = run(played)

    assert ended.returncode == 0
    assert "readable" not in ended.stderr
