"""
How fast actors talk, on one core. Run `python benchmarks/actors.py`; it prints one line a measurement.

- tell/s, flood: one sender deals messages to all actors in turn, 64 each, before it lets go of the loop: what
  a burst costs, when many messages share a switch of task.
- tell/s, frames: each actor gets one message, all answer to one collector, then the next round: what a frame
  costs, when every message wakes a sleeper. Both directions are counted.
- ask p50: one asker, one actor, one ask after another, each with its timeout.

Deadlines, guard and patrol are on, as in production. The best of three runs is printed.
"""

import statistics
import time
from dataclasses import dataclass

import anyio
from anyio import lowlevel

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.child import ChildSpec
from treasury_actors.actors.events import SupervisionEvent
from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.actors.ref import Ref
from treasury_actors.actors.supervisor import Supervisor
from treasury_actors.clock import WallClock
from treasury_actors.message import Ask

MESSAGES = 400_000
BURST = 64
ASKS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A message that says next to nothing."""

    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Ask[int]):
    """Say how many ticks were read."""


class Counter(Actor[Tick | Count]):
    """Counts; hands each tick on if it was told to whom."""

    def __init__(self, upward: Ref[Tick] | None = None) -> None:
        self.count = 0
        self.upward = upward

    async def receive(self, message: Tick | Count) -> object:
        """Count a tick, or answer how many there were."""
        if isinstance(message, Count):
            return self.count
        self.count += 1
        if self.upward is not None:
            self.upward.tell(message)
        return None


class Collector(Actor[Tick]):
    """Sets `done` whenever all have answered."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.seen = 0
        self.done = anyio.Event()

    async def receive(self, message: Tick) -> None:
        """Count one answer."""
        del message
        self.seen += 1
        if self.seen == self.expected:
            self.seen = 0
            self.done.set()


def report(event: SupervisionEvent) -> None:
    """Nothing may go wrong in a benchmark."""
    raise AssertionError(event)


def supervisor() -> Supervisor:
    """Return a supervisor as in production."""
    return Supervisor(policy=SupervisionPolicy.live(), clock=WallClock(), on_event=report)


async def flood(actors: int) -> float:
    """Return tells a second when messages come in bursts."""
    async with supervisor() as house:
        refs = [
            house.start_child(ChildSpec(name=f"a{number}", make=Counter, accepts=(Tick, Count)))
            for number in range(actors)
        ]
        tick = Tick(turn=1)
        rounds = MESSAGES // (actors * BURST) + 1
        began = time.perf_counter()
        for _ in range(rounds):
            for ref in refs:
                for _ in range(BURST):
                    ref.tell(tick)
            await lowlevel.checkpoint()
        counts = [await ref.ask(Count(), timeout_s=30) for ref in refs]
        elapsed = time.perf_counter() - began
        assert sum(counts) == rounds * actors * BURST, "a message was lost"
        return sum(counts) / elapsed


async def frames(actors: int) -> float:
    """Return tells a second when every message wakes its receiver, and is answered."""
    async with supervisor() as house:
        collector = Collector(actors)
        upward = house.start_child(
            ChildSpec(name="collector", make=lambda: collector, accepts=(Tick,), mailbox_size=2 * actors)
        )
        refs = [
            house.start_child(
                ChildSpec(name=f"a{number}", make=lambda: Counter(upward), accepts=(Tick, Count))
            )
            for number in range(actors)
        ]
        rounds = MESSAGES // actors // 4
        began = time.perf_counter()
        for turn in range(rounds):
            collector.done = anyio.Event()
            tick = Tick(turn=turn)
            for ref in refs:
                ref.tell(tick)
            await collector.done.wait()
        return 2 * rounds * actors / (time.perf_counter() - began)


async def asking() -> float:
    """Return the median time of an ask, in microseconds."""
    async with supervisor() as house:
        ref = house.start_child(ChildSpec(name="a", make=Counter, accepts=(Tick, Count)))
        times = []
        for _ in range(ASKS):
            began = time.perf_counter()
            await ref.ask(Count(), timeout_s=5.0)
            times.append(time.perf_counter() - began)
        return statistics.median(times) * 1e6


def main() -> None:
    """Measure and print."""
    for actors in (50, 1_000):
        print(f"tell/s flood  {actors:>5} actors {max(anyio.run(flood, actors) for _ in range(3)):>12,.0f}")
        print(f"tell/s frames {actors:>5} actors {max(anyio.run(frames, actors) for _ in range(3)):>12,.0f}")
    print(f"ask p50 us                {min(anyio.run(asking) for _ in range(3)):>12.1f}")


if __name__ == "__main__":
    main()
