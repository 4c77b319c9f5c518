"""What operators ask of a living run, done through its actors between two turns."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import assert_never

from treasury_actors.arena.approvals import ApprovalDesk
from treasury_actors.arena.messages import CloseMandates
from treasury_actors.daemon.backup import backed_up
from treasury_actors.daemon.closing import close_mandate
from treasury_actors.daemon.desk import answer_of
from treasury_actors.daemon.inflows import acceptance, find_inflow, treasury_account
from treasury_actors.daemon.log import Log
from treasury_actors.daemon.requests import (
    AcceptInflow,
    ApprovePromotion,
    BackUp,
    BringHome,
    CloseAll,
    CloseMandate,
    EndWithdrawal,
    GetStatus,
    MoveTreasury,
    RejectPromotion,
    Reply,
    Request,
    ResumeTrading,
    StopTrading,
    refused,
)
from treasury_actors.daemon.stop_file import remove_stop_file, tightens
from treasury_actors.daemon.withdrawing import bring_home, end_withdrawal
from treasury_actors.ledger.messages import Deposit, Post, Withdraw
from treasury_actors.ledger.model import EntryRejected
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.trading.messages import ChangeTradingState
from treasury_actors.trading.model.stop import OPERATOR, TradingState
from treasury_actors.wiring.house import House

ASK_TIMEOUT_S = 30.0

_WALLET_FIRST = {
    "deposit": "a wallet holds this run's money: send it there, then `accept-inflow`",
    "withdraw": "a wallet holds this run's money: withdraw it with `--by`, pay it out, then `treasury paid`",
}
"""Why books and wallet would part: one unit less than the books say stops trading."""

ExportHead = Callable[[str], Awaitable[None]]
"""Tells a place outside the run folder where the journal's head is, and why it is told."""

DeskOf = Callable[[House], ApprovalDesk]
"""Returns the desk of a living house."""


class Operations:
    """Does one request after another; each as a dead run's operator would do it alone."""

    def __init__(self, *, folder: Path, log: Log, export_head: ExportHead, desk_of: DeskOf) -> None:
        """
        Take what is needed.

        Args:
            desk_of: where people approve or reject what rises.
        """
        self._folder = folder
        self._log = log
        self._export_head = export_head
        self._desk_of = desk_of

    async def do(self, request: Request, house: House, frame: MarketFrame) -> Reply:
        """Do it after the turn of a frame; what is acknowledged is durable."""
        match request:
            case StopTrading():
                return await self._stop(request, house)
            case ResumeTrading():
                return await self._resume(request, house)
            case MoveTreasury():
                return await self._move(request, house)
            case CloseAll() | CloseMandate():
                return await self._close(request, house)
            case AcceptInflow():
                return await self._accept(request, house)
            case ApprovePromotion() | RejectPromotion():
                return await self._promote(request, house)
            case BringHome() | EndWithdrawal():
                return await self._withdraw(request, house, frame)
            case BackUp(target=target):
                return await backed_up(house.journal, Path(target))
            case GetStatus():
                return refused("bad_request", "status does not wait for a turn")
            case _:
                assert_never(request)

    async def _withdraw(self, request: BringHome | EndWithdrawal, house: House, frame: MarketFrame) -> Reply:
        """Plan a withdrawal, begin it or end it; durable when it returns. A plan alone is no news."""
        if isinstance(request, BringHome):
            reply = await bring_home(request, house, frame)
        else:
            reply = await end_withdrawal(request, house, frame)
        if reply["ok"] and reply["status"] != "planned":
            self._log.warning("withdrawal", withdrawal=reply["withdrawal"], status=reply["status"])
        return reply

    async def _stop(self, request: StopTrading, house: House) -> Reply:
        changed = tightens(request.state, house.fold.records.latch.state)
        if changed:
            await self.change(house, request.state, request.reason)
        return {"ok": True, "state": house.fold.records.latch.state, "changed": changed, "journalled": True}

    async def _close(self, request: CloseAll | CloseMandate, house: House) -> Reply:
        """Let one mandate close; or every one, allowing exits and nothing else, also under a stop."""
        if isinstance(request, CloseMandate):
            reply = await close_mandate(request, house)
            if reply["ok"]:
                told = {"agent": request.agent, "by": OPERATOR, "reason": request.reason}
                self._log.warning("mandate_closing", **told)
            return reply
        changed = house.fold.records.latch.state != "reducing"
        if changed:
            await self.change(house, "reducing", request.reason)
        closing = await self.close_mandates(house, request.reason)
        return {
            "ok": True,
            "state": house.fold.records.latch.state,
            "changed": changed or closing > 0,
            "closing": closing,
            "journalled": True,
        }

    async def close_mandates(self, house: House, reason: str) -> int:
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
            await self.change(house, "active", request.reason)
        return {
            "ok": True,
            "state": house.fold.records.latch.state,
            "changed": changed,
            "stop_file_removed": removed,
            "journalled": True,
        }

    async def change(self, house: House, state: TradingState, reason: str) -> None:
        """Let the engine change the state; it is durable when this returns."""
        message = ChangeTradingState(state=state, by=OPERATOR, reason=reason)
        holds = await house.engine.ask(message, timeout_s=ASK_TIMEOUT_S)
        assert holds == state, f"an operator's change to {state} holds"
        self._log.warning("trading_changed", state=state, by=OPERATOR, reason=reason)
        await self._export_head("stop")

    async def _move(self, request: MoveTreasury, house: House) -> Reply:
        """Deposit or withdraw; durable when it returns. While a wallet trades, no book moves ahead of it."""
        if house.has_wallet:
            return {**refused("refused", _WALLET_FIRST[request.direction]), "reason": "wallet_holds_it"}
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

    async def _promote(self, request: ApprovePromotion | RejectPromotion, house: House) -> Reply:
        """Let a person say yes or no to a rise; durable when it returns. What was approved executes later."""
        promotions = house.fold.records.promotions
        reply = answer_of(request, self._desk_of(house), promotions)
        await house.journal.flush()
        if reply["ok"]:
            told = {"promotion": request.promotion, "by": request.by, "status": reply["status"]}
            self._log.warning("promotion", **told)
        return reply
