"""What a supervisor decides, and in which order it does things."""

import asyncio

import anyio
import pytest

from tests.unit.actors.stage import Do, Heard, Listener, Run, Say, Stage, VirtualLoop, crash, play, soon
from treasury_actors.actors.child import ChildSpec
from treasury_actors.actors.events import (
    ChildCrashed,
    ChildQuarantined,
    ChildRestarted,
    CommonCause,
    Escalated,
)
from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.actors.ref import Ref
from treasury_actors.actors.supervisor import Supervisor
from treasury_actors.errors import ActorCrashed, ActorStopped, InvariantViolated

NO = crash(ValueError("no"))


async def crash_once_a_turn(stage: Stage, ref: Ref[Do], turns: range) -> None:
    for turn in turns:
        stage.house.open_turn(turn)
        ref.tell_or_drop(Do(act=NO))
        await soon()


def kinds(stage: Stage) -> list[str]:
    return [type(event).__name__ for event in stage.events]


def test_five_crashes_in_24_turns_quarantine_a_child_when_the_turn_closes() -> None:
    async def scene(stage: Stage) -> None:
        ann, *_ = (stage.listener(name) for name in ("ann", "bob", "cid"))
        await crash_once_a_turn(stage, ann, range(1, 6))
        ann.tell(Say(text="still taken in"))
        assert stage.house.status("ann").state == "restarting"
        with pytest.raises(ActorCrashed):
            await ann.ask(Heard(), timeout_s=60.0)

        stage.house.open_turn(6)

        status = stage.house.status("ann")
        assert (status.state, status.crashes, status.depth) == ("quarantined", 5, 0)
        assert stage.events[-1] == ChildQuarantined(name="ann", turn=5, crashes=5)
        assert stage.house.dead_letters.count("quarantined") == 1
        with pytest.raises(ActorStopped, match="ann is quarantined"):
            ann.tell(Say(text="a"))
        with pytest.raises(ActorStopped, match="ann is quarantined after 5 crashes"):
            await ann.ask(Heard(), timeout_s=1.0)
        await soon()
        assert stage.diary.count("made ann") == 5

    play(scene)


def test_a_supervisor_without_turns_quarantines_at_once() -> None:
    async def scene(stage: Stage) -> None:
        refs = [stage.listener(name) for name in ("ann", "bob", "cid")]
        for ref in refs:
            for _ in range(5):
                ref.tell(Do(act=NO))
        await soon()

        assert [stage.house.status(name).state for name in stage.house.names()] == ["quarantined"] * 3

    play(scene)


def test_four_crashes_in_24_turns_are_within_the_budget_for_ever() -> None:
    async def scene(stage: Stage) -> None:
        ann = stage.listener("ann")
        for start in range(0, 240, 24):
            await crash_once_a_turn(stage, ann, range(start, start + 4))
        await soon()

        assert stage.house.status("ann").state == "running"
        assert kinds(stage).count("ChildCrashed") == kinds(stage).count("ChildRestarted") == 40

    play(scene)


def test_a_child_that_cannot_start_is_down_after_its_budget_and_hangs_nothing() -> None:
    async def scene(stage: Stage) -> None:
        def make() -> Listener:
            raise OSError("disk")

        stage.house.open_turn(1)
        for name in ("ann", "bob", "cid"):
            stage.house.start_child(ChildSpec(name=name, make=make, accepts=(Say,)))
        await soon()

        assert kinds(stage).count("ChildCrashed") == 15

    play(scene)


def test_when_more_than_a_fifth_crash_in_one_turn_nobody_is_quarantined() -> None:
    async def scene(stage: Stage) -> None:
        refs = [stage.listener(f"a{number}") for number in range(10)]
        await crash_once_a_turn(stage, refs[0], range(1, 5))
        stage.house.open_turn(5)
        for ref in refs[:4]:
            ref.tell(Do(act=NO))
            await soon()
        stage.house.open_turn(6)
        await soon()

        common = [event for event in stage.events if isinstance(event, CommonCause)]
        assert common == [CommonCause(turn=5, names=("a0", "a1", "a2"))]
        assert [stage.house.status(name).state for name in stage.house.names()] == ["running"] * 10
        assert await refs[0].ask(Heard(), timeout_s=1.0) == ()

    play(scene)


def test_three_of_twenty_crashing_in_one_turn_have_each_their_own_cause() -> None:
    async def scene(stage: Stage) -> None:
        refs = [stage.listener(f"a{number:02}") for number in range(20)]
        for turn in range(1, 6):
            stage.house.open_turn(turn)
            for ref in refs[:3]:
                ref.tell(Do(act=NO))
            await soon()
        stage.house.open_turn(6)

        assert "CommonCause" not in kinds(stage)
        assert kinds(stage).count("ChildQuarantined") == 3

    play(scene)


def test_live_restarts_back_off_and_verdicts_wait_a_minute_for_a_common_cause() -> None:
    async def scene(stage: Stage) -> None:
        ann, *_ = (stage.listener(name) for name in ("ann", "bob", "cid"))
        for _ in range(5):
            ann.tell(Do(act=NO))
        await anyio.sleep(30.0)
        assert stage.house.status("ann").state == "restarting"
        assert stage.diary.count("made ann") == 5
        await anyio.sleep(40.0)

        assert stage.house.status("ann").state == "quarantined"

    play(scene, SupervisionPolicy.live())


def test_a_live_common_cause_within_the_minute_spares_the_one_who_was_over_budget() -> None:
    async def scene(stage: Stage) -> None:
        refs = [stage.listener(name) for name in ("ann", "bob", "cid")]
        for _ in range(5):
            refs[0].tell(Do(act=NO))
        await anyio.sleep(30.0)
        for ref in refs[1:]:
            ref.tell(Do(act=NO))
        await anyio.sleep(60.0)

        assert [event for event in stage.events if isinstance(event, CommonCause)] == [
            CommonCause(turn=0, names=("ann", "bob", "cid"))
        ]
        assert [stage.house.status(name).state for name in stage.house.names()] == ["running"] * 3

    play(scene, SupervisionPolicy.live())


def test_the_crash_of_a_child_that_is_never_restarted_escalates() -> None:
    async def scene(stage: Stage) -> None:
        broken = InvariantViolated("I1: an entry does not sum to zero")
        ledger, other = stage.listener("ledger", restart="never"), stage.listener("other")
        ledger.tell(Do(act=lambda: anyio.sleep(1.0)))
        ledger.tell(Do(act=crash(broken)))
        ledger.tell(Say(text="lost"))
        with pytest.raises(ActorCrashed, match="ledger crashed: InvariantViolated"):
            await ledger.ask(Heard(), timeout_s=60.0)

        assert await stage.house.wait_escalated() is broken
        assert stage.house.escalation is broken
        cause = "InvariantViolated: I1: an entry does not sum to zero"
        assert stage.causes() == [cause]
        assert stage.events[1:] == [Escalated(name="ledger", turn=0, cause=cause)]
        assert stage.house.status("ledger").state == "stopped"
        with pytest.raises(ActorCrashed):
            await ledger.ask(Heard(), timeout_s=60.0)
        with pytest.raises(ActorStopped):
            ledger.tell(Say(text="a"))
        assert [(dead.message, dead.reason) for dead in stage.house.dead_letters][1:] == [
            (Say(text="lost"), "crashed"),
            (Say(text="a"), "crashed"),
        ]
        assert await other.ask(Heard(), timeout_s=1.0) == ()
        assert stage.diary.count("made ledger") == 1

    play(scene)


def test_children_stop_in_reverse_order_of_their_start() -> None:
    async def scene(stage: Stage) -> None:
        for name in ("journal", "ledger", "agent"):
            stage.listener(name)
        await soon()
        stage.diary.clear()

    assert play(scene).diary == ["stopped agent", "stopped ledger", "stopped journal"]


def test_a_stopping_child_ends_its_message_and_the_rest_becomes_dead_letters() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann")
        ref.tell(Do(act=lambda: anyio.sleep(3.0)))
        ref.tell(Say(text="too late"))
        await soon()
        began_s = stage.loop.now_s
        await stage.house.stop_child("ann")

        assert stage.loop.now_s == pytest.approx(began_s + 3.0)
        assert stage.diary[-1] == "stopped ann"
        assert stage.house.dead_letters.of("ann")[0].message == Say(text="too late")
        assert stage.house.names() == ()
        assert stage.house.status("ann").state == "stopped"

    play(scene)


def test_stopping_is_bounded_for_all_together_even_if_every_child_hangs() -> None:
    async def scene(stage: Stage) -> None:
        for number in range(10):
            stage.listener(f"a{number}").tell(Do(act=anyio.sleep_forever))
        await soon()
        stage.diary.append(str(stage.loop.now_s))

    stage = play(scene)

    assert stage.loop.now_s - float(stage.diary[-1]) <= 9.0
    assert stage.causes()[0] == "DeadlinePassed: it did not stop within 8 s"
    assert all(not isinstance(event, ChildRestarted) for event in stage.events)


def test_a_crash_in_stopped_is_reported_and_not_restarted() -> None:
    class Sore(Listener):
        async def stopped(self) -> None:
            raise OSError("disk")

    async def scene(stage: Stage) -> None:
        stage.house.start_child(ChildSpec(name="ann", make=lambda: Sore([], "ann"), accepts=(Say,)))
        await stage.house.stop_child("ann")

        assert stage.events == [ChildCrashed(name="ann", turn=0, cause="OSError: disk", message="<stopped>")]

    play(scene)


def test_children_are_stopped_in_order_when_the_body_is_cancelled() -> None:
    async def scene(stage: Stage) -> None:
        for name in ("journal", "ledger"):
            stage.listener(name)
        await soon()
        stage.diary.clear()
        stages.append(stage)
        await anyio.sleep_forever()

    async def main() -> None:
        with anyio.move_on_after(5.0):
            stage = Stage(loop, SupervisionPolicy())
            async with stage.house:
                await scene(stage)

    stages: list[Stage] = []
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())

    assert stages[0].diary == ["stopped ledger", "stopped journal"]


def test_a_name_may_be_used_again_after_its_child_was_stopped_and_not_before() -> None:
    async def scene(stage: Stage) -> None:
        old = stage.listener("ann")
        with pytest.raises(AssertionError, match="a child of this name exists"):
            stage.listener("ann")
        await stage.house.stop_child("ann")
        new = stage.listener("ann")

        assert await new.ask(Heard(), timeout_s=1.0) == ()
        with pytest.raises(ActorStopped):
            old.tell(Say(text="a"))

    play(scene)


def test_turns_go_forward() -> None:
    async def scene(stage: Stage) -> None:
        stage.house.open_turn(3)
        with pytest.raises(AssertionError, match="turns go forward: 3 -> 3"):
            stage.house.open_turn(3)

    play(scene)


def test_a_supervisor_works_only_inside_its_context() -> None:
    async def scene(stage: Stage) -> None:
        outside = Supervisor(policy=SupervisionPolicy(), clock=stage.loop, on_event=stage.events.append)
        with pytest.raises(AssertionError, match="inside its `async with`"):
            outside.start_child(ChildSpec(name="ann", make=lambda: Listener([], "ann"), accepts=(Say,)))

    play(scene)


def test_supervisor_and_cells_show_how_they_are() -> None:
    async def scene(stage: Stage) -> None:
        ann = stage.listener("ann")
        ann.tell(Say(text="quick"))
        await soon()
        assert stage.house.busy() == ()
        stage.house.open_turn(7)
        release = anyio.Event()
        ann.tell(Do(act=release.wait))
        ann.tell(Say(text="waiting"))
        await soon()

        (busy,) = stage.house.busy()
        assert busy.startswith("<Cell ann [running, in hand Do(act=")
        assert busy.endswith("depth 1, crashes 0]>")
        assert repr(stage.house) == "<Supervisor [turn 7, 1 of 1 living]>"
        release.set()

    play(scene)


def test_the_same_crashes_give_the_same_events_in_the_same_order() -> None:
    async def scene(stage: Stage) -> None:
        refs = [stage.listener(f"a{number:02}") for number in range(30)]
        for turn in range(1, 40):
            stage.house.open_turn(turn)
            for number, ref in enumerate(refs):
                if (number * 7 + turn * turn) % 11 == 0 or (turn % 13 == 0 and number % 3 == 0):
                    ref.tell_or_drop(Do(act=NO))
            await soon()

    first, second = play(scene), play(scene)

    assert first.events == second.events
    assert {"CommonCause", "ChildQuarantined"} <= set(kinds(first))


def test_an_answer_reaches_an_asker_inside_another_actor() -> None:
    async def scene(stage: Stage) -> None:
        ann, bob = stage.listener("ann"), stage.listener("bob")
        ann.tell(Say(text="hello"))

        async def ask_ann() -> object:
            return await ann.ask(Heard(), timeout_s=1.0)

        assert await bob.ask(Run(act=ask_ann), timeout_s=2.0) == ("hello",)

    play(scene)
