"""What befalls agents: they raise anything, hang, dawdle, flood, and order what nobody should."""

import asyncio
from collections.abc import Callable
from typing import Final

import anyio

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.ref import Ref
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.agents.messages import AgentMessage
from treasury_actors.errors import MailboxFull
from treasury_actors.evolution.model.chance import Chance
from treasury_actors.faults.kinds import KINDS
from treasury_actors.faults.plan import Plan
from treasury_actors.faults.sometimes import Sometimes
from treasury_actors.ids import AgentId, ConversionId
from treasury_actors.trading.messages import EngineMessage, SubmitOrders
from treasury_actors.trading.model.order import Order, order_id


class InjectedCrash(Exception):
    """What an agent dies of by plan."""


class InjectedEnd(BaseException):
    """The same, out of reach of whoever catches `Exception`."""


CAUSES: Final[tuple[Callable[[], BaseException], ...]] = (
    lambda: InjectedCrash("planned"),
    lambda: InjectedEnd("planned"),
    lambda: SystemExit("planned"),
    lambda: KeyboardInterrupt("planned"),
    lambda: asyncio.CancelledError("planned"),
    lambda: RecursionError("planned"),
    lambda: MemoryError("planned"),
    lambda: GeneratorExit("planned"),
    lambda: BaseExceptionGroup("planned", [InjectedCrash("one"), InjectedEnd("two")]),
)
"""Everything that can leave an actor's code."""

SLOW_MAX_S: Final = 20.0
_COMMON_OF: Final = 2
_FLOOD_MAX: Final = 100_000
_GUARDED_NUMBER: Final = 500


def number_of(agent: str) -> int:
    """Return the number in an agent's name."""
    return int(agent.rsplit("-", 1)[1])


def strikes(plan: Plan, kind: str, agent: str, turn: int) -> bool:
    """Say whether a fault of a kind befalls an agent in a turn."""
    return any(1 + fault.slot % plan.agents == number_of(agent) for fault in plan.at(kind, turn))


def is_common(plan: Plan, agent: str, turn: int) -> bool:
    """Say whether an agent is among those that crash together in a turn: every second one."""
    return any((number_of(agent) + fault.slot) % _COMMON_OF == 0 for fault in plan.at("common-cause", turn))


def is_planned(plan: Plan, agent: str, turn: int, cause: str) -> bool:
    """Say whether an agent may crash of a cause in a turn."""
    if strikes(plan, "agent-hang", agent, turn) and "DeadlinePassed" in cause:
        return True
    if plan.at("flood", turn) and "MailboxFull" in cause:
        return True
    crashes = strikes(plan, "agent-crash", agent, turn) or strikes(plan, "agent-loop", agent, turn)
    return (crashes or is_common(plan, agent, turn)) and "planned" in cause


class Saboteur:
    """
    Wraps agents of one process.

    Args:
        engine: asks for the engine once it is there.
        jitter: draws random delays; None: there are none.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        sometimes: Sometimes,
        jitter: Chance | None,
        engine: Callable[[], Ref[EngineMessage]],
    ) -> None:
        self.plan = plan
        self.sometimes = sometimes
        self.jitter = jitter
        self.engine = engine
        agents = [fault for fault in plan.faults if KINDS[fault.kind].where == "agent"]
        self.turns = {turn for fault in agents for turn in range(fault.turn, fault.turn + fault.turns)}

    def wrap(self, spec: AgentSpec, agent: Actor[AgentMessage]) -> Actor[AgentMessage]:
        """Return the agent with what befalls it."""
        return _Sabotaged(self, spec.agent, agent)


class _Sabotaged(Actor[AgentMessage]):
    def __init__(self, saboteur: Saboteur, name: AgentId, agent: Actor[AgentMessage]) -> None:
        self._saboteur = saboteur
        self._name = name
        self._agent = agent

    async def started(self) -> None:
        await self._agent.started()

    async def stopped(self) -> None:
        await self._agent.stopped()

    async def receive(self, message: AgentMessage) -> object:
        saboteur, plan, turn, name = self._saboteur, self._saboteur.plan, message.frame.index, self._name
        if saboteur.jitter is not None and saboteur.jitter.below(4) == 0:
            await anyio.sleep(saboteur.jitter.below(1000) / 1e3)
        if turn not in saboteur.turns:
            return await self._agent.receive(message)
        if strikes(plan, "agent-hang", name, turn):
            await anyio.sleep_forever()
        if strikes(plan, "agent-slow", name, turn):
            saboteur.sometimes.reached("agent-slow")
            await anyio.sleep(SLOW_MAX_S)
        if strikes(plan, "flood", name, turn):
            self._flood()
        if strikes(plan, "bad-orders", name, turn):
            self._order_badly(turn)
        if strikes(plan, "agent-loop", name, turn) or is_common(plan, name, turn):
            raise InjectedCrash("planned")
        for fault in plan.at("agent-crash", turn):
            if 1 + fault.slot % plan.agents == number_of(name):
                await self._crash(message, fault.number)
        return await self._agent.receive(message)

    async def _crash(self, message: AgentMessage, number: int) -> None:
        """Raise something before or after the agent has decided."""
        if number % 2:
            await self._agent.receive(message)
            self._saboteur.sometimes.reached("agent-crashed-after-deciding")
        cause = CAUSES[number // 2 % len(CAUSES)]
        raise cause()

    def _flood(self) -> None:
        """Send more than any mailbox may hold; whoever has no bound to it takes it all in."""
        engine = self._saboteur.engine()
        nothing = SubmitOrders(agent=self._name, orders=())
        try:
            for _ in range(_FLOOD_MAX):
                engine.tell(nothing)
        except MailboxFull:
            self._saboteur.sometimes.reached("mailbox-full")
            return
        raise AssertionError(f"a mailbox took in {_FLOOD_MAX} messages that nobody had read")

    def _order_badly(self, turn: int) -> None:
        """Order what must be refused, each for another reason, and one good thing twice."""
        orders = [
            self._order(turn, 0, ("USDC>GOLD@nowhere",), 10**9),
            self._order(turn, 1, ("USDC>aUSDC@aave-v3", "WETH>USDC@uniswap-v3"), 10**9),
            self._order(turn, 2, (), 10**9),
            self._order(turn, 3, ("USDC>aUSDC@aave-v3",), 0),
            self._order(turn, 4, ("USDC>aUSDC@aave-v3",), -(10**9)),
            self._order(turn, 5, ("USDC>WETH@uniswap-v3",), 10**30),
            self._order(turn - 1, 6, ("USDC>aUSDC@aave-v3",), 10**9),
            self._order(turn, 7, ("USDC>aUSDC@aave-v3",), 10**9, guardian=True),
            self._order(turn, 8, ("USDC>aUSDC@aave-v3",), 2 * 10**7),
            self._order(turn, 8, ("USDC>aUSDC@aave-v3",), 2 * 10**7),
            self._order(turn, 9, ("aUSDC>USDC@aave-v3",), 10**30, reduces=True),
        ]
        self._saboteur.engine().tell(SubmitOrders(agent=self._name, orders=tuple(orders)))

    def _order(
        self,
        turn: int,
        number: int,
        path: tuple[str, ...],
        units: int,
        *,
        guardian: bool = False,
        reduces: bool = False,
    ) -> Order:
        number += _GUARDED_NUMBER
        return Order(
            order_id=order_id(self._name, turn, number),
            agent=self._name,
            turn=turn,
            number=number,
            path=tuple(ConversionId(step) for step in path),
            units=units,
            placed_by="guardian" if guardian else "agent",
            reduce_only=reduces,
            reason="injected",
        )
