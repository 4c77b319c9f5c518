"""A mandate: the capital and the limits an agent was given, and whether it is being closed."""

from dataclasses import dataclass
from typing import Literal

from treasury_actors.ids import AgentId
from treasury_actors.journal.codec import Units, event

Stage = Literal["sim", "proving", "main", "full"]
MandateStatus = Literal["active", "recalling", "frozen", "closing", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    What one mandate may do; arena-wide limits are divided among mandates at each round.

    Attributes:
        trade_micro_usd_max: value of one order.
        turnover_micro_usd_max: value of all its orders in 24 turns.
        venue_ratio_max: share of its NAV that may sit at one yield venue.
        impact_bps_max: price impact of one order against the frame's depth.
        trade_micro_usd_min: smallest order worth its gas, exits excepted.
        gas_wei_max: what all its transactions may burn in the round of number `gas_round`, the opening
            being round 0.
    """

    trade_micro_usd_max: Units
    turnover_micro_usd_max: Units
    venue_ratio_max: float
    impact_bps_max: float
    trade_micro_usd_min: Units
    gas_wei_max: Units
    gas_round: int


@event("trading.mandate_set", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """
    What the engine and the guardian hold an agent to.

    Attributes:
        due_units: of the reserve asset, what the agent still has to return to the pool.
        status: `closing`: only the guardian may order, and only to reduce, for good. `recalling`: the same
            until what is due is home; then it is `active` again. `frozen`: nobody orders; its stop-loss and
            drawdown are watched as ever.
    """

    agent: AgentId
    stage: Stage
    status: MandateStatus
    due_units: Units
    limits: Limits
