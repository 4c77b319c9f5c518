"""
A trading desk for tests: the real engine, guardian, ledger and simulated venue, without mailboxes or a loop.

What an actor asks is answered at once by a direct call, so a test needs no waiting and a property test is
fast. Whether mailboxes deliver is tested where they live.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from math import inf
from typing import Any, Literal, TypeVar

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.ref import Ref
from treasury_actors.clock import HOUR_NS, VirtualClock
from treasury_actors.ids import AccountId, AgentId, AssetId, ConversionId, EntryId
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.ledger.actor import Ledger
from treasury_actors.ledger.messages import Deposit, EntryPosted
from treasury_actors.ledger.model import GAS, Book, available
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.message import Ask
from treasury_actors.trading.adapters.simulated import SimulatedVenue
from treasury_actors.trading.engine import TradingEngine
from treasury_actors.trading.guardian import Guardian
from treasury_actors.trading.messages import (
    CapitalMoved,
    ChangeTradingState,
    CloseTurn,
    Guard,
    OpenTurn,
    SetMandates,
    SubmitOrders,
    TurnClosed,
    TurnOpened,
    Watch,
    Watched,
)
from treasury_actors.trading.model.costs import CHAINS, ChainProfile
from treasury_actors.trading.model.gas import GasBudgets
from treasury_actors.trading.model.guard import GuardPolicy
from treasury_actors.trading.model.limits import Turnover
from treasury_actors.trading.model.mandate import Limits, Mandate, MandateStatus
from treasury_actors.trading.model.marks import Marks
from treasury_actors.trading.model.open_orders import OpenOrders
from treasury_actors.trading.model.order import Order, OrderEnded, OrderFilled, OrderRefused, order_id
from treasury_actors.trading.model.rates import RateLimits
from treasury_actors.trading.model.stop import StopLatch, TradingState
from treasury_actors.trading.ports import Receipt

M = TypeVar("M")
R = TypeVar("R")
E = TypeVar("E")

ANN, BOB = AgentId("ann-0001"), AgentId("bob-0002")
USDC, WETH, WBTC = AssetId("USDC"), AssetId("WETH"), AssetId("WBTC")
AUSDC, WSTETH = AssetId("aUSDC"), AssetId("wstETH")
BUY_WETH, SELL_WETH = "USDC>WETH@uniswap-v3", "WETH>USDC@uniswap-v3"
STAKE, UNSTAKE = "WETH>wstETH@lido", "wstETH>WETH@uniswap-v3"
SUPPLY, WITHDRAW = "USDC>aUSDC@aave-v3", "aUSDC>USDC@aave-v3"
DOLLARS = 10**6
"""Units of USDC to a dollar."""
ETHER = 10**18
PRICES_USD = {"WETH": 2_000, "WBTC": 60_000, "LINK": 15, "ETH": 2_000}
PRICES_USD |= {"aWETH": 2_000, "wstETH": 2_500, "weETH": 2_100}
GAS_WEI_MAX = 10**15
NO_RATES = RateLimits(arena_day_micro_usd_max=10**24, arena_sends_hour_max=10**6)

LIMITS = Limits(
    trade_micro_usd_max=50_000 * DOLLARS,
    turnover_micro_usd_max=100_000 * DOLLARS,
    venue_ratio_max=1.0,
    impact_bps_max=50.0,
    trade_micro_usd_min=10 * DOLLARS,
    gas_wei_max=ETHER,
    gas_round=0,
)


def now(work: Coroutine[Any, Any, R]) -> R:
    """Run a coroutine that never has to wait; return what it returns."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # what ends a coroutine carries its R
    raise AssertionError("nothing on this desk waits")


class Direct(Ref[M]):
    """A ref whose actor handles each message the moment it is sent."""

    def __init__(self, actor: Actor[M]) -> None:
        self._actor = actor

    def tell(self, message: M) -> None:
        now(self._actor.receive(message))

    async def ask(self, message: Ask[R], *, timeout_s: float, control: bool = False) -> R:
        return await self._actor.receive(message)  # type: ignore[arg-type,return-value]  # as Ref says


def frame(
    index: int,
    usd: Mapping[str, float] | None = None,
    *,
    stale: Sequence[str] = (),
    depth_usd: float = inf,
    capacity_usd: float = inf,
    l1_gas_gwei: float = 10.0,
) -> MarketFrame:
    """Return a frame at the usual prices but for those given; 0 means never known."""
    prices: dict[str, float] = {asset.id: PRICES_USD.get(asset.id, 1.0) for asset in MAINNET.assets}
    prices |= usd or {}
    count = len(MAINNET.conversions)
    return MarketFrame(
        index=index,
        time_ns=index * HOUR_NS,
        ticks=tuple(round(prices[asset.id] * 10**asset.tick_exponent) for asset in MAINNET.assets),
        fresh=tuple(asset.id not in stale and prices[asset.id] > 0 for asset in MAINNET.assets),
        rates=tuple(0.0 for _ in MAINNET.assets),
        share_prices=tuple(1.0 for _ in MAINNET.assets),
        depth_usd=(depth_usd,) * count,
        capacity_usd=(capacity_usd,) * count,
        l1_gas_gwei=l1_gas_gwei,
        tbill_rate=0.05,
    )


def order(
    turn: int,
    *path: str,
    units: int,
    number: int = 0,
    agent: AgentId = ANN,
    placed_by: Literal["agent", "guardian"] = "agent",
    reduce_only: bool = False,
) -> Order:
    """Return an order with the id it must have."""
    return Order(
        order_id=order_id(agent, turn, number),
        agent=agent,
        turn=turn,
        number=number,
        path=tuple(ConversionId(step) for step in path),
        units=units,
        placed_by=placed_by,
        reduce_only=reduce_only,
        reason="test",
    )


def mandate(agent: AgentId = ANN, status: MandateStatus = "active", limits: Limits = LIMITS) -> Mandate:
    """Return a mandate with wide limits."""
    return Mandate(agent=agent, stage="sim", status=status, due_units=0, limits=limits)


class SlowVenue(SimulatedVenue):
    """A venue that keeps its receipts back while told to, as a chain may."""

    keeps_back = False

    async def collect(self, frame: MarketFrame) -> list[Receipt]:
        """Return nothing, or what the simulated venue returns."""
        return [] if self.keeps_back else await super().collect(frame)


class Desk:
    """Engine, guardian, ledger, venue and journal, and the state they share."""

    def __init__(
        self,
        *mandates: Mandate,
        gas_wei: int = ETHER,
        chain: ChainProfile = CHAINS["base"],
        policy: GuardPolicy | None = None,
        rates: RateLimits = NO_RATES,
    ) -> None:
        self.rates = rates
        self.clock = VirtualClock()
        self.journal = MemoryJournal()
        self.book = Book(asset.id for asset in MAINNET.assets)
        self.ledger = Ledger(book=self.book, journal=self.journal, clock=self.clock)
        self.latch = StopLatch()
        self.open_orders = OpenOrders()
        self.marks = Marks()
        self.chain = chain
        self.turnover = Turnover()
        self.budgets = GasBudgets()
        self.start_engine(mandates or (mandate(),))
        self.guardian = Guardian(
            universe=MAINNET,
            ledger=Direct(self.ledger),
            engine=Direct(self.engine),
            policy=policy or GuardPolicy(),
            marks=self.marks,
            mandates=mandates or (mandate(),),
        )
        now(self.guardian.started())
        self._deposits = 0
        if gas_wei:
            self.fund(GAS, MAINNET.gas, gas_wei)

    def start_engine(self, mandates: Sequence[Mandate]) -> None:
        """Start an engine, with a venue that knows nothing yet, on the state there is."""
        self.venue = SlowVenue(universe=MAINNET, chain=self.chain)
        self.engine = TradingEngine(
            universe=MAINNET,
            ledger=Direct(self.ledger),
            journal=self.journal,
            clock=self.clock,
            venue=self.venue,
            latch=self.latch,
            turnover=self.turnover,
            budgets=self.budgets,
            open_orders=self.open_orders,
            mandates=mandates,
            gas_wei_max=GAS_WEI_MAX,
            rates=self.rates,
        )
        now(self.engine.started())

    def fund(self, account: AccountId, asset: AssetId, units: int) -> None:
        """Deposit into any account."""
        self._deposits += 1
        message = Deposit(
            entry_id=EntryId(f"deposit/{self._deposits}"),
            account=account,
            asset=asset,
            units=units,
            reason="test",
        )
        assert isinstance(now(self.ledger.receive(message)), EntryPosted)

    def give(self, agent: AgentId, asset: AssetId, units: int) -> None:
        """Deposit into what an agent may spend, as capital that the guardian hears of."""
        self.fund(available(agent), asset, units)
        now(self.guardian.receive(CapitalMoved(agent=agent, micro_usd=0)))

    def open(self, market: MarketFrame) -> TurnOpened:
        """Open a turn: receipts are settled."""
        self.clock.advance_to(market.time_ns)
        opened = now(self.engine.receive(OpenTurn(frame=market)))
        assert isinstance(opened, TurnOpened)
        return opened

    def submit(self, *orders: Order) -> None:
        """Submit orders of any agents."""
        for each in orders:
            now(self.engine.receive(SubmitOrders(agent=each.agent, orders=(each,))))

    def close(self, turn: int) -> TurnClosed:
        """Close a turn: orders are taken."""
        closed = now(self.engine.receive(CloseTurn(turn=turn)))
        assert isinstance(closed, TurnClosed)
        return closed

    def turn(self, market: MarketFrame, *orders: Order) -> TurnClosed:
        """Play a turn without guardian."""
        self.open(market)
        self.submit(*orders)
        return self.close(market.index)

    def watched_turn(self, market: MarketFrame, *orders: Order) -> Watched:
        """Play a turn with the guardian's look at it."""
        opened = self.open(market)
        watched = now(self.guardian.receive(Watch(frame=market, touched=opened.touched)))
        assert isinstance(watched, Watched)
        self.submit(*orders)
        self.close(market.index)
        return watched

    def set_mandate(self, given: Mandate) -> None:
        """Hold engine and guardian to a mandate."""
        now(self.engine.receive(SetMandates(mandates=(given,))))
        now(self.guardian.receive(Guard(mandates=(given,))))

    def change(self, state: TradingState, by: str = "operator") -> TradingState:
        """Stop, reduce or resume; return what then holds."""
        message = ChangeTradingState(state=state, by=by, reason="a test says so")
        assert now(self.engine.receive(message)) == self.latch.state
        return self.latch.state

    def events(self, kind: type[E], where: Callable[[E], bool] = lambda _: True) -> list[E]:
        """Return the journalled events of a kind, in order."""
        events = [recorded.event for recorded in self.journal.read()]
        return [event for event in events if isinstance(event, kind) and where(event)]

    def units(self, account: AccountId, asset: AssetId) -> int:
        """Return a balance."""
        return self.book.units(account, asset)

    @property
    def refusals(self) -> list[str]:
        """Reasons of all refused orders, in order."""
        return [event.reason.value for event in self.events(OrderRefused)]

    @property
    def endings(self) -> list[str]:
        """Reasons of all orders that ended without a further fill, in order."""
        return [event.reason.value for event in self.events(OrderEnded)]

    @property
    def fills(self) -> list[OrderFilled]:
        """All fills, in order."""
        return self.events(OrderFilled)
