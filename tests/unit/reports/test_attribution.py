"""The gain in parts."""

import pytest

from tests.unit.reports.diary import ETH, USDC, WETH, Diary, generated, lived
from treasury_actors.arena.model.events import SeasonClosed
from treasury_actors.ids import AssetId
from treasury_actors.ledger.model import GAS
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.reports.attribution import aggregate_impact_micro_usd, attribute
from treasury_actors.reports.historian import history_of
from treasury_actors.trading.model.valuation import nav_micro_usd

CASH = 100_000_000_000  # 100,000 USDC


def _funded(days: int, seed: int = 1) -> Diary:
    diary = Diary(generated(days, seed=seed))
    diary.deposit(USDC, CASH)
    diary.deposit(ETH, 10**18, GAS)
    diary.bear("test-0001", CASH)
    return diary


def test_the_parts_of_a_lived_season_sum_to_its_gain_to_the_micro_dollar() -> None:
    season, records, _ = lived(30, 12)
    history = history_of(records, season, lending_asset=AssetId("aUSDC"))

    attribution = attribute(history, season)

    assert sum(micro for _, micro in attribution.parts) == attribution.gain_micro_usd
    assert attribution.gain_micro_usd == history.nav_micro_usd[-1] - history.invested_micro_usd
    assert attribution.fee_micro_usd < 0
    assert attribution.gas_micro_usd < 0
    assert attribution.yield_micro_usd > 0


def test_what_is_lent_earns_yield_and_no_beta() -> None:
    diary = _funded(10)
    shares = diary.convert("test-0001", "USDC>aUSDC@aave-v3", CASH)
    diary.close()
    first, last = diary.season.frame(0), diary.season.frame(diary.season.frame_count - 1)

    attribution = attribute(diary.history(), diary.season)

    share_asset = AssetId("aUSDC")
    grown = nav_micro_usd(MAINNET, [(share_asset, shares)], last) - nav_micro_usd(
        MAINNET, [(share_asset, shares)], first
    )
    dollar = last.ticks[MAINNET.column[USDC]] / first.ticks[MAINNET.column[USDC]] - 1.0
    assert attribution.yield_micro_usd == pytest.approx(grown - dollar * CASH, rel=0.02)
    gas_only = nav_micro_usd(MAINNET, [(ETH, 10**18)], first)
    assert abs(attribution.beta_micro_usd) < gas_only
    assert attribution.fee_micro_usd == 0
    assert -1 <= attribution.impact_micro_usd <= 0, "a share is not worth a micro-dollar exactly"


def test_ether_bought_and_held_is_beta_and_hardly_anything_else() -> None:
    diary = Diary(generated(10))
    diary.deposit(USDC, CASH)
    diary.deposit(ETH, 10**18, GAS)
    diary.bear("test-0001", CASH)
    diary.convert("test-0001", "USDC>WETH@uniswap-v3", CASH)
    diary.close()

    attribution = attribute(diary.history(), diary.season)
    eth = attribution.factors[0]

    column = MAINNET.column[WETH]
    first, last = diary.season.frame(0), diary.season.frame(239)
    assert eth.name == "ETH"
    assert eth.return_ratio == pytest.approx(last.ticks[column] / first.ticks[column] - 1.0)
    assert eth.beta_micro_usd == pytest.approx(eth.mean_exposure_micro_usd * eth.return_ratio)
    assert abs(attribution.price_micro_usd) < abs(attribution.beta_micro_usd) / 2


def test_what_fills_cost_is_what_their_events_say() -> None:
    diary = _funded(2)
    diary.go(3)
    bought = diary.convert("test-0001", "USDC>LINK@uniswap-v3", CASH // 4)
    diary.convert("test-0001", "LINK>USDC@uniswap-v3", bought)
    diary.close()
    history = diary.history()

    attribution = attribute(history, diary.season)

    assert attribution.fee_micro_usd == -sum(f.filled.fee_micro_usd for f in history.fills)
    assert attribution.impact_micro_usd == -sum(f.filled.impact_micro_usd for f in history.fills) < 0
    assert attribution.gas_micro_usd == -sum(f.filled.gas_micro_usd for f in history.fills)


def test_prices_that_stand_still_leave_only_rounding_in_price() -> None:
    """In and out within one frame: the price part is then nothing but remainders, one a fill at most."""
    diary = Diary(generated(1))
    diary.deposit(USDC, CASH)
    diary.deposit(ETH, 10**18, GAS)
    diary.bear("test-0001", CASH)
    for _ in range(5):
        bought = diary.convert("test-0001", "USDC>LINK@uniswap-v3", CASH // 4)
        diary.convert("test-0001", "LINK>USDC@uniswap-v3", bought)
    diary.write(SeasonClosed(season=1, turn=0))

    attribution = attribute(diary.history(), diary.season)

    assert attribution.beta_micro_usd == attribution.yield_micro_usd == 0
    assert abs(attribution.price_micro_usd) <= 30


def test_orders_that_share_a_frame_and_a_pool_would_have_cost_more_together() -> None:
    alone, together = _funded(2), _funded(2)
    alone.convert("test-0001", "USDC>WETH@uniswap-v3", CASH // 2)
    alone.go(1)
    alone.convert("test-0001", "USDC>WETH@uniswap-v3", CASH // 2)
    for _ in range(2):
        together.convert("test-0001", "USDC>WETH@uniswap-v3", CASH // 2)
    alone.close()
    together.close()

    depth = together.season.frame(0).depth_usd[
        MAINNET.conversion_column[together.history().fills[0].filled.conversion]
    ]
    half = 50_000.0
    expected = ((2 * half) ** 2 / (depth + 2 * half) - 2 * half**2 / (depth + half)) * 1e6

    assert aggregate_impact_micro_usd(alone.history(), alone.season) == 0
    assert aggregate_impact_micro_usd(together.history(), together.season) == pytest.approx(
        expected, rel=0.02
    )
