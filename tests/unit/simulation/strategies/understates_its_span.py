"""Say that little history is needed, and look back far."""

from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, Memoryless, define
from treasury_actors.agents.model.view import KEEP, View


class Genome(NamedTuple):
    mean_h: Annotated[int, Between(240, 480)]


def decide(state: Memoryless, view: View, genome: Genome) -> tuple[Memoryless, list[float]]:
    if view.frame % 6 != 0:
        return state, KEEP
    mean_usd = view.mean_usd(0, genome.mean_h)
    size = 0.5 if mean_usd > 0.0 and view.price_usd(0) > mean_usd else 0.0
    return state, [size, 1.0 - size]


FAMILY = define(
    __file__,
    story=__doc__,
    genome=Genome,
    decide=decide,
    assets=("WETH", "aUSDC"),
    slowest_span_h=lambda _: 2,
)
