"""
What a season costs: 50 agents x 4,320 hourly frames x 13 assets through the real actors.

    python benchmarks/season.py [--data ../shared/data] [--rounds 3]

Prints, per round: wall seconds of the turns alone, frames and agent turns a second, events in the journal,
peak memory of the process. A last pass counts messages, and one more shows where the time goes. Figures
depend on the machine: run it beside what you compare with.
"""

import argparse
import cProfile
import pstats
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from treasury_actors.actors.ref import Ref
from treasury_actors.clock import WallClock
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.settings.file import load_settings
from treasury_actors.simulation.following import find_season
from treasury_actors.simulation.plan import Prepared, prepare
from treasury_actors.simulation.run import open_journal, play_season
from treasury_actors.wiring.house import House

CONFIG = Path(__file__).resolve().parents[1] / "configs" / "simulation.toml"


def prepared(data: Path | None) -> Prepared:
    """Return the default job, on generated or on market data."""
    season: dict[str, object] = {}
    if data is not None:
        from datetime import date  # noqa: PLC0415

        season = {"source": "folder", "folder": str(data), "start": date(2024, 5, 12)}
    return prepare(load_settings(CONFIG, {"season": season}), clock=WallClock())


async def play(job: Prepared) -> tuple[float, int]:
    """Play the season once in a new folder; return seconds and events."""

    async def go_on(house: House, season: Season, frame: MarketFrame) -> bool:
        del house, season, frame
        return True

    with tempfile.TemporaryDirectory() as folder:
        async with open_journal(Path(folder), clock=WallClock(), durable=False, epoch=1) as journal:
            state = find_season(job.plan, journal, job.season)
            began = time.perf_counter()
            await play_season(
                job.plan, state, journal, host_clock=WallClock(), after_turn=go_on, last_event_ns=0
            )
            return time.perf_counter() - began, journal.head[0]


def count_messages(job: Prepared) -> int:
    """Play the season once more, counting every tell and ask."""
    counted = 0
    tell, ask = Ref.tell, Ref.ask

    def counting_tell(self: Ref[object], message: object) -> None:
        nonlocal counted
        counted += 1
        tell(self, message)

    async def counting_ask(self: Ref[object], message: object, **how: object) -> object:
        nonlocal counted
        counted += 1
        return await ask(self, message, **how)

    Ref.tell, Ref.ask = counting_tell, counting_ask
    try:
        anyio.run(play, job)
    finally:
        Ref.tell, Ref.ask = tell, ask
    return counted


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    began = time.perf_counter()
    job = prepared(options.data)
    frames, agents = job.season.frame_count, int(job.plan.rules(0).arena.population)
    loaded_s = time.perf_counter() - began
    print(f"{job.season.source}: {frames} frames, {agents} agents, loaded in {loaded_s:.2f} s")
    walls = []
    for number in range(options.rounds):
        wall, events = anyio.run(play, job)
        walls.append(wall)
        print(
            f"round {number + 1}: {wall:.2f} s, {frames / wall:,.0f} frames/s,"
            f" {frames * agents / wall:,.0f} agent turns/s, {events:,} events,"
            f" peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
        )
    median = statistics.median(walls)
    messages = count_messages(job)
    print(f"median {median:.2f} s; {messages:,} messages, {messages / median:,.0f} messages/s")
    profile = cProfile.Profile()
    profile.runcall(anyio.run, play, job)
    pstats.Stats(profile).sort_stats("tottime").print_stats(20)


if __name__ == "__main__":
    main()
