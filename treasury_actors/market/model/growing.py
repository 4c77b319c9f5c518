"""
A season that grows: the warm-up that was there, and frame after frame as they arrive.

It is what everybody who plays or folds takes for a season. Its hash names its beginning (warm-up and first
frame), since that is all that is known when it opens; what follows is chained in the log of its frames.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from math import isnan

from treasury_actors.clock import HOUR_NS
from treasury_actors.market.model.features import HOURS_A_YEAR
from treasury_actors.market.model.frame import Label, MarketFrame, Season
from treasury_actors.market.model.universe import Universe

TREND_H = 168
"""A share that says no rate earns what it earned in the week before, as in the recipes of historical data."""

SEAM_RATIO = 0.01
"""Share prices further apart where a warm-up ends and a chain begins are counted in another unit."""

_HASH_FORMAT = "treasury-growing-season-1"


class GrowingSeason:
    """
    A `Season` of hourly frames whose last one is the newest that arrived.

    What holds of it: frames are consecutive, an hour apart, after the warm-up; a price once known is positive
    for good; a fresh price is positive. `append` asserts it.
    """

    def __init__(
        self,
        universe: Universe,
        *,
        label: Label,
        source: str,
        notes: tuple[str, ...] = (),
        warm_up: Sequence[MarketFrame] = (),
    ) -> None:
        """
        Begin without a frame of its own.

        Args:
            warm_up: frames before the first, oldest first; their numbers are counted anew.
        """
        self.universe = universe
        self.label: Label = label
        self.source = source
        self.notes = notes
        self._warm_up = tuple(
            replace(frame, index=place - len(warm_up)) for place, frame in enumerate(warm_up)
        )
        self._frames: list[MarketFrame] = []
        self._beginning = _beginning_hash(universe, label, self._warm_up)

    @classmethod
    def after(cls, season: Season, *, label: Label, source: str) -> "GrowingSeason":
        """Return a season whose warm-up is all of another one."""
        return cls(
            season.universe, label=label, source=source, notes=season.notes, warm_up=tuple(season.frames())
        )

    def __repr__(self) -> str:
        return f"<GrowingSeason {self.label} {len(self._warm_up)}+{len(self._frames)} frames>"

    @property
    def beginning_hash(self) -> str:
        """SHA-256 of what was there before the first frame: universe, label and warm-up."""
        return self._beginning

    @property
    def data_hash(self) -> str:
        """SHA-256 of the beginning and the first frame; known once that has arrived, and never changed."""
        assert self._frames, "a season without a frame has no name yet"
        return hashlib.sha256(f"{self._beginning}\n{frame_text(self._frames[0])}".encode()).hexdigest()

    @property
    def frame_count(self) -> int:
        """Number of frames that arrived, warm-up not counted."""
        return len(self._frames)

    @property
    def warmup_count(self) -> int:
        """Number of frames before frame 0."""
        return len(self._warm_up)

    @property
    def start_ns(self) -> int | None:
        """The time of frame 0; None before it has arrived."""
        return self._frames[0].time_ns if self._frames else None

    @property
    def newest(self) -> MarketFrame | None:
        """The last frame of any kind; None if there is none at all."""
        if self._frames:
            return self._frames[-1]
        return self._warm_up[-1] if self._warm_up else None

    def frame(self, index: int) -> MarketFrame:
        """Return one frame, `-warmup_count <= index < frame_count`; raise IndexError outside."""
        if not -len(self._warm_up) <= index < len(self._frames):
            raise IndexError(f"frame {index} is not in [{-len(self._warm_up)}, {len(self._frames)})")
        return self._frames[index] if index >= 0 else self._warm_up[index]

    def frames(self) -> Iterator[MarketFrame]:
        """Yield every frame, warm-up first, in order."""
        return chain(self._warm_up, tuple(self._frames))

    def append(self, frame: MarketFrame) -> None:
        """Take in the next frame; the first one sets the unit that the warm-up's shares are counted in."""
        before = self.newest
        assert frame.index == len(self._frames), "frames are consecutive"
        assert len(frame.ticks) == len(self.universe.assets), "one column an asset"
        assert len(frame.depth_usd) == len(self.universe.conversions), "one column a conversion"
        assert all(ticks > 0 for ticks, fresh in zip(frame.ticks, frame.fresh, strict=True) if fresh), (
            "a fresh price is known"
        )
        if before is not None:
            known = zip(before.ticks, frame.ticks, strict=True)
            assert all(now > 0 for earlier, now in known if earlier > 0), "a price once known stays known"
            assert before.time_ns < frame.time_ns, "time goes forward"
        if self._frames:
            assert frame.time_ns == self._frames[-1].time_ns + HOUR_NS, "frames are an hour apart"
        else:
            self._warm_up = joined(self._warm_up, self.universe, frame)
        self._frames.append(frame)

    def with_rates(self, frame: MarketFrame) -> MarketFrame:
        """
        Return the next frame with the rates it lacks: of the week before, or else the last one known.

        Without compounding; a share whose price of a week ago isn't known keeps what was known of its rate.
        """
        last, week_ago = self.newest, frame.index - TREND_H
        base = self.frame(week_ago) if -len(self._warm_up) <= week_ago < len(self._frames) else None
        rates = list(frame.rates)
        for column, asset in enumerate(self.universe.assets):
            if asset.underlying is None or not isnan(rates[column]):
                continue
            if base is not None and base.ticks[column] > 0 and frame.fresh[column]:
                growth = frame.share_prices[column] / base.share_prices[column] - 1.0
                rates[column] = growth * HOURS_A_YEAR / TREND_H
            elif last is not None:
                rates[column] = last.rates[column]
        return replace(frame, rates=tuple(rates))


def joined(
    warm_up: tuple[MarketFrame, ...], universe: Universe, first: MarketFrame
) -> tuple[MarketFrame, ...]:
    """
    Return a warm-up whose shares are counted in the unit of the first frame.

    How much of its underlying a share began with is arbitrary; only its growth is earned. Where a warm-up of
    other data counts in another unit, its share prices are scaled to meet the chain's, and so are its ticks.
    """
    if not warm_up:
        return warm_up
    scales = {
        column: first.share_prices[column] / warm_up[-1].share_prices[column]
        for column, asset in enumerate(universe.assets)
        if asset.underlying is not None and first.ticks[column] > 0 and warm_up[-1].ticks[column] > 0
    }
    moved = {column: scale for column, scale in scales.items() if abs(scale - 1.0) > SEAM_RATIO}
    if not moved:
        return warm_up
    return tuple(
        replace(
            frame,
            ticks=tuple(
                max(1, int(ticks * moved[column] + 0.5)) if column in moved and ticks else ticks
                for column, ticks in enumerate(frame.ticks)
            ),
            share_prices=tuple(
                price * moved.get(column, 1.0) for column, price in enumerate(frame.share_prices)
            ),
        )
        for frame in warm_up
    )


def frame_text(frame: MarketFrame) -> str:
    """Return every number of a frame, exactly, as text; for a hash."""
    columns: tuple[Sequence[float], ...] = (
        frame.ticks,
        frame.fresh,
        frame.rates,
        frame.share_prices,
        frame.depth_usd,
        frame.capacity_usd,
        (frame.l1_gas_gwei, frame.tbill_rate),
    )
    numbers = ";".join(",".join(map(_number_text, column)) for column in columns)
    return f"{frame.index}@{frame.time_ns}:{numbers}"


def _number_text(number: float) -> str:
    """Return a number as itself alone is written: one zero, one NaN, and True is 1.0."""
    return repr(float(number) + 0.0)


def _beginning_hash(universe: Universe, label: Label, warm_up: Sequence[MarketFrame]) -> str:
    digest = hashlib.sha256()
    names = [_HASH_FORMAT, universe.name, label, universe.reserve, universe.gas]
    names += [f"{asset.id}:{asset.decimals}:{asset.tick_exponent}" for asset in universe.assets]
    names += [conversion.id for conversion in universe.conversions]
    digest.update("\n".join(names).encode())
    for frame in warm_up:
        digest.update(f"\n{frame_text(frame)}".encode())
    return digest.hexdigest()
