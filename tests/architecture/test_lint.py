"""The tools that read the code, run as tests: the line that tests is the line that checks everything."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--no-cache", "--output-format", "concise"],
        ["ruff", "format", "--no-cache", "--check"],
        ["mypy", "--no-error-summary"],
        ["lint-imports", "--no-cache", "--no-logo"],
    ],
    ids=" ".join,
)
def test_tool_finds_nothing(command: list[str]) -> None:
    """Zero complaints: a warning that may stay is a rule that may go."""
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
