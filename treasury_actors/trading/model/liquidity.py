"""
What holdings could be the reserve asset, and when. Pure; by the cost functions that every sale goes by.

A route turns over no more a frame than its venues allow at this one, and in a pool no more than costs 1% of
price impact: what sells only at a worse price is not called liquid.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.trading.model.costs import BPS, quote
from treasury_actors.trading.model.valuation import nav_micro_usd

LIQUID_FRAMES = 24
WEEK_FRAMES = 168
LIQUID_IMPACT_BPS = 100.0
"""What sells only at a worse price than this is not called liquid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """
    What selling a holding over some frames brings.

    Attributes:
        sold_units: of the asset.
        exit_micro_usd: what they bring in the reserve asset, before gas.
        cost_micro_usd: what they were worth more than that: fees, impact, haircuts.
        frames: how many frames it takes.
        sends: how many transactions.
    """

    sold_units: int
    exit_micro_usd: int
    cost_micro_usd: int
    frames: int
    sends: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidity:
    """
    Exit value by when it could be had, in micro-dollars; each span includes the shorter ones.

    Attributes:
        locked_micro_usd: NAV of what no sale within a week reaches: for want of a fresh price, of liquidity
            or of a way home, or because it pays for gas.
    """

    now_micro_usd: int
    day_micro_usd: int
    week_micro_usd: int
    locked_micro_usd: int


def frame_cap_micro_usd(universe: Universe, asset: AssetId, frame: MarketFrame) -> float:
    """Return the most of an asset that a frame turns into the reserve; at a stale price nothing."""
    if asset == universe.reserve:
        return inf
    route = universe.routes.get((asset, universe.reserve))
    if route is None or not all(frame.fresh[universe.column[step.source]] for step in route):
        return 0.0
    return min(_step_cap_micro_usd(universe, step, frame) for step in route)


def _step_cap_micro_usd(universe: Universe, step: Conversion, frame: MarketFrame) -> float:
    """Return what one step turns over in a frame."""
    column = universe.conversion_column[step.id]
    most_in_pool = frame.depth_usd[column] * LIQUID_IMPACT_BPS / (BPS - LIQUID_IMPACT_BPS)
    return min(frame.capacity_usd[column], most_in_pool) * 1e6


def sell(universe: Universe, asset: AssetId, units: int, frame: MarketFrame, *, frames: int) -> Sale:
    """Return what selling up to `units` in so many frames brings; the reserve asset needs none of them."""
    if asset == universe.reserve:
        value = nav_micro_usd(universe, [(asset, units)], frame)
        return Sale(sold_units=units, exit_micro_usd=value, cost_micro_usd=0, frames=0, sends=0)
    part = _part_units(universe, asset, units, frame) if frames > 0 else 0
    if part <= 0 or units <= 0:
        return Sale(sold_units=0, exit_micro_usd=0, cost_micro_usd=0, frames=0, sends=0)
    whole = min(units // part, frames)
    rest = units - part * whole if whole < frames else 0
    exit_micro_usd = whole * _exit_micro_usd(universe, asset, part, frame)
    exit_micro_usd += _exit_micro_usd(universe, asset, rest, frame) if rest else 0
    sold, used = part * whole + rest, whole + bool(rest)
    worth = nav_micro_usd(universe, [(asset, sold)], frame)
    return Sale(
        sold_units=sold,
        exit_micro_usd=exit_micro_usd,
        cost_micro_usd=max(0, worth - exit_micro_usd),
        frames=used,
        sends=used * len(universe.routes[asset, universe.reserve]),
    )


def _part_units(universe: Universe, asset: AssetId, units: int, frame: MarketFrame) -> int:
    """Return how much of a holding is sold in one frame."""
    cap = frame_cap_micro_usd(universe, asset, frame)
    if cap <= 0.0:
        return 0
    if cap == inf or nav_micro_usd(universe, [(asset, units)], frame) <= cap:
        return units
    return universe.by_id[asset].units_for_micro_usd(int(cap), frame.ticks[universe.column[asset]])


def _exit_micro_usd(universe: Universe, asset: AssetId, units: int, frame: MarketFrame) -> int:
    """Return what one sale brings, hop by hop; 0 where a hop brings nothing."""
    for step in universe.routes[asset, universe.reserve]:
        bought = quote(universe, step, units, frame)
        if bought is None:
            return 0
        asset, units = step.target, bought.taken_units
    return nav_micro_usd(universe, [(asset, units)], frame)


def liquidity(universe: Universe, holdings: Iterable[tuple[AssetId, int]], frame: MarketFrame) -> Liquidity:
    """Return what holdings could bring at once, within a day and within a week, and what stays locked."""
    now = day = week = locked = 0
    for asset, units in holdings:
        if asset == universe.reserve:
            now += nav_micro_usd(universe, [(asset, units)], frame)
            continue
        day += sell(universe, asset, units, frame, frames=LIQUID_FRAMES).exit_micro_usd
        in_a_week = sell(universe, asset, units, frame, frames=WEEK_FRAMES)
        week += in_a_week.exit_micro_usd
        locked += nav_micro_usd(universe, [(asset, units - in_a_week.sold_units)], frame)
    return Liquidity(
        now_micro_usd=now,
        day_micro_usd=now + day,
        week_micro_usd=now + week,
        locked_micro_usd=locked,
    )
