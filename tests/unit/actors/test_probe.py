"""The shipped double does what a test needs, without a supervisor."""

import pytest

from tests.unit.actors.stage import Heard, Say, Stage, play
from treasury_actors.actors.child import ChildSpec
from treasury_actors.actors.probe import Probe
from treasury_actors.errors import ActorCrashed, ActorStopped, AskTimeout, MessageNotUnderstood


def test_a_probe_keeps_what_it_is_told_at_once() -> None:
    probe = Probe[Say]("ann", accepts=(Say,))
    probe.ref.tell(Say(text="a"))
    probe.ref.tell_control(Say(text="b"))

    assert probe.messages == [Say(text="a"), Say(text="b")]
    assert repr(probe) == "<Probe ann [messages 2, unread 2]>"
    with pytest.raises(MessageNotUnderstood):
        probe.ref.tell("hello")  # type: ignore[arg-type]  # the mistake


def test_expect_takes_the_oldest_of_its_kind_and_leaves_the_rest() -> None:
    async def scene(stage: Stage) -> None:
        probe = Probe[object]()
        for message in (Say(text="a"), 1, Say(text="b")):
            probe.ref.tell(message)

        assert await probe.expect(Say) == Say(text="a")
        assert await probe.expect(Say) == Say(text="b")
        assert await probe.expect(int) == 1

    play(scene)


def test_expect_waits_for_what_is_still_to_come_but_not_for_ever() -> None:
    async def scene(stage: Stage) -> None:
        probe = Probe[object]("ann")
        stage.loop.call_later(3.0, probe.ref.tell, Say(text="late"))
        probe.ref.tell("early")

        assert await probe.expect(Say, timeout_s=5.0) == Say(text="late")
        with pytest.raises(AssertionError, match=r"ann: no Say came; unread: \['early'\]"):
            await probe.expect(Say, timeout_s=5.0)

    play(scene)


def test_a_probe_answers_as_scripted_and_is_silent_otherwise() -> None:
    async def scene(stage: Stage) -> None:
        probe = Probe[object]()
        with pytest.raises(AskTimeout):
            await probe.ref.ask(Heard(), timeout_s=1.0)
        probe.on(Heard, lambda _: ("first",))
        assert await probe.ref.ask(Heard(), timeout_s=1.0) == ("first",)
        probe.on(Heard, lambda _: ("second",))
        assert await probe.ref.ask(Heard(), timeout_s=1.0) == ("second",)

    play(scene)


def test_a_probe_can_crash_and_stop_as_an_actor_does() -> None:
    def refuse(message: Heard) -> object:
        raise ValueError("no")

    async def scene(stage: Stage) -> None:
        probe = Probe[object]("ann")
        probe.on(Heard, refuse)
        with pytest.raises(ActorCrashed, match="ann crashed: ValueError: no"):
            await probe.ref.ask(Heard(), timeout_s=1.0)
        probe.stop()
        with pytest.raises(ActorStopped):
            probe.ref.tell(Say(text="a"))
        assert probe.dead_letters.count("stopped") == 1

    play(scene)


def test_a_probe_may_be_supervised() -> None:
    async def scene(stage: Stage) -> None:
        probe = Probe[object]()
        probe.on(Heard, lambda _: ("scripted",))
        ref = stage.house.start_child(ChildSpec(name="ann", make=lambda: probe, accepts=(Say, Heard)))
        ref.tell(Say(text="a"))

        assert await ref.ask(Heard(), timeout_s=1.0) == ("scripted",)
        assert await probe.expect(Say) == Say(text="a")

    play(scene)
