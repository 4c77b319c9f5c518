"""
Hold a fixed share of the treasury in ETH, as the token of it that earns most.

Plain WETH earns nothing; aWETH, wstETH and weETH earn a rate. Selling a staking token costs a haircut, so
another token must beat the held one by the hysteresis, and the share may drift within a band.
"""

from math import nan
from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, define
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.targets import HELD_RATIO, worthwhile
from treasury_actors.agents.model.view import KEEP, View
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.model.universe import Universe

WETH = 0
CHECK_H = 24


class Genome(NamedTuple):
    """`hysteresis_bps` is annual rate, `band_bps` is of the share itself: 2000 of 50% is 40% to 62.5%."""

    target_bps: Annotated[int, Between(500, 10_000)]
    smooth_h: Annotated[int, Between(24, 336)]
    hysteresis_bps: Annotated[int, Between(5, 200)]
    band_bps: Annotated[int, Between(300, 4_000)]


class State(NamedTuple):
    """The season frame to look at next."""

    next_frame: float = 0.0


def assets(universe: Universe) -> tuple[AssetId, ...]:
    """Return WETH and every share token of it."""
    weth = AssetId("WETH")
    if weth not in universe.by_id:
        raise ConfigError(f"asset WETH: not in the universe {universe.name}")
    return (weth, *(asset.id for asset in universe.assets if asset.underlying == weth))


def slowest_span_h(genome: Genome) -> int:
    """Return the smoothing of the rates."""
    return genome.smooth_h


def decide(state: State, view: View, genome: Genome) -> tuple[State, list[float]]:
    """Put the share of ETH into the token with the best rate, the held one favoured."""
    if view.frame < state.next_frame:
        return state, KEEP
    wanted = [0.0] * view.count
    share = genome.target_bps / 10_000
    best = -1
    best_rate = -1.0
    for slot in range(view.count):
        rate = 0.0 if slot == WETH else view.mean_rate(slot, genome.smooth_h)
        if view.weights[slot] > HELD_RATIO:
            rate += genome.hysteresis_bps / 10_000
        if not (view.tradable(slot) and rate > -1.0):
            wanted[slot] = nan  # nothing is known: what is there stays, and counts as ETH
            share -= view.weights[slot]
        elif rate > best_rate:
            best = slot
            best_rate = rate
    if best >= 0:
        wanted[best] = max(0.0, share)
    return State(float(view.frame + CHECK_H)), worthwhile(view, wanted, genome.band_bps / 10_000)


FAMILY: Family = define(
    __file__,
    story=__doc__,
    genome=Genome,
    state=State,
    assets=assets,
    slowest_span_h=slowest_span_h,
    decide=decide,
)
