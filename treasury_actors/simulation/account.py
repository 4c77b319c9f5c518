"""What one genome owns while it is evaluated: what ledger, engine and venue do, by plain calls."""

from treasury_actors.agents.model.weights import Owned, owned_columns
from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.simulation.lifeline import Fill
from treasury_actors.trading.model.costs import ChainProfile
from treasury_actors.trading.model.order import Order
from treasury_actors.trading.model.settlement import Done, charge_gas, execute
from treasury_actors.trading.model.valuation import nav_micro_usd


class Account:
    """
    Units by asset, moved as the ledger would post them.

    Even the order of the assets in `units` is the ledger's (an asset that is gone comes back last), because
    sizes are sums of floats over it.

    Attributes:
        units: what is owned, by asset; nobody else changes it.
        owned: the same, as weights want it.
        gas_wei: gas burnt so far, from the treasury.
        gas_paid_units: what was paid for that, in units of the reserve asset.
    """

    __slots__ = (
        "_chain",
        "_gas_wei_max",
        "_universe",
        "fills",
        "gas_paid_units",
        "gas_wei",
        "owned",
        "units",
    )

    def __init__(self, *, universe: Universe, chain: ChainProfile, gas_wei_max: int, units: int) -> None:
        self._universe = universe
        self._chain = chain
        self._gas_wei_max = gas_wei_max
        self.units: dict[AssetId, int] = {universe.reserve: units} if units else {}
        self.owned: list[Owned] = owned_columns(universe, self.units)
        self.fills: list[Fill] = []
        self.gas_wei = 0
        self.gas_paid_units = 0

    def __repr__(self) -> str:
        return f"<Account {dict(sorted(self.units.items()))}>"

    def nav_micro_usd(self, frame: MarketFrame) -> int:
        """Return what everything is worth at this frame."""
        return nav_micro_usd(self._universe, self.units.items(), frame)

    def execute(self, orders: list[Order], frame: MarketFrame) -> None:
        """Execute orders one after the other, each from what those before it have left."""
        for order in orders:
            self._execute_one(order, frame)
        self.owned = owned_columns(self._universe, self.units)

    def _execute_one(self, order: Order, frame: MarketFrame) -> None:
        """Walk an order's path, each hop from the actual fill; what is left over stays where it is."""
        path = [self._universe.conversion_by_id[step] for step in order.path]
        units = min(order.units, self.units.get(path[0].source, 0))
        if units <= 0:
            return
        self._move(path[0].source, -units)
        for hop, step in enumerate(path, start=1):
            outcome = execute(
                self._universe, step, units, frame, chain=self._chain, gas_wei_max=self._gas_wei_max
            )
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
        self.gas_wei += done.gas_wei
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
