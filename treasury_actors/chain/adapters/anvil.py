"""
A real EVM node of our own: anvil, started by its path, on loopback, gone when we are.

Never through npx or its Node wrapper: two processes, slower, and killing the outer one leaves the inner. On
Linux the node asks the kernel to end it with the thread that started it, however that dies (a few lines of
Python run before it and become it); on macOS, where a kernel has no such promise, a `kill -9` of the house
leaves the node behind, and it must be ended by its pid.
"""

import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import anyio
from anyio import to_thread

from treasury_actors.chain.adapters.npm import anvil_binary
from treasury_actors.chain.model.faults import ToolFault

_LOOPBACK = "127.0.0.1"
_POLL_S = 0.004
_POLLS_MAX_START = 2_500  # 10 s; a node listens after 0.05 s, with a large state after 0.3 s
_POLLS_MAX_STOP = 7_500  # 30 s; a large state takes seconds to dump
_ATTEMPTS_MAX = 3
_SAID_BYTES = 600
_DIE_WITH_PARENT = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""PR_SET_PDEATHSIG is 1. The parent may have died before we asked: then nobody would tell us any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnvilOptions:
    """
    How a node behaves. By default it mines a block at every transaction.

    Attributes:
        block_time_s: mine every so many seconds instead.
        no_mining: mine only when told (`evm_mine`).
        timestamp: the genesis block's time; with `load_state`, one second after the dumped head, or the next
            block is mined at today's date and accrues years of interest.
        dump_state: written when the node is stopped; never when it is killed.
        preserve_historical_states: at dump time, so that older blocks can be read in a loaded world.
        slots_in_an_epoch: `safe` and `finalized` lag one and two epochs of so many blocks.
        fork_url: read what isn't there from this endpoint; it shows in the list of processes.
        extra: more words for anvil.
    """

    chain_id: int = 31337
    block_time_s: int | None = None
    no_mining: bool = False
    timestamp: int | None = None
    load_state: Path | None = None
    dump_state: Path | None = None
    preserve_historical_states: bool = False
    slots_in_an_epoch: int | None = None
    gas_limit: int | None = None
    base_fee_wei: int | None = None
    accounts: int = 10
    fork_url: str | None = None
    fork_block: int | None = None
    extra: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.no_mining and self.block_time_s is not None:
            raise ValueError("no_mining and block_time_s: choose one")
        if self.load_state is not None and self.timestamp is None:
            raise ValueError("load_state needs a timestamp, or the loaded world jumps to today")

    def words(self) -> list[str]:
        """Return the options as anvil spells them."""
        valued: list[tuple[str, object]] = [
            ("--chain-id", self.chain_id),
            ("--accounts", self.accounts),
            ("--block-time", self.block_time_s),
            ("--timestamp", self.timestamp),
            ("--load-state", self.load_state),
            ("--dump-state", self.dump_state),
            ("--slots-in-an-epoch", self.slots_in_an_epoch),
            ("--gas-limit", self.gas_limit),
            ("--block-base-fee-per-gas", self.base_fee_wei),
            ("--fork-url", self.fork_url),
            ("--fork-block-number", self.fork_block),
        ]
        words = [str(word) for name, value in valued if value is not None for word in (name, value)]
        if self.no_mining:
            words.append("--no-mining")
        if self.preserve_historical_states:
            words.append("--preserve-historical-states")
        return [*words, *self.extra]


class AnvilNode:
    """
    A node for as long as the `async with` lasts. It belongs to no event loop.

    Its port is ours for all that time: on Linux a socket of ours stays bound to it, so that no other process
    is given it between the choice and the node's own bind.
    """

    def __init__(self, options: AnvilOptions | None = None, *, binary: Path | None = None) -> None:
        """`binary` is anvil's executable; without it the cached one is used, and fetched at first use."""
        self.options = options or AnvilOptions()
        self._binary = binary
        self._child: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._reserved: socket.socket | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Return where the node answers, over HTTP."""
        return f"http://{_LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """Return the node's process id."""
        assert self._child is not None, "the node was started"
        return self._child.pid

    @property
    def running(self) -> bool:
        """Return whether the process lives."""
        return self._child is not None and self._child.poll() is None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Launch the node and wait until it listens; raise ToolFault if it doesn't."""
        assert self._child is None, "a node is started once"
        binary = self._binary if self._binary is not None else await to_thread.run_sync(anvil_binary, None)
        said = ""
        for _ in range(_ATTEMPTS_MAX):  # off Linux another process may take the port first
            self._launch(binary)
            try:
                if await self._listens():
                    return
                said = self.said()
            except BaseException:
                await self.stop()
                raise
            await self.stop()
        raise ToolFault(f"{binary}: did not listen: {said or 'it said nothing'}")

    async def stop(self) -> None:
        """End the node by SIGTERM, which writes its dump, and wait; by SIGKILL if it doesn't end in 30 s."""
        child = self._child
        if child is None:
            return
        with anyio.CancelScope(shield=True):
            child.terminate()
            for _ in range(_POLLS_MAX_STOP):
                if child.poll() is not None:
                    break
                await anyio.sleep(_POLL_S)
            else:
                child.kill()
                child.wait()
        self._forget()

    def said(self) -> str:
        """Return the end of what the node wrote to stdout and stderr."""
        if self._said is None:
            return ""
        length = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, length - _SAID_BYTES))
        return self._said.read().decode(errors="replace").strip()

    def _launch(self, binary: Path) -> None:
        self._reserved = _reserve_port()
        self.port = self._reserved.getsockname()[1]
        if sys.platform != "linux":
            self._reserved.close()  # BSD lets nobody else bind while we do
        words = [str(binary), "--host", _LOOPBACK, "--port", str(self.port), "--quiet", *self.options.words()]
        if sys.platform == "linux":
            words = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *words]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - `_forget` closes it; an unread pipe would stop the node
        self._child = subprocess.Popen(  # noqa: S603 - anvil, with words of our own
            words,
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us: we end the node when we no longer need it
        )

    async def _listens(self) -> bool:
        """Return whether the node accepts connections, once it does or has ended."""
        for _ in range(_POLLS_MAX_START):
            if not self.running:
                return False
            with socket.socket() as probe:
                if probe.connect_ex((_LOOPBACK, self.port)) == 0:
                    return True
            await anyio.sleep(_POLL_S)
        return False

    def _forget(self) -> None:
        if self._said is not None:
            self._said.close()
        if self._reserved is not None:
            self._reserved.close()
        self._child = self._said = self._reserved = None


def _reserve_port() -> socket.socket:
    """Return a socket bound to a free loopback port, never listening, that lets the node bind there too."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((_LOOPBACK, 0))
    return held
