"""A process that is to leave waits for its turn by its clock, and no longer than it says."""

import asyncio
import io
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path

import anyio
import pytest

from tests.unit.actors.stage import VirtualLoop
from treasury_actors.daemon.leaving import EXIT_GIVEN_UP, LEAVE_WITHIN_S, give_up
from treasury_actors.daemon.log import open_log

Leave = Callable[[], Coroutine[None, None, None]]


def play(scene: Callable[[VirtualLoop, Leave], Awaitable[None]], folder: Path) -> tuple[list[int], str]:
    """Run a scene in virtual time; return the codes a process would have ended with, and what was logged."""
    loop, codes, screen = VirtualLoop(), list[int](), io.StringIO()

    async def main() -> None:
        with open_log(folder, clock=loop, screen=screen) as log:
            await scene(loop, lambda: give_up(loop, log, end_process=codes.append))

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    return codes, screen.getvalue()


def test_a_turn_that_does_not_end_is_given_up_after_the_seconds_of_the_clock(tmp_path: Path) -> None:
    async def scene(loop: VirtualLoop, leave: Leave) -> None:
        began_s = loop.monotonic_s()
        await leave()
        assert loop.monotonic_s() - began_s == pytest.approx(LEAVE_WITHIN_S, abs=0.3)

    codes, said = play(scene, tmp_path)

    assert codes == [EXIT_GIVEN_UP]
    assert "did not end in 8 s" in said


def test_a_host_that_stood_still_has_waited_too(tmp_path: Path) -> None:
    async def scene(loop: VirtualLoop, leave: Leave) -> None:
        began_s = loop.monotonic_s()
        loop.call_later(1.0, loop.skip, 60.0)
        await leave()
        assert loop.monotonic_s() - began_s == pytest.approx(61.0, abs=0.5)

    codes, _ = play(scene, tmp_path)

    assert codes == [EXIT_GIVEN_UP]


def test_a_turn_that_ends_in_time_is_waited_for(tmp_path: Path) -> None:
    async def scene(_: VirtualLoop, leave: Leave) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(leave)
            await anyio.sleep(LEAVE_WITHIN_S - 0.5)
            tasks.cancel_scope.cancel()

    codes, said = play(scene, tmp_path)

    assert codes == []
    assert said == ""
