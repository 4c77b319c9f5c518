"""
An event loop with virtual time and a schedule drawn from a seed; no thread, no socket, no waiting.

It leans on four private names of `asyncio.BaseEventLoop` (`_ready`, `_scheduled`, `_run_once`,
`_timer_cancelled_count`), which are the same in Python 3.11 to 3.13; `tests/unit/faults/test_loop.py` says so
of the Python it runs on.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, Literal, NoReturn, TypeAlias

from treasury_actors.evolution.model.chance import Chance
from treasury_actors.faults.quiet import quietly
from treasury_actors.faults.violation import Violation

Schedule: TypeAlias = Literal["fifo", "jitter", "hostile"]
"""
In what order callbacks run: as asyncio promises (`fifo`), so with random delays at every port (`jitter`), or
in an order asyncio never gives (`hostile`): whatever is ready is shuffled.
"""

STEPS_AT_ONE_INSTANT_MAX: Final = 100_000
"""So many callbacks without time moving on are a livelock: a turn of eight agents has about forty."""

_CANCELLED_TIMERS_MAX: Final = 256


class PowerCut(BaseException):
    """The process is gone: raised out of the loop, between two callbacks, never into an actor."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """
    Runs callbacks one by one; time jumps to the next timer when nothing is ready.

    Attributes:
        steps: how many callbacks ran.
        ends: raised out of the loop after the callback that is running.
    """

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _timer_cancelled_count: int

    def __init__(self, *, schedule: Schedule, chance: Chance, start_s: float = 0.0) -> None:
        super().__init__()
        self.steps = 0
        self.ends: BaseException | None = None
        self._schedule: Schedule = schedule
        self._chance = chance
        self._now_s = start_s
        self._instant_steps = 0
        self._tasks: list[asyncio.Task[Any]] = []
        self._alarms: list[tuple[int, Callable[[], None]]] = []
        self.set_task_factory(self._make_task)  # type: ignore[arg-type]  # its options differ by version
        self.set_exception_handler(self._complain)

    def time(self) -> float:
        """Return virtual time in seconds."""
        return self._now_s

    def pause(self, gap_s: float) -> None:
        """Let time pass in which nothing of this process ran."""
        assert gap_s >= 0.0, "time never goes back"
        self._now_s += gap_s

    def at_step(self, step: int, action: Callable[[], None]) -> None:
        """Call `action` right before the callback of number `step`, or before the next if that is past."""
        self._alarms.append((max(step, self.steps + 1), action))
        self._alarms.sort(key=lambda alarm: alarm[0])

    def call_soon_threadsafe(self, *_: object, **__: object) -> NoReturn:
        """Refuse: whoever calls this has a thread."""
        raise Violation("determinism", "a thread spoke to the simulated loop")

    def run_in_executor(self, *_: object, **__: object) -> NoReturn:
        """Refuse: a thread's order is the machine's."""
        raise Violation("determinism", "a thread was asked for in the simulation")

    def forget(self) -> None:
        """
        Drop every task of a process that is gone, and close.

        Nothing they still do on being dropped reaches anything that lasts: disk and venue were cut off first.
        """
        with quietly():
            for task in self._tasks:
                if not task.done():
                    task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - no farewell
                    with suppress(BaseException):
                        task.get_coro().close()
        self._tasks.clear()
        self._alarms.clear()
        self._ready.clear()
        self._scheduled.clear()
        self.close()

    def _asyncgen_finalizer_hook(self, _: object) -> None:
        """Leave a generator that was dropped with its process as it is."""

    def _make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, Any],
        **options: Any,  # noqa: ANN401 - whatever a version hands on
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=loop, **options)
        self._tasks.append(task)
        return task

    def _complain(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End the run with what would otherwise be a line on stderr."""
        error = context.get("exception")
        if self.ends is None:
            self.ends = Violation("exit", f"unhandled in the loop: {context['message']}: {error!r}")

    def _write_to_self(self) -> None:
        """There is no selector to wake."""

    def _process_events(self, _: object) -> None:
        """There is no selector with events."""

    def _run_once(self) -> None:
        """Run what is ready, in the order of the schedule."""
        self._gather()
        ready = self._ready
        if self._schedule == "hostile" and len(ready) > 1:
            self._shuffle(ready)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle.cancelled():
                continue
            self.steps += 1
            self._instant_steps += 1
            while self._alarms and self._alarms[0][0] <= self.steps:
                self._alarms.pop(0)[1]()
            if self.ends is None:
                handle._run()  # noqa: SLF001 - what a loop is for
            if self.ends is not None:
                ends, self.ends = self.ends, None
                raise ends
        if self._instant_steps > STEPS_AT_ONE_INSTANT_MAX:
            raise Violation("livelock", f"{self._instant_steps} callbacks at {self._now_s:g} s")

    def _gather(self) -> None:
        """Move due timers to what is ready; if nothing is, time goes on to the next timer."""
        scheduled, ready = self._scheduled, self._ready
        if self._timer_cancelled_count > _CANCELLED_TIMERS_MAX:
            scheduled[:] = [timer for timer in scheduled if not timer.cancelled()]
            heapq.heapify(scheduled)
            self._timer_cancelled_count = 0
        while scheduled and scheduled[0].cancelled():
            heapq.heappop(scheduled)
        if not ready:
            if not scheduled:
                raise Violation("deadlock", "nothing is ready and no timer runs")
            if scheduled[0].when() > self._now_s:
                self._now_s = scheduled[0].when()
                self._instant_steps = 0
        while scheduled and scheduled[0].when() <= self._now_s:
            timer = heapq.heappop(scheduled)
            timer._scheduled = False  # type: ignore[attr-defined]  # noqa: SLF001 - a cancel must not count it
            if not timer.cancelled():
                ready.append(timer)

    def _shuffle(self, ready: deque[asyncio.Handle]) -> None:
        order = list(ready)
        for last in range(len(order) - 1, 0, -1):
            other = self._chance.below(last + 1)
            order[last], order[other] = order[other], order[last]
        ready.clear()
        ready.extend(order)


class LoopClock:
    """The `Clock` of a process that runs on a simulated loop."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def now_ns(self) -> int:
        """Return virtual time in nanoseconds: a label, as the wall clock is one."""
        return int(self._loop.time() * 1e9)

    def monotonic_s(self) -> float:
        """Return virtual time in seconds."""
        return self._loop.time()
