"""What can be held, and what can be turned into what: a universe of assets and conversions."""

from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Literal

from treasury_actors.ids import AssetId, ConversionId, VenueId
from treasury_actors.money import Asset

Action = Literal["swap", "supply", "withdraw", "stake", "deposit", "redeem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """
    One way to turn `source` into `target` at a venue, and what it costs.

    Value out = value in x (1 - fee) x (1 - haircut) x depth / (depth + value in), with the depth of the
    frame (infinite where a conversion has no price impact), plus gas.

    Attributes:
        fee_bps: the pool's fee, in basis points of the value converted.
        haircut_bps: what a sale loses beyond the fee where only a protocol rate is known, not a market.
        gas_units: execution gas of the action; `data_gas_units` is its calldata posted to L1 by an L2.
        assumed_depth_usd: the depth where the data has none; a stated assumption, printed in the report.
        assumed_capacity_usd: what it can turn over in one frame where the data does not say.
        reduces: true if it turns an asset towards the reserve: always allowed, also while reducing.
    """

    id: ConversionId
    venue: VenueId
    action: Action
    source: AssetId
    target: AssetId
    fee_bps: float
    haircut_bps: float = 0.0
    gas_units: int
    data_gas_units: int
    assumed_depth_usd: float = inf
    assumed_capacity_usd: float = inf
    reduces: bool


@dataclass(frozen=True, kw_only=True)
class Universe:
    """
    The assets of a market and the conversions between them.

    Columns of a frame follow the order of `assets` and `conversions`. `reserve` is the asset that
    capital is counted, allotted and returned in; `gas` is the chain's native asset.
    """

    name: str
    assets: tuple[Asset, ...]
    conversions: tuple[Conversion, ...]
    reserve: AssetId
    gas: AssetId

    @cached_property
    def column(self) -> dict[AssetId, int]:
        """Map an asset to its column in a frame."""
        return {asset.id: column for column, asset in enumerate(self.assets)}

    @cached_property
    def conversion_column(self) -> dict[ConversionId, int]:
        """Map a conversion to its column in a frame."""
        return {conversion.id: column for column, conversion in enumerate(self.conversions)}

    @cached_property
    def by_id(self) -> dict[AssetId, Asset]:
        """Map an asset id to the asset."""
        return {asset.id: asset for asset in self.assets}

    @cached_property
    def conversion_by_id(self) -> dict[ConversionId, Conversion]:
        """Map a conversion id to the conversion."""
        return {conversion.id: conversion for conversion in self.conversions}

    @cached_property
    def routes(self) -> dict[tuple[AssetId, AssetId], tuple[Conversion, ...]]:
        """
        Map (source, target) to the shortest chain of conversions; ties go to the earlier conversion.

        Routes to every asset from every asset are found once, breadth first.
        """
        found: dict[tuple[AssetId, AssetId], tuple[Conversion, ...]] = {}
        for asset in self.assets:
            frontier: list[tuple[AssetId, tuple[Conversion, ...]]] = [(asset.id, ())]
            seen = {asset.id}
            while frontier:
                reached: list[tuple[AssetId, tuple[Conversion, ...]]] = []
                for place, path in frontier:
                    for step in self.conversions:
                        if step.source == place and step.target not in seen:
                            seen.add(step.target)
                            found[asset.id, step.target] = (*path, step)
                            reached.append((step.target, (*path, step)))
                frontier = reached
        return found
