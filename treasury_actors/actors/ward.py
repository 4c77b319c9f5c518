"""The children of a supervisor: how each lives, dies, and is brought back."""

from collections.abc import Callable, Sequence

import anyio
from anyio.abc import TaskGroup

from treasury_actors.actors.cell import Cell
from treasury_actors.actors.child import M
from treasury_actors.actors.events import (
    ChildCrashed,
    ChildQuarantined,
    ChildRestarted,
    CommonCause,
    Escalated,
    SupervisionEvent,
)
from treasury_actors.actors.guard import DeadlinePassed, cause_of
from treasury_actors.actors.policy import CrashBook, PastCrash, SupervisionPolicy
from treasury_actors.errors import ActorCrashed, ActorStopped


class Ward:
    """
    Runs the lives of all children of one supervisor, and turns their crashes into events and decisions.

    Attributes:
        cells: every child that was started and whose name was not used again, in the order of their start.
        group: where their tasks run; set while the supervisor is open.
        escalation: what a child that is never restarted died of; the first one counts.
        escalated: set once there is one.
        fault: what `on_event` raised first; whoever comes by later dies of it, too.
        turn: the open turn; None while nobody has opened any.
    """

    def __init__(
        self,
        *,
        policy: SupervisionPolicy,
        on_event: Callable[[SupervisionEvent], None],
        running_s: Callable[[], float],
    ) -> None:
        self.cells: dict[str, Cell[object]] = {}
        self.group: TaskGroup | None = None
        self.escalation: BaseException | None = None
        self.escalated = anyio.Event()
        self.turn: int | None = None
        self._policy = policy
        self._on_event = on_event
        self._running_s = running_s
        self._book = CrashBook(policy)
        self.fault: BaseException | None = None

    def begin(self, cell: Cell[M], past_crashes: Sequence[PastCrash] = ()) -> None:
        """Begin the first life of a child in this process."""
        assert self.group is not None, "a supervisor works inside its `async with`"
        known = self.cells.get(cell.name)
        assert known is None or known.ended.is_set(), f"{cell.name}: a child of this name exists"
        self.cells.pop(cell.name, None)  # so that the new one stands last in the order of starts
        self.cells[cell.name] = cell  # type: ignore[assignment]  # a dict can't say: each with its own M
        self._remember(cell, past_crashes)
        self._start(cell, 0.0)

    def _remember(self, cell: Cell[M], past_crashes: Sequence[PastCrash]) -> None:
        """Count what it crashed of before; hold it if the verdict on the last of that is still to come."""
        over_budget = self._book.recall(cell.name, past_crashes)
        cell.crashes = len(past_crashes)
        if over_budget and self.turn is not None and past_crashes[-1].turn == self.turn:
            cell.held = True
            cell.mailbox.state = "restarting"
            cell.mailbox.asks_fail = ActorCrashed(f"{cell.name} is down until this turn is over")

    def open_turn(self, turn: int) -> None:
        """Close the turn before, giving its verdicts, and count crashes in `turn` from now on."""
        assert self.turn is None or turn > self.turn, f"turns go forward: {self.turn} -> {turn}"
        if self._policy.common_cause_period_s is None:
            for cell in tuple(self.cells.values()):
                if cell.held:
                    self._settle(cell)
        self.turn = turn

    def inspect(self, running_s: float) -> None:
        """Look at everyone's deadline, and give the verdicts that are due by time."""
        period_s = self._policy.common_cause_period_s
        for cell in tuple(self.cells.values()):
            if cell.overdue(running_s):
                cell.doom(DeadlinePassed(f"deadline: no end within {cell.spec.deadline_s:g} s"))
            if cell.held and period_s is not None and running_s - cell.crashed_at_s >= period_s:
                self._settle(cell)

    async def _run(self, cell: Cell[M], backoff_s: float = 0.0) -> None:
        """Run one life. Each has its own task, so that it inherits no scope the one before left behind."""
        another = False
        try:
            if cell.crashes and await cell.fate(backoff_s) == "end":
                return
            crash = await cell.live(lambda: self._up(cell))
            if self.fault is not None:
                raise self.fault
            if crash is not None:
                another = self._crashed(cell, crash)
        finally:
            if not another:
                self._close(cell)

    def report(self, event: SupervisionEvent) -> None:
        """Tell the owner; what that raises is remembered, as it may pass through a guard on its way out."""
        try:
            self._on_event(event)
        except BaseException as error:
            self.fault = self.fault or error
            raise

    def _up(self, cell: Cell[M]) -> None:
        if not cell.living:
            return
        cell.mailbox.asks_fail = None
        if cell.mailbox.state == "restarting":
            cell.mailbox.state = "running"
            self.report(ChildRestarted(name=cell.name, turn=self._turn_now))

    def _close(self, cell: Cell[M]) -> None:
        cell.mailbox.close("stopped", "stopped", ActorStopped(f"{cell.name} is stopped"))
        self._book.forget(cell.name)
        cell.ended.set()

    def _crashed(self, cell: Cell[M], crash: BaseException) -> bool:
        """Report a crash, tell those who wait, and decide; return whether another life may follow."""
        cause = cause_of(crash)
        down = ActorCrashed(f"{cell.name} crashed: {cause}")
        cell.crashes += 1
        cell.crashed_at_s = self._running_s()
        living = sum(other.living for other in self.cells.values())
        if cell.living and cell.spec.restart == "transient":
            cell.mailbox.state = "restarting"
        self.report(
            ChildCrashed(name=cell.name, turn=self._turn_now, cause=cause, message=cell.describe_in_hand())
        )
        if cell.spec.restart == "never":
            self._escalate(cell, crash, down)
            return False
        cell.drop_in_hand(down)
        if cell.stopping:
            return False
        return self._recover(cell, down, living)

    def _recover(self, cell: Cell[M], down: ActorCrashed, living: int) -> bool:
        """Judge a crash, and order what follows from it."""
        judgement = self._book.note(cell.name, turn=self._turn_now, at_s=cell.crashed_at_s, living=living)
        if judgement.common_cause:
            self.report(CommonCause(turn=self._turn_now, names=judgement.common_cause))
        cell.mailbox.fail_asks(down)
        backoff_s = self._policy.backoff_s(cell.name, judgement.attempt)
        if judgement.over_budget:
            cell.held = True
            # Down until the verdict: who asks meanwhile need not wait for it.
            cell.mailbox.asks_fail = down
            if not self._cause_may_prove_common(living):
                self._quarantine(cell)
                return False
        self._start(cell, backoff_s)
        return True

    def _cause_may_prove_common(self, living: int) -> bool:
        turns_end = self.turn is not None or self._policy.common_cause_period_s is not None
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
        self.report(ChildQuarantined(name=cell.name, turn=self._turn_now, crashes=cell.crashes))
        cell.decide("end")

    def _escalate(self, cell: Cell[M], crash: BaseException, down: ActorCrashed) -> None:
        self.report(Escalated(name=cell.name, turn=self._turn_now, cause=cause_of(crash)))
        if self.escalation is None:
            self.escalation = crash
        cell.drop_in_hand(down)
        cell.mailbox.close("stopped", "crashed", down)
        self.escalated.set()

    def _start(self, cell: Cell[M], backoff_s: float) -> None:
        assert self.group is not None, "a supervisor works inside its `async with`"
        self.group.start_soon(self._run, cell, backoff_s, name=cell.name)

    @property
    def _turn_now(self) -> int:
        return 0 if self.turn is None else self.turn
