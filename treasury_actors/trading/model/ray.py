"""
Aave's fixed point: a ray is 27 decimals; an aToken is a scaled balance times a growing liquidity index.

Formulas are those of Aave V3's `WadRayMath` and `MathUtils.calculateLinearInterest`. Which way each rounds is
in its name, since the same quotient is rounded half up by one release of Aave and down or up by another.
"""

RAY = 10**27
SECONDS_PER_YEAR = 365 * 24 * 3600


def ray_multiply(units: int, ray: int) -> int:
    """Return `units` x `ray`, rounded half up, as the pool does for a balance."""
    return (units * ray + RAY // 2) // RAY


def ray_divide(units: int, ray: int) -> int:
    """Return `units` / `ray`, rounded half up, as the pool does when it mints and burns scaled units."""
    return (units * RAY + ray // 2) // ray


def scaled_by_supply(units: int, index_ray: int) -> int:
    """Return the scaled units that a supply of `units` of the underlying mints at this index."""
    return ray_divide(units, index_ray)


def withdrawable(scaled_units: int, index_ray: int) -> int:
    """
    Return the units of the underlying that `scaled_units` are worth at this index, rounded down.

    A withdrawal of this amount at this index, or at any later and so greater one, burns at most
    `scaled_units`, whichever way the pool rounds: so it never takes what another owns of a pooled wallet.
    """
    return scaled_units * index_ray // RAY


def index_after(index_ray: int, rate_ray: int, elapsed_s: int) -> int:
    """Return the index `elapsed_s` later: linear interest at the yearly `rate_ray`, as the pool adds it."""
    return ray_multiply(index_ray, RAY + rate_ray * elapsed_s // SECONDS_PER_YEAR)
