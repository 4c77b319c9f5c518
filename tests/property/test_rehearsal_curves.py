"""The curves of the rehearsal's contracts: what an arbitrageur and a borrower compute before they move."""

from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.simulation.rehearsal.curves import (
    Q96,
    RAY,
    PoolState,
    RateCurve,
    sqrt_price_x96,
    swap_exact_in,
    units_in_to_reach,
)

FEES = st.sampled_from([100, 500, 3000, 10000])
LIQUIDITY = st.integers(min_value=10**9, max_value=10**24)
PRICES = st.integers(min_value=Q96 // 10**7, max_value=Q96 * 10**7)
RATES = st.integers(min_value=0, max_value=RAY // 2)
CURVES = st.builds(
    RateCurve,
    optimal_ray=st.integers(min_value=RAY // 2, max_value=RAY * 95 // 100),
    base_ray=st.just(0),
    slope1_ray=st.integers(min_value=RAY // 100, max_value=RAY // 10),
    slope2_ray=st.integers(min_value=RAY // 2, max_value=2 * RAY),
    reserve_factor_bps=st.integers(min_value=0, max_value=5_000),
)


@given(price=PRICES, target=PRICES, liquidity=LIQUIDITY, fee=FEES)
def test_what_an_arbitrageur_pays_in_is_enough_to_reach_the_price_and_hardly_more(
    price: int, target: int, liquidity: int, fee: int
) -> None:
    """A pool stops at a limit once what came in, less the fee, covers the way there (`SwapMath`)."""
    pool = PoolState(sqrt_price_x96=price, liquidity=liquidity, fee_pips=fee)
    units = units_in_to_reach(pool, target)
    down = target < price

    reached = swap_exact_in(pool, units, zero_for_one=down).sqrt_price_x96
    short = swap_exact_in(pool, max(0, units - 3), zero_for_one=down).sqrt_price_x96

    assert reached <= target if down else reached >= target
    assert units <= 3 or (short >= target if down else short <= target)


@given(price=PRICES, liquidity=LIQUIDITY, fee=FEES, units=st.integers(min_value=1, max_value=10**24))
def test_a_swap_there_and_back_never_gains(price: int, liquidity: int, fee: int, units: int) -> None:
    pool = PoolState(sqrt_price_x96=price, liquidity=liquidity, fee_pips=fee)
    there = swap_exact_in(pool, units, zero_for_one=False)
    moved = PoolState(sqrt_price_x96=there.sqrt_price_x96, liquidity=liquidity, fee_pips=fee)

    assert swap_exact_in(moved, there.units_out, zero_for_one=True).units_out <= units


@given(units0=st.integers(min_value=10**6, max_value=10**24), units1=st.integers(10**6, 10**24))
def test_a_square_root_price_is_rounded_down_by_less_than_one(units0: int, units1: int) -> None:
    root = sqrt_price_x96(units0, units1)

    assert root * root * units0 <= units1 * 2**192 < (root + 1) * (root + 1) * units0 + units0


@given(curve=CURVES, rate=RATES, total=st.integers(min_value=10**6, max_value=10**27))
def test_the_debt_for_a_rate_is_the_least_that_earns_it(curve: RateCurve, rate: int, total: int) -> None:
    debt = curve.debt_for(rate, total)

    assert 0 <= debt <= total
    assert debt == total or curve.supply_rate_ray(debt, total) >= rate
    assert debt == 0 or curve.supply_rate_ray(debt - 1, total) < rate
