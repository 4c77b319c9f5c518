"""Injected crashes: an agent that dies when told, to see what becomes of its siblings and its capital."""

from dataclasses import dataclass

from treasury_actors.actors.actor import Actor
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.agents.messages import AgentMessage
from treasury_actors.ids import AgentId


class InjectedCrash(Exception):
    """What a sabotaged agent dies of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """
    Who crashes, and when.

    Attributes:
        kill: agent and the one season frame it dies at.
        crash: the agent that dies at every frame.
    """

    kill: tuple[AgentId, int] | None = None
    crash: AgentId | None = None

    def wrap(self, spec: AgentSpec, agent: Actor[AgentMessage]) -> Actor[AgentMessage]:
        """Return the agent, sabotaged if it is meant."""
        if spec.agent == self.crash:
            return Sabotaged(agent, frame=None)
        if self.kill is not None and spec.agent == self.kill[0]:
            return Sabotaged(agent, frame=self.kill[1])
        return agent


class Sabotaged(Actor[AgentMessage]):
    """An agent that raises at one frame, or at every one."""

    def __init__(self, agent: Actor[AgentMessage], *, frame: int | None) -> None:
        self._agent = agent
        self._frame = frame

    async def started(self) -> None:
        """Start what is wrapped."""
        await self._agent.started()

    async def receive(self, message: AgentMessage) -> object:
        """Crash, or let the agent decide."""
        if self._frame is None or message.frame.index == self._frame:
            raise InjectedCrash(f"injected at frame {message.frame.index}")
        return await self._agent.receive(message)

    async def stopped(self) -> None:
        """Stop what is wrapped."""
        await self._agent.stopped()
