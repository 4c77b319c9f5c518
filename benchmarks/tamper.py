"""
Change a journal in ten thousand ways, and count what `verify` did not name.

    python benchmarks/tamper.py [--changes 10000] [--processes 2]

Prints one line of JSON; exits 1 if anything was missed.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.integration.journal_tampering import Original, original_of, what_verify_missed
from tests.integration.kills.sweep import quick_place
from tests.unit.daemon.driver import play, small_run


def main() -> int:
    """Tamper with one journal, in parts."""
    parser = argparse.ArgumentParser(description="change a journal and see whether verify names it")
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    begun = time.perf_counter()
    kinds: Counter[str] = Counter()
    missed: list[str] = []
    with tempfile.TemporaryDirectory(dir=quick_place()) as name:
        place = Path(name)
        asyncio.run(play(small_run(days=1), place / "run"))
        original = original_of(place / "run", place / "original")
        parts = options.processes
        with ProcessPoolExecutor(max_workers=parts) as pool:
            found = pool.map(
                _part, repeat(original), repeat(place), range(parts), repeat(parts), repeat(options.changes)
            )
            for part_kinds, part_missed in found:
                kinds.update(part_kinds)
                missed += part_missed
    print(
        json.dumps(
            {
                "changes": kinds.total(),
                "named": kinds.total() - len(missed),
                "events": original.count,
                "kinds": dict(sorted(kinds.items())),
                "missed": missed[:20],
                "wall_s": round(time.perf_counter() - begun, 1),
            }
        )
    )
    return 1 if missed else 0


def _part(
    original: Original, place: Path, part: int, parts: int, changes: int
) -> tuple[Counter[str], list[str]]:
    kinds: Counter[str] = Counter()
    missed = []
    for number in range(part, changes, parts):
        kind, words = what_verify_missed(original, place / f"tampered-{part}", number)
        kinds[kind] += 1
        if words:
            missed.append(f"change {number}: {words}")
    return kinds, missed


if __name__ == "__main__":
    sys.exit(main())
