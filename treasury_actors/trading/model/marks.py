"""How each mandate has fared since its capital arrived: a time-weighted index, its peak, its drawdown."""

from collections.abc import Iterable
from dataclasses import dataclass

from treasury_actors.ids import AgentId


@dataclass(slots=True)
class Mark:
    """
    One mandate's course. Capital that comes or goes never moves the index.

    Attributes:
        nav_micro_usd: the last NAV, after any flow since.
        index: time-weighted value of one dollar given at the start.
        peak: the highest index so far, 1.0 included.
    """

    nav_micro_usd: int = 0
    index: float = 1.0
    peak: float = 1.0

    @property
    def loss_ratio(self) -> float:
        """What one dollar has lost since the start; 0 if it gained."""
        return max(0.0, 1.0 - self.index)

    @property
    def drawdown_ratio(self) -> float:
        """What has been lost since the peak."""
        return 1.0 - self.index / self.peak

    def take(self, navs_micro_usd: Iterable[int]) -> None:
        """Take in the NAVs of one frame after the other."""
        index, peak, before = self.index, self.peak, self.nav_micro_usd
        for nav in navs_micro_usd:
            if before > 0:
                index *= nav / before
                peak = max(peak, index)
            before = nav
        self.index, self.peak, self.nav_micro_usd = index, peak, before


class Marks:
    """The marks of every mandate; moved by frames and by flows of capital, in the order they happen."""

    __slots__ = ("_marks",)

    def __init__(self) -> None:
        self._marks: dict[AgentId, Mark] = {}

    def of(self, agent: AgentId) -> Mark:
        """Return the mark of an agent; a new one if it has none."""
        mark = self._marks.get(agent)
        if mark is None:
            mark = self._marks[agent] = Mark()
        return mark

    def nav(self, agent: AgentId, nav_micro_usd: int) -> Mark:
        """Take in the NAV at a frame."""
        mark = self.of(agent)
        mark.take((nav_micro_usd,))
        return mark

    def flow(self, agent: AgentId, micro_usd: int) -> None:
        """Take in capital that came (positive) or went (negative) since the last NAV."""
        self.of(agent).nav_micro_usd += micro_usd

    def forget(self, agent: AgentId) -> None:
        """Drop the mark of a mandate that is closed."""
        self._marks.pop(agent, None)
