"""
How long from kill -9 to a house that trades again.

    python benchmarks/recovery.py [--standby] [--events 100000] [--kills 20] [--agents 200] [--days 180]
                                  [--folder PATH]

Plays a run until its journal has so many events (with `--folder` it is kept, and found there the next time).
Then again and again: start a daemon on it, let it play some turns, kill it, start the next. Counted is the
time from the signal to the end of the next process's first turn: starting Python, making the season,
verifying and folding the whole journal, waking the agents, deciding. Prints one line of JSON: p50 and p99 of
that in seconds on the wall, what of it was the new process's own time on a CPU (which a busy machine inflates
far less), and where that went.

With `--standby` another process waits beside the one that is killed, and has folded what was there by then:
counted is the time from the signal to the end of *its* first turn. Before the next kill the next one waits.

The daemons run as a user's do: modules are compiled once, and packages that tests bring are not there.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from treasury_actors.clock import WallClock
from treasury_actors.daemon.process import serve
from treasury_actors.journal.tail import tail
from treasury_actors.settings.file import check_settings
from treasury_actors.simulation.plan import Prepared, prepare
from treasury_actors.simulation.run import JOURNAL_NAME

ROOT = Path(__file__).resolve().parents[1]
USD_PER_AGENT = 10_000
FRAMES_A_SECOND = 2.0
TURNS_BEFORE_A_KILL = 2
STANDBY = "standby"
CHILD = "--child"
FOR_TESTS_ALONE = ("attr", "click", "pygments", "rich")
"""Not in `requirements/run.txt`, but where the tests are; httpx and structlog import what they find."""


def job_of(days: int, agents: int) -> Prepared:
    """Return the run."""
    sections = {
        "season": {"days": days},
        "arena": {"agents": agents, "capital_usd": agents * USD_PER_AGENT},
    }
    return prepare(check_settings(sections, "the benchmark"), clock=WallClock())


def events_in(folder: Path) -> int:
    """Return how many events the journal of a run has; 0 if there is none."""
    path = folder / JOURNAL_NAME
    return next((recorded.seq for recorded in tail(path, 1)), 0) if path.exists() else 0


def live(
    folder: Path, days: int, agents: int, *, speed_x: float | None, events: int, waits: bool = False
) -> None:
    """Be the daemon: say on stdout what each step took, and leave once there are so many events."""
    imported_s = time.process_time()
    job = job_of(days, agents)
    prepared_s = time.process_time()
    turns = 0

    def progress(frame: int, frames: int, living: int) -> None:
        nonlocal turns
        del living
        turns += 1
        if speed_x is not None:
            steps = {"import": imported_s, "season": prepared_s, "ready": time.process_time()}
            print(json.dumps(steps), flush=True)
        elif frame >= frames - 2 or (turns % 24 == 0 and events_in(folder) >= events):
            signal.raise_signal(signal.SIGTERM)

    def ready(seq: int) -> None:
        del seq
        print(json.dumps({STANDBY: time.process_time()}), flush=True)

    async def play() -> None:
        await serve(
            job,
            folder,
            clock=WallClock(),
            speed_x=speed_x,
            until_end=True,
            progress=progress,
            accept_upgrade=True,  # the folder may be of an earlier commit
            stands_by=ready if waits else None,
        )

    anyio.run(play)


def as_a_user_has_it(beside: Path) -> dict[str, str]:
    """Return the environment of a daemon: what it compiles, and what it must not find, is in `beside`."""
    absent = beside / "absent"
    absent.mkdir()
    for package in FOR_TESTS_ALONE:
        (absent / f"{package}.py").write_text("raise ImportError('no package of a run')\n")
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join([str(ROOT), str(absent)])
    return {**ours, "PYTHONPATH": path, "PYTHONPYCACHEPREFIX": str(beside / "compiled")}


def start(
    folder: Path, days: int, agents: int, environment: dict[str, str], *, waits: bool = False
) -> "subprocess.Popen[str]":
    """Start a daemon."""
    options = ["--folder", str(folder), "--days", str(days), "--agents", str(agents)]
    options += ["--standby"] if waits else []
    return subprocess.Popen(  # noqa: S603 - this very file
        [sys.executable, __file__, CHILD, *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def heard(process: "subprocess.Popen[str]") -> dict[str, float]:
    """Wait for the end of its next turn; return the CPU seconds it had used at each step."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"the daemon left with {process.wait()} before its first turn")
    return {step: float(seconds) for step, seconds in json.loads(line).items()}


def measure_standby(
    folder: Path, options: argparse.Namespace, environment: dict[str, str]
) -> dict[str, object]:
    """Kill whoever plays, with somebody waiting beside it."""
    walls: list[float] = []
    own: list[float] = []
    process = start(folder, options.days, options.agents, environment)
    heard(process)
    for _ in range(options.kills):
        standby = start(folder, options.days, options.agents, environment, waits=True)
        warm = heard(standby)
        for _ in range(TURNS_BEFORE_A_KILL):
            heard(process)
        killed_s = time.monotonic()
        process.kill()
        process.wait()
        while STANDBY in (step := heard(standby)):
            warm = step
        walls.append(time.monotonic() - killed_s)
        own.append(step["ready"] - warm[STANDBY])
        process = standby
    process.kill()
    process.wait()
    return figures(folder, options, walls, own)


def figures(
    folder: Path, options: argparse.Namespace, walls: list[float], own: list[float]
) -> dict[str, object]:
    """Return what both ways are measured by: seconds on the wall, and of the new process on a CPU."""
    return {
        "events": events_in(folder),
        "agents": options.agents,
        "kills": options.kills,
        "wall_s": {"p50": round(quantile(walls, 0.5), 2), "p99": round(quantile(walls, 0.99), 2)},
        "cpu_s": {"p50": round(quantile(own, 0.5), 2), "p99": round(quantile(own, 0.99), 2)},
        "load": [round(each, 1) for each in os.getloadavg()],
    }


def quantile(numbers: list[float], part: float) -> float:
    """Return the smallest number that at least this part of all is not above."""
    ordered = sorted(numbers)
    return ordered[max(0, -int(-part * len(ordered) // 1) - 1)]


def measure(folder: Path, options: argparse.Namespace, environment: dict[str, str]) -> dict[str, object]:
    """Kill and start again."""
    walls: list[float] = []
    steps: list[dict[str, float]] = []
    process = start(folder, options.days, options.agents, environment)
    heard(process)
    for _ in range(options.kills):
        for _ in range(TURNS_BEFORE_A_KILL):
            heard(process)
        killed_s = time.monotonic()
        process.kill()
        process.wait()
        process = start(folder, options.days, options.agents, environment)
        steps.append(heard(process))
        walls.append(time.monotonic() - killed_s)
    process.kill()
    process.wait()
    own = [step["ready"] for step in steps]
    return figures(folder, options, walls, own) | {
        "cpu_s_p50_of": {
            "python_and_imports": round(quantile([s["import"] for s in steps], 0.5), 2),
            "season": round(quantile([s["season"] - s["import"] for s in steps], 0.5), 2),
            "journal_and_first_turn": round(quantile([s["ready"] - s["season"] for s in steps], 0.5), 2),
        },
    }


def main() -> None:
    """Build, kill, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--standby", action="store_true")
    parser.add_argument(CHILD, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        speed_x = 3_600.0 * FRAMES_A_SECOND
        live(options.folder, options.days, options.agents, speed_x=speed_x, events=0, waits=options.standby)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "run"
        if events_in(folder) < options.events:
            live(folder, options.days, options.agents, speed_x=None, events=options.events)
        if events_in(folder) < options.events:
            parser.error(f"only {events_in(folder)} events in that season: more --agents or --days")
        how = measure_standby if options.standby else measure
        print(json.dumps(how(folder, options, as_a_user_has_it(Path(temporary)))))


if __name__ == "__main__":
    main()
