"""
Cut the power in many moments of a journal's life, and count what was lost.

    python benchmarks/power_loss.py [--states 100000] [--seed 1] [--processes 2] [--safety FULL]

Needs the test extra's apsw. Prints one line of JSON; exits 1 if anything acknowledged was lost. With
`--safety NORMAL` or `OFF` the adapter's statement is changed on its way, to show that the harness sees what
that costs.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.power_loss.campaign import Tally, campaign, quick_folder

PART_STATES = 2_500


def main() -> int:
    """Run the campaign in parts, each with a seed of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--states", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--safety", choices=("FULL", "NORMAL", "OFF"), default="FULL")
    options = parser.parse_args()
    begun = time.perf_counter()
    parts = -(-options.states // PART_STATES)
    seeds = [options.seed * 1_000_000 + part for part in range(parts)]
    with ProcessPoolExecutor(max_workers=options.processes) as pool:
        found = list(pool.map(_part, seeds, [options.safety] * parts))
    first = next(
        (f"seed {seed}: {tally.first}" for seed, tally in zip(seeds, found, strict=True) if tally.first), ""
    )
    bad = sum(tally.bad for tally in found)
    print(
        json.dumps(
            {
                "safety": options.safety,
                "states": sum(tally.states for tally in found),
                "with_something_to_lose": sum(tally.pending for tally in found),
                "lives": sum(tally.lives for tally in found),
                "lost": sum(tally.lost for tally in found),
                "corrupt": sum(tally.corrupt for tally in found),
                "first": first,
                "wall_s": round(time.perf_counter() - begun, 1),
            }
        )
    )
    return 1 if bad else 0


def _part(seed: int, safety: str) -> Tally:
    assert safety in {"FULL", "NORMAL", "OFF"}, "argparse checked it"
    tally = campaign(quick_folder(Path("power-loss-states")), seed=seed, states=PART_STATES, safety=safety)  # type: ignore[arg-type]
    tally.hashes.clear()
    return tally


if __name__ == "__main__":
    sys.exit(main())
