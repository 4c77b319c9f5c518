"""A span of a season as a season of its own: what came before it is its warm-up."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

from treasury_actors.market.model.frame import Label, MarketFrame, Season
from treasury_actors.market.model.universe import Universe


class SeasonSpan:
    """
    Frames of `season` from `first_frame` on, counted from 0, with at most `warmup_h` before them.

    Attributes:
        first_frame: in the season it is cut from.
    """

    def __init__(self, season: Season, *, first_frame: int, frames: int, warmup_h: int) -> None:
        assert 0 <= first_frame < first_frame + frames <= season.frame_count, "a span lies in its season"
        self._season = season
        self.first_frame = first_frame
        self.frame_count = frames
        self.warmup_count = min(warmup_h, first_frame + season.warmup_count)
        content = f"{season.data_hash}+{first_frame}/{frames}w{self.warmup_count}"
        self.data_hash = sha256(content.encode()).hexdigest()

    def __repr__(self) -> str:
        return f"<SeasonSpan {self.frame_count} frames from {self.first_frame}>"

    @property
    def universe(self) -> Universe:
        """The universe of the season."""
        return self._season.universe

    @property
    def label(self) -> Label:
        """What a result on it may be called."""
        return self._season.label

    @property
    def source(self) -> str:
        """Where its data came from."""
        return self._season.source

    @property
    def notes(self) -> tuple[str, ...]:
        """What its data assume or lack."""
        return self._season.notes

    def frame(self, index: int) -> MarketFrame:
        """Return one frame, counted from its own first."""
        assert -self.warmup_count <= index < self.frame_count, f"frame {index} lies outside"
        return replace(self._season.frame(self.first_frame + index), index=index)

    def frames(self) -> Iterator[MarketFrame]:
        """Yield every frame, warm-up first."""
        for index in range(-self.warmup_count, self.frame_count):
            yield self.frame(index)
