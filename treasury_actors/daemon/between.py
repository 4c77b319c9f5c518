"""What happens between two turns: the STOP file is read, requests are done, the next frame is awaited."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from treasury_actors.clock import Clock
from treasury_actors.daemon.chain_run import journal_news, reduce_for_outage
from treasury_actors.daemon.climbing import Climbing
from treasury_actors.daemon.control import Inbox
from treasury_actors.daemon.events import STREAM, SimulationClosed
from treasury_actors.daemon.log import Log
from treasury_actors.daemon.operations import DeskOf, ExportHead, Operations
from treasury_actors.daemon.pace import Pace
from treasury_actors.daemon.simulated_house import SimulatedHouse
from treasury_actors.daemon.status import Played
from treasury_actors.daemon.stop_file import StopOrder, read_stop_file, tightens
from treasury_actors.daemon.webhook import Alert, nobody_hears
from treasury_actors.journal.ports import Journal
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.message import Provenance
from treasury_actors.simulation.live.frames import ArrivingFrames
from treasury_actors.trading.model.stop import (
    OPERATOR,
    StopLatch,
    TradingState,
    TradingStateChanged,
    VenueAlarm,
)
from treasury_actors.wiring.house import House

POLL_S = 0.2
"""How often the STOP file is looked at."""

PAPER_WAITS_S = 30.0
"""How long the house with money, on a chain, waits after a turn for the one on paper."""

_DAY_FRAMES = 24
_ALARMS = frozenset({"trading.venue_alarm.v1", "trading.state_changed.v1"})

Progress = Callable[[int, int, int], None]
"""Told (frames played, frames, living agents) after each turn."""


def latch_from_file(order: StopOrder, latch: StopLatch, journal: Journal, *, time_ns: int) -> bool:
    """Stop trading in a journal whose house is not open; say whether anything changed. Not yet durable."""
    if not tightens(order.state, latch.state):
        return False
    changed = latch.decide(order.state, OPERATOR, order.reason)
    assert changed is not None, "an operator may always tighten"
    provenance = Provenance(correlation_id=f"stop:{changed.epoch}")
    journal.append(changed, stream="trading", time_ns=time_ns, provenance=provenance)
    latch.apply(changed)
    return True


class BetweenTurns:
    """
    The `after_turn` of a daemon's seasons.

    Attributes:
        played: the last turn; None before the first.
        turns: how many this process has played.
        latch: of the season that is played.
        leaving: true once the process is to end after the turn it is in.
    """

    def __init__(
        self,
        *,
        folder: Path,
        clock: Clock,
        pace: Pace,
        inbox: Inbox,
        log: Log,
        progress: Progress,
        export_head: ExportHead,
        desk_of: DeskOf,
        ends_after_season: bool,
        frames: ArrivingFrames | None = None,
        simulated: SimulatedHouse | None = None,
        climbing: Climbing | None = None,
        alert: Alert = nobody_hears,
        told_seq: int = 0,
        pause: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        """
        Make it.

        Args:
            desk_of: where people approve or reject what rises.
            ends_after_season: nothing is awaited after the last frame.
            frames: where each next frame is waited for; without them, the pace says when it is due.
            simulated: plays the same frames on paper, each after this house.
            climbing: acts at each day's close.
            alert: tells people outside of what is journalled after event `told_seq`.
            pause: waits up to so many seconds; given only by tests.
        """
        self._folder = folder
        self._clock = clock
        self._pace = pace
        self._inbox = inbox
        self._log = log
        self._progress = progress
        self._export_head = export_head
        self._operations = Operations(folder=folder, log=log, export_head=export_head, desk_of=desk_of)
        self._ends_after_season = ends_after_season
        self._frames = frames
        self._simulated = simulated
        self._climbing = climbing
        self._alert = alert
        self._told_seq = told_seq
        self._hurried = False
        self.latch: StopLatch | None = None
        self._pause = pause or inbox.wait_for_news
        self._polled_s = -POLL_S
        self.played: Played | None = None
        self.turns = 0
        self.leaving = False

    def __repr__(self) -> str:
        return f"<BetweenTurns turns={self.turns}{' leaving' if self.leaving else ''}>"

    def leave(self) -> None:
        """Let the run end after the turn it is in."""
        self.leaving = True
        self._inbox.ring()

    async def __call__(self, house: House, season: Season, frame: MarketFrame) -> bool:
        """Do what waits; return when the next frame is due, or false at once if the process is to leave."""
        now_s = self._clock.monotonic_s()
        self.turns += 1
        self.played = Played(
            records=house.fold.records,
            season=season,
            frame=frame,
            at_s=now_s,
            spending=house.rules.arena.spending,
        )
        self._progress(frame.index + 1, season.frame_count, len(house.fold.records.roster.living()))
        due_s = self._pace.next_due_s(now_s)
        is_last = frame.index + 1 == season.frame_count
        if is_last and (self._ends_after_season or self._frames is not None):
            due_s = now_s
        if frame.index % _DAY_FRAMES == 0:
            await self._export_head("daily")
        if self._climbing is not None:
            self._climbing.close_day(house, season, frame)
        return await self._wait(house, frame.index, due_s=due_s, is_last=is_last)

    async def go_on(self, house: House, season: Season, frame: MarketFrame) -> bool:
        """After a restart, wait for what follows the last turn of before; operators are served meanwhile."""
        now_s = self._clock.monotonic_s()
        self.played = Played(
            records=house.fold.records,
            season=season,
            frame=frame,
            at_s=now_s,
            spending=house.rules.arena.spending,
        )
        is_last = frame.index + 1 == season.frame_count
        if self._climbing is not None:
            self._climbing.close_day(house, season, frame)  # it may have been killed before it acted
        return await self._wait(house, frame.index, due_s=now_s, is_last=is_last)

    async def _wait(self, house: House, index: int, *, due_s: float, is_last: bool) -> bool:
        """Serve until the frame after `index` is due and there; false at once if the process is to leave."""
        season = house.fold.records.roster.season
        assert season is not None, "turns are played in a season"
        if self._simulated is not None:
            self._simulated.let_play(season.season, index)
        while True:
            await self._do_requests(house)
            await self._poll_stop_file(house)
            self._calm_down(house)
            await self._hear_alarms(house, index)
            if self._climbing is not None and not self.leaving:
                await self._climbing.step()
            if self.leaving:
                return False
            left_s = due_s - self._clock.monotonic_s()
            waits = self._is_awaited(season.season, index, late_s=-left_s)
            if left_s <= 0 and not waits and (is_last or self.may_play(house, index + 1)):
                return True
            await self._pause(min(left_s, POLL_S) if left_s > 0 else POLL_S)

    def _is_awaited(self, season: int, index: int, *, late_s: float) -> bool:
        """Say whether the house on paper, or a day, is not done with it; a chain does not wait."""
        behind = self._simulated is not None and self._simulated.is_behind(season, index)
        if self._frames is not None:
            return behind and late_s < PAPER_WAITS_S
        return behind or (self._climbing is not None and self._climbing.is_pending)

    def may_play(self, house: House, index: int) -> bool:
        """
        Say whether a frame has arrived.

        One that is not of the hour it is now is played, and nothing is ordered on it: the switch that stops
        what is about to be signed is pulled for its turn.
        """
        if self._frames is None:
            return True
        if not self._frames.has(index):
            return False
        house.fold.records.latch.switch.pulled = self._hurried or not self._frames.is_newest(index)
        return True

    def hurry(self, state: TradingState) -> None:
        """Let nothing more be accepted, signed or sent: the end of the turn makes this stop durable."""
        latch = self.latch
        if latch is not None and state == "stopped" and tightens(state, latch.state):
            latch.switch.pulled = self._hurried = True

    def _calm_down(self, house: House) -> None:
        """Let go of the switch if what it was pulled for has been done, or is gone."""
        if self._hurried:
            self._hurried = False
            house.fold.records.latch.switch.pulled = False

    async def _hear_alarms(self, house: House, turn: int) -> None:
        """Tell people what the house itself raised, and make what happened to the feed events."""
        if self._frames is not None:
            at_ns = house.clock.now_ns()
            await journal_news(
                self._frames, house.journal, time_ns=at_ns, turn=turn, log=self._log, alert=self._alert
            )
            await reduce_for_outage(self._frames, house, log=self._log)
        if self._simulated is not None and (why := self._simulated.take_news()):
            closed = SimulationClosed(turn=turn, why=why)
            house.journal.append(closed, stream=STREAM, time_ns=house.clock.now_ns())
            await house.journal.flush()
            self._alert("simulation_closed", {"why": why, "turn": turn})
        if self._alert is nobody_hears:
            return
        first, self._told_seq = self._told_seq + 1, house.journal.head[0]
        for recorded in house.journal.read(first) if first <= self._told_seq else ():
            if recorded.type not in _ALARMS:
                continue
            match recorded.event:
                case VenueAlarm(reason=reason, stops=stops):
                    self._alert("alarm", {"reason": reason, "stops": stops, "turn": turn})
                case TradingStateChanged(state=state, by=by, reason=reason):
                    self._alert("trading_changed", {"state": state, "by": by, "reason": reason, "turn": turn})
                case _:
                    pass

    async def _poll_stop_file(self, house: House) -> None:
        """Read the STOP file, unless that was less than 200 ms ago."""
        now_s = self._clock.monotonic_s()
        waits = self._hurried and house.fold.records.latch.state != "stopped"
        if now_s - self._polled_s < POLL_S and not waits:
            return
        self._polled_s = now_s
        order = read_stop_file(self._folder)
        if order is None:
            return
        if tightens(order.state, house.fold.records.latch.state):
            await self._operations.change(house, order.state, order.reason)
        if order.close_all and house.fold.records.roster.open():
            await self._operations.close_mandates(house, order.reason)

    async def _do_requests(self, house: House) -> None:
        """Do every request that waits, in the order they came."""
        assert self.played is not None, "requests are done after a turn"
        while (waiting := self._inbox.take()) is not None:
            waiting.answer(await self._operations.do(waiting.request, house, self.played.frame))
