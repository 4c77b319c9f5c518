"""
From holdings and target weights to orders: the planner on records. Imports numba: import it late.

Every sum runs in the order of `trading.model.planner`, so sizes have its bits.
"""

from treasury_actors.simulation.compiled.arithmetic import (
    at,
    put,
    units_for_micro_usd,
    value_micro_usd,
    whole_number,
)
from treasury_actors.simulation.compiled.fills import value_after_costs
from treasury_actors.simulation.compiled.jit import inner
from treasury_actors.simulation.compiled.layout import ORDERS_MAX, Now, Record
from treasury_actors.simulation.compiled.wide import Wide, wide
from treasury_actors.trading.model.costs import BPS


@inner
def path_is_fresh(now: Now, source: int, target: int) -> bool:
    """Say whether every asset on the path has a fresh price."""
    table, frame = now.table, now.frame
    for hop in range(table.route_length[source, target]):
        step = table.route[source, target, hop]
        if frame.fresh[table.source[step]] == 0 or frame.fresh[table.target[step]] == 0:
            return False
    return True


@inner
def add_order(life: Record, source: int, target: int, units: Wide) -> None:
    """Add an order to those of this frame."""
    place = life.order_count
    if place == ORDERS_MAX:
        raise OverflowError("more orders than there is room for")
    life.order_source[place], life.order_target[place] = source, target
    put(life.order_units, place, units)
    life.order_count = place + 1


@inner
def plan(now: Now, life: Record) -> None:
    """Order what brings the holdings to the targets, sales first."""
    table = now.table
    if not _changes(now, life):
        return
    changes, reserve = life.changes_usd, table.reserve
    _join(now, life)
    for asset in range(changes.size):
        if changes[asset] < 0.0:
            _leg(now, life, asset, reserve, -changes[asset], life.wanted_usd[asset] == 0.0)
    for asset in range(changes.size):
        if changes[asset] > 0.0:
            _leg(now, life, reserve, asset, changes[asset], False)


@inner
def _changes(now: Now, life: Record) -> bool:
    """Write what every holding has to change by, and say whether the whole of it is worthwhile."""
    table, frame = now.table, now.frame
    values, wanted, changes, reserve = life.values_usd, life.wanted_usd, life.changes_usd, table.reserve
    for asset in range(values.size):
        values[asset] = wanted[asset] = changes[asset] = 0.0
    nav_usd = 0.0
    for place in range(life.held_count):
        asset = life.order[place]
        units = at(life.units, asset)
        put(life.left, asset, units)
        values[asset] = float(value_micro_usd(table, asset, units, frame.ticks[asset])) / 1e6
        nav_usd += values[asset]
    asked = 0.0
    for slot in range(life.slots):
        if life.columns[slot] != reserve:
            asked += life.targets[slot]
    room = 1.0 - table.cash_bps / BPS
    invest_usd = max(0.0, nav_usd) * (room / asked if asked > room else 1.0)
    for slot in range(life.slots):
        if life.columns[slot] != reserve:
            wanted[life.columns[slot]] = life.targets[slot] * invest_usd
    turnover_usd = 0.0
    for asset in range(values.size):
        if asset != reserve:
            changes[asset] = wanted[asset] - values[asset]
            turnover_usd += abs(changes[asset])
    life.cash_usd = values[reserve]
    return not turnover_usd / 2.0 < nav_usd * table.band_bps / BPS


@inner
def _join(now: Now, life: Record) -> None:
    """Order what converts directly, and take it out of the changes."""
    table = now.table
    changes, reserve = life.changes_usd, table.reserve
    for source in range(changes.size):
        for target in range(changes.size):
            if not (changes[source] < 0.0 < changes[target]):
                continue
            direct = table.route_length[source, target]
            if direct == 0:
                continue
            there, back = table.route_length[source, reserve], table.route_length[reserve, target]
            if there == 0 or back == 0:
                raise KeyError("an asset without a way to the reserve")
            if direct < there + back:
                value_usd = min(-changes[source], changes[target])
                _leg(now, life, source, target, value_usd, False)
                changes[source] += value_usd
                changes[target] -= value_usd


@inner
def _leg(
    now: Now,
    life: Record,
    source: int,
    target: int,
    value_usd: float,
    everything: bool,
) -> None:
    """Order one leg, if it is possible and worthwhile."""
    table = now.table
    if value_usd > table.trade_usd_max:
        value_usd, everything = table.trade_usd_max, False
    if table.route_length[source, target] == 0 or not path_is_fresh(now, source, target):
        return
    if value_usd < (table.dust_usd if everything else table.trade_usd_min):
        return
    proceeds_usd = _proceeds(now, source, target, value_usd)
    cost_ratio = 1.0 - proceeds_usd / value_usd if value_usd > 0.0 else 0.0
    if cost_ratio * BPS > table.cost_bps_max:
        return
    if source == table.reserve:
        value_usd = min(value_usd, life.cash_usd)
        if value_usd < table.trade_usd_min:
            return
        life.cash_usd -= value_usd
        units = _units(now, source, value_usd)
    else:
        life.cash_usd += proceeds_usd if target == table.reserve else 0.0
        left = at(life.left, source)
        units = left if everything else min(_units(now, source, value_usd), left)
        put(life.left, source, left - units)
    if units > wide(0):
        add_order(life, source, target, units)


@inner
def _units(now: Now, asset: int, value_usd: float) -> Wide:
    """Turn a size in USD into units, rounded down."""
    table, frame = now.table, now.frame
    return units_for_micro_usd(table, asset, whole_number(value_usd * 1e6), frame.ticks[asset])


@inner
def _proceeds(now: Now, source: int, target: int, value_usd: float) -> float:
    """Return what a path brings in USD."""
    table, pools = now.table, now.pools
    left_usd = value_usd
    for hop in range(table.route_length[source, target]):
        step = table.route[source, target, hop]
        left_usd = value_after_costs(
            left_usd,
            fee_bps=table.fee_bps[step],
            haircut_bps=table.haircut_bps[step],
            depth_usd=pools.depth_usd[step],
        )[1]
    return left_usd
