"""What counts for a NAV, and what is named instead of counted."""

from dataclasses import replace

import pytest

from treasury_actors.chain.model.known_chains import BASE
from treasury_actors.chain.model.registry import PinnedToken
from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.frame_checks import Finding, FrameReason, LiveFrame
from treasury_actors.market.model.frame_reading import Block
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.custody.observation import Observation, observe
from treasury_actors.simulation.custody.reading import WalletReading

USDC, WETH, A_USDC, ETH = AssetId("USDC"), AssetId("WETH"), AssetId("aUSDC"), AssetId("ETH")
DOGE = AssetId("DOGE")
FRAME = generate_season(universe=MAINNET, seed=1, days=1, warmup_h=0).frame(0)
LIVE = LiveFrame(frame=FRAME, block=None, findings=(), suspects=())
WITH_DOGE = replace(
    BASE, tokens=(*BASE.tokens, PinnedToken(asset=DOGE, address="0x" + "d0" * 20, decimals=8))
)


def held(**units: int) -> WalletReading:
    holdings = {AssetId(asset): count for asset, count in units.items()}
    return WalletReading(
        address="0x" + "11" * 20,
        block=Block(number=1, hash="0x" + "00" * 32, time_s=0),
        holdings=holdings,
        balances=holdings,
        code=b"",
        nonce=0,
        pending_nonce=0,
    )


def seen(reading: WalletReading, *findings: Finding, absent: tuple[AssetId, ...] = ()) -> Observation:
    return observe(reading, replace(LIVE, findings=findings), absent, WITH_DOGE, MAINNET)


def worth(asset: AssetId, units: int) -> int:
    return MAINNET.by_id[asset].value_micro_usd(units, FRAME.ticks[MAINNET.column[asset]])


def found(reason: FrameReason, asset: AssetId | None) -> Finding:
    return Finding(reason=reason, asset=asset, detail="said so")


def test_the_nav_is_what_the_house_itself_would_say() -> None:
    wealth = seen(held(USDC=5_000_000, WETH=10**18, aUSDC=7_000_000, ETH=3))

    parts = [worth(USDC, 5_000_000), worth(WETH, 10**18), worth(A_USDC, 7_000_000), worth(ETH, 3)]
    assert wealth.nav_micro_usd == sum(parts)
    assert wealth.idle_micro_usd == parts[0]
    assert wealth.reserve_micro_usd == parts[0] + parts[2], "lent dollars are dollars"
    assert wealth.idle_ratio == parts[0] / sum(parts)
    assert [position.venue for position in wealth.positions] == ["wallet", "wallet", "aave-v3", "wallet"]


def test_what_is_not_held_is_not_shown_and_an_empty_wallet_has_no_ratio() -> None:
    wealth = seen(held(USDC=0, WETH=0))

    assert (wealth.positions, wealth.nav_micro_usd, wealth.idle_ratio) == ((), 0, None)


@pytest.mark.parametrize("reason", [FrameReason.NO_PRICE, FrameReason.STALE_PRICE, FrameReason.FROM_FUTURE])
def test_a_price_that_cannot_be_believed_is_left_out_with_what_rests_on_it(reason: FrameReason) -> None:
    wealth = seen(held(USDC=5_000_000, aUSDC=7_000_000, WETH=10**18), found(reason, USDC))

    assert [position.asset for position in wealth.left_out] == [USDC, A_USDC]
    assert wealth.left_out[0].why_not == f"{reason}: said so"
    assert wealth.nav_micro_usd == worth(WETH, 10**18)


@pytest.mark.parametrize("reason", [FrameReason.ONE_SOURCE, FrameReason.PRICES_DISAGREE])
def test_a_price_in_doubt_is_counted_and_the_doubt_is_named(reason: FrameReason) -> None:
    wealth = seen(held(WETH=10**18), found(reason, WETH), found(reason, USDC))

    assert wealth.nav_micro_usd == worth(WETH, 10**18)
    assert wealth.doubts == (f"WETH: {reason}: said so",), "what isn't held is nobody's worry"


def test_while_a_chains_sequencer_is_down_nothing_is_counted() -> None:
    wealth = seen(held(USDC=1, WETH=1, ETH=1), found(FrameReason.SEQUENCER_DOWN, None))

    assert len(wealth.left_out) == 3
    assert wealth.nav_micro_usd == 0


def test_a_token_of_no_feed_or_of_no_universe_is_named() -> None:
    wealth = seen(held(WETH=10**18, DOGE=123), absent=(WETH,))

    assert {position.asset: position.why_not for position in wealth.left_out} == {
        WETH: "no feed of it is pinned on base",
        DOGE: "not in the universe",
    }
    assert wealth.left_out[1].amount == "0.00000123"


@pytest.mark.parametrize(("burn", "months"), [(1_000_000, 10.0), (4_000_000, 2.5)])
def test_the_runway_is_the_nav_over_the_burn(burn: int, months: float) -> None:
    wealth = Observation(
        positions=(), nav_micro_usd=10_000_000, reserve_micro_usd=5_000_000, idle_micro_usd=0, doubts=()
    )

    assert wealth.runway_months(burn) == (months, months / 2)
