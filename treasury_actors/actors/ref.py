"""The address of an actor: all that anybody else ever holds of it."""

from typing import Generic, TypeVar, cast

import anyio

from treasury_actors.actors.actor import M_contra
from treasury_actors.actors.mailbox import Asked, Mailbox
from treasury_actors.errors import AskTimeout, MessageNotUnderstood
from treasury_actors.message import Ask

R = TypeVar("R")


class Ref(Generic[M_contra]):
    """
    Where to send messages of type `M`. It stays good while the actor behind it is restarted.

    A `Ref[A | B]` may be handed to whoever only ever sends `A`: that is how news travels upward without an
    import.
    """

    __slots__ = ("_mailbox",)

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    @property
    def name(self) -> str:
        """The receiver's name."""
        return self._mailbox.name

    def tell(self, message: M_contra) -> None:
        """
        Leave a message and go on; never waits.

        Raises:
            MailboxFull: as many messages as the mailbox holds are waiting.
            ActorStopped: the receiver is gone for good; the message is a dead letter.
            MessageNotUnderstood: the message is none of those the receiver accepts.
        """
        mailbox = self._mailbox
        if not isinstance(message, mailbox.accepts):
            raise self._not_understood(message)
        lane = mailbox.lane
        if len(lane) >= mailbox.room:
            raise mailbox.refuse(message)
        lane.append(message)
        if mailbox.sleeper is not None:
            mailbox.wake()

    def tell_control(self, message: M_contra) -> None:
        """Leave a message that is read before all normal ones: stop, supervise. Raises what `tell` raises."""
        mailbox = self._mailbox
        if not isinstance(message, mailbox.accepts):
            raise self._not_understood(message)
        if len(mailbox.control) >= mailbox.room:
            raise mailbox.refuse(message)
        mailbox.control.append(message)
        mailbox.wake()

    def tell_or_drop(self, message: M_contra) -> bool:
        """
        Leave news that its receiver can do without; return whether it was taken in.

        What found no room is counted among the dead letters. Only `MessageNotUnderstood` is raised.
        """
        mailbox = self._mailbox
        if len(mailbox.lane) >= mailbox.room and isinstance(message, mailbox.accepts):
            mailbox.drop(message)
            return False
        self.tell(message)
        return True

    async def ask(self, message: Ask[R], *, timeout_s: float, control: bool = False) -> R:
        """
        Leave a message and wait for its answer, at most `timeout_s` seconds of running time.

        With `control` it is left in the control lane. A lane that tells have filled takes in as many asks
        again: whoever asks waits, so asks bound themselves, and nobody who tells can shut the others out.

        Raises:
            AskTimeout: no answer came in time. The message may still be handled: the outcome is unknown.
            ActorCrashed: the receiver died of this message, or before it came to it.
            ActorStopped: the receiver is gone for good.
            MailboxFull, MessageNotUnderstood: as for `tell`.
        """
        mailbox = self._mailbox
        if not isinstance(message, mailbox.accepts):
            raise self._not_understood(message)
        if mailbox.asks_fail is not None:
            raise type(mailbox.asks_fail)(*mailbox.asks_fail.args)
        lane = mailbox.control if control else mailbox.lane
        if len(lane) >= 2 * mailbox.room:
            raise mailbox.refuse(message)
        asked = Asked(message)
        lane.append(asked)
        mailbox.wake()
        if not await comes_within(asked.done, timeout_s):
            kind = type(message).__name__
            raise AskTimeout(f"{self.name}: no answer to {kind} within {timeout_s:g} s")
        if asked.error is not None:
            # Several may have asked, and an exception carries one traceback: each raises its own.
            raise type(asked.error)(*asked.error.args)
        return cast("R", asked.value)

    def _not_understood(self, message: object) -> MessageNotUnderstood:
        known = ", ".join(kind.__name__ for kind in self._mailbox.accepts)
        return MessageNotUnderstood(f"{self.name} accepts {known}; got {type(message).__name__}")

    def __repr__(self) -> str:
        """Return an instrument: name, state, how many messages wait."""
        return f"<Ref {self.name} [{self._mailbox.state}, depth {self._mailbox.depth}]>"


async def comes_within(event: anyio.Event, timeout_s: float) -> bool:
    """
    Wait for an event, at most `timeout_s` seconds of running time; say whether it came.

    Slice by slice: one that ends late was a pause of the host, and does not count.
    """
    left_s = timeout_s
    while True:
        slice_s = min(left_s, SLICE_S)
        due_s = anyio.current_time() + slice_s
        with anyio.move_on_after(slice_s):
            await event.wait()
        if event.is_set():
            return True
        if anyio.current_time() - due_s < LATE_S:
            left_s -= slice_s
        if left_s <= 0.0:
            return False


LATE_S = 2.0
"""A timer this much too late means that the process stood still: nobody had a chance to answer."""

SLICE_S = 1.0
"""
So long is waited at a time. Were it all at once, a pause that ended within `LATE_S` after the time-out would
look like an answer that never came.
"""
