"""With real money quarantine is a freeze under a stop-loss: no machine sells for a crash."""

from dataclasses import replace
from decimal import Decimal
from functools import cache

from tests.acceptance.falling import VICTIM, falling
from tests.acceptance.houses import Lived, Sums, live, market, rules_for
from treasury_actors.arena.messages import Dismiss
from treasury_actors.ids import AgentId
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.trading.messages import ChangeTradingState
from treasury_actors.trading.model.stop import TradingState
from treasury_actors.wiring.house import House

AGENTS = 16
FIRST = 60
"""By then the victim holds positions."""

RULES = rules_for(arena={"agents": AGENTS})
FREEZING = replace(RULES, arena=replace(RULES.arena, freezes=True))
"""As where conversions are real: that `open_house` sets it there is its one line."""


@cache
def frozen(days: int = 5) -> Lived:
    """Return a life with real money in which one agent crashes at every turn from its third day on."""
    return live(market(days), FREEZING, wrap_agent=falling(lambda index: index >= FIRST))


def turns(found: Lived, type_: str) -> list[int]:
    """Return the turns of the events of one type that are the victim's."""
    return [row.turn for row in found.tape.rows(type_) if row.agent == VICTIM]


def frozen_at(found: Lived) -> int:
    """Return the event at which the victim was frozen."""
    (event,) = [row for row in found.tape.rows("arena.agent_frozen") if row.agent == VICTIM]
    return event.seq


def test_with_real_money_quarantine_freezes_a_mandate_and_sells_nothing() -> None:
    found = frozen(15)
    at, before, after = frozen_at(found), Sums(), Sums()
    for row in found.tape.rows("ledger.entry_posted"):
        after.add(row.body)
        if row.seq < at:
            before.add(row.body)
    orders = [
        row for row in found.tape.rows("trading.order_accepted") if row.agent == VICTIM and row.seq > at
    ]
    moved = [row for row in found.tape.rows("ledger.entry_posted") if row.agent == VICTIM and row.seq > at]
    member = found.fold.records.roster.members[AgentId(VICTIM)]

    assert found.tape.of("arena.round_held"), "a round was held meanwhile"
    assert (orders, moved) == ([], []), "nothing bought, nothing sold, nothing raised, nothing taken"
    assert before.of(VICTIM) == after.of(VICTIM)
    assert len(before.of(VICTIM)) > 1, "it holds positions"
    assert member.mandate is not None
    assert (member.life, member.mandate.status) == ("frozen", "frozen")
    assert found.fold.records.book.imbalances() == []


def test_a_frozen_mandate_survives_every_start_and_no_resume_thaws_it() -> None:
    whole = frozen()
    put_away = FIRST + 5
    ends = max(row.seq for row in whole.tape.rows() if row.turn == put_away)
    cut = MemoryJournal(tuple(whole.journal.read())[:ends])

    async def stop_and_resume(house: House, frame: MarketFrame) -> bool:
        states: dict[int, TradingState] = {FIRST + 10: "stopped", FIRST + 12: "active"}
        if frame.index in states:
            message = ChangeTradingState(state=states[frame.index], by="operator", reason="test")
            await house.engine.ask(message, timeout_s=1)
        return True

    resumed = live(market(5), FREEZING, journal=MemoryJournal(tuple(cut.read())))
    stopped = live(market(5), FREEZING, journal=cut, between=stop_and_resume)

    assert turns(whole, "arena.agent_frozen") == [put_away]
    assert resumed.fold.records.state_hash == whole.fold.records.state_hash
    assert turns(stopped, "agents.state_recorded")[-1] < FIRST
    assert stopped.fold.records.roster.members[AgentId(VICTIM)].life == "frozen"


def test_a_frozen_mandate_that_loses_too_much_is_closed() -> None:
    strict = rules_for(arena={"agents": AGENTS}, risk={"agent_drawdown_ratio": Decimal("0.02")})
    rules = replace(strict, arena=replace(strict.arena, freezes=True))
    found = live(market(15), rules, wrap_agent=falling(lambda index: index >= FIRST))
    (retired,) = [row for row in found.tape.rows("arena.agent_retired") if row.agent == VICTIM]

    assert frozen_at(found) < retired.seq
    assert "drawdown" in retired.body["reason"]
    assert len(turns(found, "arena.agent_closed")) == 1


def test_an_operator_closes_one_frozen_mandate_and_its_capital_comes_home() -> None:
    async def close(house: House, frame: MarketFrame) -> bool:
        if frame.index == FIRST + 20:
            message = Dismiss(agents=(AgentId(VICTIM),), reason="the operator closes it")
            assert await house.arena.ask(message, timeout_s=1) == 1
        return True

    found = live(market(5), FREEZING, wrap_agent=falling(lambda index: index >= FIRST), between=close)
    (closed,) = [row for row in found.tape.rows("arena.agent_closed") if row.agent == VICTIM]
    living = found.fold.records.roster.living()

    assert int(closed.body["returned_units"]) > 0
    assert len(living) == AGENTS - 1, "nobody else was closed"
    assert found.fold.records.book.imbalances() == []
