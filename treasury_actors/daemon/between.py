"""What happens between two turns: the STOP file is read, requests are done, the next frame is awaited."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import assert_never

from treasury_actors.clock import Clock
from treasury_actors.daemon.control import Inbox
from treasury_actors.daemon.log import Log
from treasury_actors.daemon.pace import Pace
from treasury_actors.daemon.requests import (
    Direction,
    GetStatus,
    MoveTreasury,
    Reply,
    Request,
    ResumeTrading,
    StopTrading,
    refused,
)
from treasury_actors.daemon.status import Played
from treasury_actors.daemon.stop_file import StopOrder, read_stop_file, remove_stop_file, tightens
from treasury_actors.ids import AccountId, AssetId
from treasury_actors.journal.ports import Journal
from treasury_actors.ledger.messages import Deposit, Withdraw
from treasury_actors.ledger.model import GAS, RESERVE, EntryRejected
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.market.model.universe import Universe
from treasury_actors.message import Provenance
from treasury_actors.trading.messages import ChangeTradingState
from treasury_actors.trading.model.stop import StopLatch, TradingState
from treasury_actors.wiring.house import House

POLL_S = 0.2
"""How often the STOP file is looked at."""

ASK_TIMEOUT_S = 30.0
_DAY_FRAMES = 24
OPERATOR = "operator"

Progress = Callable[[int, int, int], None]
"""Told (frames played, frames, living agents) after each turn."""

ExportHead = Callable[[str], Awaitable[None]]
"""Tells a place outside the run folder where the journal's head is, and why it is told."""


def treasury_account(universe: Universe, direction: Direction, asset: AssetId) -> AccountId:
    """
    Return the account an operator's money comes to or goes from.

    Deposits and withdrawals concern `treasury:reserve` alone, but for a deposit of the gas asset: that pays
    fees. It can't be withdrawn again: orders that are at a venue count on it.
    """
    return GAS if direction == "deposit" and asset == universe.gas else RESERVE


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
        ends_after_season: bool,
        pause: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        """
        Make it.

        Args:
            ends_after_season: nothing is awaited after the last frame.
            pause: waits up to so many seconds; given only by tests.
        """
        self._folder = folder
        self._clock = clock
        self._pace = pace
        self._inbox = inbox
        self._log = log
        self._progress = progress
        self._export_head = export_head
        self._ends_after_season = ends_after_season
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
        if self._ends_after_season and frame.index + 1 == season.frame_count:
            due_s = now_s
        if frame.index % _DAY_FRAMES == 0:
            await self._export_head("daily")
        while True:
            await self._poll_stop_file(house)
            await self._do_requests(house)
            if self.leaving:
                return False
            left_s = due_s - self._clock.monotonic_s()
            if left_s <= 0:
                return True
            await self._pause(min(left_s, POLL_S))

    async def _poll_stop_file(self, house: House) -> None:
        """Read the STOP file, unless that was less than 200 ms ago."""
        now_s = self._clock.monotonic_s()
        if now_s - self._polled_s < POLL_S:
            return
        self._polled_s = now_s
        order = read_stop_file(self._folder)
        if order is not None and tightens(order.state, house.fold.records.latch.state):
            await self._change(house, order.state, order.reason)

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
            case GetStatus():
                return refused("bad_request", "status does not wait for a turn")
            case _:
                assert_never(request)

    async def _stop(self, request: StopTrading, house: House) -> Reply:
        changed = tightens(request.state, house.fold.records.latch.state)
        if changed:
            await self._change(house, request.state, request.reason)
        return {"ok": True, "state": house.fold.records.latch.state, "changed": changed, "journalled": True}

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
