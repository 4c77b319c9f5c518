"""Whatever is ordered on whatever market: the engine breaks no promise, and every order comes to an end."""

from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.trading.desk import (
    ANN,
    BOB,
    BUY_WETH,
    DOLLARS,
    ETHER,
    GAS_WEI_MAX,
    STAKE,
    Desk,
    frame,
    mandate,
    order,
)
from treasury_actors.ids import AgentId, AssetId, ConversionId
from treasury_actors.ledger.actor import Ledger
from treasury_actors.ledger.model import GAS, available, held
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.model.mandate import MandateStatus
from treasury_actors.trading.model.open_orders import OpenOrders
from treasury_actors.trading.model.order import Order, OrderAccepted, OrderEnded, OrderFilled
from treasury_actors.trading.model.stop import TradingState
from treasury_actors.wiring.fold import Records

NAMES = [str(step.id) for step in MAINNET.conversions]
ROUTES = [tuple(str(step.id) for step in path) for path in MAINNET.routes.values()]
UNITS = st.one_of(st.integers(0, 10**4), st.integers(10**6, 10**11), st.integers(10**15, 10**20))
STALE: st.SearchStrategy[set[AssetId]] = st.one_of(
    st.just(set()), st.sets(st.sampled_from([asset.id for asset in MAINNET.assets]), max_size=2)
)
TURNS_MAX = 3
"""With a venue that answers at the next frame, all is over one turn after the last order."""


def orders_of(open_orders: OpenOrders) -> tuple[list[object], list[object]]:
    """Return what is open, in a form that can be compared."""
    working = [(w.order, w.hop, w.held_units) for w in open_orders.at_venue()]
    waiting = [(agent, list(queue)) for agent, queue in sorted(open_orders._queues.items())]
    return list(working), list(waiting)


class Trading(RuleBasedStateMachine):
    """Two agents, one guardian's hand, one operator, and a market that is not kind."""

    @initialize(gas=st.sampled_from([ETHER, ETHER, 3 * GAS_WEI_MAX, GAS_WEI_MAX, 0]))
    def start(self, gas: int) -> None:
        self.desk = Desk(mandate(ANN), mandate(BOB), gas_wei=gas)
        self.status: dict[AgentId, MandateStatus] = {ANN: "active", BOB: "active"}
        for agent in (ANN, BOB):
            self.desk.give(agent, MAINNET.reserve, 20_000 * DOLLARS)
            self.desk.give(agent, AssetId("wstETH"), ETHER)
            self.desk.give(agent, AssetId("aUSDC"), 5_000 * DOLLARS)
        self.index = 0
        self.number = 0
        self.desk.open(frame(0))
        self.submitted: list[Order] = []

    def next_frame(self, market: MarketFrame) -> None:
        """Close the turn and open the next."""
        self.desk.close(self.index)
        self.index = market.index
        self.number = 0
        self.desk.open(market)

    @rule(
        agent=st.sampled_from([ANN, BOB]),
        choices=st.lists(
            st.tuples(st.sampled_from(ROUTES), st.sampled_from([1, 10, 50, 100, 120])), min_size=1, max_size=4
        ),
    )
    def submit(self, agent: AgentId, choices: list[tuple[tuple[str, ...], int]]) -> None:
        """Order what makes sense, from what the agent has, some of it more than once over."""
        owned = self.desk.book.balances(available(agent))
        for wanted, percent in choices:
            source = MAINNET.conversion_by_id[ConversionId(wanted[0])].source
            path = wanted if source in owned else (BUY_WETH, STAKE)
            first = MAINNET.conversion_by_id[ConversionId(path[0])].source
            reduces = all(MAINNET.conversion_by_id[ConversionId(step)].reduces for step in path)
            self.place(
                order(
                    self.index,
                    *path,
                    units=owned.get(first, 0) * percent // 100,
                    number=self.number,
                    agent=agent,
                    placed_by="agent" if self.status[agent] == "active" else "guardian",
                    reduce_only=reduces,
                )
            )

    @rule(
        path=st.sampled_from([*ROUTES, *pairwise(NAMES), (), ("USDC>GOLD@nowhere",)]),
        units=UNITS,
        reduce_only=st.booleans(),
        guardian=st.booleans(),
        late=st.sampled_from([0, 0, 0, 1, -1]),
    )
    def submit_anything(
        self, path: tuple[str, ...], units: int, *, reduce_only: bool, guardian: bool, late: int
    ) -> None:
        self.place(
            order(
                self.index + late,
                *path,
                units=units,
                number=self.number,
                placed_by="guardian" if guardian else "agent",
                reduce_only=reduce_only,
            )
        )

    def place(self, placed: Order) -> None:
        """Submit an order under the next number."""
        self.number += 1
        self.submitted.append(placed)
        self.desk.submit(placed)

    @precondition(lambda self: self.submitted)
    @rule(data=st.data())
    def submit_again(self, data: st.DataObject) -> None:
        self.desk.submit(data.draw(st.sampled_from(self.submitted)))

    @rule(
        stale=STALE,
        depth_usd=st.sampled_from([1e9, 1e9, 1e6, 0.0]),
        capacity_usd=st.sampled_from([1e9, 1e9, 700.0, 0.001, 0.0]),
        gas_gwei=st.sampled_from([10.0, 10.0, 10.0, 10_000.0]),
        keeps_back=st.sampled_from([False, False, True]),
    )
    def play(
        self, stale: set[str], depth_usd: float, capacity_usd: float, gas_gwei: float, *, keeps_back: bool
    ) -> None:
        self.desk.venue.keeps_back = keeps_back
        self.next_frame(
            frame(
                self.index + 1,
                stale=sorted(stale),
                depth_usd=depth_usd,
                capacity_usd=capacity_usd,
                l1_gas_gwei=gas_gwei,
            )
        )

    @rule(
        state=st.sampled_from(["active", "active", "active", "reducing", "stopped"]),
        by=st.sampled_from(["operator", "arena"]),
    )
    def change(self, state: TradingState, by: str) -> None:
        self.desk.change(state, by)

    @rule(
        agent=st.sampled_from([ANN, BOB]),
        status=st.sampled_from(["active", "active", "active", "closing", "closed"]),
    )
    def set_mandate(self, agent: AgentId, status: MandateStatus) -> None:
        self.status[agent] = status
        self.desk.set_mandate(mandate(agent, status))

    @rule()
    def restart(self) -> None:
        """Die at the end of a turn and start on what the journal says."""
        self.desk.close(self.index)
        records = self.folded()
        self.desk.book = records.book
        self.desk.ledger = Ledger(book=records.book, journal=self.desk.journal, clock=self.desk.clock)
        self.desk.latch, self.desk.turnover = records.latch, records.turnover
        self.desk.open_orders = records.open_orders
        self.desk.start_engine([mandate(agent, status) for agent, status in self.status.items()])
        self.index += 1
        self.number = 0
        self.desk.open(frame(self.index))

    def folded(self) -> Records:
        """Return what the journal adds up to."""
        records = Records.empty(MAINNET)
        for recorded in self.desk.journal.read():
            records.apply(recorded.event)
        return records

    @invariant()
    def i2_i3_the_books_balance(self) -> None:
        if hasattr(self, "desk"):
            assert self.desk.book.imbalances() == []

    @invariant()
    def i18_what_is_held_is_what_orders_at_a_venue_are_out_for(self) -> None:
        if not hasattr(self, "desk"):
            return
        for agent in (ANN, BOB):
            out = {
                MAINNET.conversion_by_id[w.order.path[w.hop]].source: w.held_units
                for w in self.desk.open_orders.at_venue()
                if w.order.agent == agent
            }
            assert dict(self.desk.book.balances(held(agent))) == out

    @invariant()
    def i7_the_fold_of_the_journal_is_the_live_state(self) -> None:
        if not hasattr(self, "desk"):
            return
        records = self.folded()
        assert records.book.canonical() == self.desk.book.canonical()
        assert orders_of(records.open_orders) == orders_of(self.desk.open_orders)
        assert records.latch == self.desk.latch

    @invariant()
    def i9_a_hop_is_settled_at_most_once(self) -> None:
        if hasattr(self, "desk"):
            hops = [(fill.order_id, fill.hop) for fill in self.desk.events(OrderFilled)]
            assert len(set(hops)) == len(hops)

    def teardown(self) -> None:
        """Every accepted order has ended, filled or not, a bounded number of turns after the last."""
        if not hasattr(self, "desk"):
            return
        self.desk.venue.keeps_back = False
        for _ in range(TURNS_MAX):
            self.next_frame(frame(self.index + 1))
        assert len(self.desk.open_orders) == 0
        assert all(dict(self.desk.book.balances(held(agent))) == {} for agent in (ANN, BOB))
        accepted = [event.order.order_id for event in self.desk.events(OrderAccepted)]
        ended = [event.order_id for event in self.desk.events(OrderEnded)]
        ended += [event.order_id for event in self.desk.events(OrderFilled, lambda fill: fill.last)]
        assert sorted(accepted) == sorted(ended)
        assert self.desk.units(GAS, MAINNET.gas) >= 0


TestTrading = Trading.TestCase
TestTrading.settings = settings(max_examples=120, stateful_step_count=25)
