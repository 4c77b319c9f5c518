"""
What to do with a slot: plan it, sign it, read the reply to a send, bump it, cancel it. Pure decisions.

Each returns what to journal and what to do; `slot_watch` has those that follow the chain. The order they
enforce: the intent is durable, then signed, then the bytes are durable, then sent (I22).
"""

from typing import assert_never

from treasury_actors.trading.model.chain_limits import ChainReason, ChainRefusal
from treasury_actors.trading.model.fees import Fees, bump_fees, check_day_fees, choose_fees
from treasury_actors.trading.model.nonce_slots import UNEXPLAINED, Slot, Slots
from treasury_actors.trading.model.send_reply import (
    Accepted,
    AlreadyKnown,
    InsufficientFunds,
    NoAnswer,
    NonceTooHigh,
    NonceTooLow,
    SendReply,
    Underpriced,
)
from treasury_actors.trading.model.signing_gate import SigningGate
from treasury_actors.trading.model.slot_acts import (
    Act,
    Alert,
    DropNode,
    End,
    Head,
    Intent,
    LookUp,
    Next,
    Send,
    Sign,
    StopTrading,
    WalletPolicy,
)
from treasury_actors.trading.model.transaction import (
    CALL_GAS_MIN,
    AttemptKind,
    RefusedCause,
    SlotId,
    TxPlanned,
    TxRefused,
    TxReturned,
    TxSent,
    TxSigned,
    TxUnknown,
    UnknownCause,
)


def plan_intent(
    slots: Slots, intent: Intent, *, head: Head, gate: SigningGate, policy: WalletPolicy
) -> Next | ChainRefusal:
    """
    Give an intent the next nonce, or say why not.

    One at a time up to sent: nothing is planned while a slot is unsigned or unexplained. A finalised nonce
    above ours stops trading: somebody else signs with our key.
    """
    assert intent.call.gas_limit >= CALL_GAS_MIN, "a no-op must always be able to replace a call"
    if not gate.allows(intent.purpose, "call", intent.epoch):
        return ChainRefusal(reason=ChainReason.STOPPED, detail=f"{intent.purpose} while {gate.state}")
    if slots.ended(intent.intent) is not None or slots.slot_of(intent.intent) is not None:
        return ChainRefusal(reason=ChainReason.DUPLICATE_INTENT, detail=intent.intent)
    live = slots.live()
    busy = next((slot for slot in live if slot.state in UNEXPLAINED), None)
    if busy is not None:
        return ChainRefusal(
            reason=ChainReason.UNEXPLAINED_SLOT, detail=f"nonce {busy.id.nonce}: {busy.state}"
        )
    if len(live) >= policy.in_flight_max:
        return ChainRefusal(reason=ChainReason.TOO_MANY_IN_FLIGHT, detail=f"{len(live)} slots")
    nonce = head.finalised_nonce if slots.next_nonce is None else slots.next_nonce
    if head.finalised_nonce > nonce:
        reason = f"{slots.sender} has used nonce {nonce} on chain {slots.chain_id}, and not through us"
        return Next(acts=(StopTrading(reason=reason),))
    if head.latest_nonce > nonce:
        detail = f"the chain counts {head.latest_nonce} transactions, we {nonce}: wait for finality"
        return ChainRefusal(reason=ChainReason.NONCE_NOT_OURS, detail=detail)
    planned = TxPlanned(
        slot=SlotId(chain_id=slots.chain_id, sender=slots.sender, nonce=nonce),
        intent=intent.intent,
        purpose=intent.purpose,
        call=intent.call,
        fee_wei_max=intent.fee_wei_max,
        stop_epoch=intent.epoch,
        block_number=head.number,
    )
    return Next(events=(planned,))


def return_slot(slots: Slots, slot_id: SlotId, reason: str) -> Next:
    """Give an unsigned slot back, after a revert in simulation or a refusal: its nonce is used next."""
    slot = slots.get(slot_id)
    if slot is None or slot.attempts:
        return Next()
    returned = TxReturned(slot=slot.id, intent=slot.intent, reason=reason)
    return Next(events=(returned,), acts=(End(intent=slot.intent, outcome=None, detail=reason),))


def sign_first(slots: Slots, slot_id: SlotId, *, head: Head, gate: SigningGate, policy: WalletPolicy) -> Next:
    """Ask for the first signature of a slot whose simulation went well; give it back if it gets none."""
    slot = slots.get(slot_id)
    if slot is None or slot.attempts:
        return Next()
    if not may_sign(slot, "call", gate):
        return return_slot(slots, slot_id, f"{ChainReason.STOPPED}: trading is {gate.state}")
    call = slot.planned.call
    fees = choose_fees(policy.fees, head.fees, gas_limit=call.gas_limit, fee_wei_max=slot.planned.fee_wei_max)
    sign = _signature(slots, slot, "call", fees, head=head, policy=policy)
    if isinstance(sign, ChainRefusal):
        return return_slot(slots, slot_id, f"{sign.reason}: {sign.detail}")
    return Next(acts=(sign,))


def store_signed(slots: Slots, sign: Sign, *, raw: str, tx_hash: str, head: Head, gate: SigningGate) -> Next:
    """
    Return the event that stores signed bytes, and their first send.

    Empty if the slot moved on, or trading was stopped, while the signer was at work: then the bytes are
    thrown away, and have never left the process.
    """
    if not is_due(slots, sign, gate):
        return Next()
    signed = TxSigned(
        slot=sign.slot,
        attempt=sign.attempt,
        kind=sign.kind,
        tx_hash=tx_hash,
        raw=raw,
        max_fee_wei=sign.fees.max_fee_wei,
        tip_wei=sign.fees.tip_wei,
        gas_limit=sign.call.gas_limit,
        stop_epoch=gate.epoch,
        block_number=head.number,
    )
    send = Send(slot=sign.slot, attempt=sign.attempt, tx_hash=tx_hash, raw=raw)
    return Next(events=(signed,), acts=(send,))


def after_send(
    slots: Slots,
    send: Send,
    reply: SendReply,
    *,
    node: str,
    head: Head,
    gate: SigningGate,
    policy: WalletPolicy,
) -> Next:
    """Return what a node's reply to a send means. Only a receipt proves an outcome; most replies don't."""
    slot = slots.get(send.slot)
    if slot is None:
        return Next()
    match reply:
        case Accepted() if reply.tx_hash.lower() != send.tx_hash.lower():
            return _after_lie(slots, slot, send, node=node, head=head, gate=gate, policy=policy)
        case _ if slot.in_block:
            return Next()
        case Accepted() | AlreadyKnown():
            sent = TxSent(slot=slot.id, attempt=send.attempt, node=node, block_number=head.number)
            return Next(events=(sent,))
        case NonceTooLow():
            unknown = _unknown(send, UnknownCause.NONCE_TOO_LOW, node, head)
            return Next(events=(unknown,), acts=(LookUp(slot=slot.id, tx_hashes=slot.hashes),))
        case NonceTooHigh():
            unknown = _unknown(send, UnknownCause.NONCE_GAP, node, head)
            return Next(events=(unknown,), acts=_fill_gap(slots, slot, gate))
        case Underpriced():
            refused = _refused(send, RefusedCause.UNDERPRICED, head)
            dearer = bump(slots, slot.id, head=head, gate=gate, policy=policy)
            return Next(events=(refused,), acts=(dearer,) if isinstance(dearer, Sign) else ())
        case InsufficientFunds():
            refused = _refused(send, RefusedCause.INSUFFICIENT_FUNDS, head)
            alert = Alert(intent=slot.intent, reason=f"{slot.id.sender} can't pay the gas of {slot.intent}")
            return Next(events=(refused,), acts=(alert,))
        case NoAnswer():
            unknown = _unknown(send, UnknownCause.NO_ANSWER, f"{node}: {reply.detail}", head)
            return Next(events=(unknown,), acts=send_again(slot, gate, elsewhere=True))
        case _:
            assert_never(reply)


def bump(
    slots: Slots, slot_id: SlotId, *, head: Head, gate: SigningGate, policy: WalletPolicy
) -> Sign | ChainRefusal:
    """Return the signature of a dearer attempt of the same kind, or why there is none."""
    slot = slots.get(slot_id)
    if slot is None or slot.in_block or not slot.attempts:
        return ChainRefusal(reason=ChainReason.NOTHING_TO_REPLACE, detail=f"nonce {slot_id.nonce}")
    last = slot.attempts[-1].signed
    if not (may_sign(slot, last.kind, gate) and may_send_last(slot, gate)):
        return ChainRefusal(reason=ChainReason.STOPPED, detail=f"{slot.purpose} while {gate.state}")
    return _dearer(slots, slot, last.kind, head=head, policy=policy)


def cancel_by_noop(
    slots: Slots, slot_id: SlotId, *, head: Head, gate: SigningGate, policy: WalletPolicy
) -> Next | ChainRefusal:
    """
    Return how to take a slot's nonce with nothing: a dearer no-op, or giving it back if nobody signed yet.

    Which of the attempts wins is the chain's to say; both are followed to the end.
    """
    slot = slots.get(slot_id)
    if slot is None or slot.in_block:
        return ChainRefusal(reason=ChainReason.NOTHING_TO_REPLACE, detail=f"nonce {slot_id.nonce}")
    if not slot.attempts:
        return return_slot(slots, slot_id, "cancelled before it was signed")
    if not may_sign(slot, "noop", gate):
        return ChainRefusal(reason=ChainReason.STOPPED, detail=f"a no-op while {gate.state}")
    sign = _dearer(slots, slot, "noop", head=head, policy=policy)
    return sign if isinstance(sign, ChainRefusal) else Next(acts=(sign,))


def may_sign(slot: Slot, kind: AttemptKind, gate: SigningGate) -> bool:
    """Say whether the gate lets a slot be signed: a no-op is a new decision, a call is not (I24)."""
    return gate.allows(slot.purpose, kind, gate.epoch if kind == "noop" else slot.planned.stop_epoch)


def may_send_last(slot: Slot, gate: SigningGate) -> bool:
    """Say whether the gate lets the slot's last bytes be sent (I24)."""
    last = slot.attempts[-1].signed
    return gate.allows(slot.purpose, last.kind, last.stop_epoch)


def is_due(slots: Slots, act: Sign | Send, gate: SigningGate) -> bool:
    """
    Say whether to sign or send still, asked right before it: the slot or trading may have moved on (I24).

    An act that isn't due is dropped; `slot_watch.on_block` asks again for what is still needed.
    """
    slot = slots.get(act.slot)
    if slot is None or slot.in_block:
        return False
    if isinstance(act, Sign):
        return act.attempt == len(slot.attempts) and may_sign(slot, act.kind, gate)
    signed = slot.attempts[act.attempt].signed
    return gate.allows(slot.purpose, signed.kind, signed.stop_epoch)


def send_again(slot: Slot, gate: SigningGate, *, elsewhere: bool) -> tuple[Send, ...]:
    """Return the sending of the slot's last stored bytes, or nothing if the gate forbids it."""
    if not slot.attempts or slot.in_block or not may_send_last(slot, gate):
        return ()
    last = slot.attempts[-1].signed
    return (
        Send(slot=slot.id, attempt=last.attempt, tx_hash=last.tx_hash, raw=last.raw, elsewhere=elsewhere),
    )


def _dearer(
    slots: Slots, slot: Slot, kind: AttemptKind, *, head: Head, policy: WalletPolicy
) -> Sign | ChainRefusal:
    last = slot.attempts[-1].signed
    fees = bump_fees(
        policy.fees,
        Fees(max_fee_wei=last.max_fee_wei, tip_wei=last.tip_wei),
        head.fees,
        gas_limit=slot.call_of(kind).gas_limit,
        fee_wei_max=slot.planned.fee_wei_max,
    )
    return _signature(slots, slot, kind, fees, head=head, policy=policy)


def _signature(
    slots: Slots,
    slot: Slot,
    kind: AttemptKind,
    fees: Fees | ChainRefusal,
    *,
    head: Head,
    policy: WalletPolicy,
) -> Sign | ChainRefusal:
    """Hold new risk to the day's cap; an exit or a no-op is held to its own cap alone (I25)."""
    if isinstance(fees, ChainRefusal):
        return fees
    call = slot.call_of(kind)
    if slot.purpose == "trade" and kind == "call":
        refusal = check_day_fees(
            policy.fees,
            spent_wei=slots.fees_wei_of_day(head.time_s) - slot.fee_wei_at_most,
            most_wei=call.gas_limit * fees.max_fee_wei,
        )
        if refusal is not None:
            return refusal
    return Sign(slot=slot.id, attempt=len(slot.attempts), kind=kind, call=call, fees=fees)


def _after_lie(
    slots: Slots,
    slot: Slot,
    send: Send,
    *,
    node: str,
    head: Head,
    gate: SigningGate,
    policy: WalletPolicy,
) -> Next:
    """Drop a node that named a hash that isn't ours; nobody knows what it did with the bytes."""
    drop = DropNode(node=node, reason=f"it answered {send.tx_hash} with another hash")
    acts: tuple[Act, ...] = (drop,)
    if sum(slots.lies.values()) + 1 >= policy.lies_max:
        acts = (drop, StopTrading(reason=f"{node} is not the first node to lie about what we sent"))
    else:
        acts = (drop, *send_again(slot, gate, elsewhere=True))
    return Next(events=(_unknown(send, UnknownCause.WRONG_HASH, node, head),), acts=acts)


def _fill_gap(slots: Slots, slot: Slot, gate: SigningGate) -> tuple[Act, ...]:
    """
    Send what the node lacks, from the lowest nonce up, then the slot itself.

    No lower slot lacks bytes, since none is planned above an unsigned one; where the gate forbids to send
    them again, `on_block` takes their nonces by no-ops.
    """
    acts: list[Act] = []
    for lower in slots.live():
        if lower.id.nonce < slot.id.nonce:
            acts.extend(send_again(lower, gate, elsewhere=False))
    return (*acts, *send_again(slot, gate, elsewhere=not acts))


def _unknown(send: Send, cause: UnknownCause, detail: str, head: Head) -> TxUnknown:
    return TxUnknown(
        slot=send.slot, attempt=send.attempt, cause=cause, detail=detail, block_number=head.number
    )


def _refused(send: Send, cause: RefusedCause, head: Head) -> TxRefused:
    return TxRefused(slot=send.slot, attempt=send.attempt, cause=cause, block_number=head.number)
