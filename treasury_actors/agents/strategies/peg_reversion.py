"""
Buy USDT when it is a few basis points cheap against USDC, sell it when it is back; lend the rest at Aave.

Cheap is measured against its own mean ratio. When it falls on instead, the position is given up at the
stop and nothing is bought for a week: many small gains, and one loss that the stop bounds.
"""

from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, define
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.view import KEEP, View

ASSETS = ("USDT", "aUSDC", "USDC")
"""USDC, the reserve, is declared for its price alone: its weight is always asked to be what is left, 0."""
USDT, LENT, USDC = 0, 1, 2
COOL_DOWN_H = 168
PARK_RATIO = 0.05
"""Cash that is lent or taken back is worth a move above this share of NAV."""


class Genome(NamedTuple):
    """`entry_bps` below the mean buys, `exit_bps` above it sells, `stop_bps` below the entry gives up."""

    entry_bps: Annotated[int, Between(3, 30)]
    exit_bps: Annotated[int, Between(0, 10)]
    stop_bps: Annotated[int, Between(50, 500)]
    size_bps: Annotated[int, Between(500, 5_000)]
    mean_h: Annotated[int, Between(24, 720)]


class State(NamedTuple):
    """The ratio it was bought at, 0 while it isn't held, and the season frame that ends a cool-down."""

    entry_ratio: float = 0.0
    calm_frame: float = 0.0


def slowest_span_h(genome: Genome) -> int:
    """Return the span of the mean ratio."""
    return genome.mean_h


def decide(state: State, view: View, genome: Genome) -> tuple[State, list[float]]:
    """Enter cheap, leave at the mean, give up at the stop."""
    ratio = view.price_usd(USDT) / view.price_usd(USDC)
    usual = view.mean_usd(USDT, genome.mean_h) / view.mean_usd(USDC, genome.mean_h)
    if not (usual > 0.0 and view.tradable(USDT) and view.tradable(USDC) and view.tradable(LENT)):
        return state, KEEP
    above_bps = (ratio / usual - 1.0) * 10_000
    cheap = above_bps <= -genome.entry_bps and view.frame >= state.calm_frame
    held = view.weights[USDT]
    size = 0.0
    if state.entry_ratio > 0.0:
        if ratio < state.entry_ratio * (1.0 - genome.stop_bps / 10_000):
            state = State(0.0, float(view.frame + COOL_DOWN_H))
        elif above_bps >= genome.exit_bps:
            state = State(0.0, state.calm_frame)
        else:
            size = max(held, genome.size_bps / 10_000) if cheap else held
    elif cheap:
        state = State(ratio, state.calm_frame)
        size = genome.size_bps / 10_000
    lent = max(0.0, 1.0 - size)
    settled = abs(size - held) < min(PARK_RATIO, genome.size_bps / 20_000)
    if settled and abs(lent - view.weights[LENT]) < PARK_RATIO:
        return state, KEEP
    return state, [size, lent, 0.0]


FAMILY: Family = define(
    __file__,
    story=__doc__,
    genome=Genome,
    state=State,
    assets=ASSETS,
    slowest_span_h=slowest_span_h,
    decide=decide,
)
