"""
An HTTP proxy in front of a node that does what networks, gateways and lying nodes do, by script.

    async with FaultProxy(node.url) as proxy:
        proxy.next("eth_sendRawTransaction", DropReply())   # the node gets it, we never hear
        proxy.always("eth_chainId", lie("0x1"))

A fault applies to the requests that hold its method ("*": any). `next` faults are used up one a request, in
order, before an `always` fault counts. `seen` and `forwarded` list the methods that reached the proxy and the
node.
"""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import httpx

Item = dict[str, Any]  # one JSON-RPC object, as the wire has it
Edit = Callable[[Item], Item]


@dataclass(frozen=True, slots=True, kw_only=True)
class DropReply:
    """Close the connection without a byte, after the node has answered; or before it is asked."""

    forward: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """Never answer, until the other side leaves."""

    forward: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Answer late."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drip:
    """Send the node's answer a byte at a time."""

    seconds_a_byte: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetMidBody:
    """Send half of the node's answer and reset the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Answer with this status and these bytes; the node is asked only with `forward`."""

    status: int
    body: bytes = b"try later"
    headers: tuple[str, ...] = ()
    forward: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endless:
    """Answer with status 200 and a body that doesn't end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """
    Change what is asked or answered.

    `ask` and `answer` get one object with the fault's method (any, for "*"); `whole` gets the node's bytes.
    """

    ask: Edit | None = None
    answer: Edit | None = None
    whole: Callable[[bytes], bytes] | None = None


Fault = DropReply | Hang | Delay | Drip | ResetMidBody | Status | Endless | Rewrite

HTML = Status(status=200, body=b"<html><body>Bad Gateway</body></html>")
EMPTY = Status(status=200, body=b"")
WRONG_ID = Rewrite(answer=lambda item: {**item, "id": item["id"] + 1000})
NO_ID = Rewrite(answer=lambda item: {**item, "id": None})
EXTRA_FIELDS = Rewrite(answer=lambda item: {**item, "served_by": "node 7", "error": None})
NAN = Rewrite(answer=lambda item: {**item, "result": float("nan")})
CUT = Rewrite(whole=lambda content: content[:-5])
REORDERED = Rewrite(whole=lambda content: json.dumps(json.loads(content)[::-1]).encode())
LAST_MISSING = Rewrite(whole=lambda content: json.dumps(json.loads(content)[:-1]).encode())


def lie(result: object) -> Rewrite:
    """Return a fault that answers this result, e.g. another chain id, nonce or balance."""
    return Rewrite(answer=lambda item: {"jsonrpc": "2.0", "id": item["id"], "result": result})


NULL_RESULT = lie(None)


def error(code: int, message: str, data: object = None) -> Rewrite:
    """Return a fault that answers an error object, with HTTP 200."""
    body = {"code": code, "message": message, "data": data}
    return Rewrite(answer=lambda item: {"jsonrpc": "2.0", "id": item["id"], "error": body})


def stale_number(blocks: int) -> Rewrite:
    """Return a fault for `eth_blockNumber`: the head as it was `blocks` ago."""
    return Rewrite(answer=lambda item: {**item, "result": hex(int(item["result"], 16) - blocks)})


def stale_block(number: int) -> Rewrite:
    """Return a fault for `eth_getBlockByNumber`: block `number`, whichever is asked for."""
    return Rewrite(ask=lambda item: {**item, "params": [hex(number), *item["params"][1:]]})


class FaultProxy:
    """The proxy, for as long as the `async with` lasts."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.seen: list[str] = []
        self.forwarded: list[str] = []
        self._next: dict[str, deque[Fault]] = defaultdict(deque)
        self._always: dict[str, Fault] = {}
        self._connections: list[asyncio.StreamWriter] = []
        self._client = httpx.AsyncClient(trust_env=False, verify=False, timeout=30.0)  # noqa: S501 - http
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Return where the proxy listens; the same after `down` and `up`."""
        return f"http://127.0.0.1:{self._port}"

    def next(self, method: str, *faults: Fault) -> None:
        """Do these, one a request."""
        self._next[method].extend(faults)

    def always(self, method: str, fault: Fault) -> None:
        """Do this at each request from now on."""
        self._always[method] = fault

    def clear(self) -> None:
        """Do nothing any more."""
        self._next.clear()
        self._always.clear()

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()
        await self._client.aclose()

    async def up(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Listen no more, and reset what is connected."""
        if self._server is not None:
            self._server.close()
            for writer in self._connections:
                writer.transport.abort()
            self._connections.clear()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.append(writer)
        try:
            while (content := await _read_request(reader)) is not None:
                if not await self._answer(content, reader, writer):
                    writer.transport.abort()
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, content: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; return whether the connection may be used again."""
        asked = json.loads(content)
        methods = [item["method"] for item in (asked if isinstance(asked, list) else [asked])]
        self.seen += methods
        key, fault = self._fault(methods)
        if isinstance(fault, DropReply | Hang | Status | Endless):
            return await self._instead(fault, content, methods, reader, writer)
        if isinstance(fault, Rewrite):
            content = _edited(content, key, fault.ask, methods)
        answer = await self._forward(content, methods)
        if isinstance(fault, Rewrite):
            answer = _edited(answer, key, fault.answer, methods)
            answer = fault.whole(answer) if fault.whole else answer
        if isinstance(fault, Drip | ResetMidBody):
            return await _slowly(fault, answer, reader, writer)
        if isinstance(fault, Delay) and await _left(reader, fault.seconds):
            return False
        await _reply(writer, answer, 200, ())
        return True

    async def _instead(
        self,
        fault: DropReply | Hang | Status | Endless,
        content: bytes,
        methods: list[str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Do something else than pass the node's answer on."""
        if not isinstance(fault, Endless) and fault.forward:
            await self._forward(content, methods)
        match fault:
            case DropReply():
                pass
            case Hang():
                await reader.read(1)
            case Status():
                await _reply(writer, fault.body, fault.status, fault.headers)
            case Endless():
                writer.write(_head(200, 10**12, ()))
                while not writer.is_closing():
                    writer.write(b" " * 65_536)
                    await writer.drain()
        return isinstance(fault, Status)

    def _fault(self, methods: list[str]) -> tuple[str, Fault | None]:
        """Return the fault for a request, and the method it is for."""
        for key in [*methods, "*"]:
            if self._next[key]:
                return key, self._next[key].popleft()
        for key in [*methods, "*"]:
            if key in self._always:
                return key, self._always[key]
        return "*", None

    async def _forward(self, content: bytes, methods: list[str]) -> bytes:
        self.forwarded += methods
        headers = {"Content-Type": "application/json"}
        return (await self._client.post(self.upstream, content=content, headers=headers)).content


def _edited(content: bytes, key: str, edit: Edit | None, methods: list[str]) -> bytes:
    """Return the bytes with each object of the method changed; objects stand in the order of `methods`."""
    if edit is None:
        return content
    parsed = json.loads(content)
    items = parsed if isinstance(parsed, list) else [parsed]
    edited = [
        edit(item) if key in {"*", method} else item for item, method in zip(items, methods, strict=True)
    ]
    return json.dumps(edited if isinstance(parsed, list) else edited[0]).encode()


async def _slowly(
    fault: Drip | ResetMidBody, answer: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    writer.write(_head(200, len(answer), ()))
    if isinstance(fault, ResetMidBody):
        writer.write(answer[: len(answer) // 2])
        await writer.drain()
        return False
    for byte in answer:
        writer.write(bytes([byte]))
        if await _left(reader, fault.seconds_a_byte):
            return False
    return True


async def _left(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Return whether the other side left within so many seconds."""
    try:
        await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return False
    return True


async def _read_request(reader: asyncio.StreamReader) -> bytes | None:
    """Return the body of a request; None when there is no more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else b"{}"


async def _reply(writer: asyncio.StreamWriter, content: bytes, status: int, headers: tuple[str, ...]) -> None:
    writer.write(_head(status, len(content), headers) + content)
    await writer.drain()


def _head(status: int, length: int, headers: tuple[str, ...]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} Said",
        f"Content-Length: {length}",
        "Content-Type: application/json",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
