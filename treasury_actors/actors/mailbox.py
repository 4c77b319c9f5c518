"""A bounded mailbox with two lanes, and the envelope of an ask."""

from collections import deque
from typing import Final, Literal, TypeAlias

import anyio

from treasury_actors.actors.dead_letters import DeadLetters, Reason
from treasury_actors.errors import ActorError, ActorStopped, MailboxFull

ChildState: TypeAlias = Literal["running", "restarting", "quarantined", "stopped"]


class Halt:
    """What the supervisor puts in front of everything else to make an actor look up."""

    __slots__ = ()


HALT: Final = Halt()


class Asked:
    """
    The envelope of an ask: the message, and where its one answer goes.

    Attributes:
        value: what the receiver returned; holds only once `done` is set and `error` is None.
        error: why there will be no answer.
    """

    __slots__ = ("done", "error", "message", "value")

    def __init__(self, message: object) -> None:
        self.message = message
        self.done = anyio.Event()
        self.value: object = None
        self.error: ActorError | None = None

    def answer(self, value: object) -> None:
        """Give the asker its answer."""
        self.value = value
        self.done.set()

    def fail(self, error: ActorError) -> None:
        """Tell the asker that no answer will come, unless it has one."""
        if not self.done.is_set():
            self.error = error
            self.done.set()


class Mailbox:
    """
    Messages on their way to one child, across its restarts.

    Each lane takes in tells while it holds fewer than `size` messages, asks while fewer than twice as many;
    the control lane is read first. The fields are public for `Ref` and the cell's loop alone, which touch
    them a million times a second.

    Attributes:
        room: how many messages a lane takes by tells now: `size`, or 0 once closed, so that a tell checks one
            number.
        sleeper: set while the reader is idle; only then does a message need to wake anyone.
        asks_fail: while not None, an ask is not taken in but fails with this at once.
    """

    __slots__ = (
        "_closed",
        "_dead_letters",
        "accepts",
        "asks_fail",
        "control",
        "lane",
        "name",
        "room",
        "size",
        "sleeper",
        "state",
    )

    def __init__(self, name: str, *, accepts: tuple[type, ...], size: int, dead_letters: DeadLetters) -> None:
        assert size > 0, f"mailbox of {name}: size must be at least 1"
        self.name = name
        self.accepts = accepts
        self.size = size
        self.room = size
        self.lane: deque[object] = deque()
        self.control: deque[object] = deque()
        self.sleeper: anyio.Event | None = None
        self.asks_fail: ActorError | None = None
        self.state: ChildState = "running"
        self._closed: Reason | None = None
        self._dead_letters = dead_letters

    @property
    def depth(self) -> int:
        """How many messages wait, in both lanes."""
        return len(self.lane) + sum(item is not HALT for item in self.control)

    def refuse(self, message: object) -> ActorError:
        """Return why a message found no room; if the receiver is gone for good it becomes a dead letter."""
        if self._closed is None:
            return MailboxFull(f"{self.name}: {self.size} messages are waiting already")
        self._dead_letters.add(self.name, message, self._closed)
        return ActorStopped(f"{self.name} is {self.state}")

    def drop(self, message: object) -> None:
        """Count a message among the dead letters that its sender can do without."""
        self._dead_letters.add(self.name, message, self._closed or "dropped")

    def wake(self) -> None:
        """Wake the reader, if it sleeps."""
        if self.sleeper is not None:
            self.sleeper.set()
            self.sleeper = None

    async def arrival(self) -> None:
        """Wait until something arrives. Only the reader calls this, when both lanes are empty."""
        self.sleeper = sleeper = anyio.Event()
        await sleeper.wait()

    def halt(self) -> None:
        """Make the reader look up before its next message."""
        if not (self.control and self.control[0] is HALT):
            self.control.appendleft(HALT)
        self.wake()

    def unhalt(self) -> None:
        """Take back a halt that its reader did not live to read."""
        if self.control and self.control[0] is HALT:
            self.control.popleft()

    def fail_asks(self, error: ActorError) -> None:
        """Tell everyone whose ask is waiting that it will not be answered; tells stay where they are."""
        for lane in (self.control, self.lane):
            waiting = tuple(lane)
            lane.clear()
            for item in waiting:
                if isinstance(item, Asked):
                    item.fail(error)
                else:
                    lane.append(item)

    def close(self, state: ChildState, reason: Reason, asks_fail: ActorError) -> None:
        """Take nothing in any more: asks fail, tells become dead letters. The first close counts."""
        if self._closed is not None:
            return
        self.state = state
        self._closed = reason
        self.room = 0
        self.asks_fail = asks_fail
        self.fail_asks(asks_fail)
        for lane in (self.control, self.lane):
            for message in lane:
                if message is not HALT:
                    self._dead_letters.add(self.name, message, reason)
            lane.clear()
