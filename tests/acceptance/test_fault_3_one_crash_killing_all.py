"""
Fault 3 of the brief: one agent's crash takes down the others.

Here agents die in every way Python knows, once or at every frame; the season ends all the same, and until the
next round every sibling's orders, fills and balances are those of a run without the crash.
"""

import asyncio
from collections.abc import Callable
from functools import cache

import anyio
import pytest

from tests.acceptance.houses import ROUND_FRAMES, Lived, Sums, Tape, live, market, rules_for
from treasury_actors.actors.actor import Actor
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.agents.messages import AgentMessage
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.wiring.house import WrapAgent

DAYS = 22
VICTIM = "risk_parity-0006"
KILLED_AT = ROUND_FRAMES + 1
NEXT_ROUND = 2 * ROUND_FRAMES


class Unspeakable(Exception):
    """An exception that can't be put in words."""

    def __str__(self) -> str:
        raise ValueError("no words")


HANG = "hangs for ever"
DEATHS: dict[str, Callable[[], BaseException] | str] = {
    "an error": lambda: RuntimeError("injected"),
    "an error whose text raises": Unspeakable,
    "SystemExit": lambda: SystemExit(3),
    "KeyboardInterrupt": KeyboardInterrupt,
    "a cancellation of its own": asyncio.CancelledError,
    "GeneratorExit": GeneratorExit,
    "a recursion without end": RecursionError,
    HANG: HANG,
}


class Doomed(Actor[AgentMessage]):
    """An agent that dies at some frames."""

    def __init__(self, agent: Actor[AgentMessage], way: str, frames: range) -> None:
        self._agent = agent
        self._way = way
        self._frames = frames

    async def started(self) -> None:
        await self._agent.started()

    async def receive(self, message: AgentMessage) -> object:
        if message.frame.index in self._frames:
            death = DEATHS[self._way]
            if isinstance(death, str):
                await anyio.sleep_forever()
            else:
                raise death()
        return await self._agent.receive(message)

    async def stopped(self) -> None:
        await self._agent.stopped()


def doomed(way: str, frames: range, victim: Callable[[str], bool]) -> WrapAgent:
    def wrap(spec: AgentSpec, agent: Actor[AgentMessage]) -> Actor[AgentMessage]:
        return Doomed(agent, way, frames) if victim(spec.agent) else agent

    return wrap


@cache
def unharmed() -> Lived:
    return live(market(DAYS), rules_for(arena={"agents": 16}))


@cache
def harmed(way: str, first: int, end: int) -> Lived:
    wrap = doomed(way, range(first, end), lambda agent: agent == VICTIM)
    return live(market(DAYS), rules_for(arena={"agents": 16}), wrap_agent=wrap)


def siblings_until_next_round(tape: Tape) -> list[tuple[int, str, object]]:
    """Return every entry, order and fill of the others, before anything of the next round."""
    course: list[tuple[int, str, object]] = []
    for row in tape.rows():
        if row.turn == NEXT_ROUND and row.type == "arena.fitness_recorded":
            return course
        if row.type.startswith(("ledger.", "trading.", "agents.")) and row.agent not in {VICTIM, ""}:
            course.append((row.turn, row.type, row.body))
    raise AssertionError("the run never came to its next round")


def test_the_victim_would_have_lived_and_traded() -> None:
    tape = unharmed().tape
    traded = {row.turn for row in tape.rows("trading.order_filled") if row.agent == VICTIM}

    assert any(turn < KILLED_AT for turn in traded)
    assert not tape.of("arena.agent_crashed")
    course = siblings_until_next_round(tape)
    assert any(turn > KILLED_AT and kind == "trading.order_filled" for turn, kind, _ in course)


@pytest.mark.parametrize("way", DEATHS)
def test_one_death_leaves_its_siblings_as_they_were_until_the_next_round(way: str) -> None:
    lived = harmed(way, KILLED_AT, KILLED_AT + 1)

    assert lived.end == "finished"
    (crash,) = lived.tape.of("arena.agent_crashed")
    assert (crash.agent, crash.turn) == (VICTIM, KILLED_AT)
    assert siblings_until_next_round(lived.tape) == siblings_until_next_round(unharmed().tape)


@pytest.mark.parametrize("way", DEATHS)
def test_one_that_dies_at_every_frame_is_quarantined_and_its_siblings_do_not_notice(way: str) -> None:
    lived = harmed(way, KILLED_AT, 10**6)
    (quarantined,) = lived.tape.of("arena.agent_quarantined")

    assert lived.end == "finished"
    assert quarantined.agent == VICTIM
    assert quarantined.turn < KILLED_AT + 24
    assert siblings_until_next_round(lived.tape) == siblings_until_next_round(unharmed().tape)


def test_from_the_next_round_on_the_siblings_get_what_the_dead_one_left() -> None:
    """So the comparison above can fail: a death does reach the others, by way of a round."""

    def allotted(lived: Lived) -> list[object]:
        rows = lived.tape.rows("ledger.entry_posted")
        return [row.body for row in rows if row.body["kind"] == "allot" and row.agent != VICTIM]

    assert allotted(harmed("an error", KILLED_AT, 10**6)) != allotted(unharmed())


def test_each_crash_is_an_event_with_its_cause() -> None:
    causes = {
        way: harmed(way, KILLED_AT, KILLED_AT + 1).tape.of("arena.agent_crashed")[0].body["cause"]
        for way in DEATHS
    }

    assert causes["an error"] == "RuntimeError: injected"
    assert causes["SystemExit"] == "SystemExit: 3"
    assert "KeyboardInterrupt" in causes["KeyboardInterrupt"]
    assert "30 s" in causes[HANG]


def test_one_crash_is_recovered_from_and_the_agent_decides_on() -> None:
    tape = harmed("an error", KILLED_AT, KILLED_AT + 1).tape
    restarted = tape.of("arena.agent_restarted")
    later = [row for row in tape.rows("agents.state_recorded") if row.agent == VICTIM]

    assert [(row.agent, row.turn) for row in restarted] == [(VICTIM, KILLED_AT)]
    assert any(row.turn > KILLED_AT for row in later)
    assert not any(row.agent == VICTIM and row.turn == KILLED_AT for row in tape.rows("arena.agent_retired"))


def test_the_dead_ones_position_is_closed_by_the_guardian_and_its_capital_comes_home() -> None:
    tape = harmed("an error", KILLED_AT, 10**6).tape
    (retired,) = [row for row in tape.rows("arena.agent_retired") if row.agent == VICTIM]
    (closed,) = [row for row in tape.rows("arena.agent_closed") if row.agent == VICTIM]
    after = [
        row.body["order"]
        for row in tape.rows("trading.order_accepted")
        if row.agent == VICTIM and row.seq > retired.seq
    ]
    sums = Sums()
    for row in tape.rows("ledger.entry_posted"):
        sums.add(row.body)

    assert "quarantined after" in retired.body["reason"]
    assert after, "it held something to sell"
    assert all(order["placed_by"] == "guardian" and order["reduce_only"] for order in after)
    assert closed.turn <= retired.turn + 3
    assert int(closed.body["returned_units"]) > 0
    assert sums.of(VICTIM) == {}


def test_all_agents_crashing_in_one_turn_end_nobody() -> None:
    lived = live(
        market(10),
        rules_for(arena={"agents": 16}),
        wrap_agent=doomed("an error", range(100, 101), lambda _: True),
    )
    (common,) = lived.tape.of("arena.common_cause_found")
    (reducing,) = lived.tape.of("trading.state_changed")

    assert lived.end == "finished"
    assert len(lived.tape.of("arena.agent_crashed")) == 16
    assert common.turn == 100
    assert (reducing.body["state"], reducing.body["by"]) == ("reducing", "arena")
    assert not lived.tape.of("arena.agent_quarantined", "arena.agent_retired")
    assert not lived.fold.records.book.imbalances()


def test_all_agents_crashing_at_every_turn_still_end_the_season_with_the_books_in_order() -> None:
    lived = live(
        market(8),
        rules_for(arena={"agents": 16}),
        wrap_agent=doomed("SystemExit", range(50, 10**6), lambda _: True),
    )
    sums = Sums()
    for row in lived.tape.rows("ledger.entry_posted"):
        sums.add(row.body)

    assert lived.end == "finished"
    assert not lived.tape.of("arena.agent_quarantined"), "so many at once are not to blame"
    assert all(units >= 0 for (account, _), units in sums.units.items() if account.startswith("agent:"))


class CutJournal(MemoryJournal):
    """A journal that remembers what was durable after each flush: what a death could leave behind."""

    def __init__(self) -> None:
        super().__init__()
        self.left_behind: list[int] = []

    async def flush(self) -> None:
        await super().flush()
        self.left_behind.append(self.durable_seq)


def test_the_process_dying_right_after_a_common_cause_loses_no_decision_of_the_others() -> None:
    """A third of the agents crash at a frame at which others order; then the process dies at any flush."""
    rules, frame = rules_for(arena={"agents": 16}), ROUND_FRAMES + 1
    wrap = doomed("an error", range(frame, frame + 1), lambda agent: agent.startswith(("ri", "tr")))
    journal = CutJournal()
    whole = live(market(8), rules, journal=journal, wrap_agent=wrap)
    records = tuple(journal.read())
    cuts = [seq for seq in dict.fromkeys(journal.left_behind) if records[seq - 1].time_ns == at_frame(frame)]

    assert cuts
    for seq in cuts:
        resumed = live(market(8), rules, journal=MemoryJournal(records[:seq]), wrap_agent=wrap)
        assert resumed.fold.records.state_hash == whole.fold.records.state_hash


def at_frame(frame: int) -> int:
    """Return the time of a frame."""
    return market(8).frame(frame).time_ns
