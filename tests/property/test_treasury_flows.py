"""Money that comes and goes is no return, and the runway stays within reach whatever a round allots."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache

import anyio
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.integration.houses import LENDING, Lived, live, rules, season
from treasury_actors.arena.messages import BeginWithdrawal
from treasury_actors.arena.model.events import CapitalRefused
from treasury_actors.arena.model.spending import Spending
from treasury_actors.arena.model.withdrawal import Wanted
from treasury_actors.clock import HOUR_NS
from treasury_actors.ids import AgentId, AssetId, EntryId
from treasury_actors.ledger.messages import Deposit, EntryPosted, Withdraw
from treasury_actors.ledger.model import GAS, PROMISED, RESERVE, Entry, is_contra
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.money import MICRO_USD
from treasury_actors.reports.course import Course
from treasury_actors.reports.historian import history_of
from treasury_actors.trading.model.liquidity import liquidity
from treasury_actors.wiring.house import House

DAYS, AGENTS, ROUND = 3, 8, 24
USDC = AssetId("USDC")
FEW = settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
Between = Callable[[House, MarketFrame], Awaitable[None]]


def lived(between: Between | None = None, spending: Spending | None = None) -> Lived:
    """Return a house of eight agents after three days; nobody is bred, so that all live alike."""
    by = rules(AGENTS, round_turns=ROUND, allocates=spending is not None, spending=spending or Spending())
    return anyio.run(lambda: live(by, season(DAYS), after_turn=between))


def course_of(house: Lived) -> Course:
    """Return the treasury's time-weighted course, as a report has it."""
    return history_of(house.events(), season(DAYS), lending_asset=LENDING).course


@cache
def undisturbed() -> Lived:
    """Return the house that nobody puts money into or takes any from."""
    return lived()


def marks_of(house: Lived, agents: list[AgentId]) -> list[tuple[float, float]]:
    """Return how one dollar with each agent has fared, and its peak."""
    marks = [house.fold.marks.of(agent) for agent in agents]
    return [(mark.index, mark.peak) for mark in marks]


def course_until(house: Lived, turn: int) -> Course:
    """Return the treasury's time-weighted course up to a turn, what came after it left out."""
    end_ns = season(DAYS).frame(turn).time_ns
    records = [recorded for recorded in house.events() if recorded.time_ns <= end_ns]
    return history_of(records, season(DAYS), lending_asset=LENDING, last_frame=turn).course


@FEW
@given(turn=st.integers(0, DAYS * 24 - 2), dollars=st.integers(1, 10**6), stays=st.booleans())
def test_money_that_comes_or_comes_and_goes_moves_no_return_and_no_peak(
    turn: int,
    dollars: int,
    stays: bool,  # noqa: FBT001 (hypothesis gives it)
) -> None:
    async def between(house: House, frame: MarketFrame) -> None:
        if frame.index == turn:
            for kind in (Deposit,) if stays else (Deposit, Withdraw):
                name, units = EntryId(kind.__name__), dollars * 10**6
                message = kind(entry_id=name, account=RESERVE, asset=USDC, units=units, reason="grant")
                assert isinstance(await house.ledger.ask(message, timeout_s=5), EntryPosted)

    plain, richer = undisturbed(), lived(between)
    agents = sorted(plain.fold.records.roster.members)

    assert marks_of(richer, agents) == marks_of(plain, agents)
    last = turn if stays else DAYS * 24 - 1  # what lies in the reserve thins the returns that come after it
    mine, theirs = course_until(richer, last), course_until(plain, last)
    assert (mine.index, mine.peak) == pytest.approx((theirs.index, theirs.peak), rel=1e-9)
    assert mine.max_drawdown_ratio == pytest.approx(theirs.max_drawdown_ratio, abs=1e-9)


@FEW
@given(turn=st.integers(1, DAYS * 24 - 8), dollars=st.integers(100, 70_000))
def test_a_withdrawal_at_any_turn_is_no_loss_of_anybody(turn: int, dollars: int) -> None:
    """At the moment money leaves a mandate, or the treasury, neither its course nor its peak moves."""
    seen: list[tuple[float, float]] = []

    async def between(house: House, frame: MarketFrame) -> None:
        if frame.index == turn:
            by_ns = frame.time_ns + 24 * HOUR_NS
            wanted = Wanted(withdrawal="w", asset=USDC, units=dollars * 10**6, by_ns=by_ns, reason="")
            await house.arena.ask(BeginWithdrawal(frame=frame, wanted=wanted), timeout_s=5)
        if turn <= frame.index <= turn + 6:
            marks = [house.fold.marks.of(m.born.agent) for m in house.fold.records.roster.living()]
            seen.extend((mark.loss_ratio, mark.drawdown_ratio) for mark in marks)

    house = lived(between)
    plain = course_of(undisturbed())

    assert house.fold.records.book.units(PROMISED, USDC) == 0
    assert all(drawdown < 0.02 for _, drawdown in seen)  # a flow taken for a loss would be far more
    assert course_of(house).peak == pytest.approx(plain.peak, rel=0.01)
    assert course_of(house).max_drawdown_ratio == pytest.approx(plain.max_drawdown_ratio, abs=0.01)


@FEW
@given(burn=st.integers(1, 40_000), months=st.integers(1, 6))
def test_i34_no_round_birth_or_raise_takes_the_treasury_below_its_runway(burn: int, months: int) -> None:
    """I34: were all that a turn allots tied up for ever, what is left would still cover the floor."""
    spending = Spending(burn_usd_per_month=burn, runway_floor_months=months)
    allotted: dict[int, int] = {}
    liquid: dict[int, int] = {}

    async def between(house: House, frame: MarketFrame) -> None:
        book = house.fold.records.book
        owned: dict[AssetId, int] = {}
        for account in book.accounts():
            if not is_contra(account) and account not in {GAS, PROMISED}:
                for asset, units in book.balances(account).items():
                    owned[asset] = owned.get(asset, 0) + units
        liquid[frame.index] = liquidity(MAINNET, sorted(owned.items()), frame).day_micro_usd

    house = lived(between, spending)
    start_ns = season(DAYS).frame(0).time_ns
    for recorded in house.events():
        event = recorded.event
        if isinstance(event, Entry) and event.kind == "allot":
            turn = (recorded.time_ns - start_ns) // HOUR_NS
            allotted[turn] = allotted.get(turn, 0) + event.postings[1].units
    refused = [r.event for r in house.events() if isinstance(r.event, CapitalRefused)]

    floor = burn * months * MICRO_USD
    for turn, units in allotted.items():
        cent = 10_000
        assert liquid[turn] - units + 2 * cent * AGENTS >= floor or units == 0
    if floor > AGENTS * 10_000 * MICRO_USD:
        assert not any(allotted.values())
    if floor > 0.1 * AGENTS * 10_000 * MICRO_USD:
        assert any(event.reason == "runway_floor" for event in refused)


def test_a_floor_of_nothing_changes_no_byte() -> None:
    plain = lived(None, Spending())
    told = lived(None, replace(Spending(), burn_usd_per_month=5_000, running_cost_usd_per_month=200))

    assert plain.journal.head == told.journal.head
