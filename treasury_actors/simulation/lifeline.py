"""What became of genomes that were evaluated by plain calls: values, nothing else."""

from dataclasses import dataclass
from typing import NamedTuple

from treasury_actors.agents.model.family import State
from treasury_actors.ids import AgentId, AssetId, ConversionId, FamilyId
from treasury_actors.reports.lines import BenchmarkResult
from treasury_actors.trading.model.order import Order, TradingReason


class Fill(NamedTuple):
    """One hop of an order that was executed at `frame`; the words are those of `OrderFilled`."""

    frame: int
    conversion: ConversionId
    given_units: int
    taken_units: int
    value_micro_usd: int
    fee_micro_usd: int
    impact_micro_usd: int
    gas_micro_usd: int
    partial: bool
    last: bool


class Decision(NamedTuple):
    """What a strategy answered at `frame`, what it then remembered, and what was ordered."""

    frame: int
    state: State
    targets: tuple[float, ...]
    orders: tuple[Order, ...]


class Refused(NamedTuple):
    """An order that a limit forbade."""

    order: Order
    reason: TradingReason
    detail: str


class Death(NamedTuple):
    """Why an agent decides no more from `frame` on; `crashed` if its own code failed."""

    frame: int
    reason: str
    crashed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """
    How capital fared, by the hour and by the day.

    Attributes:
        capital_micro_usd: what it was worth at frame 0.
        daily_nav_micro_usd: NAV at frames 0, 24, 48, …
        nav_micro_usd: NAV at the last frame.
        max_drawdown_ratio: deepest fall from the highest NAV before it, hour by hour.
        liquid_24h_ratio: share of the last NAV that could be the reserve asset within 24 h; None of nothing.
    """

    capital_micro_usd: int
    daily_nav_micro_usd: tuple[int, ...]
    nav_micro_usd: int
    max_drawdown_ratio: float
    liquid_24h_ratio: float | None

    @property
    def return_ratio(self) -> float:
        """Return what was gained or lost over the whole span, as a fraction of the capital."""
        return self.nav_micro_usd / self.capital_micro_usd - 1.0 if self.capital_micro_usd else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifeline:
    """
    The life of one genome with capital of its own.

    Attributes:
        units: what it owns at the end, by asset name.
        fills: every executed hop, in order.
        refused: every refused order, in order.
        decisions: every decision, if they were asked for.
        death: why it stopped deciding before the end, if it did.
    """

    agent: AgentId
    family: FamilyId
    genes: tuple[int, ...]
    course: Course
    units: tuple[tuple[AssetId, int], ...]
    fills: tuple[Fill, ...]
    refused: tuple[Refused, ...]
    decisions: tuple[Decision, ...]
    death: Death | None

    @property
    def trades(self) -> int:
        """Return how many orders were executed to their last hop."""
        return sum(fill.last for fill in self.fills)

    @property
    def costs_micro_usd(self) -> int:
        """Return what fees, price impact and gas took."""
        return sum(fill.fee_micro_usd + fill.impact_micro_usd + fill.gas_micro_usd for fill in self.fills)


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """
    What became of a population, and of the whole treasury it was.

    Attributes:
        treasury: everybody's capital, together with the gas that was deposited less what was burnt.
    """

    lifelines: tuple[Lifeline, ...]
    treasury: BenchmarkResult
