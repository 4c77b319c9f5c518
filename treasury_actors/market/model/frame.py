"""What is knowable at one moment: a frame, and the season it belongs to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from treasury_actors.market.model.universe import Universe

Label = Literal["GENERATED", "HYPOTHETICAL", "REHEARSAL", "PAPER", "LIVE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketFrame:
    """
    Everything an actor may know at `time_ns`; columns follow the universe.

    Attributes:
        index: the season frame; the first is 0, warm-up frames are negative.
        ticks: price per asset in integer ticks (share price x underlying); 0 if never known.
        fresh: per asset, false while its price is missing or older than its series allows.
        rates: per asset, the supply rate it earns now as an annual fraction; NaN if none is known.
        share_prices: per asset, price of one share in its underlying; 1.0 for what is no share.
        depth_usd: per conversion, the virtual depth that price impact is counted from; inf if none.
        capacity_usd: per conversion, the most it can turn over in this frame; inf if unlimited.
        l1_gas_gwei: gas price of the settlement chain.
        tbill_rate: 6-month treasury bill yield as an annual fraction; NaN if unknown.
    """

    index: int
    time_ns: int
    ticks: tuple[int, ...]
    fresh: tuple[bool, ...]
    rates: tuple[float, ...]
    share_prices: tuple[float, ...]
    depth_usd: tuple[float, ...]
    capacity_usd: tuple[float, ...]
    l1_gas_gwei: float
    tbill_rate: float


class Season(Protocol):
    """A span of frames with the warm-up before it, from wherever its data came."""

    @property
    def universe(self) -> Universe:
        """The assets and conversions the columns follow."""
        ...

    @property
    def label(self) -> Label:
        """What a result on this data may be called."""
        ...

    @property
    def source(self) -> str:
        """Where the data came from, in words for a report."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What the data assume or lack, one sentence each."""
        ...

    @property
    def data_hash(self) -> str:
        """SHA-256 of the content of every frame."""
        ...

    @property
    def frame_count(self) -> int:
        """Number of season frames, warm-up not counted."""
        ...

    @property
    def warmup_count(self) -> int:
        """Number of frames before frame 0."""
        ...

    def frame(self, index: int) -> MarketFrame:
        """Return one frame, `-warmup_count <= index < frame_count`."""
        ...

    def frames(self) -> Iterator[MarketFrame]:
        """Yield every frame, warm-up first, in order."""
        ...
