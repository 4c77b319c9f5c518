"""
What the contracts compute, in integers: a pool of constant liquidity, and Aave's curve of rates.

A full-range position gives a pool one liquidity everywhere, so that a swap is one step of a curve; only where
the price passes the edge of a word of the pool's tick bitmap (256 tick spacings) does the pool compute two
steps, which round by a few units more. Formulas:
Uniswap v3 whitepaper 6.2 and `SwapMath`; Aave v3 `DefaultReserveInterestRateStrategy`, `WadRayMath`,
`PercentageMath`. Every function rounds as its contract does, and says so.
"""

from dataclasses import dataclass
from math import isqrt

Q96 = 2**96
RAY = 10**27
FEE_WHOLE_PIPS = 1_000_000
PERCENT_WHOLE_BPS = 10_000
YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState:
    """
    A Uniswap V3 pool between two ticks.

    Attributes:
        sqrt_price_x96: square root of (raw token1 per raw token0), times 2^96.
        liquidity: the liquidity in range.
        fee_pips: the fee in millionths of what comes in.
    """

    sqrt_price_x96: int
    liquidity: int
    fee_pips: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapResult:
    """What a swap paid out, in raw units, and where it left the price."""

    units_out: int
    sqrt_price_x96: int


def sqrt_price_x96(units0: int, units1: int) -> int:
    """Return the square root price at which `units0` are worth `units1`, rounded down."""
    return isqrt(units1 * 2**192 // units0)


def swap_exact_in(pool: PoolState, units_in: int, *, zero_for_one: bool) -> SwapResult:
    """Return what a swap of exactly `units_in` gives, as the pool rounds: never in favour of the taker."""
    kept = units_in * (FEE_WHOLE_PIPS - pool.fee_pips) // FEE_WHOLE_PIPS
    start = pool.sqrt_price_x96
    if zero_for_one:
        scaled = pool.liquidity << 96
        end = _ceil(scaled * start, scaled + kept * start)
        return SwapResult(units_out=pool.liquidity * (start - end) // Q96, sqrt_price_x96=end)
    end = start + (kept << 96) // pool.liquidity
    out = ((pool.liquidity << 96) * (end - start) // end) // start
    return SwapResult(units_out=out, sqrt_price_x96=end)


def units_in_to_reach(pool: PoolState, target_x96: int) -> int:
    """Return the fewest raw units, fee included, whose swap moves the price exactly to `target_x96`."""
    start = pool.sqrt_price_x96
    if target_x96 <= start:
        net = _ceil(_ceil((pool.liquidity << 96) * (start - target_x96), start), target_x96)
    else:
        net = _ceil(pool.liquidity * (target_x96 - start), Q96)
    return net + _ceil(net * pool.fee_pips, FEE_WHOLE_PIPS - pool.fee_pips)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCurve:
    """
    How a reserve's rate follows its utilisation: base, two slopes and a bend, all in ray.

    `reserve_factor_bps` is the protocol's share of what borrowers pay.
    """

    optimal_ray: int
    base_ray: int
    slope1_ray: int
    slope2_ray: int
    reserve_factor_bps: int

    def borrow_rate_ray(self, debt: int, total: int) -> int:
        """Return the variable rate borrowers pay when `debt` of `total` (idle plus debt) is lent out."""
        if debt == 0:
            return self.base_ray
        usage = ray_div(debt, total)
        if usage > self.optimal_ray:
            excess = ray_div(usage - self.optimal_ray, RAY - self.optimal_ray)
            return self.base_ray + self.slope1_ray + ray_mul(self.slope2_ray, excess)
        return self.base_ray + ray_div(ray_mul(self.slope1_ray, usage), self.optimal_ray)

    def supply_rate_ray(self, debt: int, total: int) -> int:
        """Return the rate suppliers earn when `debt` of `total` is lent out, all at the variable rate."""
        if debt == 0:
            return 0
        earned = ray_mul(self.borrow_rate_ray(debt, total), ray_div(debt, total))
        return percent_mul(earned, PERCENT_WHOLE_BPS - self.reserve_factor_bps)

    def debt_for(self, rate_ray: int, total: int) -> int:
        """Return the least debt out of `total` whose supply rate is at least `rate_ray`; at most `total`."""
        low, high = 0, total
        while low < high:
            middle = (low + high) // 2
            if self.supply_rate_ray(middle, total) < rate_ray:
                low = middle + 1
            else:
                high = middle
        return low


def ray_mul(a: int, b: int) -> int:
    """Return a x b in ray, rounded half up."""
    return (a * b + RAY // 2) // RAY


def ray_div(a: int, b: int) -> int:
    """Return a / b in ray, rounded half up."""
    return (a * RAY + b // 2) // b


def percent_mul(value: int, bps: int) -> int:
    """Return `value` x `bps` / 10,000, rounded half up."""
    return (value * bps + PERCENT_WHOLE_BPS // 2) // PERCENT_WHOLE_BPS


def grown_index(index_ray: int, rate_ray: int, seconds: int) -> int:
    """Return a liquidity index after `seconds` of linear interest."""
    return ray_mul(RAY + rate_ray * seconds // YEAR_S, index_ray)


def _ceil(a: int, b: int) -> int:
    return -(-a // b)
