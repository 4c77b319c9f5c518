"""
The memory that the compiled evaluator works on: one record a frame, a universe, a house, a life.

Amounts that may pass 64 bits (units, wei) are pairs of int64: the upper and the lower half of 128 bits.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from treasury_actors.ids import VenueId
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import MICRO_USD, MICRO_USD_EXPONENT
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.evidence.plain import Places
from treasury_actors.simulation.lifeline import Death
from treasury_actors.trading.model.guard import breach_of
from treasury_actors.trading.model.limits import TURNOVER_TURNS, YIELD_ACTIONS
from treasury_actors.trading.model.marks import Mark

Record: TypeAlias = Any
"""One element of a structured array: to machine code a pointer, to a reader an object with attributes."""

SLOTS_MAX, STATES_MAX, GENES_MAX, ORDERS_MAX, HOPS_MAX = 16, 8, 16, 40, 4
ACTIVE, CLOSING, CLOSED = 0, 1, 2
_I, _F = np.int64, np.float64


class Now(NamedTuple):
    """A moment of a house: its table, the frame with its pools, and its number from the opening on."""

    table: Record
    frame: Record
    pools: Record
    turn: int


class Market(NamedTuple):
    """The arrays of a history."""

    frames: Record
    pools: Record
    ints: Record
    floats: Record
    first_known: Record
    scales: Record


def frame_type(universe: Universe) -> np.dtype[Any]:
    """Return the layout of what is read at every frame; it is small, so that a season stays near at hand."""
    assets = len(universe.assets)
    return np.dtype([("ticks", _I, (assets,)), ("fresh", np.int8, (assets,))], align=True)


def pools_type(universe: Universe) -> np.dtype[Any]:
    """Return the layout of the rest of a frame; `gas_wei` is what a conversion burns at it."""
    conversions = len(universe.conversions)
    return np.dtype(
        [
            ("gas_wei", _I, (conversions,)),
            ("depth_usd", _F, (conversions,)),
            ("capacity_usd", _F, (conversions,)),
        ],
        align=True,
    )


def table_type(universe: Universe) -> np.dtype[Any]:
    """Return the layout of what is fixed: the universe, and the rules of a house."""
    assets, conversions = len(universe.assets), len(universe.conversions)
    rules: list[tuple[str, type]] = []
    rules += [(name, _F) for name in ("band_bps", "trade_usd_min", "dust_usd", "cost_bps_max", "cash_bps")]
    rules += [(name, _F) for name in ("trade_usd_max", "stop_loss_ratio", "drawdown_ratio_max")]
    rules += [(name, _F) for name in ("venue_ratio_max", "impact_bps_max", "turnover_ratio_max")]
    rules += [(name, _I) for name in ("trade_micro_min", "trade_micro_max", "dust_micro", "arena_micro_max")]
    rules += [(name, _I) for name in ("gas_ppb", "gas_wei_max", "round_turns", "reserve", "gas")]
    return np.dtype(
        [
            *rules,
            ("micro_scale", _I, (assets, 2)),
            ("micro_scale_float", _F, (assets,)),
            ("usd_scale", _I, (assets, 2)),
            ("by_name", _I, (assets,)),
            ("stable", _I, (assets,)),
            ("venue", _I, (assets,)),
            ("route_length", _I, (assets, assets)),
            ("route_reduces", _I, (assets, assets)),
            ("route", _I, (assets, assets, HOPS_MAX)),
            ("source", _I, (conversions,)),
            ("target", _I, (conversions,)),
            ("is_yield", _I, (conversions,)),
            ("fee_bps", _F, (conversions,)),
            ("haircut_bps", _F, (conversions,)),
        ],
        align=True,
    )


HOUSE = np.dtype(
    [("first", _I), ("end", _I), ("round", _I), ("failed", _I), ("gas_wei", _I, (2,)), ("out_wei", _I, (2,))],
    align=True,
)
"""A house: its lives are `first` up to `end`; `failed` if plain calls have to play it after all."""

FILL = np.dtype(
    [
        ("frame", _I),
        ("conversion", _I),
        ("given_units", _I, (2,)),
        ("taken_units", _I, (2,)),
        ("value_micro_usd", _I),
        ("fee_micro_usd", _I),
        ("impact_micro_usd", _I),
        ("gas_micro_usd", _I),
        ("partial", _I),
        ("last", _I),
    ],
    align=True,
)


def life_type(universe: Universe) -> np.dtype[Any]:
    """Return the layout of a life: what it owns and may do, its strategy, its course, and working room."""
    assets = len(universe.assets)
    return np.dtype(
        [
            ("units", _I, (assets, 2)),
            ("order", _I, (assets,)),
            ("held_count", _I),
            ("status", _I),
            ("nav", _I),
            ("index", _F),
            ("peak", _F),
            ("turnover_max", _I),
            ("turnover", _I, (TURNOVER_TURNS,)),
            ("turnover_turn", _I, (TURNOVER_TURNS,)),
            ("gas_budget", _I, (2,)),
            ("gas_spent", _I, (2,)),
            ("gas_out", _I, (2,)),
            ("gas_cap", _I, (2,)),
            ("gas_round", _I),
            ("gas_out_round", _I),
            ("ranked", _I),
            # its strategy
            ("step", _I),
            ("slots", _I),
            ("columns", _I, (SLOTS_MAX,)),
            ("state", _F, (STATES_MAX,)),
            ("genes", _I, (GENES_MAX,)),
            ("targets", _F, (SLOTS_MAX,)),
            ("weights", _F, (SLOTS_MAX + 1,)),
            # its orders: of this frame until they are checked, then released until the next
            ("order_count", _I),
            ("order_source", _I, (ORDERS_MAX,)),
            ("order_target", _I, (ORDERS_MAX,)),
            ("order_units", _I, (ORDERS_MAX, 2)),
            ("values_usd", _F, (assets,)),
            ("wanted_usd", _F, (assets,)),
            ("changes_usd", _F, (assets,)),
            ("left", _I, (assets, 2)),
            ("cash_usd", _F),
            # its course
            ("capital", _I),
            ("max_drawdown_ratio", _F),
            ("liquid_ratio_min", _F),
            ("stable_ratio_min", _F),
            ("venue_shares", _F, (assets,)),
            ("venue_seen", _I, (assets,)),
            ("death_frame", _I),
            ("death_index", _F),
            ("death_peak", _F),
            ("fill_count", _I),
            ("trade_count", _I),
            ("refused_count", _I),
            ("traded", _I),
        ],
        align=True,
    )


def halves(number: int) -> tuple[int, int]:
    """Return the upper and lower 64 bits of a number as two int64."""
    lower = number & (2**64 - 1)
    return number >> 64, lower - 2**64 if lower >= 2**63 else lower


def whole(pair: Any) -> int:
    """Return the number of which `pair` are the upper and lower 64 bits."""
    return (int(pair[0]) << 64) + (int(pair[1]) & (2**64 - 1))


def fits(universe: Universe) -> bool:
    """Say whether the layout can hold a universe; if not, plain calls evaluate it."""
    return all(
        asset.decimals + asset.tick_exponent >= MICRO_USD_EXPONENT
        and asset.decimals + asset.tick_exponent <= MICRO_USD_EXPONENT + _SCALE_EXPONENT_MAX
        for asset in universe.assets
    ) and all(len(path) <= HOPS_MAX for path in universe.routes.values())


_SCALE_EXPONENT_MAX = 22
"""Ten to this is a float without rounding, and times a value of 2^53 micro-dollars below 2^127."""


def venues_of(universe: Universe) -> list[VenueId]:
    """Return the yield venues of a universe, in the order of their names: what `venue` counts."""
    return sorted(set(Places(universe).venue.values()))


def make_table(universe: Universe, rules: HouseRules) -> Record:
    """Return what is fixed in a season, as one record."""
    table = np.zeros(1, table_type(universe))[0]
    _write_rules(table, rules)
    column = universe.column
    table["reserve"], table["gas"] = column[universe.reserve], column[universe.gas]
    table["by_name"] = [column[asset] for asset in sorted(column)]
    places, venues = Places(universe), venues_of(universe)
    table["stable"] = [asset.id in places.stable for asset in universe.assets]
    table["venue"] = [
        venues.index(places.venue[asset.id]) if asset.id in places.venue else -1 for asset in universe.assets
    ]
    for at, asset in enumerate(universe.assets):
        exponent = asset.decimals + asset.tick_exponent
        table["micro_scale"][at] = halves(10 ** (exponent - MICRO_USD_EXPONENT))
        table["micro_scale_float"][at] = float(10 ** (exponent - MICRO_USD_EXPONENT))
        table["usd_scale"][at] = halves(10**exponent)
    for at, step in enumerate(universe.conversions):
        table["source"][at], table["target"][at] = column[step.source], column[step.target]
        table["fee_bps"][at], table["haircut_bps"][at] = step.fee_bps, step.haircut_bps
        table["is_yield"][at] = step.action in YIELD_ACTIONS
    for (source, target), path in universe.routes.items():
        place = column[source], column[target]
        table["route_length"][place] = len(path)
        table["route_reduces"][place] = all(step.reduces for step in path)
        for hop, step in enumerate(path):
            table["route"][(*place, hop)] = universe.conversion_column[step.id]
    return table


def _write_rules(table: Record, rules: HouseRules) -> None:
    """Write the rules of a house."""
    planner, guard, arena, risk = rules.planner, rules.guard, rules.arena, rules.arena.risk
    for name in ("band_bps", "trade_usd_min", "dust_usd", "cost_bps_max", "cash_bps"):
        table[name] = getattr(planner, name)
    table["trade_micro_min"] = int(risk.trade_usd_min * MICRO_USD)
    table["trade_micro_max"] = int(risk.trade_usd_max * MICRO_USD)
    table["trade_usd_max"] = int(risk.trade_usd_max * MICRO_USD) / MICRO_USD
    table["arena_micro_max"] = int(risk.arena_turnover_usd_max * MICRO_USD)
    table["turnover_ratio_max"] = risk.agent_turnover_ratio_max
    table["venue_ratio_max"], table["impact_bps_max"] = risk.venue_ratio_max, risk.impact_bps_max
    table["stop_loss_ratio"], table["drawdown_ratio_max"] = guard.stop_loss_ratio, guard.drawdown_ratio_max
    table["dust_micro"] = guard.dust_micro_usd
    table["gas_ppb"], table["gas_wei_max"] = arena.gas_ppb, rules.gas_wei_max
    table["round_turns"] = arena.round_turns


def death_of(life: Record, rules: HouseRules) -> Death | None:
    """Return why a life stopped deciding; None if it never did."""
    if life["death_frame"] < 0:
        return None
    mark = Mark(index=float(life["death_index"]), peak=float(life["death_peak"]))
    return Death(frame=int(life["death_frame"]), reason=breach_of(mark, rules.guard), crashed=False)
