"""
Lend dollars where they earn most, and stay there until another venue is clearly better.

Venues are the share tokens of the reserve asset and of other stablecoins. Each is filled up to a largest
share, the best smoothed rate first; a venue that is held counts as better than it is by the hysteresis.
"""

from math import nan
from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, define
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.targets import HELD_RATIO, worthwhile
from treasury_actors.agents.model.view import KEEP, View
from treasury_actors.ids import AssetId
from treasury_actors.market.model.universe import Universe

STABLECOINS = ("USDC", "USDT", "DAI", "USDS")
CHECK_H = 6
BAND_RATIO = 0.05
LOYAL_RATIO = 100.0
"""What a held venue is favoured by before its time is up: more than any rate."""


class Genome(NamedTuple):
    """`venues_mask` allows the first four venues, lowest bit first; `hysteresis_bps` is annual rate."""

    venues_mask: Annotated[int, Between(1, 15)]
    smooth_h: Annotated[int, Between(1, 168)]
    hysteresis_bps: Annotated[int, Between(0, 500)]
    min_hold_h: Annotated[int, Between(0, 720)]
    max_share_bps: Annotated[int, Between(2_000, 10_000)]


class State(NamedTuple):
    """When to look next, and from when on a venue may be left again: season frames."""

    next_frame: float = 0.0
    free_frame: float = 0.0


def assets(universe: Universe) -> tuple[AssetId, ...]:
    """Return the share tokens whose underlying is the reserve or another stablecoin."""
    stable = (universe.reserve, *STABLECOINS)
    return tuple(asset.id for asset in universe.assets if asset.underlying in stable)


def slowest_span_h(genome: Genome) -> int:
    """Return the smoothing of the rates."""
    return genome.smooth_h


def decide(state: State, view: View, genome: Genome) -> tuple[State, list[float]]:
    """Fill the venues in the order of their rates, the held ones favoured."""
    if view.frame < state.next_frame:
        return state, KEEP
    favour = LOYAL_RATIO if view.frame < state.free_frame else genome.hysteresis_bps / 10_000
    appeal = [0.0] * view.count
    wanted = [0.0] * view.count
    room = 1.0
    for slot in range(view.count):
        rate = view.mean_rate(slot, genome.smooth_h)
        if not (view.tradable(slot) and (rate > 0.0 or rate <= 0.0)):
            wanted[slot] = nan  # nothing is known: what is there stays
            room -= view.weights[slot]
        elif rate > 0.0 and (genome.venues_mask >> slot) & 1:
            appeal[slot] = rate + favour if view.weights[slot] > HELD_RATIO else rate
    entered = False
    for _ in range(view.count):
        best = -1
        for slot in range(view.count):
            if appeal[slot] > 0.0 and (best < 0 or appeal[slot] > appeal[best]):
                best = slot
        if best < 0:
            break
        wanted[best] = max(0.0, min(genome.max_share_bps / 10_000, room))
        room -= wanted[best]
        appeal[best] = 0.0
        entered = entered or (wanted[best] > HELD_RATIO and not view.weights[best] > HELD_RATIO)
    targets = worthwhile(view, wanted, BAND_RATIO)
    free_frame = state.free_frame
    if len(targets) > 0 and entered:
        free_frame = float(view.frame + genome.min_hold_h)
    return State(float(view.frame + CHECK_H), free_frame), targets


FAMILY: Family = define(
    __file__,
    story=__doc__,
    genome=Genome,
    state=State,
    assets=assets,
    slowest_span_h=slowest_span_h,
    decide=decide,
)
