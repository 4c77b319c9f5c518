"""A backtest: one season through the real actors, as fast as they go, and the reports on it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from treasury_actors.clock import Clock
from treasury_actors.errors import ConfigError, InvariantViolated
from treasury_actors.journal.folder import FolderLock
from treasury_actors.journal.ports import Journal
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.reports.summary import Summary
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.reporting import report_season, start_benchmarks
from treasury_actors.simulation.run import SeasonState, find_season, open_journal, play_season
from treasury_actors.wiring.fold import Records
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
    benchmarks = start_benchmarks(prepared)

    async def after_turn(house: House, season: Season, frame: MarketFrame) -> bool:
        progress(frame.index + 1, season.frame_count, len(house.fold.records.roster.living()))
        return True

    with FolderLock(folder) as lock:
        prepared.manifest.write(lock.folder)
        async with open_journal(lock.folder, clock=clock, durable=False, epoch=lock.epoch) as journal:
            state = find_season(prepared.plan, journal, prepared.season)
            await play_season(
                prepared.plan,
                state,
                journal,
                host_clock=clock,
                after_turn=after_turn,
                last_event_ns=0,
            )
            check_replay(state, journal)
            summary = report_season(
                prepared,
                state,
                journal,
                folder,
                wall_s=clock.monotonic_s() - began_s,
                benchmarks=await benchmarks.result(),
            )
    return Finished(folder=folder, summary=summary)


def check_replay(state: SeasonState, journal: Journal) -> str:
    """Fold the journal from nothing and compare with the live state (I7); return the state hash."""
    records = Records.empty(state.season.universe)
    for recorded in _events(journal):
        records.apply(recorded)
    live = state.fold.records.state_hash
    if records.state_hash != live:
        raise InvariantViolated(f"I7: replay gives {records.state_hash}, live is {live}")
    return live


def _events(journal: Journal) -> Iterator[object]:
    """Yield the events of a journal."""
    for recorded in journal.read():
        yield recorded.event
