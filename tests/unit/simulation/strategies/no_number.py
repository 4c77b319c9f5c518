"""Answer with a weight that is no number where a rate isn't known."""

from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, Memoryless, define
from treasury_actors.agents.model.view import KEEP, View


class Genome(NamedTuple):
    mean_h: Annotated[int, Between(24, 240)]


def decide(state: Memoryless, view: View, genome: Genome) -> tuple[Memoryless, list[float]]:
    if view.frame % 6 != 0:
        return state, KEEP
    rate = view.rate(1)
    size = 0.5 + 10.0 * rate - 10.0 * rate
    return state, [0.0, size]


FAMILY = define(__file__, story=__doc__, genome=Genome, decide=decide, assets=("WETH", "aUSDC"))
