"""Money is exact: amounts as text, values in micro-dollars, and how each is rounded."""

import pytest

from treasury_actors.ids import AssetId
from treasury_actors.money import Asset, split_by_largest_remainder, usd

USDC = Asset(id=AssetId("USDC"), decimals=6, tick_exponent=10)
WETH = Asset(id=AssetId("WETH"), decimals=18, tick_exponent=7)
COARSE = Asset(id=AssetId("COARSE"), decimals=0, tick_exponent=2)
"""Fewer decimals and ticks than micro-dollars: the scale is below one."""


@pytest.mark.parametrize(
    ("text", "units"),
    [("1", 10**6), ("1000.5", 1_000_500_000), ("0.000001", 1), ("-2", -2 * 10**6), ("1e3", 10**9), ("0", 0)],
)
def test_an_amount_is_parsed_exactly(text: str, units: int) -> None:
    assert USDC.parse(text) == units


@pytest.mark.parametrize(
    "text",
    ["", "one", "1,5", "NaN", "sNaN", "Infinity", "0.0000001", "1e400", "1e999999999", "1e-400", "1" * 250],
)
def test_an_amount_that_is_none_or_would_be_rounded_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="decimal"):
        USDC.parse(text)


def test_an_amount_beyond_every_default_context_is_exact() -> None:
    text = "9" * 60 + "." + "9" * 18

    assert WETH.parse(text) == int(text.replace(".", ""))
    assert WETH.format(WETH.parse(text)) == text


def test_nine_point_two_two_ether_is_no_limit() -> None:
    """SQLite's integer ends there; ours do not."""
    assert WETH.parse("9.3") == 9_300_000_000_000_000_000 > 2**63


@pytest.mark.parametrize(
    ("asset", "units", "ticks", "value"),
    [
        (USDC, 1_000_000, 10**10, 1_000_000),
        (USDC, 1, 10**10 - 1, 0),  # a unit worth a little less than a micro-dollar
        (USDC, -1, 10**10 - 1, -1),  # down means down, below zero too
        (WETH, 10**18, 2_000 * 10**7, 2_000_000_000),
        (WETH, 1, 2_000 * 10**7, 0),
        (COARSE, 3, 250, 7_500_000),
    ],
)
def test_a_value_is_rounded_down(asset: Asset, units: int, ticks: int, value: int) -> None:
    assert asset.value_micro_usd(units, ticks) == value


def test_units_for_a_value_are_rounded_as_named() -> None:
    assert USDC.units_for_micro_usd(100, 3 * 10**10) == 33
    assert USDC.units_for_micro_usd_up(100, 3 * 10**10) == 34
    assert USDC.units_for_micro_usd_up(99, 3 * 10**10) == 33
    assert COARSE.units_for_micro_usd(7_499_999, 250) == 2
    assert COARSE.units_for_micro_usd_up(7_499_999, 250) == 3


def test_i8_what_is_left_over_goes_to_the_largest_remainders_the_earlier_first() -> None:
    assert split_by_largest_remainder(100, [1, 1, 1]) == [34, 33, 33]
    assert split_by_largest_remainder(10, [3, 3, 1]) == [4, 4, 2]
    assert split_by_largest_remainder(5, [0, 1]) == [0, 5]
    assert split_by_largest_remainder(5, [0, 0]) == [0, 0]
    assert split_by_largest_remainder(0, [2, 1]) == [0, 0]
    assert split_by_largest_remainder(5, []) == []


def test_dollars_are_printed_to_the_micro_dollar() -> None:
    assert usd(1_234_567_890) == "1234.567890"
    assert usd(-1) == "-0.000001"
