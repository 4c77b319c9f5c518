"""
What a conversion costs: one set of functions for the planner, the venue, the benchmarks and the report.

All arithmetic is float64 in one fixed order; integers come out of `Quote` alone.
"""

from dataclasses import dataclass
from math import inf

from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion, Universe

GWEI = 10**9
BPS = 10_000.0
HAS_NO_DEPTH = inf


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainProfile:
    """
    What gas costs on one chain.

    On an L1 an action burns its gas units at the L1 price. On an L2 it burns them at `l2_gas_gwei` and
    pays for its calldata at a share of the L1 price (EIP-4844 blobs made that share small in 2024).

    Attributes:
        l2_gas_gwei: execution gas price; None for an L1, which pays the frame's price.
        data_gas_scalar: share of the L1 gas price paid per unit of data gas.
    """

    name: str
    l2_gas_gwei: float | None
    data_gas_scalar: float

    def gas_wei(self, conversion: Conversion, l1_gas_gwei: float) -> int:
        """Return the fee of one action in wei, rounded up."""
        if self.l2_gas_gwei is None:
            cost_gwei = conversion.gas_units * l1_gas_gwei
        else:
            execution = conversion.gas_units * self.l2_gas_gwei
            cost_gwei = execution + conversion.data_gas_units * l1_gas_gwei * self.data_gas_scalar
        return -int(-cost_gwei * GWEI // 1)


CHAINS = {
    "ethereum": ChainProfile(name="ethereum", l2_gas_gwei=None, data_gas_scalar=0.0),
    "base": ChainProfile(name="base", l2_gas_gwei=0.05, data_gas_scalar=0.1),
}
"""Named chain profiles. Base 2024: execution gas of some 0.05 gwei, blob data a tenth of L1's price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """
    What one conversion of `given_units` brings at a frame's prices, and where the rest goes.

    The value given equals the value taken plus fee plus impact, to the micro-dollar.
    """

    given_units: int
    taken_units: int
    value_micro_usd: int
    fee_micro_usd: int
    impact_micro_usd: int
    partial: bool


def value_after_costs(
    value_usd: float, *, fee_bps: float, haircut_bps: float, depth_usd: float
) -> tuple[float, float]:
    """
    Return (value after the fee alone, value after fee, impact and haircut) in USD.

    Impact is that of a constant-product pool with virtual depth x: the value shrinks by x / (x + value).
    """
    after_fee = value_usd * (1.0 - fee_bps / BPS)
    shrink = 1.0 if depth_usd == inf else depth_usd / (depth_usd + after_fee) if depth_usd > 0.0 else 0.0
    return after_fee, after_fee * shrink * (1.0 - haircut_bps / BPS)


def quote(universe: Universe, conversion: Conversion, units: int, frame: MarketFrame) -> Quote | None:
    """
    Return what converting `units` brings at this frame; None if no price or no liquidity allows any.

    Fewer units are used where the venue can turn over less (`partial`); units are rounded down, so a
    conversion never gives more than its value.
    """
    source, target = universe.by_id[conversion.source], universe.by_id[conversion.target]
    source_ticks = frame.ticks[universe.column[conversion.source]]
    target_ticks = frame.ticks[universe.column[conversion.target]]
    column = universe.conversion_column[conversion.id]
    if not source_ticks or not target_ticks:
        return None
    value_micro = source.value_micro_usd(units, source_ticks)
    capacity_micro = frame.capacity_usd[column] * 1e6
    partial = value_micro > capacity_micro
    if partial:
        units = source.units_for_micro_usd(int(capacity_micro), source_ticks)
        value_micro = source.value_micro_usd(units, source_ticks)
    after_fee, after_all = value_after_costs(
        float(value_micro),
        fee_bps=conversion.fee_bps,
        haircut_bps=conversion.haircut_bps,
        depth_usd=frame.depth_usd[column] * 1e6,
    )
    # Above some $9 billion a float is coarser than a micro-dollar: never let that become a gain.
    taken = target.units_for_micro_usd(min(int(after_all), value_micro), target_ticks)
    if taken <= 0:
        return None
    fee_micro = value_micro - min(int(after_fee), value_micro)
    taken_micro = target.value_micro_usd(taken, target_ticks)
    return Quote(
        given_units=units,
        taken_units=taken,
        value_micro_usd=value_micro,
        fee_micro_usd=fee_micro,
        impact_micro_usd=value_micro - fee_micro - taken_micro,
        partial=partial,
    )


def impact_bps(universe: Universe, conversion: Conversion, value_usd: float, frame: MarketFrame) -> float:
    """Return the price impact of converting `value_usd` at this frame, in basis points."""
    depth_usd = frame.depth_usd[universe.conversion_column[conversion.id]]
    if depth_usd == inf:
        return 0.0
    return BPS * value_usd / (depth_usd + value_usd) if depth_usd > 0.0 else BPS


def gas_micro_usd(universe: Universe, wei: int, frame: MarketFrame) -> int:
    """Return what `wei` of gas cost at the frame's price of the gas asset, rounded up."""
    gas = universe.by_id[universe.gas]
    return -gas.value_micro_usd(-wei, frame.ticks[universe.column[universe.gas]])


def reserve_units_up(universe: Universe, micro_usd: int, frame: MarketFrame) -> int:
    """Return the units of the reserve asset worth at least `micro_usd`."""
    reserve: AssetId = universe.reserve
    return universe.by_id[reserve].units_for_micro_usd_up(micro_usd, frame.ticks[universe.column[reserve]])
