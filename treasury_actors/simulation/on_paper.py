"""The rules of a house whose money is nobody's: agents on paper, bred all the while, at real costs."""

from dataclasses import replace
from decimal import Decimal
from hashlib import sha256

from treasury_actors.arena.model.spending import Spending
from treasury_actors.money import MICRO_USD
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.run import RunPlan

CAPITAL_USD, GAS_USD = 10_000, 100
"""What an agent on paper has; as much as a mandate of the main arena."""


def on_paper(rules: HouseRules, agents: int) -> HouseRules:
    """Return the rules of a house on paper with so many agents."""
    arena = replace(
        rules.arena,
        stage="sim",
        population=agents,
        capital_usd=CAPITAL_USD * agents,
        gas_usd=GAS_USD * agents,
        allocates=True,
        breeds=True,
        climbs=False,
        spending=Spending(),  # nobody lives on this money
    )
    return replace(rules, arena=arena)


def plan_on_paper(plan: RunPlan, agents: int) -> RunPlan:
    """
    Return the plan of the house on paper beside a run, on the same seasons.

    What is shared by all mandates of a house (turnover a day, orders an hour) is as much as all of them may
    have at once: on paper nobody keeps another from trading.
    """

    def rules(seed: int) -> HouseRules:
        made = on_paper(plan.rules(seed), agents)
        turnover_usd = Decimal(CAPITAL_USD * agents) * Decimal(str(made.arena.risk.agent_turnover_ratio_max))
        trade_usd = max(made.arena.risk.trade_usd_max, CAPITAL_USD)
        risk = replace(made.arena.risk, trade_usd_max=trade_usd, arena_turnover_usd_max=turnover_usd)
        rates = replace(
            made.rates,
            arena_day_micro_usd_max=int(turnover_usd * MICRO_USD),
            arena_sends_hour_max=made.rates.agent_sends_hour_max * agents,
        )
        return replace(made, arena=replace(made.arena, risk=risk), rates=rates)

    name = sha256(f"{plan.config_hash}/on paper/{agents}".encode()).hexdigest()
    return replace(plan, rules=rules, config_hash=name, wrap_agent=None)
