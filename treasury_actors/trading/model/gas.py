"""What of `treasury:gas` each mandate may burn until the next round, and what it has burnt. Pure."""

from dataclasses import dataclass

from treasury_actors.ids import AgentId
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.order import Order


@dataclass(slots=True)
class _Purse:
    """
    The gas of one mandate.

    Attributes:
        budget_wei: for the round of this number; never changed within it but to nothing.
        out_wei: the fee cap of its ticket at a venue, sent in round `out_round`; 0 if it has none there.
    """

    round: int
    budget_wei: int
    is_active: bool = True
    spent_wei: int = 0
    out_wei: int = 0
    out_round: int = 0

    @property
    def left_wei(self) -> int:
        """What is left of the budget; an exit may have burnt more than that."""
        return max(0, self.budget_wei - self.spent_wei)

    @property
    def reserved_wei(self) -> int:
        """What it may still burn. A ticket of an earlier round is not paid from this round's budget."""
        is_own = self.out_round == self.round
        return max(self.left_wei, self.out_wei) if is_own else self.left_wei + self.out_wei


class GasBudgets:
    """
    Who may burn how much: a fold over mandates, releases, fills and ends.

    Each round divides a share of `treasury:gas` among the mandates, so until the next nobody's transaction
    hangs on what another burns (I12). The rest is for exits, so an agent can be sold whose budget is spent.
    What budgets and tickets may still burn is never more than there is (I19).
    """

    __slots__ = ("_out_wei", "_purses")

    def __init__(self) -> None:
        self._purses: dict[AgentId, _Purse] = {}
        self._out_wei = 0

    def __repr__(self) -> str:
        return f"<GasBudgets of {len(self._purses)}, {self.reserved_wei} wei reserved>"

    @property
    def reserved_wei(self) -> int:
        """What all mandates and tickets together may still burn."""
        return sum(purse.reserved_wei for purse in self._purses.values())

    def mandated(self, mandate: Mandate) -> None:
        """Take in a mandate: a new round brings a new budget, its end takes what is left."""
        limits = mandate.limits
        purse = self._purses.get(mandate.agent)
        if purse is None:
            purse = self._purses[mandate.agent] = _Purse(limits.gas_round, limits.gas_wei_max)
        elif purse.round != limits.gas_round:
            purse.round, purse.budget_wei, purse.spent_wei = limits.gas_round, limits.gas_wei_max, 0
        purse.is_active = mandate.status in {"active", "recalling"}
        if mandate.status == "closed":
            purse.budget_wei = 0

    def promise(self, agent: AgentId, wei: int) -> None:
        """Set aside the fee cap of an agent's ticket that goes to a venue now; it has no other there."""
        purse = self._purses.setdefault(agent, _Purse(0, 0))
        self._out_wei += wei - purse.out_wei
        purse.out_wei, purse.out_round = wei, purse.round

    def burn(self, agent: AgentId, wei: int) -> None:
        """Count what the agent's ticket has burnt, 0 if nothing: it is no longer at the venue."""
        purse = self._purses.setdefault(agent, _Purse(0, 0))
        if purse.out_round == purse.round:
            purse.spent_wei += wei
        self._out_wei -= purse.out_wei
        purse.out_wei = 0

    def left_wei(self, agent: AgentId) -> int:
        """Return what is left of an agent's budget."""
        purse = self._purses.get(agent)
        return 0 if purse is None else purse.left_wei

    def cap_wei(self, order: Order, *, balance_wei: int, policy_wei: int) -> int:
        """
        Return the most that the order's next transaction may burn; 0 if there is none.

        An agent burns its budget. An exit of the guardian's burns what is left of that, and then what no
        mandate was promised.

        Args:
            balance_wei: what `treasury:gas` has.
            policy_wei: what no transaction may cost more than.
        """
        own_wei = self.left_wei(order.agent)
        if order.placed_by == "guardian":
            own_wei += max(0, balance_wei - self.reserved_wei)
        return max(0, min(policy_wei, own_wei, balance_wei - self._out_wei))

    def divisible_wei(self, balance_wei: int) -> int:
        """Return what a round may divide: what no ticket at a venue and no closing mandate may still burn."""
        reserved = (p.out_wei if p.is_active else p.reserved_wei for p in self._purses.values())
        return max(0, balance_wei - sum(reserved))
