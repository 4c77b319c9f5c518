"""Every rule the actors of a house go by, as plain values."""

from dataclasses import dataclass

from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.trading.model.costs import ChainProfile
from treasury_actors.trading.model.guard import GuardPolicy
from treasury_actors.trading.model.planner import PlannerPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseRules:
    """
    The rules of one house.

    Attributes:
        gas_wei_max: the most that one transaction may cost; a dearer one is not sent.
    """

    arena: ArenaRules
    planner: PlannerPolicy
    guard: GuardPolicy
    chain: ChainProfile
    gas_wei_max: int
    supervision: SupervisionPolicy
