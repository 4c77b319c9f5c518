"""Writing transactions of a local node's unlocked accounts, block by block, at times of our choosing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from treasury_actors.chain.model.faults import ToolFault
from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, result_of
from treasury_actors.chain.model.values import data, field, mapping, quantity, sequence
from treasury_actors.chain.ports import Rpc
from treasury_actors.simulation.rehearsal.contracts import Artifacts, call_data, creation_data, decoded

BLOCK_GAS: Final = 30_000_000
BUILD_BLOCK_GAS: Final = 3_000_000_000
"""While a world is built a block takes all that is queued; afterwards blocks are of the usual size."""

FEE_MOST_WEI: Final = 10_000 * 10**9
"""Far above any base fee of a season: the movers of a market must never be priced out of it."""

MINE_MOST: Final = 8
"""Blocks that one round of transactions may need; more means that something keeps them out."""

_POST_MOST = 20
"""Transactions a request: 20 deployments are 1 MB, and the node takes 2."""

_WORD_BYTES = 32
_TIP_WEI = 1_000_000
_BUILD_GAS, _CALL_GAS = 15_000_000, 1_500_000
"""Gas of one transaction while building, when one may create a pool or list reserves, and afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A transaction to be: what `sender` calls, as `BlockWriter.send` takes it."""

    to: str
    signature: str
    values: tuple[object, ...]
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A question to a contract that costs nothing."""

    to: str
    signature: str
    values: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queued:
    transaction: dict[str, Json]
    what: str


class BlockWriter:
    """
    Queue transactions of unlocked accounts and mine them when we say, so that blocks and times repeat.

    Use it inside `async with writer.blocks():`, which turns automatic mining off and restores it. A read
    first mines what is queued. A transaction that fails is a Fault which names it: nothing here may fail.
    """

    def __init__(self, rpc: Rpc, *, artifacts: Artifacts, account: str) -> None:
        self.rpc = rpc
        self.artifacts = artifacts
        self.account = account
        self._nonces: dict[str, int] = {}
        self._queued: list[_Queued] = []
        self._call_gas = _CALL_GAS

    @asynccontextmanager
    async def blocks(self, *, building: bool = False) -> AsyncIterator[None]:
        """Hold mining in our hand meanwhile; `building` makes room for any number of deployments a block."""
        automatic = await self._begin()
        await self.ask("evm_setAutomine", False)  # noqa: FBT003  # JSON-RPC knows no names
        if building:
            self._call_gas = _BUILD_GAS
            await self.ask("evm_setBlockGasLimit", hex(BUILD_BLOCK_GAS))
        try:
            yield
            await self.mine()
        finally:
            if building:
                self._call_gas = _CALL_GAS
                await self.ask("evm_setBlockGasLimit", hex(BLOCK_GAS))
            await self.ask("evm_setAutomine", automatic)

    async def ask(self, method: str, *params: Json) -> Json:
        """Return the result of one JSON-RPC call; raise RpcFault if the node refuses it."""
        return result_of(await self.rpc.call(method, params), method)

    async def deploy(self, name: str, *values: object, libraries: Mapping[str, str] | None = None) -> str:
        """Queue a deployment and return the address it will have."""
        address = _created(self.account, await self._nonce(self.account))
        code = creation_data(self.artifacts[name], values, libraries or {})
        await self._queue({"from": self.account, "data": code, "gas": hex(_BUILD_GAS)}, what=f"deploy {name}")
        return address

    async def send(
        self, to: str, signature: str, *values: object, wei: int = 0, sender: str | None = None
    ) -> None:
        """Queue a call of `signature`, from `sender` or else the deployer."""
        call = {"from": sender or self.account, "to": to, "data": call_data(signature, *values)}
        await self._queue(
            {**call, "value": hex(wei), "gas": hex(self._call_gas)}, what=f"{signature} of {to}"
        )

    async def one_block(self, calls: Sequence[Call], *, at_s: int | None = None) -> None:
        """Mine `calls`, or an empty block, at `at_s`: later than the newest block, or else 1 s later."""
        async with self.blocks():
            for call in calls:
                await self.send(call.to, call.signature, *call.values, sender=call.sender)
            if at_s is not None:
                await self.ask("evm_setNextBlockTimestamp", at_s)
            if calls:
                await self.mine()
            else:
                await self.ask("evm_mine")

    async def read(self, to: str, signature: str, types: str, *values: object) -> tuple[object, ...]:
        """Return what a view answers on the newest state, as `types` such as `"(uint160,int24)"`."""
        await self.mine()
        call = self._eth_call(View(to=to, signature=signature, values=values))
        return decoded(types, str(await self.ask(call.method, *call.params)))

    async def address(self, to: str, signature: str, *values: object) -> str:
        """Return the one address a view answers, checksummed."""
        return checksummed(str((await self.read(to, signature, "(address)", *values))[0]))

    async def number(self, to: str, signature: str, *values: object) -> int:
        """Return the first word of what a view answers, as an unsigned number."""
        return (await self.numbers([View(to=to, signature=signature, values=values)]))[0]

    async def numbers(self, views: Sequence[View]) -> list[int]:
        """Return the first word of what each view answers, all on the newest state, in one round trip."""
        await self.mine()
        answers = await self.rpc.batch([self._eth_call(view) for view in views])
        return [_first_word(answer, view) for view, answer in zip(views, answers, strict=True)]

    async def mine(self) -> None:
        """Mine what is queued, in its order, and check that all of it succeeded."""
        waiting = await self._post()
        for _ in range(MINE_MOST):
            if not waiting:
                return
            await self.ask("evm_mine")
            for item in sequence(await self.ask("eth_getBlockReceipts", "latest"), "receipts"):
                receipt = mapping(item, "receipt")
                tx_hash = str(field(receipt, "transactionHash", "receipt"))
                what = waiting.pop(tx_hash, None)
                if what is not None and quantity(field(receipt, "status", "receipt"), "status") != 1:
                    raise ToolFault(f"the local chain refused {what}, transaction {tx_hash}")
        if waiting:
            raise ToolFault(f"the local chain never mined {next(iter(waiting.values()))}")

    async def _begin(self) -> Json:
        """Learn the nonces of those who sent before; return whether mining is automatic."""
        self._queued.clear()
        senders = list(self._nonces)
        counts = [RpcCall(method="eth_getTransactionCount", params=(sender, "pending")) for sender in senders]
        automatic, *nonces = await self.rpc.batch([RpcCall(method="anvil_getAutomine"), *counts])
        for sender, nonce in zip(senders, nonces, strict=True):
            self._nonces[sender] = quantity(result_of(nonce, "nonce"), "nonce")
        return result_of(automatic, "anvil_getAutomine")

    async def _post(self) -> dict[str, str]:
        """Hand what is queued to the node; return what each transaction is, by its hash."""
        posted: dict[str, str] = {}
        # The node orders a block by tips: a falling tip keeps our order whichever it takes in first.
        for start in range(0, len(self._queued), _POST_MOST):
            part = self._queued[start : start + _POST_MOST]
            calls = [
                RpcCall(
                    method="eth_sendTransaction",
                    params=({**item.transaction, "maxPriorityFeePerGas": hex(_TIP_WEI - start - place)},),
                )
                for place, item in enumerate(part)
            ]
            for item, answer in zip(part, await self.rpc.batch(calls), strict=True):
                posted[str(result_of(answer, item.what))] = item.what
        self._queued.clear()
        return posted

    def _eth_call(self, view: View) -> RpcCall:
        call: Json = {
            "from": self.account,
            "to": view.to,
            "data": call_data(view.signature, *view.values),
        }
        return RpcCall(method="eth_call", params=(call, "latest"))

    async def _queue(self, transaction: dict[str, str], *, what: str) -> None:
        sender = transaction["from"]
        nonce = await self._nonce(sender)
        self._nonces[sender] = nonce + 1
        numbered: dict[str, Json] = {**transaction, "nonce": hex(nonce), "maxFeePerGas": hex(FEE_MOST_WEI)}
        self._queued.append(_Queued(transaction=numbered, what=what))

    async def _nonce(self, sender: str) -> int:
        if sender not in self._nonces:
            count = await self.ask("eth_getTransactionCount", sender, "pending")
            self._nonces[sender] = quantity(count, "nonce")
        return self._nonces[sender]


def _first_word(answer: Answer, view: View) -> int:
    """Return the first 32 bytes of an answer as a number; raise ToolFault where a contract has none."""
    word = data(result_of(answer, view.signature), view.signature)[:_WORD_BYTES]
    if len(word) < _WORD_BYTES:
        raise ToolFault(f"{view.to} does not answer {view.signature}")
    return int.from_bytes(word, "big")


def checksummed(address: str) -> str:
    """Return an address in the spelling that carries its checksum (EIP-55)."""
    from eth_utils.address import to_checksum_address  # noqa: PLC0415  # an extra: only a chain run has it

    return str(to_checksum_address(address))


def _created(sender: str, nonce: int) -> str:
    """Return the address of what `sender` deploys with `nonce`: the hash of both, RLP-encoded."""
    from eth_utils.crypto import keccak  # noqa: PLC0415  # an extra: only a chain run has it

    plain = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    number = plain if nonce and nonce < 0x80 else bytes([0x80 + len(plain)]) + plain  # noqa: PLR2004
    body = b"\x94" + bytes.fromhex(sender.removeprefix("0x")) + number
    return checksummed("0x" + bytes(keccak(bytes([0xC0 + len(body)]) + body))[12:].hex())
