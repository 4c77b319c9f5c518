"""
How fast events are written. Run `python benchmarks/journal.py`; it prints one line a measurement.

- encode/s, decode/s: the codec alone, on an event of six fields and on an entry of four postings.
- events/s at 1, 64 and 512 to a commit: append and flush, in memory, in a file that survives a kill, and
  in one that survives a power failure (what anything live uses; the disk decides).
- read/s: a file read back, every hash and link checked.

Times are the machine's; the best of three runs is printed.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from treasury_actors.clock import WallClock
from treasury_actors.ids import AccountId, AgentId, AssetId
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.journal.codec import Units, decode, encode, event, tag_of
from treasury_actors.journal.ports import Journal
from treasury_actors.journal.verify import verify

CODEC_EVENTS = 100_000
EVENTS = 8_192
RUNS = 3


@event("benchmark.filled", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """An event of six fields."""

    agent: AgentId
    asset: AssetId
    units: Units
    frame: int
    price_usd: float
    side: Literal["buy", "sell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One leg of an entry."""

    account: AccountId
    asset: AssetId
    units: Units


@event("benchmark.posted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """An event that nests others."""

    entry: str
    postings: tuple[Posting, ...]


FILLED = Filled(
    agent=AgentId("trend-0007"),
    asset=AssetId("WETH"),
    units=3_141_592_653_589_793_238,
    frame=1_234,
    price_usd=2_718.28,
    side="buy",
)
POSTED = Posted(
    entry="trend-0007/1234/0",
    postings=tuple(
        Posting(account=AccountId("agent:trend-0007:available"), asset=AssetId("USDC"), units=sign * 10**10)
        for sign in (-1, 1, -1, 1)
    ),
)


def main() -> None:
    """Measure and print."""
    for value in (FILLED, POSTED):
        tag, text = tag_of(value), encode(value)
        print(f"encode/s {tag}: {_codec_rate(partial(encode, value)):>10,.0f}")
        print(f"decode/s {tag}: {_codec_rate(partial(decode, tag, text)):>10,.0f}")
    for name, make in (("memory", _memory), ("sqlite", _sqlite), ("sqlite, durable", _sqlite_durable)):
        for per_commit in (1, 64, 512):
            count = 512 if per_commit == 1 else EVENTS
            rate = max(asyncio.run(_write_rate(make, count, per_commit)) for _ in range(RUNS))
            print(f"events/s {name}, {per_commit} a commit: {rate:>10,.0f}")
    print(f"read/s, verified and decoded: {max(_read_rate() for _ in range(RUNS)):>10,.0f}")


def _codec_rate(call: Callable[[], object]) -> float:
    best_s = min(_seconds(call) for _ in range(RUNS))
    return CODEC_EVENTS / best_s


def _seconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    for _ in range(CODEC_EVENTS):
        call()
    return time.perf_counter() - begun


async def _memory(_: Path) -> Journal:
    return MemoryJournal()


async def _sqlite(path: Path) -> Journal:
    return await SqliteJournal.open(path, clock=WallClock(), durable=False)


async def _sqlite_durable(path: Path) -> Journal:
    return await SqliteJournal.open(path, clock=WallClock(), durable=True)


async def _write_rate(make: Callable[[Path], Awaitable[Journal]], count: int, per_commit: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        journal = await make(Path(folder) / "journal.db")
        begun = time.perf_counter()
        await _write(journal, count, per_commit)
        seconds = time.perf_counter() - begun
        await journal.close()
    return count / seconds


async def _write(journal: Journal, count: int, per_commit: int) -> None:
    for number in range(1, count + 1):
        journal.append(FILLED, stream="agent:trend-0007", time_ns=number)
        if number % per_commit == 0:
            await journal.flush()
    await journal.flush()


def _read_rate() -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        asyncio.run(_fill(path))
        begun = time.perf_counter()
        events = verify(path).events
        return events / (time.perf_counter() - begun)


async def _fill(path: Path) -> None:
    journal = await _sqlite(path)
    await _write(journal, EVENTS, 512)
    await journal.close()


if __name__ == "__main__":
    main()
