"""What somebody who writes an actor fills in."""

from typing import Generic, TypeVar

M_contra = TypeVar("M_contra", contravariant=True)


class Actor(Generic[M_contra]):
    """
    Base of every actor: state of its own, touched by one message at a time.

    Whatever a hook raises is a crash: the object is thrown away and `ChildSpec.make` makes a new one, which
    rebuilds its state in `started`. So there is one path for starting and for recovering, and nothing is
    salvaged. The guard stands around what an actor awaits; a bare task it starts by itself is outside, and
    what such a task raises may end the loop.
    """

    async def started(self) -> None:
        """Get ready; called once, before the first message. Rebuild state here."""

    async def receive(self, message: M_contra) -> object:
        """Handle one message. What is returned answers an ask, and is ignored for a tell."""
        raise NotImplementedError

    async def stopped(self) -> None:
        """Let go of what is held; called after the last message of an orderly stop, never after a crash."""
