"""Money never loses a unit, whatever its size."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.ids import AssetId
from treasury_actors.money import Asset, split_by_largest_remainder, usd

ASSETS = st.builds(
    Asset,
    id=st.just(AssetId("X")),
    decimals=st.integers(0, 24),
    tick_exponent=st.integers(0, 18),
)
HUGE = 10**60
UNITS = st.integers(-HUGE, HUGE)
TICKS = st.integers(1, 10**30)


@given(ASSETS, UNITS)
def test_what_is_formatted_is_parsed_again(asset: Asset, units: int) -> None:
    assert asset.parse(asset.format(units)) == units


@given(ASSETS, UNITS, TICKS)
def test_a_value_buys_at_most_the_units_it_is_of(asset: Asset, units: int, ticks: int) -> None:
    """One tick more or less of rounding is all that a round trip may lose, and never a gain."""
    value = asset.value_micro_usd(units, ticks)
    back = asset.units_for_micro_usd(value, ticks)

    assert back <= units
    assert asset.value_micro_usd(back, ticks) <= value <= asset.value_micro_usd(units, ticks)


@given(ASSETS, st.integers(0, HUGE), TICKS)
def test_units_rounded_up_are_the_fewest_worth_as_much(asset: Asset, micro_usd: int, ticks: int) -> None:
    up, down = asset.units_for_micro_usd_up(micro_usd, ticks), asset.units_for_micro_usd(micro_usd, ticks)

    assert asset.value_micro_usd(up, ticks) >= micro_usd
    assert up - down in {0, 1}
    assert up == 0 or asset.value_micro_usd(up - 1, ticks) < micro_usd


@given(ASSETS, UNITS, UNITS, TICKS)
def test_the_value_of_two_parts_is_at_most_a_micro_dollar_below_the_whole(
    asset: Asset, one: int, other: int, ticks: int
) -> None:
    parts = asset.value_micro_usd(one, ticks) + asset.value_micro_usd(other, ticks)
    assert asset.value_micro_usd(one + other, ticks) - parts in {0, 1}


@given(st.integers(0, HUGE), st.lists(st.integers(0, 10**30), max_size=60))
def test_i8_the_parts_are_the_whole_to_the_unit_and_each_is_fair(total: int, weights: list[int]) -> None:
    """I8, for any size and any weights."""
    parts = split_by_largest_remainder(total, weights)
    whole = sum(weights)

    assert sum(parts) == (total if whole else 0)
    assert len(parts) == len(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert part - (total * weight // whole if whole else 0) in {0, 1}
        assert weight or part == 0


@given(st.integers(0, HUGE), st.lists(st.integers(0, 10**9), min_size=2, max_size=20))
def test_who_weighs_more_gets_no_less(total: int, weights: list[int]) -> None:
    parts = split_by_largest_remainder(total, weights)
    ranked = sorted(zip(weights, parts, strict=True))

    assert all(less[1] <= more[1] for less, more in pairwise(ranked) if less[0] < more[0])


@given(UNITS)
def test_dollars_as_text_are_exact(micro_usd: int) -> None:
    assert int(usd(micro_usd).replace(".", "")) == micro_usd
