"""A season whose end is planned and whose frames are still to come."""

from collections.abc import Iterator

from treasury_actors.market.model.frame import Label, MarketFrame
from treasury_actors.market.model.growing import GrowingSeason
from treasury_actors.market.model.universe import Universe


class PlannedSeason:
    """
    A growing season as those see it who play it: it has as many frames as planned, the later ones not yet.

    `frame` raises IndexError for one that has not arrived: whoever plays asks for it once it has.
    """

    def __init__(self, growing: GrowingSeason, *, frames: int, label: Label | None = None) -> None:
        """
        Plan it.

        Args:
            label: another than the frames have: what is done with them need not be what they are of.
        """
        self.growing = growing
        self.frame_count = frames
        self._label: Label = growing.label if label is None else label

    def __repr__(self) -> str:
        return f"<PlannedSeason {self.growing.frame_count} of {self.frame_count} frames>"

    @property
    def universe(self) -> Universe:
        """The assets and conversions the columns follow."""
        return self.growing.universe

    @property
    def label(self) -> Label:
        """What a result on this data may be called."""
        return self._label

    def on_paper(self) -> "PlannedSeason":
        """Return the same season for those who play it without money."""
        return PlannedSeason(self.growing, frames=self.frame_count, label="PAPER")

    @property
    def source(self) -> str:
        """Where the data came from, in words for a report."""
        return self.growing.source

    @property
    def notes(self) -> tuple[str, ...]:
        """What the data assume or lack, one sentence each."""
        return self.growing.notes

    @property
    def data_hash(self) -> str:
        """SHA-256 of the beginning and the first frame; known once that has arrived."""
        return self.growing.data_hash

    @property
    def warmup_count(self) -> int:
        """Number of frames before frame 0."""
        return self.growing.warmup_count

    def frame(self, index: int) -> MarketFrame:
        """Return one frame that has arrived; raise IndexError for any other."""
        if index >= self.frame_count:
            raise IndexError(f"frame {index} of {self.frame_count}")
        return self.growing.frame(index)

    def frames(self) -> Iterator[MarketFrame]:
        """Yield every frame that has arrived, warm-up first, in order."""
        return self.growing.frames()
