"""
Transaction Builder files (version 1.0): what a Safe's owners load, read and sign in their own interface.

Each transaction names its method and arguments and leaves `data` empty, because the Builder shows an owner
raw bytes where `data` is given and a readable call where it isn't. The checksum is the Builder's own, so that
a file that was changed on its way says so there.
"""

import json
from dataclasses import dataclass

from eth_utils.crypto import keccak

from treasury_actors.chain.model.rpc import Json
from treasury_actors.chain.model.values import to_data
from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.erc20 import APPROVE
from treasury_actors.trading.adapters.evm.safe import ADD_OWNER

TRANSFER = abi.Function(
    signature="transfer(address,uint256)", selector=bytes.fromhex("a9059cbb"), returns="(bool)"
)
BUILDER_VERSION = "1.18.2"
_NAMES = {
    TRANSFER: ("to", "value"),
    APPROVE: ("spender", "value"),
    ADD_OWNER: ("owner", "_threshold"),
}
"""The arguments' names as the contracts have them (ERC-20, Safe 1.4.1's `OwnerManager`)."""
_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """
    A call that a Safe's owners are asked to sign; addresses with their checksum.

    Attributes:
        function: `TRANSFER`, `APPROVE` or `ADD_OWNER`.
        values: its arguments.
    """

    to: str
    function: abi.Function
    values: tuple[str | int, ...]

    @property
    def data(self) -> str:
        """Return the calldata the Builder will make of it, 0x and hex."""
        return to_data(self.function.encode(*self.values))


def batch_json(
    proposals: tuple[Proposal, ...], *, safe: str, chain_id: int, time_s: int, name: str, description: str
) -> str:
    """Return the text of a Transaction Builder file, the same bytes for the same proposals and block time."""
    meta: dict[str, Json] = {
        "name": name,
        "description": description,
        "txBuilderVersion": BUILDER_VERSION,
        "createdFromSafeAddress": safe,
        "createdFromOwnerAddress": "",
    }
    batch: dict[str, Json] = {
        "version": "1.0",
        "chainId": str(chain_id),
        "createdAt": time_s * _MS,
        "meta": meta,
        "transactions": [_transaction(proposal) for proposal in proposals],
    }
    meta["checksum"] = checksum(batch)
    return json.dumps(batch, indent=2) + "\n"


def checksum(batch: dict[str, Json]) -> str:
    """Return the Builder's checksum of a batch; neither the batch's name nor a checksum in it counts."""
    meta = batch["meta"]
    assert isinstance(meta, dict), "a batch has an object of meta data"
    counted = {key: value for key, value in meta.items() if key != "checksum"} | {"name": None}
    return to_data(keccak(text=_serialised({**batch, "meta": counted})))


def _transaction(proposal: Proposal) -> Json:
    """Return one transaction; all numbers are strings, since JavaScript's hold 53 bits."""
    name, _, _ = proposal.function.signature.partition("(")
    arguments = tuple(zip(_NAMES[proposal.function], proposal.function.inputs, proposal.values, strict=True))
    return {
        "to": proposal.to,
        "value": "0",
        "data": None,
        "contractMethod": {
            "inputs": [
                {"internalType": str(kind), "name": argument, "type": str(kind)}
                for argument, kind, _ in arguments
            ],
            "name": name,
            "payable": False,
        },
        "contractInputsValues": {argument: str(value) for argument, _, value in arguments},
    }


def _serialised(value: Json) -> str:
    """Return JSON as the Builder hashes it: an object is its sorted keys, then its values with commas."""
    if isinstance(value, list):
        return "[" + ",".join(map(_serialised, value)) + "]"
    if isinstance(value, dict):
        keys = sorted(value)
        listed = json.dumps(keys, separators=(",", ":"), ensure_ascii=False)
        return "{" + listed + "".join(_serialised(value[key]) + "," for key in keys) + "}"
    return json.dumps(value, ensure_ascii=False)
