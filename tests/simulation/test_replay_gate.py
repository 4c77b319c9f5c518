"""Two processes that play the same seeds, under different hash seeds, leave the same trace."""

import pytest

from treasury_actors.faults.harness import hunt_by_replay, trace_of
from treasury_actors.faults.mutants import MUTANTS


def test_two_processes_with_different_hash_seeds_leave_the_same_trace() -> None:
    assert trace_of("1") == trace_of("2")


@pytest.mark.parametrize("name", [name for name, mutant in MUTANTS.items() if mutant.harness == "replay"])
def test_the_gate_sees_what_hangs_on_hashes_or_on_the_time(name: str) -> None:
    assert hunt_by_replay(MUTANTS[name]).caught_by is not None
