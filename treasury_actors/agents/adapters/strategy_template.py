"""The strategy file that a newcomer starts from: complete, runnable, meant to be edited."""

from treasury_actors.agents.model.checks import FAMILY_NAME
from treasury_actors.errors import ConfigError

_TEMPLATE = '''"""Hold WETH while its price is above its mean; lend at Aave what isn't in WETH."""

from typing import Annotated, NamedTuple

from treasury_actors.agents.model.define import Between, Memoryless, define
from treasury_actors.agents.model.targets import worthwhile
from treasury_actors.agents.model.view import KEEP, View

WETH, LENT = 0, 1  # the slots, in the order of `assets` below


class Genome(NamedTuple):  # what evolution may change, and how far
    mean_h: Annotated[int, Between(24, 720)]
    size_bps: Annotated[int, Between(1_000, 9_000)]


def decide(state: Memoryless, view: View, genome: Genome) -> tuple[Memoryless, list[float]]:
    if view.frame % 24 != 0:
        return state, KEEP  # once a day is enough
    mean_usd = view.mean_usd(WETH, genome.mean_h)
    if not mean_usd > 0.0:
        return state, KEEP  # not known is NaN, and compares false: it is never zero
    size = genome.size_bps / 10_000 if view.price_usd(WETH) > mean_usd else 0.0
    return state, worthwhile(view, [size, 1.0 - size], 0.2)  # trades only what is off by a fifth


FAMILY = define(__file__, story=__doc__, genome=Genome, decide=decide, assets=("WETH", "aUSDC"))
'''


def new_strategy(name: str) -> str:
    """
    Return the text of a new strategy file, to be saved as `name` + `.py`: the file's name is its id.

    Raises:
        ConfigError: the name can't be a family's.
    """
    if not FAMILY_NAME.fullmatch(name):
        raise ConfigError(f"strategy name {name!r}: use 2 to 31 of a-z, 0-9 and _, a letter first")
    return _TEMPLATE
