"""At a market that has a price of its own, one may leave at the last known price, and only leave."""

from dataclasses import replace

import pytest

from tests.unit.trading.desk import ANN, DOLLARS, ETHER, LIMITS, USDC, WETH, frame, mandate, order
from treasury_actors.ids import AssetId, ConversionId
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.adapters.evm.vetting import Wish, wish_for
from treasury_actors.trading.model.chain_limits import ChainLimits, ChainReason, ChainRefusal
from treasury_actors.trading.model.guard import GuardPolicy, exit_orders
from treasury_actors.trading.model.limits import Refusal, check_order
from treasury_actors.trading.model.order import Order, TradingReason

SELL, BUY = "WETH>USDC@uniswap-v3", "USDC>WETH@uniswap-v3"
STALE = frame(0, stale=["WETH"])
NEVER_KNOWN = frame(0, {"WETH": 0.0})
CHAIN = ChainLimits(chain_id=31_337, account="0x", calls=(), spenders=(), mandate_micro_usd_min=1)


def verdict(wish: Order, *, stale_exits: bool, known: bool = True) -> int | Refusal:
    """Return what the limits say to an order while WETH's price is stale, or was never known."""
    return check_order(
        universe=MAINNET,
        order=wish,
        mandate=mandate(limits=LIMITS),
        holdings={WETH: ETHER, USDC: 1_000 * DOLLARS},
        turnover_micro_usd=0,
        gas_left_wei=ETHER,
        frame=STALE if known else NEVER_KNOWN,
        stale_exits=stale_exits,
    )


def test_an_exit_passes_a_stale_price_where_the_market_has_its_own_and_nothing_else_does() -> None:
    leave = order(0, SELL, units=ETHER, reduce_only=True)
    enter = order(0, BUY, units=100 * DOLLARS)

    assert verdict(leave, stale_exits=True) == 2_000 * DOLLARS
    for refused in (
        verdict(leave, stale_exits=False),
        verdict(enter, stale_exits=True),
        verdict(replace(leave, reduce_only=False), stale_exits=True),
        verdict(leave, stale_exits=True, known=False),
    ):
        assert isinstance(refused, Refusal)
        assert refused.reason is TradingReason.STALE_PRICE


@pytest.mark.parametrize(("stale_exits", "orders"), [(True, 1), (False, 0)])
def test_the_guardian_sells_at_a_stale_price_where_it_may(stale_exits: bool, orders: int) -> None:  # noqa: FBT001
    policy = GuardPolicy(stale_exits=stale_exits)

    assert len(exit_orders(MAINNET, ANN, {WETH: ETHER}, STALE, policy)) == orders


def test_what_an_exit_must_bring_at_a_stale_price_has_the_widest_bound_there_may_be() -> None:
    step = MAINNET.conversion_by_id[ConversionId(SELL)]
    usual = wish_for(MAINNET, step, ETHER, frame(0), CHAIN, reduces=True)
    stale = wish_for(MAINNET, step, ETHER, STALE, CHAIN, reduces=True)

    assert isinstance(usual, Wish)
    assert isinstance(stale, Wish)
    assert usual.required_units == 2_000 * DOLLARS * (10_000 - 5 - 100) // 10_000
    assert stale.required_units == 2_000 * DOLLARS * (10_000 - 5 - 500) // 10_000


@pytest.mark.parametrize(("reduces", "market"), [(False, STALE), (True, NEVER_KNOWN), (False, NEVER_KNOWN)])
def test_nothing_is_asked_for_at_no_price_and_no_entry_at_a_stale_one(reduces: bool, market: object) -> None:  # noqa: FBT001
    step = MAINNET.conversion_by_id[ConversionId(SELL)]
    found = wish_for(MAINNET, step, ETHER, market, CHAIN, reduces=reduces)  # type: ignore[arg-type]

    assert found == ChainRefusal(reason=ChainReason.STALE_PRICE, detail=AssetId("WETH"))
