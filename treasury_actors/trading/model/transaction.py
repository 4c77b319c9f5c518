"""
What happens to one transaction, as events: planned, signed, sent, mined, confirmed, settled. Pure.

A *slot* is one nonce of one sender on one chain, with the one intent it is for. An *attempt* is one set of
signed bytes for a slot; a bump of the fees is another attempt of the same slot. The events are the only
memory there is: `nonce_slots.Slots` is their fold, and a nonce exists nowhere else.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NewType, TypeAlias

from treasury_actors.ids import OrderId
from treasury_actors.journal.codec import Units, event

IntentId = NewType("IntentId", str)  # "trend-0007/1234/0/0/call": order, hop, step

Purpose = Literal["trade", "reduce", "unwind"]
"""What an intent is for: new risk, less risk, or an operator's way out through allow-listed calls."""

AttemptKind = Literal["call", "noop"]
"""What an attempt does with its nonce: the intent's call, or nothing (an empty payment to oneself)."""

Permit = Literal["noop", "reduce", "unwind"]
NOOP_GAS = 21_000
CALL_GAS_MIN = 25_000
"""With less, a no-op that is dearer by a bump would not always fit under the fee cap of the call."""


class UnknownCause(StrEnum):
    """Why nobody can say what became of an attempt."""

    NO_ANSWER = "no_answer"
    WRONG_HASH = "wrong_hash"
    NONCE_TOO_LOW = "nonce_too_low"
    NONCE_GAP = "nonce_gap"
    RESTART = "restart"


class RefusedCause(StrEnum):
    """Why a node definitely did not take an attempt."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    UNDERPRICED = "underpriced"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotId:
    """One nonce of one sender (a checksummed 0x address) on one chain."""

    chain_id: int
    sender: str
    nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked of the chain: `value_wei` and `data` (0x-hex) to `to`, with `gas_limit` units of gas."""

    to: str
    value_wei: Units
    data: str
    gas_limit: int


@event("trading.tx_planned", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxPlanned:
    """
    An intent was given the next nonce. Nothing is signed yet.

    Attributes:
        fee_wei_max: what any attempt may burn at most: gas limit x max fee per gas.
        stop_epoch: the epoch of trading it was decided under.
        block_number: the chain's head when it was planned.
    """

    slot: SlotId
    intent: IntentId
    purpose: Purpose
    call: Call
    fee_wei_max: Units
    stop_epoch: int
    block_number: int


@event("trading.tx_returned", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxReturned:
    """The slot was given back before anything was signed; its nonce is the next one again."""

    slot: SlotId
    intent: IntentId
    reason: str


@event("trading.tx_signed", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxSigned:
    """
    An attempt was signed. Durable before its first send.

    Attributes:
        attempt: counts from 0 in its slot.
        raw: the signed bytes, 0x-hex: what is sent, and sent again, is this text and no other.
        max_fee_wei: per gas, base fee included; `tip_wei`: per gas, to the block's producer.
        block_number: the chain's head when it was signed.
    """

    slot: SlotId
    attempt: int
    kind: AttemptKind
    tx_hash: str
    raw: str
    max_fee_wei: Units
    tip_wei: Units
    gas_limit: int
    stop_epoch: int
    block_number: int


@event("trading.tx_sent", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxSent:
    """A node took the attempt, or had it already. It may still be dropped."""

    slot: SlotId
    attempt: int
    node: str
    block_number: int


@event("trading.tx_refused", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxRefused:
    """A node definitely did not take the attempt. Bytes that may be elsewhere stay where they are."""

    slot: SlotId
    attempt: int
    cause: RefusedCause
    block_number: int


@event("trading.tx_unknown", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxUnknown:
    """The attempt may or may not be on its way. Unknown is not failed: only proof ends it (I27)."""

    slot: SlotId
    attempt: int
    cause: UnknownCause
    detail: str
    block_number: int


@event("trading.tx_mined", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxMined:
    """
    The attempt is in a block: provisional, nothing is counted.

    Attributes:
        succeeded: false if it reverted; the fee was burnt either way.
        fee_wei: the exact fee of the receipt.
        time_s: chain time of the block.
    """

    slot: SlotId
    attempt: int
    tx_hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    fee_wei: Units
    time_s: int


@event("trading.tx_reorged", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxReorged:
    """The block is no longer part of the chain. `compensates`: it had been counted, and is counted back."""

    slot: SlotId
    attempt: int
    block_number: int
    block_hash: str
    compensates: bool


@event("trading.tx_confirmed", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxConfirmed:
    """The block, by its hash, is deep enough: what the transaction brought is counted and spendable."""

    slot: SlotId
    attempt: int
    block_number: int
    block_hash: str
    depth: int


@event("trading.tx_replaced", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxReplaced:
    """Another attempt of the slot is final, so this one can never be mined."""

    slot: SlotId
    attempt: int
    winner: int


@event("trading.tx_settled", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxSettled:
    """The intent's call is final and did what it should."""

    slot: SlotId
    intent: IntentId
    attempt: int
    tx_hash: str
    fee_wei: Units


@event("trading.tx_reverted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxReverted:
    """The intent's call is final and reverted: only its fee was burnt."""

    slot: SlotId
    intent: IntentId
    attempt: int
    tx_hash: str
    fee_wei: Units


@event("trading.tx_cancelled", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxCancelled:
    """Our own no-op is final: the intent's call can never be mined."""

    slot: SlotId
    intent: IntentId
    attempt: int
    tx_hash: str
    fee_wei: Units


@event("trading.tx_foreign", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxForeign:
    """A transaction that isn't ours used the nonce, at finality: somebody else signs with our key."""

    slot: SlotId
    intent: IntentId
    finalised_nonce: int


@event("trading.tx_permitted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TxPermitted:
    """An operator allowed one kind of transaction under a stop, until trading's state changes again."""

    permit: Permit
    by: str
    reason: str
    stop_epoch: int


TxEnded: TypeAlias = TxSettled | TxReverted | TxCancelled | TxForeign
TxEvent: TypeAlias = (
    TxPlanned
    | TxReturned
    | TxSigned
    | TxSent
    | TxRefused
    | TxUnknown
    | TxMined
    | TxReorged
    | TxConfirmed
    | TxReplaced
    | TxEnded
)


def call_intent(order_id: OrderId, hop: int) -> IntentId:
    """Return the intent of a hop's call: derived, so that nothing is ever done twice."""
    return IntentId(f"{order_id}/{hop}/call")
