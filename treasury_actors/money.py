"""
Exact money. Units are integers of an asset's smallest part; decimals live in the asset.

A price is an integer count of *ticks*; one tick of an asset is `10**-tick_exponent` USD. A value in
USD is an integer count of micro-dollars. Every function that rounds says which way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow

from treasury_actors.ids import AssetId

MICRO_USD_EXPONENT = 6
MICRO_USD = 10**MICRO_USD_EXPONENT
_EXACT = Context(prec=200, Emax=199, Emin=-199, traps=[InvalidOperation, Inexact, Overflow])
"""Up to 200 digits, and an error rather than a rounding: the default context rounds at 29 digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """
    Something a treasury can hold.

    Attributes:
        decimals: one whole token is `10**decimals` units.
        tick_exponent: one price tick is `10**-tick_exponent` USD, at most 1e-9 of a usual price.
        underlying: for a yield-bearing share token, the asset its share price is counted in.
    """

    id: AssetId
    decimals: int
    tick_exponent: int
    underlying: AssetId | None = None

    def value_micro_usd(self, units: int, ticks: int) -> int:
        """Return what `units` are worth at `ticks`, in micro-dollars, rounded down."""
        shift = self.decimals + self.tick_exponent - MICRO_USD_EXPONENT
        scale: int = 10 ** abs(shift)
        return units * ticks // scale if shift >= 0 else units * ticks * scale

    def values_micro_usd(self, units: int, course: Sequence[int]) -> list[int]:
        """Return what the same `units` are worth at one price in ticks after the other, each rounded down."""
        shift = self.decimals + self.tick_exponent - MICRO_USD_EXPONENT
        scale: int = 10 ** abs(shift)
        if shift >= 0:
            return [units * ticks // scale for ticks in course]
        return [units * ticks * scale for ticks in course]

    def units_for_micro_usd(self, micro_usd: int, ticks: int) -> int:
        """Return how many units `micro_usd` buy at `ticks`, rounded down; `ticks` must be positive."""
        shift = self.decimals + self.tick_exponent - MICRO_USD_EXPONENT
        scale: int = 10 ** abs(shift)
        return micro_usd * scale // ticks if shift >= 0 else micro_usd // (ticks * scale)

    def units_for_micro_usd_up(self, micro_usd: int, ticks: int) -> int:
        """Return the fewest units worth at least `micro_usd` at `ticks`: rounded up."""
        return -self.units_for_micro_usd(-micro_usd, ticks)

    def parse(self, text: str) -> int:
        """Return the units of a decimal amount such as `"1000.5"`; raise ValueError if not exact."""
        try:
            scaled = Decimal(text).scaleb(self.decimals, _EXACT)
        except DecimalException:
            raise ValueError(f"{text!r} is not a decimal amount of at most 200 digits") from None
        if not scaled.is_finite() or scaled != scaled.to_integral_value():
            raise ValueError(f"{text!r} has more than {self.decimals} decimals of {self.id}")
        return int(scaled)

    def format(self, units: int) -> str:
        """Return `units` as an exact decimal string of whole tokens."""
        return f"{Decimal(units).scaleb(-self.decimals, _EXACT):f}"


def split_by_largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """
    Split `total` in proportion to integer `weights`; the parts equal the whole to the unit (I8).

    Each part is the floor of its share; the units left over go to the largest remainders, ties to the
    earlier position. Weights that sum to zero get nothing.
    """
    assert total >= 0, "only a non-negative total can be split"
    assert all(weight >= 0 for weight in weights), "weights are non-negative"
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for position in by_remainder[: total - sum(parts)]:
        parts[position] += 1
    assert sum(parts) == total, "I8: the parts are the whole"
    return parts


def usd(micro_usd: int) -> str:
    """Return micro-dollars as an exact decimal string in dollars."""
    return f"{Decimal(micro_usd).scaleb(-MICRO_USD_EXPONENT, _EXACT):f}"
