"""
The evaluator in machine code against the house of real actors: 50 genomes of a family, 30 days.

Whatever order the engine filled, at whichever frame, of whichever agent: the evaluator has the same, to the
unit. Asked for is a billionth; what they share is every digit.
"""

from collections import defaultdict

import anyio
import pytest

from tests.unit.simulation.houses import SHIPPED, Played, house_rules, play, world
from treasury_actors.agents.model.family import Family
from treasury_actors.arena.model.events import AgentBorn, AgentRetired
from treasury_actors.clock import HOUR_NS
from treasury_actors.ids import AgentId
from treasury_actors.ledger.model import statement
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.simulation.compiled.layout import death_of
from treasury_actors.simulation.compiled.tape import read_tape
from treasury_actors.simulation.evidence.history import History
from treasury_actors.simulation.lifeline import Fill
from treasury_actors.trading.model.guard import GuardPolicy
from treasury_actors.trading.model.order import OrderFilled
from treasury_actors.trading.model.valuation import nav_micro_usd

pytest.importorskip("numba", reason="numba is not installed: nothing is compiled")

from treasury_actors.simulation.compiled.batch import Batch

AGENTS, DAYS = 50, 30
RULES = house_rules(
    population=AGENTS,
    capital_usd=AGENTS * 10_000,
    guard=GuardPolicy(stop_loss_ratio=0.08, drawdown_ratio_max=0.10),
)


def fills_of(played: Played, season: ColumnSeason) -> dict[AgentId, list[Fill]]:
    """Return every hop the engine settled, by agent."""
    found: dict[AgentId, list[Fill]] = defaultdict(list)
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


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("family", SHIPPED.values(), ids=SHIPPED)
def test_fifty_agents_of_a_family_fare_as_the_evaluator_says(family: Family) -> None:
    season = world(days=DAYS)
    played = anyio.run(play, season, RULES, {family.id: family})
    born = [event for record in played.events if isinstance(event := record.event, AgentBorn)]
    batch = Batch(
        read_tape(History(season=season), RULES.chain),
        [[(family, each.genes) for each in born]],
        RULES,
        first=season.frame(0),
        first_frame=0,
        frame_count=season.frame_count,
        log_size=4_000,
    )

    batch.play(1)

    assert len(born) == AGENTS
    assert batch.failed == []
    filled = fills_of(played, season)
    assert bool(filled) is (family.id != "idle_cash"), "a family that does nothing shows nothing"
    assert [filled.get(each.agent, []) for each in born] == [list(fills) for fills in batch.fills(0)]
    died = {e.agent: (e.turn, e.reason) for r in played.events if isinstance(e := r.event, AgentRetired)}
    deaths = {each.agent: death_of(life, RULES) for each, life in zip(born, batch.lives, strict=True)}
    assert died == {agent: (death.frame, death.reason) for agent, death in deaths.items() if death}
    last, book = season.frame(season.frame_count - 1), played.fold.records.book
    for each, life, units in zip(born, batch.lives, batch.units(0), strict=True):
        if played.fold.records.roster.members[each.agent].life != "closed":
            owned = statement(book, each.agent).owned
            assert dict(units) == owned, each.agent
            assert life["nav"] == nav_micro_usd(season.universe, owned.items(), last)
