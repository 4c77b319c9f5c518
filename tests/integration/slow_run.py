"""
A small run whose agents take their time over every message, and whose deadline is short; for a process.

    python -m tests.integration.slow_run FOLDER SLICES DEADLINE_S

Every agent waits so many slices of 20 ms, one after another, before it decides: so there is always a message
in hand. Prints a line after each turn; leaves with the exit code a command would.
"""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import anyio

from tests.unit.daemon.driver import small_run
from treasury_actors.actors.actor import Actor
from treasury_actors.actors.child import ChildSpec
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.agents.messages import AgentMessage
from treasury_actors.arena import arena
from treasury_actors.clock import WallClock
from treasury_actors.daemon.process import serve
from treasury_actors.simulation.plan import Prepared

AGENTS: Final = 4
SLICE_S: Final = 0.02


class Slow(Actor[AgentMessage]):
    """An agent that takes its time."""

    def __init__(self, agent: Actor[AgentMessage], slices: int) -> None:
        self._agent = agent
        self._slices = slices

    async def started(self) -> None:
        await self._agent.started()

    async def receive(self, message: AgentMessage) -> object:
        for _ in range(self._slices):
            await anyio.sleep(SLICE_S)
        return await self._agent.receive(message)

    async def stopped(self) -> None:
        await self._agent.stopped()


def run_of(slices: int) -> Prepared:
    """Return a day's run of slow agents."""

    def wrap(spec: AgentSpec, agent: Actor[AgentMessage]) -> Actor[AgentMessage]:
        return Slow(agent, slices)

    prepared = small_run(days=1, agents=AGENTS)
    return replace(prepared, plan=replace(prepared.plan, wrap_agent=wrap))


def main() -> int:
    """Play the run of the command line."""
    folder, slices, deadline_s = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])

    def show(frame: int, frames: int, living: int) -> None:
        sys.stdout.write(f"{frame} {frames} {living}\n")
        sys.stdout.flush()

    async def play_it() -> None:
        await serve(run_of(slices), folder, clock=WallClock(), speed_x=None, until_end=True, progress=show)

    # An agent's deadline is 30 s, and a pause has to be longer than that to tell anything.
    arena.ChildSpec = partial(ChildSpec, deadline_s=deadline_s)  # type: ignore[assignment,attr-defined]
    anyio.run(play_it)
    return 0


if __name__ == "__main__":
    sys.exit(main())
