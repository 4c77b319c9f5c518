"""A house that died at the end of any turn and was opened again ends where one ends that never died."""

from itertools import groupby

import anyio
import pytest

from tests.integration.houses import LENDING, Crashing, Lived, crashing, fold_of, live, rules, season
from treasury_actors.actors.actor import Actor
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.agents.messages import AgentMessage
from treasury_actors.agents.model.track import DAY_FRAMES, TrackRecord
from treasury_actors.arena.model.events import AgentBorn, AgentQuarantined
from treasury_actors.clock import HOUR_NS
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.journal.event import Recorded
from treasury_actors.ledger.model import DEPOSITS, held
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.trading.messages import ChangeTradingState
from treasury_actors.trading.model.order import OrderAccepted, OrderFilled, OrderRefused, TradingReason
from treasury_actors.wiring.fold import Fold, Records
from treasury_actors.wiring.house import House, WrapAgent

DAYS, AGENTS = 30, 8
VICTIM = AgentId("trend-0008")
DIES_FOR_GOOD = crashing(VICTIM, at=lambda index: 200 <= index < 206)
BOUNDARIES = [0, 23, 24, 167, 168, 169, 400, 672, 673, 700]
"""The first turn, around day closes, around rounds, and after the first round that may retire (day 28)."""


@pytest.fixture(scope="module")
def whole() -> Lived:
    """Return the season as it goes without a death."""
    return anyio.run(lambda: live(rules(AGENTS), season(DAYS)))


def up_to(lived: Lived, turn: int) -> MemoryJournal:
    """Return the journal a death after `turn` leaves behind."""
    end_ns = season(DAYS).frame(turn).time_ns
    return MemoryJournal([recorded for recorded in lived.events() if recorded.time_ns <= end_ns])


async def test_i7_a_replay_of_the_journal_is_the_live_state(whole: Lived) -> None:
    replayed = fold_of(whole.journal.read(), season(DAYS))
    replayed.mark_up_to(season(DAYS).frame_count - 1)  # frames without an event leave no trace but this

    assert replayed.records.state_hash == whole.state_hash
    assert replayed.records.open_orders.at_venue() == whole.fold.records.open_orders.at_venue()
    for member in whole.fold.records.roster.living():
        agent = member.born.agent
        assert replayed.marks.of(agent) == whole.fold.marks.of(agent)
        mine, theirs = replayed.tracks.of(agent), whole.fold.tracks.of(agent)
        assert mine.daily_returns == theirs.daily_returns
        assert mine.growth_index == theirs.growth_index


async def test_events_that_a_fold_leaves_out_are_no_part_of_any_state(whole: Lived) -> None:
    """Refused orders are not even decoded, and of an agent's states the newest alone is kept."""
    journal = up_to(whole, 400)
    orders = [e.event.order for e in journal.read() if isinstance(e.event, OrderAccepted)]
    for order in orders:
        refused = OrderRefused(order=order, reason=TradingReason.STOPPED, detail="a test says so")
        journal.append(refused, stream="trading", time_ns=season(DAYS).frame(401).time_ns)
    every = Records.empty(season(DAYS).universe)
    for recorded in journal.read():
        every.apply(recorded.event)
    folded = fold_of(journal.read(), season(DAYS)).records

    assert journal.count("trading.order_refused.v1") >= len(orders) > 0
    assert every.state_hash == folded.state_hash
    assert every.roster.members == folded.roster.members
    assert repr(every.open_orders.at_venue()) == repr(folded.open_orders.at_venue())


@pytest.mark.parametrize("turn", [24, 169, 400, 700])
async def test_frames_marked_together_leave_what_frames_marked_one_by_one_leave(
    whole: Lived, turn: int
) -> None:
    """A fold marks an agent's frames together, up to the next entry that touches it; a house, one by one."""
    events = up_to(whole, turn).read()
    one_by_one = Fold(season=season(DAYS), lending_benchmark=LENDING)
    for frame, of_frame in groupby(events, key=season_turn):
        for recorded in of_frame:
            one_by_one.add(recorded)
        if frame >= 0:
            one_by_one.finish()
    together = fold_of(up_to(whole, turn).read(), season(DAYS))

    members = together.records.roster.members
    assert {agent: one_by_one.marks.of(agent) for agent in members} == {
        agent: together.marks.of(agent) for agent in members
    }
    for member in together.records.roster.living():
        mine, theirs = (fold.tracks.of(member.born.agent) for fold in (together, one_by_one))
        assert [getattr(mine, slot) for slot in TrackRecord.__slots__] == [
            getattr(theirs, slot) for slot in TrackRecord.__slots__
        ]


@pytest.mark.parametrize("turn", BOUNDARIES)
async def test_a_house_opened_again_in_the_middle_ends_as_if_nothing_had_happened(
    whole: Lived, turn: int
) -> None:
    recovered = await live(rules(AGENTS), season(DAYS), journal=up_to(whole, turn))

    assert recovered.state_hash == whole.state_hash
    assert recovered.journal.head == whole.journal.head
    assert known_of_the_living(recovered) == known_of_the_living(whole)


def known_of_the_living(lived: Lived) -> list[object]:
    """Return what a house knows of those who live in it and no journal says: their courses, their days."""
    living = [member.born.agent for member in lived.fold.records.roster.living()]
    tracks = [lived.fold.tracks.of(agent) for agent in living]
    days = [[getattr(track, slot) for slot in TrackRecord.__slots__] for track in tracks]
    return [living, [lived.fold.marks.of(agent) for agent in living], days]


@pytest.fixture(scope="module")
def replaced() -> Lived:
    """Return a season in which one agent is put away in its second week, and another is born in its place."""
    return anyio.run(lambda: live(rules(AGENTS), season(DAYS), wrap_agent=DIES_FOR_GOOD))


async def test_a_newborn_is_known_to_a_house_that_was_opened_again_as_to_one_that_was_not(
    replaced: Lived,
) -> None:
    """It was born after its first frame was marked, at the close of a day that it has not lived through."""
    births = [each.event for each in replaced.events() if isinstance(each.event, AgentBorn)]
    (born,) = [birth.turn for birth in births if birth.turn > 0]
    assert born % DAY_FRAMES == 0

    for turn in (born, born + 1, born + DAY_FRAMES, born + 50):
        recovered = await live(
            rules(AGENTS), season(DAYS), journal=up_to(replaced, turn), wrap_agent=DIES_FOR_GOOD
        )

        assert recovered.state_hash == replaced.state_hash
        assert known_of_the_living(recovered) == known_of_the_living(replaced)


async def test_a_turn_with_orders_at_a_venue_is_among_those_tried(whole: Lived) -> None:
    """Otherwise the test above would not see a ticket that is sent again."""
    at_venue = [
        len(fold_of(up_to(whole, turn).read(), season(DAYS)).records.open_orders) for turn in BOUNDARIES
    ]

    assert max(at_venue) > 0


async def test_two_runs_of_the_same_inputs_give_the_same_journal() -> None:
    first, second = [await live(rules(AGENTS), season(DAYS), until=200) for _ in range(2)]

    assert first.journal.head == second.journal.head


async def test_i5_a_journal_with_a_gap_is_not_folded(whole: Lived) -> None:
    events = whole.events()
    with pytest.raises(InvariantViolated, match="I5"):
        fold_of([*events[:100], *events[101:]], season(DAYS))


async def test_i2_i18_a_journal_that_does_not_add_up_is_not_lived_on(whole: Lived) -> None:
    """A hold whose order is lost: the chain would show it, and so does the fold."""
    fold = fold_of(up_to(whole, 168).read(), season(DAYS))
    agent = next(iter(fold.records.roster.members))
    usdc, balances = AssetId("USDC"), fold.records.book._balances
    balances[held(agent)] = {usdc: 5}  # as no entry could
    with pytest.raises(InvariantViolated, match="I2"):
        fold.records.verify()
    balances[DEPOSITS][usdc] -= 5  # likewise
    with pytest.raises(InvariantViolated, match="I18"):
        fold.records.verify()


async def test_a_house_with_a_crashed_agent_recovers_too() -> None:
    """Its state is in the journal, its crash is not part of the state hash."""
    dies_once = crashing("trend-0008", at=lambda index: index == 170)
    never_died = await live(rules(AGENTS), season(DAYS), until=240)
    died = await live(rules(AGENTS), season(DAYS), until=240, wrap_agent=dies_once)
    fills = [
        [e.event for e in lived.events() if isinstance(e.event, OrderFilled)] for lived in (never_died, died)
    ]

    assert died.fold.records.roster.crashes == died.fold.records.roster.restarts == 1
    assert [f for f in fills[0] if f.agent != "trend-0008"] == [
        f for f in fills[1] if f.agent != "trend-0008"
    ]
    assert fold_of(died.journal.read(), season(DAYS)).records.state_hash == died.state_hash


def crashing_all_along(spec: AgentSpec, agent: Actor[AgentMessage]) -> Actor[AgentMessage]:
    return Crashing(agent, at=lambda _: True) if spec.agent == VICTIM else agent


def crashing_with_others(spec: AgentSpec, agent: Actor[AgentMessage]) -> Actor[AgentMessage]:
    """Two of the victim's crashes are everybody's, and so nobody's fault."""
    return Crashing(agent, at=lambda index: spec.agent == VICTIM or index in {2, 3})


@pytest.mark.parametrize(
    ("wrap", "quarantined_at"), [(crashing_all_along, 5), (crashing_with_others, 7)], ids=["alone", "common"]
)
@pytest.mark.parametrize(
    "boundaries", [[0], [1], [2], [3], [4], [5], [6], [9], [0, 1, 2, 3, 4, 5, 6, 7], [1, 4], [3, 6]], ids=str
)
async def test_a_restart_budget_outlives_the_process(
    wrap: WrapAgent, quarantined_at: int, boundaries: list[int]
) -> None:
    """Were crashes forgotten with the process, the agent would be quarantined later, or never."""
    whole = await live(rules(AGENTS), season(DAYS), until=30, wrap_agent=wrap)
    cut = await live(rules(AGENTS), season(DAYS), until=boundaries[0], wrap_agent=wrap)
    for boundary in [*boundaries[1:], 30]:
        journal = MemoryJournal(cut.events())
        cut = await live(rules(AGENTS), season(DAYS), journal=journal, until=boundary, wrap_agent=wrap)

    verdicts = [
        [r.event for r in lived.events() if isinstance(r.event, AgentQuarantined)] for lived in (whole, cut)
    ]
    assert [(v.agent, v.turn, v.crashes) for v in verdicts[0]] == [(VICTIM, quarantined_at, quarantined_at)]
    assert verdicts[0] == verdicts[1]
    assert cut.state_hash == whole.state_hash
    assert cut.journal.head == whole.journal.head


async def test_i15_a_stop_survives_a_restart_and_only_an_operator_resumes() -> None:
    async def stop(house: House, market: MarketFrame) -> None:
        if market.index == 100:
            change = ChangeTradingState(state="stopped", by="operator", reason="a test says so")
            assert await house.engine.ask(change, timeout_s=1.0) == "stopped"

    async def resume(house: House, market: MarketFrame) -> None:
        for by, holds in (("arena", "stopped"), ("operator", "active")):
            if market.index == 150:
                change = ChangeTradingState(state="active", by=by, reason="a test says so")
                assert await house.engine.ask(change, timeout_s=1.0) == holds

    stopped = await live(rules(AGENTS), season(DAYS), until=120, after_turn=stop)
    again = await live(
        rules(AGENTS), season(DAYS), journal=MemoryJournal(stopped.events()), until=250, after_turn=resume
    )
    fills = [season_turn(r) for r in again.events() if isinstance(r.event, OrderFilled)]

    assert min(fills) < 100
    assert [turn for turn in fills if 101 < turn <= 151] == []  # what was sent at 100 is watched at 101
    assert max(fills) > 151


def season_turn(recorded: Recorded) -> int:
    return (recorded.time_ns - season(DAYS).frame(0).time_ns) // HOUR_NS
