"""
A thousand agents, one in ten of whom dies at every turn, against the same thousand with nobody dying.

    python benchmarks/isolation.py [--agents 1000] [--frames 240]

In a simulation a second has no meaning, so the storm is denser: each victim dies at every turn, half of them
instead of deciding, half once they have ordered. Rounds and the common-cause rule are off, and no budget ends
it. Prints one line of JSON: how many crashes there were, and of how many siblings any order, fill, entry or
balance differs; exits 1 if one does.
"""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.integration.storms import WITHOUT_END, weather


def main() -> int:
    """Live through it twice and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--agents", type=int, default=1_000)
    parser.add_argument("--frames", type=int, default=240)
    options = parser.parse_args()
    walls = []
    courses = []
    for storm in (False, True):
        began_s = time.perf_counter()
        courses.append(weather(options.agents, options.frames, storm=storm, policy=WITHOUT_END))
        walls.append(round(time.perf_counter() - began_s, 1))
    calm, stormy = courses
    siblings = list(calm.doings)
    other = [
        agent
        for agent in siblings
        if calm.doings[agent] != stormy.doings.get(agent)
        or calm.balances[agent] != stormy.balances.get(agent)
    ]
    print(
        json.dumps(
            {
                "agents": options.agents,
                "turns": options.frames + 1,
                "crashes": stormy.crashes,
                "crashes_without": calm.crashes,
                "siblings": len(siblings),
                "their_orders_fills_and_entries": sum(calm.counts.values()),
                "siblings_that_differ": len(other),
                "wall_s": walls,
            }
        )
    )
    return 1 if other or list(stormy.doings) != siblings else 0


if __name__ == "__main__":
    sys.exit(main())
