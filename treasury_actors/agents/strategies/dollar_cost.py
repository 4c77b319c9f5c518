"""
Walk towards a share of ETH in small equal steps, one a period, whatever the price; lend the rest at Aave.

The entry price is an average over months. Above the share by more than a step, it walks back the same way.
"""

from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, define
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.view import KEEP, View

ASSETS = ("WETH", "wstETH", "aUSDC")
WETH, STAKED, LENT = 0, 1, 2


class Genome(NamedTuple):
    """`staked_count` 0 buys WETH, 1 buys wstETH."""

    period_h: Annotated[int, Between(24, 720)]
    step_bps: Annotated[int, Between(100, 1_000)]
    target_bps: Annotated[int, Between(1_000, 9_000)]
    staked_count: Annotated[int, Between(0, 1)]


class State(NamedTuple):
    """The season frame of the next step."""

    next_frame: float = 0.0


def slowest_span_h(genome: Genome) -> int:  # noqa: ARG001 (it looks at the present alone)
    """Return 0: nothing is looked back at."""
    return 0


def decide(state: State, view: View, genome: Genome) -> tuple[State, list[float]]:
    """Take one step of the walk; a step that can't be traded now is taken when it can."""
    if view.frame < state.next_frame:
        return state, KEEP
    bought = STAKED if genome.staked_count == 1 else WETH
    if not (view.tradable(bought) and view.tradable(LENT)):
        return state, KEEP
    step = genome.step_bps / 10_000
    gap = genome.target_bps / 10_000 - view.weights[WETH] - view.weights[STAKED]
    targets = [view.weights[WETH], view.weights[STAKED], 0.0]
    if gap > step / 2.0:
        targets[bought] += min(step, gap)
    elif gap < -step:
        targets[bought] = max(0.0, targets[bought] - step)
    targets[LENT] = max(0.0, 1.0 - targets[WETH] - targets[STAKED])
    next_state = State(float(view.frame + genome.period_h))
    if targets[bought] == view.weights[bought] and abs(targets[LENT] - view.weights[LENT]) < step:
        return next_state, KEEP
    return next_state, targets


FAMILY: Family = define(
    __file__,
    story=__doc__,
    genome=Genome,
    state=State,
    assets=ASSETS,
    slowest_span_h=slowest_span_h,
    decide=decide,
)
