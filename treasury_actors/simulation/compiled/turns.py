"""
The turns of a house, on records: what `simulation.evaluate` does. Imports numba: import it late.

Everybody in a house has a turn before the next frame comes; houses know nothing of each other, so they may be
played on several threads.
"""

from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from treasury_actors.agents.model.track import DAY_FRAMES
from treasury_actors.simulation.compiled.arithmetic import (
    PPB,
    at,
    units_for_micro_usd,
    value_micro_usd,
    whole_number,
    write,
)
from treasury_actors.simulation.compiled.checks import liquid_ratio, submit, watch
from treasury_actors.simulation.compiled.fills import divisible_wei, settle
from treasury_actors.simulation.compiled.jit import inner, outer
from treasury_actors.simulation.compiled.layout import ACTIVE, Market, Now, Record
from treasury_actors.simulation.compiled.sizing import plan
from treasury_actors.simulation.compiled.step import STEP
from treasury_actors.simulation.compiled.twins import pointer
from treasury_actors.simulation.compiled.wide import floor_div, low, wide


@intrinsic
def ask(_typing: Any, given: Any) -> Any:
    """Call the step whose address comes first with all that is given, tuples inside tuples: see `step`."""

    def code(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        parts = list(_parts(builder, given, values[0]))
        kinds = [context.get_value_type(kind) for kind in STEP.args]
        function = ir.FunctionType(context.get_value_type(STEP.return_type), kinds)
        return builder.call(builder.inttoptr(parts[0], function.as_pointer()), parts)

    return STEP.return_type(given), code


def _parts(builder: Any, kind: Any, value: Any) -> Iterator[Any]:
    """Yield the values in a tuple, and in the tuples in it."""
    if not isinstance(kind, types.BaseTuple):
        yield value
        return
    for place, part in enumerate(kind):
        yield from _parts(builder, part, builder.extract_value(value, place))


@outer
def play(
    table: Record,
    market: Market,
    rows: tuple[int, int],
    houses: Record,
    lives: Record,
    days: Record,
    logs: Record,
) -> None:
    """
    Play the houses one after the other, from the first row of `rows` up to the second.

    A house whose figures floats can't hold, or whose strategy fails, is left off and marked `failed`.
    """
    ints, floats = market.ints, market.floats
    series = pointer(ints), pointer(floats), pointer(market.first_known), pointer(market.scales)
    seen = series, (ints.shape[1], ints.shape[2])
    for place in range(houses.size):
        house = houses[place]
        try:
            _play_house(table[0], market.frames, market.pools, rows, seen, house, lives, days, logs)
        except Exception:  # noqa: BLE001 (machine code knows no other; plain calls say what it was)
            house.failed = 1


@inner
def _play_house(
    table: Record,
    frames: Record,
    pools: Record,
    rows: tuple[int, int],
    seen: tuple[Record, ...],
    house: Record,
    lives: Record,
    days: Record,
    logs: Record,
) -> None:
    """Play one house."""
    first, end = rows
    for row in range(first, end):
        now = Now(table, frames[row], pools[row], row - first)
        for one in range(house.first, house.end):
            if lives[one].order_count > 0:
                settle(now, house, lives, lives[one], logs[one])
        for one in range(house.first, house.end):
            life = lives[one]
            watch(now, life)
            if life.status == ACTIVE:
                _decide(now, row + 1, seen, life)
            if life.order_count > 0:
                submit(now, house, lives, life)
        if now.turn % DAY_FRAMES == 0:
            for one in range(house.first, house.end):
                _close_day(now, lives[one], days[one])
        if now.turn > 0 and now.turn % table.round_turns == 0:
            _divide_limits(now, house, lives)


@inner
def _decide(now: Now, end: int, seen: tuple[Record, ...], life: Record) -> None:
    """Ask the strategy, which knows `end` rows, and plan what it wants."""
    life.weights[0] = 0.0
    holdings = (
        pointer(life.columns),
        pointer(life.units),
        pointer(now.table.by_name),
        pointer(now.table.usd_scale),
        pointer(now.frame.ticks),
        pointer(life.weights),
    )
    mind = pointer(life.state), pointer(life.genes), pointer(life.targets)
    answer = ask((life.step, seen, end, now.turn, holdings, mind))
    if answer < 0:
        raise ValueError("a strategy failed")
    if answer > 0:
        plan(now, life)


@inner
def _close_day(now: Now, life: Record, navs: Record) -> None:
    """Note the NAV of a day, and where it lies: what `evidence.plain` notes."""
    table, frame = now.table, now.frame
    navs[now.turn // DAY_FRAMES] = life.nav
    if life.nav <= 0:
        return
    life.liquid_ratio_min = min(life.liquid_ratio_min, liquid_ratio(now, life))
    stable = 0
    for place in range(table.by_name.size):
        asset = table.by_name[place]
        units = at(life.units, asset)
        if units > wide(0):
            value = value_micro_usd(table, asset, units, frame.ticks[asset])
            stable += value if table.stable[asset] == 1 else 0
            if table.venue[asset] >= 0:
                life.venue_shares[table.venue[asset]] += value / life.nav
                life.venue_seen[table.venue[asset]] = 1
    life.stable_ratio_min = min(life.stable_ratio_min, stable / life.nav)


@inner
def _divide_limits(now: Now, house: Record, lives: Record) -> None:
    """Divide the limits among those who still decide, as a round does."""
    table, frame = now.table, now.frame
    reserve, ticks = table.reserve, frame.ticks[table.reserve]
    house.round += 1
    active, total = 0, wide(0)
    for one in range(house.first, house.end):
        if lives[one].status == ACTIVE:
            active += 1
            total = total + units_for_micro_usd(table, reserve, lives[one].nav, ticks)
    if active == 0:
        return
    total_micro = max(1, value_micro_usd(table, reserve, total, ticks))
    gas = floor_div(divisible_wei(house, lives) * wide(table.gas_ppb), wide(PPB))
    share = floor_div(gas, wide(active))
    odd = low(gas - share * wide(active))
    for place in range(house.first, house.end):
        life = lives[house.first + lives[place].ranked]
        if life.status != ACTIVE:
            continue
        units = units_for_micro_usd(table, reserve, life.nav, ticks)
        capital = value_micro_usd(table, reserve, units, ticks)
        part = floor_div(wide(table.arena_micro_max) * wide(capital), wide(total_micro))
        own = whole_number(capital * table.turnover_ratio_max)
        life.turnover_max = min(own, low(part))
        life.gas_round = house.round
        write(life.gas_budget, share + wide(1) if odd > 0 else share)
        write(life.gas_spent, wide(0))
        odd -= 1
