"""One agent's mandate under an operator's hand: named by status and report, closed alive and dead."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.acceptance.falling import falling
from tests.unit.daemon.driver import Folded, folded, play, small_run
from tests.unit.daemon.living import living
from treasury_actors.arena.model.roster import Member
from treasury_actors.clock import WallClock
from treasury_actors.daemon import operate
from treasury_actors.daemon.operate_mandates import close_mandate
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AgentId
from treasury_actors.journal.verify import verify
from treasury_actors.ledger.model import available, held
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.run import JOURNAL_NAME

CLOCK = WallClock()
VICTIM = AgentId("lending_rotation-0004")
CRASHES_FROM = 20


@pytest.fixture(scope="module")
def freezing() -> Prepared:
    """Return a run as where money is real, in which one agent dies at every turn from its second day on."""
    prepared = small_run(days=3)
    made = prepared.plan.rules

    def rules(seed: int) -> HouseRules:
        usual = made(seed)
        return replace(usual, arena=replace(usual.arena, freezes=True))

    wrap = falling(lambda index: index >= CRASHES_FROM, who=lambda agent: agent == VICTIM)
    return replace(prepared, plan=replace(prepared.plan, rules=rules, wrap_agent=wrap))


def victim(journal: Folded) -> Member:
    """Return what the journal says of the agent that falls."""
    return journal.records.roster.members[VICTIM]


async def test_a_frozen_mandate_is_named_and_its_operator_closes_it_while_the_run_lives(
    tmp_path: Path, freezing: Prepared
) -> None:
    async with living(freezing, tmp_path) as run:
        await run.reach(CRASHES_FROM + 8)
        before = await operate.status(tmp_path)
        closed = await close_mandate(tmp_path, VICTIM, "its author looked", clock=CLOCK)
        again = await close_mandate(tmp_path, VICTIM, "its author looked", clock=CLOCK)
        after = await operate.status(tmp_path)
        await run.reach(run.turn + 6)

    assert before["frozen"] == {VICTIM: "quarantined after 5 crashes"}
    assert (closed["ok"], closed["changed"], closed["mandate"], closed["trading"]) == (
        True,
        True,
        "closing",
        "active",
    )
    assert (again["ok"], again["changed"]) == (True, False)
    assert after["frozen"] == {}
    found = folded(tmp_path)
    retired = victim(found).retired
    assert retired is not None
    assert retired.reason == "closed by an operator: its author looked"
    assert victim(found).life == "closed"
    assert not found.records.book.balances(available(VICTIM))
    assert not found.records.book.balances(held(VICTIM))
    assert found.records.book.imbalances() == []


async def test_a_mandate_that_was_closed_at_rest_is_sold_from_the_next_start_on(
    tmp_path: Path, freezing: Prepared
) -> None:
    async with living(freezing, tmp_path) as run:
        await run.reach(CRASHES_FROM + 8)
    assert victim(folded(tmp_path)).life == "frozen"

    closed = await close_mandate(tmp_path, VICTIM, "while nobody plays", clock=CLOCK)
    at_rest = folded(tmp_path)
    await play(freezing, tmp_path)

    assert (closed["changed"], closed["mandate"]) == (True, "closing")
    mandate = victim(at_rest).mandate
    assert mandate is not None
    assert mandate.status == "closing"
    assert victim(folded(tmp_path)).life == "closed"
    assert verify(tmp_path / JOURNAL_NAME).events == folded(tmp_path).head[0]


async def test_who_is_unknown_has_no_mandate_and_a_reason_is_asked_for(
    tmp_path: Path, freezing: Prepared
) -> None:
    async with living(freezing, tmp_path) as run:
        await run.reach(2)
        unknown = await close_mandate(tmp_path, "nobody-0001", "a slip", clock=CLOCK)

    assert unknown["ok"] is False
    assert "no agent nobody-0001 in this run; open are dollar_cost-0001" in str(unknown["error"])
    with pytest.raises(ConfigError, match="--reason"):
        await close_mandate(tmp_path, VICTIM, "", clock=CLOCK)
