"""One agent, one turn: from weights to orders at the engine, through the real actors without a loop."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from tests.unit.trading.desk import ANN, DOLLARS, USDC, WETH, Desk, Direct, frame, mandate, now
from treasury_actors.agents.agent import Agent, AgentSpec
from treasury_actors.agents.messages import Decided, StateRecorded, Turn
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.view import KEEP, View
from treasury_actors.ids import AssetId, FamilyId
from treasury_actors.ledger.model import available
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.order import OrderAccepted
from treasury_actors.trading.model.planner import PlannerPolicy

Decide = Callable[[Any, View, Any], tuple[Any, list[float]]]


class Seen(NamedTuple):
    """How many frames it has decided on, and the last."""

    frames: float = 0.0
    last: float = -1.0


class NoGenes(NamedTuple):
    """A genome without a gene."""


class Ear:
    """Hears what an agent answers."""

    def __init__(self) -> None:
        self.heard: list[Decided] = []

    def tell(self, message: Decided) -> None:
        self.heard.append(message)


class Room:
    """An agent of a strategy made for the test, with a desk below it."""

    def __init__(self, decide: Decide) -> None:
        self.desk = Desk()
        self.ear = Ear()
        self.features = Features(MAINNET)
        self.family = Family(
            id=FamilyId("test"),
            story="made for a test",
            genes=(),
            genome=NoGenes,
            state=Seen,
            assets=lambda _: (WETH, AssetId("aUSDC")),
            slowest_span_h=lambda _: 0,
            decide=decide,
        )
        self.version = 0
        self.agent = self.make(None)

    def make(self, last: StateRecorded | None) -> Agent:
        """Make the agent anew, from its last record."""
        return Agent(
            spec=AgentSpec(agent=ANN, family=self.family, genes=(), born_turn=0),
            features=self.features,
            ledger=Direct(self.desk.ledger),
            engine=Direct(self.desk.engine),
            arena=self.ear,
            planner=PlannerPolicy(),
            last_record=last,
        )

    def turn(self, market: MarketFrame, given: Mandate | None = None) -> None:
        """Play one turn."""
        self.features.append(market)
        self.desk.open(market)
        self.version += 1
        given = given or mandate()
        message = Turn(frame=market, end=self.features.length, mandate=given, books_version=self.version)
        now(self.agent.receive(message))
        self.desk.close(market.index)


def counting(wanted: list[float]) -> Decide:
    """Return a strategy that always wants the same and counts the frames it saw."""

    def decide(state: Any, view: View, genome: Any) -> tuple[Any, list[float]]:  # noqa: ANN401 (as Decide)
        return Seen(state.frames + 1.0, float(view.frame)), list(wanted)

    return decide


def test_weights_become_orders_that_bring_the_holdings_to_them() -> None:
    room = Room(counting([0.5, 0.25]))
    room.desk.give(ANN, USDC, 10_000 * DOLLARS)
    room.turn(frame(0))
    room.turn(frame(1))

    owned = room.desk.book.balances(available(ANN))
    assert room.ear.heard[0].ordered
    assert owned[WETH] * 2_000 / 10**18 == pytest.approx(5_000, rel=0.002)
    assert owned[AssetId("aUSDC")] / DOLLARS == pytest.approx(2_500, rel=0.002)


def test_keep_orders_nothing_and_still_answers() -> None:
    room = Room(counting(KEEP))
    room.desk.give(ANN, USDC, 10_000 * DOLLARS)
    room.desk.give(ANN, WETH, 10**18)
    room.turn(frame(0))

    assert room.ear.heard == [Decided(ANN, 0, (1.0, 0.0), ordered=False)]
    assert room.desk.events(OrderAccepted) == []


def test_keep_sells_all_the_same_for_what_the_arena_wants_back() -> None:
    room = Room(counting(KEEP))
    room.desk.give(ANN, WETH, 10**18)
    room.turn(frame(0), replace(mandate(), due_units=500 * DOLLARS))

    (accepted,) = room.desk.events(OrderAccepted)
    assert accepted.order.reduce_only
    assert accepted.value_micro_usd == pytest.approx(500 * DOLLARS, rel=0.02)


@pytest.mark.parametrize("wanted", [[1.0], [0.6, 0.5], [-0.1, 0.2], [float("nan"), 0.0]])
def test_weights_that_may_not_be_are_a_crash_of_the_agent_before_any_order(wanted: list[float]) -> None:
    room = Room(counting(wanted))
    room.desk.give(ANN, USDC, 10_000 * DOLLARS)
    with pytest.raises(ValueError, match="weight"):
        room.turn(frame(0))
    assert room.ear.heard == []
    assert room.desk.refusals == []


def test_a_restarted_agent_decides_again_on_the_frames_since_its_last_record() -> None:
    room = Room(counting(KEEP))
    for index in range(5):
        room.turn(frame(index))
    room.agent = room.make(StateRecorded(agent=ANN, turn=1, state=(2.0, 1.0)))
    room.turn(frame(5))

    assert room.ear.heard[-1] == Decided(ANN, 5, (6.0, 5.0), ordered=False)


def test_i11_a_strategy_is_shown_nothing_after_its_frame_even_when_it_is_there() -> None:
    """A later price is already in the features, as when frames are decided on again."""
    seen: list[float] = []

    def decide(state: Any, view: View, genome: Any) -> tuple[Any, list[float]]:  # noqa: ANN401 (as Decide)
        seen.append(view.price_usd(0))
        return state, KEEP

    room = Room(decide)
    for index, price in enumerate((2_000.0, 2_100.0, 2_200.0)):
        room.turn(frame(index, {"WETH": price}))
    room.agent = room.make(None)
    room.turn(frame(3, {"WETH": 2_300.0}))

    assert seen == [2_000.0, 2_100.0, 2_200.0, 2_000.0, 2_100.0, 2_200.0, 2_300.0]
