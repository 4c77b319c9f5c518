"""Hold fixed shares of ETH, BTC and lending, and put them right when one has drifted out of its band."""

from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, define
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.targets import worthwhile
from treasury_actors.agents.model.view import KEEP, View

ASSETS = ("WETH", "WBTC", "aUSDC")


class Genome(NamedTuple):
    """Shares of NAV; what they and the reserve leave is lent. `band_bps` is in parts of a position."""

    weth_bps: Annotated[int, Between(0, 6_000)]
    wbtc_bps: Annotated[int, Between(0, 4_000)]
    reserve_bps: Annotated[int, Between(0, 3_000)]
    band_bps: Annotated[int, Between(300, 5_000)]
    check_h: Annotated[int, Between(6, 168)]


class State(NamedTuple):
    """The season frame to look at next."""

    next_frame: float = 0.0


def slowest_span_h(genome: Genome) -> int:  # noqa: ARG001 (it looks at the present alone)
    """Return 0: nothing is looked back at."""
    return 0


def decide(state: State, view: View, genome: Genome) -> tuple[State, list[float]]:
    """Ask for the fixed shares where one is out of its band."""
    if view.frame < state.next_frame:
        return state, KEEP
    lent_bps = max(0, 10_000 - genome.weth_bps - genome.wbtc_bps - genome.reserve_bps)
    wanted = [genome.weth_bps / 10_000, genome.wbtc_bps / 10_000, lent_bps / 10_000]
    return State(float(view.frame + genome.check_h)), worthwhile(view, wanted, genome.band_bps / 10_000)


FAMILY: Family = define(
    __file__,
    story=__doc__,
    genome=Genome,
    state=State,
    assets=ASSETS,
    slowest_span_h=slowest_span_h,
    decide=decide,
)
