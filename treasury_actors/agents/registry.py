"""The strategy families that ship, by name. A family counts only if it is listed here: nothing is scanned."""

from treasury_actors.agents.model.family import Family
from treasury_actors.agents.strategies import (
    dollar_cost,
    eth_staking,
    idle_cash,
    lending_rotation,
    peg_reversion,
    risk_parity,
    threshold_rebalance,
    trend,
)
from treasury_actors.errors import ConfigError
from treasury_actors.ids import FamilyId
from treasury_actors.market.model.universe import Universe

SHIPPED: tuple[Family, ...] = (
    dollar_cost.FAMILY,
    eth_staking.FAMILY,
    idle_cash.FAMILY,
    lending_rotation.FAMILY,
    peg_reversion.FAMILY,
    risk_parity.FAMILY,
    threshold_rebalance.FAMILY,
    trend.FAMILY,
)
"""Every shipped family, in the order of their names."""


def families(universe: Universe) -> dict[FamilyId, Family]:
    """Return the shipped families whose assets a universe has, in the order of their names."""
    return {family.id: family for family in SHIPPED if _finds_its_assets(family, universe)}


def _finds_its_assets(family: Family, universe: Universe) -> bool:
    """Say whether a universe has every asset that a family can't do without."""
    try:
        family.assets(universe)
    except ConfigError:
        return False
    return True
