"""The guardian: watches every mandate at every frame and brings capital home, also for the dead."""

from collections.abc import Iterable
from typing import assert_never

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.ref import Ref
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.ledger.messages import LedgerMessage, Statement
from treasury_actors.ledger.model import AgentStatement
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.books import ASK_TIMEOUT_S
from treasury_actors.trading.messages import (
    Breach,
    CapitalMoved,
    EngineMessage,
    Guard,
    GuardianMessage,
    SubmitOrders,
    Watch,
    Watched,
)
from treasury_actors.trading.model.guard import GuardPolicy, breach_of, exit_orders, recall_orders
from treasury_actors.trading.model.mandate import Mandate
from treasury_actors.trading.model.marks import Marks
from treasury_actors.trading.model.valuation import nav_micro_usd, stale_ratio

Holdings = dict[AssetId, int]


class Guardian(Actor[GuardianMessage]):
    """
    The exit, a different actor from the one that decides.

    It may only reduce. A mandate over its stop-loss or drawdown is reported; one that is closing is sold,
    one conversion a holding and turn, until its accounts hold the reserve asset alone; of one that is
    recalled, as much as it has to give back.
    """

    def __init__(
        self,
        *,
        universe: Universe,
        ledger: Ref[LedgerMessage],
        engine: Ref[EngineMessage],
        policy: GuardPolicy,
        marks: Marks,
        mandates: Iterable[Mandate],
    ) -> None:
        self._universe = universe
        self._ledger = ledger
        self._engine = engine
        self._policy = policy
        self._marks = marks
        self._mandates = {mandate.agent: mandate for mandate in mandates}
        self._statements: dict[AgentId, AgentStatement] = {}
        self._owned: dict[AgentId, Holdings] = {}

    def __repr__(self) -> str:
        return f"<Guardian of {len(self._mandates)} mandates>"

    async def started(self) -> None:
        """Read the accounts of those it guards from the start."""
        for agent in self._mandates:
            await self._read(agent)

    async def receive(self, message: GuardianMessage) -> Watched | int | None:
        """Handle one message."""
        match message:
            case Watch():
                return await self._watch(message.frame, message.touched)
            case Guard():
                return await self._guard(message.mandates)
            case CapitalMoved():
                self._marks.flow(message.agent, message.micro_usd)
                await self._read(message.agent)
                return None
            case _:
                assert_never(message)

    async def _guard(self, mandates: tuple[Mandate, ...]) -> int:
        """Take over mandates; a closed one is forgotten."""
        for mandate in mandates:
            if mandate.status == "closed":
                self._mandates.pop(mandate.agent, None)
                self._statements.pop(mandate.agent, None)
                self._owned.pop(mandate.agent, None)
                self._marks.forget(mandate.agent)
            else:
                self._mandates[mandate.agent] = mandate
                await self._read(mandate.agent)
        return len(self._mandates)

    async def _read(self, agent: AgentId) -> None:
        """Read an agent's accounts again."""
        statement = await self._ledger.ask(Statement(agent=agent), timeout_s=ASK_TIMEOUT_S)
        self._statements[agent] = statement
        self._owned[agent] = statement.owned

    async def _watch(self, frame: MarketFrame, touched: tuple[AgentId, ...]) -> Watched:
        """Mark every mandate at the frame, report breaches, sell what is closing."""
        for agent in touched:
            if agent in self._mandates:
                await self._read(agent)
        breaches: list[Breach] = []
        emptied: list[AgentId] = []
        for agent, mandate in sorted(self._mandates.items()):
            owned = self._owned[agent].items()
            mark = self._marks.nav(agent, nav_micro_usd(self._universe, owned, frame))
            if mandate.status == "closing":
                self._close(self._statements[agent], frame, emptied)
                continue
            reason = breach_of(mark, self._policy)
            if reason and stale_ratio(self._universe, owned, frame) == 0.0:
                breaches.append(Breach(agent=agent, reason=reason))
            elif mandate.status == "recalling":
                self._recall(mandate, self._statements[agent], frame)
        return Watched(turn=frame.index, breaches=tuple(breaches), emptied=tuple(emptied))

    def _close(self, statement: AgentStatement, frame: MarketFrame, emptied: list[AgentId]) -> None:
        """Place exits for a closing mandate, or report that it is empty."""
        if statement.held:
            return
        agent, owned = statement.agent, statement.available
        orders = exit_orders(self._universe, agent, owned, frame, self._policy)
        if orders:
            self._engine.tell(SubmitOrders(agent=agent, orders=tuple(orders)))
        elif all(self._is_home(asset, units, frame) for asset, units in owned.items()):
            emptied.append(agent)

    def _recall(self, mandate: Mandate, statement: AgentStatement, frame: MarketFrame) -> None:
        """Place exits for what a mandate has to give back and has no cash for."""
        if statement.held:
            return
        agent, owned = mandate.agent, statement.available
        orders = recall_orders(self._universe, agent, owned, frame, self._policy, due_units=mandate.due_units)
        if orders:
            self._engine.tell(SubmitOrders(agent=agent, orders=tuple(orders)))

    def _is_home(self, asset: AssetId, units: int, frame: MarketFrame) -> bool:
        """Say whether a holding needs no exit: it is the reserve asset, or dust."""
        if asset == self._universe.reserve:
            return True
        return nav_micro_usd(self._universe, [(asset, units)], frame) < self._policy.dust_micro_usd
