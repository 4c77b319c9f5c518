"""
One chain behind several endpoints: reads go on at the next one, a transaction never does.

A read that fails at one endpoint is asked at the next in the list; each has a breaker. What money hangs on
can be asked of all, and counts when more than half say the same (`agreed`). Signed bytes go to one endpoint,
and doubt about them is UNKNOWN; the caller sends the same bytes again, and they go to another one.

Every endpoint proves its chain before it is asked anything else, and again every minute: by its chain id, and
by the hash of a pinned block if the config has one (two chains may share an id). One that is on another chain
closes the whole session for good: a list with a wrong entry is a wrong config, and the other entries may be
wrong as well. Nothing is read, sent or signed after that.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.model.breaker import Breaker
from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, SendAnswer, SendOutcome, result_of
from treasury_actors.chain.model.values import field, hash32, mapping, quantity, to_quantity
from treasury_actors.clock import Clock
from treasury_actors.errors import ConfigError

CHECKED_FOR_S = 60.0
_ID_BITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPin:
    """Which chain this is. A block that can't be undone any more tells apart two chains with one id."""

    chain_id: int
    block_number: int | None = None
    block_hash: str | None = None

    def __post_init__(self) -> None:
        if (self.block_number is None) != (self.block_hash is None):
            raise ConfigError("a pinned block has a number and a hash; allowed: both or neither")


class _Line:
    """One endpoint, what is remembered of its failures, and when it last proved its chain."""

    def __init__(self, rpc: HttpRpc) -> None:
        self.rpc = rpc
        self.breaker = Breaker()
        self.proved_s: float | None = None

    def is_proved(self, now_s: float) -> bool:
        return self.proved_s is not None and now_s - self.proved_s < CHECKED_FOR_S


class FailoverRpc:
    """A session with one chain (`ports.Rpc`) over a list of endpoints, the first preferred."""

    def __init__(self, endpoints: Sequence[Endpoint], *, pin: ChainPin, clock: Clock) -> None:
        """Raise ConfigError without an endpoint. `clock` measures running time."""
        if not endpoints:
            raise ConfigError("rpc urls: none; allowed: at least one")
        self._lines = [_Line(HttpRpc(endpoint)) for endpoint in endpoints]
        self._pin = pin
        self._clock = clock
        self._send_first = 0
        self._refusal: RpcFault | None = None

    @property
    def refusal(self) -> RpcFault | None:
        """Return why the session is closed for good, or None. Ask it before every signature."""
        return self._refusal

    @property
    def open_breakers(self) -> list[str]:
        """Return the names of the endpoints that are left alone right now."""
        now_s = self._clock.monotonic_s()
        return [line.rpc.name for line in self._lines if not line.breaker.allows(now_s)]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        async with AsyncExitStack() as stack:
            for line in self._lines:
                stack.push_async_callback(line.rpc.close)

    async def connect(self) -> None:
        """
        Let every endpoint prove its chain; raise RpcFault if one is on another, or if none answers.

        Those that don't answer now prove it before they are first used.
        """
        fault: RpcFault | None = None
        for line in self._lines:
            if not line.breaker.allows(self._clock.monotonic_s()):
                continue
            try:
                await self._prove(line)
            except RpcFault as problem:
                fault = problem
                if self._refusal is not None:
                    raise
        if not any(line.is_proved(self._clock.monotonic_s()) for line in self._lines):
            raise fault or RpcFault(RpcFaultKind.BREAKER_OPEN, "no endpoint may be asked now")

    async def call(self, method: str, params: Sequence[Json] = ()) -> Answer:
        """Return the answer of the first endpoint that gives one."""
        return (await self._read([RpcCall(method=method, params=tuple(params))]))[0]

    async def batch(self, calls: Sequence[RpcCall]) -> list[Answer]:
        """Return the answers, all from the first endpoint that gives them all."""
        return await self._read(calls) if calls else []

    async def agreed(self, method: str, params: Sequence[Json] = ()) -> Answer:
        """
        Return the answer that more than half of all endpoints give; raise RpcFault if there is none.

        For what money hangs on: a balance, a nonce, a receipt. Ask at a block by its number or hash, since
        honest endpoints differ about "latest". With one endpoint its word is all there is.
        """
        call = RpcCall(method=method, params=tuple(params))
        answers: list[Answer] = []
        for line in self._lines:
            if not line.breaker.allows(self._clock.monotonic_s()):
                continue
            try:
                await self._prove(line)
                answers += await self._ask(line, [call])
            except RpcFault:
                if self._refusal is not None:
                    raise
                continue
            if answers.count(answers[-1]) * 2 > len(self._lines):
                return answers[-1]
        reason = f"{method}: {len(answers)} of {len(self._lines)} endpoints answered, no majority the same"
        raise RpcFault(RpcFaultKind.NO_MAJORITY, f"{reason}; allowed: more than half")

    async def prove_chain(self) -> None:
        """Let an endpoint prove its chain however recently it did, as before a signature; raise RpcFault."""
        for line in self._lines:
            line.proved_s = None
        await self.call("eth_chainId")

    async def send(self, raw: str, tx_hash: str) -> SendAnswer:
        """
        Hand signed bytes to one endpoint, once.

        After UNKNOWN the next send begins at the next endpoint. Without an endpoint that may be asked and
        proves its chain nothing leaves, and that too is UNKNOWN.
        """
        detail = "no endpoint may be asked now"
        for position in [*range(self._send_first, len(self._lines)), *range(self._send_first)]:
            line = self._lines[position]
            if not line.breaker.allows(self._clock.monotonic_s()):
                continue
            try:
                await self._prove(line)
            except RpcFault as fault:
                if self._refusal is not None:
                    return SendAnswer(outcome=SendOutcome.WRONG_CHAIN, detail=str(self._refusal))
                detail = str(fault)
                continue
            answer = await self._send_to(line, raw, tx_hash)
            if answer.outcome is SendOutcome.UNKNOWN:
                self._send_first = (position + 1) % len(self._lines)
            return answer
        return SendAnswer(outcome=SendOutcome.UNKNOWN, detail=detail)

    async def _send_to(self, line: _Line, raw: str, tx_hash: str) -> SendAnswer:
        now_s = self._clock.monotonic_s()
        line.breaker = line.breaker.asked(now_s)
        answer = await line.rpc.send(raw, tx_hash)
        now_s = self._clock.monotonic_s()
        if answer.node_lied:
            line.breaker = line.breaker.tripped(now_s)
        else:
            doubt = answer.outcome is SendOutcome.UNKNOWN
            line.breaker = line.breaker.failed(now_s) if doubt else Breaker()
        return answer

    async def _read(self, calls: Sequence[RpcCall]) -> list[Answer]:
        """Ask the endpoints one after another; raise the last one's fault if none answers."""
        fault = RpcFault(RpcFaultKind.BREAKER_OPEN, "no endpoint may be asked now")
        for line in self._lines:
            if not line.breaker.allows(self._clock.monotonic_s()):
                continue
            try:
                await self._prove(line)
                return await self._ask(line, calls)
            except RpcFault as problem:
                if self._refusal is not None:
                    raise
                fault = problem
        raise fault

    async def _ask(self, line: _Line, calls: Sequence[RpcCall]) -> list[Answer]:
        """Ask one endpoint and remember how that went."""
        line.breaker = line.breaker.asked(self._clock.monotonic_s())
        try:
            if len(calls) == 1:
                answers = [await line.rpc.call(calls[0].method, calls[0].params)]
            else:
                answers = await line.rpc.batch(calls)
        except RpcFault:
            line.breaker = line.breaker.failed(self._clock.monotonic_s())
            raise
        line.breaker = Breaker()
        return answers

    async def _prove(self, line: _Line) -> None:
        """Let an endpoint prove its chain if its last proof is old; close the session if it is on another."""
        if self._refusal is not None:
            raise self._refusal
        now_s = self._clock.monotonic_s()
        if line.is_proved(now_s):
            return
        calls = [RpcCall(method="eth_chainId")]
        if self._pin.block_number is not None:
            block = to_quantity(self._pin.block_number)
            calls.append(RpcCall(method="eth_getBlockByNumber", params=(block, False)))
        answers = await self._ask(line, calls)
        try:
            self._compare(line.rpc.name, answers)
        except RpcFault as fault:
            if fault.kind is RpcFaultKind.WRONG_CHAIN:
                self._refusal = fault
            else:
                line.breaker = line.breaker.failed(self._clock.monotonic_s())
            raise
        line.proved_s = now_s

    def _compare(self, name: str, answers: list[Answer]) -> None:
        """Raise RpcFault unless the answers are those of the pinned chain."""
        chain_id = quantity(result_of(answers[0], f"{name}: chain id"), f"{name}: chain id", bits=_ID_BITS)
        if chain_id != self._pin.chain_id:
            reason = f"{name}: is on chain {chain_id}; allowed: {self._pin.chain_id}, nothing is signed"
            raise RpcFault(RpcFaultKind.WRONG_CHAIN, reason)
        if self._pin.block_hash is None:
            return
        what = f"{name}: block {self._pin.block_number}"
        found = hash32(field(mapping(result_of(answers[1], what), what), "hash", what), what)
        if found != self._pin.block_hash.lower():
            reason = f"{what} is {found}; allowed: {self._pin.block_hash}, nothing is signed"
            raise RpcFault(RpcFaultKind.WRONG_CHAIN, reason)
