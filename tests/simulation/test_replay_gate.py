"""Two processes that play the same seeds, under different hash seeds, leave the same trace."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from treasury_actors.faults.mutants import MUTANTS

ROOT = Path(__file__).parents[2]
SEEDS = "1..8"


def trace_of(hash_seed: str, *extra: str) -> str:
    """Return the trace hash of a campaign in a process of its own."""
    done = subprocess.run(
        [sys.executable, "run.py", "faults", "--seeds", SEEDS, "--json", *extra],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)
    trace = found["trace_hash"]
    assert isinstance(trace, str)
    return trace


def test_two_processes_with_different_hash_seeds_leave_the_same_trace() -> None:
    assert trace_of("1") == trace_of("2")


@pytest.mark.parametrize("name", [name for name, mutant in MUTANTS.items() if mutant.harness == "replay"])
def test_the_gate_sees_an_order_that_hangs_on_hashes(name: str) -> None:
    assert trace_of("1", "--mutant", name) != trace_of("2", "--mutant", name)
