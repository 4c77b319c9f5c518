"""A backtest: one season through the real actors, as fast as they go, and the reports on it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from treasury_actors.clock import Clock
from treasury_actors.errors import ConfigError
from treasury_actors.journal.folder import FolderLock
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.reports.summary import Summary
from treasury_actors.simulation.benchmarks import BenchmarkWorker
from treasury_actors.simulation.following import find_season
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.reporting import benchmark_job, report_season
from treasury_actors.simulation.run import in_simulated_time, open_journal, play_season
from treasury_actors.wiring.house import House

Progress = Callable[[int, int, int], None]
"""Told (frame, frames, living agents) after each turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A season that was played to its end, and where its reports are."""

    folder: Path
    summary: Summary


def check_empty(folder: Path) -> None:
    """Refuse a folder that has something in it: a backtest never overwrites."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: not empty; a backtest wants a new or an empty folder")


async def run_backtest(prepared: Prepared, folder: Path, *, clock: Clock, progress: Progress) -> Finished:
    """Play the season of `prepared` in a new folder; write its reports; check that replay equals live."""
    check_empty(folder)
    began_s = clock.monotonic_s()

    async def after_turn(house: House, season: Season, frame: MarketFrame) -> bool:
        progress(frame.index + 1, season.frame_count, len(house.fold.records.roster.living()))
        return True

    with FolderLock(folder) as lock, BenchmarkWorker(benchmark_job(prepared)) as worker:
        prepared.manifest.write(lock.folder)
        async with open_journal(lock.folder, clock=clock, durable=False, epoch=lock.epoch) as journal:
            plan = in_simulated_time(prepared.plan)
            state = find_season(plan, journal, prepared.season)
            await play_season(
                plan,
                state,
                journal,
                host_clock=clock,
                after_turn=after_turn,
                last_event_ns=prepared.season.frame(0).time_ns,
            )
            benchmarks = await worker.result()
            summary = report_season(
                prepared,
                state,
                journal,
                folder,
                run_id=prepared.manifest.run_id,
                wall_s=clock.monotonic_s() - began_s,
                benchmarks=benchmarks,
            )
    return Finished(folder=folder, summary=summary)
