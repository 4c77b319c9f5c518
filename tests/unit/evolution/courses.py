"""Made-up courses of windows."""

from collections.abc import Sequence

from treasury_actors.evolution.model.window_course import WindowCourse, deepest_fall
from treasury_actors.evolution.model.windows import Window
from treasury_actors.ids import VenueId
from treasury_actors.market.model.frame import Label

DAYS = 10


def window(number: int, label: Label = "HYPOTHETICAL", days: int = DAYS) -> Window:
    return Window(history="ab" * 32, label=label, first_frame=number * 1_000, days=days)


def course(
    at: Window,
    returns: Sequence[float],
    *,
    fall: float | None = None,
    liquid: float = 1.0,
    stable: float = 1.0,
    venues: tuple[tuple[VenueId, float], ...] = (),
    death: str = "",
) -> WindowCourse:
    navs = [10**12]
    for value in returns:
        navs.append(round(navs[-1] * (1.0 + value)))
    return WindowCourse(
        window=at,
        daily_nav_micro_usd=tuple(navs),
        max_drawdown_ratio=deepest_fall(navs) if fall is None else fall,
        traded_micro_usd=0,
        trades=0,
        venue_shares=venues,
        liquid_ratio_min=liquid,
        stable_ratio_min=stable,
        death=death,
    )
