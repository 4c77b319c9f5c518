"""
A Safe as this house deals with one: what it is, what it would execute, when nothing is signed for it. Pure.

Only plain calls. A delegatecall runs foreign code with the Safe's own storage, and a refund of gas pays
whoever relays: both have emptied Safes, so a transaction here can't express the one and refuses the other.
"""

from dataclasses import dataclass
from enum import StrEnum

CALL = 0
DELEGATECALL = 1
SAFE_VERSION = "1.4.1"


class SafeReason(StrEnum):
    """Why nothing is proposed to a Safe, signed for it, or executed by it."""

    NOT_A_SAFE = "not_a_safe"  # the code there is no published proxy of a Safe
    OTHER_SINGLETON = "other_singleton"  # the proxy runs other code than the Safe 1.4.1 that was published
    OTHER_VERSION = "other_version"
    OTHER_CHAIN = "other_chain"
    OTHER_SAFE = "other_safe"
    DELEGATECALL = "delegatecall"
    EXECUTED = "executed"  # its nonce is used: a replay
    OUT_OF_TURN = "out_of_turn"  # its nonce is not the next one
    NOT_AN_OWNER = "not_an_owner"
    MORE_MUST_SIGN = "more_must_sign"
    OTHER_HASH = "other_hash"  # the contract hashes it to something else: nothing is signed
    WRONG_SIGNATURE = "wrong_signature"
    REVERTS = "reverts"


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeRefused:
    """Nothing is done. A value; `detail` is one line."""

    reason: SafeReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeTransaction:
    """
    What a Safe is to execute, of which its owners sign the EIP-712 hash.

    Attributes:
        safe, to: addresses.
        value_wei: of the chain's native asset.
        data: calldata, 0x and hex.
        nonce: the Safe's own counter, not an account's.
        operation: `CALL`; anything else is refused wherever it is looked at.
    """

    chain_id: int
    safe: str
    to: str
    value_wei: int
    data: str
    nonce: int
    operation: int = CALL


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeState:
    """
    What one Safe is at one block; addresses in lower case.

    Attributes:
        kind: which published code it runs, `Safe` or `SafeL2`.
        modules: contracts that may move everything without an owner's signature; at most the first ten.
        guard: a contract that is asked about every transaction; None without one.
        fallback_handler: a contract that answers what the Safe itself doesn't know; None without one.
    """

    chain_id: int
    address: str
    block: int
    kind: str
    version: str
    owners: tuple[str, ...]
    threshold: int
    nonce: int
    modules: tuple[str, ...]
    guard: str | None
    fallback_handler: str | None


def refusal_of(state: SafeState, transaction: SafeTransaction, signer: str) -> SafeRefused | None:
    """Return why `signer` alone must not sign this for the Safe, or None."""
    if transaction.operation != CALL:
        detail = f"operation {transaction.operation}; allowed: {CALL}, a plain call"
        return SafeRefused(reason=SafeReason.DELEGATECALL, detail=detail)
    if transaction.chain_id != state.chain_id:
        detail = f"for chain {transaction.chain_id}; the Safe is on {state.chain_id}"
        return SafeRefused(reason=SafeReason.OTHER_CHAIN, detail=detail)
    if transaction.safe.lower() != state.address:
        detail = f"for {transaction.safe}; the Safe is {state.address}"
        return SafeRefused(reason=SafeReason.OTHER_SAFE, detail=detail)
    if transaction.nonce != state.nonce:
        used = transaction.nonce < state.nonce
        detail = f"nonce {transaction.nonce}; the next is {state.nonce}"
        return SafeRefused(reason=SafeReason.EXECUTED if used else SafeReason.OUT_OF_TURN, detail=detail)
    if signer.lower() not in state.owners:
        detail = f"{signer} is none of {', '.join(state.owners)}"
        return SafeRefused(reason=SafeReason.NOT_AN_OWNER, detail=detail)
    if state.threshold != 1:
        detail = f"{state.threshold} of {len(state.owners)} must sign; use safe-propose"
        return SafeRefused(reason=SafeReason.MORE_MUST_SIGN, detail=detail)
    return None
