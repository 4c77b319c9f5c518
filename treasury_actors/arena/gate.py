"""The gate of a turn: opens when every living agent has decided or is known to be down."""

import anyio

from treasury_actors.agents.messages import Decided
from treasury_actors.ids import AgentId


class TurnGate:
    """
    Waits for the agents of one turn.

    Agents tell it `Decided`; the supervisor's news of a crash counts as an answer. Late answers to an
    earlier turn are dropped.
    """

    __slots__ = ("_decided", "_opened", "_turn", "_waiting")

    def __init__(self) -> None:
        self._turn = -1
        self._waiting: dict[AgentId, None] = {}
        self._decided: dict[AgentId, Decided] = {}
        self._opened = anyio.Event()

    def __repr__(self) -> str:
        return f"<TurnGate turn {self._turn}, {len(self._waiting)} not decided>"

    def close(self, turn: int, agents: list[AgentId]) -> None:
        """Close the gate for a turn until all these agents have answered."""
        self._turn = turn
        self._waiting = dict.fromkeys(agents)
        self._decided = {}
        self._opened = anyio.Event()
        self._open_if_done()

    def tell(self, message: Decided) -> None:
        """Take an agent's answer."""
        if message.turn == self._turn and message.agent in self._waiting:
            del self._waiting[message.agent]
            self._decided[message.agent] = message
            self._open_if_done()

    def down(self, agent: AgentId) -> None:
        """Count a crash as an answer: the agent gives no other this turn."""
        if self._waiting.pop(agent, agent) is None:
            self._open_if_done()

    async def opened(self) -> list[Decided]:
        """Wait for the gate; return the decisions in agent order."""
        await self._opened.wait()
        return [self._decided[agent] for agent in sorted(self._decided)]

    def _open_if_done(self) -> None:
        if not self._waiting:
            self._opened.set()
