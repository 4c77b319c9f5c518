"""
The books against what is really there, to the unit. Pure.

A *shortfall* is money the books speak of that isn't there: trading halts. A *surplus* is something that
anyone can send us: it is named, booked outside the NAV, and trading goes on. An aToken is compared in scaled
units, which don't grow by themselves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from treasury_actors.ids import AssetId


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """
    One asset of which books and findings differ, in its smallest units.

    Attributes:
        expected: what the books say must be there.
        found: what is there.
    """

    asset: AssetId
    expected: int
    found: int

    @property
    def units(self) -> int:
        """Return by how much, always above zero."""
        return abs(self.found - self.expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What a comparison found; each in asset order, no asset in both."""

    shortfalls: tuple[Difference, ...]
    surpluses: tuple[Difference, ...]

    @property
    def is_short(self) -> bool:
        """Return whether one unit or more is missing."""
        return bool(self.shortfalls)

    @property
    def is_equal(self) -> bool:
        """Return whether every asset is equal to the unit."""
        return not self.shortfalls and not self.surpluses


def reconcile(expected: Mapping[AssetId, int], found: Mapping[AssetId, int]) -> Reconciliation:
    """
    Compare what the books say with what was found, asset by asset.

    An asset that one of them doesn't name counts as zero there. So `found` must hold every asset that
    *could* be read: what was not asked for is missing, and rightly so, if the books speak of it.
    """
    assert all(units >= 0 for units in expected.values()), "a treasury owes nobody units"
    assert all(units >= 0 for units in found.values()), "nothing is held below zero"
    differences = [
        Difference(asset=asset, expected=expected.get(asset, 0), found=found.get(asset, 0))
        for asset in _names(expected, found)
        if expected.get(asset, 0) != found.get(asset, 0)
    ]
    return Reconciliation(
        shortfalls=tuple(item for item in differences if item.found < item.expected),
        surpluses=tuple(item for item in differences if item.found > item.expected),
    )


def _names(*sides: Iterable[AssetId]) -> list[AssetId]:
    """Return every asset of both sides once, in name order."""
    return sorted(dict.fromkeys(asset for side in sides for asset in side))
