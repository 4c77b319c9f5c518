"""
What happens when a conversion is executed at a frame, and who pays its gas. Pure.

The simulated venue, the engine and the population evaluator settle with these functions and no others, so
a strategy costs the same wherever it is tried.
"""

from dataclasses import dataclass
from typing import TypeAlias

from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.trading.model.costs import (
    ChainProfile,
    Quote,
    gas_micro_usd,
    quote,
    reserve_units_up,
)
from treasury_actors.trading.model.order import TradingReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A conversion was executed, perhaps in part, for `gas_wei`."""

    quote: Quote
    gas_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDone:
    """A conversion was not executed; nothing was given, no gas was burnt."""

    reason: TradingReason
    detail: str


Outcome: TypeAlias = Done | NotDone


@dataclass(frozen=True, slots=True, kw_only=True)
class GasCharge:
    """
    What gas costs the one who converts.

    Attributes:
        micro_usd: the fee at the frame's price of the gas asset, rounded up.
        paid_units: of the reserve asset, what it can pay of that; the treasury bears the rest.
    """

    micro_usd: int
    paid_units: int


def execute(
    universe: Universe,
    step: Conversion,
    units: int,
    frame: MarketFrame,
    *,
    chain: ChainProfile,
    gas_wei_max: int,
) -> Outcome:
    """Convert `units` at this frame. Nothing trades at a price that is missing or stale."""
    for asset in (step.source, step.target):
        if not frame.fresh[universe.column[asset]]:
            return NotDone(reason=TradingReason.STALE_PRICE, detail=asset)
    gas_wei = chain.gas_wei(step, frame.l1_gas_gwei)
    if gas_wei > gas_wei_max:
        detail = f"{gas_wei} wei of gas is above the cap of {gas_wei_max}"
        return NotDone(reason=TradingReason.NO_GAS, detail=detail)
    bought = quote(universe, step, units, frame)
    if bought is None:
        return NotDone(reason=TradingReason.NO_LIQUIDITY, detail=step.id)
    return Done(quote=bought, gas_wei=gas_wei)


def charge_gas(universe: Universe, gas_wei: int, purse_units: int, frame: MarketFrame) -> GasCharge:
    """
    Return what `gas_wei` cost one who has `purse_units` of the reserve asset.

    An exit is never refused for want of gas money: what the purse lacks isn't paid.
    """
    if gas_wei == 0:
        return GasCharge(micro_usd=0, paid_units=0)
    micro_usd = gas_micro_usd(universe, gas_wei, frame)
    return GasCharge(
        micro_usd=micro_usd, paid_units=min(reserve_units_up(universe, micro_usd, frame), purse_units)
    )
