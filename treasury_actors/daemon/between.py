"""What happens between two turns: the STOP file is read, requests are done, the next frame is awaited."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import assert_never

from treasury_actors.arena.approvals import ApprovalDesk
from treasury_actors.arena.messages import CloseMandates
from treasury_actors.clock import Clock
from treasury_actors.daemon.backup import backed_up
from treasury_actors.daemon.chain_run import journal_news
from treasury_actors.daemon.control import Inbox
from treasury_actors.daemon.desk import answer_of
from treasury_actors.daemon.inflows import acceptance, find_inflow, treasury_account
from treasury_actors.daemon.log import Log
from treasury_actors.daemon.pace import Pace
from treasury_actors.daemon.requests import (
    AcceptInflow,
    ApprovePromotion,
    BackUp,
    CloseAll,
    GetStatus,
    MoveTreasury,
    RejectPromotion,
    Reply,
    Request,
    ResumeTrading,
    StopTrading,
    refused,
)
from treasury_actors.daemon.status import Played
from treasury_actors.daemon.stop_file import StopOrder, read_stop_file, remove_stop_file, tightens
from treasury_actors.daemon.webhook import Alert, nobody_hears
from treasury_actors.journal.ports import Journal
from treasury_actors.ledger.messages import Deposit, Post, Withdraw
from treasury_actors.ledger.model import EntryRejected
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.message import Provenance
from treasury_actors.simulation.live.frames import ArrivingFrames
from treasury_actors.trading.messages import ChangeTradingState
from treasury_actors.trading.model.stop import StopLatch, TradingState, TradingStateChanged, VenueAlarm
from treasury_actors.wiring.house import House

POLL_S = 0.2
"""How often the STOP file is looked at."""

ASK_TIMEOUT_S = 30.0
_DAY_FRAMES = 24
_ALARMS = frozenset({"trading.venue_alarm.v1", "trading.state_changed.v1"})
OPERATOR = "operator"

Progress = Callable[[int, int, int], None]
"""Told (frames played, frames, living agents) after each turn."""

ExportHead = Callable[[str], Awaitable[None]]
"""Tells a place outside the run folder where the journal's head is, and why it is told."""


DeskOf = Callable[[House], ApprovalDesk]
"""Returns the desk of a living house."""


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
        self._desk_of = desk_of
        self._ends_after_season = ends_after_season
        self._frames = frames
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
        self.played = Played(records=house.fold.records, season=season, frame=frame, at_s=now_s)
        self._progress(frame.index + 1, season.frame_count, len(house.fold.records.roster.living()))
        due_s = self._pace.next_due_s(now_s)
        is_last = frame.index + 1 == season.frame_count
        if is_last and (self._ends_after_season or self._frames is not None):
            due_s = now_s
        if frame.index % _DAY_FRAMES == 0:
            await self._export_head("daily")
        return await self._wait(house, frame.index, due_s=due_s, is_last=is_last)

    async def go_on(self, house: House, season: Season, frame: MarketFrame) -> bool:
        """After a restart, wait for what follows the last turn of before; operators are served meanwhile."""
        now_s = self._clock.monotonic_s()
        self.played = Played(records=house.fold.records, season=season, frame=frame, at_s=now_s)
        is_last = frame.index + 1 == season.frame_count
        return await self._wait(house, frame.index, due_s=now_s, is_last=is_last)

    async def _wait(self, house: House, index: int, *, due_s: float, is_last: bool) -> bool:
        """Serve until the frame after `index` is due and there; false at once if the process is to leave."""
        while True:
            await self._do_requests(house)
            await self._poll_stop_file(house)
            self._calm_down(house)
            await self._hear_alarms(house, index)
            if self.leaving:
                return False
            left_s = due_s - self._clock.monotonic_s()
            if left_s <= 0 and (is_last or self.may_play(house, index + 1)):
                return True
            await self._pause(min(left_s, POLL_S) if left_s > 0 else POLL_S)

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
            await self._change(house, order.state, order.reason)
        if order.close_all and house.fold.records.roster.living():
            await self._close_mandates(house, order.reason)

    async def _do_requests(self, house: House) -> None:
        """Do every request that waits, in the order they came."""
        while (waiting := self._inbox.take()) is not None:
            waiting.answer(await self._do(waiting.request, house))

    async def _do(self, request: Request, house: House) -> Reply:
        match request:
            case StopTrading():
                return await self._stop(request, house)
            case ResumeTrading():
                return await self._resume(request, house)
            case MoveTreasury():
                return await self._move(request, house)
            case CloseAll():
                return await self._close_all(request, house)
            case AcceptInflow():
                return await self._accept(request, house)
            case ApprovePromotion() | RejectPromotion():
                return await self._promote(request, house)
            case BackUp(target=target):
                return await backed_up(house.journal, Path(target))
            case GetStatus():
                return refused("bad_request", "status does not wait for a turn")
            case _:
                assert_never(request)

    async def _stop(self, request: StopTrading, house: House) -> Reply:
        changed = tightens(request.state, house.fold.records.latch.state)
        if changed:
            await self._change(house, request.state, request.reason)
        return {"ok": True, "state": house.fold.records.latch.state, "changed": changed, "journalled": True}

    async def _close_all(self, request: CloseAll, house: House) -> Reply:
        """Allow exits and nothing else, also under a stop, and let every mandate close."""
        changed = house.fold.records.latch.state != "reducing"
        if changed:
            await self._change(house, "reducing", request.reason)
        closing = await self._close_mandates(house, request.reason)
        return {
            "ok": True,
            "state": house.fold.records.latch.state,
            "changed": changed or closing > 0,
            "closing": closing,
            "journalled": True,
        }

    async def _close_mandates(self, house: House, reason: str) -> int:
        """Let the arena retire everybody; durable when it returns."""
        closing = await house.arena.ask(CloseMandates(reason=reason), timeout_s=ASK_TIMEOUT_S)
        await house.journal.flush()
        self._log.warning("mandates_closing", count=closing, by=OPERATOR, reason=reason)
        return closing

    async def _resume(self, request: ResumeTrading, house: House) -> Reply:
        """Take the file away first: a crash in between leaves trading stopped, by the journal."""
        try:
            removed = remove_stop_file(self._folder)
        except OSError as error:
            return refused("refused", f"the STOP file can't be removed: {error.strerror}; remove it by hand")
        changed = house.fold.records.latch.state != "active"
        if changed:
            await self._change(house, "active", request.reason)
        return {
            "ok": True,
            "state": house.fold.records.latch.state,
            "changed": changed,
            "stop_file_removed": removed,
            "journalled": True,
        }

    async def _change(self, house: House, state: TradingState, reason: str) -> None:
        """Let the engine change the state; it is durable when this returns."""
        message = ChangeTradingState(state=state, by=OPERATOR, reason=reason)
        holds = await house.engine.ask(message, timeout_s=ASK_TIMEOUT_S)
        assert holds == state, f"an operator's change to {state} holds"
        self._log.warning("trading_changed", state=state, by=OPERATOR, reason=reason)
        await self._export_head("stop")

    async def _move(self, request: MoveTreasury, house: House) -> Reply:
        """Deposit or withdraw; durable when it returns."""
        kind = Deposit if request.direction == "deposit" else Withdraw
        message = kind(
            entry_id=request.entry_id,
            account=treasury_account(house.features.universe, request.direction, request.asset),
            asset=request.asset,
            units=request.units,
            reason=request.reason,
        )
        reply = await house.ledger.ask(message, timeout_s=ASK_TIMEOUT_S)
        if isinstance(reply, EntryRejected):
            return {**refused("refused", reply.detail), "reason": reply.reason.value}
        await house.journal.flush()
        self._log.warning(
            "treasury_moved", direction=request.direction, asset=request.asset, units=str(request.units)
        )
        return {"ok": True, "entry_id": request.entry_id, "account": message.account, "journalled": True}

    async def _promote(self, request: ApprovePromotion | RejectPromotion, house: House) -> Reply:
        """Let a person say yes or no to a rise; durable when it returns. What was approved executes later."""
        promotions = house.fold.records.promotions
        reply = answer_of(request, self._desk_of(house), promotions)
        await house.journal.flush()
        if reply["ok"]:
            told = {"promotion": request.promotion, "by": request.by, "status": reply["status"]}
            self._log.warning("promotion", **told)
        return reply

    async def _accept(self, request: AcceptInflow, house: House) -> Reply:
        """Book what a stranger sent as the treasury's own; durable when it returns."""
        inflow = find_inflow(house.journal.read(), request.entry_id)
        if inflow is None:
            return refused("refused", f"no inflow {request.entry_id} in the journal")
        entry = acceptance(inflow, house.features.universe, request.reason)
        reply = await house.ledger.ask(Post(entry=entry), timeout_s=ASK_TIMEOUT_S)
        if isinstance(reply, EntryRejected):
            return {**refused("refused", reply.detail), "reason": reply.reason.value}
        await house.journal.flush()
        self._log.warning("inflow_accepted", entry=request.entry_id, reason=request.reason)
        return {"ok": True, "entry_id": entry.entry_id, "changed": reply.seq > 0, "journalled": True}
