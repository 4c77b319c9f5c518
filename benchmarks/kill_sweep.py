"""
Kill a run at every boundary where it writes or sends, and count what was lost or done twice.

    python benchmarks/kill_sweep.py [--boundaries 1000] [--processes 2] [--seed 1]

Each seed is another trading day, killed at all of its boundaries, as many days as it takes. Needs strace.
Prints one line of JSON; exits 1 if anything was wrong.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.integration.kills.host import Order
from tests.integration.kills.sweep import (
    STRACE,
    Outcome,
    boundaries,
    hosting,
    kill_at,
    outcome,
    quick_place,
    wrong_after,
)

SIGKILLED = -9


def main() -> int:
    """Sweep day after day until there were enough boundaries."""
    parser = argparse.ArgumentParser(description="kill a run wherever it writes or sends")
    parser.add_argument("--boundaries", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if STRACE is None:
        sys.exit("this needs strace")
    begun, killed, missed, days = time.perf_counter(), 0, 0, 0
    wrong: list[str] = []
    calls: Counter[str] = Counter()
    with ProcessPoolExecutor(max_workers=options.processes) as pool:
        while killed < options.boundaries:
            parts = options.processes
            found = list(pool.map(_sweep, repeat(options.seed + days), range(parts), repeat(parts)))
            days += 1
            for part_killed, part_missed, part_wrong, part_calls in found:
                killed, missed = killed + part_killed, missed + part_missed
                wrong += part_wrong
                calls.update(part_calls)
            sys.stderr.write(f"{days} days, {killed} kills, {len(wrong)} wrong\n")
    print(
        json.dumps(
            {
                "boundaries": killed,
                "not_reached": missed,
                "days": days,
                "wrong": wrong,
                "calls": calls,
                "wall_s": round(time.perf_counter() - begun, 1),
            }
        )
    )
    return 1 if wrong else 0


def _sweep(seed: int, part: int, parts: int) -> tuple[int, int, list[str], Counter[str]]:
    """Kill one day at every `parts`-th boundary; return kills, misses, what was wrong, and the calls."""
    killed, missed, wrong, calls = 0, 0, list[str](), Counter[str]()
    with tempfile.TemporaryDirectory(dir=quick_place()) as place, hosting() as host:
        folder = Path(place)
        order = Order(folder=str(folder / "whole"), seed=seed)
        everywhere = boundaries(host, order, log=folder / "log")
        whole: Outcome = outcome(folder / "whole")
        for boundary in everywhere[part::parts]:
            disturbed = replace(order, folder=str(folder / "killed"))
            ended = kill_at(host, disturbed, boundary, log=folder / "log")
            if ended.exit_code == SIGKILLED:
                killed += 1
                calls[boundary.call] += 1
            else:
                missed += 1
            bad = wrong_after(host, disturbed, ended, whole)
            if bad:
                wrong.append(f"seed {seed}, {boundary.call} {boundary.number}: {bad}")
            shutil.rmtree(folder / "killed")
    return killed, missed, wrong, calls


if __name__ == "__main__":
    sys.exit(main())
