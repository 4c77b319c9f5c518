"""
Give each asset the same risk: weights in inverse proportion to volatility, over ETH, BTC, LINK and lending.

Lending hardly moves, so its volatility counts as the floor at least; the floor decides how cautious it is.
"""

from math import nan
from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, define
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.targets import worthwhile
from treasury_actors.agents.model.view import KEEP, View

ASSETS = ("WETH", "WBTC", "LINK", "aUSDC")


class Genome(NamedTuple):
    """`gross_bps` of NAV is invested; `threshold_bps` is the drift allowed, in parts of a position."""

    lookback_h: Annotated[int, Between(24, 720)]
    gross_bps: Annotated[int, Between(2_000, 10_000)]
    floor_bps: Annotated[int, Between(300, 5_000)]
    threshold_bps: Annotated[int, Between(500, 5_000)]
    check_h: Annotated[int, Between(12, 168)]


class State(NamedTuple):
    """The season frame to look at next."""

    next_frame: float = 0.0


def slowest_span_h(genome: Genome) -> int:
    """Return the span of the volatilities."""
    return genome.lookback_h


def decide(state: State, view: View, genome: Genome) -> tuple[State, list[float]]:
    """Share the invested part by inverse volatility."""
    if view.frame < state.next_frame:
        return state, KEEP
    wanted = [0.0] * view.count
    gross = genome.gross_bps / 10_000
    total = 0.0
    for slot in range(view.count):
        volatility = view.volatility(slot, genome.lookback_h)
        if view.tradable(slot) and volatility >= 0.0:
            wanted[slot] = 1.0 / max(volatility, genome.floor_bps / 10_000)
            total += wanted[slot]
        else:
            wanted[slot] = nan  # nothing is known: what is there stays, and counts as invested
            gross -= view.weights[slot]
    for slot in range(view.count):
        if wanted[slot] > 0.0:
            wanted[slot] = wanted[slot] / total * max(0.0, gross)
    return State(float(view.frame + genome.check_h)), worthwhile(view, wanted, genome.threshold_bps / 10_000)


FAMILY: Family = define(
    __file__,
    story=__doc__,
    genome=Genome,
    state=State,
    assets=ASSETS,
    slowest_span_h=slowest_span_h,
    decide=decide,
)
