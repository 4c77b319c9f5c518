"""What could be sold, and when: cash at once, the rest as fast as venues let it out at a fair price."""

import pytest

from tests.unit.trading.desk import AUSDC, DOLLARS, ETHER, USDC, WETH, WSTETH, frame
from treasury_actors.ids import AssetId
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.model.liquidity import liquidity, sell

MILLION = 10**6 * DOLLARS


def test_cash_is_liquid_now_and_gas_never() -> None:
    found = liquidity(MAINNET, [(USDC, 100 * DOLLARS), (AssetId("ETH"), ETHER)], frame(0))

    assert (found.now_micro_usd, found.day_micro_usd, found.week_micro_usd) == (100 * DOLLARS,) * 3
    assert found.locked_micro_usd == 2_000 * DOLLARS


def test_what_a_venue_lets_out_in_a_day_and_in_a_week_is_counted_and_the_rest_is_locked() -> None:
    found = liquidity(MAINNET, [(AUSDC, 20 * MILLION)], frame(0, capacity_usd=100_000.0))

    assert found.now_micro_usd == 0
    assert found.day_micro_usd == 24 * MILLION // 10
    assert found.week_micro_usd == 168 * MILLION // 10
    assert found.locked_micro_usd == 20 * MILLION - 168 * MILLION // 10


def test_a_stale_price_locks_what_hangs_on_it_at_its_last_value() -> None:
    found = liquidity(MAINNET, [(WSTETH, ETHER)], frame(0, stale=["WETH"]))

    assert found.week_micro_usd == 0
    assert found.locked_micro_usd == 2_500 * DOLLARS


def test_a_sale_takes_as_many_frames_as_it_needs_and_says_what_it_costs() -> None:
    sale = sell(MAINNET, WETH, ETHER, frame(0, depth_usd=49_500.0), frames=24)  # $500 an hour at 1%

    assert (sale.sold_units, sale.frames, sale.sends) == (ETHER, 4, 4)
    assert sale.exit_micro_usd + sale.cost_micro_usd == 2_000 * DOLLARS
    assert sale.cost_micro_usd == pytest.approx(21 * DOLLARS, rel=0.05)  # 1% of impact, 5 bps of fee


@pytest.mark.parametrize(
    ("asset", "units", "frames"), [(WETH, ETHER, 0), (WETH, 0, 24), (AssetId("ETH"), ETHER, 24)]
)
def test_nothing_is_sold_without_time_without_units_or_without_a_way(
    asset: AssetId, units: int, frames: int
) -> None:
    sale = sell(MAINNET, asset, units, frame(0), frames=frames)

    assert (sale.sold_units, sale.exit_micro_usd, sale.frames) == (0, 0, 0)
