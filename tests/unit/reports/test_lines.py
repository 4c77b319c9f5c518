"""What the same money would have become elsewhere."""

import pytest

from tests.unit.reports.diary import AUSDC, BASE, ETH, LINK, USDC, WETH, Diary, generated
from treasury_actors.ledger.model import GAS
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.reports.lines import (
    equal_weight_line,
    lending_line,
    liquid_ratio,
    lived,
    tbill_line,
)
from treasury_actors.trading.model.liquidity import LIQUID_FRAMES
from treasury_actors.trading.model.valuation import nav_micro_usd

CASH = 500_000_000_000  # 500,000 USDC


def _diary(days: int = 10) -> Diary:
    diary = Diary(generated(days))
    diary.deposit(USDC, CASH)
    diary.deposit(ETH, 10**18, GAS)
    return diary


def test_the_lending_line_equals_an_arena_that_lent_everything_at_once() -> None:
    diary = _diary()
    diary.bear("lend-0001", CASH)
    shares = diary.convert("lend-0001", "USDC>aUSDC@aave-v3", CASH)
    diary.close()
    diary.convert("lend-0001", "aUSDC>USDC@aave-v3", shares)
    history = diary.history()

    line = lending_line(diary.season, history.flows, last_frame=history.last_frame, asset=AUSDC, chain=BASE)

    assert line is not None
    assert line.nav_micro_usd == history.nav_micro_usd[-1]
    assert line.path_micro_usd == history.nav_micro_usd
    assert line.return_ratio == pytest.approx(history.course.return_ratio, abs=1e-12)


def test_money_that_comes_later_is_lent_from_then_on_and_is_no_return() -> None:
    diary = _diary()
    diary.go(100)
    diary.deposit(USDC, 3 * CASH)
    diary.go(150)
    diary.withdraw(USDC, CASH)
    diary.close()
    flows = diary.history().flows

    line = lending_line(diary.season, flows, last_frame=239, asset=AUSDC, chain=BASE)
    bills = tbill_line(diary.season, flows, last_frame=239)

    assert line is not None
    assert bills is not None
    for result in (line, bills):
        assert result.nav_micro_usd == pytest.approx(sum(f.value_micro_usd for f in flows), rel=0.01)
        assert 0.0 < result.return_ratio < 0.01


def test_bills_grow_at_their_yield_hour_by_hour() -> None:
    diary = Diary(generated(10))
    diary.deposit(USDC, CASH)
    diary.close()
    flows = diary.history().flows

    line = tbill_line(diary.season, flows, last_frame=239)

    assert line is not None
    grown = 1.0
    for index in range(239):
        grown *= 1.0 + diary.season.frame(index).tbill_rate / 8_760
    assert line.nav_micro_usd == pytest.approx(flows[0].value_micro_usd * grown, abs=2)
    assert line.max_drawdown_ratio == 0.0
    assert line.liquid_24h_ratio == 1.0


def test_equal_weights_hold_the_same_value_of_everything_that_can_be_bought_and_sold() -> None:
    diary = Diary(generated(10))
    diary.deposit(USDC, CASH)
    diary.deposit(ETH, 10**18, GAS)
    diary.close()

    line = equal_weight_line(diary.season, diary.history().flows, last_frame=0, chain=BASE)

    assert line is not None
    lost = diary.history().invested_micro_usd - line.nav_micro_usd
    assert 0 < lost < CASH // 250, "bought with costs: of a shallow pool some 140 basis points"


def test_a_line_never_has_less_gas_money_than_none() -> None:
    diary = Diary(generated(2))
    diary.deposit(USDC, CASH)
    diary.close()

    line = equal_weight_line(diary.season, diary.history().flows, last_frame=47, chain=BASE)

    assert line is not None
    assert line.nav_micro_usd > 0


def test_cash_is_liquid_and_what_a_pool_cannot_take_is_not() -> None:
    frame = generated(2).frame(0)
    depth_usd = frame.depth_usd[next(i for i, c in enumerate(MAINNET.conversions) if c.source == LINK)]
    link_units = MAINNET.by_id[LINK].units_for_micro_usd(
        int(depth_usd * 1e6), frame.ticks[MAINNET.column[LINK]]
    )

    assert liquid_ratio(MAINNET, {USDC: 1_000_000}, frame) == 1.0
    assert liquid_ratio(MAINNET, {WETH: 10**18}, frame) == 1.0
    assert liquid_ratio(MAINNET, {ETH: 10**18}, frame) is None
    assert liquid_ratio(MAINNET, {}, frame) is None
    assert liquid_ratio(MAINNET, {LINK: link_units * 10}, frame) == pytest.approx(
        LIQUID_FRAMES / 99 / 10, rel=1e-6
    )


def test_an_arena_is_a_line_like_the_others() -> None:
    diary = _diary(2)
    diary.close()
    history = diary.history()

    line = lived(history, diary.season)

    assert line.nav_micro_usd == nav_micro_usd(MAINNET, [(USDC, CASH), (ETH, 10**18)], diary.season.frame(47))
    assert line.path_micro_usd == history.nav_micro_usd
