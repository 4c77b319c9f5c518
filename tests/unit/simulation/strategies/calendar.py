"""Hold half of everything on even weeks, whatever the market does."""

from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, Memoryless, define
from treasury_actors.agents.model.view import KEEP, View


class Genome(NamedTuple):
    phase_count: Annotated[int, Between(0, 1)]


def decide(state: Memoryless, view: View, genome: Genome) -> tuple[Memoryless, list[float]]:
    if view.frame % 168 != 0:
        return state, KEEP
    size = 0.5 if view.frame // 168 % 2 == genome.phase_count else 0.0
    return state, [size, 1.0 - size]


FAMILY = define(__file__, story=__doc__, genome=Genome, decide=decide, assets=("WETH", "aUSDC"))
