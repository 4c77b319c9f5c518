"""Known-bad changes, planted in this process alone: what a campaign that is worth anything must catch."""

from typing import Final

from treasury_actors.faults import (
    mutants_edges,
    mutants_house,
    mutants_money,
    mutants_trading,
    mutants_wallet,
)
from treasury_actors.faults.planting import PLANTABLE, Mutant

_ROOMS: Final = (mutants_money, mutants_trading, mutants_wallet, mutants_house, mutants_edges)

MUTANTS: Final[dict[str, Mutant]] = dict(PLANTABLE)
"""Every mutant by name, in the order of the rooms they live in."""

assert len(_ROOMS) <= len(MUTANTS), "each room has told its mutants by being imported"
