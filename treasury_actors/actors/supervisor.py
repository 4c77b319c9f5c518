"""Who starts actors, looks after them, and decides what their crashes mean."""

from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import anyio
from anyio.abc import TaskGroup

from treasury_actors.actors.cell import Cell
from treasury_actors.actors.child import ChildSpec, ChildStatus, M
from treasury_actors.actors.dead_letters import DeadLetters
from treasury_actors.actors.events import (
    ChildCrashed,
    ChildQuarantined,
    ChildRestarted,
    CommonCause,
    Escalated,
    HostPaused,
    SupervisionEvent,
)
from treasury_actors.actors.guard import DeadlinePassed, cause_of
from treasury_actors.actors.patrol import RunningTime
from treasury_actors.actors.policy import CrashBook, SupervisionPolicy
from treasury_actors.actors.ref import Ref
from treasury_actors.clock import Clock
from treasury_actors.errors import ActorCrashed, ActorStopped

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
        escalation: what a child that is never restarted died of; the first one counts.
    """

    def __init__(
        self, *, policy: SupervisionPolicy, clock: Clock, on_event: Callable[[SupervisionEvent], None]
    ) -> None:
        self.dead_letters = DeadLetters()
        self.escalation: BaseException | None = None
        self._policy = policy
        self._clock = clock
        self._on_event = on_event
        self._book = CrashBook(policy)
        self._cells: dict[str, Cell[object]] = {}
        self._escalated = anyio.Event()
        self._patrol_s = policy.patrol_s
        self._running = RunningTime(clock.monotonic_s())
        self._group: TaskGroup | None = None
        self._fault: BaseException | None = None
        self._turn: int | None = None
        self._stopping = False

    async def __aenter__(self) -> Self:
        """Start looking after children."""
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._running = RunningTime(self._clock.monotonic_s())
        self._tasks.start_soon(self._patrol, name="patrol")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Stop all children in order, even while being cancelled; what the body raised leaves as it was."""
        with anyio.CancelScope(shield=True):
            await self.stop()
        self._tasks.cancel_scope.cancel()
        try:
            if isinstance(error, anyio.get_cancelled_exc_class()):
                return bool(await self._tasks.__aexit__(kind, error, trace))
            await self._tasks.__aexit__(None, None, None)
        except BaseExceptionGroup as group:
            if len(group.exceptions) == 1:
                raise group.exceptions[0] from None
            raise
        return False

    # What callers do

    def start_child(self, spec: ChildSpec[M]) -> Ref[M]:
        """
        Start a child and return its ref, good at once: what it is told now it reads when it has started.

        A name may be used again once its child has stopped.
        """
        assert not self._stopping, f"{spec.name}: this supervisor is stopping"
        known = self._cells.get(spec.name)
        assert known is None or known.ended.is_set(), f"{spec.name}: a child of this name exists"
        self._cells.pop(spec.name, None)  # so that the new one stands last in the order of starts
        self._book.forget(spec.name)
        cell = Cell(spec, self.dead_letters)
        self._cells[spec.name] = cell  # type: ignore[assignment]  # a dict can't say: each with its own M
        self._patrol_s = max(PATROL_MIN_S, min(self._patrol_s, spec.deadline_s / 4))
        self._tasks.start_soon(self._run, cell, name=spec.name)
        return Ref(cell.mailbox)

    async def stop_child(self, name: str) -> None:
        """
        Stop a child: the message in hand ends, `stopped` runs, what still waits becomes dead letters.

        Waits for it, at most `stop_s`; then it is cancelled. Not for an actor to call on itself.
        """
        await self._stop_cell(self._cells[name], within_s=self._policy.stop_s)

    async def stop(self) -> None:
        """Stop all children, last started first, one after another; `stop_s` is for all together."""
        self._stopping = True
        end_s = self._clock.monotonic_s() + self._policy.stop_s
        for cell in reversed(list(self._cells.values())):
            await self._stop_cell(cell, within_s=max(0.0, end_s - self._clock.monotonic_s()))

    def open_turn(self, turn: int) -> None:
        """Close the turn before, giving its verdicts, and count crashes in `turn` from now on."""
        assert self._turn is None or turn > self._turn, f"turns go forward: {self._turn} -> {turn}"
        if self._policy.common_cause_period_s is None:
            for cell in self._held():
                self._settle(cell)
        self._turn = turn

    def status(self, name: str) -> ChildStatus:
        """Return how a child is; a stopped one is remembered. Unknown names raise KeyError."""
        return self._cells[name].status()

    def names(self) -> tuple[str, ...]:
        """Return the names of the children that have not been stopped, in the order of their start."""
        return tuple(name for name, cell in self._cells.items() if cell.mailbox.state != "stopped")

    def busy(self) -> tuple[str, ...]:
        """Return who has what in hand, as text, for whoever asks why the loop is blocked. Any thread may."""
        return tuple(repr(cell) for cell in tuple(self._cells.values()) if cell.busy)

    async def wait_escalated(self) -> BaseException:
        """Wait until a child died that is never restarted; return what it died of."""
        await self._escalated.wait()
        assert self.escalation is not None, "escalation is set before its event"
        return self.escalation

    def __repr__(self) -> str:
        """Return an instrument: turn, how many live of how many, whether something escalated."""
        living = sum(cell.living for cell in self._cells.values())
        escalated = "" if self.escalation is None else ", escalated"
        return f"<Supervisor [turn {self._turn}, {living} of {len(self._cells)} living{escalated}]>"

    # How a child lives

    async def _run(self, cell: Cell[M], backoff_s: float = 0.0) -> None:
        """Run one life. Each has its own task, so that it inherits no scope the one before left behind."""
        another = False
        try:
            if cell.crashes and await cell.fate(backoff_s) == "end":
                return
            crash = await cell.live(lambda: self._up(cell))
            if self._fault is not None:
                raise self._fault
            if crash is not None:
                another = self._crashed(cell, crash)
        finally:
            if not another:
                self._close(cell)

    def _report(self, event: SupervisionEvent) -> None:
        """Tell the owner; what that raises is remembered, as it may pass through a guard on its way out."""
        try:
            self._on_event(event)
        except BaseException as error:
            self._fault = self._fault or error
            raise

    def _up(self, cell: Cell[M]) -> None:
        if not cell.living:
            return
        cell.mailbox.asks_fail = None
        if cell.crashes:
            cell.mailbox.state = "running"
            self._report(ChildRestarted(name=cell.name, turn=self._turn_now))

    def _close(self, cell: Cell[M]) -> None:
        cell.mailbox.close("stopped", "stopped", ActorStopped(f"{cell.name} is stopped"))
        self._book.forget(cell.name)
        cell.ended.set()

    def _crashed(self, cell: Cell[M], crash: BaseException) -> bool:
        """Report a crash, tell those who wait, and decide; return whether another life may follow."""
        cause = cause_of(crash)
        down = ActorCrashed(f"{cell.name} crashed: {cause}")
        cell.crashes += 1
        cell.crashed_at_s = self._running.at(self._clock.monotonic_s())
        living = sum(other.living for other in self._cells.values())
        if cell.living and cell.spec.restart == "transient":
            cell.mailbox.state = "restarting"
        self._report(
            ChildCrashed(name=cell.name, turn=self._turn_now, cause=cause, message=cell.describe_in_hand())
        )
        if cell.spec.restart == "never":
            self._escalate(cell, crash, down)
            return False
        cell.drop_in_hand(down)
        if cell.stopping or self._tasks.cancel_scope.cancel_called:
            return False
        return self._recover(cell, down, living)

    def _recover(self, cell: Cell[M], down: ActorCrashed, living: int) -> bool:
        """Judge a crash, and order what follows from it."""
        judgement = self._book.note(cell.name, turn=self._turn_now, at_s=cell.crashed_at_s, living=living)
        if judgement.common_cause:
            self._report(CommonCause(turn=self._turn_now, names=judgement.common_cause))
        cell.mailbox.fail_asks(down)
        backoff_s = self._policy.backoff_s(cell.name, judgement.attempt)
        if judgement.over_budget:
            cell.held = True
            # Down until the verdict: who asks meanwhile need not wait for it.
            cell.mailbox.asks_fail = down
            if not self._cause_may_prove_common(living):
                self._quarantine(cell)
                return False
        self._tasks.start_soon(self._run, cell, backoff_s, name=cell.name)
        return True

    def _cause_may_prove_common(self, living: int) -> bool:
        turns_end = self._turn is not None or self._policy.common_cause_period_s is not None
        return turns_end and living >= self._policy.common_cause_min

    def _settle(self, cell: Cell[M]) -> None:
        """Give the verdict on a child that was over its budget."""
        if self._book.verdict(cell.name) == "restart":
            cell.decide("restart")
        else:
            self._quarantine(cell)

    def _quarantine(self, cell: Cell[M]) -> None:
        cell.mailbox.close(
            "quarantined",
            "quarantined",
            ActorStopped(f"{cell.name} is quarantined after {cell.crashes} crashes"),
        )
        self._report(ChildQuarantined(name=cell.name, turn=self._turn_now, crashes=cell.crashes))
        cell.decide("end")

    def _escalate(self, cell: Cell[M], crash: BaseException, down: ActorCrashed) -> None:
        self._report(Escalated(name=cell.name, turn=self._turn_now, cause=cause_of(crash)))
        if self.escalation is None:
            self.escalation = crash
        cell.drop_in_hand(down)
        cell.mailbox.close("stopped", "crashed", down)
        self._escalated.set()

    async def _stop_cell(self, cell: Cell[M], *, within_s: float) -> None:
        if cell.ended.is_set():
            cell.mailbox.state = "stopped"  # a quarantined one, too, is stopped now
            return
        cell.order_stop()
        with anyio.move_on_after(within_s):
            await cell.ended.wait()
        if not cell.ended.is_set():
            cell.doom(DeadlinePassed(f"it did not stop within {within_s:g} s"))
            with anyio.move_on_after(DYING_S):
                await cell.ended.wait()

    # Time

    async def _patrol(self) -> None:
        """Go round for as long as the supervisor lives: one task instead of a timer a message."""
        while True:
            slept_s = self._patrol_s
            await anyio.sleep(slept_s)
            now_s = self._clock.monotonic_s()
            late_s = self._running.woke(now_s, slept_s=slept_s)
            if late_s >= self._policy.pause_s:
                self._report(HostPaused(gap_s=late_s))
            self._inspect(self._running.at(now_s))

    def _inspect(self, running_s: float) -> None:
        for cell in tuple(self._cells.values()):
            if cell.overdue(running_s):
                cell.doom(DeadlinePassed(f"deadline: no end within {cell.spec.deadline_s:g} s"))
        period_s = self._policy.common_cause_period_s
        if period_s is not None:
            for cell in self._held():
                if running_s - cell.crashed_at_s >= period_s:
                    self._settle(cell)

    def _held(self) -> list[Cell[object]]:
        return [cell for cell in self._cells.values() if cell.held]

    @property
    def _tasks(self) -> TaskGroup:
        assert self._group is not None, "a supervisor works inside its `async with`"
        return self._group

    @property
    def _turn_now(self) -> int:
        return 0 if self._turn is None else self._turn
