"""Who starts actors, looks after them, and decides what their crashes mean."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

import anyio

from treasury_actors.actors.cell import Cell
from treasury_actors.actors.child import ChildSpec, ChildStatus, M
from treasury_actors.actors.dead_letters import DeadLetters
from treasury_actors.actors.events import HostPaused, SupervisionEvent
from treasury_actors.actors.guard import DeadlinePassed
from treasury_actors.actors.patrol import RunningTime
from treasury_actors.actors.policy import PastCrash, SupervisionPolicy
from treasury_actors.actors.ref import Ref, comes_within
from treasury_actors.actors.ward import Ward
from treasury_actors.clock import Clock

PATROL_MIN_S: Final = 0.01
"""However short a deadline, the patrol never goes round more often than this."""

DYING_S: Final = 1.0
"""So long a cancelled child is waited for; longer, and only the end of the process can end it."""


class Supervisor:
    """
    An async context that owns its children: leaving it stops them, last started first.

    `on_event` is called synchronously on the loop, in the order things happen; a crash before the child is
    restarted and before anyone who waits for it is told. If `on_event` raises, that isn't an actor's fault
    but the house's: the exception leaves the context, and every child ends.

    Turns are what budgets count in; who drives the frames says `open_turn`. A supervisor to which nobody ever
    says it decides at once, as there is no end of a turn to wait for. `clock` is the one the event loop
    sleeps by; only its `monotonic_s` is read, for deadlines and for periods in seconds.

    Attributes:
        dead_letters: what could not be delivered to any child.
    """

    def __init__(
        self, *, policy: SupervisionPolicy, clock: Clock, on_event: Callable[[SupervisionEvent], None]
    ) -> None:
        self.dead_letters = DeadLetters()
        self._policy = policy
        self._clock = clock
        self._patrol_s = policy.patrol_s
        self._running = RunningTime(clock.monotonic_s())
        self._ward = Ward(policy=policy, on_event=on_event, running_s=self._running_s)
        self._stopping = False

    async def __aenter__(self) -> Self:
        """Start looking after children."""
        self._group = await anyio.create_task_group().__aenter__()
        self._ward.group = self._group
        self._running = RunningTime(self._clock.monotonic_s())
        self._group.start_soon(self._patrol, name="patrol")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all children in order, even while being cancelled; what the body raised leaves as it was."""
        with anyio.CancelScope(shield=True):
            await self.stop()
        self._group.cancel_scope.cancel()
        try:
            if isinstance(error, anyio.get_cancelled_exc_class()):
                await self._group.__aexit__(kind, error, trace)
            else:
                await self._group.__aexit__(None, None, None)
        except BaseExceptionGroup as group:
            if self._ward.fault is not None:  # as often as children died of it
                raise self._ward.fault from None
            if len(group.exceptions) == 1:
                raise group.exceptions[0] from None
            raise

    def start_child(self, spec: ChildSpec[M], past_crashes: Sequence[PastCrash] = ()) -> Ref[M]:
        """
        Start a child and return its ref, good at once: what it is told now it reads when it has started.

        A name may be used again once its child has stopped. `past_crashes`, in order, count against its
        budget: a process that was killed and started again judges as one that was not. One that had used up
        its budget in the turn that is open now stays down until that is closed.
        """
        assert not self._stopping, f"{spec.name}: this supervisor is stopping"
        cell = Cell(spec, self.dead_letters)
        self._ward.begin(cell, past_crashes)
        self._patrol_s = max(PATROL_MIN_S, min(self._patrol_s, spec.deadline_s / 4))
        return Ref(cell.mailbox)

    async def stop_child(self, name: str) -> None:
        """
        Stop a child: the message in hand ends, `stopped` runs, what still waits becomes dead letters.

        Waits for it, at most `stop_s`; then it is cancelled. Not for an actor to call on itself.
        """
        cell = self._ward.cells[name]
        await self._stop_cell(cell, within_s=self._policy.stop_s)
        cell.mailbox.state = "stopped"  # even if it was quarantined

    async def stop(self) -> None:
        """Stop all children, last started first, one after another; `stop_s` is for all together."""
        self._stopping = True
        end_s = self._running_s() + self._policy.stop_s
        for cell in reversed(list(self._ward.cells.values())):
            await self._stop_cell(cell, within_s=max(0.0, end_s - self._running_s()))

    def open_turn(self, turn: int) -> None:
        """Close the turn before, giving its verdicts, and count crashes in `turn` from now on."""
        self._ward.open_turn(turn)

    def status(self, name: str) -> ChildStatus:
        """Return how a child is; a stopped one is remembered. Unknown names raise KeyError."""
        return self._ward.cells[name].status()

    def names(self) -> tuple[str, ...]:
        """Return the names of the children that have not been stopped, in the order of their start."""
        return tuple(name for name, cell in self._ward.cells.items() if cell.mailbox.state != "stopped")

    def busy(self) -> tuple[str, ...]:
        """Return who has what in hand, as text, for whoever asks why the loop is blocked. Any thread may."""
        return tuple(repr(cell) for cell in tuple(self._ward.cells.values()) if cell.busy)

    @property
    def escalation(self) -> BaseException | None:
        """What a child that is never restarted died of; the first one counts."""
        return self._ward.escalation

    async def wait_escalated(self) -> BaseException:
        """Wait until a child died that is never restarted; return what it died of."""
        await self._ward.escalated.wait()
        assert self._ward.escalation is not None, "escalation is set before its event"
        return self._ward.escalation

    def __repr__(self) -> str:
        """Return an instrument: turn, how many live of how many, whether something escalated."""
        living = sum(cell.living for cell in self._ward.cells.values())
        escalated = "" if self.escalation is None else ", escalated"
        return f"<Supervisor [turn {self._ward.turn}, {living} of {len(self._ward.cells)} living{escalated}]>"

    async def _stop_cell(self, cell: Cell[M], *, within_s: float) -> None:
        cell.order_stop()
        if not await comes_within(cell.ended, within_s):
            cell.doom(DeadlinePassed(f"it did not stop within {within_s:g} s"))
            with anyio.move_on_after(DYING_S):
                await cell.ended.wait()

    async def _patrol(self) -> None:
        """Go round for as long as the supervisor lives: one task instead of a timer a message."""
        while True:
            slept_s = self._patrol_s
            self._running.sleeps(slept_s)
            await anyio.sleep(slept_s)
            now_s = self._clock.monotonic_s()
            late_s = self._running.woke(now_s, slept_s=slept_s)
            if late_s >= self._policy.pause_s:
                self._ward.report(HostPaused(gap_s=late_s))
            self._ward.inspect(self._running.at(now_s))

    def _running_s(self) -> float:
        return self._running.at(self._clock.monotonic_s())
