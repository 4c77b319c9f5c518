"""The evaluator and the house: one arithmetic, two drivers, the same fills to the unit."""

from collections import defaultdict
from functools import cache

import anyio
import pytest

from tests.unit.simulation.houses import SHIPPED, Played, house_rules, play, world
from treasury_actors.agents.registry import SHIPPED as ALL_FAMILIES
from treasury_actors.arena.model.events import AgentBorn, AgentRetired
from treasury_actors.arena.model.rules import RiskRules
from treasury_actors.clock import HOUR_NS
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.ledger.model import GAS, statement
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.evaluate import evaluate_population
from treasury_actors.simulation.lifeline import Fill, Population
from treasury_actors.trading.model.guard import GuardPolicy
from treasury_actors.trading.model.order import OrderEnded, OrderFilled, OrderRefused

Fills = dict[AgentId, list[Fill]]

DEFAULT = house_rules()
NERVOUS = house_rules(guard=GuardPolicy(stop_loss_ratio=0.02, drawdown_ratio_max=0.03))
NARROW = house_rules(
    risk=RiskRules(trade_usd_max=3_000, agent_turnover_ratio_max=0.5, impact_bps_max=1.0, venue_ratio_max=0.7)
)
DEAR = house_rules(capital_usd=32_000, chain="ethereum")
HUGE = house_rules(
    capital_usd=16_000_000_000,
    risk=RiskRules(trade_usd_max=10**10, arena_turnover_usd_max=10**12, impact_bps_max=10_000.0),
)
POOR = house_rules(gas_usd=3)
EVERY_RULE = pytest.mark.parametrize(
    "rules",
    [DEFAULT, NERVOUS, NARROW, DEAR, HUGE, POOR],
    ids=["default", "nervous", "narrow", "dear", "huge", "poor"],
)


@cache
def lived(rules: HouseRules) -> tuple[ColumnSeason, Played, Population]:
    """Play a house of these rules once, and evaluate the genomes that were born in it."""
    season = world()
    played = anyio.run(play, season, rules)
    candidates = [(SHIPPED[each.family], each.genes) for each in born(played)]
    return season, played, evaluate_population(season, candidates, rules)


def born(played: Played) -> list[AgentBorn]:
    return [event for record in played.events if isinstance(event := record.event, AgentBorn)]


def fills_of(played: Played, season: ColumnSeason) -> Fills:
    """Return every hop the engine settled, by agent."""
    found: Fills = defaultdict(list)
    for record in played.events:
        event = record.event
        if isinstance(event, OrderFilled):
            found[event.agent].append(
                Fill(
                    frame=(record.time_ns - season.start_ns) // HOUR_NS,
                    conversion=event.conversion,
                    given_units=event.given_units,
                    taken_units=event.taken_units,
                    value_micro_usd=event.value_micro_usd,
                    fee_micro_usd=event.fee_micro_usd,
                    impact_micro_usd=event.impact_micro_usd,
                    gas_micro_usd=event.gas_micro_usd,
                    partial=event.partial,
                    last=event.last,
                )
            )
    return found


@EVERY_RULE
def test_every_agent_of_a_still_house_has_the_fills_of_its_lifeline(rules: HouseRules) -> None:
    season, played, population = lived(rules)

    expected = fills_of(played, season)
    assert {life.agent: list(life.fills) for life in population.lifelines if life.fills} == expected
    refused = [e.order.order_id for r in played.events if isinstance(e := r.event, OrderRefused)]
    assert sorted(refused) == sorted(o.order.order_id for life in population.lifelines for o in life.refused)
    died = {e.agent: (e.turn, e.reason) for r in played.events if isinstance(e := r.event, AgentRetired)}
    assert died == {x.agent: (x.death.frame, x.death.reason) for x in population.lifelines if x.death}


@EVERY_RULE
def test_what_everybody_owns_in_the_end_is_the_same_to_the_unit(rules: HouseRules) -> None:
    _, played, population = lived(rules)

    book = played.fold.records.book
    for life in population.lifelines:
        if played.fold.records.roster.members[life.agent].life != "closed":
            assert dict(life.units) == statement(book, life.agent).owned, life.agent
    assert owned_by_all(population) == {
        asset: units - book.units(GAS, asset) for asset, units in book.totals().items() if asset != "ETH"
    }


def owned_by_all(population: Population) -> dict[AssetId, int]:
    """Return what all lifelines together own at the end."""
    owned: dict[AssetId, int] = {}
    for life in population.lifelines:
        for asset, units in life.units:
            owned[asset] = owned.get(asset, 0) + units
    return owned


def test_the_parity_tests_meet_every_case_they_are_there_for() -> None:
    cases = {"default": DEFAULT, "nervous": NERVOUS, "narrow": NARROW, "huge": HUGE, "poor": POOR}
    lives = {name: lived(rules)[2].lifelines for name, rules in cases.items()}

    traded = {life.family for life in lives["default"] if life.fills}
    assert traded == {family.id for family in ALL_FAMILIES} - {"idle_cash"}
    assert any(not fill.last for life in lives["default"] for fill in life.fills), "a route of two hops"
    assert any(fill.partial for life in lives["huge"] for fill in life.fills), "a lender short of cash"
    assert any(life.death for life in lives["nervous"]), "a breach of the guardian's"
    assert {o.reason for life in lives["narrow"] for o in life.refused} >= {
        "above_turnover_limit",
        "above_venue_limit",
    }
    ended = [r.event for r in lived(POOR)[1].events if isinstance(r.event, OrderEnded)]
    assert any(e.reason == "no_gas" for e in ended), "a budget too small for the fee"
    assert (
        0 < sum(len(life.fills) for life in lives["poor"]) < sum(len(life.fills) for life in lives["default"])
    )


def test_the_whole_treasury_is_worth_what_the_ledger_says() -> None:
    season, played, population = lived(DEFAULT)

    frame = season.frame(season.frame_count - 1)
    universe = season.universe
    in_books = sum(
        universe.by_id[asset].value_micro_usd(units, frame.ticks[universe.column[asset]])
        for asset, units in played.fold.records.book.totals().items()
    )
    parts = len(population.lifelines) * len(universe.assets)
    assert abs(population.treasury.nav_micro_usd - in_books) <= parts, "each part is rounded down"
