"""Every rule the actors of a house go by, as plain values."""

from dataclasses import dataclass

from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.trading.model.costs import ChainProfile
from treasury_actors.trading.model.guard import GuardPolicy
from treasury_actors.trading.model.planner import PlannerPolicy
from treasury_actors.trading.model.rates import RateLimits
from treasury_actors.trading.model.slot_acts import WalletPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseRules:
    """
    The rules of one house.

    Attributes:
        gas_wei_max: the most that one transaction may cost; a dearer one is not sent.
        rates: the most that may be ordered in an hour and a day, whatever mandates allow.
    """

    arena: ArenaRules
    planner: PlannerPolicy
    guard: GuardPolicy
    chain: ChainProfile
    gas_wei_max: int
    rates: RateLimits
    supervision: SupervisionPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRules:
    """
    What is risked on one chain.

    Attributes:
        mandate_micro_usd_min: a smaller mandate would feed its capital to the gas.
        impact_bps_max: how much less than the independent price a swap may bring, its pool's fee aside.
        deadline_s: how long a swap may wait for its block.
    """

    policy: WalletPolicy
    mandate_micro_usd_min: int
    impact_bps_max: int = 100
    depth_bps_max: int = 100
    deadline_s: int = 120
