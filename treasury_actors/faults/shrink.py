"""Making a failing seed smaller: fewer kinds of faults, asyncio's own order, an earlier end."""

from dataclasses import dataclass, replace
from typing import Final

from treasury_actors.faults.machine import Setting
from treasury_actors.faults.plan import HEAL_TURNS, Plan
from treasury_actors.faults.seed import SeedResult, play
from treasury_actors.faults.violation import Violation

TRIES_MAX: Final = 60
_SHORTEST: Final = HEAL_TURNS + 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """The smallest plan found that breaks the same promise, and after how many tries."""

    plan: Plan
    violation: Violation
    tries: int


class _Search:
    def __init__(self, result: SeedResult, setting: Setting) -> None:
        assert result.violation is not None, "only a broken seed is made smaller"
        self.plan = result.plan
        self.violation = result.violation
        self.tries = 0
        self._setting = setting

    def take(self, plan: Plan) -> bool:
        """Keep a smaller plan if it breaks the same promise."""
        if self.tries >= TRIES_MAX or plan == self.plan:
            return False
        self.tries += 1
        found = play(plan, self._setting).violation
        if found is None or found.invariant != self.violation.invariant:
            return False
        self.plan, self.violation = plan, found
        return True


def shrink(result: SeedResult, setting: Setting) -> Shrunk:
    """
    Return a smaller plan of the same seed that breaks the same promise.

    Kinds are dropped one by one, as long as any can be; then the schedule; then the horizon is halved
    towards the shortest. What is left can be said on a command line.
    """
    search = _Search(result, setting)
    dropped = True
    while dropped:
        dropped = False
        for kind in search.plan.kinds:
            dropped = search.take(search.plan.without([kind])) or dropped
    search.take(replace(search.plan, schedule="fifo"))
    low = _SHORTEST
    while low < search.plan.turns:
        middle = (low + search.plan.turns) // 2
        if not search.take(search.plan.shorter(middle)):
            low = middle + 1
    return Shrunk(plan=search.plan, violation=search.violation, tries=search.tries)
