"""A run that lives in this process while a test operates it."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from tests.unit.daemon.driver import Folded, play
from treasury_actors.daemon.chain_run import ALONE, Outside
from treasury_actors.daemon.live_run import RunEnd
from treasury_actors.simulation.plan import Prepared

SLOW_X = 3_600.0 * 20  # a frame each 50 ms


@dataclass
class Living:
    """A run that lives while a test operates it."""

    turn: int = 0
    end: RunEnd | None = None
    turned: anyio.Event = field(default_factory=anyio.Event)

    def progress(self, frame: int, frames: int, living: int) -> None:
        self.turn = frame
        self.turned.set()

    async def reach(self, turn: int) -> None:
        """Wait until so many frames were played."""
        while self.turn < turn:
            await self.turned.wait()
            self.turned = anyio.Event()


@asynccontextmanager
async def living(
    prepared: Prepared,
    folder: Path,
    *,
    speed_x: float | None = SLOW_X,
    leave: bool = True,
    outside: Outside = ALONE,
) -> AsyncIterator[Living]:
    """Play a run while the body runs; then tell it to leave, by a signal as anyone would."""
    run = Living()

    async def live() -> None:
        run.end = await play(prepared, folder, speed_x=speed_x, progress=run.progress, outside=outside)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(live)
        await run.reach(1)
        yield run
        if leave:
            signal.raise_signal(signal.SIGTERM)


def state(status: dict[str, object]) -> str:
    """Return the trading state of a status."""
    trading = status["trading"]
    assert isinstance(trading, dict)
    return str(trading["state"])


def count(journal: Folded, type_: str) -> int:
    """Count the events of a type."""
    return sum(found == type_ for found in journal.types)
