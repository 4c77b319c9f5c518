"""The engine's hand on `treasury:gas`: what a transaction may burn, and who pays for what it burnt."""

from collections.abc import Iterable

from treasury_actors.actors.ref import Ref
from treasury_actors.ids import AgentId
from treasury_actors.ledger.messages import AccountBalances, LedgerMessage, Statement
from treasury_actors.ledger.model import GAS, GAS_BURNT, Posting, available, transfer
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.books import ASK_TIMEOUT_S
from treasury_actors.trading.model.gas import GasBudgets
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.order import Order
from treasury_actors.trading.model.settlement import charge_gas


class GasAccount:
    """
    Budgets, and the account they are shares of.

    Args:
        policy_wei: what no transaction may cost more than.
    """

    def __init__(
        self, *, universe: Universe, ledger: Ref[LedgerMessage], budgets: GasBudgets, policy_wei: int
    ) -> None:
        self._universe = universe
        self._ledger = ledger
        self._budgets = budgets
        self._policy_wei = policy_wei

    def __repr__(self) -> str:
        return f"<GasAccount {self._budgets!r}>"

    def mandated(self, mandates: Iterable[Mandate]) -> None:
        """Hold agents to the budgets of their mandates."""
        for mandate in mandates:
            self._budgets.mandated(mandate)

    def left_wei(self, agent: AgentId) -> int:
        """Return what is left of an agent's budget."""
        return self._budgets.left_wei(agent)

    async def cap_wei(self, order: Order) -> int:
        """Return the most that the order's next transaction may burn; 0 if there is none (I19)."""
        balance_wei = await self._balance_wei()
        return self._budgets.cap_wei(order, balance_wei=balance_wei, policy_wei=self._policy_wei)

    async def divisible_wei(self) -> int:
        """Return what a round may divide."""
        return self._budgets.divisible_wei(await self._balance_wei())

    def promise(self, agent: AgentId, wei: int) -> None:
        """Set aside what an agent's ticket may burn."""
        self._budgets.promise(agent, wei)

    def burn(self, agent: AgentId, wei: int) -> None:
        """Count what it burnt, 0 if nothing."""
        self._budgets.burn(agent, wei)

    async def charge(
        self, agent: AgentId, gas_wei: int, income_units: int, frame: MarketFrame
    ) -> tuple[list[Posting], int]:
        """
        Return the postings of a gas fee, and what the agent is charged for it in micro-dollars.

        The fee leaves `treasury:gas`; the agent pays its value in the reserve asset, rounded up, from what
        it has and what the same entry brings it. What it lacks the treasury bears: an exit is never refused
        because the agent has no cash.
        """
        if gas_wei == 0:
            return [], 0
        reserve = self._universe.reserve
        statement = await self._ledger.ask(Statement(agent=agent), timeout_s=ASK_TIMEOUT_S)
        purse = statement.available.get(reserve, 0) + income_units
        charge = charge_gas(self._universe, gas_wei, purse, frame)
        postings = [*transfer(GAS, GAS_BURNT, self._universe.gas, gas_wei)]
        if charge.paid_units:
            postings += transfer(available(agent), GAS, reserve, charge.paid_units)
        return postings, charge.micro_usd

    async def _balance_wei(self) -> int:
        balances = await self._ledger.ask(AccountBalances(account=GAS), timeout_s=ASK_TIMEOUT_S)
        return balances.get(self._universe.gas, 0)
