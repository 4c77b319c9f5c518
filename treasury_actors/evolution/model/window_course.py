"""How one genome fared in one window: what every evaluator has to tell, the plain one and a compiled one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from treasury_actors.evolution.model.genome import Genome
from treasury_actors.evolution.model.windows import Window
from treasury_actors.ids import VenueId


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCourse:
    """
    The course of one genome with capital of its own through one window.

    Attributes:
        daily_nav_micro_usd: net of every cost, at the start of the window and at the end of each day.
        max_drawdown_ratio: deepest fall from the highest NAV before it, hour by hour, the start included.
        traded_micro_usd: what all fills turned over.
        trades: orders executed to their last hop.
        venue_shares: mean share of its NAV at each yield venue, over day closes, in the order of names.
        liquid_ratio_min: least share that could be the reserve within 24 h, over day closes.
        stable_ratio_min: least share in the reserve, other stablecoins and what is lent of them.
        death: why it stopped deciding before the end; empty if it did not.
    """

    window: Window
    daily_nav_micro_usd: tuple[int, ...]
    max_drawdown_ratio: float
    traded_micro_usd: int
    trades: int
    venue_shares: tuple[tuple[VenueId, float], ...]
    liquid_ratio_min: float
    stable_ratio_min: float
    death: str = ""

    def __post_init__(self) -> None:
        assert len(self.daily_nav_micro_usd) == self.window.days + 1, "every day of a window has its close"
        assert self.daily_nav_micro_usd[0] > 0, "a course starts with capital"

    @property
    def daily_returns(self) -> tuple[float, ...]:
        """Return one fraction a day; from nothing nothing grows."""
        return tuple(
            after / before - 1.0 if before > 0 else 0.0
            for before, after in pairwise(self.daily_nav_micro_usd)
        )


Evaluate: TypeAlias = Callable[[Sequence[Genome], Window], list[WindowCourse]]
"""Let genomes trade a window, each alone: one course a genome, in order, the same in any company."""


def together(courses: Sequence[WindowCourse]) -> WindowCourse:
    """
    Return what equal parts of the capital with each of several courses of one window became.

    Nothing is moved between them. The drawdown is that of day closes: hours are not kept.
    """
    assert courses, "an ensemble has a member"
    window = courses[0].window
    assert all(course.window == window for course in courses), "members share their window"
    scale = max(course.daily_nav_micro_usd[0] for course in courses)
    navs = tuple(
        sum(nav * scale // course.daily_nav_micro_usd[0] for nav, course in zip(day, courses, strict=True))
        for day in zip(*(course.daily_nav_micro_usd for course in courses), strict=True)
    )
    venues = sorted({venue for course in courses for venue, _ in course.venue_shares})
    count = len(courses)
    return WindowCourse(
        window=window,
        daily_nav_micro_usd=navs,
        max_drawdown_ratio=deepest_fall(navs),
        traded_micro_usd=sum(course.traded_micro_usd for course in courses),
        trades=sum(course.trades for course in courses),
        venue_shares=tuple(
            (venue, sum(dict(course.venue_shares).get(venue, 0.0) for course in courses) / count)
            for venue in venues
        ),
        liquid_ratio_min=sum(course.liquid_ratio_min for course in courses) / count,
        stable_ratio_min=sum(course.stable_ratio_min for course in courses) / count,
    )


def deepest_fall(navs: Sequence[int]) -> float:
    """Return the deepest fall of values from the highest before each, as a fraction."""
    peak, deepest = navs[0], 0.0
    for nav in navs:
        peak = max(peak, nav)
        deepest = max(deepest, 1.0 - nav / peak)
    return deepest
