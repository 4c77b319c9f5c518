"""The course of one dollar: a time-weighted index, its peak, its deepest fall, its day closes."""

from dataclasses import dataclass, field
from itertools import pairwise

from treasury_actors.agents.model.track import DAY_FRAMES


@dataclass(slots=True)
class Course:
    """
    How money has fared, capital that comes and goes aside.

    Call `see` with the NAV whenever it is known, and around each flow of capital `see` before and `rebase`
    after it.

    Attributes:
        nav_micro_usd: the last NAV, after any flow since.
        index: what one dollar given at the start has become.
        max_drawdown_ratio: the deepest fall of the index from its peak so far, the start included.
        closes: (day, index) at every day close with capital; day n ends at frame 24 n.
    """

    nav_micro_usd: int = 0
    index: float = 1.0
    peak: float = 1.0
    max_drawdown_ratio: float = 0.0
    closes: list[tuple[int, float]] = field(default_factory=list)

    @property
    def return_ratio(self) -> float:
        """What one dollar has gained."""
        return self.index - 1.0

    @property
    def drawdown_ratio(self) -> float:
        """How far the index stands below its peak."""
        return 1.0 - self.index / self.peak

    def see(self, nav_micro_usd: int) -> None:
        """Take in a NAV that prices, costs and trades alone have made of the last one."""
        if self.nav_micro_usd > 0 and nav_micro_usd != self.nav_micro_usd:
            self.index *= nav_micro_usd / self.nav_micro_usd
            self.peak = max(self.peak, self.index)
            self.max_drawdown_ratio = max(self.max_drawdown_ratio, self.drawdown_ratio)
        self.nav_micro_usd = nav_micro_usd

    def rebase(self, nav_micro_usd: int) -> None:
        """Go on from another capital: the NAV just after a flow, at unchanged prices."""
        self.nav_micro_usd = nav_micro_usd

    def close_day(self, frame: int) -> None:
        """Note the index if this frame closes a day and there is capital."""
        if frame % DAY_FRAMES == 0 and self.nav_micro_usd > 0:
            self.closes.append((frame // DAY_FRAMES, self.index))

    def daily_returns(self) -> dict[int, float]:
        """Return the return of every day that had capital at both its ends, by day."""
        returns: dict[int, float] = {}
        for (before, start), (day, end) in pairwise(self.closes):
            if day == before + 1 and start > 0.0:
                returns[day] = end / start - 1.0
        return returns


def course_of(path_micro_usd: tuple[int, ...]) -> Course:
    """Return the course of money without flows, frame by frame."""
    course = Course()
    for frame, nav_micro_usd in enumerate(path_micro_usd):
        course.see(nav_micro_usd)
        course.close_day(frame)
    return course
