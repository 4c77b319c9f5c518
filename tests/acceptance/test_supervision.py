"""
`docs/supervision.md`, row by row: what happens by itself when something breaks.

The number of a test is its row's; the last tests hold the table and the tests together.
"""

import re
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import anyio
import pytest

from tests.acceptance.falling import VICTIM, falling, hang
from tests.acceptance.houses import Lived, Sums, live, market, rules_for
from tests.unit.actors.stage import Do, Heard, Run, Say, Stage, crash, play, soon
from tests.unit.trading.desk import ANN, BOB, BUY_WETH, DOLLARS, LIMITS, USDC, Desk
from tests.unit.trading.desk import frame as frame_of
from tests.unit.trading.desk import mandate as mandate_of
from tests.unit.trading.desk import order as order_of
from treasury_actors.actors.events import ChildCrashed, ChildQuarantined, ChildRestarted, HostPaused
from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.actors.watchdog import EXIT_BLOCKED, Watchdog
from treasury_actors.clock import VirtualClock
from treasury_actors.errors import (
    ActorCrashed,
    AskTimeout,
    InvariantViolated,
    JournalFault,
    MailboxFull,
    MessageNotUnderstood,
)
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.ledger.actor import Ledger
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.trading.messages import ChangeTradingState
from treasury_actors.trading.model.rates import RateLimits
from treasury_actors.trading.model.stop import StopLatch, TradingState
from treasury_actors.wiring.house import House, WrapAgent

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "supervision.md"
ROW = re.compile(r"^\| (S\d+) \|(.*)\| ([^|]*) \|$", re.MULTILINE)
NAMED = re.compile(r"`(?:(tests/[\w/]+\.py)::)?(test_\w+)`")

FIRST = 60
"""By then the victim holds positions."""

AGENTS = 16
RULES = rules_for(arena={"agents": AGENTS})
FAIL = crash(ValueError("no"))


def lived(wrap: WrapAgent | None, *, days: int = 5, journal: MemoryJournal | None = None) -> Lived:
    return live(market(days), RULES, wrap_agent=wrap, journal=journal)


@cache
def calm() -> Lived:
    """Return a life in which nothing happens."""
    return lived(None)


@cache
def halfway() -> int:
    """Return the number of an event in the middle of a life in which nothing happens."""
    return calm().journal.head[0] // 2


@cache
def quarantined() -> Lived:
    """Return a life in which one agent crashes at every turn from its third day on."""
    return lived(falling(lambda index: index >= FIRST))


def turns(found: Lived, type_: str, agent: str = VICTIM) -> list[int]:
    """Return the turns of the events of one type that are an agent's."""
    return [row.turn for row in found.tape.rows(type_) if row.agent == agent]


def test_s1_an_agent_that_raises_is_made_anew_and_decides_on() -> None:
    found = lived(falling(lambda index: index == FIRST))
    (crashed,) = found.tape.of("arena.agent_crashed")

    assert (crashed.turn, crashed.body["cause"]) == (FIRST, "RuntimeError: injected")
    assert "Turn(" in crashed.body["message"], "the message it died of"
    assert turns(found, "arena.agent_restarted") == [FIRST]
    assert any(turn > FIRST for turn in turns(found, "agents.state_recorded"))


def test_s2_a_hung_agent_is_a_crashed_one() -> None:
    found = lived(falling(lambda index: index == FIRST, act=hang))
    (crashed,) = found.tape.of("arena.agent_crashed")

    assert crashed.turn == FIRST
    assert "no end within 30 s" in crashed.body["cause"]
    assert any(turn > FIRST for turn in turns(found, "agents.state_recorded"))


def test_s3_five_crashes_in_24_turns_quarantine_an_agent_and_bring_its_capital_home() -> None:
    found = quarantined()
    (retired,) = [row for row in found.tape.rows("arena.agent_retired") if row.agent == VICTIM]
    (closed,) = [row for row in found.tape.rows("arena.agent_closed") if row.agent == VICTIM]
    after = [
        row.body["order"]
        for row in found.tape.rows("trading.order_accepted")
        if row.agent == VICTIM and row.seq > retired.seq
    ]
    sums = Sums()
    for row in found.tape.rows("ledger.entry_posted"):
        sums.add(row.body)

    assert turns(found, "arena.agent_crashed") == list(range(FIRST, FIRST + 5))
    assert len(turns(found, "arena.agent_quarantined")) == 1
    assert after, "it held something"
    assert all(order["placed_by"] == "guardian" and order["reduce_only"] for order in after)
    assert int(closed.body["returned_units"]) > 0
    assert sums.of(VICTIM) == {}


def test_s4_live_five_crashes_in_a_minute_are_over_the_budget_too_and_restarts_back_off() -> None:
    async def scene(stage: Stage) -> None:
        ann, *_ = (stage.listener(name) for name in ("ann", "bob", "cid"))
        for turn in range(5):
            stage.house.open_turn(100 * turn)  # far apart in turns: the minute alone counts
            ann.tell(Do(act=FAIL))
            await anyio.sleep(3.0)
        assert not any(isinstance(event, ChildQuarantined) for event in stage.events)
        await anyio.sleep(65.0)

        assert [event.name for event in stage.events if isinstance(event, ChildQuarantined)] == ["ann"]
        assert sum(isinstance(event, ChildRestarted) for event in stage.events) == 4

    play(scene, SupervisionPolicy.live())
    waits_s = [SupervisionPolicy.live().backoff_s("ann", attempt) for attempt in range(1, 9)]
    assert all(0.05 * 2**n <= wait <= 0.1 * 2**n for n, wait in enumerate(waits_s[:6]))
    assert max(waits_s) <= 10.0


def test_s5_a_common_cause_reduces_trading_and_quarantines_nobody() -> None:
    def third(agent: str) -> bool:
        return int(agent[-4:]) % 3 == 0

    found = lived(falling(lambda index: FIRST <= index < FIRST + 8, who=third))
    (changed,) = found.tape.of("trading.state_changed")
    accepted = [row for row in found.tape.rows("trading.order_accepted") if row.seq > changed.seq]

    assert found.tape.of("arena.common_cause_found")[0].turn == FIRST
    assert (changed.body["state"], changed.body["by"]) == ("reducing", "arena")
    assert all(row.body["order"]["reduce_only"] for row in accepted)
    assert not found.tape.of("arena.agent_quarantined", "arena.agent_retired")


@pytest.mark.parametrize("machine", ["arena", "engine", "guardian"])
def test_s6_a_machine_may_only_reduce(machine: str) -> None:
    states: tuple[TradingState, ...] = ("active", "reducing", "stopped")
    allowed = [
        (now, wanted)
        for now in states
        for wanted in states
        if StopLatch(state=now).decide(wanted, machine, "test") is not None
    ]

    assert allowed == [("active", "reducing")]


def test_s7_a_quarantine_outlives_the_process() -> None:
    records = tuple(quarantined().journal.read())
    at = next(r.seq for r in records if r.type.startswith("arena.agent_quarantined"))
    again = lived(None, journal=MemoryJournal(records[:at]))

    assert turns(again, "arena.agent_crashed") == list(range(FIRST, FIRST + 5)), "it never ran again"
    assert len(turns(again, "arena.agent_retired")) == 1
    assert len(turns(again, "arena.agent_closed")) == 1


def test_s8_a_mandate_that_loses_too_much_is_closed_though_its_agent_is_down() -> None:
    """Its agent dies at every turn, within a budget that never ends: the guardian needs nobody's help."""
    strict = rules_for(arena={"agents": AGENTS}, risk={"agent_drawdown_ratio": Decimal("0.02")})
    wrap = falling(lambda index: index >= FIRST)
    patient = SupervisionPolicy(crashes_max=10**6)

    found = live(market(15), replace(strict, supervision=patient), wrap_agent=wrap)
    (retired,) = [row for row in found.tape.rows("arena.agent_retired") if row.agent == VICTIM]

    assert "drawdown" in retired.body["reason"]
    assert retired.turn > FIRST
    assert len(turns(found, "arena.agent_closed")) == 1


def test_s9_a_core_actor_that_dies_ends_the_process_and_the_next_start_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journal, posted, fatal = MemoryJournal(), vars(Ledger)["_post"], halfway()

    def breaking(self: Ledger, entry: object, provenance: object) -> object:
        if journal.head[0] >= fatal:
            raise InvariantViolated("I2: planted")
        return posted(self, entry, provenance)

    with monkeypatch.context() as planted:
        planted.setattr(Ledger, "_post", breaking)
        with pytest.raises(InvariantViolated, match="planted") as left:
            lived(None, journal=journal)
    durable = MemoryJournal(tuple(journal.read())[: journal.durable_seq])
    again = lived(None, journal=durable)

    assert left.value.exit_code == 70
    assert again.end == "finished"
    assert again.fold.records.state_hash == calm().fold.records.state_hash


class FullDisk(MemoryJournal):
    """A journal whose disk takes no more after some events; it counts how often it was asked to sync."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals = 0
        self._room = halfway()

    async def flush(self) -> None:
        if self.head[0] > self._room:
            self.refusals += 1
            raise JournalFault("disk full")
        await super().flush()


def test_s10_a_journal_that_cannot_be_written_ends_the_process_with_70() -> None:
    journal = FullDisk()

    with pytest.raises(JournalFault, match="disk full") as left:
        lived(None, journal=journal)

    assert left.value.exit_code == 70
    assert journal.refusals == 1
    assert 0 < journal.durable_seq <= halfway()


def test_s11_a_blocked_loop_ends_the_process_with_70_and_says_where() -> None:
    """Here the thread's part; that a process ends, and with which code, takes a process."""
    clock, reports = VirtualClock(), list[str]()

    def wait(seconds: float) -> bool:
        clock.advance_to(clock.now_ns() + int(seconds * 1e9))
        return clock.now_ns() > 300 * 10**9

    Watchdog(limit_s=60.0, clock=clock, on_blocked=reports.append, wait=wait).watch()

    assert len(reports) == 1
    assert "test_s11_a_blocked_loop" in reports[0]
    assert EXIT_BLOCKED == 70


def test_s12_a_pause_of_the_host_moves_every_deadline_and_is_one_event() -> None:
    async def scene(stage: Stage) -> None:
        ann, bob = stage.listener("ann", deadline_s=30.0), stage.listener("bob")
        ann.tell(Do(act=lambda: anyio.sleep(20.0)))
        await anyio.sleep(10.0)

        async def suspended() -> object:
            stage.loop.skip(3_600.0)
            await anyio.sleep(5.0)
            return "here"

        assert await bob.ask(Run(act=suspended), timeout_s=10.0) == "here"
        await anyio.sleep(10.0)

        pauses = [event.gap_s for event in stage.events if isinstance(event, HostPaused)]
        assert pauses == [pytest.approx(3_600.0, abs=1.0)]
        assert not stage.causes()
        assert stage.house.status("ann").state == "running"

    play(scene)


def test_s14_a_full_mailbox_says_so_to_the_sender_and_a_stop_still_passes() -> None:
    async def scene(stage: Stage) -> None:
        ann = stage.listener("ann", mailbox_size=2)
        ann.tell(Say(text="1"))
        ann.tell(Say(text="2"))
        with pytest.raises(MailboxFull):
            ann.tell(Say(text="3"))
        assert not ann.tell_or_drop(Say(text="news"))
        ann.tell_control(Say(text="stop"))
        await soon()

        assert await ann.ask(Heard(), timeout_s=1.0) == ("stop", "1", "2")
        assert stage.house.dead_letters.count("dropped") == 1

    play(scene)


def test_s15_an_unknown_message_fails_at_its_sender_and_harms_nobody() -> None:
    async def scene(stage: Stage) -> None:
        ann = stage.listener("ann")
        with pytest.raises(MessageNotUnderstood, match="ann accepts"):
            ann.tell("what is that?")  # type: ignore[arg-type]  # that is the point
        await soon()

        assert await ann.ask(Heard(), timeout_s=1.0) == ()
        assert not stage.events

    play(scene)


def test_s16_an_ask_ends_in_time_whatever_becomes_of_the_one_who_was_asked() -> None:
    async def scene(stage: Stage) -> None:
        silent, doomed = stage.listener("silent"), stage.listener("doomed")
        began_s = stage.loop.now_s
        with pytest.raises(AskTimeout):
            await silent.ask(Run(act=anyio.sleep_forever), timeout_s=5.0)
        assert stage.loop.now_s - began_s == pytest.approx(5.0)
        with pytest.raises(ActorCrashed, match="doomed crashed: ValueError: no"):
            await doomed.ask(Run(act=FAIL), timeout_s=5.0)
        assert [event.name for event in stage.events if isinstance(event, ChildCrashed)] == ["doomed"]

    play(scene)


def test_s17_an_arena_beyond_its_hour_is_reduced_until_a_person_resumes() -> None:
    thousand = 1_000 * DOLLARS
    rates = RateLimits(arena_day_micro_usd_max=10 * thousand, arena_sends_hour_max=100, hour_bps_max=5_000)
    desk = Desk(mandate_of(limits=LIMITS), mandate_of(agent=BOB, limits=LIMITS), rates=rates)
    for agent in (ANN, BOB):
        desk.give(agent, USDC, 10 * thousand)
    first = (order_of(0, BUY_WETH, units=4 * thousand), order_of(0, BUY_WETH, units=4 * thousand, agent=BOB))
    desk.turn(frame_of(0), *first)
    desk.turn(frame_of(1), order_of(1, BUY_WETH, units=thousand, agent=BOB))

    assert desk.latch.state == "reducing"
    assert desk.refusals[-1] == "reducing"
    assert desk.latch.decide("active", "engine", "calm again") is None


def test_s20_a_stop_holds_through_crashes_and_restarts_until_a_person_resumes() -> None:
    async def stop(house: House, frame: MarketFrame) -> bool:
        if frame.index == FIRST:
            message = ChangeTradingState(state="stopped", by="operator", reason="test")
            assert await house.engine.ask(message, timeout_s=1) == "stopped"
        return frame.index < FIRST + 5

    everyone = falling(lambda index: index > FIRST, who=lambda _: True)
    journal = MemoryJournal()
    live(market(5), RULES, journal=journal, wrap_agent=everyone, between=stop)
    again = lived(None, journal=MemoryJournal(tuple(journal.read())))
    changes = again.tape.of("trading.state_changed")

    assert again.tape.of("arena.common_cause_found"), "the machine had a reason to change something"
    assert [change.body["state"] for change in changes] == ["stopped"]
    assert not [row for row in again.tape.rows("trading.order_accepted") if row.seq > changes[0].seq]


def test_s22_actors_stop_in_reverse_order_and_one_that_hangs_holds_nobody_up() -> None:
    async def scene(stage: Stage) -> None:
        for name in ("ann", "bob", "cid"):
            stage.listener(name)
        stage.listener("hung").tell(Do(act=anyio.sleep_forever))
        await soon()

    began_s = 1_000.0
    stage = play(scene)

    assert [line for line in stage.diary if line.startswith("stopped")] == [
        "stopped cid",
        "stopped bob",
        "stopped ann",
    ]
    assert stage.loop.now_s - began_s <= SupervisionPolicy().stop_s + 2.0


def rows() -> dict[str, list[tuple[str, str]]]:
    """Return the tests each row of the table names, as (file or nothing, function)."""
    found = ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    return {row: NAMED.findall(tests) for row, _, tests in found}


def test_every_row_of_the_table_names_tests_that_exist() -> None:
    numbers = [int(row[1:]) for row in rows()]

    assert numbers == list(range(1, len(numbers) + 1))
    for row, named in rows().items():
        assert named, f"{row} names no test"
        for file, name in named:
            path = ROOT / file if file else Path(__file__)
            assert path.exists(), f"{row}: no {file}"
            code = path.read_text(encoding="utf-8")
            assert re.search(rf"^(?:async )?def {name}\(", code, re.MULTILINE), f"{row}: no {name}"


def test_every_test_of_a_row_stands_in_that_row() -> None:
    ours = re.findall(r"^def (test_(s\d+)_\w+)\(", Path(__file__).read_text(encoding="utf-8"), re.MULTILINE)

    assert len(ours) > 15
    for name, row in ours:
        assert ("", name) in rows()[row.upper()], f"{name} is not in its row"
