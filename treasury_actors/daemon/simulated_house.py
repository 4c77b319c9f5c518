"""
The house of simulated agents beside the one with money: own folder, journal, ledger and simulated venue.

It is built by the same wiring and fed by the same frames, each after the house with money has played it. What
happens in it stays there: it lives under a supervisor of its own, and when it dies, of whatever, it is closed
for as long as this process lives, while the house with money goes on as if it had never been. At the next
start it is folded from its journal and plays what it missed.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Final

import anyio
from anyio import to_thread

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.child import ChildSpec
from treasury_actors.actors.events import ChildCrashed, SupervisionEvent
from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.actors.supervisor import Supervisor
from treasury_actors.clock import Clock
from treasury_actors.daemon.events import STREAM, DaemonResumed, SimulationBegun
from treasury_actors.daemon.log import Log
from treasury_actors.errors import ConfigError
from treasury_actors.journal.folder import FolderLock
from treasury_actors.journal.ports import Journal
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.simulation.following import find_season, next_season
from treasury_actors.simulation.live.season import PlannedSeason
from treasury_actors.simulation.manifest import Manifest, read_manifest
from treasury_actors.simulation.run import RunPlan, SeasonState, last_event_ns, open_journal, play_season
from treasury_actors.wiring.house import House

FOLDER: Final = "sim"
"""In the run folder: a run folder of its own."""

_NAME: Final = "simulated house"
_BEFORE_ALL: Final = (0, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """Play every frame the house with money has played, until told to leave: one message for a life."""


class _Player(Actor[Play]):
    """Whose guard stands between the house on paper and the rest of the process."""

    def __init__(self, play: Callable[[], Awaitable[None]]) -> None:
        self._play = play

    async def receive(self, message: Play) -> None:
        del message
        await self._play()


class SimulatedHouse:
    """
    Plays frames on paper, one house behind the other.

    A moment is (season, frame). Nothing here reads or writes anything of the house with money; that one says
    how far it is and waits for an answer, as long as it likes.

    Attributes:
        house: the running actors, from the first turn on; None before, and once closed.
        closed_because: what it died of; empty while it lives.
    """

    def __init__(
        self, plan: RunPlan, season: Season, folder: Path, *, manifest: Manifest, clock: Clock, log: Log
    ) -> None:
        """
        Take what is needed; nothing is opened or written before `living`.

        Args:
            season: the first one of the run; where money is real there, here it is paper, as its label says.
            folder: of the run; this house has a folder in it.
        """
        self._plan = plan
        self._season: Season = season.on_paper() if isinstance(season, PlannedSeason) else season
        self._folder = folder / FOLDER
        self._manifest = manifest
        self._clock = clock
        self._log = log
        self._allowed = self._played = _BEFORE_ALL
        self._news = anyio.Event()
        self._leaving = False
        self._told = True
        self._ring: Callable[[], None] = lambda: None
        self.house: House | None = None
        self.closed_because = ""

    def __repr__(self) -> str:
        state = f"closed: {self.closed_because}" if self.closed_because else f"at {self._played}"
        return f"<SimulatedHouse {state}>"

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Live while the body runs."""
        supervisor = Supervisor(policy=SupervisionPolicy(), clock=self._clock, on_event=self._heard)
        async with supervisor:
            player: ChildSpec[Play] = ChildSpec(
                name=_NAME,
                make=lambda: _Player(self._play),
                accepts=(Play,),
                restart="never",
                deadline_s=inf,  # its message is its life; the actors in it have deadlines of their own
            )
            supervisor.start_child(player).tell(Play())
            try:
                yield
            finally:
                self._leaving = True
                self._news.set()

    def rings(self, ring: Callable[[], None]) -> None:
        """Name whom to wake when a frame was played, or none will be any more."""
        self._ring = ring

    def let_play(self, season: int, frame: int) -> None:
        """Let it play up to a frame: the house with money has."""
        self._allowed = max(self._allowed, (season, frame))
        self._news.set()

    def is_behind(self, season: int, frame: int) -> bool:
        """Say whether it has still to play a frame; once closed, never."""
        return frame >= 0 and not self.closed_because and self._played < (season, frame)

    def is_ahead(self, season: int, frame: int) -> bool:
        """Say whether it has played more: before a restart, with the house with money. Once closed, never."""
        return not self.closed_because and self._played > (season, frame)

    def take_news(self) -> str:
        """Return what it died of, once; empty if that was told or it lives."""
        news, self._told = "" if self._told else self.closed_because, True
        return news

    def standing(self) -> dict[str, object]:
        """Say how it is."""
        season, frame = self._played
        house = self.house
        return {
            "state": "closed" if self.closed_because else "starting" if house is None else "playing",
            "why": self.closed_because or None,
            "season": season or None,
            "frame": frame if season else None,
            "agents": len(house.fold.records.roster.living()) if house else None,
        }

    async def _play(self) -> None:
        """Play, from wherever its journal ends."""
        if not await self._may_play((1, 0)):
            return
        with FolderLock(self._folder) as lock:
            self._write_manifest(lock.folder)
            async with open_journal(
                lock.folder, clock=self._clock, durable=False, epoch=lock.epoch
            ) as journal:
                self._claim(journal, lock)
                found: SeasonState | None = await to_thread.run_sync(
                    find_season, self._plan, journal, self._season
                )
                while found is not None:
                    found = await self._play_season(found, journal)
        self.house = None

    async def _play_season(self, state: SeasonState, journal: Journal) -> SeasonState | None:
        """Play what is left of a season; return the one after it, or None if this life is over."""

        async def after_turn(house: House, season: Season, frame: MarketFrame) -> bool:
            self._has_played(state.number, frame.index)
            self.house = house
            is_last = frame.index + 1 == season.frame_count
            return is_last or await self._may_play((state.number, frame.index + 1))

        if not state.is_closed:
            if not state.is_open and not await self._may_play((state.number, 0)):
                return None
            last_ns = last_event_ns(journal)
            end = await play_season(
                self._plan,
                state,
                journal,
                host_clock=self._clock,
                after_turn=after_turn,
                last_event_ns=last_ns,
                go_on=after_turn,
            )
            if end == "interrupted":
                return None
        self._has_played(state.number, state.season.frame_count - 1)
        if not await self._may_play((state.number + 1, 0)):
            return None
        return await to_thread.run_sync(next_season, self._plan, state, journal)

    def _has_played(self, season: int, frame: int) -> None:
        self._played = max(self._played, (season, frame))
        self._ring()

    async def _may_play(self, moment: tuple[int, int]) -> bool:
        """Wait until the house with money has played a frame; false if the process is to leave."""
        while self._allowed < moment and not self._leaving:
            self._news = anyio.Event()
            await self._news.wait()
        return not self._leaving

    def _claim(self, journal: Journal, lock: FolderLock) -> None:
        """Name a new journal for what it is; refuse one that is not of simulated agents."""
        if journal.head[0] == 0:
            begun = SimulationBegun(run=self._manifest.run_id)
            journal.append(begun, stream=STREAM, time_ns=self._season.frame(0).time_ns)
            return
        first = next(iter(journal.read())).event
        if not isinstance(first, SimulationBegun):
            raise ConfigError(f"{self._folder}: its journal is not one of simulated agents")
        journal.append(DaemonResumed(epoch=lock.epoch), stream=STREAM, time_ns=last_event_ns(journal))

    def _write_manifest(self, folder: Path) -> None:
        """Say in its folder what it is; what it may be was settled with the run's own manifest."""
        known = read_manifest(folder)
        manifest = replace(
            self._manifest,
            run_id=f"{self._manifest.run_id}-{FOLDER}",
            label=self._season.label,
            config_hash=self._plan.config_hash,
            created=known.created if known else self._manifest.created,
        )
        if manifest != known:
            manifest.write(folder)

    def _heard(self, event: SupervisionEvent) -> None:
        """Close for good when it died: nothing of it is salvaged, and nobody waits for it any more."""
        if isinstance(event, ChildCrashed):
            self.closed_because, self._told = event.cause, False
            self.house = None
            self._log.error("simulation_closed", why=event.cause, still="the house with money goes on")
            self._ring()
