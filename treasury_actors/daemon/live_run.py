"""One process's part of a run: its seasons, and around them signals, the control socket, a heartbeat."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio import TASK_STATUS_IGNORED, to_thread
from anyio.abc import TaskGroup, TaskStatus

from treasury_actors.actors.watchdog import Watchdog
from treasury_actors.clock import Clock
from treasury_actors.daemon.between import POLL_S, BetweenTurns, Progress, latch_from_file
from treasury_actors.daemon.chain_run import ChainRun, follow
from treasury_actors.daemon.climbing import Climbing
from treasury_actors.daemon.control import Inbox, listening
from treasury_actors.daemon.events import STREAM, DaemonResumed
from treasury_actors.daemon.leaving import EXIT_ABORTED, give_up
from treasury_actors.daemon.log import Log
from treasury_actors.daemon.one_error import one_error
from treasury_actors.daemon.operations import DeskOf
from treasury_actors.daemon.pace import Pace
from treasury_actors.daemon.requests import Reply, Request, StopTrading, refused
from treasury_actors.daemon.simulated_house import SimulatedHouse
from treasury_actors.daemon.status import Phase, alive_status, starting_status
from treasury_actors.daemon.stop_file import read_stop_file
from treasury_actors.daemon.webhook import Alert, nobody_hears
from treasury_actors.errors import ConfigError
from treasury_actors.journal.anchor import Anchor, export_anchor
from treasury_actors.journal.anchor_key import own_key
from treasury_actors.journal.ports import Journal
from treasury_actors.simulation.following import Follower, next_season
from treasury_actors.simulation.manifest import Manifest
from treasury_actors.simulation.run import RunPlan, SeasonEnd, SeasonState, last_event_ns, play_season

HEARTBEAT_S = 60.0
BLOCKED_AFTER_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """
    A season that was played to its end: what a report is made of.

    Attributes:
        wall_s: how long this process has been at it.
    """

    state: SeasonState
    journal: Journal
    folder: Path
    wall_s: float


Conclude = Callable[[Conclusion], Awaitable[None]]
"""Called at the end of a season, while the folder is still ours; cancelled if the process is to leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """
    How a process ended: with its season, or because it was told to leave; both are clean.

    Attributes:
        turns: how many this process played.
    """

    kind: SeasonEnd
    season: int
    turns: int


async def no_report(_: Conclusion) -> None:
    """Report nothing."""


class LiveRun:
    """Plays the seasons of a run whose folder is locked and whose journal is open."""

    def __init__(
        self,
        *,
        plan: RunPlan,
        follower: Follower,
        manifest: Manifest,
        folder: Path,
        epoch: int,
        journal: Journal,
        clock: Clock,
        speed_x: float | None,
        until_end: bool,
        progress: Progress,
        conclude: Conclude,
        anchor_dir: Path | None,
        log: Log,
        desk_of: DeskOf,
        chain: ChainRun | None = None,
        simulated: SimulatedHouse | None = None,
        climbing: Climbing | None = None,
        poll_s: float = POLL_S,
        alert: Alert = nobody_hears,
    ) -> None:
        """Take what `serve` prepared; see there."""
        self._chain = chain
        self._simulated = simulated
        self._climbing = climbing
        self._poll_s = poll_s
        self._plan = plan
        self._follower = follower
        self._manifest = manifest
        self._folder = folder
        self._epoch = epoch
        self._journal = journal
        self._clock = clock
        self._speed_x = speed_x
        self._until_end = until_end
        self._conclude_with = conclude
        self._anchor_dir = anchor_dir
        self._log = log
        self._began_s = clock.monotonic_s()
        self._phase: Phase = "starting"
        self._restarts = 0
        self._season = 1
        self._concluding: anyio.CancelScope | None = None
        self._inbox = Inbox(self._heard)
        self._between = BetweenTurns(
            folder=folder,
            clock=clock,
            pace=Pace(speed_x, self._began_s),
            inbox=self._inbox,
            log=log,
            progress=progress,
            export_head=self._export_head,
            desk_of=desk_of,
            ends_after_season=until_end,
            frames=None if chain is None else chain.frames,
            simulated=simulated,
            climbing=climbing,
            alert=alert,
            told_seq=journal.head[0],
        )

    def __repr__(self) -> str:
        return f"<LiveRun {self._manifest.run_id} season={self._season} {self._phase}>"

    async def live(self, *, watched: bool) -> RunEnd:
        """
        Play, while signals are heard, the socket is served and the heart beats.

        SIGTERM and SIGINT end it after the turn it is in; a second SIGINT ends it at once.
        """
        if self._simulated is not None:
            self._simulated.rings(self._inbox.ring)
        with one_error():
            async with anyio.create_task_group() as tasks:
                await tasks.start(self._hear_signals, tasks)
                tasks.start_soon(self._beat)
                tasks.start_soon(self._watch_stop_file)
                if self._chain is not None:
                    frames, ring = self._chain.frames, self._inbox.ring
                    tasks.start_soon(lambda: follow(frames, poll_s=self._poll_s, ring=ring))
                async with self._reachable(tasks), self._watched(tasks, watched=watched):
                    try:
                        kind = await self._play()
                    finally:
                        self._inbox.close()
                tasks.cancel_scope.cancel()
        self._log.info("left", how=kind, season=self._season, turns=self._between.turns)
        return RunEnd(kind=kind, season=self._season, turns=self._between.turns)

    def status(self) -> Reply:
        """Say how the run is, at any moment."""
        played, now_s = self._between.played, self._clock.monotonic_s()
        beside: dict[str, object] = {} if self._chain is None else {"feed": self._chain.standing()}
        if self._simulated is not None:
            beside["simulation"] = self._simulated.standing()
        if self._climbing is not None:
            beside["climb"] = self._climbing.standing()
        if played is None:
            starting = starting_status(self._manifest, head=self._journal.head, restarts=self._restarts)
            return {**starting, **beside}
        alive = alive_status(
            self._manifest,
            played,
            phase=self._phase,
            head=self._journal.head,
            restarts=self._restarts,
            age_s=now_s - played.at_s,
            speed_x=self._speed_x,
            measured_x=3_600.0 * self._between.turns / max(now_s - self._began_s, 1e-9),
        )
        return {**alive, **beside}

    async def _play(self) -> SeasonEnd:
        """Go through the seasons."""
        if not await self._first_frame():
            return "interrupted"
        state = await self._begin()
        if state.is_closed and not self._until_end:
            following = await self._following(state)
            if following is None:
                return "finished"
            state = following
        while not self._between.leaving:
            self._season = state.number
            if not state.is_closed and await self._play_season(state) == "interrupted":
                return "interrupted"
            if not await self._conclude(state):
                return "interrupted"
            following = None if self._until_end else await self._following(state)
            if following is None:
                return "finished"
            state = following
        return "interrupted"

    async def _first_frame(self) -> bool:
        """Wait until it is known which hour it is, and there is a frame; false if the process is to leave."""
        if self._chain is None:
            return True
        frames = self._chain.frames
        while not (frames.settled and frames.has(0)):
            if self._between.leaving:
                return False
            while (waiting := self._inbox.take()) is not None:
                why = "no frame was read yet, so nothing trades; a STOP file holds from the first turn on"
                waiting.answer(refused("refused", why))
            await self._inbox.wait_for_news(POLL_S)
        return True

    async def _begin(self) -> SeasonState:
        """Fold the journal, in a thread: a long one takes its time, and the socket is served meanwhile."""
        first = next(self._journal.read(), None)
        if first is not None and first.type == "daemon.simulation_begun.v1":
            raise ConfigError(
                f"{self._folder}: its journal is one of simulated agents: nothing there is money"
            )
        state = await to_thread.run_sync(self._follower.state, self._journal)
        opened = state.fold.records.roster.season
        if opened and not state.is_closed and opened.data_hash != state.season.data_hash:
            raise ConfigError(
                f"{self._folder}: season {state.number} was begun on other data (hash"
                f" {opened.data_hash[:12]}, now {state.season.data_hash[:12]}); it goes on with its own alone"
            )
        self._restarts = self._follower.types["daemon.resumed.v1"]
        if self._journal.head[0] and not (state.is_closed and self._until_end):
            self._restarts += 1
            resumed = DaemonResumed(epoch=self._epoch)
            self._journal.append(resumed, stream=STREAM, time_ns=last_event_ns(self._journal))
            await self._journal.flush()
        self._log.info(
            "already_finished" if state.is_closed and self._until_end else "started",
            run_id=self._manifest.run_id,
            season=state.number,
            frame=state.fold.turn + 1,
            frames=state.season.frame_count,
            epoch=self._epoch,
        )
        return state

    async def _following(self, state: SeasonState) -> SeasonState | None:
        """Return the season after this one, or None if its data have none."""
        self._phase = "starting"
        if self._chain is not None:
            self._log.info(
                "no_next_season", why="a season on a chain ends the run; a new folder begins another"
            )
            return None
        if state.recipe.folder is not None:
            self._log.info("no_next_season", why="data from a folder have no season after them")
            return None
        return await to_thread.run_sync(next_season, self._plan, state, self._journal)

    async def _play_season(self, state: SeasonState) -> SeasonEnd:
        """Play a season, or what is left of it; the STOP file is read before anything is traded."""
        last_ns = last_event_ns(self._journal) or state.season.frame(0).time_ns
        order = read_stop_file(self._folder)
        latch = state.fold.records.latch
        if order is not None and latch_from_file(order, latch, self._journal, time_ns=last_ns):
            await self._journal.flush()
            self._log.warning("trading_changed", state=latch.state, by="STOP file", reason=latch.reason)
            await self._export_head("stop")
        self._between.latch = latch
        if self._chain is not None:
            newest = self._chain.frames.is_newest(state.fold.turn + 1)
            latch.switch.pulled = not newest
        self._phase = "playing"
        end = await play_season(
            self._plan,
            state,
            self._journal,
            host_clock=self._clock,
            after_turn=self._between,
            last_event_ns=last_ns,
            surroundings=None if self._chain is None else self._chain.stage,
            go_on=self._between.go_on,
        )
        if end == "finished":
            self._log.info("season_finished", season=state.number)
        return end

    async def _conclude(self, state: SeasonState) -> bool:
        """Report on a season that is over; false if the process is to leave instead."""
        self._phase = "concluding"
        wall_s = self._clock.monotonic_s() - self._began_s
        conclusion = Conclusion(state=state, journal=self._journal, folder=self._folder, wall_s=wall_s)
        with anyio.CancelScope() as self._concluding:
            await self._conclude_with(conclusion)
        if self._concluding.cancelled_caught:
            return False
        await self._export_head("report")
        return True

    async def _export_head(self, reason: str) -> None:
        """Tell the place outside the run folder where the journal's head is."""
        if self._anchor_dir is not None:
            seq, hash_ = self._journal.head
            anchor = Anchor(seq=seq, hash=hash_, reason=reason, wall_ns=self._clock.now_ns())
            export_anchor(self._anchor_dir, self._manifest.run_id, anchor, key=own_key(self._folder))

    async def _hear_signals(
        self, tasks: TaskGroup, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED
    ) -> None:
        """Leave after the turn at the first signal, at once at a second SIGINT."""
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            task_status.started()
            async for number in signals:
                if not self._between.leaving:
                    self._log.info("leaving", why=signal.Signals(number).name)
                    self._between.leave()
                    if self._chain is not None:
                        self._chain.leave()
                    if self._concluding is not None:
                        self._concluding.cancel()
                    tasks.start_soon(give_up, self._clock, self._log)
                elif number == signal.SIGINT:
                    # Only whole turns are ever committed, so to drop everything is clean.
                    self._log.warning("aborted", why="a second SIGINT; nothing acknowledged is lost")
                    os._exit(EXIT_ABORTED)

    @asynccontextmanager
    async def _reachable(self, tasks: TaskGroup) -> AsyncIterator[None]:
        """Serve the control socket; where there can be none, the STOP file still works."""
        async with AsyncExitStack() as stack:
            try:
                connected = listening(self._folder, tasks, self._inbox, self.status)
                await stack.enter_async_context(connected)
            except OSError as error:
                self._log.warning("no_control_socket", why=str(error), still="the STOP file stops trading")
            yield

    @asynccontextmanager
    async def _watched(self, tasks: TaskGroup, *, watched: bool) -> AsyncIterator[None]:
        """Let a thread end the process if the event loop is blocked."""
        if not watched:
            yield
            return
        watchdog = Watchdog(limit_s=BLOCKED_AFTER_S, clock=self._clock)
        tasks.start_soon(watchdog.pulse)
        with watchdog.watching():
            yield

    def _heard(self, request: Request) -> None:
        """Hear a request the moment it comes: a stop holds at once, and is durable at the end of the turn."""
        if isinstance(request, StopTrading):
            self._between.hurry(request.state)

    async def _watch_stop_file(self) -> None:
        """Look at the STOP file also while a turn takes its time."""
        while True:
            await anyio.sleep(POLL_S)
            order = read_stop_file(self._folder)
            if order is not None:
                self._between.hurry(order.state)

    async def _beat(self) -> None:
        """Say once a minute how the run is."""
        while True:
            await anyio.sleep(HEARTBEAT_S)
            status = self.status()
            trading = status.get("trading")
            self._log.info(
                "heartbeat",
                phase=status["phase"],
                season=status.get("season"),
                frame=status.get("frame"),
                frames=status.get("frames"),
                nav_usd=status.get("nav_usd"),
                trading=trading["state"] if isinstance(trading, dict) else None,
                measured_x=status.get("measured_x"),
            )
