"""What one genome owns while it is evaluated: what ledger, engine and venue do, by plain calls."""

from treasury_actors.agents.model.weights import Owned, owned_columns
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.simulation.lifeline import Fill
from treasury_actors.trading.model.costs import ChainProfile
from treasury_actors.trading.model.gas import GasBudgets
from treasury_actors.trading.model.order import Order
from treasury_actors.trading.model.settlement import Done, charge_gas, execute
from treasury_actors.trading.model.valuation import nav_micro_usd


class GasTank:
    """
    The gas that everybody burns from: what engine and ledger know of it, by plain calls.

    Attributes:
        budgets: what each may burn; `wei`: what is there.
    """

    __slots__ = ("_policy_wei", "budgets", "wei")

    def __init__(self, *, wei: int, policy_wei: int) -> None:
        self.budgets = GasBudgets()
        self.wei = wei
        self._policy_wei = policy_wei

    def __repr__(self) -> str:
        return f"<GasTank {self.wei} wei, {self.budgets!r}>"

    def promise(self, order: Order) -> int:
        """Set aside the gas of an order's next transaction; return its fee cap, 0 if there is none."""
        cap_wei = self.budgets.cap_wei(order, balance_wei=self.wei, policy_wei=self._policy_wei)
        if cap_wei:
            self.budgets.promise(order.agent, cap_wei)
        return cap_wei

    def burn(self, agent: AgentId, wei: int) -> None:
        """Burn what a transaction cost, 0 if there was none after all."""
        self.budgets.burn(agent, wei)
        self.wei -= wei


class Account:
    """
    Units by asset, moved as the ledger would post them.

    Even the order of the assets in `units` is the ledger's (an asset that is gone comes back last), because
    sizes are sums of floats over it.

    Attributes:
        units: what is owned, by asset; nobody else changes it.
        owned: the same, as weights want it.
        gas_paid_units: what was paid for that, in units of the reserve asset.
    """

    __slots__ = (
        "_cap_wei",
        "_chain",
        "_gas",
        "_universe",
        "fills",
        "gas_paid_units",
        "owned",
        "units",
    )

    def __init__(self, *, universe: Universe, chain: ChainProfile, gas: GasTank, units: int) -> None:
        self._universe = universe
        self._chain = chain
        self._gas = gas
        self._cap_wei = 0
        self.units: dict[AssetId, int] = {universe.reserve: units} if units else {}
        self.owned: list[Owned] = owned_columns(universe, self.units)
        self.fills: list[Fill] = []
        self.gas_paid_units = 0

    def __repr__(self) -> str:
        return f"<Account {dict(sorted(self.units.items()))}>"

    def nav_micro_usd(self, frame: MarketFrame) -> int:
        """Return what everything is worth at this frame."""
        return nav_micro_usd(self._universe, self.units.items(), frame)

    def release(self, orders: list[Order]) -> list[Order]:
        """Send the first order there is something for; return it and those that wait for it to end."""
        while orders and not (self._gives(orders[0]) and self._promise(orders[0])):
            orders = orders[1:]
        return orders

    def execute(self, orders: list[Order], frame: MarketFrame) -> None:
        """Execute released orders one after the other, each from what those before it have left."""
        for place, order in enumerate(orders):
            if self._gives(order) and (place == 0 or self._promise(order)):
                self._execute_one(order, frame)
        self.owned = owned_columns(self._universe, self.units)

    def _gives(self, order: Order) -> int:
        """Return what an order can take of what there is."""
        source = self._universe.conversion_by_id[order.path[0]].source
        return max(0, min(order.units, self.units.get(source, 0)))

    def _promise(self, order: Order) -> int:
        """Set aside gas for the order's next hop."""
        self._cap_wei = self._gas.promise(order)
        return self._cap_wei

    def _execute_one(self, order: Order, frame: MarketFrame) -> None:
        """Walk an order's path, each hop from the actual fill; what is left over stays where it is."""
        path = [self._universe.conversion_by_id[step] for step in order.path]
        units = self._gives(order)
        self._move(path[0].source, -units)
        for hop, step in enumerate(path, start=1):
            if hop > 1 and not self._promise(order):
                self._move(step.source, units)
                return
            outcome = execute(
                self._universe, step, units, frame, chain=self._chain, gas_wei_max=self._cap_wei
            )
            self._gas.burn(order.agent, outcome.gas_wei if isinstance(outcome, Done) else 0)
            if not isinstance(outcome, Done):
                self._move(step.source, units)
                return
            self._settle(step, units, outcome, frame, last=hop == len(path))
            units = outcome.quote.taken_units

    def _settle(self, step: Conversion, units: int, done: Done, frame: MarketFrame, *, last: bool) -> None:
        """Take in what one hop brought, what it left over, and what its gas costs."""
        universe, bought = self._universe, done.quote
        purse = self.units.get(universe.reserve, 0)
        if last and step.target == universe.reserve:
            purse += bought.taken_units
        charge = charge_gas(universe, done.gas_wei, purse, frame)
        if last:
            self._move(step.target, bought.taken_units)
        self._move(step.source, units - bought.given_units)
        self._move(universe.reserve, -charge.paid_units)
        self.gas_paid_units += charge.paid_units
        self.fills.append(
            Fill(
                frame=frame.index,
                conversion=step.id,
                given_units=bought.given_units,
                taken_units=bought.taken_units,
                value_micro_usd=bought.value_micro_usd,
                fee_micro_usd=bought.fee_micro_usd,
                impact_micro_usd=bought.impact_micro_usd,
                gas_micro_usd=charge.micro_usd,
                partial=bought.partial,
                last=last,
            )
        )

    def _move(self, asset: AssetId, units: int) -> None:
        """Post a change of one asset; what is gone is forgotten, as in the ledger."""
        if units == 0:
            return
        after = self.units.get(asset, 0) + units
        assert after >= 0, "I3: nobody can spend what they don't own"
        if after:
            self.units[asset] = after
        else:
            del self.units[asset]
