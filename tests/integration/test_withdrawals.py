"""A house from which a treasurer withdraws more than lies idle: ahead of rounds, once, and as no return."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise

import anyio
import pytest

from tests.integration.houses import Lived, crashing, fold_of, live, rules, season
from treasury_actors.arena.arena import Arena
from treasury_actors.arena.messages import BeginWithdrawal, CancelWithdrawal, PlanWithdrawal
from treasury_actors.arena.model.events import RoundHeld
from treasury_actors.arena.model.withdrawal import (
    Wanted,
    WithdrawalCancelled,
    WithdrawalEvent,
    WithdrawalExecuted,
    WithdrawalExtended,
    WithdrawalHome,
    WithdrawalLate,
    WithdrawalPlanned,
    WithdrawalRefused,
)
from treasury_actors.clock import HOUR_NS
from treasury_actors.ids import AssetId
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.journal.event import Recorded
from treasury_actors.ledger.model import PROMISED, Book, Entry, pool
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.rules import HouseRules
from treasury_actors.trading.messages import ChangeTradingState
from treasury_actors.trading.model.stop import OPERATOR
from treasury_actors.wiring import house as wiring
from treasury_actors.wiring.house import House

DAYS, AGENTS, ROUND = 5, 9, 24
USDC = AssetId("USDC")
ASKED = 60
"""The turn after which the treasurer asks; rounds are at 48 and 72."""

Between = Callable[[House, MarketFrame], Awaitable[None]]


def small() -> HouseRules:
    """Return the rules of nine agents with $10,000 each and a round a day."""
    return rules(AGENTS, round_turns=ROUND)


def wanted(dollars: int, frame: MarketFrame, hours: int = 24, name: str = "w-1") -> Wanted:
    """Return what a treasurer asks for at a frame."""
    by_ns = frame.time_ns + hours * HOUR_NS
    return Wanted(withdrawal=name, asset=USDC, units=dollars * 10**6, by_ns=by_ns, reason="payroll")


def asks(dollars: int, *, at: int = ASKED, hours: int = 24) -> Between:
    """Return a treasurer who withdraws so much after a turn."""

    async def between(house: House, frame: MarketFrame) -> None:
        if frame.index == at:
            message = BeginWithdrawal(frame=frame, wanted=wanted(dollars, frame, hours))
            reply = await house.arena.ask(message, timeout_s=5)
            assert isinstance(reply, WithdrawalPlanned), reply
            assert await house.arena.ask(message, timeout_s=5) == reply  # sent again, it counts once

    return between


@cache
def withdrawn(dollars: int, until: int | None = None) -> Lived:
    """Return a house from which so much was withdrawn."""
    return anyio.run(lambda: live(small(), season(DAYS), until=until, after_turn=asks(dollars)))


def told(lived: Lived, *types: type) -> list[object]:
    """Return the events of some types."""
    return [recorded.event for recorded in lived.events() if isinstance(recorded.event, types)]


def turn_of(recorded: Recorded) -> int:
    return (recorded.time_ns - season(DAYS).frame(0).time_ns) // HOUR_NS


@pytest.mark.parametrize("dollars", [5_000, 40_000, 87_000])
def test_a_withdrawal_is_home_in_the_hours_it_was_planned_for_and_leaves_once(dollars: int) -> None:
    lived = withdrawn(dollars)
    (planned,) = told(lived, WithdrawalPlanned)
    (executed,) = told(lived, WithdrawalExecuted)
    assert isinstance(planned, WithdrawalPlanned)
    assert isinstance(executed, WithdrawalExecuted)
    out = [e for e in told(lived, Entry) if isinstance(e, Entry) and e.kind == "withdraw"]

    assert [(e.entry_id, e.postings[0].account) for e in out] == [("withdrawal/w-1", PROMISED)]
    assert out[0].postings[1].units == dollars * 10**6
    assert executed.turn - ASKED <= planned.home_h + 2  # fills move the price a little, and pay their gas
    assert bool(planned.cuts) == (dollars > 10_000)
    book = lived.fold.records.book
    assert book.units(PROMISED, USDC) == 0
    assert book.imbalances() == []


def test_mandates_close_only_where_cutting_all_is_not_enough() -> None:
    cut, most = told(withdrawn(40_000), WithdrawalPlanned)[0], told(withdrawn(87_000), WithdrawalPlanned)[0]
    assert isinstance(cut, WithdrawalPlanned)
    assert isinstance(most, WithdrawalPlanned)

    assert not any(each.closes for each in cut.cuts)
    assert 0 < sum(each.closes for each in most.cuts) < AGENTS
    assert len(withdrawn(40_000).fold.records.roster.living()) == AGENTS
    assert len(withdrawn(87_000).fold.records.roster.living()) < AGENTS


def test_a_start_makes_of_the_journal_what_was_lived() -> None:
    for dollars in (40_000, 87_000):
        lived = withdrawn(dollars, 72)
        again = fold_of(lived.events(), season(DAYS))

        assert again.records.state_hash == lived.state_hash
        for member in lived.fold.records.roster.living():
            mine, theirs = again.marks.of(member.born.agent), lived.fold.marks.of(member.born.agent)
            assert (mine.index, mine.peak) == (theirs.index, theirs.peak)


@pytest.mark.parametrize("turn", range(ASKED, ASKED + 5))
def test_a_house_that_is_stopped_at_any_turn_of_it_goes_on_as_one_that_was_not(turn: int) -> None:
    whole = withdrawn(87_000)
    journal = MemoryJournal()
    first = asks(87_000)
    anyio.run(lambda: live(small(), season(DAYS), journal=journal, until=turn, after_turn=first))
    lived = anyio.run(lambda: live(small(), season(DAYS), journal=journal))

    assert lived.journal.head == whole.journal.head


def test_a_crash_of_an_agent_whose_capital_is_recalled_changes_nothing_for_the_treasurer() -> None:
    (planned,) = told(withdrawn(40_000), WithdrawalPlanned)
    assert isinstance(planned, WithdrawalPlanned)
    name = planned.cuts[-1].agent
    falls = crashing(name, at=lambda turn: turn == ASKED + 1)
    lived = anyio.run(lambda: live(small(), season(DAYS), wrap_agent=falls, after_turn=asks(40_000)))

    (executed,) = told(lived, WithdrawalExecuted)
    assert isinstance(executed, WithdrawalExecuted)
    assert executed.turn <= ASKED + planned.home_h + 2


def test_i33_what_is_promised_is_never_allotted() -> None:
    """Also where a round falls in the middle: it has less to give, and asks nothing of the recalled."""
    on = season(DAYS)
    lived = anyio.run(lambda: live(small(), on, after_turn=asks(70_000, at=71)))
    book, promised, open_ = Book(asset.id for asset in MAINNET.assets), [0], False
    rounds = []
    for recorded in lived.events():
        event = recorded.event
        if isinstance(event, Entry):
            taken = [p for p in event.postings if p.account == PROMISED and p.units < 0]
            assert not taken or event.kind == "withdraw"
            book.apply(event)
            promised += [] if taken else [book.units(PROMISED, USDC)]
            assert not (open_ and event.kind == "allot"), "a round paid while a withdrawal was lacking"
        if isinstance(event, WithdrawalEvent):
            open_ = not isinstance(event, WithdrawalExecuted)
        if isinstance(event, RoundHeld) and turn_of(recorded) == 72:
            rounds.append(event)
    grows = promised[: promised.index(max(promised))]
    assert all(after >= before for before, after in pairwise(grows))
    assert rounds[0].paid_units == 0
    assert max(promised) == 70_000 * 10**6


def test_a_withdrawal_that_is_cancelled_gives_back_what_lay_idle_and_lets_agents_go_on() -> None:
    replies: list[object] = []

    async def between(house: House, frame: MarketFrame) -> None:
        await asks(40_000)(house, frame)
        if frame.index == ASKED + 1:
            message = CancelWithdrawal(frame=frame, withdrawal="w-1", reason="not needed")
            replies.extend([await house.arena.ask(message, timeout_s=5) for _ in range(2)])

    lived = anyio.run(lambda: live(small(), season(DAYS), after_turn=between))
    book, roster = lived.fold.records.book, lived.fold.records.roster

    assert isinstance(replies[0], WithdrawalCancelled)
    assert isinstance(replies[1], WithdrawalRefused)
    assert replies[1].reason == "withdrawal_over"
    assert book.units(PROMISED, USDC) == 0
    assert {member.mandate.status for member in roster.living() if member.mandate} == {"active"}
    assert not [e for e in told(lived, Entry) if isinstance(e, Entry) and e.kind == "withdraw"]


def test_what_is_refused_moves_nothing() -> None:
    reasons: list[str] = []

    async def between(house: House, frame: MarketFrame) -> None:
        if frame.index != ASKED:
            return
        head = house.journal.head
        shown = await house.arena.ask(PlanWithdrawal(frame=frame, wanted=wanted(40_000, frame)), timeout_s=5)
        assert isinstance(shown, WithdrawalPlanned)
        for message in (
            BeginWithdrawal(frame=frame, wanted=wanted(10**6, frame)),
            BeginWithdrawal(frame=frame, wanted=wanted(40_000, frame, hours=0)),
            BeginWithdrawal(frame=frame, wanted=wanted(40_000, frame), plan="another"),
            CancelWithdrawal(frame=frame, withdrawal="w-9", reason="never asked"),
        ):
            reply = await house.arena.ask(message, timeout_s=5)
            assert isinstance(reply, WithdrawalRefused)
            reasons.append(reply.reason)
        assert house.journal.head == head
        agreed = BeginWithdrawal(frame=frame, wanted=wanted(40_000, frame), plan=shown.plan)
        assert await house.arena.ask(agreed, timeout_s=5) == shown
        second = BeginWithdrawal(frame=frame, wanted=wanted(1, frame, name="w-2"))
        reply = await house.arena.ask(second, timeout_s=5)
        assert isinstance(reply, WithdrawalRefused)
        reasons.append(reply.reason)

    anyio.run(lambda: live(small(), season(DAYS), until=ASKED + 1, after_turn=between))

    assert reasons == [
        "exceeds_treasury",
        "not_in_time",
        "plan_changed",
        "unknown_withdrawal",
        "withdrawal_open",
    ]


def test_a_withdrawal_that_a_stop_holds_up_is_late_says_so_and_goes_on_after_it() -> None:
    async def between(house: House, frame: MarketFrame) -> None:
        await asks(40_000, hours=4)(house, frame)
        if frame.index in {ASKED, ASKED + 8}:
            state = "stopped" if frame.index == ASKED else "active"
            change = ChangeTradingState(state=state, by=OPERATOR, reason="a drill")  # type: ignore[arg-type]
            await house.engine.ask(change, timeout_s=5)

    lived = anyio.run(lambda: live(small(), season(DAYS), after_turn=between))
    (late,), (executed,) = told(lived, WithdrawalLate), told(lived, WithdrawalExecuted)
    assert isinstance(late, WithdrawalLate)
    assert isinstance(executed, WithdrawalExecuted)

    assert late.turn == ASKED + 4
    assert 0 < late.home_units < 40_000 * 10**6
    assert ASKED + 8 < executed.turn <= ASKED + 12


def test_where_a_wallet_holds_the_money_it_is_brought_home_and_kept_for_its_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def keeps(**given: object) -> Arena:
        return Arena(**{**given, "pays_out": False})  # type: ignore[arg-type]  # as the house gives them

    monkeypatch.setattr(wiring, "Arena", keeps)
    lived = anyio.run(lambda: live(small(), season(DAYS), after_turn=asks(40_000)))
    book = lived.fold.records.book

    assert len(told(lived, WithdrawalHome)) == 1
    assert told(lived, WithdrawalExecuted) == []
    assert book.units(PROMISED, USDC) == 40_000 * 10**6
    assert len([e for e in told(lived, RoundHeld) if isinstance(e, RoundHeld) and e.turn > ASKED]) == 2
    assert book.units(pool("sim"), USDC) > 0


def test_if_exits_bring_less_than_planned_the_next_in_line_gives_the_rest() -> None:
    """Prices of everything but dollars halve while the exits are on their way."""
    on = season(DAYS)

    class Crash:
        """The season, with a fall from the hour after the plan on."""

        def __getattr__(self, name: str) -> object:
            return getattr(on, name)

        def frame(self, index: int) -> MarketFrame:
            market = on.frame(index)
            if index <= ASKED + 1:
                return market
            dollars = {"USDC", "USDT", "aUSDC", "aUSDT", "steakUSDC", "fUSDC"}
            names = [asset.id in dollars for asset in MAINNET.assets]
            ticks = tuple(t if d else t * 8 // 10 for t, d in zip(market.ticks, names, strict=True))
            return replace(market, ticks=ticks)

    fallen = Crash()
    lived = anyio.run(lambda: live(small(), fallen, after_turn=asks(80_000)))  # type: ignore[arg-type]
    extended, (executed,) = told(lived, WithdrawalExtended), told(lived, WithdrawalExecuted)

    assert extended
    assert isinstance(executed, WithdrawalExecuted)
    assert lived.fold.records.book.imbalances() == []
