"""The person at the desk: deposits, withdraws, stops and resumes, between turns or in the middle of one."""

from typing import Final

from treasury_actors.arena.messages import BeginWithdrawal, CancelWithdrawal
from treasury_actors.arena.model.withdrawal import Wanted, WithdrawalCancelled, WithdrawalPlanned
from treasury_actors.clock import HOUR_NS
from treasury_actors.errors import ActorCrashed
from treasury_actors.faults.kinds import Fault
from treasury_actors.faults.machine import Machine
from treasury_actors.ids import EntryId
from treasury_actors.ledger.messages import Deposit, EntryPosted, Withdraw
from treasury_actors.ledger.model import EntryRejected, pool
from treasury_actors.message import Ask
from treasury_actors.trading.messages import ChangeTradingState
from treasury_actors.trading.model.stop import OPERATOR, TradingState
from treasury_actors.wiring.house import House

_ASK_TIMEOUT_S: Final = 3_600.0
_STEP_UNITS: Final = 10**5
_RECALL_UNITS: Final = 2 * 10**6
_RECALL_H: Final = 48
"""A recall wants up to $131,072, within less than two days."""

_CANCELS_AFTER: Final = 2
_CANCELS_ONE_IN: Final = 4
_RESUMES_EVERY: Final = 4
"""An operator looks after a reduction that a machine ordered every so many turns."""


class Operator:
    """Acts between turns by the turn's number alone: a turn played again finds the same person."""

    def __init__(self, house: House, machine: Machine) -> None:
        self._house = house
        self._machine = machine

    async def between(self, turn: int) -> None:
        """Do what is due before a frame, durable before the turn goes on."""
        plan = self._machine.plan
        for kind in ("deposit", "withdrawal"):
            for fault in plan.of(kind):
                if fault.turn == turn:
                    await self._move(kind, turn, (1 + fault.number) * _STEP_UNITS)
        for fault in plan.of("recall"):
            if fault.turn == turn:
                await self._recall(turn, fault)
            elif fault.turn + _CANCELS_AFTER == turn and fault.number % _CANCELS_ONE_IN == 0:
                await self._cancel(turn, fault)
        wanted = self._wanted(turn)
        if wanted is not None and wanted != self._house.fold.records.latch.state:
            await self._change(wanted, f"planned for turn {turn}")

    async def stop_within(self, turn: int) -> None:
        """Stop in the middle of a turn."""
        await self._change("stopped", f"planned within turn {turn}")

    def _wanted(self, turn: int) -> TradingState | None:
        """Return what an operator wants trading to be before a turn; None: as it is."""
        plan = self._machine.plan
        if turn < plan.heals_at:
            if plan.at("stop", turn) or any(f.turn < turn and f.covers(turn) for f in plan.of("stop-within")):
                return "stopped"
            if plan.at("reduce", turn):
                return "reducing"
            if turn % _RESUMES_EVERY:
                return None
        return "active"

    async def _move(self, kind: str, turn: int, units: int) -> None:
        """Deposit to the pool, or withdraw from it; more than it has is refused."""
        asset, account = self._machine.season.universe.reserve, pool("sim")
        move = Deposit if kind == "deposit" else Withdraw
        message = move(
            entry_id=EntryId(f"operator/{kind}/{turn}/{units}"),
            account=account,
            asset=asset,
            units=units,
            reason="injected",
        )
        reply = await self._ask(message)
        await self._house.journal.flush()
        self._machine.strike(kind)
        if isinstance(reply, EntryRejected):
            self._machine.sometimes.reached("withdrawal-refused")
        else:
            self._machine.sometimes.reached("deposited" if kind == "deposit" else "withdrawn")

    async def _recall(self, turn: int, fault: Fault) -> None:
        """Withdraw what mandates must be cut for; sometimes more than can be home in time."""
        season = self._machine.season
        frame = season.frame(turn - 1)
        wanted = Wanted(
            withdrawal=_name(fault),
            asset=season.universe.reserve,
            units=(1 + fault.number) * _RECALL_UNITS,
            by_ns=frame.time_ns + fault.slot % _RECALL_H * HOUR_NS,
            reason="injected",
        )
        reply = await self._ask_arena(BeginWithdrawal(frame=frame, wanted=wanted))
        self._machine.strike("recall")
        begun = isinstance(reply, WithdrawalPlanned)
        self._machine.sometimes.reached("recall-begun" if begun else "recall-refused")

    async def _cancel(self, turn: int, fault: Fault) -> None:
        """Cancel a withdrawal, if it still can be."""
        frame = self._machine.season.frame(turn - 1)
        message = CancelWithdrawal(frame=frame, withdrawal=_name(fault), reason="injected")
        if isinstance(await self._ask_arena(message), WithdrawalCancelled):
            self._machine.sometimes.reached("recall-cancelled")

    async def _ask_arena(self, message: BeginWithdrawal | CancelWithdrawal) -> object:
        try:
            reply: object = await self._house.arena.ask(message, timeout_s=_ASK_TIMEOUT_S)
        except ActorCrashed as crashed:
            raise self._house.core.escalation or crashed from crashed
        await self._house.journal.flush()
        return reply

    async def _ask(self, message: Ask[EntryPosted | EntryRejected]) -> EntryPosted | EntryRejected:
        try:
            return await self._house.ledger.ask(message, timeout_s=_ASK_TIMEOUT_S)
        except ActorCrashed as crashed:
            raise self._house.core.escalation or crashed from crashed

    async def _change(self, state: TradingState, reason: str) -> None:
        message = ChangeTradingState(state=state, by=OPERATOR, reason=reason)
        try:
            await self._house.engine.ask(message, timeout_s=_ASK_TIMEOUT_S)
            self._machine.told(self._machine.audit.orders.changed_seq)
        except ActorCrashed as crashed:
            raise self._house.core.escalation or crashed from crashed


def _name(fault: Fault) -> str:
    """Return the name of a recall: the same when its turn is played again."""
    return f"recall-{fault.turn}-{fault.number}"
