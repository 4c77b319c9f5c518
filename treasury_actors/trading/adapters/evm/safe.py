"""
Safe 1.4.1 over JSON-RPC: what one is, the EIP-712 hash its owners sign, and the call that executes.

A Safe is known by its code, not by its word: any contract can answer "1.4.1". The proxy and the code it runs
must be the published ones (hashes of the bytecode in `@safe-global/safe-contracts` 1.4.1; the tests compute
them anew). Formulas are those of `Safe.sol` and `ModuleManager.sol` of that release.
"""

from eth_utils.crypto import keccak

from treasury_actors.chain.model import values
from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, result_of
from treasury_actors.chain.ports import Rpc
from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.errors import explain
from treasury_actors.trading.adapters.evm.protocol import Reverted
from treasury_actors.trading.adapters.evm.reads import RpcReads
from treasury_actors.trading.model.safe import (
    SAFE_VERSION,
    SafeReason,
    SafeRefused,
    SafeState,
    SafeTransaction,
    refusal_of,
)

PROXY_CODE = "0xd7d408ebcd99b2b70be43e20253d6d92a8ea8fab29bd3be7f55b10032331fb4c"
SINGLETON_CODES = {
    "0x1fe2df852ba3299d6534ef416eefa406e56ced995bca886ab7a553e6d0c5e1c4": "Safe",
    "0xb1f926978a0f44a2c0ec8fe822418ae969bd8c3f18d61e5103100339894f81ff": "SafeL2",
}
DOMAIN_TYPEHASH = bytes.fromhex("47e79534a245952e8b16893a336b85a3d9ea9fa8c573f3d803afb92a79469218")
SAFE_TX_TYPEHASH = bytes.fromhex("bb8310d486368db6bd6f849402fdd73ad53d316b5a4b2644ad6efe0f941286d8")
GUARD_SLOT = "0x4a204f620c8c5ccdca3fd54d003badd85ba500436a431f0cbda4f558c93c34c8"
FALLBACK_SLOT = "0x6c9a6c4a39284e37ed1cf53d337577d14212a4870fb976a4366c693b939918d5"
EXECUTE = abi.Function(
    signature=("execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)"),
    selector=bytes.fromhex("6a761202"),
    returns="(bool)",
)
HASH_OF = abi.Function(
    signature=(
        "getTransactionHash(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,uint256)"
    ),
    selector=bytes.fromhex("d8d11f78"),
    returns="(uint256)",
)
ADD_OWNER = abi.Function(
    signature="addOwnerWithThreshold(address,uint256)", selector=bytes.fromhex("0d582f13")
)
VERSION = abi.Function(signature="VERSION()", selector=bytes.fromhex("ffa1ad74"), returns="(string)")
OWNERS = abi.Function(signature="getOwners()", selector=bytes.fromhex("a0e67e2b"))
THRESHOLD = abi.Function(signature="getThreshold()", selector=bytes.fromhex("e75235b8"), returns="(uint256)")
NONCE = abi.Function(signature="nonce()", selector=bytes.fromhex("affed0e0"), returns="(uint256)")
MODULES = abi.Function(signature="getModulesPaginated(address,uint256)", selector=bytes.fromhex("cc2f8452"))
ADDRESS_ZERO = "0x" + "00" * 20
EXECUTE_GAS = 400_000
"""A transfer out of a Safe uses some 110,000; the rest is for tokens behind proxies."""

_FIRST_MODULE = "0x" + "00" * 19 + "01"
_MODULES_SHOWN = 10
_MEMBERS_MAX = 1_000
_SINGLETON_SLOT = "0x0"
_SIGNATURE_BYTES = 65


def transaction_hash(transaction: SafeTransaction) -> bytes:
    """Return the EIP-712 hash of a Safe transaction without any refund of gas: what an owner signs."""
    assert 0 < transaction.chain_id < 1 << 64, "a chain has an id"
    domain = abi.encode(("uint256", "address"), (transaction.chain_id, transaction.safe))
    content = abi.encode(
        ("address", "uint256", "uint256", "uint8", *_NO_REFUND_KINDS, "uint256"),
        (
            transaction.to,
            transaction.value_wei,
            int.from_bytes(keccak(_calldata(transaction))),
            transaction.operation,
            *_NO_REFUND,
            transaction.nonce,
        ),
    )
    separator = keccak(DOMAIN_TYPEHASH + domain)
    return bytes(keccak(b"\x19\x01" + separator + keccak(SAFE_TX_TYPEHASH + content)))


def execution_values(transaction: SafeTransaction, signatures: bytes) -> tuple[abi.Value, ...]:
    """Return the arguments of `EXECUTE`; signatures stand in the order of their owners' addresses."""
    return (
        transaction.to,
        transaction.value_wei,
        _calldata(transaction),
        transaction.operation,
        *_NO_REFUND,
        signatures,
    )


async def read_safe(rpc: Rpc, address: str, chain_id: int) -> SafeState | SafeRefused:
    """Return what the Safe at an address is, all at one block, or why it is none this house deals with."""
    place = abi.address(address)
    number = values.quantity(result_of(await rpc.call("eth_blockNumber"), "block number"), "block number")
    block = values.to_quantity(number)
    code, slot = await rpc.batch(
        [
            RpcCall(method="eth_getCode", params=(place, block)),
            RpcCall(method="eth_getStorageAt", params=(place, _SINGLETON_SLOT, block)),
        ]
    )
    if (found := _code_hash(code)) != PROXY_CODE:
        what = f"its code is {found}" if found else "there is no code"
        return SafeRefused(
            reason=SafeReason.NOT_A_SAFE, detail=f"{place}: {what}; allowed: a Safe's proxy, {PROXY_CODE}"
        )
    singleton = _slot_address(slot, "singleton")
    answers = await rpc.batch(
        [
            RpcCall(method="eth_getCode", params=(singleton, block)),
            *(_view(place, data, block) for data in _QUESTIONS),
            RpcCall(method="eth_getStorageAt", params=(place, GUARD_SLOT, block)),
            RpcCall(method="eth_getStorageAt", params=(place, FALLBACK_SLOT, block)),
        ]
    )
    runs = _code_hash(answers[0])
    if runs not in SINGLETON_CODES:
        detail = f"{place} runs {singleton}, code {runs}; allowed: Safe {SAFE_VERSION} as it was published"
        return SafeRefused(reason=SafeReason.OTHER_SINGLETON, detail=detail)
    return _state(answers[1:], chain_id=chain_id, place=place, block=number, kind=SINGLETON_CODES[runs])


async def check_transaction(
    rpc: Rpc, transaction: SafeTransaction, *, signer: str, chain_id: int
) -> SafeState | SafeRefused:
    """
    Return the Safe if `signer` alone may sign this for it, or why not; ask it before every signature.

    The hash is computed here and by the contract; two readings of one transaction are none.
    """
    state = await read_safe(rpc, transaction.safe, chain_id)
    if isinstance(state, SafeRefused):
        return state
    refusal = refusal_of(state, transaction, signer)
    if refusal is not None:
        return refusal
    theirs = await _contract_hash(rpc, transaction)
    ours = transaction_hash(transaction)
    if theirs != ours:
        detail = f"the contract says {values.to_data(theirs)}; allowed: {values.to_data(ours)}"
        return SafeRefused(reason=SafeReason.OTHER_HASH, detail=detail)
    return state


async def try_execution(
    rpc: Rpc, transaction: SafeTransaction, signatures: bytes, *, relayer: str
) -> SafeRefused | None:
    """Return why executing would fail now if `relayer` sent it, in the contract's word (GS026), or None."""
    if len(signatures) % _SIGNATURE_BYTES or not signatures:
        detail = f"{len(signatures)} bytes; allowed: {_SIGNATURE_BYTES} a signature"
        return SafeRefused(reason=SafeReason.WRONG_SIGNATURE, detail=detail)
    answer = await RpcReads(rpc).call(
        to=transaction.safe,
        data=EXECUTE.encode(*execution_values(transaction, signatures)),
        block="latest",
        sender=relayer,
        gas=EXECUTE_GAS,
    )
    if isinstance(answer, Reverted):
        said = explain(answer.data, answer.message)
        return SafeRefused(reason=SafeReason.REVERTS, detail=said.detail)
    if EXECUTE.returned(answer) != (True,):
        return SafeRefused(reason=SafeReason.REVERTS, detail="the call inside fails")
    return None


_NO_REFUND_KINDS = ("uint256", "uint256", "uint256", "address", "address")
_NO_REFUND: tuple[abi.Value, ...] = (0, 0, 0, ADDRESS_ZERO, ADDRESS_ZERO)
"""safeTxGas, baseGas, gasPrice, gasToken, refundReceiver: with gasPrice 0 nobody is paid for relaying."""

_QUESTIONS = (
    VERSION.encode(),
    OWNERS.encode(),
    THRESHOLD.encode(),
    NONCE.encode(),
    MODULES.encode(_FIRST_MODULE, _MODULES_SHOWN),
)


async def _contract_hash(rpc: Rpc, transaction: SafeTransaction) -> bytes:
    """Return what the contract hashes a transaction to."""
    *arguments, _ = execution_values(transaction, b"")
    data = HASH_OF.encode(*arguments, transaction.nonce)
    [answer] = await rpc.batch([_view(transaction.safe, data, "latest")])
    return values.data(result_of(answer, "getTransactionHash"), "getTransactionHash", length=abi.WORD)


def _state(
    answers: list[Answer], *, chain_id: int, place: str, block: int, kind: str
) -> SafeState | SafeRefused:
    """Read the answers to `_QUESTIONS` and the two slots."""
    said = [values.data(result_of(answer, "a Safe's view"), "a Safe's view") for answer in answers[:-2]]
    [version] = VERSION.returned(said[0])
    if version != SAFE_VERSION:
        detail = f"{place} says {str(version)[:20]!r}; allowed: {SAFE_VERSION}"
        return SafeRefused(reason=SafeReason.OTHER_VERSION, detail=detail)
    return SafeState(
        chain_id=chain_id,
        address=place,
        block=block,
        kind=kind,
        version=SAFE_VERSION,
        owners=addresses(said[1]),
        threshold=THRESHOLD.returned_units(said[2]),
        nonce=NONCE.returned_units(said[3]),
        modules=addresses(said[4]),
        guard=_none_if_zero(_slot_address(answers[-2], "guard")),
        fallback_handler=_none_if_zero(_slot_address(answers[-1], "fallback handler")),
    )


def addresses(data: bytes) -> tuple[str, ...]:
    """Return the `address[]` that stands first in an answer; raise ValueError if it is cut short."""
    [start] = abi.decode(("uint256",), data)
    assert isinstance(start, int), "an offset is decoded as a number"
    [length] = abi.decode(("uint256",), data[start:])
    assert isinstance(length, int), "a length is decoded as a number"
    if length > _MEMBERS_MAX:
        raise ValueError(f"{length} members; allowed: {_MEMBERS_MAX}")
    return tuple(str(member) for member in abi.decode(("address",) * length, data[start + abi.WORD :]))


def _calldata(transaction: SafeTransaction) -> bytes:
    return values.data(transaction.data, "calldata")


def _view(to: str, data: bytes, block: str) -> RpcCall:
    request: dict[str, Json] = {"to": to, "data": values.to_data(data)}
    return RpcCall(method="eth_call", params=(request, block))


def _code_hash(answer: Answer) -> str | None:
    """Return the keccak-256 of the code an answer holds, None if it is empty."""
    code = values.data(result_of(answer, "code"), "code")
    return values.to_data(keccak(code)) if code else None


def _slot_address(answer: Answer, what: str) -> str:
    """Return the address in a storage slot."""
    word = values.data(result_of(answer, what), what, length=abi.WORD)
    return values.to_data(word[-20:])


def _none_if_zero(address: str) -> str | None:
    return None if address == ADDRESS_ZERO else address
