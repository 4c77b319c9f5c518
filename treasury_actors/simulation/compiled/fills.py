"""
What engine, venue and ledger do with released orders, on records. Imports numba: import it late.

The words and the order of every step are those of `simulation.account`, `trading.model.gas` and
`trading.model.settlement`.
"""

from treasury_actors.simulation.compiled.arithmetic import (
    at,
    put,
    read,
    units_for_micro_usd,
    units_for_micro_usd_up,
    value_micro_usd,
    value_micro_usd_up,
    whole_number,
    write,
)
from treasury_actors.simulation.compiled.jit import inner
from treasury_actors.simulation.compiled.layout import ACTIVE, Now, Record
from treasury_actors.simulation.compiled.wide import Wide, wide
from treasury_actors.trading.model import costs

value_after_costs = inner(costs.value_after_costs)


@inner
def move(life: Record, column: int, change: Wide) -> None:
    """Post a change of one asset; what is gone is forgotten, and comes back last, as in the ledger."""
    if change == wide(0):
        return
    before = at(life.units, column)
    after = before + change
    if after < wide(0):
        raise ValueError("I3: nobody can spend what they don't own")
    put(life.units, column, after)
    if before == wide(0):
        life.order[life.held_count] = column
        life.held_count += 1
    elif after == wide(0):
        kept = 0
        for place in range(life.held_count):
            if life.order[place] != column:
                life.order[kept] = life.order[place]
                kept += 1
        life.held_count = kept


@inner
def gas_left(life: Record) -> Wide:
    """Return what is left of a life's gas budget."""
    left = read(life.gas_budget) - read(life.gas_spent)
    return max(wide(0), left)


@inner
def gas_reserved(life: Record) -> Wide:
    """Return what a life may still burn."""
    left, out = gas_left(life), read(life.gas_out)
    if life.gas_out_round == life.gas_round:
        return max(out, left)
    return left + out


@inner
def divisible_wei(house: Record, lives: Record) -> Wide:
    """Return what a round may divide."""
    left = read(house.gas_wei)
    for one in range(house.first, house.end):
        life = lives[one]
        left = left - (read(life.gas_out) if life.status == ACTIVE else gas_reserved(life))
    return max(wide(0), left)


@inner
def promise(table: Record, house: Record, lives: Record, life: Record, exits: bool) -> bool:
    """Set aside gas for a life's next transaction; say whether there is any."""
    own = gas_left(life)
    if exits:
        free = read(house.gas_wei)
        for one in range(house.first, house.end):
            free = free - gas_reserved(lives[one])
        if free > wide(0):
            own = own + free
    cap = min(min(wide(table.gas_wei_max), own), read(house.gas_wei) - read(house.out_wei))
    if cap <= wide(0):
        write(life.gas_cap, wide(0))
        return False
    write(house.out_wei, read(house.out_wei) + cap - read(life.gas_out))
    write(life.gas_out, cap)
    write(life.gas_cap, cap)
    life.gas_out_round = life.gas_round
    return True


@inner
def burn(house: Record, life: Record, wei: int) -> None:
    """Burn what a transaction cost, 0 if there was none after all."""
    if life.gas_out_round == life.gas_round:
        write(life.gas_spent, read(life.gas_spent) + wide(wei))
    write(house.out_wei, read(house.out_wei) - read(life.gas_out))
    write(life.gas_out, wide(0))
    write(house.gas_wei, read(house.gas_wei) - wide(wei))


@inner
def gives(life: Record, place: int) -> Wide:
    """Return what an order can take of what there is."""
    return min(at(life.order_units, place), at(life.units, life.order_source[place]))


@inner
def settle(now: Now, house: Record, lives: Record, life: Record, log: Record) -> None:
    """Execute released orders one after the other, each from what those before it have left."""
    table = now.table
    exits = life.status != ACTIVE
    for place in range(life.order_count):
        units = gives(life, place)
        if units > wide(0) and (place == 0 or promise(table, house, lives, life, exits)):
            _walk(now, house, lives, life, log, place, units, exits)
    life.order_count = 0


@inner
def _walk(
    now: Now,
    house: Record,
    lives: Record,
    life: Record,
    log: Record,
    place: int,
    units: Wide,
    exits: bool,
) -> None:
    """Walk an order's path, each hop from the actual fill; what is left over stays where it is."""
    table = now.table
    source, target = life.order_source[place], life.order_target[place]
    hops = table.route_length[source, target]
    move(life, source, wide(0) - units)
    for hop in range(hops):
        step = table.route[source, target, hop]
        if hop > 0 and not promise(table, house, lives, life, exits):
            move(life, table.source[step], units)
            return
        taken = _execute(now, house, life, log, step, units, hop == hops - 1)
        if taken <= wide(0):
            move(life, table.source[step], units)
            return
        units = taken


@inner
def _execute(
    now: Now,
    house: Record,
    life: Record,
    log: Record,
    step: int,
    units: Wide,
    last: bool,
) -> Wide:
    """Execute one hop and take in what it brought; return the units it took, 0 if it wasn't done."""
    table, frame, pools, turn = now.table, now.frame, now.pools, now.turn
    source, target = table.source[step], table.target[step]
    gas_wei = pools.gas_wei[step]
    fresh = frame.fresh[source] == 1 and frame.fresh[target] == 1
    if not fresh or wide(gas_wei) > read(life.gas_cap):
        burn(house, life, 0)
        return wide(0)
    value = value_micro_usd(table, source, units, frame.ticks[source])
    given = units
    capacity_micro = pools.capacity_usd[step] * 1e6
    partial = float(value) > capacity_micro
    if partial:
        given = units_for_micro_usd(table, source, whole_number(capacity_micro), frame.ticks[source])
        value = value_micro_usd(table, source, given, frame.ticks[source])
    after_fee, after_all = value_after_costs(
        float(value),
        fee_bps=table.fee_bps[step],
        haircut_bps=table.haircut_bps[step],
        depth_usd=pools.depth_usd[step] * 1e6,
    )
    taken = units_for_micro_usd(table, target, min(int(after_all), value), frame.ticks[target])
    if taken <= wide(0):
        burn(house, life, 0)
        return wide(0)
    burn(house, life, gas_wei)
    fee = value - min(int(after_fee), value)
    impact = value - fee - value_micro_usd(table, target, taken, frame.ticks[target])
    gas_cost = _take_in(now, life, step, units, given, taken, last, gas_wei)
    life.traded += value
    life.trade_count += 1 if last else 0
    if log.size > 0:
        if life.fill_count == log.size:
            raise OverflowError("more fills than there is room for")
        entry = log[life.fill_count]
        entry.frame, entry.conversion = turn, step
        write(entry.given_units, given)
        write(entry.taken_units, taken)
        entry.value_micro_usd, entry.fee_micro_usd, entry.impact_micro_usd = value, fee, impact
        entry.gas_micro_usd, entry.partial, entry.last = gas_cost, partial, last
    life.fill_count += 1
    return taken


@inner
def _take_in(
    now: Now,
    life: Record,
    step: int,
    units: Wide,
    given: Wide,
    taken: Wide,
    last: bool,
    gas_wei: int,
) -> int:
    """Take in what one hop brought and what it left over, and pay its gas; return what that is worth."""
    table, frame = now.table, now.frame
    source, target, reserve = table.source[step], table.target[step], table.reserve
    purse = at(life.units, reserve)
    if last and target == reserve:
        purse = purse + taken
    cost, paid = 0, wide(0)
    if gas_wei != 0:
        cost = value_micro_usd_up(table, table.gas, wide(gas_wei), frame.ticks[table.gas])
        paid = min(units_for_micro_usd_up(table, reserve, cost, frame.ticks[reserve]), purse)
    if last:
        move(life, target, taken)
    move(life, source, units - given)
    move(life, reserve, wide(0) - paid)
    return cost
