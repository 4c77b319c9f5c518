"""The comparison that decides whether trading may start: a missing unit is never explained away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.ids import AssetId
from treasury_actors.trading.model.reconciliation import Difference, Reconciliation, reconcile

USDC, WETH, A_USDC = AssetId("USDC"), AssetId("WETH"), AssetId("aUSDC")
NAMES = st.sampled_from([USDC, WETH, A_USDC, AssetId("LINK")])
HOLDINGS = st.dictionaries(NAMES, st.integers(min_value=0, max_value=10**30))


def test_equal_books_have_no_difference() -> None:
    same = {USDC: 10_000_000_000, WETH: 3}

    found = reconcile(same, dict(reversed(same.items())))

    assert found == Reconciliation(shortfalls=(), surpluses=())
    assert found.is_equal
    assert not found.is_short


def test_one_missing_unit_is_a_shortfall_that_names_its_asset() -> None:
    found = reconcile({USDC: 10_000_000_000, WETH: 3}, {USDC: 9_999_999_999, WETH: 3})

    assert found.shortfalls == (Difference(asset=USDC, expected=10_000_000_000, found=9_999_999_999),)
    assert found.shortfalls[0].units == 1
    assert found.is_short
    assert not found.is_equal


def test_dust_from_a_stranger_is_a_surplus_and_no_shortfall() -> None:
    found = reconcile({USDC: 5}, {USDC: 6, A_USDC: 1})

    assert found.surpluses == (
        Difference(asset=USDC, expected=5, found=6),
        Difference(asset=A_USDC, expected=0, found=1),
    )
    assert not found.is_short
    assert not found.is_equal


def test_an_asset_the_books_speak_of_and_nobody_found_is_missing_entirely() -> None:
    found = reconcile({A_USDC: 7}, {})

    assert found.shortfalls == (Difference(asset=A_USDC, expected=7, found=0),)


def test_zero_on_one_side_is_the_same_as_not_being_named() -> None:
    assert reconcile({USDC: 0}, {WETH: 0}).is_equal


def test_a_surplus_of_one_asset_never_pays_for_a_shortfall_of_another() -> None:
    found = reconcile({USDC: 10, WETH: 10}, {USDC: 9, WETH: 1_000})

    assert [item.asset for item in found.shortfalls] == [USDC]
    assert [item.asset for item in found.surpluses] == [WETH]


@pytest.mark.parametrize("sides", [({USDC: -1}, {}), ({}, {USDC: -1})])
def test_units_below_zero_are_a_bug(sides: tuple[dict[AssetId, int], dict[AssetId, int]]) -> None:
    with pytest.raises(AssertionError):
        reconcile(*sides)


@given(expected=HOLDINGS, found=HOLDINGS)
def test_every_unit_of_difference_is_named_once(
    expected: dict[AssetId, int], found: dict[AssetId, int]
) -> None:
    compared = reconcile(expected, found)

    signed = {item.asset: item.units for item in compared.surpluses}
    signed |= {item.asset: -item.units for item in compared.shortfalls}
    assert len(signed) == len(compared.surpluses) + len(compared.shortfalls), "no asset in both"
    for asset in [*expected, *found]:
        assert expected.get(asset, 0) + signed.get(asset, 0) == found.get(asset, 0)
    assert list(compared.shortfalls) == sorted(compared.shortfalls, key=lambda item: item.asset)
    assert list(compared.surpluses) == sorted(compared.surpluses, key=lambda item: item.asset)


@given(expected=HOLDINGS, found=HOLDINGS)
def test_the_two_sides_exchanged_exchange_shortfall_and_surplus(
    expected: dict[AssetId, int], found: dict[AssetId, int]
) -> None:
    there, back = reconcile(expected, found), reconcile(found, expected)

    assert [(item.asset, item.units) for item in there.shortfalls] == [
        (item.asset, item.units) for item in back.surpluses
    ]
    assert [(item.asset, item.units) for item in there.surpluses] == [
        (item.asset, item.units) for item in back.shortfalls
    ]
