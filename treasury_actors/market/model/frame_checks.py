"""
What of a reading can be believed. Pure: a reading and what was known before, in; a frame with findings, out.

I29: a price is fresh only if its oracle is younger than its heartbeat, a pool says nearly the same, and it
did not jump since the frame before. What fails keeps its place in the frame, as the last price known or said,
and is called not fresh: nobody trades on it. Nothing is invented. The words are those of the limits before a
signature (`trading/model/chain_limits.py`), where they mean the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isnan, nan

from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.frame_reading import (
    Block,
    FrameReading,
    Quote,
    all_ticks,
    share_ticks,
    unjudged_frame,
)
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import Asset

BPS = 10_000
TICKS_MAX = 9 * 10**13
"""A hundred thousand hours of ticks must add up in an int64; a price beyond it is no price."""

RATE_MAX = 10.0
"""No lender earns 1,000 % a year; who chases such a rate chases a mistake."""

_HOUR_S = 3_600


class FrameReason(StrEnum):
    """Why a price, or a whole frame, is not to be traded on."""

    NO_PRICE = "no_price"
    STALE_PRICE = "stale_price"
    FROM_FUTURE = "from_future"
    ONE_SOURCE = "one_source"
    PRICES_DISAGREE = "prices_disagree"
    SPIKE = "spike"
    ABSURD_RATE = "absurd_rate"
    SEQUENCER_DOWN = "sequencer_down"
    STALE_BLOCK = "stale_block"
    BLOCK_BACKWARDS = "block_backwards"
    REORGANISED = "reorganised"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a frame; `asset` is None where all of it is meant."""

    reason: FrameReason
    asset: AssetId | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLimits:
    """
    When a price is believed.

    Attributes:
        stable: assets that are worth a dollar as long as nothing is wrong.
        heartbeat_s: how often an oracle speaks at least; `heartbeats_s` names those that differ.
        price_margin_s: how much older than its heartbeat a price may be.
        price_gap_bps_max, stable_gap_bps_max: how far two sources may be apart; the second for stable ones.
        spike_bps_max, share_spike_bps_max: how far a price, or a share price, may move in an hour.
        head_age_s_max: how much older than our clock the newest block may be, or how much younger.
        sequencer_grace_s: how long an L2's sequencer must be up again.
    """

    stable: tuple[AssetId, ...] = (AssetId("USDC"), AssetId("USDT"))
    heartbeat_s: int = _HOUR_S
    heartbeats_s: tuple[tuple[AssetId, int], ...] = ()
    price_margin_s: int = 60
    price_gap_bps_max: int = 200
    stable_gap_bps_max: int = 50
    spike_bps_max: int = 2_500
    share_spike_bps_max: int = 200
    head_age_s_max: int = 120
    sequencer_grace_s: int = _HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFrame:
    """
    A frame that was judged, with what it was judged on; what the run folder keeps.

    Attributes:
        block: where it was read; that of the frame before, or None, where nothing was read.
        suspects: per asset, the price in ticks (of a share, the share price) that jumped and waits for the
            next frame to confirm it; 0.0 for none.
    """

    frame: MarketFrame
    block: Block | None
    findings: tuple[Finding, ...]
    suspects: tuple[float, ...]


@dataclass(slots=True, kw_only=True)
class _Trial:
    """A reading on trial: what was known before, and what is found on the way."""

    reading: FrameReading
    universe: Universe
    limits: FrameLimits
    known: MarketFrame | None
    before: LiveFrame | None
    findings: list[Finding]
    suspects: list[float]

    def find(self, reason: FrameReason, asset: AssetId, detail: str) -> None:
        """Note what is wrong; that an absent asset has no price was known before."""
        if asset not in self.reading.absent:
            self.findings.append(Finding(reason=reason, asset=asset, detail=detail))

    def jumped(self, column: int, value: float, before: float, bps_max: int) -> bool:
        """Say whether a number moved too far since; from the suspect of the frame before it did not."""
        if self.before is None or self.before.block is None or before <= 0.0:
            return False
        elapsed_s = max(_HOUR_S, self.reading.block.time_s - self.before.block.time_s)
        suspect = self.before.suspects[column]
        if suspect > 0.0 and _gap_bps(value, suspect) <= bps_max:
            return False
        return _gap_bps(value, before) * _HOUR_S > bps_max * elapsed_s


def judge(
    reading: FrameReading,
    universe: Universe,
    limits: FrameLimits,
    *,
    index: int,
    time_ns: int,
    now_s: int,
    before: LiveFrame | None,
    known: MarketFrame | None,
) -> LiveFrame:
    """
    Return the frame of a reading, with everything that is wrong with it.

    Args:
        index, time_ns: of the frame to be.
        now_s: our clock, in seconds since 1970.
        before: the live frame before this one; None for the first, which has nothing to jump from.
        known: the last frame of any kind, whose prices stand in where the chain says none.
    """
    doubts = block_findings(reading, limits, now_s=now_s, before=None if before is None else before.block)
    trial = _Trial(
        reading=reading,
        universe=universe,
        limits=limits,
        known=known,
        before=before,
        findings=list(doubts),
        suspects=[0.0] * len(universe.assets),
    )
    plain, believed = {}, [False] * len(universe.assets)
    for column, asset in enumerate(universe.assets):
        if asset.underlying is None:
            plain[column], believed[column] = _plain_price(trial, column, asset)
    share_prices = list(reading.share_prices)
    for column, asset in enumerate(universe.assets):
        if asset.underlying is not None:
            below = universe.column[asset.underlying]
            share_prices[column], known_well = _share_price(trial, column, asset, plain[below])
            believed[column] = known_well and believed[below]
    ticks = _known_ticks(all_ticks(universe, plain, tuple(share_prices)), known)
    raw = unjudged_frame(reading, universe, index=index, time_ns=time_ns)
    frame = replace(
        raw,
        ticks=ticks,
        fresh=tuple(not doubts and ok and price > 0 for ok, price in zip(believed, ticks, strict=True)),
        rates=tuple(_rate(trial, column, asset) for column, asset in enumerate(universe.assets)),
        share_prices=tuple(1.0 if isnan(price) else price for price in share_prices),
        tbill_rate=raw.tbill_rate if known is None else known.tbill_rate,
    )
    return LiveFrame(
        frame=frame,
        block=reading.block,
        findings=tuple(trial.findings),
        suspects=tuple(trial.suspects),
    )


def missed_frame(last: LiveFrame, *, index: int, time_ns: int) -> LiveFrame:
    """Return the frame of an hour in which nothing was read: the last one, of which nothing is fresh."""
    found = Finding(
        reason=FrameReason.MISSED, asset=None, detail=f"nothing was read after {last.frame.index}"
    )
    stale = (False,) * len(last.frame.fresh)
    return replace(
        last, frame=replace(last.frame, index=index, time_ns=time_ns, fresh=stale), findings=(found,)
    )


def block_findings(
    reading: FrameReading, limits: FrameLimits, *, now_s: int, before: Block | None
) -> tuple[Finding, ...]:
    """Return what is wrong with a block, and so with everything that was read at it."""
    block, found = reading.block, []
    age_s = now_s - block.time_s
    if age_s > limits.head_age_s_max:
        detail = f"block {block.number} is {age_s} s old, {limits.head_age_s_max} s at most"
        found.append(Finding(reason=FrameReason.STALE_BLOCK, asset=None, detail=detail))
    if -age_s > limits.head_age_s_max:
        detail = f"block {block.number} is {-age_s} s ahead of our clock"
        found.append(Finding(reason=FrameReason.FROM_FUTURE, asset=None, detail=detail))
    if before is not None and (block.number < before.number or block.time_s < before.time_s):
        detail = f"block {block.number} after block {before.number}"
        found.append(Finding(reason=FrameReason.BLOCK_BACKWARDS, asset=None, detail=detail))
    elif before is not None and not reading.parent_is_canonical:
        detail = f"block {before.number} is no longer {before.hash}"
        found.append(Finding(reason=FrameReason.REORGANISED, asset=None, detail=detail))
    up_for_s = reading.sequencer_up_for_s
    if reading.has_sequencer and (up_for_s is None or up_for_s <= limits.sequencer_grace_s):
        detail = (
            "down" if up_for_s is None else f"up for {up_for_s} s, {limits.sequencer_grace_s} s are asked"
        )
        found.append(Finding(reason=FrameReason.SEQUENCER_DOWN, asset=None, detail=detail))
    return tuple(found)


def _plain_price(trial: _Trial, column: int, asset: Asset) -> tuple[int, bool]:
    """Return the price of what is no share, and whether it is to be traded on."""
    quotes = trial.reading.quotes[column]
    oracle = next((quote for quote in quotes if quote.source == "oracle"), None)
    if oracle is None or not 0 < oracle.ticks <= TICKS_MAX:
        detail = "no oracle here" if oracle is None else f"{oracle.ticks} ticks, 1 to {TICKS_MAX} can be"
        trial.find(FrameReason.NO_PRICE, asset.id, detail)
        return 0 if trial.known is None else trial.known.ticks[column], False
    is_young = _check_age(trial, asset.id, oracle)
    is_borne_out = _check_sources(trial, asset.id, oracle, quotes)
    before = 0 if trial.known is None else trial.known.ticks[column]
    if trial.jumped(column, oracle.ticks, before, trial.limits.spike_bps_max):
        trial.suspects[column] = float(oracle.ticks)
        detail = f"{oracle.ticks} ticks after {before}, {trial.limits.spike_bps_max} bps an hour at most"
        trial.find(FrameReason.SPIKE, asset.id, detail)
        return before, False
    return oracle.ticks, is_young and is_borne_out


def _check_age(trial: _Trial, asset: AssetId, oracle: Quote) -> bool:
    """Say whether a price is younger than its oracle's heartbeat, and not younger than its block."""
    limits, age_s = trial.limits, trial.reading.block.time_s - oracle.time_s
    heartbeat_s = dict(limits.heartbeats_s).get(asset, limits.heartbeat_s)
    if age_s > heartbeat_s + limits.price_margin_s:
        trial.find(FrameReason.STALE_PRICE, asset, f"{age_s} s old, made every {heartbeat_s} s")
    elif age_s < 0:
        trial.find(FrameReason.FROM_FUTURE, asset, f"made {-age_s} s after its block")
    else:
        return True
    return False


def _check_sources(trial: _Trial, asset: AssetId, oracle: Quote, quotes: Sequence[Quote]) -> bool:
    """Say whether pools bear a price out; of several the middle one speaks, of stable pairs alone if any."""
    stable = trial.limits.stable
    pools = [quote for quote in quotes if quote.source == "pool" and quote.ticks > 0]
    if not pools:
        trial.find(FrameReason.ONE_SOURCE, asset, "oracle")
        return False
    steady = [quote for quote in pools if asset in stable and quote.against in stable]
    ordered = sorted(quote.ticks for quote in steady or pools)
    pool_ticks = ordered[(len(ordered) - 1) // 2]
    gap_bps_max = trial.limits.stable_gap_bps_max if steady else trial.limits.price_gap_bps_max
    if _gap_bps(oracle.ticks, pool_ticks) > gap_bps_max:
        detail = f"oracle {oracle.ticks} and pool {pool_ticks} ticks, {gap_bps_max} bps apart at most"
        trial.find(FrameReason.PRICES_DISAGREE, asset, detail)
        return False
    return True


def _share_price(trial: _Trial, column: int, asset: Asset, ticks: int) -> tuple[float, bool]:
    """
    Return what a share is worth in its underlying, and whether that is to be traded on.

    `ticks` is the price of the underlying.
    """
    assert asset.underlying is not None, "a share has an underlying"
    price = trial.reading.share_prices[column]
    before = 0.0
    if trial.known is not None and trial.known.ticks[column] > 0:
        before = trial.known.share_prices[column]
    if isnan(price) or price <= 0.0:
        trial.find(FrameReason.NO_PRICE, asset.id, "nothing here says what a share is worth")
        return before or nan, False
    if share_ticks(asset, price, trial.universe.by_id[asset.underlying], ticks) > TICKS_MAX:
        trial.find(FrameReason.NO_PRICE, asset.id, f"{price:.9g} a share, beyond {TICKS_MAX} ticks")
        return before or nan, False
    if trial.jumped(column, price, before, trial.limits.share_spike_bps_max):
        trial.suspects[column] = price
        detail = f"{price:.9g} a share after {before:.9g}"
        trial.find(FrameReason.SPIKE, asset.id, detail)
        return before, False
    return price, True


def _rate(trial: _Trial, column: int, asset: Asset) -> float:
    """Return a supply rate that can be one; NaN where it is unknown or absurd."""
    rate = trial.reading.rates[column]
    if not 0.0 <= rate <= RATE_MAX:
        if not isnan(rate):
            trial.find(FrameReason.ABSURD_RATE, asset.id, f"{rate:.9g} a year, {RATE_MAX:g} at most")
        return nan
    return rate


def _known_ticks(ticks: tuple[int, ...], known: MarketFrame | None) -> tuple[int, ...]:
    """Return prices, the last known ones where there are none: a price once known stays known."""
    if known is None:
        return ticks
    return tuple(now or earlier for now, earlier in zip(ticks, known.ticks, strict=True))


def _gap_bps(one: float, other: float) -> float:
    """Return how far two positive numbers are apart, in basis points of the smaller one."""
    return abs(one - other) * BPS / min(one, other)
