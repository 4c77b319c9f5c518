"""One agent's death is nobody else's: not its siblings' money, not their orders, not the treasury's."""

from collections.abc import Callable

import anyio
import pytest

from tests.integration.houses import Crashing, Lived, crashing, live, rules, season
from treasury_actors.actors.actor import Actor
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.agents.messages import AgentMessage
from treasury_actors.arena.model.events import (
    AgentClosed,
    AgentCrashed,
    AgentQuarantined,
    AgentRetired,
    CommonCauseFound,
)
from treasury_actors.ids import AgentId
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.journal.event import Recorded
from treasury_actors.ledger.model import Entry, available, held
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.model.order import OrderAccepted, OrderEnded, OrderFilled, OrderRefused
from treasury_actors.trading.model.stop import TradingStateChanged
from treasury_actors.wiring.house import WrapAgent

DAYS, AGENTS, ROUND = 45, 21, 168
VICTIM = AgentId("lending_rotation-0012")
"""One that holds positions from its first day on."""


def live_until(until: int, at: Callable[[int], bool] | None = None, victim: AgentId = VICTIM) -> Lived:
    wrap = None if at is None else crashing(victim, at=at)
    return anyio.run(lambda: live(rules(AGENTS), season(DAYS), until=until, wrap_agent=wrap))


@pytest.fixture(scope="module")
def calm() -> Lived:
    """Return two rounds without a death."""
    return live_until(2 * ROUND)


def doings(lived: Lived, agent: AgentId, before_ns: int) -> list[object]:
    """Return all that concerns an agent's orders, fills and balances, in order."""
    found: list[object] = []
    accounts = {available(agent), held(agent)}
    for recorded in lived.events():
        if recorded.time_ns >= before_ns:
            break
        event = recorded.event
        match event:
            case OrderAccepted() | OrderRefused():
                if event.order.agent == agent:
                    found.append(event)
            case OrderFilled() | OrderEnded():
                if event.agent == agent:
                    found.append(event)
            case Entry():
                if any(posting.account in accounts for posting in event.postings):
                    found.append(event)
            case _:
                pass
    return found


def _filled(lived: Lived) -> list[AgentId]:
    return [r.event.agent for r in lived.events() if isinstance(r.event, OrderFilled)]


def events(lived: Lived, kind: type) -> list[Recorded]:
    return [recorded for recorded in lived.events() if isinstance(recorded.event, kind)]


@pytest.mark.parametrize("victim", [VICTIM, AgentId("trend-0008"), AgentId("risk_parity-0006")])
def test_i12_after_a_crash_siblings_do_until_the_next_round_what_they_would_have_done(
    calm: Lived, victim: AgentId
) -> None:
    killed = live_until(2 * ROUND, lambda index: index == ROUND + 1, victim)
    next_round_ns = season(DAYS).frame(2 * ROUND).time_ns
    siblings = [agent for agent in calm.fold.records.roster.members if agent != victim]

    assert killed.fold.records.roster.members[victim].crashes == 1
    assert len(siblings) == AGENTS - 1
    assert any(doings(calm, agent, next_round_ns) for agent in siblings)
    for agent in siblings:
        assert doings(killed, agent, next_round_ns) == doings(calm, agent, next_round_ns)


def test_i12_even_an_agent_that_dies_for_good_changes_nothing_for_its_siblings() -> None:
    calm = live_until(2 * ROUND - 1)
    killed = live_until(2 * ROUND - 1, lambda index: index > ROUND)
    end_ns = season(DAYS).frame(2 * ROUND).time_ns

    assert killed.fold.records.roster.members[VICTIM].life == "closed"
    for agent in calm.fold.records.roster.members:
        if agent != VICTIM:
            assert doings(killed, agent, end_ns) == doings(calm, agent, end_ns)


@pytest.mark.parametrize("gas_usd", [60, 2])
@pytest.mark.parametrize("crash", [ROUND + 1, ROUND + 40])
def test_i12_with_little_gas_a_death_changes_nothing_for_siblings_until_the_next_round(
    gas_usd: int, crash: int
) -> None:
    """Gas is divided at rounds: what the dead don't burn, and what their exits burn, is nobody's concern."""
    poor = rules(16, gas_usd=gas_usd)

    def lived(wrap: WrapAgent | None) -> Lived:
        return anyio.run(lambda: live(poor, season(DAYS), until=2 * ROUND, wrap_agent=wrap))

    victim = AgentId("risk_parity-0006")
    calm, killed = lived(None), lived(crashing(victim, at=lambda index: index >= crash))
    next_round_ns = season(DAYS).frame(2 * ROUND).time_ns
    names = [agent for agent in calm.fold.records.roster.members if agent != victim]

    assert killed.fold.records.roster.members[victim].life == "closed"
    assert sum(len(doings(calm, agent, next_round_ns)) for agent in names) > 100
    assert any(agent == victim for agent in _filled(calm)), "who never trades leaves nothing behind"
    for agent in names:
        assert doings(killed, agent, next_round_ns) == doings(calm, agent, next_round_ns)
    lacked = [r.event for kind in (OrderRefused, OrderEnded) for r in events(calm, kind)]
    has_run_out = any(isinstance(e, OrderRefused | OrderEnded) and e.reason == "no_gas" for e in lacked)
    assert has_run_out == (gas_usd == 2)


def test_i14_an_agent_that_always_crashes_is_quarantined_and_sold_by_the_guardian() -> None:
    first = 40  # it holds positions by then
    lived = live_until(first + 60, lambda index: index >= first)
    quarantined = [r.event for r in events(lived, AgentQuarantined)]
    retired = [r.event for r in events(lived, AgentRetired)]
    closed = [r.event for r in events(lived, AgentClosed)]
    start_ns = season(DAYS).frame(first).time_ns
    after = [r for r in events(lived, OrderAccepted) if r.time_ns >= start_ns]
    exits = [
        r.event.order for r in after if isinstance(r.event, OrderAccepted) and r.event.order.agent == VICTIM
    ]

    assert [e.agent for e in quarantined if isinstance(e, AgentQuarantined)] == [VICTIM]
    assert len(events(lived, AgentCrashed)) == 5
    (death,), (end,) = retired, closed
    assert isinstance(death, AgentRetired)
    assert isinstance(end, AgentClosed)
    assert death.turn <= first + 24
    assert exits
    assert all(order.placed_by == "guardian" and order.reduce_only for order in exits)
    book = lived.fold.records.book
    assert dict(book.balances(available(VICTIM))) == dict(book.balances(held(VICTIM))) == {}
    returned = [r.event for r in events(lived, Entry) if isinstance(r.event, Entry)]
    home = next(e for e in returned if e.entry_id == f"return/{VICTIM}/{end.turn}/close")
    assert (
        sum(p.units for p in home.postings if p.account == "pool:sim") == end.returned_units > 9_000 * 10**6
    )
    dust = [p for p in home.postings if p.account == "treasury:dust"]
    assert all(p.asset != MAINNET.reserve for p in dust)


def test_an_agent_that_crashes_at_every_frame_from_birth_gives_its_capital_back_whole() -> None:
    lived = live_until(60, lambda _: True)
    closed = [r.event for r in events(lived, AgentClosed)]

    (end,) = closed
    assert isinstance(end, AgentClosed)
    assert end.turn <= 24
    allotted = [r.event for r in events(lived, Entry) if isinstance(r.event, Entry)]
    given = next(e for e in allotted if e.entry_id == f"allot/{VICTIM}/0")
    assert end.returned_units == max(p.units for p in given.postings)


def test_an_agent_quarantined_as_the_house_died_is_retired_by_the_next_house() -> None:
    """It must not come back to life with a new budget."""
    lived = live_until(60, lambda index: index >= 40)
    (quarantine,) = events(lived, AgentQuarantined)
    journal = MemoryJournal(lived.events()[: quarantine.seq])
    again = anyio.run(lambda: live(rules(AGENTS), season(DAYS), journal=journal, until=60))

    assert again.fold.records.roster.members[VICTIM].life == "closed"


def test_a_crash_of_many_at_once_reduces_trading_and_quarantines_nobody() -> None:
    """I10: the machine may reduce; it neither stops nor resumes."""

    def wrap(spec: AgentSpec, agent: Actor[AgentMessage]) -> Actor[AgentMessage]:
        return Crashing(agent, at=lambda index: 30 <= index < 40 and spec.agent[-1] in "02468")

    lived = anyio.run(lambda: live(rules(AGENTS), season(DAYS), until=80, wrap_agent=wrap))
    changes = [r.event for r in events(lived, TradingStateChanged)]

    assert events(lived, CommonCauseFound)
    assert events(lived, AgentQuarantined) == []
    assert [(c.state, c.by) for c in changes if isinstance(c, TradingStateChanged)] == [("reducing", "arena")]
    after_ns = season(DAYS).frame(31).time_ns
    accepted = [r.event for r in events(lived, OrderAccepted) if r.time_ns >= after_ns]
    assert all(isinstance(e, OrderAccepted) and e.order.reduce_only for e in accepted)
    assert len(lived.fold.records.roster.living()) == AGENTS
