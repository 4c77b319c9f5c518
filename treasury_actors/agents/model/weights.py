"""What share of its NAV an agent holds in each slot: float64, in one fixed order. Pure."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from treasury_actors.ids import AssetId
from treasury_actors.market.model.universe import Universe

Owned: TypeAlias = tuple[int, int, int]
"""One holding: its column, its units, and how many units times ticks make a dollar."""


def owned_columns(universe: Universe, owned: Mapping[AssetId, int]) -> list[Owned]:
    """Return holdings as `slot_weights` wants them, in asset order whatever the order of `owned`."""
    found: list[Owned] = []
    for asset_id, units in sorted(owned.items()):
        asset = universe.by_id[asset_id]
        found.append((universe.column[asset_id], units, 10 ** (asset.decimals + asset.tick_exponent)))
    return found


def slot_weights(owned: Sequence[Owned], columns: Sequence[int], ticks: Sequence[int]) -> tuple[float, ...]:
    """Return the weight of the asset of each column in `columns`; all 0 for one who owns nothing."""
    values: dict[int, float] = {}
    nav = 0.0
    for column, units, scale in owned:
        value = units * ticks[column] / scale
        values[column] = value
        nav += value
    if nav <= 0.0:
        return (0.0,) * len(columns)
    return tuple([values.get(column, 0.0) / nav for column in columns])
