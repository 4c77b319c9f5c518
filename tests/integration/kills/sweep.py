"""
Kills a run at one boundary after another, and sees whether anything was lost or counted twice.

A boundary is the moment before a call that writes or sends. `strace` finds every such call of the system and
kills at the n-th; where there is no strace, the process counts its own writes and kills itself (`host`).
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.integration.kills.host import Order
from tests.unit.daemon.driver import folded
from treasury_actors.errors import TreasuryError
from treasury_actors.journal.reader import open_readonly
from treasury_actors.journal.verify import verify
from treasury_actors.simulation.run import JOURNAL_NAME

REPOSITORY = Path(__file__).parents[3]
STRACE = shutil.which("strace")

WRITES_AND_SENDS = (
    *("pwrite64", "write", "fdatasync", "fsync", "ftruncate", "rename", "unlink", "mkdir"),
    *("sendto", "sendmsg", "connect", "bind"),
)
"""The system's calls that leave something behind; a system without one of them never makes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """The moment before the `number`-th call of a name in whichever thread gets there first."""

    call: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """
    How a process of the host ended.

    Attributes:
        acknowledged: the last event it saw committed after a turn.
        error: what it died of, in words, if it said so.
    """

    exit_code: int
    acknowledged: int
    writes: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to: its state, and how many events of each type led there."""

    state_hash: str
    types: dict[str, int]


class Host:
    """The process that forks runs; `hosting` starts and ends it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def begin(self, order: Order) -> int:
        """Start a run; return its pid."""
        assert self._process.stdin is not None
        self._process.stdin.write(order.line())
        self._process.stdin.flush()
        return int(self._line())

    def end(self) -> Ended:
        """Wait for the run that was begun last."""
        found = json.loads(self._line())
        return Ended(
            exit_code=os.waitstatus_to_exitcode(found["status"]),
            acknowledged=found["acknowledged"],
            writes=found["writes"],
            error=found["error"],
        )

    def play(self, order: Order) -> Ended:
        """Play a run to its end, however that comes."""
        self.begin(order)
        return self.end()

    def play_under(self, strace: list[str], order: Order, *, log: Path) -> Ended:
        """Play a run with these options of strace, writing what it traced to `log`."""
        assert STRACE is not None, "ask `STRACE` first"
        pid = self.begin(replace(order, held=True))
        command = [STRACE, "-f", "-o", str(log), *strace, "-p", str(pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY) as tracer:
            assert tracer.stderr is not None
            said = tracer.stderr.readline()
            assert "attached" in said, f"strace cannot attach: {said}"
            os.kill(pid, signal.SIGCONT)
            ended = self.end()
            tracer.stderr.read()
        return ended

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the host died"
        return line


@contextmanager
def hosting() -> Iterator[Host]:
    """Yield a host for as long as the body runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.kills.host"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Host(process)
        assert process.stdin is not None
        process.stdin.close()


def quick_place() -> Path | None:
    """Return where runs are played: in memory where the system has a folder there, for speed alone."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and os.access(memory, os.W_OK) else None


def outcome(folder: Path) -> Outcome:
    """Return what the journal of a finished run adds up to; that a process went on with it aside."""
    journal = folded(folder)
    assert journal.records.book.imbalances() == []
    types = Counter(type_ for type_ in journal.types if not type_.startswith("daemon."))
    return Outcome(state_hash=journal.state_hash, types=dict(sorted(types.items())))


def boundaries(host: Host, order: Order, *, log: Path) -> list[Boundary]:
    """Return every boundary of a run, by playing it once."""
    ended = host.play_under(["-e", f"trace={','.join(WRITES_AND_SENDS)}"], order, log=log)
    assert ended.exit_code == 0, ended.error
    calls: Counter[tuple[str, str]] = Counter()
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        found = re.match(r"(\d+) +(\w+)\(", line)
        if found:
            calls[found[1], found[2]] += 1
    most = {
        name: max((n for (_, call), n in calls.items() if call == name), default=0)
        for name in WRITES_AND_SENDS
    }
    return [Boundary(call=name, number=n) for name, count in most.items() for n in range(1, count + 1)]


def kill_at(host: Host, order: Order, boundary: Boundary, *, log: Path) -> Ended:
    """Play a run and kill it at a boundary."""
    inject = f"inject={boundary.call}:signal=SIGKILL:when={boundary.number}"
    return host.play_under(["-e", f"trace={boundary.call}", "-e", inject], order, log=log)


def wrong_after(host: Host, order: Order, ended: Ended, whole: Outcome) -> str:
    """
    Return in words what a run that broke off lost or did twice; empty if nothing.

    What it acknowledged must stand in its journal, the journal must verify, and a new process must bring the
    run to the state and to the events of one that was never disturbed.
    """
    folder = Path(order.folder)
    journal = folder / JOURNAL_NAME
    if ended.acknowledged:
        try:
            found = verify(journal).head_seq
        except TreasuryError as error:
            return f"the journal does not verify: {error}"
        if found < ended.acknowledged:
            return f"lost: event {ended.acknowledged} was acknowledged, the last one is {found}"
    again = host.play(
        Order(
            folder=order.folder, seed=order.seed, days=order.days, agents=order.agents, durable=order.durable
        )
    )
    if again.exit_code:
        return f"it does not go on: exit {again.exit_code}, {again.error}"
    with open_readonly(journal) as reader:
        reader.check_pages()
    now = outcome(folder)
    if now.state_hash != whole.state_hash:
        return f"it ends in another state: {now.state_hash[:12]}, not {whole.state_hash[:12]}"
    if now.types != whole.types:
        return f"events were doubled or lost: {now.types}, not {whole.types}"
    return ""
