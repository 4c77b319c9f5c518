"""What a wallet is to do next, and what it must be told to decide it: sealed values. Pure."""

from dataclasses import dataclass
from typing import TypeAlias

from treasury_actors.trading.model.fees import FeePolicy, Fees, MarketFees
from treasury_actors.trading.model.nonce_slots import SlotState
from treasury_actors.trading.model.transaction import AttemptKind, Call, IntentId, Purpose, SlotId, TxEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletPolicy:
    """
    How patient a wallet is on its chain.

    Attributes:
        confirm_depth: blocks on top of and including a transaction's own before it is counted.
        resend_blocks: after so many without a block of its own, an attempt is bumped or sent again.
        in_flight_max: live slots; a node keeps few of one sender.
        lies_max: after so many wrong hashes in answer to sends, from whichever nodes, trading stops.
    """

    fees: FeePolicy
    confirm_depth: int = 10
    resend_blocks: int = 4
    in_flight_max: int = 16
    lies_max: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """
    The chain as one block sees it.

    Attributes:
        time_s: chain time of the block.
        fees: what its successor will ask.
        latest_nonce: the sender's transaction count at this block.
        finalised_number: the newest block that can't be undone.
        finalised_nonce: the sender's transaction count at that block.
    """

    number: int
    time_s: int
    fees: MarketFees
    latest_nonce: int
    finalised_number: int
    finalised_nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is to be done once. `fee_wei_max` is from `fees.fee_cap_wei`; `epoch` that of the decision."""

    intent: IntentId
    purpose: Purpose
    call: Call
    fee_wei_max: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TxReceipt:
    """A receipt, as a node tells it. `fee_wei` is from `fees.receipt_fee_wei`."""

    tx_hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    fee_wei: int
    time_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptAnswers:
    """
    What a node answered to a `LookUp`.

    Attributes:
        missing: the hashes it said "none" for; a hash that is neither found nor missing wasn't answered.
    """

    node: str
    found: tuple[TxReceipt, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Sign `call` with the slot's nonce, then `slot_decisions.store_signed`; the bytes go nowhere before."""

    slot: SlotId
    attempt: int
    kind: AttemptKind
    call: Call
    fees: Fees


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """
    Send these stored bytes once, without retries.

    Attributes:
        elsewhere: not to the node that was asked last. If every node was asked since the last block, don't
            send at all: `on_block` comes back to it.
    """

    slot: SlotId
    attempt: int
    tx_hash: str
    raw: str
    elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """Ask for the receipts of all these attempts of one slot."""

    slot: SlotId
    tx_hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpBlock:
    """Ask for the hash of the canonical block of this number; `on_block` takes it."""

    slot: SlotId
    block_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """
    Post what the receipt brought: the fill if `outcome` is settled, the fee in any case.

    Its entry id is derived from intent and block hash, so that a repeat after a restart changes nothing.
    """

    intent: IntentId
    tx_hash: str
    block_number: int
    block_hash: str
    outcome: SlotState
    fee_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensate:
    """Post the reverse of the entry that was counted for this intent and block: never a deletion."""

    intent: IntentId
    tx_hash: str
    block_hash: str
    outcome: SlotState
    fee_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The intent is over: what it still holds is released. `outcome` is None if it was never signed."""

    intent: IntentId
    outcome: SlotState | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTrading:
    """Somebody else has the key, or the nodes lie: stop, and let a person look."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DropNode:
    """Ask this node no more."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Tell a person, and the agent whose intent it is."""

    intent: IntentId
    reason: str


Act: TypeAlias = (
    Sign | Send | LookUp | LookUpBlock | Count | Compensate | End | StopTrading | DropNode | Alert
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """
    What a decision comes to: events to journal and fold, then acts to do, both in order.

    `Count`, `Compensate` and `End` are posted before the flush that makes the events durable, so that one
    commit has both; `Sign`, `Send` and everything else that leaves the process comes after it.
    """

    events: tuple[TxEvent, ...] = ()
    acts: tuple[Act, ...] = ()

    def __add__(self, other: "Next") -> "Next":
        return Next(events=self.events + other.events, acts=self.acts + other.acts)
