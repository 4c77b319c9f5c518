"""The double that tests talk to: shipped, so that nobody patches anything."""

from collections.abc import Callable
from typing import TypeVar

import anyio

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.child import M
from treasury_actors.actors.dead_letters import DeadLetters
from treasury_actors.actors.guard import cause_of, text_of
from treasury_actors.actors.mailbox import Asked, Mailbox
from treasury_actors.actors.ref import Ref
from treasury_actors.errors import ActorCrashed, ActorStopped

T = TypeVar("T")


class _NoAnswer:
    """What a probe returns when nothing was scripted."""


_NO_ANSWER = _NoAnswer()


class Probe(Actor[M]):
    """
    Stands in for an actor: keeps what it is sent, and does what it was scripted to do.

    `probe.ref` works without a supervisor and without a task: a message is read the moment it is sent. An ask
    that nothing was scripted for is never answered, so its sender runs into its timeout. A probe is an actor
    too: give `lambda: probe` to a `ChildSpec` and it is supervised, restarted as the same object, and answers
    None by default.

    Attributes:
        messages: everything it was ever sent, in order of reading.
        dead_letters: what came after `stop`.
    """

    def __init__(
        self, name: str = "probe", *, accepts: tuple[type, ...] = (object,), size: int = 1024
    ) -> None:
        self.messages: list[M] = []
        self.dead_letters = DeadLetters()
        self._unread: list[M] = []
        self._script: list[tuple[type, Callable[[M], object]]] = []
        self._arrival = anyio.Event()
        self._mailbox = _OpenMailbox(
            name, accepts=accepts, size=size, dead_letters=self.dead_letters, read=self._read
        )
        self.ref: Ref[M] = Ref(self._mailbox)

    def on(self, kind: type[T], do: Callable[[T], object]) -> None:
        """
        Script it: on a message of `kind`, call `do` with it; what it returns answers an ask.

        The latest script for a message holds. If `do` raises, an asker is told `ActorCrashed`.
        """
        self._script.insert(0, (kind, do))  # type: ignore[arg-type]  # found again by isinstance

    def stop(self) -> None:
        """Be gone: from now on senders get `ActorStopped`."""
        self._mailbox.close("stopped", "stopped", ActorStopped(f"{self._mailbox.name} is stopped"))

    async def expect(self, kind: type[T], *, timeout_s: float = 1.0) -> T:
        """Return the oldest message of `kind` not yet expected; wait for it at most `timeout_s` seconds."""
        with anyio.move_on_after(timeout_s):
            while True:
                for place, message in enumerate(self._unread):
                    if isinstance(message, kind):
                        del self._unread[place]
                        return message
                await self._arrival.wait()
        raise AssertionError(
            f"{self._mailbox.name}: no {kind.__name__} came; unread: {text_of(self._unread)}"
        )

    async def receive(self, message: M) -> object:
        """Read one message as a supervised actor."""
        answer = self._keep(message)
        return None if answer is _NO_ANSWER else answer

    def _read(self, item: object) -> None:
        if not isinstance(item, Asked):
            self._keep(item)  # type: ignore[arg-type]  # checked by Ref
            return
        try:
            answer = self._keep(item.message)  # type: ignore[arg-type]  # checked by Ref
        except Exception as error:  # noqa: BLE001 - it stands in for a guarded actor
            item.fail(ActorCrashed(f"{self._mailbox.name} crashed: {cause_of(error)}"))
        else:
            if answer is not _NO_ANSWER:
                item.answer(answer)

    def _keep(self, message: M) -> object:
        self.messages.append(message)
        self._unread.append(message)
        self._arrival.set()
        self._arrival = anyio.Event()
        for kind, do in self._script:
            if isinstance(message, kind):
                return do(message)
        return _NO_ANSWER

    def __repr__(self) -> str:
        """Return an instrument: name, how many messages it has, how many were not expected yet."""
        return f"<Probe {self._mailbox.name} [messages {len(self.messages)}, unread {len(self._unread)}]>"


class _OpenMailbox(Mailbox):
    """A mailbox whose reader always sleeps and reads when woken: so every message is read on arrival."""

    __slots__ = ("_read",)

    def __init__(
        self,
        name: str,
        *,
        accepts: tuple[type, ...],
        size: int,
        dead_letters: DeadLetters,
        read: Callable[[object], None],
    ) -> None:
        super().__init__(name, accepts=accepts, size=size, dead_letters=dead_letters)
        self.sleeper = anyio.Event()
        self._read = read

    def wake(self) -> None:
        while self.control or self.lane:
            self._read(self.control.popleft() if self.control else self.lane.popleft())
