"""I29: whatever a chain says, a price that is called fresh is one that somebody may trade on."""

from dataclasses import replace
from math import isfinite, nan

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.market.readings import (
    AUSDC,
    COLUMN,
    ETH,
    FUSDC,
    USDC,
    USDT,
    WETH,
    block_hash,
    quoted,
    reading_of,
    season,
    share,
)
from treasury_actors.clock import HOUR_NS
from treasury_actors.market.model.frame_checks import TICKS_MAX, FrameLimits, LiveFrame, block_findings, judge
from treasury_actors.market.model.frame_reading import Block, FrameReading, Quote
from treasury_actors.market.model.growing import frame_text
from treasury_actors.market.model.shipped import MAINNET

LIMITS = FrameLimits()


def judged(reading: FrameReading, before: LiveFrame | None = None, *, index: int = 0) -> LiveFrame:
    return judge(
        reading,
        MAINNET,
        LIMITS,
        index=index,
        time_ns=index * HOUR_NS,
        now_s=reading.block.time_s,
        before=before,
        known=None if before is None else before.frame,
    )


TICKS = st.integers(min_value=-(10**77), max_value=10**77) | st.integers(min_value=0, max_value=10**12)
TIMES = st.integers(min_value=0, max_value=2**64)


@st.composite
def liars(draw: st.DrawFn) -> FrameReading:
    """Return a reading in which any number may be anything a contract can say."""
    reading = reading_of(season().frame(1))
    for asset in (USDC, WETH, ETH):
        quotes = [
            Quote(source="oracle", ticks=draw(TICKS), time_s=draw(TIMES)),
            Quote(source="pool", ticks=draw(TICKS), time_s=draw(TIMES), against=USDT),
            Quote(source="pool", ticks=draw(TICKS), time_s=draw(TIMES), against=USDC),
        ]
        reading = quoted(reading, asset, *quotes[: draw(st.integers(min_value=0, max_value=3))])
    for asset in (AUSDC, FUSDC):
        price = draw(st.floats(min_value=0.0, max_value=1e62) | st.just(nan))
        reading = share(reading, asset, price)
    number = draw(st.integers(min_value=0, max_value=2_000))
    block = Block(number=number, hash=block_hash(number), time_s=draw(TIMES))
    return replace(reading, block=block, parent_is_canonical=draw(st.booleans()))


@given(reading=liars(), has_before=st.booleans())
def test_i29_whatever_a_chain_says_a_fresh_price_is_young_borne_out_and_near_the_last(
    reading: FrameReading, *, has_before: bool
) -> None:
    before = judged(reading_of(season().frame(0))) if has_before else None

    live = judged(reading, before, index=1)

    frame, block = live.frame, reading.block
    assert all(0 <= ticks <= TICKS_MAX for ticks in frame.ticks)
    assert all(price > 0.0 and isfinite(price) for price in frame.share_prices)
    for column, asset in enumerate(MAINNET.assets):
        assert frame.ticks[column] > 0 or not frame.fresh[column]
        if before is not None:
            assert frame.ticks[column] > 0
        if not frame.fresh[column]:
            continue
        if asset.underlying is not None:
            assert frame.fresh[COLUMN[asset.underlying]]
            continue
        oracle, *pools = reading.quotes[column]
        assert frame.ticks[column] == oracle.ticks
        assert 0 <= block.time_s - oracle.time_s <= 3_660
        assert any(abs(pool.ticks - oracle.ticks) * 50 <= min(pool.ticks, oracle.ticks) for pool in pools)
        if before is not None and before.block is not None:
            last, hours = before.frame.ticks[column], max(1.0, (block.time_s - before.block.time_s) / 3_600)
            assert abs(oracle.ticks - last) <= 0.25 * hours * min(oracle.ticks, last)
    assert any(frame.fresh) <= (not block_findings(reading, LIMITS, now_s=block.time_s, before=None))


@given(reading=liars())
def test_judging_is_a_pure_function(reading: FrameReading) -> None:
    before = judged(reading_of(season().frame(0)))

    one, other = judged(reading, before, index=1), judged(reading, before, index=1)

    assert frame_text(one.frame) == frame_text(other.frame)
    assert (one.findings, one.suspects) == (other.findings, other.suspects)
