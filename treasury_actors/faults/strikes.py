"""What strikes a process while it lives: kills, pauses, a stop within a turn, and a disk that says no."""

from contextlib import suppress
from typing import Final

import anyio

from treasury_actors.errors import ActorError, InvariantViolated, JournalFault
from treasury_actors.evolution.model.chance import Chance
from treasury_actors.faults.journal import MOMENTS, Moment
from treasury_actors.faults.loop import PowerCut, SimulatedLoop
from treasury_actors.faults.machine import Machine
from treasury_actors.faults.operator import Operator
from treasury_actors.faults.violation import Violation
from treasury_actors.journal.event import Recorded

_STEPS: Final = 64
"""A strike comes so many callbacks at most after its turn began; a turn has about forty."""

_PAUSES_S: Final = (0.5, 3.0, 45.0, 3_600.0, 172_800.0)

_KILLED_AT: Final[dict[Moment, str]] = {
    "before_write": "killed-before-write",
    "written": "killed-before-sync",
    "synced": "killed-after-sync",
}


class Strikes:
    """
    The plan's faults as they befall one process; its journal asks here what happens to it.

    Attributes:
        is_gone: nothing this process still does may last.
        expects: what the process may die of, because a fault makes it.
        turn: the frame that is played.
        paused_s: for how long the host stood still in this turn.
    """

    def __init__(self, machine: Machine, loop: SimulatedLoop, jitter: Chance | None) -> None:
        self.is_gone = False
        self.expects: type[Exception] | None = None
        self.turn = -1
        self.paused_s = 0.0
        self._machine = machine
        self._loop = loop
        self._jitter = jitter

    def arm_opening(self) -> None:
        """Let a kill come within the opening of the season, in some seeds."""
        machine, loop = self._machine, self._loop
        if any(fault.number % 8 == 0 for fault in machine.plan.of("kill")) and machine.lives == 1:
            loop.at_step(loop.steps + 1 + machine.plan.seed % _STEPS, self._kill)
            machine.strike("kill")

    def arm(self, turn: int, operator: Operator) -> None:
        """Let what strikes within this turn strike at its step."""
        self.turn, self.paused_s = turn, 0.0
        machine, loop = self._machine, self._loop
        if fault := machine.fire("kill", turn):
            loop.at_step(loop.steps + 1 + fault.number % _STEPS, self._kill)
        if fault := machine.fire("pause", turn):
            gap_s = _PAUSES_S[fault.slot % len(_PAUSES_S)]
            loop.at_step(loop.steps + 1 + fault.number % _STEPS, lambda: self._pause(gap_s))
        if fault := machine.fire("stop-within", turn):
            loop.at_step(loop.steps + 1 + fault.number % _STEPS, lambda: self._begin_stop(operator))
        if fault := machine.fire("disk-full", turn):
            machine.fill_disk(fault.turns)
        if machine.disk.is_full:
            self.expects = JournalFault

    def _kill(self) -> None:
        """End the process here and now."""
        machine, audit = self._machine, self._machine.audit
        reached = machine.sometimes.reached
        reached("killed")
        if audit.orders.at_venue():
            reached("killed-with-orders-at-venue")
        if audit.in_round:
            reached("killed-within-a-round")
        if audit.orders.state == "stopped":
            reached("killed-while-stopped")
        if machine.acknowledged_seq == 0:
            reached("killed-within-the-opening")
        if audit.head[0] > machine.acknowledged_seq:
            reached("killed-with-news-not-durable")
        self.is_gone = True
        self._loop.ends = PowerCut()

    def _pause(self, gap_s: float) -> None:
        self._loop.pause(gap_s)
        self.paused_s += gap_s
        if gap_s > self._machine.rules.supervision.pause_s:
            self._machine.sometimes.reached("host-paused")

    def _begin_stop(self, operator: Operator) -> None:
        """Let an operator stop trading while a turn is played."""
        self._loop.create_task(self._stop(operator))

    async def _stop(self, operator: Operator) -> None:
        with suppress(ActorError, JournalFault):
            await operator.stop_within(self.turn)

    def appended(self, recorded: Recorded) -> None:
        """Hold an event to every promise the moment it has its place."""
        if self.is_gone:
            return
        machine = self._machine
        machine.note(recorded.hash)
        try:
            machine.audit.see(recorded)
        except Violation as violation:
            self._loop.ends = self._loop.ends or violation

    def acknowledged(self, seq: int) -> None:
        """Remember what somebody was told is durable."""
        if not self.is_gone:
            self._machine.told(seq)

    async def within_flush(self, moment: Moment) -> None:
        """Let time pass, or the power go."""
        if self._jitter is not None and self._jitter.below(4) == 0:
            await anyio.sleep(self._jitter.below(1000) / 1e3)
        for fault in self._machine.plan.of("kill-at-flush"):
            due = MOMENTS[fault.number % len(MOMENTS)] == moment and fault.turn <= self.turn
            if due and not self.is_gone and self._machine.fire_one(fault):
                self._machine.sometimes.reached(_KILLED_AT[moment])
                self._kill()
        if self.is_gone:
            await self._loop.create_future()

    def sync_fails(self) -> bool:
        """Say whether this sync fails; whether its bytes stay is decided when the process is gone."""
        if self._machine.fire("sync-error", self.turn) is None:
            return False
        self._machine.sometimes.reached("sync-failed")
        self.expects = JournalFault
        return True

    def says_twice(self, turn: int) -> bool:
        """Say whether the venue repeats its last receipt now."""
        if self._machine.fire("second-receipt", turn) is None:
            return False
        self.expects = InvariantViolated
        return True
