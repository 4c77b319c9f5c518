"""Look among all objects of the process for the season that is being lived."""

import gc
from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, Memoryless, define
from treasury_actors.agents.model.view import KEEP, View
from treasury_actors.market.model.season import ColumnSeason


class Genome(NamedTuple):
    mean_h: Annotated[int, Between(24, 240)]


def decide(state: Memoryless, view: View, genome: Genome) -> tuple[Memoryless, list[float]]:
    if view.frame != 120:
        return state, KEEP
    for found in gc.get_objects():
        if isinstance(found, ColumnSeason) and view.frame + 24 < found.frame_count:
            size = 0.9 if found.frame(view.frame + 24).ticks[2] > found.frame(view.frame).ticks[2] else 0.1
            return state, [size, 1.0 - size]
    return state, KEEP


FAMILY = define(__file__, story=__doc__, genome=Genome, decide=decide, assets=("WETH", "aUSDC"))
