"""Aave's arithmetic in integers: what a scaled unit is worth, and that a withdrawal never takes too many."""

from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.trading.model.ray import (
    RAY,
    SECONDS_PER_YEAR,
    index_after,
    ray_divide,
    ray_multiply,
    scaled_by_supply,
    withdrawable,
)

indices = st.integers(RAY, 100 * RAY)
units = st.integers(1, 10**30)


def test_a_supply_of_a_million_at_a_known_index() -> None:
    """1,000,000 USDC at an index of 1.05 are 952,380.952381 scaled: the last digit is rounded up."""
    index_ray = 105 * RAY // 100

    assert scaled_by_supply(1_000_000_000_000, index_ray) == 952_380_952_381
    assert ray_multiply(952_380_952_381, index_ray) == 1_000_000_000_000


def test_half_a_unit_is_rounded_up() -> None:
    assert ray_divide(1, 2 * RAY) == 1
    assert ray_multiply(1, RAY // 2) == 1


def test_a_year_of_five_percent_is_five_percent() -> None:
    assert index_after(RAY, RAY // 20, SECONDS_PER_YEAR) == RAY * 105 // 100
    assert index_after(RAY, RAY // 20, 0) == RAY


@given(scaled=units, index_ray=indices, growth=st.integers(0, RAY), half_up=st.booleans())
def test_a_withdrawal_never_burns_more_than_was_meant(
    scaled: int, index_ray: int, growth: int, *, half_up: bool
) -> None:
    """At the index it was computed at or a later one, whether the pool rounds half up or against the user."""
    brings = withdrawable(scaled, index_ray)
    later = index_ray + growth

    burnt = ray_divide(brings, later) if half_up else -(-brings * RAY // later)

    assert burnt <= scaled


@given(scaled=units, index_ray=indices)
def test_at_the_same_index_a_withdrawal_leaves_at_most_one_unit(scaled: int, index_ray: int) -> None:
    left = scaled - ray_divide(withdrawable(scaled, index_ray), index_ray)

    assert 0 <= left <= 1


@given(given_units=units, index_ray=indices)
def test_a_supply_and_withdrawal_at_one_index_gain_nothing_but_rounding(
    given_units: int, index_ray: int
) -> None:
    back = withdrawable(scaled_by_supply(given_units, index_ray), index_ray)

    assert back - given_units <= index_ray // RAY // 2 + 1
