"""Agents that fall where they are told to: they raise, or never answer."""

from collections.abc import Callable

import anyio

from treasury_actors.actors.actor import Actor
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.agents.messages import AgentMessage
from treasury_actors.wiring.house import WrapAgent

VICTIM = "risk_parity-0006"
"""One that holds positions from its second day on."""


class Falling(Actor[AgentMessage]):
    """An agent that does something else instead of deciding, at some frames."""

    def __init__(
        self, agent: Actor[AgentMessage], at: Callable[[int], bool], act: Callable[[], object]
    ) -> None:
        self._agent = agent
        self._at = at
        self._act = act

    async def started(self) -> None:
        await self._agent.started()

    async def receive(self, message: AgentMessage) -> object:
        if self._at(message.frame.index):
            self._act()
            await anyio.sleep_forever()
        return await self._agent.receive(message)

    async def stopped(self) -> None:
        await self._agent.stopped()


def fall() -> None:
    raise RuntimeError("injected")


def hang() -> None:
    """Do nothing, and never answer."""


def falling(
    at: Callable[[int], bool],
    *,
    who: Callable[[str], bool] = lambda agent: agent == VICTIM,
    act: Callable[[], object] = fall,
) -> WrapAgent:
    def wrap(spec: AgentSpec, agent: Actor[AgentMessage]) -> Actor[AgentMessage]:
        return Falling(agent, at, act) if who(spec.agent) else agent

    return wrap
