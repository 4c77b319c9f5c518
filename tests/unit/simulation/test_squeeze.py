"""The maths of a sandwich: it takes what the minimum leaves, where that pays the pool's fee twice."""

from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.simulation.rehearsal.curves import PoolState, sqrt_price_x96
from treasury_actors.simulation.rehearsal.squeeze import (
    Waiting,
    best_front,
    largest_front,
    rounding,
    squeezed,
)

DOLLARS, ETHER = 10**6, 10**18
DEPTH = 3_000_000 * DOLLARS
RESERVES = (DEPTH, 1_000 * ETHER)
POOL = PoolState(
    sqrt_price_x96=sqrt_price_x96(*RESERVES),
    liquidity=sqrt_price_x96(*RESERVES) * RESERVES[0] // 2**96,
    fee_pips=500,
)
NO_LIMIT = 10**30


def waiting(dollars: int, *, bound_bps: int) -> Waiting:
    """Return a swap of dollars for ether that takes at least its pool's quote less a bound."""
    units = dollars * DOLLARS
    open_swap = Waiting(units_in=units, units_out_min=1, zero_for_one=True)
    quote = squeezed(POOL, open_swap, 0).unharmed_units
    return Waiting(units_in=units, units_out_min=quote * (10_000 - bound_bps) // 10_000, zero_for_one=True)


@given(st.integers(100, 500_000), st.integers(1, 5_000))
def test_the_largest_front_run_leaves_the_minimum_and_a_larger_one_does_not(dollars: int, bps: int) -> None:
    swap = waiting(dollars, bound_bps=bps)

    most = largest_front(POOL, swap, NO_LIMIT)

    assert squeezed(POOL, swap, most).left_units >= swap.units_out_min + rounding(swap.units_out_min)
    assert squeezed(POOL, swap, most + 1).left_units < swap.units_out_min + rounding(swap.units_out_min)


@given(st.integers(10_000, 500_000), st.integers(1, 9_999), st.integers(0, 1_000))
def test_no_other_front_run_gains_more_than_the_best(dollars: int, bps: int, permille: int) -> None:
    swap = waiting(dollars, bound_bps=bps)
    most = largest_front(POOL, swap, NO_LIMIT)

    best = best_front(POOL, swap, most)

    other = squeezed(POOL, swap, most * permille // 1_000).gained_units
    # Units of a millionth of a dollar are coarser than the search: beside the peak all look alike.
    assert squeezed(POOL, swap, best).gained_units >= other - 2


@given(st.integers(2_000, 500_000), st.integers(1, 300))
def test_a_swap_loses_at_most_what_its_minimum_leaves(dollars: int, bps: int) -> None:
    swap = waiting(dollars, bound_bps=bps)

    harm = squeezed(POOL, swap, largest_front(POOL, swap, NO_LIMIT))

    assert 0 < harm.lost_units * 10_000 <= harm.unharmed_units * (bps + 1)


def test_a_swap_smaller_than_the_fee_of_its_own_sandwich_is_left_alone() -> None:
    """To gain from $1,000 in a pool of $3M takes more than the pool's 5 bps, twice, on the front-run."""
    swap = waiting(1_000, bound_bps=9_999)

    assert best_front(POOL, swap, largest_front(POOL, swap, NO_LIMIT)) == 0
    assert best_front(POOL, waiting(10_000, bound_bps=9_999), NO_LIMIT) > 0


def test_a_purse_bounds_the_front_run() -> None:
    assert largest_front(POOL, waiting(10_000, bound_bps=5_000), 77) == 77


def test_a_swap_that_fails_by_itself_is_left_alone() -> None:
    swap = Waiting(units_in=DOLLARS, units_out_min=ETHER, zero_for_one=True)

    assert largest_front(POOL, swap, NO_LIMIT) == 0
