"""
Plays short runs, each in a process forked from this one, which imported everything once.

    python -m tests.integration.kills.host        one JSON order a line on stdin; two lines on stdout for each

The first line is the pid of the run's process, the second what `Ended` in `sweep` is made of.
"""

import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from types import FrameType

import anyio

from tests.unit.daemon.driver import small_run
from treasury_actors.clock import WallClock
from treasury_actors.daemon.process import serve
from treasury_actors.errors import TreasuryError
from treasury_actors.journal.reader import open_readonly
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.run import JOURNAL_NAME

_WRITES = frozenset(
    {
        *("execute", "executemany", "executescript", "commit", "close"),  # of a connection to SQLite
        *("write", "pwrite", "fsync", "ftruncate", "replace", "rename", "unlink", "mkdir"),  # of the system
        *("send", "sendto", "sendmsg", "bind", "listen"),  # of a socket
    }
)
_WRITERS = frozenset({"posix", "Connection", "socket"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    What to play.

    Attributes:
        durable: as if its money were real: every commit is synced.
        held: its process stands still until it gets a SIGCONT.
        counted: count the boundaries of its own writes.
        kill_at: at which of them it kills itself, from 1; 0 for never.
        files_max: how many descriptors it may have; 0 for as many as we.
        file_bytes_max: how long a file may get; 0 for as long as there is room.
        memory_kb_max: how much more address space it may take than it was forked with; 0 for any.
        hungry_at: after which turn it takes all that is left of that, but for a few pages; 0 for never.
    """

    folder: str
    seed: int = 7
    days: int = 1
    agents: int = 8
    durable: bool = True
    held: bool = False
    counted: bool = False
    kill_at: int = 0
    files_max: int = 0
    file_bytes_max: int = 0
    memory_kb_max: int = 0
    hungry_at: int = 0

    def line(self) -> str:
        """Return the order as the host reads it."""
        return json.dumps(asdict(self)) + "\n"


class _Counter:
    """Counts, by the interpreter's own profiling hook, the calls that write; dies at one of them."""

    def __init__(self, kill_at: int) -> None:
        self.seen = 0
        self._kill_at = kill_at
        self._lock = threading.Lock()

    def install(self) -> None:
        threading.setprofile(self)
        sys.setprofile(self)

    def __call__(self, frame: FrameType, event: str, function: object) -> None:
        """Count a boundary before and after each call of C that writes."""
        if event not in {"c_call", "c_return"} or getattr(function, "__name__", "") not in _WRITES:
            return
        owner = getattr(function, "__self__", None)
        if getattr(owner, "__name__", type(owner).__name__) not in _WRITERS:
            return
        with self._lock:
            self.seen += 1
            if self.seen == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)


@cache
def _prepared(seed: int, days: int, agents: int, *, durable: bool) -> Prepared:
    """Return a run; a durable one bears another label, as if its money were real."""
    prepared = small_run(seed=seed, days=days, agents=agents)
    if not durable:
        return prepared
    return replace(prepared, manifest=replace(prepared.manifest, label="PROVING"))


def play(order: Order, told: Callable[[str], None]) -> int:
    """Play the run of an order in this process; return its exit code."""
    folder = Path(order.folder)
    counter = _Counter(order.kill_at)
    acknowledged = 0
    taken: list[bytearray] = []

    def see(frame: int, frames: int, living: int) -> None:
        nonlocal acknowledged
        with open_readonly(folder / JOURNAL_NAME) as reader:
            last = reader.last()
        acknowledged = last.seq if last else 0
        told(f"acknowledged {acknowledged}\n")
        if order.hungry_at == frame:
            taken.extend(_all_memory())

    async def play_it() -> None:
        prepared = _prepared(order.seed, order.days, order.agents, durable=order.durable)
        await serve(prepared, folder, clock=WallClock(), speed_x=None, until_end=True, progress=see)

    if order.counted or order.kill_at:
        counter.install()
    try:
        anyio.run(play_it)
    except TreasuryError as error:
        told(f"error {type(error).__name__}: {error}\n")
        return error.exit_code
    finally:
        sys.setprofile(None)
        told(f"writes {counter.seen}\n")
    return 0


def _fork(order: Order) -> tuple[int, int]:
    """Start a child that plays the order; return its pid and where it tells what it saw."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    os.close(reading)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nowhere, handle)
    if order.held:
        os.kill(os.getpid(), signal.SIGSTOP)
    _limit(order)
    code = 99
    try:
        code = play(order, lambda line: _tell(writing, line))
    finally:
        os._exit(code)


def _limit(order: Order) -> None:
    """Take away what the order says the process has not got."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    if order.files_max:
        resource.setrlimit(resource.RLIMIT_NOFILE, (order.files_max, order.files_max))
    if order.file_bytes_max:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.file_bytes_max, order.file_bytes_max))
    if order.memory_kb_max:
        has = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        most = has + order.memory_kb_max * 1_024
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _all_memory() -> Iterator[bytearray]:
    """Yield what the system still gives, in ever smaller pieces."""
    for size in (2**24, 2**20, 2**16, 2**12):
        with suppress(MemoryError):
            while True:
                yield bytearray(size)


def _tell(handle: int, line: str) -> None:
    os.writev(handle, [line.encode()])  # no call that a sweep kills at, or that a fault is put into


def main() -> None:
    """Serve orders until stdin ends."""
    for line in sys.stdin:
        order = Order(**json.loads(line))
        _prepared(order.seed, order.days, order.agents, durable=order.durable)
        pid, reading = _fork(order)
        if order.held:
            os.waitpid(pid, os.WUNTRACED)  # it stands still: who is to trace it may come
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        with open(reading, encoding="utf-8") as stream:  # noqa: PTH123 (a descriptor)
            told = stream.read().splitlines()
        _, status = os.waitpid(pid, 0)
        found = {"status": status, "acknowledged": 0, "writes": 0, "error": ""}
        for said in told:
            key, _, value = said.partition(" ")
            found[key] = value if key == "error" else int(value)
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
