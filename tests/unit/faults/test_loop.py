"""The simulated loop: asyncio's own order, or none; time that jumps; deadlock, livelock and kills."""

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import pytest

from treasury_actors.evolution.model.chance import Chance
from treasury_actors.faults import loop as loop_module
from treasury_actors.faults.loop import PowerCut, Schedule, SimulatedLoop
from treasury_actors.faults.violation import Violation


def run(
    act: Callable[[SimulatedLoop], Awaitable[object]], *, schedule: Schedule = "fifo", seed: int = 1
) -> object:
    loop = SimulatedLoop(schedule=schedule, chance=Chance((seed, "test")))
    try:
        return loop.run_until_complete(act(loop))
    finally:
        loop.forget()


def order_of(schedule: Schedule, seed: int) -> list[int]:
    async def act(loop: SimulatedLoop) -> list[int]:
        ran: list[int] = []
        for number in range(8):
            loop.call_soon(ran.append, number)
        await anyio.sleep(1.0)
        return ran

    found = run(act, schedule=schedule, seed=seed)
    assert isinstance(found, list)
    return found


def test_the_private_names_it_leans_on_are_those_of_this_python() -> None:
    loop = asyncio.SelectorEventLoop()
    try:
        assert all(
            hasattr(loop, name) for name in ("_ready", "_scheduled", "_run_once", "_timer_cancelled_count")
        )
    finally:
        loop.close()


def test_fifo_runs_callbacks_in_the_order_asyncio_promises() -> None:
    assert order_of("fifo", 1) == list(range(8))


def test_a_hostile_schedule_is_another_order_and_the_same_for_the_same_seed() -> None:
    assert order_of("hostile", 1) != list(range(8))
    assert order_of("hostile", 1) == order_of("hostile", 1)
    assert sorted(order_of("hostile", 2)) == list(range(8))


def test_time_jumps_to_the_next_timer_and_a_cancelled_one_is_passed_over() -> None:
    async def act(loop: SimulatedLoop) -> float:
        for _ in range(1_000):
            with anyio.move_on_after(3_600.0):
                await anyio.sleep(0.001)
        await anyio.sleep(50.0)
        return loop.time()

    assert run(act) == pytest.approx(51.0)


def test_a_wait_for_nothing_is_a_deadlock() -> None:
    async def act(_: SimulatedLoop) -> None:
        await anyio.Event().wait()

    with pytest.raises(Violation, match="deadlock"):
        run(act)


def test_work_without_end_at_one_instant_is_a_livelock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "STEPS_AT_ONE_INSTANT_MAX", 500)

    async def act(_: SimulatedLoop) -> None:
        while True:
            await anyio.lowlevel.checkpoint()

    with pytest.raises(Violation, match="livelock"):
        run(act)


def test_a_thread_is_refused() -> None:
    async def act(loop: SimulatedLoop) -> None:
        loop.run_in_executor(None, print)

    with pytest.raises(Violation, match="thread"):
        run(act)


def test_a_kill_between_two_callbacks_runs_no_code_that_could_catch_it() -> None:
    caught: list[BaseException] = []

    async def act(loop: SimulatedLoop) -> None:
        def kill() -> None:
            loop.ends = PowerCut()

        loop.at_step(5, kill)
        try:
            while True:
                await anyio.lowlevel.checkpoint()
        except BaseException as error:
            if not loop.is_closed() and not isinstance(error, GeneratorExit):
                caught.append(error)
            raise

    with pytest.raises(PowerCut):
        run(act)
    assert caught == []
