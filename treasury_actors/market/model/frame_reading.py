"""
What a chain said of a market at one block, before anybody judged it. Pure.

Prices are those of an independent oracle; a pool's own price stands beside it only to contradict it.
"""

from dataclasses import dataclass
from math import isnan, nan
from typing import Literal

from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import Asset

Source = Literal["oracle", "pool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The block that everything was read at; `hash` is 0x and lower case, `time_s` is chain time."""

    number: int
    hash: str
    time_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """
    One source's price of an asset in ticks, and when it was made, in chain time.

    Attributes:
        ticks: 0 or less is what a source says that has no price.
        against: the other asset of a pool, whose oracle price is in this one; None for an oracle.
    """

    source: Source
    ticks: int
    time_s: int
    against: AssetId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameReading:
    """
    Everything a frame is made of, as it stood at `block`; columns follow the universe.

    Attributes:
        quotes: per asset that is no share, what each source says, the oracle first; empty if none is known.
        share_prices: per asset, price of a share in its underlying; 1.0 for what is no share, NaN if unknown.
        rates, depth_usd, capacity_usd, l1_gas_gwei: as in `MarketFrame`; 0.0 for what is not on this chain.
        absent: assets that nothing on this chain prices: no news in any frame.
        parent_is_canonical: false if the block of the reading before is no longer on the chain.
        sequencer_up_for_s: how long an L2's sequencer is up; None while it is down, or where there is none.
        has_sequencer: whether there is one to be asked.
    """

    block: Block
    quotes: tuple[tuple[Quote, ...], ...]
    share_prices: tuple[float, ...]
    rates: tuple[float, ...]
    depth_usd: tuple[float, ...]
    capacity_usd: tuple[float, ...]
    l1_gas_gwei: float
    absent: tuple[AssetId, ...] = ()
    parent_is_canonical: bool = True
    has_sequencer: bool = False
    sequencer_up_for_s: int | None = None


def share_ticks(share: Asset, share_price: float, underlying: Asset, ticks: int) -> int:
    """Return share price x price of the underlying in the share's ticks, to the nearest; 0 if unknown."""
    if ticks <= 0 or isnan(share_price):
        return 0
    scale = float(10 ** abs(share.tick_exponent - underlying.tick_exponent))
    exact = ticks * share_price
    scaled = exact * scale if share.tick_exponent >= underlying.tick_exponent else exact / scale
    return max(1, int(scaled + 0.5))


def all_ticks(universe: Universe, plain: dict[int, int], share_prices: tuple[float, ...]) -> tuple[int, ...]:
    """Return every asset's price from those of what is no share (`plain`, by column); 0 where unknown."""
    found = []
    for column, asset in enumerate(universe.assets):
        if asset.underlying is None:
            found.append(max(0, plain.get(column, 0)))
        else:
            below = universe.column[asset.underlying]
            underlying, ticks = universe.assets[below], max(0, plain.get(below, 0))
            found.append(share_ticks(asset, share_prices[column], underlying, ticks))
    return tuple(found)


def unjudged_frame(reading: FrameReading, universe: Universe, *, index: int, time_ns: int) -> MarketFrame:
    """
    Return what was read as a frame in which every known price is called fresh.

    Nobody may decide on it: `frame_checks` says what of it can be believed.
    """
    plain = {column: quotes[0].ticks for column, quotes in enumerate(reading.quotes) if quotes}
    ticks = all_ticks(universe, plain, reading.share_prices)
    return MarketFrame(
        index=index,
        time_ns=time_ns,
        ticks=ticks,
        fresh=tuple(price > 0 for price in ticks),
        rates=reading.rates,
        share_prices=tuple(1.0 if isnan(price) else price for price in reading.share_prices),
        depth_usd=reading.depth_usd,
        capacity_usd=reading.capacity_usd,
        l1_gas_gwei=reading.l1_gas_gwei,
        tbill_rate=nan,
    )
