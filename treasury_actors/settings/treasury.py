"""The `[treasury]` section: what owners spend, what stays within a day's reach, what running costs."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from treasury_actors.arena.model.spending import Spending

_CENT = Decimal("0.01")


def _whole_cents(value: Decimal) -> Decimal:
    """Refuse an amount of money with a fraction of a cent."""
    if not value.is_finite() or value % _CENT != 0:
        raise ValueError("allowed are whole cents")
    return value


Dollars = Annotated[Decimal, Field(ge=0, le=10**12), AfterValidator(_whole_cents)]


class TreasurySection(BaseModel):
    """
    The treasurer's figures; 0, the default, is none.

    Attributes:
        burn_usd_per_month: what the owners of the treasury spend.
        runway_floor_months: so many months of it stay in what can be sold within 24 h: no allocation goes
            below.
        running_cost_usd_per_month: what running this house costs; reports take it off the result.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    burn_usd_per_month: Dollars = Decimal(0)
    runway_floor_months: Annotated[Decimal, Field(ge=0, le=120)] = Decimal(0)
    running_cost_usd_per_month: Dollars = Decimal(0)

    @property
    def has_floor(self) -> bool:
        """Whether it decides the course of a run."""
        return self.burn_usd_per_month > 0 and self.runway_floor_months > 0

    @property
    def spending(self) -> Spending:
        """The figures as rules have them."""
        return Spending(
            burn_usd_per_month=self.burn_usd_per_month,
            runway_floor_months=self.runway_floor_months,
            running_cost_usd_per_month=self.running_cost_usd_per_month,
        )
