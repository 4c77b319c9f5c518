"""The life of one genome with capital of its own: what agent, engine and guardian do, by plain calls."""

from treasury_actors.agents.model.checks import checked_targets
from treasury_actors.agents.model.family import Family, State
from treasury_actors.agents.model.view import View
from treasury_actors.agents.model.weights import slot_weights
from treasury_actors.ids import AgentId
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import MICRO_USD
from treasury_actors.reports.lines import liquid_ratio
from treasury_actors.settings.rules import HouseRules
from treasury_actors.simulation.account import Account, GasTank
from treasury_actors.simulation.lifeline import Course, Death, Decision, Lifeline, Refused
from treasury_actors.trading.model.guard import breach_of, exit_orders
from treasury_actors.trading.model.limits import Refusal, Turnover, check_order
from treasury_actors.trading.model.mandate import Limits, Mandate, MandateStatus
from treasury_actors.trading.model.marks import Marks
from treasury_actors.trading.model.order import Order, OrderAccepted
from treasury_actors.trading.model.planner import plan
from treasury_actors.trading.model.valuation import nav_micro_usd, stale_ratio

STRATEGY_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a strategy with a mistake in it raises."""


class Life:
    """
    A genome with an account. At every frame the driver calls `settle`, `watch`, `decide`, `submit`.

    One whose strategy fails is closed at once: the house restarts it, but a restarted agent decides on the
    frames since its last record again and fails again, until its budget is spent some turns later.

    Args:
        gas: shared with the other lives, divided among them by `limits`.
        capital_units: of the reserve asset, what it has at `frame`, the first.
        traced: keep every decision.
    """

    __slots__ = (
        "_assets",
        "_capital_micro_usd",
        "_columns",
        "_daily",
        "_death",
        "_decide",
        "_decisions",
        "_family",
        "_gas",
        "_genes",
        "_genome",
        "_mandate",
        "_marks",
        "_max_drawdown_ratio",
        "_orders",
        "_pending",
        "_refused",
        "_rules",
        "_state",
        "_traced",
        "_turnover",
        "_universe",
        "account",
        "agent",
        "nav_micro_usd",
    )

    def __init__(
        self,
        *,
        agent: AgentId,
        family: Family,
        genes: tuple[int, ...],
        universe: Universe,
        rules: HouseRules,
        limits: Limits,
        gas: GasTank,
        capital_units: int,
        frame: MarketFrame,
        traced: bool,
    ) -> None:
        self.agent = agent
        self._family = family
        self._genes = genes
        self._rules = rules
        self._universe = universe
        self._traced = traced
        self._assets = family.assets(universe)
        self._columns = tuple(universe.column[asset] for asset in self._assets)
        self._decide = family.decide
        self._genome = family.genome(*genes)
        self._state: State = family.state()
        self._gas = gas
        self.account = Account(universe=universe, chain=rules.chain, gas=gas, units=capital_units)
        self._mandate = Mandate(
            agent=agent, stage=rules.arena.stage, status="active", due_units=0, limits=limits
        )
        gas.budgets.mandated(self._mandate)
        self.nav_micro_usd = self._capital_micro_usd = self.account.nav_micro_usd(frame)
        self._marks = Marks()
        self._marks.flow(agent, self._capital_micro_usd)
        self._max_drawdown_ratio = 0.0
        self._turnover = Turnover()
        self._orders: list[Order] = []
        self._pending: list[Order] = []
        self._refused: list[Refused] = []
        self._decisions: list[Decision] = []
        self._daily: list[int] = []
        self._death: Death | None = None

    def __repr__(self) -> str:
        return f"<Life {self.agent}, {self._mandate.status}>"

    @property
    def is_active(self) -> bool:
        """Whether it still decides."""
        return self._mandate.status == "active"

    @property
    def limits(self) -> Limits:
        """What it may do until the next round."""
        return self._mandate.limits

    def settle(self, frame: MarketFrame) -> None:
        """Execute what was ordered at the frame before."""
        if self._pending:
            pending, self._pending = self._pending, []
            self.account.execute(pending, frame)

    def watch(self, frame: MarketFrame) -> None:
        """Take the NAV of this frame; close the mandate on a breach, sell what a closing one holds."""
        account = self.account
        self.nav_micro_usd = account.nav_micro_usd(frame)
        mark = self._marks.nav(self.agent, self.nav_micro_usd)
        self._max_drawdown_ratio = max(self._max_drawdown_ratio, mark.drawdown_ratio)
        status = self._mandate.status
        if status == "active":
            reason = breach_of(mark, self._rules.guard)
            if reason and stale_ratio(self._universe, account.units.items(), frame) == 0.0:
                self._die(Death(frame=frame.index, reason=reason, crashed=False))
        elif status == "closing":
            self._orders = exit_orders(self._universe, self.agent, account.units, frame, self._rules.guard)
            if not self._orders and self._is_home(frame):
                self._set("closed", self._mandate.limits)

    def close_day(self) -> None:
        """Note the NAV of the frame that was watched last as that of a day."""
        self._daily.append(self.nav_micro_usd)

    def decide(self, frame: MarketFrame, features: Features, end: int) -> None:
        """Ask the strategy, which knows `end` frames, and plan what it wants."""
        weights = slot_weights(self.account.owned, self._columns, frame.ticks)
        view = View(features, self._columns, end, frame.index, weights)
        try:
            self._state, targets = self._decide(self._state, view, self._genome)
            if targets:
                checked_targets(targets, len(self._columns))
                self._orders = self._plan(frame, targets)
            if self._traced:
                self._decisions.append(
                    Decision(frame.index, tuple(self._state), tuple(targets), tuple(self._orders))
                )
        except STRATEGY_FAULTS as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            self._die(Death(frame=frame.index, reason=reason, crashed=True))

    def submit(self, frame: MarketFrame) -> None:
        """Hold the orders of this frame to their limits; those that keep them are executed at the next."""
        if not self._orders:
            return
        orders, self._orders = self._orders, []
        for order in orders:
            verdict = check_order(
                universe=self._universe,
                order=order,
                mandate=self._mandate,
                holdings=self.account.units,
                turnover_micro_usd=self._turnover.micro_usd(self.agent, frame.index),
                gas_left_wei=self._gas.budgets.left_wei(self.agent),
                frame=frame,
            )
            if isinstance(verdict, Refusal):
                self._refused.append(Refused(order, verdict.reason, verdict.detail))
                continue
            if not order.reduce_only:
                self._turnover.add(OrderAccepted(order=order, value_micro_usd=verdict))
            self._pending.append(order)
        self._pending = self.account.release(self._pending)

    def limit(self, limits: Limits) -> None:
        """Hold it to other limits from now on."""
        self._set(self._mandate.status, limits)

    def lifeline(self, frame: MarketFrame) -> Lifeline:
        """Return all of it; `frame` is the last it was watched at."""
        course = Course(
            capital_micro_usd=self._capital_micro_usd,
            daily_nav_micro_usd=tuple(self._daily),
            nav_micro_usd=self.nav_micro_usd,
            max_drawdown_ratio=self._max_drawdown_ratio,
            liquid_24h_ratio=liquid_ratio(self._universe, self.account.units, frame),
        )
        return Lifeline(
            agent=self.agent,
            family=self._family.id,
            genes=self._genes,
            course=course,
            units=tuple(sorted(self.account.units.items())),
            fills=tuple(self.account.fills),
            refused=tuple(self._refused),
            decisions=tuple(self._decisions),
            death=self._death,
        )

    def _plan(self, frame: MarketFrame, targets: list[float]) -> list[Order]:
        """Return the orders that bring the holdings to `targets`."""
        return plan(
            universe=self._universe,
            frame=frame,
            agent=self.agent,
            units=self.account.units,
            targets=dict(zip(self._assets, targets, strict=True)),
            due_units=0,
            policy=self._rules.planner,
            trade_usd_max=self._mandate.limits.trade_micro_usd_max / MICRO_USD,
        )

    def _is_home(self, frame: MarketFrame) -> bool:
        """Say whether nothing is left to sell: the rest is the reserve asset, or dust."""
        universe = self._universe
        return all(
            asset == universe.reserve
            or nav_micro_usd(universe, [(asset, units)], frame) < self._rules.guard.dust_micro_usd
            for asset, units in self.account.units.items()
        )

    def _die(self, death: Death) -> None:
        """Decide no more; what is held is sold from the next frame on."""
        self._death = death
        self._orders = []
        self._set("closing", self._mandate.limits)

    def _set(self, status: MandateStatus, limits: Limits) -> None:
        """Replace the mandate."""
        self._mandate = Mandate(
            agent=self.agent, stage=self._mandate.stage, status=status, due_units=0, limits=limits
        )
        self._gas.budgets.mandated(self._mandate)
