"""What the rooms above need from a chain: one JSON-RPC session."""

from collections.abc import Sequence
from typing import Protocol

from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, SendAnswer


class Rpc(Protocol):
    """
    A session with one chain. Raises RpcFault when there is no answer to believe; never for a node's "no".

    `model.rpc.result_of` turns an answer that must be a result into one, `model.values` reads what is in it.
    """

    async def call(self, method: str, params: Sequence[Json] = ()) -> Answer:
        """Return the node's answer to one question. Never for a transaction: that is `send`."""
        ...

    async def batch(self, calls: Sequence[RpcCall]) -> list[Answer]:
        """Return the answers to many questions, in their order. All come from one endpoint."""
        ...

    async def send(self, raw: str, tx_hash: str) -> SendAnswer:
        """
        Hand signed bytes (`0x…`) to one endpoint, once, and return what its answer proves.

        `tx_hash` is the bytes' own hash, lower case. Raises nothing for trouble on the way: that is UNKNOWN.
        """
        ...
