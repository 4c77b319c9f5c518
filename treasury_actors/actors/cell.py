"""One child at work: its mailbox, its current life, and the loop that feeds it."""

from collections.abc import Callable
from typing import Final, Generic, Literal, TypeAlias

import anyio
from anyio import lowlevel

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.child import ChildSpec, ChildStatus, M
from treasury_actors.actors.dead_letters import DeadLetters
from treasury_actors.actors.guard import DeadlinePassed, is_cancellation, mortal, text_of
from treasury_actors.actors.mailbox import HALT, Asked, Mailbox
from treasury_actors.errors import ActorError, ActorStopped

BURST: Final = 64
"""So many messages are read before others get a turn: a cheap switch, and fair."""

Fate: TypeAlias = Literal["restart", "end"]


class Hook:
    """What an actor has in hand when it has no message: one of its hooks, or nothing."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        """Return the name as it stands in events."""
        return f"<{self._name}>"


IDLE: Final = Hook("idle")
STARTED: Final = Hook("started")
STOPPED: Final = Hook("stopped")


class Cell(Generic[M]):
    """
    What a supervisor keeps of one child, from its first life to its last.

    Attributes:
        in_hand: the message or ask being handled, or a hook.
        crashes: how many times it ever crashed.
        stopping: an orderly stop was ordered; there will be no further life.
        held: it is over its budget and waits for the verdict.
        crashed_at_s: running time of its last crash.
        ended: set when there will be no further life.
    """

    def __init__(self, spec: ChildSpec[M], dead_letters: DeadLetters) -> None:
        self.spec = spec
        self.mailbox = Mailbox(
            spec.name, accepts=spec.accepts, size=spec.mailbox_size, dead_letters=dead_letters
        )
        self.in_hand: object = IDLE
        self.crashes = 0
        self.stopping = False
        self.held = False
        self.crashed_at_s = 0.0
        self.ended = anyio.Event()
        self._dead_letters = dead_letters
        self._fate: Fate = "restart"
        self._decided = anyio.Event()
        self._scope: anyio.CancelScope | None = None
        self._handled = 0
        self._doom: DeadlinePassed | None = None
        # What the last patrol saw: so a message needs no reading of the clock, only a number.
        self._seen_handled = 0
        self._seen_at_s = 0.0

    @property
    def name(self) -> str:
        """The child's name."""
        return self.spec.name

    @property
    def living(self) -> bool:
        """Whether it runs or will run again."""
        return self.mailbox.state in ("running", "restarting")

    @property
    def busy(self) -> bool:
        """Whether it has anything in hand."""
        return self.in_hand is not IDLE

    async def live(self, on_up: Callable[[], None]) -> BaseException | None:
        """
        Run one life; return what it died of, or None if its end was ordered.

        Whatever happens in there, nothing is raised. `on_up` is called when the actor has started. Nothing
        outside cancels a life: whoever leaves the supervisor, for whatever reason, stops its children one by
        one.
        """
        crash: BaseException | None = None
        self._scope = scope = anyio.CancelScope(shield=True)
        try:
            with scope:
                try:
                    await mortal(self._serve(on_up), lambda: scope.cancel_called)
                except BaseException as error:  # noqa: BLE001 - the guard: an actor may raise anything
                    crash = None if scope.cancel_called and is_cancellation(error) else error
        except BaseException as error:  # noqa: BLE001 - the actor left the scopes of its task in disorder
            crash = error
        self._scope = None
        if self._doom is not None:
            self._doom.__cause__ = crash
            crash, self._doom = self._doom, None
        self.mailbox.unhalt()
        return crash

    async def _serve(self, on_up: Callable[[], None]) -> None:
        """Make the actor and feed it until the supervisor says halt."""
        self._take(STARTED)
        actor = self.spec.make()
        await actor.started()
        on_up()
        mailbox, receive = self.mailbox, actor.receive
        control, lane = mailbox.control, mailbox.lane
        while True:
            for _ in range(BURST):
                if control:
                    item = control.popleft()
                    if item is HALT:
                        await self._halted(actor)
                        return
                elif lane:
                    item = lane.popleft()
                else:
                    self.in_hand = IDLE
                    await mailbox.arrival()
                    break
                self.in_hand = item
                self._handled += 1
                if type(item) is Asked:
                    item.answer(await receive(item.message))  # type: ignore[arg-type]  # checked by Ref
                else:
                    await receive(item)  # type: ignore[arg-type]  # checked by Ref
            else:
                self.in_hand = IDLE
                await lowlevel.checkpoint()

    async def _halted(self, actor: Actor[M]) -> None:
        """Look up: either an orderly stop was ordered, or what it just put down came too late."""
        if self._doom is None:
            self._take(STOPPED)
            await actor.stopped()
            self.in_hand = IDLE

    def _take(self, hook: Hook) -> None:
        self.in_hand = hook
        self._handled += 1

    def drop_in_hand(self, error: ActorError) -> None:
        """Put away what it died of: an asker is told, a tell becomes a dead letter."""
        item, self.in_hand = self.in_hand, IDLE
        if isinstance(item, Asked):
            item.fail(error)
        elif not isinstance(item, Hook):
            self._dead_letters.add(self.name, item, "crashed")

    def describe_in_hand(self) -> str:
        """Return what it has in hand, as text for an event."""
        return text_of(self.in_hand.message if isinstance(self.in_hand, Asked) else self.in_hand)

    def overdue(self, running_s: float) -> bool:
        """
        Return whether what it has in hand has been there for longer than its deadline.

        Called once a patrol, with the running time; the age counts from the first patrol that saw the
        message.
        """
        if self.in_hand is IDLE or self._handled != self._seen_handled or self._doom is not None:
            self._seen_handled = self._handled
            self._seen_at_s = running_s
            return False
        return running_s - self._seen_at_s >= self.spec.deadline_s

    def doom(self, why: DeadlinePassed) -> None:
        """Cancel what it has in hand; its life ends with `why`, even if the message ends by itself now."""
        if self._scope is None:
            return
        self._doom = why
        self.mailbox.halt()
        self._scope.cancel()

    def order_stop(self) -> None:
        """Let the message in hand end, and nothing after it; don't wait for that."""
        if self.stopping:
            return
        self.stopping = True
        self.mailbox.close("stopped", "stopped", ActorStopped(f"{self.name} is stopped"))
        self.mailbox.halt()
        self.decide("end")

    def decide(self, fate: Fate) -> None:
        """Say whether another life follows; wakes whoever waits in `fate`."""
        self.held = False
        self._fate = fate
        self._decided.set()

    async def fate(self, backoff_s: float) -> Fate:
        """Wait until another life may begin, or it is decided that none will."""
        if self.held:
            await self._decided.wait()
        elif backoff_s > 0:
            with anyio.move_on_after(backoff_s):
                await self._decided.wait()
        decided, self._fate, self._decided = self._fate, "restart", anyio.Event()
        return "end" if self.stopping else decided

    def status(self) -> ChildStatus:
        """Return how it is."""
        return ChildStatus(
            name=self.name, state=self.mailbox.state, crashes=self.crashes, depth=self.mailbox.depth
        )

    def __repr__(self) -> str:
        """Return an instrument: name, state, what it has in hand, how many wait, how many crashes."""
        return (
            f"<Cell {self.name} [{self.mailbox.state}, in hand {self.describe_in_hand()}, "
            f"depth {self.mailbox.depth}, crashes {self.crashes}]>"
        )
