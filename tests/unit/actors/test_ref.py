"""What a sender can rely on."""

import anyio
import pytest

from tests.unit.actors.stage import Do, Heard, Run, Say, Stage, crash, play, soon
from treasury_actors.actors.ref import Ref
from treasury_actors.errors import (
    ActorCrashed,
    ActorStopped,
    AskTimeout,
    MailboxFull,
    MessageNotUnderstood,
)


def test_what_one_sender_tells_arrives_in_order() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann")
        for number in range(500):
            ref.tell(Say(text=str(number)))

        heard = await ref.ask(Heard(), timeout_s=1.0)

        assert heard == tuple(str(number) for number in range(500))

    play(scene)


def test_a_message_that_is_not_understood_fails_at_its_sender() -> None:
    async def scene(stage: Stage) -> None:
        ref: Ref[object] = stage.listener("ann")  # type: ignore[assignment]  # the mistake
        with pytest.raises(MessageNotUnderstood, match="ann accepts Say, Do, Heard, Run; got str"):
            ref.tell("hello")
        with pytest.raises(MessageNotUnderstood):
            ref.tell_control("hello")
        with pytest.raises(MessageNotUnderstood):
            ref.tell_or_drop("hello")
        with pytest.raises(MessageNotUnderstood):
            await ref.ask("hello", timeout_s=1.0)  # type: ignore[arg-type]  # the mistake
        await soon()

        assert stage.events == []

    play(scene)


def test_a_full_mailbox_says_so_and_loses_nothing_it_took() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann", mailbox_size=3)
        for text in "abc":
            ref.tell(Say(text=text))
        with pytest.raises(MailboxFull, match="ann: 3 messages are waiting already"):
            ref.tell(Say(text="d"))
        assert await ref.ask(Heard(), timeout_s=1.0) == ("a", "b", "c")
        assert stage.house.dead_letters.count() == 0

    play(scene)


def test_asks_have_as_much_room_again_and_no_more() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann", mailbox_size=2)
        answers: list[object] = []

        async def fill() -> None:
            ref.tell(Say(text="a"))
            ref.tell(Say(text="b"))

        async def ask() -> None:
            try:
                answers.append(await ref.ask(Heard(), timeout_s=1.0))
            except MailboxFull as full:
                answers.append(type(full))

        async with anyio.create_task_group() as group:
            for task in (fill, ask, ask, ask):
                group.start_soon(task)

        assert sorted(map(str, answers)) == sorted(map(str, [("a", "b"), ("a", "b"), MailboxFull]))

    play(scene)


def test_news_that_finds_no_room_is_dropped_and_counted() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann", mailbox_size=1)

        assert ref.tell_or_drop(Say(text="a"))
        assert not ref.tell_or_drop(Say(text="b"))
        await stage.house.stop_child("ann")
        assert not ref.tell_or_drop(Say(text="c"))
        assert [(letter.message, letter.reason) for letter in stage.house.dead_letters] == [
            (Say(text="b"), "dropped"),
            (Say(text="a"), "stopped"),
            (Say(text="c"), "stopped"),
        ]

    play(scene)


def test_the_control_lane_is_read_first_even_when_the_normal_one_is_full() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann", mailbox_size=2)
        ref.tell(Say(text="a"))
        ref.tell(Say(text="b"))
        ref.tell_control(Say(text="stop!"))

        assert await ref.ask(Heard(), timeout_s=1.0, control=True) == ("stop!",)
        assert await ref.ask(Heard(), timeout_s=1.0) == ("stop!", "a", "b")

    play(scene)


def test_an_ask_without_answer_times_out_on_time() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann")
        began_s = stage.loop.now_s
        with pytest.raises(AskTimeout, match=r"ann: no answer to Run within 0\.5 s"):
            await ref.ask(Run(act=anyio.sleep_forever), timeout_s=0.5)

        assert stage.loop.now_s == pytest.approx(began_s + 0.5)

    play(scene)


def test_an_ask_outlives_a_pause_that_is_just_longer_than_its_time() -> None:
    """It ends a moment after the time-out was due, and looks like a wait that was in vain."""

    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann")

        async def pause_then_answer() -> object:
            await anyio.sleep(1.5)
            stage.loop.skip(29.0)
            await anyio.sleep(0.1)
            return "here"

        assert await ref.ask(Run(act=pause_then_answer), timeout_s=30.0) == "here"

    play(scene)


def test_an_ask_is_given_its_time_again_after_a_pause_of_the_host() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann")

        async def pause_then_answer() -> object:
            await anyio.sleep(0.2)
            stage.loop.skip(3_600.0)
            await anyio.sleep(0.2)
            return "here"

        assert await ref.ask(Run(act=pause_then_answer), timeout_s=0.3) == "here"

    play(scene)


def test_an_asker_is_told_at_once_when_the_receiver_dies_of_its_message() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann")
        began_s = stage.loop.now_s
        with pytest.raises(ActorCrashed, match="ann crashed: ValueError: no"):
            await ref.ask(Run(act=crash(ValueError("no"))), timeout_s=60.0)

        assert stage.loop.now_s == began_s

    play(scene)


def test_askers_in_line_are_told_at_once_when_the_receiver_dies_before_their_turn() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann")
        told: list[str] = []

        async def ask() -> None:
            with pytest.raises(ActorCrashed):
                await ref.ask(Heard(), timeout_s=60.0)
            told.append(f"at {stage.loop.now_s}")

        async def die_later() -> object:
            await anyio.sleep(1.0)
            raise ValueError

        ref.tell(Do(act=die_later))
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            group.start_soon(ask)

        assert told == ["at 1001.0", "at 1001.0"]

    play(scene)


def test_nobody_is_told_of_a_crash_before_it_is_an_event() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann")
        with pytest.raises(ActorCrashed):
            await ref.ask(Run(act=crash(ValueError("no"))), timeout_s=60.0)

        assert stage.causes() == ["ValueError: no"]

    play(scene)


def test_a_stopped_actor_answers_nobody_and_what_it_is_told_becomes_a_dead_letter() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann")
        await stage.house.stop_child("ann")
        with pytest.raises(ActorStopped, match="ann is stopped"):
            ref.tell(Say(text="a"))
        with pytest.raises(ActorStopped):
            ref.tell_control(Say(text="b"))
        with pytest.raises(ActorStopped):
            await ref.ask(Heard(), timeout_s=1.0)

        letters = stage.house.dead_letters.of("ann")
        assert [(letter.message, letter.reason) for letter in letters] == [
            (Say(text="a"), "stopped"),
            (Say(text="b"), "stopped"),
        ]

    play(scene)


def test_a_ref_shows_name_state_and_depth() -> None:
    async def scene(stage: Stage) -> None:
        ref = stage.listener("ann")
        ref.tell(Say(text="a"))
        ref.tell_control(Say(text="b"))

        assert repr(ref) == "<Ref ann [running, depth 2]>"
        await stage.house.stop_child("ann")
        assert repr(ref) == "<Ref ann [stopped, depth 0]>"

    play(scene)
