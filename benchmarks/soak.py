"""
Play season after season in one process, and see whether it grows.

    nice python benchmarks/soak.py [--minutes 120] [--days 10] [--agents 20] [--one-journal]

Each season is played by the actors, journalled to a file and folded again, as a backtest does it; with
`--one-journal` by the daemon instead (its log goes to stderr), one season after another in the same folder,
whose state grows by what must never be forgotten: every entry's id, every agent that ever lived. After each
season, once garbage is collected: resident memory, blocks that Python has allocated, open files, threads, and
tasks of the loop.

Printed as JSON: the slope of resident memory in MB an hour with its standard error, by least squares after
the first fifth, and what it is for a season; the slope of blocks for a season, which sees what a process that
once needed more still has room for; the least and most of files, threads and tasks in that span. To tell
that a slope is below 1 MB an hour takes the two hours that are the default.
"""

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from treasury_actors.clock import WallClock
from treasury_actors.daemon.live_run import Conclusion
from treasury_actors.daemon.process import serve
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.settings.file import check_settings
from treasury_actors.simulation.following import find_season
from treasury_actors.simulation.plan import Prepared, prepare
from treasury_actors.simulation.run import open_journal, play_season
from treasury_actors.wiring.house import House

SAMPLES_MIN = 3
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
USD_PER_AGENT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the process had after a season, `at_s` seconds after the first began."""

    at_s: float
    resident_bytes: int
    blocks: int
    files: int
    threads: int
    tasks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A straight line through points, and how far off its slope may be (one standard error)."""

    slope: float
    error: float


def sample(began_s: float) -> Sample:
    """Look at this process; call it on the loop."""
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return Sample(
        at_s=time.monotonic() - began_s,
        resident_bytes=resident * PAGE_BYTES,
        blocks=sys.getallocatedblocks(),
        files=sum(1 for _ in Path("/proc/self/fd").iterdir()),
        threads=threading.active_count(),
        tasks=len(asyncio.all_tasks()),
    )


def line_through(xs: list[float], ys: list[float]) -> Line:
    """Fit by least squares; at least three points."""
    count = len(xs)
    mid_x, mid_y = sum(xs) / count, sum(ys) / count
    spread = sum((x - mid_x) ** 2 for x in xs)
    slope = sum((x - mid_x) * (y - mid_y) for x, y in zip(xs, ys, strict=True)) / spread
    left = sum((y - mid_y - slope * (x - mid_x)) ** 2 for x, y in zip(xs, ys, strict=True))
    return Line(slope=slope, error=(left / (count - 2) / spread) ** 0.5)


def job_of(days: int, agents: int) -> Prepared:
    """Return a run of generated seasons."""
    sections = {
        "season": {"days": days},
        "arena": {"agents": agents, "capital_usd": agents * USD_PER_AGENT},
    }
    return prepare(check_settings(sections, "the soak"), clock=WallClock())


async def backtests(job: Prepared, end_s: float, samples: list[Sample]) -> None:
    """Play the same season again and again, each in a folder of its own."""

    async def go_on(house: House, season: Season, frame: MarketFrame) -> bool:
        del house, season, frame
        return True

    began_s = time.monotonic()
    while time.monotonic() < end_s:
        with tempfile.TemporaryDirectory() as folder:
            async with open_journal(Path(folder), clock=WallClock(), durable=False, epoch=1) as journal:
                state = find_season(job.plan, journal, job.season)
                await play_season(
                    job.plan, state, journal, host_clock=WallClock(), after_turn=go_on, last_event_ns=0
                )
        samples.append(sample(began_s))


async def daemon(job: Prepared, end_s: float, samples: list[Sample]) -> None:
    """Let a daemon play season after season in one journal."""
    began_s = time.monotonic()

    async def conclude(conclusion: Conclusion) -> None:
        del conclusion
        samples.append(sample(began_s))
        if time.monotonic() >= end_s:
            signal.raise_signal(signal.SIGTERM)

    def quiet(frame: int, frames: int, living: int) -> None:
        del frame, frames, living

    with tempfile.TemporaryDirectory() as folder:
        await serve(
            job,
            Path(folder) / "run",
            clock=WallClock(),
            speed_x=None,
            until_end=False,
            progress=quiet,
            conclude=conclude,
        )


def main() -> None:
    """Soak and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--one-journal", action="store_true")
    options = parser.parse_args()
    samples: list[Sample] = []
    lives = daemon if options.one_journal else backtests
    job = job_of(options.days, options.agents)
    anyio.run(lives, job, time.monotonic() + 60.0 * options.minutes, samples)
    settled = samples[len(samples) // 5 :]
    if len(settled) < SAMPLES_MIN:
        parser.error("too few seasons for a slope: give it more --minutes or fewer --days")
    memory_mb = [each.resident_bytes / 2**20 for each in settled]
    numbers = [float(number) for number in range(len(settled))]
    by_time = line_through([each.at_s / 3_600.0 for each in settled], memory_mb)
    by_season = line_through(numbers, memory_mb)
    blocks = line_through(numbers, [float(each.blocks) for each in settled])
    print(
        json.dumps(
            {
                "by": "daemon, one journal" if options.one_journal else "a new journal each",
                "seasons": len(samples),
                "minutes": round(samples[-1].at_s / 60.0, 1),
                "resident_mb": [round(memory_mb[0], 2), round(memory_mb[-1], 2)],
                "mb_per_hour": round(by_time.slope, 2),
                "error_mb_per_hour": round(by_time.error, 2),
                "kb_per_season": round(1_024 * by_season.slope, 2),
                "blocks_per_season": round(blocks.slope, 2),
                "error_blocks_per_season": round(blocks.error, 2),
                "files": [min(s.files for s in settled), max(s.files for s in settled)],
                "threads": [min(s.threads for s in settled), max(s.threads for s in settled)],
                "tasks": [min(s.tasks for s in settled), max(s.tasks for s in settled)],
            }
        )
    )


if __name__ == "__main__":
    main()
