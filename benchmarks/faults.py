"""
The full hunt: for each known-bad change the first seed that catches it, or whatever else is named for it.

Run `python benchmarks/faults.py` in an environment with the test requirements; it writes
`tests/simulation/caught.json`, which every test run plays again, and prints how many seeds each took.
`python benchmarks/faults.py NAME ...` hunts these alone and keeps what is known of the others.
"""

import json
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.simulation.settings import SETTING  # noqa: E402 - found by the line above
from treasury_actors.faults.harness import hunt_by  # noqa: E402
from treasury_actors.faults.mutants import MUTANTS  # noqa: E402
from treasury_actors.faults.plan import draw_plan  # noqa: E402
from treasury_actors.faults.planting import Mutant, planted  # noqa: E402
from treasury_actors.faults.seed import play  # noqa: E402

CAUGHT = ROOT / "tests" / "simulation" / "caught.json"
SEEDS_MAX = 10_000


def hunt(mutant: Mutant) -> tuple[int, str] | None:
    """Return the first seed that catches a mutant, and what it broke; None if none does."""
    with planted(mutant):
        for seed in range(1, SEEDS_MAX + 1):
            violation = play(draw_plan(seed), SETTING).violation
            if violation is not None:
                return seed, violation.invariant
    return None


def main(names: list[str]) -> int:
    """Hunt, write down, print."""
    known = json.loads(CAUGHT.read_text(encoding="utf-8")) if CAUGHT.exists() else {}
    caught, missed = {}, 0
    for name, mutant in MUTANTS.items():
        if mutant.harness != "simulation":
            if not names or name in names:
                caught_by = hunt_by(mutant).caught_by
                print(f"{name:<32} {caught_by or 'not caught'}", flush=True)
                missed += caught_by is None
            continue
        if names and name not in names:
            caught[name] = known[name]
            continue
        began_s = time.process_time()
        found = hunt(mutant)
        took_s = time.process_time() - began_s
        if found is None:
            print(f"{name:<32} not caught by {SEEDS_MAX} seeds", flush=True)
            return 1
        caught[name] = {"seed": found[0], "invariant": found[1]}
        print(f"{name:<32} seed {found[0]:>5}, {found[1]:<10} {took_s:6.1f} s", flush=True)
    CAUGHT.write_text(json.dumps(caught, indent=2) + "\n", encoding="utf-8")
    seeds = [each["seed"] for each in caught.values()]
    print(f"{len(seeds)} mutants caught; seeds: median {median(seeds):g}, most {max(seeds)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
