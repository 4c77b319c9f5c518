"""Hold WETH while it is above its mean, lend otherwise."""

from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, Memoryless, define
from treasury_actors.agents.model.view import KEEP, View


class Genome(NamedTuple):
    mean_h: Annotated[int, Between(120, 240)]


def decide(state: Memoryless, view: View, genome: Genome) -> tuple[Memoryless, list[float]]:
    if view.frame % 24 != 0:
        return state, KEEP
    mean_usd = view.mean_usd(0, genome.mean_h)
    if not mean_usd > 0.0:
        return state, KEEP
    size = 0.5 if view.price_usd(0) > mean_usd else 0.0
    if abs(size - view.weights[0]) < 0.1:
        return state, KEEP
    return state, [size, 1.0 - size]


FAMILY = define(__file__, story=__doc__, genome=Genome, decide=decide, assets=("WETH", "aUSDC"))
