"""What a supervisor is told about a child, and what it tells about one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.mailbox import ChildState

M = TypeVar("M")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec(Generic[M]):
    """
    How to make a child, and what to do when it dies.

    Attributes:
        make: a factory; a restart is a new object, which rebuilds its state in `started`.
        accepts: the classes of the messages it understands; anything else fails at its sender.
        restart: `transient` is restarted within the supervisor's budget; the crash of a `never` escalates.
        mailbox_size: how many messages each lane of its mailbox holds.
        deadline_s: how long one message (or hook) may take, in seconds of running time; longer is a crash.
    """

    name: str
    make: Callable[[], Actor[M]]
    accepts: tuple[type, ...]
    restart: Literal["transient", "never"] = "transient"
    mailbox_size: int = 1024
    deadline_s: float = 30.0

    def __post_init__(self) -> None:
        """Refuse a child nobody could name, reach or wait for."""
        assert self.name, "a child has a name"
        assert self.accepts, f"{self.name}: a child accepts something"
        assert self.deadline_s > 0, f"{self.name}: deadline_s must be positive"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStatus:
    """
    How a child is.

    Attributes:
        state: `restarting` from a crash until it has started again; the last two are for good.
        crashes: how many times it ever crashed.
        depth: how many messages wait in its mailbox.
    """

    name: str
    state: ChildState
    crashes: int
    depth: int
