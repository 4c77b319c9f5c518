"""What the feed of a live market needs: something to read, and somewhere to keep what was read."""

from collections.abc import Sequence
from typing import Protocol

from treasury_actors.market.model.frame_checks import LiveFrame
from treasury_actors.market.model.frame_reading import Block, FrameReading


class FrameSource(Protocol):
    """A market that can be read."""

    async def read(self, before: Block | None = None) -> FrameReading:
        """
        Return the market as it is now; raise a transient Fault where there is no answer to believe.

        `before` is the block of the last reading, of which the answer says whether it still stands.
        """
        ...


class FrameStore(Protocol):
    """Where live frames are kept."""

    @property
    def records(self) -> Sequence[LiveFrame]:
        """Everything that is durable, oldest first."""
        ...

    async def append(self, frames: Sequence[LiveFrame]) -> None:
        """Return when `frames` are durable; raise JournalFault if they can't be made so."""
        ...
