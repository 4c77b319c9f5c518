"""
The control socket of a run folder: `control.sock`, for its owner alone, one request a connection.

A connection is served by a task of its own, with a limit on bytes, on time and on how many there are, so
nobody who connects and says nothing holds anything up. Requests that change something wait in the `Inbox`
until the run is between two turns.

A Unix socket's address has about a hundred bytes; a run folder may lie deeper. Then a symbolic link to the
folder, in a private temporary folder, stands in for it while the socket is bound or connected.
"""

import asyncio
import os
import socket
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from treasury_actors.daemon.requests import (
    LINE_BYTES_MAX,
    GetStatus,
    Reply,
    Request,
    as_line,
    parse_request,
    refused,
)
from treasury_actors.errors import TreasuryError
from treasury_actors.journal.forms import parse_json

SOCKET_NAME = "control.sock"
_ADDRESS_BYTES_MAX = 100  # macOS has 104, Linux 108
_CONNECTIONS_MAX = 32
_CLIENT_DEADLINE_S = 5.0
_LAST_WORDS_S = 1.0
_REPLY_BYTES_MAX = 65_536


class NotRunning(TreasuryError):
    """Nobody listens at the control socket."""


class NoAnswer(TreasuryError):
    """Somebody listens at the control socket, but no whole answer came."""


class Waiting:
    """A request on its way through the inbox, and the reply to it."""

    __slots__ = ("_answered", "_reply", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self._answered = anyio.Event()
        self._reply: Reply = {}

    def answer(self, reply: Reply) -> None:
        """Hand the reply to whoever waits for it."""
        self._reply = reply
        self._answered.set()

    async def reply(self) -> Reply:
        """Wait for the reply."""
        await self._answered.wait()
        return self._reply


class Inbox:
    """
    The requests that wait for the next pause between two turns. Closed, it refuses them.

    `heard` is called with each request the moment it comes: a stop must not wait for a turn to end.
    """

    def __init__(self, heard: Callable[[Request], None] | None = None) -> None:
        self._heard = heard
        self._waiting: deque[Waiting] = deque()
        self._news = anyio.Event()
        self._closed = False

    def __repr__(self) -> str:
        return f"<Inbox {len(self._waiting)} waiting{', closed' if self._closed else ''}>"

    def put(self, request: Request) -> Waiting:
        """Let a request wait its turn."""
        waiting = Waiting(request)
        if self._closed:
            waiting.answer(refused("leaving", "the process is leaving"))
        else:
            if self._heard is not None:
                self._heard(request)
            self._waiting.append(waiting)
            self._news.set()
        return waiting

    def take(self) -> Waiting | None:
        """Return the request that has waited longest, or None."""
        return self._waiting.popleft() if self._waiting else None

    def ring(self) -> None:
        """Wake whoever waits for news, though there is no request."""
        self._news.set()

    async def wait_for_news(self, timeout_s: float) -> None:
        """Return when a request came or somebody rang, at the latest after `timeout_s`."""
        with anyio.move_on_after(timeout_s):
            await self._news.wait()
        self._news = anyio.Event()

    def close(self) -> None:
        """Refuse what waits and all that comes."""
        self._closed = True
        while (waiting := self.take()) is not None:
            waiting.answer(refused("leaving", "the process is leaving"))


@asynccontextmanager
async def listening(
    folder: Path, tasks: TaskGroup, inbox: Inbox, status: Callable[[], Reply]
) -> AsyncIterator[None]:
    """
    Listen at the folder's socket while the body runs; tasks of `tasks` serve it until they are cancelled.

    Whoever calls holds the lock on the folder: a socket that lies there is a dead process's. Raises OSError
    if there can be none on this file system.
    """
    path = folder / SOCKET_NAME
    path.unlink(missing_ok=True)
    seats = _Seats()
    await tasks.start(_accept, _bound(folder), tasks, seats, inbox, status)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        with anyio.move_on_after(_LAST_WORDS_S):
            await seats.all_answered()


async def call(folder: Path, request: Reply, *, timeout_s: float) -> dict[str, object]:
    """
    Ask the daemon of a run folder; return its reply.

    Raises:
        NotRunning: nobody listens there.
        NoAnswer: nothing whole came back within `timeout_s`; what became of the request is not known.
    """
    line = b""
    with anyio.move_on_after(timeout_s) as deadline:
        try:
            line = await _exchange(folder, as_line(request))
        except OSError as error:
            raise NoAnswer(f"{folder}: the connection broke: {error}") from None
    if deadline.cancelled_caught:
        raise NoAnswer(f"{folder}: no answer within {timeout_s:g} s")
    try:
        reply = parse_json(line.decode())
    except ValueError:
        raise NoAnswer(f"{folder}: the answer was cut off") from None
    if not isinstance(reply, dict):
        raise NoAnswer(f"{folder}: the answer is no object")
    return reply


async def _exchange(folder: Path, line: bytes) -> bytes:
    """Send one line, return the line that comes back, perhaps cut off."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)  # noqa: FBT003 (the standard library's)
        try:
            with _address(folder) as address:
                await loop.sock_connect(connection, address)
        except (FileNotFoundError, ConnectionRefusedError):
            raise NotRunning(f"{folder}: no daemon is running there") from None
        await loop.sock_sendall(connection, line)
        return await _line(connection, _REPLY_BYTES_MAX)


async def _line(connection: socket.socket, bytes_max: int) -> bytes:
    """Return what comes up to the first newline, the end of the stream, or `bytes_max`."""
    loop, found = asyncio.get_running_loop(), b""
    while b"\n" not in found and len(found) <= bytes_max:
        part = await loop.sock_recv(connection, 4_096)
        if not part:
            break
        found += part
    return found.partition(b"\n")[0]


async def _accept(
    listener: socket.socket,
    tasks: TaskGroup,
    seats: "_Seats",
    inbox: Inbox,
    status: Callable[[], Reply],
    *,
    task_status: TaskStatus[None] = TASK_STATUS_IGNORED,
) -> None:
    """Accept connections until cancelled."""
    loop = asyncio.get_running_loop()
    with listener:
        task_status.started()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError:
                await anyio.sleep(0.1)  # out of file handles, most likely: others will be closed
                continue
            if seats.taken >= _CONNECTIONS_MAX:
                connection.close()
                continue
            seats.taken += 1
            tasks.start_soon(_serve, connection, seats, inbox, status)


class _Seats:
    """How many connections there are, and how many of them are owed an answer."""

    def __init__(self) -> None:
        self.taken = 0
        self._owed = 0
        self._none_owed = anyio.Event()
        self._none_owed.set()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count a connection as owed an answer while the body runs."""
        if not self._owed:
            self._none_owed = anyio.Event()
        self._owed += 1
        try:
            yield
        finally:
            self._owed -= 1
            if not self._owed:
                self._none_owed.set()

    async def all_answered(self) -> None:
        """Wait until nobody is owed an answer."""
        await self._none_owed.wait()


async def _serve(connection: socket.socket, seats: _Seats, inbox: Inbox, status: Callable[[], Reply]) -> None:
    """Read one request, send one reply; a client that is gone is nobody's trouble."""
    try:
        with connection:
            connection.setblocking(False)  # noqa: FBT003 (the standard library's)
            line = b""
            with anyio.move_on_after(_CLIENT_DEADLINE_S) as deadline:
                line = await _line(connection, LINE_BYTES_MAX)
            if deadline.cancelled_caught or not line:
                return
            with seats.answering():
                reply = await _reply_to(line, inbox, status)
                with anyio.move_on_after(_CLIENT_DEADLINE_S):
                    await asyncio.get_running_loop().sock_sendall(connection, as_line(reply))
    except OSError:
        pass
    finally:
        seats.taken -= 1


async def _reply_to(line: bytes, inbox: Inbox, status: Callable[[], Reply]) -> Reply:
    """Answer at once what needs no pause, let the rest wait for one."""
    if len(line) > LINE_BYTES_MAX:
        return refused("bad_request", f"a request has at most {LINE_BYTES_MAX} bytes")
    try:
        request = parse_request(line)
    except ValueError as error:
        return refused("bad_request", str(error))
    if isinstance(request, GetStatus):
        return status()
    return await inbox.put(request).reply()


def _bound(folder: Path) -> socket.socket:
    """Return a listening socket in the folder that its owner alone may open."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _address(folder) as address:
            before = os.umask(0o177)  # between bind and a later chmod anyone could connect
            try:
                listener.bind(address)
            finally:
                os.umask(before)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)  # noqa: FBT003
    listener.listen(_CONNECTIONS_MAX)
    return listener


@contextmanager
def _address(folder: Path) -> Iterator[str]:
    """Yield a path of the folder's socket that is short enough for an address, while the body runs."""
    path = folder.absolute() / SOCKET_NAME
    if len(os.fsencode(path)) <= _ADDRESS_BYTES_MAX:
        yield str(path)
        return
    with tempfile.TemporaryDirectory(prefix="ta-") as shelter:
        short = Path(shelter) / "f"
        short.symlink_to(folder.absolute(), target_is_directory=True)
        if len(os.fsencode(short / SOCKET_NAME)) > _ADDRESS_BYTES_MAX:
            raise OSError(f"{shelter}: the folder for temporary files has too long a path for a socket")
        yield str(short / SOCKET_NAME)
