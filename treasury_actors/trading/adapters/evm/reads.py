"""`protocol.Reads` over a JSON-RPC session: a revert is an answer, any other error a fault."""

import re
from collections.abc import Sequence

from treasury_actors.chain.model import values
from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, RpcError, result_of
from treasury_actors.chain.ports import Rpc
from treasury_actors.trading.adapters.evm.protocol import BlockId, Log, Reverted, View

_REVERT_CODE = 3
_HASH_CHARACTERS = 66
_EVM_SAID_NO = re.compile(
    r"revert|out ?of ?gas|evm error|insufficient funds|gas required exceeds", re.IGNORECASE
)


class RpcReads:
    """Reads contracts through one session, each read at the block it names."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def call(
        self,
        *,
        to: str,
        data: bytes,
        block: BlockId,
        sender: str | None = None,
        value_wei: int = 0,
        gas: int = 0,
    ) -> bytes | Reverted:
        """Return what the call returns; raise RpcFault if the node can't say, for it lacks the block, say."""
        request: dict[str, Json] = {"to": to, "data": values.to_data(data)}
        if sender is not None:
            request["from"] = sender
        if value_wei:
            request["value"] = values.to_quantity(value_wei)
        if gas:
            request["gas"] = values.to_quantity(gas)
        return _returned(await self._rpc.call("eth_call", (request, _block(block))))

    async def views(self, views: Sequence[View], block: BlockId) -> list[bytes | Reverted]:
        """Return what many plain reads return at one block, in their order."""
        requests = [
            RpcCall(
                method="eth_call",
                params=({"to": view.to, "data": values.to_data(view.data)}, _block(block)),
            )
            for view in views
        ]
        return [_returned(answer) for answer in await self._rpc.batch(requests)] if requests else []

    async def head(self) -> tuple[int, int]:
        """Return number and time (s) of the newest block."""
        answer = await self._rpc.call("eth_getBlockByNumber", ("latest", False))
        block = values.mapping(result_of(answer, "the head"), "the head")
        return (
            values.quantity(values.field(block, "number", "block"), "block number"),
            values.quantity(values.field(block, "timestamp", "block"), "block time"),
        )

    async def logs(self, tx_hash: str, block_hash: str) -> tuple[Log, ...]:
        """Return the logs of a mined transaction; raise RpcFault unless it is in the block of that hash."""
        answer = await self._rpc.call("eth_getTransactionReceipt", (tx_hash,))
        receipt = values.mapping(result_of(answer, "a receipt"), "a receipt")
        found = values.hash32(values.field(receipt, "blockHash", "receipt"), "block hash")
        if found != block_hash:
            raise RpcFault(RpcFaultKind.BAD_VALUE, f"{tx_hash} is in block {found}, not in {block_hash}")
        return logs_of(receipt)

    async def balance_wei(self, owner: str, block: BlockId) -> int:
        """Return the native balance of `owner`."""
        answer = await self._rpc.call("eth_getBalance", (owner, _block(block)))
        return values.quantity(result_of(answer, "eth_getBalance"), "eth_getBalance")


def logs_of(receipt: dict[str, Json]) -> tuple[Log, ...]:
    """Return the logs of a receipt as a node gave it; raise RpcFault if they are malformed."""
    logs = [
        values.mapping(entry, "log")
        for entry in values.sequence(values.field(receipt, "logs", "receipt"), "logs")
    ]
    return tuple(
        Log(
            address=values.address(values.field(log, "address", "log"), "log address"),
            topics=tuple(
                values.hash32(topic, "topic")
                for topic in values.sequence(values.field(log, "topics", "log"), "topics")
            ),
            data=values.data(values.field(log, "data", "log"), "log data"),
        )
        for log in logs
    )


def _returned(answer: Answer) -> bytes | Reverted:
    """Return what an `eth_call` returned, or how it reverted; raise RpcFault for any other no."""
    if isinstance(answer, RpcError) and _is_revert(answer):
        return Reverted(data=_revert_data(answer), message=answer.message)
    return values.data(result_of(answer, "eth_call"), "eth_call")


def _block(block: BlockId) -> Json:
    """Return a block as JSON-RPC names it (EIP-1898): by its hash, it must still be on the chain."""
    if len(block) == _HASH_CHARACTERS:
        return {"blockHash": block, "requireCanonical": True}
    return block


def _is_revert(error: RpcError) -> bool:
    """Say whether the EVM said no, and not the node: code 3, revert data, or a text that says so."""
    return (
        error.code == _REVERT_CODE
        or (isinstance(error.data, str) and error.data.startswith("0x"))
        or _EVM_SAID_NO.search(error.message) is not None
    )


def _revert_data(error: RpcError) -> bytes:
    """Return the revert data, if the node passes it on; none otherwise."""
    try:
        return values.data(error.data, "revert data")
    except RpcFault:
        return b""
