"""The engine's hard limits and the guardian's, on records. Imports numba: import it late."""

from math import inf

from treasury_actors.simulation.compiled.arithmetic import at, put, value_micro_usd, write
from treasury_actors.simulation.compiled.fills import gas_left, gives, promise
from treasury_actors.simulation.compiled.jit import inner
from treasury_actors.simulation.compiled.layout import (
    ACTIVE,
    CLOSED,
    CLOSING,
    Now,
    Record,
)
from treasury_actors.simulation.compiled.sizing import add_order, path_is_fresh
from treasury_actors.simulation.compiled.wide import wide
from treasury_actors.trading.model.costs import BPS
from treasury_actors.trading.model.limits import TURNOVER_TURNS
from treasury_actors.trading.model.liquidity import LIQUID_FRAMES, LIQUID_IMPACT_BPS


@inner
def submit(now: Now, house: Record, lives: Record, life: Record) -> None:
    """Hold the orders of this frame to their limits, and release them: `check_order`, `release`."""
    table, frame, turn = now.table, now.frame, now.turn
    kept = 0
    for place in range(life.order_count):
        value = value_micro_usd(
            table,
            life.order_source[place],
            at(life.order_units, place),
            frame.ticks[life.order_source[place]],
        )
        if _refuses(now, life, place, value):
            life.refused_count += 1
            continue
        if table.route_reduces[life.order_source[place], life.order_target[place]] == 0:
            _add_turnover(life, turn, value)
        _shift(life, place, kept)
        kept += 1
    life.order_count = kept
    exits, dropped = life.status != ACTIVE, 0
    while dropped < kept and not (
        gives(life, dropped) > wide(0) and promise(table, house, lives, life, exits)
    ):
        dropped += 1
    for place in range(dropped, kept):
        _shift(life, place, place - dropped)
    life.order_count = kept - dropped


@inner
def _shift(life: Record, place: int, to: int) -> None:
    """Move an order to another place in the list."""
    life.order_source[to], life.order_target[to] = life.order_source[place], life.order_target[place]
    put(life.order_units, to, at(life.order_units, place))


@inner
def _refuses(now: Now, life: Record, place: int, value: int) -> bool:
    """Say whether a limit forbids an order of this frame; its prices are fresh, or it wasn't planned."""
    table, turn = now.table, now.turn
    source, target = life.order_source[place], life.order_target[place]
    reduces = table.route_reduces[source, target] == 1
    if life.status == CLOSING:
        return not reduces
    if not reduces:
        if value < table.trade_micro_min or value > table.trade_micro_max:
            return True
        if _turnover(life, turn) + value > life.turnover_max:
            return True
        if _breaks_market_limits(now, life, source, target, value):
            return True
    return gas_left(life) <= wide(0)


@inner
def _breaks_market_limits(now: Now, life: Record, source: int, target: int, value: int) -> bool:
    """Say whether an order that adds risk is too much for its pools or puts too much at one venue."""
    table, frame, pools = now.table, now.frame, now.pools
    hops = table.route_length[source, target]
    for hop in range(hops):
        depth_usd = pools.depth_usd[table.route[source, target, hop]]
        if _impact_bps(float(value) / 1e6, depth_usd) > table.impact_bps_max:
            return True
    if table.is_yield[table.route[source, target, hops - 1]] == 0:
        return False
    there = value + value_micro_usd(table, target, at(life.units, target), frame.ticks[target])
    return float(there) > life.nav * table.venue_ratio_max


@inner
def _impact_bps(value_usd: float, depth_usd: float) -> float:
    """Return the price impact of one hop in basis points: `costs.impact_bps`."""
    if depth_usd == inf:
        return 0.0
    return BPS * value_usd / (depth_usd + value_usd) if depth_usd > 0.0 else BPS


@inner
def _turnover(life: Record, turn: int) -> int:
    """Return the value ordered in the 24 turns up to this one."""
    total = 0
    for place in range(TURNOVER_TURNS):
        if life.turnover_turn[place] > turn - TURNOVER_TURNS:
            total += life.turnover[place]
    return total


@inner
def _add_turnover(life: Record, turn: int, value: int) -> None:
    """Count an accepted order."""
    place = turn % TURNOVER_TURNS
    if life.turnover_turn[place] != turn:
        life.turnover_turn[place] = turn
        life.turnover[place] = 0
    life.turnover[place] += value


@inner
def watch(now: Now, life: Record) -> None:
    """Take the NAV of this frame; close the mandate on a breach, sell what a closing one holds."""
    table, frame, turn = now.table, now.frame, now.turn
    nav = stale = 0
    for place in range(life.held_count):
        asset = life.order[place]
        value = value_micro_usd(table, asset, at(life.units, asset), frame.ticks[asset])
        nav += value
        stale += 0 if frame.fresh[asset] == 1 else value
    if life.nav > 0:
        life.index *= nav / life.nav
        life.peak = max(life.peak, life.index)
    life.nav = nav
    drawdown_ratio = 1.0 - life.index / life.peak
    life.max_drawdown_ratio = max(life.max_drawdown_ratio, drawdown_ratio)
    if life.status == ACTIVE:
        if stale == 0:
            _guard(table, turn, life, max(0.0, 1.0 - life.index), drawdown_ratio)
    elif life.status == CLOSING and not _exit(now, life):
        life.status = CLOSED
        write(life.gas_budget, wide(0))


@inner
def _guard(table: Record, turn: int, life: Record, loss_ratio: float, drawdown_ratio: float) -> None:
    """Close a mandate that has lost too much."""
    if loss_ratio >= table.stop_loss_ratio or drawdown_ratio >= table.drawdown_ratio_max:
        life.death_frame, life.death_index, life.death_peak = turn, life.index, life.peak
        life.status = CLOSING


@inner
def _exit(now: Now, life: Record) -> bool:
    """Order the sale of everything that can be sold; say whether anything is still to be sold, ever."""
    table, frame = now.table, now.frame
    left = False
    for place in range(table.by_name.size):
        asset = table.by_name[place]
        units = at(life.units, asset)
        if asset == table.reserve or units == wide(0):
            continue
        if value_micro_usd(table, asset, units, frame.ticks[asset]) < table.dust_micro:
            continue
        left = True
        reachable = table.route_length[asset, table.reserve] > 0
        if reachable and path_is_fresh(now, asset, table.reserve):
            add_order(life, asset, table.reserve, units)
    return left


@inner
def liquid_ratio(now: Now, life: Record) -> float:
    """Return the share of holdings that could be the reserve within 24 h, 1 of nothing: `reports.lines`."""
    table, frame = now.table, now.frame
    total = liquid = 0.0
    for place in range(life.held_count):
        asset = life.order[place]
        if asset != table.gas:
            value = float(value_micro_usd(table, asset, at(life.units, asset), frame.ticks[asset]))
            total += value
            liquid += min(value, _sellable_micro_usd(now, asset))
    return liquid / total if total > 0.0 else 1.0


@inner
def _sellable_micro_usd(now: Now, asset: int) -> float:
    """Return how much of an asset can be sold in 24 h."""
    table, frame, pools = now.table, now.frame, now.pools
    if asset == table.reserve:
        return inf
    hops = table.route_length[asset, table.reserve]
    if hops == 0:
        return 0.0
    least = inf
    for hop in range(hops):
        step = table.route[asset, table.reserve, hop]
        if frame.fresh[table.source[step]] == 0:
            return 0.0
        most_in_pool = pools.depth_usd[step] * LIQUID_IMPACT_BPS / (BPS - LIQUID_IMPACT_BPS)
        least = min(least, min(pools.capacity_usd[step], most_in_pool))
    return least * 1e6 * LIQUID_FRAMES
