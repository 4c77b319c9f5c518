"""What of a reading is believed, and what is only shown."""

from dataclasses import replace
from math import isnan, nan

import pytest

from tests.unit.market.readings import (
    AUSDC,
    AWETH,
    COLUMN,
    FUSDC,
    USDC,
    USDT,
    WETH,
    quoted,
    reading_of,
    scaled,
    season,
    share,
)
from treasury_actors.clock import HOUR_NS
from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame_checks import (
    TICKS_MAX,
    FrameLimits,
    FrameReason,
    LiveFrame,
    judge,
    missed_frame,
)
from treasury_actors.market.model.frame_reading import FrameReading, Quote
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.model.chain_limits import ChainReason

LIMITS = FrameLimits()


def judged(
    reading: FrameReading, before: LiveFrame | None = None, *, index: int = 0, late_s: int = 0
) -> LiveFrame:
    return judge(
        reading,
        MAINNET,
        LIMITS,
        index=index,
        time_ns=index * HOUR_NS,
        now_s=reading.block.time_s + late_s,
        before=before,
        known=None if before is None else before.frame,
    )


def reasons(live: LiveFrame) -> list[tuple[str, str | None]]:
    return [(finding.reason.value, finding.asset) for finding in live.findings]


def stale_assets(live: LiveFrame) -> list[str]:
    return [asset.id for asset, ok in zip(MAINNET.assets, live.frame.fresh, strict=True) if not ok]


def test_a_healthy_reading_is_fresh_in_every_column_and_is_the_frame_it_was_made_of() -> None:
    wanted = season().frame(0)

    live = judged(reading_of(wanted))

    assert live.findings == ()
    assert all(live.frame.fresh)
    for asset, found, expected in zip(MAINNET.assets, live.frame.ticks, wanted.ticks, strict=True):
        # A share is priced from its underlying's ticks, rounded once more than the season's own.
        assert abs(found - expected) <= (0 if asset.underlying is None else 2)
    assert live.frame.share_prices == wanted.share_prices


def test_words_that_limits_also_use_are_the_same_words() -> None:
    shared = ("NO_PRICE", "STALE_PRICE", "ONE_SOURCE", "PRICES_DISAGREE", "SEQUENCER_DOWN")

    assert [FrameReason[name].value for name in shared] == [ChainReason[name].value for name in shared]


@pytest.mark.parametrize(("late_s", "is_stale"), [(3_660, False), (3_661, True)])
def test_an_oracle_older_than_its_heartbeat_and_margin_is_stale(*, late_s: int, is_stale: bool) -> None:
    reading = reading_of(season().frame(0))
    _, *pools = reading.quotes[COLUMN[WETH]]
    old = Quote(source="oracle", ticks=pools[0].ticks, time_s=reading.block.time_s - late_s)

    live = judged(quoted(reading, WETH, old, *pools))

    assert reasons(live) == ([("stale_price", "WETH")] if is_stale else [])
    assert stale_assets(live) == (["WETH", "aWETH", "wstETH", "weETH"] if is_stale else [])
    assert live.frame.ticks[COLUMN[WETH]] == old.ticks


def test_a_heartbeat_of_its_own_is_an_assets_own() -> None:
    reading = reading_of(season().frame(0))
    _, *pools = reading.quotes[COLUMN[USDC]]
    old = Quote(source="oracle", ticks=pools[0].ticks, time_s=reading.block.time_s - 80_000)
    daily = replace(LIMITS, heartbeats_s=((USDC, 86_400),))

    live = judge(
        quoted(reading, USDC, old, *pools),
        MAINNET,
        daily,
        index=0,
        time_ns=0,
        now_s=reading.block.time_s,
        before=None,
        known=None,
    )

    assert live.findings == ()


def test_a_price_made_after_its_block_is_from_the_future() -> None:
    reading = reading_of(season().frame(0))
    _, *pools = reading.quotes[COLUMN[WETH]]
    early = Quote(source="oracle", ticks=pools[0].ticks, time_s=reading.block.time_s + 1)

    assert reasons(judged(quoted(reading, WETH, early, *pools))) == [("from_future", "WETH")]


@pytest.mark.parametrize(
    ("asset", "pool", "found"),
    [
        (WETH, 1.0199, []),
        (WETH, 1.0201, [("prices_disagree", "WETH")]),
        (WETH, 1 / 1.0201, [("prices_disagree", "WETH")]),
        (USDT, 1.0049, []),
        (USDT, 1.0051, [("prices_disagree", "USDT")]),
        (USDT, 0.87, [("prices_disagree", "USDT")]),
    ],
)
def test_two_sources_must_agree_stable_ones_more_closely(
    asset: AssetId, pool: float, found: list[tuple[str, str]]
) -> None:
    reading = reading_of(season().frame(0))

    live = judged(scaled(reading, asset, pool=pool))

    assert reasons(live) == found
    assert live.frame.fresh[COLUMN[asset]] == (not found)
    assert live.frame.ticks[COLUMN[asset]] == season().frame(0).ticks[COLUMN[asset]]


@pytest.mark.parametrize("push", [0.5, 2.0])
def test_the_reserve_is_borne_out_by_its_stable_pools_whatever_a_volatile_one_says(push: float) -> None:
    reading = reading_of(season().frame(0))
    oracle, stable, volatile = reading.quotes[COLUMN[USDC]]
    pushed = replace(volatile, ticks=round(volatile.ticks * push))
    depegged = replace(stable, ticks=round(stable.ticks * 0.99))

    assert judged(quoted(reading, USDC, oracle, stable, pushed)).findings == ()
    assert reasons(judged(quoted(reading, USDC, oracle, depegged, volatile))) == [("prices_disagree", "USDC")]
    assert reasons(judged(quoted(reading, USDC, oracle, pushed))) == [("prices_disagree", "USDC")]


@pytest.mark.parametrize("push", [0.5, 2.0])
def test_of_three_pools_the_middle_one_speaks(push: float) -> None:
    reading = reading_of(season().frame(0))
    oracle, honest = reading.quotes[COLUMN[WETH]]
    pushed = replace(honest, ticks=round(honest.ticks * push))

    assert judged(quoted(reading, WETH, oracle, honest, pushed, honest)).findings == ()
    assert reasons(judged(quoted(reading, WETH, oracle, pushed, honest, pushed))) == [
        ("prices_disagree", "WETH")
    ]


def test_what_no_chain_says_of_treasury_bills_is_what_was_last_known() -> None:
    reading, known = reading_of(season().frame(0)), season().frame(-1)
    now_s = reading.block.time_s

    live = judge(reading, MAINNET, LIMITS, index=0, time_ns=0, now_s=now_s, before=None, known=known)

    assert live.frame.tbill_rate == known.tbill_rate
    assert isnan(judged(reading).frame.tbill_rate)


def test_a_price_that_no_pool_bears_out_has_one_source() -> None:
    reading = reading_of(season().frame(0))
    oracle, pool = reading.quotes[COLUMN[WETH]]
    silent = replace(pool, ticks=0)

    for quotes in ((oracle,), (oracle, silent)):
        live = judged(quoted(reading, WETH, *quotes))
        assert reasons(live) == [("one_source", "WETH")]
        assert not live.frame.fresh[COLUMN[WETH]]


@pytest.mark.parametrize("ticks", [0, -1, TICKS_MAX + 1, 10**70])
def test_what_can_be_no_price_leaves_the_last_known_one_in_its_place(ticks: int) -> None:
    before = judged(reading_of(season().frame(0)))
    reading = reading_of(season().frame(1))
    oracle, *pools = reading.quotes[COLUMN[WETH]]

    live = judged(quoted(reading, WETH, replace(oracle, ticks=ticks), *pools), before, index=1)

    assert reasons(live) == [("no_price", "WETH")]
    assert live.frame.ticks[COLUMN[WETH]] == before.frame.ticks[COLUMN[WETH]]
    assert not live.frame.fresh[COLUMN[AWETH]]


def test_a_spike_is_shown_as_the_price_before_it_until_the_next_frame_confirms_it() -> None:
    first = judged(reading_of(season().frame(0)))
    spiked = scaled(reading_of(season().frame(1)), WETH, oracle=10.0, pool=10.0)

    second = judged(spiked, first, index=1)

    assert reasons(second) == [("spike", "WETH")]
    assert second.frame.ticks[COLUMN[WETH]] == first.frame.ticks[COLUMN[WETH]]
    assert stale_assets(second) == ["WETH", "aWETH", "wstETH", "weETH"]
    confirmed = judged(scaled(reading_of(season().frame(2)), WETH, oracle=10.1, pool=10.1), second, index=2)
    assert confirmed.findings == ()
    assert confirmed.frame.ticks[COLUMN[WETH]] > 9 * first.frame.ticks[COLUMN[WETH]]


def test_a_spike_that_is_gone_in_the_next_frame_was_nothing() -> None:
    first = judged(reading_of(season().frame(0)))
    second = judged(scaled(reading_of(season().frame(1)), WETH, oracle=0.1, pool=0.1), first, index=1)

    third = judged(reading_of(season().frame(2)), second, index=2)

    assert reasons(second) == [("spike", "WETH")]
    assert third.findings == ()
    assert third.frame.ticks[COLUMN[WETH]] == season().frame(2).ticks[COLUMN[WETH]]


def test_another_spike_is_confirmed_by_neither_the_first_nor_the_price_before() -> None:
    first = judged(reading_of(season().frame(0)))
    second = judged(scaled(reading_of(season().frame(1)), WETH, oracle=10.0, pool=10.0), first, index=1)

    third = judged(scaled(reading_of(season().frame(2)), WETH, oracle=3.0, pool=3.0), second, index=2)

    assert reasons(third) == [("spike", "WETH")]
    assert third.frame.ticks[COLUMN[WETH]] == first.frame.ticks[COLUMN[WETH]]


def test_the_longer_nothing_was_read_the_further_a_price_may_have_moved() -> None:
    first = judged(reading_of(season().frame(0)))
    later = replace(reading_of(season().frame(0)), block=reading_of(season().frame(3)).block)
    fresh = [tuple(replace(quote, time_s=later.block.time_s) for quote in quotes) for quotes in later.quotes]
    doubled = scaled(replace(later, quotes=tuple(fresh)), WETH, oracle=1.7, pool=1.7)

    assert judged(doubled, first, index=3).findings == ()
    assert reasons(judged(scaled(doubled, WETH, oracle=1.1, pool=1.1), first, index=3)) == [("spike", "WETH")]


def test_the_first_frame_has_nothing_to_jump_from_whatever_a_warm_up_said() -> None:
    known = season().frame(-1)
    reading = scaled(reading_of(season().frame(0)), WETH, oracle=10.0, pool=10.0)

    live = judge(
        reading, MAINNET, LIMITS, index=0, time_ns=0, now_s=reading.block.time_s, before=None, known=known
    )

    assert live.findings == ()


def test_a_share_price_that_jumps_is_a_gift_or_a_theft_and_waits() -> None:
    first = judged(reading_of(season().frame(0)))
    honest = season().frame(1).share_prices[COLUMN[FUSDC]]

    second = judged(share(reading_of(season().frame(1)), FUSDC, honest * 1.1), first, index=1)
    third = judged(share(reading_of(season().frame(2)), FUSDC, honest * 1.1), second, index=2)

    assert reasons(second) == [("spike", "fUSDC")]
    assert second.frame.share_prices[COLUMN[FUSDC]] == first.frame.share_prices[COLUMN[FUSDC]]
    assert stale_assets(second) == ["fUSDC"]
    assert third.findings == ()
    assert third.frame.share_prices[COLUMN[FUSDC]] == honest * 1.1


def test_a_share_that_nobody_prices_keeps_its_last_price_and_follows_its_underlying() -> None:
    first = judged(reading_of(season().frame(0)))

    live = judged(share(reading_of(season().frame(1)), AUSDC, nan), first, index=1)

    assert reasons(live) == [("no_price", "aUSDC")]
    assert live.frame.share_prices[COLUMN[AUSDC]] == first.frame.share_prices[COLUMN[AUSDC]]
    assert live.frame.ticks[COLUMN[AUSDC]] == pytest.approx(
        live.frame.ticks[COLUMN[USDC]] * first.frame.share_prices[COLUMN[AUSDC]], rel=1e-9
    )
    assert stale_assets(live) == ["aUSDC"]


def test_a_share_never_known_is_unknown() -> None:
    live = judged(share(reading_of(season().frame(0)), AUSDC, nan))

    assert live.frame.ticks[COLUMN[AUSDC]] == 0
    assert live.frame.share_prices[COLUMN[AUSDC]] == 1.0


def test_a_share_worth_more_than_ticks_can_say_has_no_price() -> None:
    live = judged(share(reading_of(season().frame(0)), AUSDC, 1e60))

    assert reasons(live) == [("no_price", "aUSDC")]
    assert live.frame.ticks[COLUMN[AUSDC]] == 0


@pytest.mark.parametrize(
    ("late_s", "reason"), [(120, None), (121, "stale_block"), (-120, None), (-121, "from_future")]
)
def test_a_block_far_from_our_clock_makes_nothing_fresh(late_s: int, reason: str | None) -> None:
    live = judged(reading_of(season().frame(0)), late_s=late_s)

    assert reasons(live) == ([] if reason is None else [(reason, None)])
    assert any(live.frame.fresh) == (reason is None)


def test_a_block_before_the_last_one_and_a_block_that_is_gone_make_nothing_fresh() -> None:
    reading = reading_of(season().frame(1))
    before = judged(reading)
    earlier = reading_of(season().frame(0))
    forked = replace(reading_of(season().frame(2)), parent_is_canonical=False)

    assert reasons(judged(earlier, before, index=2)) == [("block_backwards", None)]
    assert reasons(judged(forked, before, index=2)) == [("reorganised", None)]
    assert not any(judged(forked, before, index=2).frame.fresh)


@pytest.mark.parametrize(("up_for_s", "is_down"), [(None, True), (3_600, True), (3_601, False)])
def test_a_sequencer_must_be_up_again_for_its_grace(*, up_for_s: int | None, is_down: bool) -> None:
    reading = replace(reading_of(season().frame(0)), has_sequencer=True, sequencer_up_for_s=up_for_s)

    live = judged(reading)

    assert reasons(live) == ([("sequencer_down", None)] if is_down else [])
    assert any(live.frame.fresh) != is_down


def test_a_missed_hour_repeats_the_last_frame_with_nothing_fresh_and_its_suspects() -> None:
    first = judged(reading_of(season().frame(0)))
    spiked = judged(scaled(reading_of(season().frame(1)), WETH, oracle=10.0, pool=10.0), first, index=1)

    missed = missed_frame(spiked, index=2, time_ns=2 * HOUR_NS)

    assert missed.frame.ticks == spiked.frame.ticks
    assert not any(missed.frame.fresh)
    assert reasons(missed) == [("missed", None)]
    assert missed.block == spiked.block
    confirmed = judged(scaled(reading_of(season().frame(3)), WETH, oracle=10.0, pool=10.0), missed, index=3)
    assert confirmed.findings == ()


@pytest.mark.parametrize(("rate", "found"), [(10.0, []), (10.1, [("absurd_rate", "aUSDC")])])
def test_a_rate_that_no_lender_earns_is_unknown(rate: float, found: list[tuple[str, str]]) -> None:
    reading = reading_of(season().frame(0))
    rates = list(reading.rates)
    rates[COLUMN[AUSDC]] = rate

    live = judged(replace(reading, rates=tuple(rates)))

    assert reasons(live) == found
    assert isnan(live.frame.rates[COLUMN[AUSDC]]) == bool(found)
    assert live.frame.fresh[COLUMN[AUSDC]]


def test_an_asset_that_nothing_here_prices_is_no_news_and_not_fresh() -> None:
    reading = share(quoted(reading_of(season().frame(0)), WETH), AUSDC, nan)

    live = judged(replace(reading, absent=(WETH, AUSDC)))

    assert live.findings == ()
    assert stale_assets(live) == ["WETH", "aUSDC", "aWETH", "wstETH", "weETH"]


def test_calling_an_asset_absent_does_not_make_a_bad_price_good() -> None:
    reading = scaled(reading_of(season().frame(0)), WETH, pool=2.0)

    live = judged(replace(reading, absent=(WETH,)))

    assert live.findings == ()
    assert not live.frame.fresh[COLUMN[WETH]]
