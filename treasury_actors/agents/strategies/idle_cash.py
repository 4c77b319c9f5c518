"""Do nothing: the floor that every other family has to beat. All capital stays in the reserve asset."""

from typing import NamedTuple

from treasury_actors.agents.model.define import define
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.view import KEEP, View


class Genome(NamedTuple):
    """Nothing to breed."""


class State(NamedTuple):
    """Nothing to remember."""


def decide(state: State, view: View, genome: Genome) -> tuple[State, list[float]]:  # noqa: ARG001 (one shape for all)
    """Keep."""
    return state, KEEP


FAMILY: Family = define(__file__, story=__doc__, genome=Genome, state=State, assets=(), decide=decide)
