"""A blocked loop is noticed, a paused host is not mistaken for one."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anyio

from tests.unit.actors.stage import Stage, play
from treasury_actors.actors.watchdog import EXIT_BLOCKED, Watchdog, stacks
from treasury_actors.clock import VirtualClock

LIMIT_S = 8.0


def watch(looks: int, at_look: Callable[[int, Watchdog, VirtualClock], None]) -> list[str]:
    """Let a watchdog look so many times, a second of virtual time apart; return what it reported."""
    clock = VirtualClock()
    reports: list[str] = []
    seen = 0

    def wait(seconds: float) -> bool:
        nonlocal seen
        seen += 1
        clock.advance_to(clock.now_ns() + int(seconds * 10**9))
        at_look(seen, watchdog, clock)
        return seen > looks

    watchdog = Watchdog(limit_s=LIMIT_S, clock=clock, on_blocked=reports.append, wait=wait)
    watchdog.watch()
    return reports


def test_a_loop_that_beats_is_left_alone() -> None:
    assert watch(100, lambda _, watchdog, __: watchdog.beat()) == []


def test_a_blocked_loop_is_reported_once_with_all_stacks() -> None:
    (report,) = watch(100, lambda *_: None)

    assert "Thread MainThread" in report
    assert "test_a_blocked_loop_is_reported_once_with_all_stacks" in report


def test_a_loop_that_came_back_and_blocks_again_is_reported_again() -> None:
    def beat_once(look: int, watchdog: Watchdog, _: VirtualClock) -> None:
        if look == 50:
            watchdog.beat()

    assert len(watch(100, beat_once)) == 2


def test_a_paused_process_is_no_blocked_loop() -> None:
    def pause(look: int, watchdog: Watchdog, clock: VirtualClock) -> None:
        if look == 10:
            clock.advance_to(clock.now_ns() + 3_600 * 10**9)
        if look != 11:  # the thread may well look before the loop gets to beat
            watchdog.beat()

    assert watch(30, pause) == []


def test_the_loop_beats_by_its_pulse() -> None:
    async def scene(stage: Stage) -> None:
        watchdog = Watchdog(limit_s=LIMIT_S, clock=stage.loop)
        watchdog._beaten = False
        with anyio.move_on_after(1.5):
            await watchdog.pulse()

        assert watchdog._beaten

    play(scene)


def test_stacks_end_with_the_main_thread() -> None:
    with Watchdog(limit_s=LIMIT_S, clock=VirtualClock()).watching():
        names = re.findall(r"^Thread (.+):$", stacks(), re.MULTILINE)

    assert names[-1] == "MainThread"
    assert "watchdog" in names


def test_a_process_whose_loop_is_blocked_leaves_with_70_and_says_where() -> None:
    program = """
import anyio
from treasury_actors.actors.watchdog import Watchdog
from treasury_actors.clock import WallClock

async def spin_for_ever():
    while True:
        pass

async def main():
    with Watchdog(limit_s=0.2, clock=WallClock()).watching():
        await spin_for_ever()

anyio.run(main)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == EXIT_BLOCKED
    assert "The event loop is blocked" in done.stderr
    assert "spin_for_ever" in done.stderr
