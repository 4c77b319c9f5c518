"""What a treasury lives on: what owners spend, what stays within a day's reach, what running costs. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from treasury_actors.money import MICRO_USD

MONTH_DAYS = 365.25 / 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """
    The treasurer's figures; 0 is none.

    Attributes:
        burn_usd_per_month: what the owners of the treasury spend.
        runway_floor_months: so many months of that stay in what can be sold within 24 h: no allocation goes
            below.
        running_cost_usd_per_month: what running this house costs; it is paid elsewhere, reports take it off.
    """

    burn_usd_per_month: Decimal | int = 0
    runway_floor_months: Decimal | int = 0
    running_cost_usd_per_month: Decimal | int = 0

    @property
    def floor_micro_usd(self) -> int:
        """The exit value within 24 h that no allocation may take the treasury below, rounded up."""
        floor: int = ceil(Decimal(self.burn_usd_per_month) * Decimal(self.runway_floor_months) * MICRO_USD)
        return floor

    def runway_months(self, micro_usd: int) -> float | None:
        """Return for how many months so much lasts; None if nothing is spent."""
        burn_micro_usd = int(self.burn_usd_per_month * MICRO_USD)
        return micro_usd / burn_micro_usd if burn_micro_usd else None

    def running_cost_micro_usd(self, days: float) -> int:
        """Return what so many days of running cost."""
        cost: int = round(float(self.running_cost_usd_per_month) * MICRO_USD * days / MONTH_DAYS)
        return cost
