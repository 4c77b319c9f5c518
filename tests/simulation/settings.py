"""What every campaign of the tests plays with: the default rules and the shipped strategies."""

from treasury_actors.agents.registry import families
from treasury_actors.faults.machine import Setting
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.file import Settings

SETTING = Setting(
    rules=Settings().house_rules(7),
    families=families(MAINNET),
    trusted=frozenset(families(MAINNET)),
)
