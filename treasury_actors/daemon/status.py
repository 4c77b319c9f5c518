"""How a run is: from the living process, or, where there is none, from its folder."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import treasury_actors.daemon.events  # noqa: F401  (registers the event types a journal holds)
from treasury_actors.arena.model.events import SeasonOpened
from treasury_actors.arena.model.spending import Spending
from treasury_actors.clock import HOUR_NS
from treasury_actors.daemon.withdrawing import liquidity_object, treasury_liquidity, withdrawal_object
from treasury_actors.errors import ConfigError
from treasury_actors.journal.event import Recorded
from treasury_actors.journal.reader import open_readonly
from treasury_actors.journal.sqlite_in_use import sqlite_in_use
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import usd
from treasury_actors.simulation.manifest import Manifest, read_manifest
from treasury_actors.simulation.run import JOURNAL_NAME
from treasury_actors.trading.model.valuation import nav_micro_usd
from treasury_actors.wiring.fold import Records

Phase = Literal["starting", "playing", "concluding", "dead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """The turn that was played last, and when, by the host's monotonic clock."""

    records: Records
    season: Season
    frame: MarketFrame
    at_s: float
    spending: Spending


@dataclass(slots=True, kw_only=True)
class Scan:
    """
    What a start, or an operator, has to know of a journal beside its fold.

    Attributes:
        last_ns: time of the last event; 0 for an empty journal.
        resumed: how often a process went on with it.
        season: the last one opened.
    """

    last: Recorded | None = None
    resumed: int = 0
    season: SeasonOpened | None = None

    @property
    def last_ns(self) -> int:
        """Time of the last event; 0 for an empty journal."""
        return 0 if self.last is None else self.last.time_ns


def scan(events: Iterable[Recorded], records: Records | None = None) -> Scan:
    """Read a journal once; fold it into `records` too if they are given."""
    found = Scan()
    for recorded in events:
        found.last = recorded
        if recorded.type == "daemon.resumed.v1":
            found.resumed += 1
        if records is not None:
            event = recorded.event
            records.apply(event)
            if isinstance(event, SeasonOpened):
                found.season = event
    return found


def alive_status(
    manifest: Manifest,
    played: Played,
    *,
    phase: Phase,
    head: tuple[int, str],
    restarts: int,
    age_s: float,
    speed_x: float | None,
    measured_x: float,
) -> dict[str, object]:
    """Return the status of a living run; `age_s` is how long ago its last turn ended."""
    nav = treasury_micro_usd(played.records, played.season.universe, played.frame)
    return {
        **_common(manifest, played.records, head=head, restarts=restarts, phase=phase),
        "frame": played.frame.index,
        "frames": played.season.frame_count,
        "time": iso(played.frame.time_ns),
        "nav_usd": usd(nav),
        "liquid": liquidity_object(
            treasury_liquidity(played.records.book, played.season.universe, played.frame), played.spending
        ),
        "last_turn_age_s": round(age_s, 3),
        "speed_x": speed_x,
        "measured_x": round(measured_x, 1),
    }


def starting_status(manifest: Manifest, *, head: tuple[int, str], restarts: int) -> dict[str, object]:
    """Return the status of a process that has not played a turn yet: it folds its journal."""
    return {
        "ok": True,
        "running": True,
        "phase": "starting",
        "executor_running": False,
        "run_id": manifest.run_id,
        "label": manifest.label,
        "restarts": restarts,
        "journal": {"events": head[0], "head_hash": head[1]},
        "sqlite": asdict(sqlite_in_use()),
    }


def dead_status(folder: Path) -> dict[str, object]:
    """
    Return the status of a run nobody is playing, from its manifest and journal, read-only.

    `nav_usd` and `liquid` are None: prices are not kept in a journal.

    Raises:
        ConfigError: there is no run in the folder.
        JournalCorrupt: its journal is not what was written.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise ConfigError(f"{folder}: no run there (no manifest.json)")
    records, found = Records.empty(MAINNET), Scan()
    if (folder / JOURNAL_NAME).exists():
        with open_readonly(folder / JOURNAL_NAME) as reader:
            found = scan(reader.read(), records)
    last, season = found.last, found.season
    head = (0, "0" * 64) if last is None else (last.seq, last.hash)
    in_season = last is not None and season is not None
    return {
        **_common(manifest, records, head=head, restarts=found.resumed, phase="dead"),
        "frame": (last.time_ns - season.start_ns) // HOUR_NS if in_season and last and season else None,
        "frames": season.frames if season else None,
        "time": iso(last.time_ns) if last else None,
        "nav_usd": None,
        "liquid": None,
        "last_turn_age_s": None,
        "speed_x": None,
        "measured_x": None,
    }


def treasury_micro_usd(records: Records, universe: Universe, frame: MarketFrame) -> int:
    """Return what everything the treasury owns is worth at a frame."""
    return nav_micro_usd(universe, records.book.totals().items(), frame)


def iso(time_ns: int) -> str:
    """Return a time as ISO 8601, UTC."""
    return datetime.fromtimestamp(time_ns // 10**9, tz=UTC).isoformat().replace("+00:00", "Z")


def _common(
    manifest: Manifest, records: Records, *, head: tuple[int, str], restarts: int, phase: Phase
) -> dict[str, object]:
    """Return what is known of a living and a dead run alike."""
    roster, latch = records.roster, records.latch
    return {
        "ok": True,
        "running": phase != "dead",
        "phase": phase,
        "executor_running": phase == "playing",
        "run_id": manifest.run_id,
        "label": manifest.label,
        "season": roster.season.season if roster.season else None,
        "season_closed": roster.season is not None and roster.closed_season == roster.season.season,
        "seed": roster.season.seed if roster.season else manifest.seed,
        "agents": {"living": len(roster.living()), "closing": len(roster.closing()), "born": roster.births},
        "frozen": {member.born.agent: member.frozen.reason for member in roster.frozen() if member.frozen},
        "withdrawal": withdrawal_object(roster.withdrawals.open, records.book),
        "trading": {"state": latch.state, "reason": latch.reason, "epoch": latch.epoch},
        "restarts": restarts,
        "journal": {"events": head[0], "head_hash": head[1]},
        "sqlite": asdict(sqlite_in_use()),
    }
