"""A loop whose time is virtual, and the small cast that most tests of actors play with."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from anyio import lowlevel

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.child import ChildSpec
from treasury_actors.actors.events import ChildCrashed, SupervisionEvent
from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.actors.ref import Ref
from treasury_actors.actors.supervisor import Supervisor
from treasury_actors.message import Ask


class VirtualLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer whenever nothing else is ready; is its own clock."""

    def __init__(self) -> None:
        super().__init__(_JumpingSelector(self))
        self.now_s = 1_000.0

    def time(self) -> float:
        return self.now_s

    def now_ns(self) -> int:
        return int(self.now_s * 1e9)

    def monotonic_s(self) -> float:
        return self.now_s

    def skip(self, gap_s: float) -> None:
        """Let time pass in which nothing runs, as after SIGSTOP and SIGCONT."""
        self.now_s += gap_s


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "deadlock: every task waits and no timer runs"
        self._loop.now_s += max(0.0, timeout)
        return super().select(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Something to remember."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """Something to do on receiving."""

    act: Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Ask[tuple[str, ...]]):
    """Tell what you heard since you were made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Ask[object]):
    """Do this and answer with what it returns."""

    act: Callable[[], Awaitable[object]]


Line: TypeAlias = Say | Do | Heard | Run


class Listener(Actor[Line]):
    """Remembers what it heard; does what it is told."""

    def __init__(self, diary: list[str], name: str) -> None:
        self.heard: list[str] = []
        self.diary = diary
        self.name = name
        diary.append(f"made {name}")

    async def started(self) -> None:
        self.diary.append(f"started {self.name}")

    async def receive(self, message: Line) -> object:
        match message:
            case Say(text=text):
                self.heard.append(text)
                return None
            case Do(act=act) | Run(act=act):
                return await act()
            case Heard():
                return tuple(self.heard)

    async def stopped(self) -> None:
        self.diary.append(f"stopped {self.name}")


@dataclass
class Stage:
    """A supervisor with its events and a diary, on a virtual loop."""

    loop: VirtualLoop
    policy: SupervisionPolicy
    events: list[SupervisionEvent] = field(default_factory=list)
    diary: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.house = Supervisor(policy=self.policy, clock=self.loop, on_event=self.events.append)

    def listener(
        self,
        name: str,
        *,
        restart: Literal["transient", "never"] = "transient",
        mailbox_size: int = 1024,
        deadline_s: float = 30.0,
    ) -> Ref[Line]:
        """Start a listener."""
        return self.house.start_child(
            ChildSpec(
                name=name,
                make=lambda: Listener(self.diary, name),
                accepts=(Say, Do, Heard, Run),
                restart=restart,
                mailbox_size=mailbox_size,
                deadline_s=deadline_s,
            )
        )

    def causes(self) -> list[str]:
        return [event.cause for event in self.events if isinstance(event, ChildCrashed)]


def play(scene: Callable[[Stage], Awaitable[object]], policy: SupervisionPolicy | None = None) -> Stage:
    """Run a scene on a stage whose supervisor is open; return the stage, closed."""
    loop = VirtualLoop()

    async def main() -> Stage:
        stage = Stage(loop, policy or SupervisionPolicy())
        async with stage.house:
            await scene(stage)
        return stage

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main())


def crash(error: BaseException) -> Callable[[], Awaitable[object]]:
    """Return an act that raises."""

    async def act() -> object:
        raise error

    return act


async def soon() -> None:
    """Let everyone else run until they wait."""
    for _ in range(20):
        await lowlevel.checkpoint()
