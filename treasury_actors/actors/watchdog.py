"""A second pair of eyes: a thread that notices when the event loop is blocked."""

import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import anyio

from treasury_actors.actors.patrol import RunningTime
from treasury_actors.clock import Clock

EXIT_BLOCKED = 70


class Watchdog:
    """
    Calls `on_blocked` with all stacks when the loop has shown no sign of life for `limit_s` seconds.

    A handler that computes for ever, or waits without `await`, stops every actor, and no task can notice. A
    thread can. It counts running time only, so a suspended host is no blocked loop. It can't see through C
    code that keeps the interpreter lock, nor end an actor: by default it prints where everyone stands and
    ends the process with 70.

    Use: `with watchdog.watching(): …`, and start `watchdog.pulse` as a task on the loop. `clock` is the
    host's; `wait(seconds)` returns true once watching should end, and is given only by tests.
    """

    def __init__(
        self,
        *,
        limit_s: float,
        clock: Clock,
        on_blocked: Callable[[str], object] | None = None,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        assert limit_s > 0, "limit_s must be positive"
        self._limit_s = limit_s
        self._look_s = limit_s / 8
        self._clock = clock
        self._on_blocked = on_blocked or leave_with
        self._end = threading.Event()
        self._wait = wait or self._end.wait
        # A flag, not a time: the loop says that it lives, the thread says when it heard so. A time that the
        # loop noted between a pause and the thread's account of it would be wrong by the pause.
        self._beaten = True
        self._barked = False

    def beat(self) -> None:
        """Say that the loop is alive."""
        self._beaten = True

    async def pulse(self) -> None:
        """Beat for as long as the loop gets round to it; runs until cancelled."""
        while True:
            self.beat()
            await anyio.sleep(self._look_s)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch from a daemon thread while the body runs."""
        thread = threading.Thread(target=self.watch, name="watchdog", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()

    def watch(self) -> None:
        """Watch until told to end; a blocked loop is reported once, and again only after it came back."""
        running = RunningTime(self._clock.monotonic_s())
        heard_s = running.at(self._clock.monotonic_s())
        while not self._wait(self._look_s):
            now_s = self._clock.monotonic_s()
            running.woke(now_s, slept_s=self._look_s)
            if self._beaten:
                self._beaten = self._barked = False
                heard_s = running.at(now_s)
            elif running.at(now_s) - heard_s >= self._limit_s and not self._barked:
                self._barked = True
                self._on_blocked(stacks())


def stacks() -> str:
    """Return where every thread stands, the main thread last, where a reader looks first."""
    frames = sys._current_frames()  # noqa: SLF001 - the documented way to another thread's stack
    threads = sorted(threading.enumerate(), key=lambda thread: thread is threading.main_thread())
    parts = [
        f"Thread {thread.name}:\n{''.join(traceback.format_stack(frames[thread.ident]))}"
        for thread in threads
        if thread.ident in frames
    ]
    return "\n".join(parts)


def leave_with(stacks_text: str) -> NoReturn:
    """Write the stacks to stderr and end the process with 70, running nothing more: the loop can't."""
    os.write(2, f"The event loop is blocked; leaving with {EXIT_BLOCKED}.\n{stacks_text}".encode())
    os._exit(EXIT_BLOCKED)
