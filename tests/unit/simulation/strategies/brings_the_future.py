"""Carry the whole season in a global, read from the season object itself."""

from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, Memoryless, define
from treasury_actors.agents.model.view import KEEP, View
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.shipped import MAINNET

SEASON = generate_season(universe=MAINNET, seed=1, days=15, warmup_h=2_880)


class Genome(NamedTuple):
    mean_h: Annotated[int, Between(24, 240)]


def decide(state: Memoryless, view: View, genome: Genome) -> tuple[Memoryless, list[float]]:
    if view.frame % 6 != 0:
        return state, KEEP
    later = SEASON.frame(min(view.frame + 24, SEASON.frame_count - 1))
    size = 0.9 if later.ticks[2] > SEASON.frame(view.frame).ticks[2] else 0.1
    return state, [size, 1.0 - size]


FAMILY = define(__file__, story=__doc__, genome=Genome, decide=decide, assets=("WETH", "aUSDC"))
