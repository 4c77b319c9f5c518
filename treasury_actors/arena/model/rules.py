"""The rules an arena is run by, and the limits that follow from them. Pure."""

from dataclasses import dataclass, field
from decimal import Decimal

from treasury_actors.agents.model.fitness import FormulaName
from treasury_actors.arena.model.allocation import PPB, AllocationPolicy
from treasury_actors.arena.model.spending import Spending
from treasury_actors.evolution.model.breeding import BreedingRules
from treasury_actors.ids import AssetId
from treasury_actors.money import MICRO_USD, split_by_largest_remainder
from treasury_actors.trading.model.costs import CHAINS, ChainProfile
from treasury_actors.trading.model.mandate import Limits, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRules:
    """
    Hard limits, in dollars and ratios; arena-wide ones are divided among mandates at each round.

    Attributes:
        agent_turnover_ratio_max: an agent's turnover in 24 turns, as a multiple of its capital.
        arena_turnover_usd_max: of all agents in 24 turns; each gets the share of its capital.
    """

    trade_usd_min: Decimal | int = 10
    trade_usd_max: Decimal | int = 50_000
    agent_turnover_ratio_max: float = 3.0
    arena_turnover_usd_max: Decimal | int = 1_500_000
    venue_ratio_max: float = 1.0
    impact_bps_max: float = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArenaRules:
    """
    How an arena is run.

    Attributes:
        capital_usd: what is deposited for mandates; `gas_usd`: in the gas asset, for `treasury:gas`.
        round_turns: frames between two rounds.
        mandate_usd_min: a smaller mandate is not opened: it could not pay for its gas.
        gas_ppb: the part of `treasury:gas` that a round divides among mandates; exits have the rest.
        stale_ratio_max: an agent with more of its NAV at stale prices is left as it is by the round.
        lending_benchmark: the share token that stands for plain lending.
        allocation: whether capital follows fitness; if not, every mandate stays as it was opened.
        breeding: whether anybody dies or is born after the start.
        spending: what the treasury's owners spend, and the runway that no allocation may shorten.
        climbs: whether a season opens with nobody, its capital in the reserve: agents come by promotions.
        freezes: whether quarantine leaves positions as they are, under their stop-loss: where money is real.
    """

    seed: int
    stage: Stage
    population: int
    capital_usd: Decimal | int
    gas_usd: Decimal | int
    round_turns: int = 168
    mandate_usd_min: int = 1_000
    gas_ppb: int = 800_000_000
    stale_ratio_max: float = 0.05
    lending_benchmark: AssetId = AssetId("aUSDC")
    formula: FormulaName = "certainty_equivalent"
    cost_model: str = "base/1"
    allocates: bool = True
    breeds: bool = True
    climbs: bool = False
    freezes: bool = False
    spending: Spending = field(default_factory=Spending)
    allocation: AllocationPolicy = field(default_factory=AllocationPolicy)
    risk: RiskRules = field(default_factory=RiskRules)

    @property
    def breeding(self) -> BreedingRules:
        """How the population renews itself."""
        return BreedingRules(target_population=self.population)

    @property
    def chain(self) -> ChainProfile:
        """What gas costs, by the cost model."""
        return CHAINS[self.cost_model.partition("/")[0]]

    def gas_shares(self, wei: int, mandates: int) -> list[int]:
        """
        Divide the mandates' part of `wei` of gas equally, to the last wei (I8).

        A transaction costs the same whatever the capital behind it.
        """
        return split_by_largest_remainder(wei * self.gas_ppb // PPB, [1] * mandates)

    def limits_for(
        self, capital_micro_usd: int, total_micro_usd: int, *, gas_wei: int, gas_round: int
    ) -> Limits:
        """
        Return the limits of a mandate of this capital among mandates of this total.

        Args:
            gas_wei: what it may burn in the round of number `gas_round`.
        """
        risk = self.risk
        own = int(capital_micro_usd * risk.agent_turnover_ratio_max)
        arena = int(risk.arena_turnover_usd_max * MICRO_USD)
        share = arena * capital_micro_usd // max(1, total_micro_usd)
        return Limits(
            trade_micro_usd_max=int(risk.trade_usd_max * MICRO_USD),
            turnover_micro_usd_max=min(own, share),
            venue_ratio_max=risk.venue_ratio_max,
            impact_bps_max=risk.impact_bps_max,
            trade_micro_usd_min=int(risk.trade_usd_min * MICRO_USD),
            gas_wei_max=gas_wei,
            gas_round=gas_round,
        )
