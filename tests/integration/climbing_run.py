"""
A GENERATED run that climbs in days, its people played by a script; for a process that can be killed.

    python -m tests.integration.climbing_run FOLDER SPEED_X FRAMES

Prints a line after each turn. After so many frames it ends as a kill would, right after a turn.
"""

import os
import sys
from pathlib import Path
from typing import Final

import anyio

from tests.acceptance.test_ladder_climb import QUICK, config_in
from treasury_actors.clock import WallClock
from treasury_actors.daemon.chain_run import Outside
from treasury_actors.daemon.process import serve
from treasury_actors.settings.file import check_settings
from treasury_actors.simulation.ladder.examining import ExamineJob, World
from treasury_actors.simulation.ladder.people import ScriptedKeys, ScriptedPerson
from treasury_actors.simulation.ladder.terms import ClimbTerms
from treasury_actors.simulation.plan import Prepared, prepare

PEOPLE = tuple(ScriptedPerson(name=name, seed=1) for name in ("alice", "bob", "carol"))
WORLD = World(name="positive", seed=3, days=90)
CLIMBS: Final[dict[str, dict[str, object]]] = {
    "season": {"days": 45, "seed": 3, "warmup_h": 2_880},
    "stage": {"climbs": True, "allocates": False, "breeds": False},
    "simulation": {"agents": 16},
    "arena": {"agents": 30, "capital_usd": 373_261, "gas_usd": 4_000, "round_h": 48},
}


def climbing() -> Prepared:
    """Return the run."""
    return prepare(check_settings(CLIMBS, "a test"), clock=WallClock())


def job_in(home: Path) -> ExamineJob:
    """Return on what its candidates are examined: windows of a week; the config of that is written there."""
    return ExamineJob(source=WORLD, config=config_in(home), seed=3, in_world=True, compiled=False)


def terms_in(home: Path, *, scripted: bool) -> ClimbTerms:
    """Return by what it climbs."""
    return ClimbTerms(
        job=job_in(home),
        listed=tuple(person.listed for person in PEOPLE),
        needed=2,
        ladder=QUICK,
        scripted=PEOPLE if scripted else (),
    )


def main() -> int:
    """Play the run of the command line."""
    folder, speed_x, frames_max = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])

    def show(frame: int, frames: int, living: int) -> None:
        sys.stdout.write(f"{frame} {frames} {living}\n")
        sys.stdout.flush()
        if frame == frames_max:
            os._exit(0)

    async def play_it() -> None:
        await serve(
            climbing(),
            folder,
            clock=WallClock(),
            speed_x=speed_x or None,
            until_end=True,
            progress=show,
            outside=Outside(verify=ScriptedKeys(PEOPLE), climb=terms_in(folder.parent, scripted=True)),
        )

    anyio.run(play_it)
    return 0


if __name__ == "__main__":
    sys.exit(main())
