"""
What a sandwich takes from a swap, by the maths of one full-range position. Pure, in raw units.

An attacker who sees a swap waiting buys what it buys before it (the front-run), lets it trade at the worse
price, and sells into the price it leaves (the back-run). The swap's own minimum is all that bounds the loss:
the front-run may be as large as still lets it pass.
"""

from dataclasses import dataclass, replace
from typing import Final

from treasury_actors.simulation.rehearsal.curves import PoolState, swap_exact_in, units_in_to_reach

SQRT_PRICE_TIMES_MOST: Final = 10
"""A front-run moves a price a hundredfold at most: what is beyond is no market, and its fee only grows."""


_ROUNDING_UNITS, _ROUNDING_PART = 100, 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Squeeze:
    """
    A sandwich as it will go, in units of the swap's source and target.

    Attributes:
        front_units: of the source, what the front-run gives; `bought_units` of the target is what it takes.
        back_units: of the source, what the back-run takes for `bought_units`.
        left_units: of the target, what the swap in the middle still takes.
        unharmed_units: of the target, what it would have taken alone.
    """

    front_units: int
    bought_units: int
    back_units: int
    left_units: int
    unharmed_units: int

    @property
    def gained_units(self) -> int:
        """Return what the attacker gains before gas; a loss is negative."""
        return self.back_units - self.front_units

    @property
    def lost_units(self) -> int:
        """Return what the swap in the middle loses."""
        return self.unharmed_units - self.left_units


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A swap that waits: what it gives, the least it takes, and which way it moves its pool."""

    units_in: int
    units_out_min: int
    zero_for_one: bool


def squeezed(pool: PoolState, waiting: Waiting, front_units: int) -> Squeeze:
    """Return the sandwich whose front-run gives `front_units`."""
    way = waiting.zero_for_one
    alone = swap_exact_in(pool, waiting.units_in, zero_for_one=way)
    front = swap_exact_in(pool, front_units, zero_for_one=way)
    middle = swap_exact_in(
        replace(pool, sqrt_price_x96=front.sqrt_price_x96), waiting.units_in, zero_for_one=way
    )
    back = swap_exact_in(
        replace(pool, sqrt_price_x96=middle.sqrt_price_x96), front.units_out, zero_for_one=not way
    )
    return Squeeze(
        front_units=front_units,
        bought_units=front.units_out,
        back_units=back.units_out,
        left_units=middle.units_out,
        unharmed_units=alone.units_out,
    )


def rounding(units_out: int) -> int:
    """
    Return by how many units a pool may pay less than our one step says.

    It takes a step at each word of its tick bitmap and rounds in each, by a unit of what it takes, too: one
    of a token with 6 decimals is worth many of one with 18.
    """
    return _ROUNDING_UNITS + units_out // _ROUNDING_PART


def largest_front(pool: PoolState, waiting: Waiting, units_max: int) -> int:
    """Return the most units, up to `units_max`, after which the swap still takes its minimum; 0 if none."""
    price = pool.sqrt_price_x96
    edge = price // SQRT_PRICE_TIMES_MOST if waiting.zero_for_one else price * SQRT_PRICE_TIMES_MOST
    floor = waiting.units_out_min + rounding(waiting.units_out_min)
    low, high = 0, min(units_max, units_in_to_reach(pool, edge))
    while low < high:
        middle = (low + high + 1) // 2
        if squeezed(pool, waiting, middle).left_units >= floor:
            low = middle
        else:
            high = middle - 1
    return low


def best_front(pool: PoolState, waiting: Waiting, units_max: int) -> int:
    """
    Return the front-run of at most `units_max` that gains most; 0 if none gains.

    A larger one squeezes more out of the swap, with ever less of an effect, and pays the pool's fee twice on
    all of itself: the gain has one peak, and a search in thirds finds it.
    """
    low, high = 0, units_max
    while high - low > 2:  # noqa: PLR2004  # three neighbours are compared one by one
        third = (high - low) // 3
        first, second = low + third, high - third
        if squeezed(pool, waiting, first).gained_units < squeezed(pool, waiting, second).gained_units:
            low = first + 1
        else:
            high = second
    best = max(range(low, high + 1), key=lambda units: squeezed(pool, waiting, units).gained_units)
    return best if squeezed(pool, waiting, best).gained_units > 0 else 0
