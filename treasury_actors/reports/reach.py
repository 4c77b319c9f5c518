"""What of the treasury is within reach when, for how long it lasts, and what is left after running costs."""

from dataclasses import dataclass

from treasury_actors.arena.model.spending import Spending
from treasury_actors.market.model.frame import Season
from treasury_actors.money import usd
from treasury_actors.reports.history import History
from treasury_actors.reports.numerals import dollars
from treasury_actors.trading.model.liquidity import Liquidity, liquidity


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """
    The treasurer's figures at the last frame.

    Attributes:
        liquid: exit value by when it could be had; each span includes the shorter ones.
        runway_months: for how long what is liquid in 24 h lasts; None if no burn is known.
        running_cost_micro_usd: of the season's days; paid outside the treasury, so in no NAV.
        result_micro_usd: the gain less that.
    """

    liquid: Liquidity
    spending: Spending
    runway_months: float | None
    running_cost_micro_usd: int
    result_micro_usd: int


def reach_of(history: History, season: Season, spending: Spending, *, days: float) -> Reach:
    """Return the treasurer's figures of a season that lasted so many days."""
    frame = season.frame(history.last_frame)
    liquid = liquidity(season.universe, history.held_at_end.items(), frame)
    running_cost = spending.running_cost_micro_usd(days)
    return Reach(
        liquid=liquid,
        spending=spending,
        runway_months=spending.runway_months(liquid.day_micro_usd),
        running_cost_micro_usd=running_cost,
        result_micro_usd=history.gain_micro_usd - running_cost,
    )


def reach_in_words(reach: Reach) -> str:
    """Say when how much could be had, how long it lasts, and what running cost."""
    liquid, spending = reach.liquid, reach.spending
    said = (
        f"liquid: {dollars(liquid.now_micro_usd)} now, {dollars(liquid.day_micro_usd)} in 24 h,"
        f" {dollars(liquid.week_micro_usd)} in 7 d; {dollars(liquid.locked_micro_usd)} locked or for gas"
    )
    if reach.runway_months is not None:
        said += f"; runway {reach.runway_months:,.1f} months at ${spending.burn_usd_per_month:,} a month"
    if reach.running_cost_micro_usd:
        cost = dollars(reach.running_cost_micro_usd)
        said += f"; {dollars(reach.result_micro_usd, signed=True)} after {cost} of running costs"
    return said


def reach_object(reach: Reach) -> dict[str, str | float | None]:
    """Return the same for a script; money as decimal strings."""
    liquid = reach.liquid
    return {
        "liquid_now_usd": usd(liquid.now_micro_usd),
        "liquid_24h_usd": usd(liquid.day_micro_usd),
        "liquid_7d_usd": usd(liquid.week_micro_usd),
        "locked_usd": usd(liquid.locked_micro_usd),
        "burn_usd_per_month": str(reach.spending.burn_usd_per_month),
        "runway_months": reach.runway_months,
        "runway_floor_usd": usd(reach.spending.floor_micro_usd),
        "running_cost_usd": usd(reach.running_cost_micro_usd),
        "result_after_running_cost_usd": usd(reach.result_micro_usd),
    }
