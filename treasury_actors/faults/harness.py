"""The harnesses that are processes of their own: tests that must fail, and two runs that must differ."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import treasury_actors
from treasury_actors.errors import ConfigError
from treasury_actors.faults import plant_in_tests
from treasury_actors.faults.planting import Mutant

ROOT: Final = Path(treasury_actors.__file__).parents[1]
REPLAY_SEEDS: Final = range(1, 9)
_TESTS_FAILED: Final = 1
_TESTS_MAX_S: Final = 600.0
_FAILED: Final = re.compile(r"^FAILED (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunt:
    """
    What became of a hunt.

    Attributes:
        caught_by: the test that failed, or what differed; None if nobody noticed.
        seeds: how many were played in each process; 0 if none.
    """

    caught_by: str | None
    seeds: int = 0


def hunt_by(mutant: Mutant) -> Hunt:
    """Hunt a mutant by the harness named for it, which is not the simulation."""
    assert mutant.harness != "simulation", "seeds are played by a campaign"
    return hunt_by_replay(mutant) if mutant.harness == "replay" else hunt_by_tests(mutant)


def hunt_by_tests(mutant: Mutant) -> Hunt:
    """
    Run the tests named for a mutant in a process where it is planted.

    Raises:
        ConfigError: there are no tests here, or they can't be run.
    """
    paths = [test.partition("::")[0] for test in mutant.tests]
    if not all((ROOT / path).is_file() for path in paths):
        raise ConfigError(f"--mutant {mutant.name}: {', '.join(paths)} is needed, which a checkout has")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=no", "-rf", "-p", "no:cacheprovider"]
    done = subprocess.run(  # noqa: S603 - our own tests, by names of our own
        [*command, "-p", plant_in_tests.__name__, *mutant.tests],
        cwd=ROOT,
        env={**os.environ, plant_in_tests.NAMED_BY: mutant.name, "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        check=False,
        timeout=_TESTS_MAX_S,
    )
    failed = _FAILED.search(done.stdout)
    if done.returncode not in {0, _TESTS_FAILED} or (failed is None) != (done.returncode == 0):
        told = (done.stdout + done.stderr).strip().splitlines()
        raise ConfigError(
            f"--mutant {mutant.name}: its tests can't be run: {told[-1] if told else 'silence'}"
        )
    return Hunt(caught_by=None if failed is None else failed[1])


def hunt_by_replay(mutant: Mutant) -> Hunt:
    """Play the same seeds with a mutant in two processes that hash differently, and compare the traces."""
    traces = [trace_of(hash_seed, mutant) for hash_seed in ("1", "2")]
    differ = f"traces {traces[0]} and {traces[1]} of the same seeds"
    return Hunt(caught_by=differ if traces[0] != traces[1] else None, seeds=len(REPLAY_SEEDS))


def trace_of(hash_seed: str, mutant: Mutant | None = None) -> str:
    """Return the trace hash that a process of its own leaves of the seeds of the replay gate."""
    seeds = f"{REPLAY_SEEDS.start}..{REPLAY_SEEDS.stop - 1}"
    planting = [] if mutant is None else ["--mutant", mutant.name, "--harness", "simulation"]
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, str(ROOT / "run.py"), "faults", "--seeds", seeds, "--json", *planting],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return str(json.loads(done.stdout)["trace_hash"])
    except (ValueError, KeyError):
        told = done.stderr.strip().splitlines()
        raise ConfigError(f"a replay of seeds {seeds} says nothing: {told[-1] if told else ''}") from None
