"""However little gas there is and whatever venues burn of it: it is promised once and never short."""

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.trading.desk import (
    BUY_WETH,
    DOLLARS,
    LIMITS,
    SELL_WETH,
    STAKE,
    UNSTAKE,
    USDC,
    WETH,
    WSTETH,
    Desk,
    frame,
    mandate,
    now,
    order,
)
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AgentId
from treasury_actors.ledger.model import GAS, GAS_BURNT, available
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.adapters.simulated import SimulatedVenue
from treasury_actors.trading.messages import GasToDivide
from treasury_actors.trading.model.gas import GasBudgets
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.order import (
    OrderEnded,
    OrderFilled,
    OrderReleased,
    TradingReason,
)
from treasury_actors.trading.ports import Executed, NotExecuted, Receipt, Reversed

NAMES = [AgentId(name) for name in ("ann-0001", "bob-0002", "cid-0003")]
RULES = ArenaRules(seed=1, stage="sim", population=3, capital_usd=1, gas_usd=1)


class GreedyVenue(SimulatedVenue):
    """Executes, or reverts, for any part of the fee cap; perhaps only later."""

    parts_ppm: tuple[int, ...] = ()
    reverts = False
    keeps_back = False

    async def collect(self, frame: MarketFrame) -> list[Receipt]:
        if self.keeps_back:
            return []
        found: list[Receipt] = []
        for place, receipt in enumerate(await super().collect(frame)):
            assert not isinstance(receipt, Reversed), "a simulated venue undoes nothing"
            gas_wei = receipt.ticket.gas_wei_max * self.parts_ppm[place % len(self.parts_ppm)] // 10**6
            if isinstance(receipt, Executed) and not self.reverts:
                found.append(replace(receipt, gas_wei=gas_wei))
            else:
                reason = TradingReason.NO_LIQUIDITY
                found.append(
                    NotExecuted(ticket=receipt.ticket, reason=reason, detail="revert", gas_wei=gas_wei)
                )
        return found


class Burning(RuleBasedStateMachine):
    """Three agents, a round now and then, deaths, and a venue that burns what it likes within the cap."""

    @initialize(gas=st.sampled_from([0, 1, 7, 10**9, 10**13, 3 * 10**15]))
    def start(self, gas: int) -> None:
        self.desk = Desk(*(self.given(name, 0, 0) for name in NAMES), gas_wei=gas)
        self.desk.venue = GreedyVenue(universe=MAINNET, chain=self.desk.chain)  # type: ignore[assignment]
        self.desk.engine._venue = self.desk.venue
        self.mandates = {name: self.given(name, 0, 0) for name in NAMES}
        self.copy = GasBudgets()
        for each in self.mandates.values():
            self.copy.mandated(each)
        self.folded_seq = 0
        self.index = self.number = self.round = 0
        for name in NAMES:
            self.desk.give(name, USDC, 50_000 * DOLLARS)
            self.desk.give(name, WSTETH, 10**18)
        self.desk.open(frame(0))
        self.hold_round()

    def given(self, name: AgentId, wei: int, number: int) -> Mandate:
        return mandate(name, limits=replace(LIMITS, gas_wei_max=wei, gas_round=number))

    @rule()
    def hold_round(self) -> None:
        """Divide what there is among those who live, after the turn's orders were taken."""
        self.desk.close(self.index)
        self.round += 1
        living = [name for name in NAMES if self.mandates[name].status == "active"]
        wei = now(self.desk.engine.receive(GasToDivide()))
        assert isinstance(wei, int)
        for name, share in zip(living, RULES.gas_shares(wei, len(living)), strict=True):
            self.set(self.given(name, share, self.round))

    def set(self, given: Mandate) -> None:
        self.fold()
        self.mandates[given.agent] = given
        self.copy.mandated(given)
        self.desk.set_mandate(given)

    def fold(self) -> None:
        """Fold what was journalled since, as a start would."""
        for recorded in self.desk.journal.read(self.folded_seq + 1):
            self.folded_seq = recorded.seq
            match recorded.event:
                case OrderReleased() as event:
                    self.copy.promise(event.agent, event.gas_wei_max)
                case OrderFilled() | OrderEnded() as event:
                    self.copy.burn(event.agent, event.gas_wei)
                case _:
                    pass

    @rule(name=st.sampled_from(NAMES), status=st.sampled_from(["closing", "closed"]))
    def end(self, name: AgentId, status: str) -> None:
        if self.mandates[name].status != "closed":
            self.set(replace(self.mandates[name], status=status))  # type: ignore[arg-type]

    @rule(name=st.sampled_from(NAMES), path=st.sampled_from([(BUY_WETH,), (BUY_WETH, STAKE), (SELL_WETH,)]))
    def trade(self, name: AgentId, path: tuple[str, ...]) -> None:
        self.submit(name, path)

    @rule(name=st.sampled_from(NAMES), path=st.sampled_from([(UNSTAKE, SELL_WETH), (SELL_WETH,)]))
    def leave(self, name: AgentId, path: tuple[str, ...]) -> None:
        """Let the guardian sell, whether the agent has gas or not."""
        self.submit(name, path, is_exit=True)

    def submit(self, name: AgentId, path: tuple[str, ...], *, is_exit: bool = False) -> None:
        source = USDC if path[0] == BUY_WETH else WETH if path[0] == SELL_WETH else WSTETH
        units = self.desk.units(available(name), source) // 4
        placed_by = "guardian" if is_exit else "agent"
        self.desk.submit(
            order(
                self.index,
                *path,
                units=units,
                number=self.number,
                agent=name,
                placed_by=placed_by,  # type: ignore[arg-type]  # one of the two
                reduce_only=path[0] != BUY_WETH,
            )
        )
        self.number += 1

    @rule(
        parts_ppm=st.lists(st.sampled_from([0, 1, 400_000, 10**6]), min_size=1, max_size=3).map(tuple),
        reverts=st.booleans(),
        keeps_back=st.sampled_from([False, False, False, True]),
    )
    def play(self, parts_ppm: tuple[int, ...], *, reverts: bool, keeps_back: bool) -> None:
        self.desk.close(self.index)
        venue = self.desk.venue
        assert isinstance(venue, GreedyVenue)
        venue.parts_ppm, venue.reverts, venue.keeps_back = parts_ppm, reverts, keeps_back
        self.index += 1
        self.number = 0
        try:
            self.desk.open(frame(self.index, l1_gas_gwei=0.0))
        except InvariantViolated as broken:
            raise AssertionError(f"I19: the ledger was short of gas: {broken}") from broken

    @precondition(lambda self: self.desk.units(GAS, MAINNET.gas) > 0)
    @rule()
    def check_exit(self) -> None:
        """Gas that nobody was promised can always pay for an exit."""
        free = self.desk.units(GAS, MAINNET.gas) - self.desk.budgets.reserved_wei
        exit_order = order(self.index, SELL_WETH, units=1, placed_by="guardian", reduce_only=True)
        cap = self.desk.budgets.cap_wei(
            exit_order, balance_wei=self.desk.units(GAS, MAINNET.gas), policy_wei=10**18
        )
        if not any(working.order.agent == exit_order.agent for working in self.desk.open_orders.at_venue()):
            assert cap == free + self.desk.budgets.left_wei(exit_order.agent)

    @invariant()
    def i19_what_may_still_be_burnt_is_there(self) -> None:
        if hasattr(self, "mandates"):
            assert self.desk.budgets.reserved_wei <= self.desk.units(GAS, MAINNET.gas)

    @invariant()
    def i7_the_fold_of_the_journal_has_the_same_budgets(self) -> None:
        if hasattr(self, "mandates"):
            self.fold()
            assert self.copy._purses == self.desk.budgets._purses
            assert self.copy._out_wei == self.desk.budgets._out_wei

    def teardown(self) -> None:
        """Compare what was burnt with the books, to the wei."""
        if hasattr(self, "mandates"):
            burnt = sum(e.gas_wei for e in self.desk.events(OrderFilled))
            burnt += sum(e.gas_wei for e in self.desk.events(OrderEnded))
            assert self.desk.units(GAS_BURNT, MAINNET.gas) == burnt


TestBurning = Burning.TestCase
TestBurning.settings = settings(max_examples=120, stateful_step_count=25)
