"""
Hold what rises, in the size that its volatility allows; lend the rest at Aave.

An asset rises while its fast mean price is above its slow one by a gap, and is let go when it is below by
the same gap. Each asset's budget shrinks when its volatility exceeds the target.
"""

from math import nan
from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, define
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.targets import HELD_RATIO, worthwhile
from treasury_actors.agents.model.view import KEEP, View

ASSETS = ("WETH", "WBTC", "LINK", "aUSDC")
LENT = 3
SLOW_LIMIT_H = 720
LEAST_VOLATILITY = 0.05


class Genome(NamedTuple):
    """
    The slow span is `fast_h` x `slow_tenths_count` / 10, at most 720 h.

    `link_bps` of the budget go to LINK; `mix_bps` of what is left to WETH, the rest to WBTC. `band_bps` is
    the drift allowed, in parts of a position.
    """

    fast_h: Annotated[int, Between(6, 168)]
    slow_tenths_count: Annotated[int, Between(20, 120)]
    gap_bps: Annotated[int, Between(10, 300)]
    vol_target_bps: Annotated[int, Between(1_000, 8_000)]
    band_bps: Annotated[int, Between(500, 5_000)]
    mix_bps: Annotated[int, Between(0, 10_000)]
    link_bps: Annotated[int, Between(0, 3_000)]
    check_h: Annotated[int, Between(4, 168)]


class State(NamedTuple):
    """The season frame to look at next."""

    next_frame: float = 0.0


def slowest_span_h(genome: Genome) -> int:
    """Return the slow span."""
    return min(SLOW_LIMIT_H, genome.fast_h * genome.slow_tenths_count // 10)


def decide(state: State, view: View, genome: Genome) -> tuple[State, list[float]]:
    """Size each rising asset by its volatility, and lend what is left."""
    if view.frame < state.next_frame:
        return state, KEEP
    slow_h = min(SLOW_LIMIT_H, genome.fast_h * genome.slow_tenths_count // 10)
    link = genome.link_bps / 10_000
    weth = (1.0 - link) * genome.mix_bps / 10_000
    budgets = [weth, 1.0 - link - weth, link]
    wanted = [0.0] * view.count
    lent = 1.0
    for slot in range(LENT):
        gap = genome.gap_bps / 10_000
        edge = 1.0 - gap if view.weights[slot] > HELD_RATIO else 1.0 + gap
        fast_usd = view.mean_usd(slot, genome.fast_h)
        edge_usd = view.mean_usd(slot, slow_h) * edge
        volatility = view.volatility(slot, slow_h)
        if fast_usd > edge_usd and volatility >= 0.0:
            allowed = genome.vol_target_bps / 10_000 / max(LEAST_VOLATILITY, volatility)
            wanted[slot] = max(0.0, budgets[slot] * min(1.0, allowed))
            lent -= wanted[slot]
        elif not fast_usd <= edge_usd:
            wanted[slot] = nan  # nothing is known: what is there stays
            lent -= view.weights[slot]
    wanted[LENT] = max(0.0, lent)
    return State(float(view.frame + genome.check_h)), worthwhile(view, wanted, genome.band_bps / 10_000)


FAMILY: Family = define(
    __file__,
    story=__doc__,
    genome=Genome,
    state=State,
    assets=ASSETS,
    slowest_span_h=slowest_span_h,
    decide=decide,
)
