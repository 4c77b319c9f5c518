"""Whatever an actor does, its siblings and the loop don't feel it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

import anyio
import pytest

from tests.unit.actors.stage import Do, Heard, Line, Listener, Run, Say, Stage, crash, play, soon
from treasury_actors.actors.child import ChildSpec
from treasury_actors.actors.events import ChildCrashed, ChildRestarted, HostPaused
from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.errors import ActorCrashed, AskTimeout


class Outrage(BaseException):
    """What nobody expects."""


async def recurse() -> object:
    return await recurse()


async def fail() -> None:
    raise ValueError("no")


async def fail_within_a_group() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(fail)


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        (crash(ValueError("a\n  b")), "ValueError: a b"),
        (crash(SystemExit(3)), "SystemExit: 3"),
        (crash(KeyboardInterrupt()), "KeyboardInterrupt"),
        (crash(MemoryError()), "MemoryError"),
        (crash(GeneratorExit()), "GeneratorExit"),
        (crash(Outrage("!")), "Outrage: !"),
        (crash(asyncio.CancelledError("made up")), "CancelledError: made up"),
        (recurse, "RecursionError: maximum recursion depth exceeded"),
        (
            fail_within_a_group,
            "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)",
        ),
    ],
)
def test_a_crash_reaches_neither_siblings_nor_the_loop(
    act: Callable[[], Awaitable[object]], cause: str
) -> None:
    async def scene(stage: Stage) -> None:
        ann, bob = stage.listener("ann"), stage.listener("bob")
        bob.tell(Say(text="before"))
        ann.tell(Do(act=act))
        await soon()
        bob.tell(Say(text="after"))

        assert await bob.ask(Heard(), timeout_s=1.0) == ("before", "after")
        assert await ann.ask(Heard(), timeout_s=1.0) == ()
        assert [
            event.cause.startswith(cause) for event in stage.events if isinstance(event, ChildCrashed)
        ] == [True]
        assert stage.diary == [
            "made ann",
            "started ann",
            "made bob",
            "started bob",
            "made ann",
            "started ann",
        ]

    play(scene)


def test_a_restart_is_a_new_object_that_reads_on_after_the_message_it_died_of() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann")
        ref.tell(Say(text="a"))
        ref.tell(Do(act=crash(ValueError("no"))))
        ref.tell(Say(text="b"))
        await soon()

        assert await ref.ask(Heard(), timeout_s=1.0) == ("b",)
        assert stage.house.dead_letters.count("crashed") == 1
        assert [type(event) for event in stage.events] == [ChildCrashed, ChildRestarted]
        assert stage.house.status("ann").crashes == 1

    play(scene)


def test_a_crash_while_starting_counts_like_any_other() -> None:
    async def scene(stage: Stage) -> None:
        lives: list[int] = []

        def make() -> Listener:
            lives.append(len(lives))
            if len(lives) < 3:
                raise OSError("disk")
            return Listener(stage.diary, "ann")

        ref = stage.house.start_child(ChildSpec(name="ann", make=make, accepts=(Say, Heard)))
        ref.tell(Say(text="kept"))
        await soon()

        assert await ref.ask(Heard(), timeout_s=1.0) == ("kept",)
        assert stage.events == [
            ChildCrashed(name="ann", turn=0, cause="OSError: disk", message="<started>"),
            ChildCrashed(name="ann", turn=0, cause="OSError: disk", message="<started>"),
            ChildRestarted(name="ann", turn=0),
        ]

    play(scene)


def test_an_event_survives_a_message_whose_repr_is_huge_or_raises() -> None:
    class Huge(Say):
        def __repr__(self) -> str:
            return "x" * 10**6

    class Rude(Say):
        def __repr__(self) -> str:
            raise Outrage

    class Deaf(Listener):
        async def receive(self, message: Line) -> object:
            raise ValueError("y" * 10**6)

    async def scene(stage: Stage) -> None:
        ref = stage.house.start_child(
            ChildSpec(name="ann", make=lambda: Deaf(stage.diary, "ann"), accepts=(Say,))
        )
        ref.tell(Huge(text=""))
        ref.tell(Rude(text=""))
        await soon()

        huge, rude = (event for event in stage.events if isinstance(event, ChildCrashed))
        assert len(huge.message) == len(huge.cause) == 500
        assert rude.message == "<Rude, whose repr raised Outrage>"

    play(scene)


def test_a_hung_actor_is_a_crashed_actor() -> None:
    async def scene(stage: Stage) -> None:
        ann, bob = stage.listener("ann", deadline_s=30.0), stage.listener("bob")
        began_s = stage.loop.now_s
        with pytest.raises(ActorCrashed, match="DeadlinePassed: deadline: no end within 30 s"):
            await ann.ask(Run(act=anyio.sleep_forever), timeout_s=3_600.0)

        assert 30.0 <= stage.loop.now_s - began_s <= 32.5
        assert await ann.ask(Heard(), timeout_s=1.0) == ()
        assert await bob.ask(Heard(), timeout_s=1.0) == ()
        assert stage.diary.count("made bob") == 1

    play(scene)


def test_an_actor_that_swallows_its_cancellation_is_dropped_all_the_same() -> None:
    async def cling() -> object:
        while True:
            with suppress(asyncio.CancelledError):
                await anyio.sleep(1.0)

    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann", deadline_s=10.0)
        with pytest.raises(ActorCrashed, match="deadline"):
            await ref.ask(Run(act=cling), timeout_s=60.0)

        assert await ref.ask(Heard(), timeout_s=1.0) == ()

    play(scene)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_actor_that_clings_to_life_within_scopes_of_its_own_is_left_behind() -> None:
    async def cling() -> object:
        while True:
            with anyio.move_on_after(0.7):
                try:
                    await anyio.sleep(1.0)
                except BaseException:  # noqa: BLE001 - the misbehaviour under test
                    await anyio.sleep(1.0)

    async def scene(stage: Stage) -> None:
        ann, bob = stage.listener("ann", deadline_s=10.0), stage.listener("bob")
        with pytest.raises(ActorCrashed, match="deadline"):
            await ann.ask(Run(act=cling), timeout_s=60.0)

        assert await ann.ask(Heard(), timeout_s=1.0) == ()
        assert await bob.ask(Heard(), timeout_s=1.0) == ()

    play(scene)


def test_timeouts_of_its_own_never_count_against_an_actor() -> None:
    async def many_timeouts() -> object:
        for _ in range(100):
            with anyio.move_on_after(0.01):
                await anyio.sleep(1.0)
        return "done"

    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann")

        assert await ref.ask(Run(act=many_timeouts), timeout_s=60.0) == "done"

    play(scene)


def test_a_message_that_ends_just_after_its_deadline_is_a_crash_and_hurts_no_later_message() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann", deadline_s=10.0)

        async def shielded() -> object:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(20.0)
            return "late"

        ref.tell(Do(act=shielded))
        ref.tell(Say(text="next"))
        await anyio.sleep(30.0)

        assert stage.causes() == ["DeadlinePassed: deadline: no end within 10 s"]
        assert await ref.ask(Heard(), timeout_s=1.0) == ("next",)

    play(scene)


def test_deadlines_wait_while_the_host_is_paused() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann", deadline_s=30.0)

        async def work() -> object:
            await anyio.sleep(20.0)
            stage.loop.skip(8 * 3_600.0)
            await anyio.sleep(5.0)
            return "done"

        assert await ref.ask(Run(act=work), timeout_s=30.0) == "done"
        (paused,) = stage.events
        assert isinstance(paused, HostPaused)
        assert paused.gap_s == pytest.approx(8 * 3_600.0, abs=1.0)

    play(scene)


def test_a_crash_right_after_a_pause_counts_no_longer_than_any_other() -> None:
    """It is counted before anyone has noticed the pause, so its time must not be one that never was."""

    async def pause_and_crash(stage: Stage) -> None:
        stage.loop.skip(600.0)
        raise ValueError("late")

    async def scene(stage: Stage) -> None:
        ann = stage.listener("ann")
        stage.house.open_turn(0)
        ann.tell(Do(act=lambda: pause_and_crash(stage)))
        await soon()
        for turn in range(1, 6):
            await anyio.sleep(14.0)  # six crashes within 70 s, and never five within 50 s
            stage.house.open_turn(100 * turn)
            ann.tell(Do(act=crash(ValueError("no"))))
        await anyio.sleep(120.0)

        assert stage.house.status("ann").crashes == 6
        assert stage.house.status("ann").state == "running"

    play(scene, replace(SupervisionPolicy.live(), period_s=50.0))


def test_a_pause_while_stopping_cuts_nobodys_stop_short() -> None:
    async def let_go_slowly(stage: Stage) -> None:
        await anyio.sleep(1.5)
        stage.loop.skip(60.0)
        await anyio.sleep(1.5)

    async def scene(stage: Stage) -> None:
        stage.listener("ann").tell(Do(act=lambda: let_go_slowly(stage)))
        stage.listener("bob").tell(Do(act=lambda: anyio.sleep(2.0)))
        await soon()

    stage = play(scene)

    assert stage.causes() == []
    assert stage.diary[-2:] == ["stopped bob", "stopped ann"]


def test_a_deadline_still_comes_after_a_pause() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann", deadline_s=30.0)
        ref.tell(Do(act=anyio.sleep_forever))
        await anyio.sleep(20.0)
        stage.loop.skip(3_600.0)
        await anyio.sleep(9.0)
        assert stage.causes() == []
        await anyio.sleep(5.0)

        assert stage.causes() == ["DeadlinePassed: deadline: no end within 30 s"]

    play(scene)


def test_the_same_message_told_over_and_over_has_a_deadline_each() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann", deadline_s=10.0)
        nap = Do(act=lambda: anyio.sleep(6.0))
        for _ in range(5):
            ref.tell(nap)
        await anyio.sleep(40.0)

        assert stage.events == []

    play(scene)


def test_an_actor_that_sends_itself_work_without_end_leaves_others_their_turn() -> None:
    async def scene(stage: Stage) -> None:
        ann, bob = stage.listener("ann"), stage.listener("bob")

        async def again() -> None:
            ann.tell(Do(act=again))

        ann.tell(Do(act=again))

        assert await bob.ask(Heard(), timeout_s=1.0) == ()

    play(scene)


def test_what_on_event_raises_is_the_houses_fault_and_leaves_the_supervisor_as_it_was() -> None:
    async def scene(stage: Stage) -> None:
        stage.house._ward._on_event = _refuse
        ref = stage.listener("ann")
        ref.tell(Do(act=crash(ValueError("no"))))
        await anyio.sleep_forever()

    with pytest.raises(OSError, match="journal is full"):
        play(scene)


def test_what_on_event_raises_leaves_once_however_many_children_die_of_it() -> None:
    """A full disk refuses the news of every crash; who reads exit codes must see one fault, not a group."""

    async def scene(stage: Stage) -> None:
        stage.house._ward._on_event = _refuse
        for name in ("ann", "bob", "cid"):
            stage.listener(name).tell(Do(act=crash(ValueError("no"))))
        await anyio.sleep_forever()

    with pytest.raises(OSError, match="journal is full"):
        play(scene)


def test_what_the_body_raises_leaves_the_supervisor_as_it_was() -> None:
    async def scene(stage: Stage) -> None:
        stage.listener("ann")
        raise OSError("journal is full")

    with pytest.raises(OSError, match="journal is full"):
        play(scene)


def _refuse(event: object) -> None:
    raise OSError("journal is full")


def test_an_asker_that_gives_up_harms_nobody() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann")

        async def late() -> object:
            await anyio.sleep(2.0)
            return "late"

        with pytest.raises(AskTimeout):
            await ref.ask(Run(act=late), timeout_s=1.0)
        await anyio.sleep(5.0)

        assert await ref.ask(Heard(), timeout_s=1.0) == ()
        assert stage.events == []

    play(scene, SupervisionPolicy.live())
