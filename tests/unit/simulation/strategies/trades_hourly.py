"""Trade against every hour's move, whatever that costs."""

from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, Memoryless, define
from treasury_actors.agents.model.view import KEEP, View


class Genome(NamedTuple):
    least_bps: Annotated[int, Between(1, 20)]


def decide(state: Memoryless, view: View, genome: Genome) -> tuple[Memoryless, list[float]]:
    change = view.change(0, 1)
    if not abs(change) > genome.least_bps / 10_000:
        return state, KEEP
    size = 0.9 if change < 0.0 else 0.0
    return state, [size, 0.0]


FAMILY = define(
    __file__,
    story=__doc__,
    genome=Genome,
    decide=decide,
    assets=("WETH", "aUSDC"),
    slowest_span_h=lambda _: 2,
)
