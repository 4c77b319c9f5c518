"""Readings as a healthy chain would give them, and what tests change in them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from math import nan

from treasury_actors.errors import FeedFault
from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.market.model.frame_checks import LiveFrame
from treasury_actors.market.model.frame_reading import Block, FrameReading, Quote
from treasury_actors.market.model.shipped import MAINNET

USDC, USDT, WETH, ETH = AssetId("USDC"), AssetId("USDT"), AssetId("WETH"), AssetId("ETH")
AUSDC, AWETH, FUSDC = AssetId("aUSDC"), AssetId("aWETH"), AssetId("fUSDC")
COLUMN = MAINNET.column
S_NS = 10**9


@cache
def season() -> Season:
    """Return nine days, with ten before them."""
    return generate_season(universe=MAINNET, seed=5, days=9, warmup_h=240)


def block_hash(number: int) -> str:
    return f"0x{number:064x}"


def reading_of(frame: MarketFrame) -> FrameReading:
    """Return what a chain says that stands at `frame`, a second into its hour, one block an hour."""
    time_s = frame.time_ns // S_NS + 1
    block = Block(number=1_000 + frame.index, hash=block_hash(1_000 + frame.index), time_s=time_s)
    quotes = []
    for column, asset in enumerate(MAINNET.assets):
        ticks = frame.ticks[column]
        oracle = Quote(source="oracle", ticks=ticks, time_s=time_s - 1)
        others = (USDT, WETH) if asset.id == USDC else (USDC,)
        pools = [Quote(source="pool", ticks=ticks, time_s=time_s, against=other) for other in others]
        quotes.append((oracle, *pools) if asset.underlying is None else ())
    shares = tuple(frame.share_prices)
    rates = tuple(
        rate if asset.id in {"aUSDC", "aUSDT", "aWETH"} else nan
        for asset, rate in zip(MAINNET.assets, frame.rates, strict=True)
    )
    return FrameReading(
        block=block,
        quotes=tuple(quotes),
        share_prices=shares,
        rates=rates,
        depth_usd=frame.depth_usd,
        capacity_usd=frame.capacity_usd,
        l1_gas_gwei=frame.l1_gas_gwei,
    )


def quoted(reading: FrameReading, asset: AssetId, *quotes: Quote) -> FrameReading:
    """Return the reading with other quotes of one asset."""
    changed = list(reading.quotes)
    changed[COLUMN[asset]] = quotes
    return replace(reading, quotes=tuple(changed))


def scaled(reading: FrameReading, asset: AssetId, *, oracle: float = 1.0, pool: float = 1.0) -> FrameReading:
    """Return the reading with an asset's prices times so much."""
    changed = [
        replace(quote, ticks=round(quote.ticks * (oracle if quote.source == "oracle" else pool)))
        for quote in reading.quotes[COLUMN[asset]]
    ]
    return quoted(reading, asset, *changed)


def share(reading: FrameReading, asset: AssetId, price: float) -> FrameReading:
    """Return the reading with another share price."""
    prices = list(reading.share_prices)
    prices[COLUMN[asset]] = price
    return replace(reading, share_prices=tuple(prices))


class ScriptedSource:
    """A market that says what it is told to, one item a read: a reading, or None for no answer."""

    def __init__(self, script: Sequence[FrameReading | None]) -> None:
        self.script = list(script)
        self.asked_about: list[Block | None] = []

    async def read(self, before: Block | None = None) -> FrameReading:
        self.asked_about.append(before)
        answer = self.script.pop(0)
        if answer is None:
            raise FeedFault("node:8545: no connection")
        return answer


class MemoryStore:
    """Frames kept in memory."""

    def __init__(self) -> None:
        self.kept: list[LiveFrame] = []

    @property
    def records(self) -> Sequence[LiveFrame]:
        return tuple(self.kept)

    async def append(self, frames: Sequence[LiveFrame]) -> None:
        self.kept += frames
