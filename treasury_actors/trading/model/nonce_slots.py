"""
The nonces of one wallet on one chain: a fold over transaction events, which crashes on an impossible one.

There is no counter. A nonce exists as a slot that was planned together with its intent (I21); live slots are
contiguous from the lowest that isn't final, and end in that order. What to do next is decided in
`slot_decisions`; here is only what is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from treasury_actors.errors import InvariantViolated
from treasury_actors.trading.model.transaction import (
    NOOP_GAS,
    AttemptKind,
    Call,
    IntentId,
    Purpose,
    SlotId,
    TxCancelled,
    TxConfirmed,
    TxEnded,
    TxEvent,
    TxForeign,
    TxMined,
    TxPlanned,
    TxRefused,
    TxReorged,
    TxReplaced,
    TxReturned,
    TxReverted,
    TxSent,
    TxSettled,
    TxSigned,
    TxUnknown,
    UnknownCause,
)

DAY_S = 86_400


class SlotState(StrEnum):
    """Where a slot is in its life; from `SETTLED` on there is no way out."""

    PLANNED = "planned"
    SIGNED = "signed"
    SENT = "sent"
    UNKNOWN = "unknown"
    MINED = "mined"
    CONFIRMED = "confirmed"
    SETTLED = "settled"
    REVERTED = "reverted"
    CANCELLED = "cancelled"
    FOREIGN = "foreign"


IN_BLOCK = frozenset({SlotState.MINED, SlotState.CONFIRMED})
UNEXPLAINED = frozenset({SlotState.PLANNED, SlotState.SIGNED, SlotState.UNKNOWN})
"""While a slot is in one of these, no other intent is planned: one at a time up to sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """
    One set of signed bytes.

    Attributes:
        exposed: some node has, or may have, the bytes. It never becomes false again.
        touched_block: the chain's head when the attempt was last signed, sent or refused.
        replaced: another attempt of the slot is final.
    """

    signed: TxSigned
    exposed: bool
    touched_block: int
    replaced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """
    A nonce with its intent, its attempts, and the block one of them is in.

    Attributes:
        compensated: what was counted and counted back, so that a restart can make sure of both.
    """

    planned: TxPlanned
    state: SlotState = SlotState.PLANNED
    attempts: tuple[Attempt, ...] = ()
    mined: TxMined | None = None
    compensated: tuple[TxMined, ...] = ()

    @property
    def id(self) -> SlotId:
        """The slot's chain, sender and nonce."""
        return self.planned.slot

    @property
    def intent(self) -> IntentId:
        """What the slot is for."""
        return self.planned.intent

    @property
    def purpose(self) -> Purpose:
        """What the intent is for."""
        return self.planned.purpose

    @property
    def hashes(self) -> tuple[str, ...]:
        """The hashes of all attempts, in the order they were signed."""
        return tuple(attempt.signed.tx_hash for attempt in self.attempts)

    @property
    def in_block(self) -> bool:
        """Whether an attempt is in a block that we believe in."""
        return self.state in IN_BLOCK

    @property
    def fee_wei_at_most(self) -> int:
        """What the slot has burnt, or may burn: one attempt at most is ever mined."""
        if self.mined is not None:
            return self.mined.fee_wei
        return max((a.signed.gas_limit * a.signed.max_fee_wei for a in self.attempts), default=0)

    def kind_of(self, attempt: int) -> AttemptKind:
        """Return what an attempt does with the nonce."""
        return self.attempts[attempt].signed.kind

    def call_of(self, kind: AttemptKind) -> Call:
        """Return the intent's call, or the empty payment to oneself that takes its nonce."""
        if kind == "call":
            return self.planned.call
        return Call(to=self.id.sender, value_wei=0, data="0x", gas_limit=NOOP_GAS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """
    How a slot ended.

    Attributes:
        mined: the attempt that is final; None if somebody else's transaction is.
    """

    state: SlotState
    mined: TxMined | None


class Slots:
    """
    The live slots of one sender on one chain, in nonce order, and what became of every ended intent.

    Start and recovery fold the same events the live wallet applies, so both end with the same slots.
    """

    __slots__ = ("_chain_id", "_day_fees_wei", "_ended", "_floor", "_hashes", "_live", "_sender", "lies")

    def __init__(self, *, chain_id: int, sender: str) -> None:
        self._chain_id = chain_id
        self._sender = sender
        self._floor: int | None = None
        self._live: dict[int, Slot] = {}
        self._ended: dict[IntentId, Ended] = {}
        self._hashes: dict[str, SlotId] = {}
        self._day_fees_wei: dict[int, int] = {}
        self.lies: dict[str, int] = {}
        """How often each node answered a send with a hash that isn't ours."""

    def __repr__(self) -> str:
        states = ", ".join(f"{nonce} {slot.state}" for nonce, slot in self._live.items())
        return f"<Slots {self._sender} on {self._chain_id}: {states or 'none live'}>"

    @property
    def chain_id(self) -> int:
        """The pinned chain."""
        return self._chain_id

    @property
    def sender(self) -> str:
        """The wallet's address."""
        return self._sender

    @property
    def next_nonce(self) -> int | None:
        """The nonce of the next intent; None before the first: then the chain's finalised nonce is."""
        return None if self._floor is None else self._floor + len(self._live)

    def live(self) -> tuple[Slot, ...]:
        """Return the slots that have not ended, in nonce order."""
        return tuple(self._live[nonce] for nonce in sorted(self._live))

    def get(self, slot: SlotId) -> Slot | None:
        """Return a live slot; None if it has ended or never was."""
        return self._live.get(slot.nonce) if self._is_ours(slot) else None

    def slot_of(self, intent: IntentId) -> Slot | None:
        """Return the live slot of an intent."""
        return next((slot for slot in self._live.values() if slot.intent == intent), None)

    def ended(self, intent: IntentId) -> Ended | None:
        """Return how an intent ended; None if it has not, or was given back unsigned."""
        return self._ended.get(intent)

    def ended_state(self, intent: IntentId) -> SlotState | None:
        """Return the state an intent ended in; None if it has not, or was given back unsigned."""
        ended = self._ended.get(intent)
        return None if ended is None else ended.state

    def fees_wei_of_day(self, time_s: int) -> int:
        """Return what the UTC day of `time_s` (chain time) has burnt and may still burn, in wei (I25)."""
        day = time_s // DAY_S
        live = (s for s in self._live.values() if s.mined is None or s.mined.time_s // DAY_S == day)
        return self._day_fees_wei.get(day, 0) + sum(slot.fee_wei_at_most for slot in live)

    def apply(self, event: TxEvent) -> None:
        """Fold an event; raise InvariantViolated for one that can't have happened."""
        if isinstance(event, TxPlanned):
            self._plan(event)
            return
        slot = self.get(event.slot)
        if slot is None:
            raise InvariantViolated(f"I20: {type(event).__name__} for {event.slot}, which isn't live")
        match event:
            case TxReturned():
                self._return(slot)
            case TxSigned():
                self._put(_sign(slot, event))
                if event.tx_hash in self._hashes:
                    raise InvariantViolated(f"I20: {event.tx_hash} was signed before")
                self._hashes[event.tx_hash] = slot.id
            case TxSent() | TxUnknown() | TxRefused():
                self._put(_answer(slot, event))
                if isinstance(event, TxUnknown) and event.cause == UnknownCause.WRONG_HASH:
                    self.lies[event.detail] = self.lies.get(event.detail, 0) + 1
            case TxMined() | TxReorged() | TxConfirmed() | TxReplaced():
                self._put(_move(slot, event))
            case TxSettled() | TxReverted() | TxCancelled() | TxForeign():
                self._end(slot, event)
            case _:
                assert_never(event)

    def _is_ours(self, slot: SlotId) -> bool:
        return slot.chain_id == self._chain_id and slot.sender == self._sender

    def _put(self, slot: Slot) -> None:
        self._live[slot.id.nonce] = slot

    def _plan(self, event: TxPlanned) -> None:
        expected = self.next_nonce
        if not self._is_ours(event.slot) or (expected is not None and event.slot.nonce != expected):
            raise InvariantViolated(f"I21: {event.slot} is not the next slot, which is {expected}")
        if event.intent in self._ended or self.slot_of(event.intent) is not None:
            raise InvariantViolated(f"I20: {event.intent} has a slot, or had one")
        if any(not slot.attempts for slot in self._live.values()):
            raise InvariantViolated(f"I21: {event.slot} is planned above a nonce that nobody signed for")
        if self._floor is None:
            self._floor = event.slot.nonce
        self._live[event.slot.nonce] = Slot(planned=event)

    def _return(self, slot: Slot) -> None:
        if slot.attempts:
            raise InvariantViolated(f"I21: {slot.id} was given back, but bytes for it exist")
        del self._live[slot.id.nonce]  # nobody plans above an unsigned slot, so it was the highest

    def _end(self, slot: Slot, event: TxEnded) -> None:
        if slot.id.nonce != self._floor:
            raise InvariantViolated(f"I21: {slot.id} ended before nonce {self._floor}")
        state = _ended_state(slot, event)
        if slot.mined is not None:
            day = slot.mined.time_s // DAY_S
            self._day_fees_wei[day] = self._day_fees_wei.get(day, 0) + slot.mined.fee_wei
        self._ended[slot.intent] = Ended(state=state, mined=slot.mined)
        del self._live[slot.id.nonce]
        self._floor += 1


def _attempt(slot: Slot, number: int) -> Attempt:
    if not 0 <= number < len(slot.attempts):
        raise InvariantViolated(f"I22: attempt {number} of {slot.id} was never stored")
    return slot.attempts[number]


def _with_attempt(slot: Slot, number: int, attempt: Attempt) -> tuple[Attempt, ...]:
    return (*slot.attempts[:number], attempt, *slot.attempts[number + 1 :])


def _sign(slot: Slot, event: TxSigned) -> Slot:
    """Store another attempt: of the same intent, dearer than the last, and within what the slot may burn."""
    if slot.in_block or event.attempt != len(slot.attempts):
        raise InvariantViolated(f"I22: attempt {event.attempt} of {slot.id}, which is {slot.state}")
    most = event.gas_limit * event.max_fee_wei
    if most > slot.planned.fee_wei_max or event.tip_wei > event.max_fee_wei:
        raise InvariantViolated(f"I25: {most} wei for {slot.id}, at most {slot.planned.fee_wei_max}")
    if slot.attempts:
        last = slot.attempts[-1].signed
        if event.max_fee_wei <= last.max_fee_wei or event.tip_wei <= last.tip_wei:
            raise InvariantViolated(f"I25: attempt {event.attempt} of {slot.id} is not dearer in both fees")
        if last.kind == "noop" and event.kind == "call":
            raise InvariantViolated(f"I20: {slot.id} was being cancelled")
    fresh = slot.state in {SlotState.PLANNED, SlotState.SIGNED}
    stored = Attempt(signed=event, exposed=False, touched_block=event.block_number)
    state = SlotState.SIGNED if fresh else slot.state
    return replace(slot, state=state, attempts=(*slot.attempts, stored))


def _answer(slot: Slot, event: TxSent | TxUnknown | TxRefused) -> Slot:
    """Fold what a node said. What is in a block stays there whatever a node says."""
    before = _attempt(slot, event.attempt)
    after = replace(
        before,
        exposed=before.exposed or not isinstance(event, TxRefused),
        touched_block=max(before.touched_block, event.block_number),
    )
    attempts = _with_attempt(slot, event.attempt, after)
    if slot.in_block:
        state = slot.state
    elif isinstance(event, TxSent):
        state = SlotState.SENT
    elif isinstance(event, TxUnknown):
        state = SlotState.UNKNOWN
    else:
        state = slot.state if any(a.exposed for a in attempts) else SlotState.PLANNED
    return replace(slot, state=state, attempts=attempts)


def _move(slot: Slot, event: TxMined | TxReorged | TxConfirmed | TxReplaced) -> Slot:
    """Fold what the chain did to an attempt; blocks are told apart by hash, never by number (I23)."""
    attempt = _attempt(slot, event.attempt)
    if isinstance(event, TxMined):
        if slot.in_block or event.tx_hash != attempt.signed.tx_hash:
            raise InvariantViolated(f"I20: {event.tx_hash} was mined for {slot.id}, which is {slot.state}")
        attempts = _with_attempt(slot, event.attempt, replace(attempt, exposed=True))
        return replace(slot, state=SlotState.MINED, attempts=attempts, mined=event)
    mined = slot.mined
    if isinstance(event, TxReplaced):
        if slot.state != SlotState.CONFIRMED or mined is None or event.winner != mined.attempt:
            raise InvariantViolated(f"I20: attempt {event.attempt} of {slot.id} was replaced by no winner")
        if event.attempt == mined.attempt or attempt.replaced:
            raise InvariantViolated(f"I20: attempt {event.attempt} of {slot.id} was replaced twice")
        return replace(slot, attempts=_with_attempt(slot, event.attempt, replace(attempt, replaced=True)))
    if mined is None or (event.attempt, event.block_hash) != (mined.attempt, mined.block_hash):
        raise InvariantViolated(f"I23: {slot.id} is not in block {event.block_hash}")
    counted = slot.state == SlotState.CONFIRMED
    if isinstance(event, TxConfirmed):
        if counted:
            raise InvariantViolated(f"I20: {slot.id} was confirmed twice")
        return replace(slot, state=SlotState.CONFIRMED)
    if event.compensates != counted:
        raise InvariantViolated(f"I23: {slot.id} was counted or not, but its reorg says otherwise")
    compensated = (*slot.compensated, mined) if counted else slot.compensated
    return replace(slot, state=SlotState.SENT, mined=None, compensated=compensated)


def _ended_state(slot: Slot, event: TxEnded) -> SlotState:
    """Return the terminal state an event leads to; only proof ends a slot (I27)."""
    if isinstance(event, TxForeign):
        if slot.in_block or event.finalised_nonce <= slot.id.nonce:
            raise InvariantViolated(f"I27: {slot.id} is {slot.state}, not foreign")
        return SlotState.FOREIGN
    mined = slot.mined
    if slot.state != SlotState.CONFIRMED or mined is None:
        raise InvariantViolated(f"I27: {slot.id} ended while {slot.state}")
    told = (event.intent, event.attempt, event.tx_hash, event.fee_wei)
    if (
        told != (slot.intent, mined.attempt, mined.tx_hash, mined.fee_wei)
        or outcome_of(slot) != _OUTCOME[type(event)]
    ):
        raise InvariantViolated(
            f"I20: {slot.id} ended as {type(event).__name__}, which is not what was mined"
        )
    return _OUTCOME[type(event)]


_OUTCOME: dict[type, SlotState] = {
    TxSettled: SlotState.SETTLED,
    TxReverted: SlotState.REVERTED,
    TxCancelled: SlotState.CANCELLED,
}


def outcome_of(slot: Slot) -> SlotState:
    """Return what a slot that is in a block will end as, if that block becomes final."""
    assert slot.mined is not None, "only what is in a block has an outcome"
    if slot.kind_of(slot.mined.attempt) == "noop":
        return SlotState.CANCELLED
    return SlotState.SETTLED if slot.mined.succeeded else SlotState.REVERTED


def fold(events: Iterable[TxEvent], *, chain_id: int, sender: str) -> Slots:
    """Return the slots that a journal's events make."""
    slots = Slots(chain_id=chain_id, sender=sender)
    for event in events:
        slots.apply(event)
    return slots
