"""
JSON-RPC over HTTP with one endpoint: one POST a call, and no second one behind the caller's back.

No retries, no redirects, no proxy or certificate from the environment, no compression (so that 10 MB read
are 10 MB held), and one deadline over connecting, sending and reading together: a server that drips a byte a
second keeps a per-read timeout waiting for hours.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import anyio
import httpx

from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, SendAnswer, SendOutcome, send_outcome
from treasury_actors.chain.model.wire import decode, encode
from treasury_actors.errors import ConfigError

BYTES_MAX = 10_000_000
_BATCH_MAX = 100  # public endpoints refuse more
_OK, _TOO_MANY, _SERVER_ERRORS = 200, 429, 500
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "Content-Type": "application/json"}
_CONNECTIONS_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """
    Where a node answers. `https`, or `http` on loopback; raises ConfigError for anything else.

    The URL often holds a key: messages name the host alone.
    """

    url: str
    deadline_s: float = 10.0

    def __post_init__(self) -> None:
        try:
            url = httpx.URL(self.url)
        except httpx.InvalidURL:
            raise ConfigError("rpc url: not a URL; allowed: https://…") from None
        if not url.host or not (url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.host))):
            raise ConfigError(f"rpc url of {url.host or '(no host)'}: allowed: https, or http on loopback")
        if not 0 < self.deadline_s <= 120:  # noqa: PLR2004 - two minutes, said in the message
            raise ConfigError(
                f"rpc deadline of {url.host}: {self.deadline_s}; allowed: above 0, at most 120 s"
            )

    @property
    def name(self) -> str:
        """Return host and port: what may be shown."""
        url = httpx.URL(self.url)
        return url.host if url.port is None else f"{url.host}:{url.port}"

    def __repr__(self) -> str:
        return f"Endpoint({self.name})"


class HttpRpc:
    """A session with one endpoint (`ports.Rpc`), for as long as the `async with` lasts."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.requests = 0
        loopback = _is_loopback(httpx.URL(endpoint.url).host)
        self._client = httpx.AsyncClient(
            headers=_HEADERS,
            verify=not loopback,  # there is no certificate on http; reading the system's takes 20 ms
            trust_env=False,
            follow_redirects=False,
            timeout=endpoint.deadline_s,
            limits=httpx.Limits(max_connections=_CONNECTIONS_MAX),
        )
        self._next_id = 1

    @property
    def name(self) -> str:
        """Return what the endpoint is called in messages."""
        return self.endpoint.name

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def call(self, method: str, params: Sequence[Json] = ()) -> Answer:
        """Return the node's answer to one question."""
        return (await self._ask([RpcCall(method=method, params=tuple(params))]))[0]

    async def batch(self, calls: Sequence[RpcCall]) -> list[Answer]:
        """Return the answers in order: one POST for each hundred calls."""
        answers: list[Answer] = []
        for start in range(0, len(calls), _BATCH_MAX):
            answers += await self._ask(calls[start : start + _BATCH_MAX])
        return answers

    async def send(self, raw: str, tx_hash: str) -> SendAnswer:
        """Hand over signed bytes, once."""
        try:
            answer = await self.call("eth_sendRawTransaction", (raw,))
        except RpcFault as fault:
            return SendAnswer(outcome=SendOutcome.UNKNOWN, endpoint=self.name, detail=str(fault))
        proof = send_outcome(answer, tx_hash)
        return SendAnswer(
            outcome=proof.outcome, endpoint=self.name, detail=proof.detail, node_lied=proof.node_lied
        )

    async def _ask(self, calls: Sequence[RpcCall]) -> list[Answer]:
        """POST one call or one batch."""
        first_id, self._next_id = self._next_id, self._next_id + len(calls)
        self.requests += 1
        what = calls[0].method if len(calls) == 1 else f"a batch of {len(calls)}"
        try:
            return decode(await self._post(encode(calls, first_id)), first_id, len(calls))
        except RpcFault as fault:
            raise RpcFault(fault.kind, f"{self.name}: {what}: {fault}") from fault.__cause__

    async def _post(self, content: bytes) -> bytes:
        """Return the body of an answer with status 200, within the deadline."""
        try:
            with anyio.fail_after(self.endpoint.deadline_s):
                async with self._client.stream("POST", self.endpoint.url, content=content) as response:
                    _check(response)
                    return await _read(response)
        except (TimeoutError, httpx.TimeoutException) as problem:
            reason = f"no answer within {self.endpoint.deadline_s:g} s"
            raise RpcFault(RpcFaultKind.TIMEOUT, reason) from problem
        except httpx.ConnectError as problem:
            raise RpcFault(RpcFaultKind.UNREACHABLE, f"no connection: {_said(problem)}") from problem
        except httpx.HTTPError as problem:
            raise RpcFault(RpcFaultKind.BROKEN_OFF, f"broken off: {_said(problem)}") from problem


def _check(response: httpx.Response) -> None:
    """Raise RpcFault unless the answer is one we read."""
    status = response.status_code
    if status == _TOO_MANY:
        raise RpcFault(RpcFaultKind.RATE_LIMITED, "HTTP 429")
    if status >= _SERVER_ERRORS:
        raise RpcFault(RpcFaultKind.SERVER_ERROR, f"HTTP {status}")
    if status != _OK:
        raise RpcFault(RpcFaultKind.REFUSED, f"HTTP {status}; allowed: 200")
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise RpcFault(RpcFaultKind.NOT_RPC, f"answered in {encoding!r}; allowed: uncompressed")


async def _read(response: httpx.Response) -> bytes:
    """Return the body, as long as it is not too long."""
    content = bytearray()
    async for part in response.aiter_raw():
        content += part
        if len(content) > BYTES_MAX:
            raise RpcFault(RpcFaultKind.TOO_LONG, f"answer is too long; allowed: {BYTES_MAX} bytes")
    return bytes(content)


def _said(problem: httpx.HTTPError) -> str:
    return " ".join(str(problem).split()) or type(problem).__name__


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
