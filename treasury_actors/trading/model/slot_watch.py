"""
What the chain says of slots that were sent: receipts, blocks, reorganisations, a restart. Pure decisions.

A transaction is counted when its block, told by hash, is as deep as the policy asks, and ended when that
block is final. In between a reorganisation moves the slot back and counts the entry back (I23).
"""

from collections.abc import Mapping
from dataclasses import replace

from treasury_actors.trading.model.nonce_slots import Slot, Slots, SlotState, outcome_of
from treasury_actors.trading.model.signing_gate import SigningGate
from treasury_actors.trading.model.slot_acts import (
    Act,
    Alert,
    Compensate,
    Count,
    DropNode,
    End,
    Head,
    LookUp,
    LookUpBlock,
    Next,
    ReceiptAnswers,
    Sign,
    StopTrading,
    TxReceipt,
    WalletPolicy,
)
from treasury_actors.trading.model.slot_decisions import (
    bump,
    cancel_by_noop,
    may_send_last,
    may_sign,
    return_slot,
    send_again,
)
from treasury_actors.trading.model.transaction import (
    SlotId,
    TxCancelled,
    TxConfirmed,
    TxEnded,
    TxEvent,
    TxForeign,
    TxMined,
    TxReorged,
    TxReplaced,
    TxReverted,
    TxSettled,
    TxUnknown,
    UnknownCause,
)


def on_receipts(slots: Slots, slot_id: SlotId, answers: ReceiptAnswers, *, head: Head) -> Next:
    """
    Return what the receipts of a slot's attempts mean.

    A receipt puts the slot in its block, provisionally. That none exists proves something only for *all*
    attempts at once and when the nonce is used up at finality: then the transaction was foreign. A receipt
    that contradicts one we believe in proves nothing: the canonical block decides, in `on_block`.
    """
    slot = slots.get(slot_id)
    if slot is None:
        return Next()
    strange = [found.tx_hash for found in answers.found if found.tx_hash not in slot.hashes]
    if strange:
        reason = f"it answered with the receipt of {strange[0]}, which nobody asked for"
        return Next(acts=(DropNode(node=answers.node, reason=reason),))
    if slot.mined is not None:
        differs = any(found.block_hash != slot.mined.block_hash for found in answers.found)
        look = LookUpBlock(slot=slot.id, block_number=slot.mined.block_number)
        return Next(acts=(look,) if differs else ())
    if len(answers.found) == 1:
        return Next(events=(_mined(slot, answers.found[0]),))
    if answers.found:  # one nonce in two blocks: the node mixes two histories
        return Next(acts=(DropNode(node=answers.node, reason=f"two receipts for nonce {slot.id.nonce}"),))
    all_missing = all(tx_hash in answers.missing for tx_hash in slot.hashes)
    return _foreign(slots, slot, head) if all_missing else Next()


def on_block(
    slots: Slots,
    *,
    head: Head,
    canonical: Mapping[int, str],
    gate: SigningGate,
    policy: WalletPolicy,
) -> Next:
    """
    Return what a new head means for every live slot, in nonce order.

    `canonical` gives the hash of the chain's block for the numbers that slots are in, read after `head`; a
    number that is missing was not answered, and proves nothing.
    """
    result = Next()
    lowest = True
    for slot in slots.live():
        if slot.mined is not None:
            step = _watch_block(slot, slot.mined, head, canonical, gate=gate, policy=policy, lowest=lowest)
        else:
            step = _watch_pool(slots, slot, head, gate=gate, policy=policy)
        result += step
        lowest = lowest and any(isinstance(event, TxEnded) for event in step.events)
    return result


def recover(slots: Slots, *, head: Head, gate: SigningGate) -> Next:
    """
    Return what a start does first: for every live slot, in nonce order, what to ask and what to send again.

    What was signed may have been sent, so it is unknown until a node or the chain explains it; until then
    `plan_intent` refuses every intent. Nothing is signed, and what is sent is what was stored. Postings are
    repeated: their ids make sure that they count once.
    """
    result = Next()
    for slot in slots.live():
        result += _recover(slots, slot, head, gate)
    return result


def _recover(slots: Slots, slot: Slot, head: Head, gate: SigningGate) -> Next:
    if not slot.attempts:
        return return_slot(slots, slot.id, "it was not signed before the restart")
    undone = tuple(_compensate(slot, mined) for mined in slot.compensated)
    if slot.mined is not None:
        counted = (_count(slot, slot.mined),) if slot.state == SlotState.CONFIRMED else ()
        look = LookUpBlock(slot=slot.id, block_number=slot.mined.block_number)
        return Next(acts=(*undone, *counted, look))
    events: tuple[TxEvent, ...] = ()
    if slot.state != SlotState.PLANNED:
        last = slot.attempts[-1].signed
        events = (
            TxUnknown(
                slot=slot.id,
                attempt=last.attempt,
                cause=UnknownCause.RESTART,
                detail=str(slot.state),
                block_number=head.number,
            ),
        )
    look_up = LookUp(slot=slot.id, tx_hashes=slot.hashes)
    return Next(events=events, acts=(*undone, look_up, *send_again(slot, gate, elsewhere=False)))


def _watch_pool(slots: Slots, slot: Slot, head: Head, *, gate: SigningGate, policy: WalletPolicy) -> Next:
    """Look for receipts; now and then push what doesn't get into a block."""
    if not slot.attempts:
        if head.finalised_nonce > slot.id.nonce:
            return _foreign(slots, slot, head)
        if not may_sign(slot, "call", gate):
            return return_slot(slots, slot.id, f"trading is {gate.state}")
        if head.number - slot.planned.block_number >= policy.resend_blocks:
            return return_slot(slots, slot.id, "nobody signed it in time")
        return Next()
    look_up = LookUp(slot=slot.id, tx_hashes=slot.hashes)
    idle_blocks = head.number - slot.attempts[-1].touched_block
    if head.latest_nonce > slot.id.nonce or idle_blocks < policy.resend_blocks:
        return Next(acts=(look_up,))
    return Next(acts=(look_up, *_push(slots, slot, head, gate=gate, policy=policy)))


def _push(
    slots: Slots, slot: Slot, head: Head, *, gate: SigningGate, policy: WalletPolicy
) -> tuple[Act, ...]:
    """Bump what may be bumped, else send it again; take the nonce of what may not be sent any more."""
    if not may_send_last(slot, gate):
        cancel = cancel_by_noop(slots, slot.id, head=head, gate=gate, policy=policy)
        return cancel.acts if isinstance(cancel, Next) else ()
    if slot.state == SlotState.PLANNED:  # refused for want of funds: dearer would not help
        return send_again(slot, gate, elsewhere=True)
    dearer = bump(slots, slot.id, head=head, gate=gate, policy=policy)
    return (dearer,) if isinstance(dearer, Sign) else send_again(slot, gate, elsewhere=True)


def _watch_block(
    slot: Slot,
    mined: TxMined,
    head: Head,
    canonical: Mapping[int, str],
    *,
    gate: SigningGate,
    policy: WalletPolicy,
    lowest: bool,
) -> Next:
    """Compare the block by hash; count it when it is deep, end the slot when it is final."""
    block_hash = canonical.get(mined.block_number)
    if block_hash is None:
        return Next(acts=(LookUpBlock(slot=slot.id, block_number=mined.block_number),))
    if block_hash != mined.block_hash:
        return _reorged(slot, mined, gate)
    result = Next()
    depth = head.number - mined.block_number + 1
    is_final = mined.block_number <= head.finalised_number
    if slot.state == SlotState.MINED:
        if depth < policy.confirm_depth and not is_final:
            return Next()
        confirmed = TxConfirmed(
            slot=slot.id,
            attempt=mined.attempt,
            block_number=mined.block_number,
            block_hash=mined.block_hash,
            depth=depth,
        )
        result = Next(events=(confirmed,), acts=(_count(slot, mined),))
    return result + _final(slot, mined) if is_final and lowest else result


def _reorged(slot: Slot, mined: TxMined, gate: SigningGate) -> Next:
    """Move the slot back to sent; count back what was counted; look for the new block, and send again."""
    counted = slot.state == SlotState.CONFIRMED
    reorged = TxReorged(
        slot=slot.id,
        attempt=mined.attempt,
        block_number=mined.block_number,
        block_hash=mined.block_hash,
        compensates=counted,
    )
    undo = (_compensate(slot, mined),) if counted else ()
    alert = (Alert(intent=slot.intent, reason=f"a reorganisation undid {mined.tx_hash}"),) if counted else ()
    again = send_again(replace(slot, state=SlotState.SENT, mined=None), gate, elsewhere=False)
    return Next(events=(reorged,), acts=(*undo, *alert, LookUp(slot=slot.id, tx_hashes=slot.hashes), *again))


_ENDED: dict[SlotState, type[TxSettled | TxReverted | TxCancelled]] = {
    SlotState.SETTLED: TxSettled,
    SlotState.REVERTED: TxReverted,
    SlotState.CANCELLED: TxCancelled,
}


def _final(slot: Slot, mined: TxMined) -> Next:
    """End a slot whose block can't be undone any more: its other attempts never will be mined."""
    losers = tuple(
        TxReplaced(slot=slot.id, attempt=attempt.signed.attempt, winner=mined.attempt)
        for attempt in slot.attempts
        if attempt.signed.attempt != mined.attempt
    )
    outcome = outcome_of(slot)
    ended = _ENDED[outcome](
        slot=slot.id,
        intent=slot.intent,
        attempt=mined.attempt,
        tx_hash=mined.tx_hash,
        fee_wei=mined.fee_wei,
    )
    return Next(events=(*losers, ended), acts=(End(intent=slot.intent, outcome=outcome),))


def _foreign(slots: Slots, slot: Slot, head: Head) -> Next:
    """Stop trading if the nonce is used at finality, and not by us; before, nothing is proven (I27)."""
    is_lowest = slot == slots.live()[0]
    if head.finalised_nonce <= slot.id.nonce or not is_lowest:
        return Next()
    reason = f"nonce {slot.id.nonce} of {slot.id.sender} was used on chain {slot.id.chain_id}, and not by us"
    foreign = TxForeign(slot=slot.id, intent=slot.intent, finalised_nonce=head.finalised_nonce)
    end = End(intent=slot.intent, outcome=SlotState.FOREIGN, detail=reason)
    return Next(events=(foreign,), acts=(StopTrading(reason=reason), end))


def _mined(slot: Slot, receipt: TxReceipt) -> TxMined:
    return TxMined(
        slot=slot.id,
        attempt=slot.hashes.index(receipt.tx_hash),
        tx_hash=receipt.tx_hash,
        block_number=receipt.block_number,
        block_hash=receipt.block_hash,
        succeeded=receipt.succeeded,
        fee_wei=receipt.fee_wei,
        time_s=receipt.time_s,
    )


def _count(slot: Slot, mined: TxMined) -> Count:
    return Count(
        intent=slot.intent,
        tx_hash=mined.tx_hash,
        block_number=mined.block_number,
        block_hash=mined.block_hash,
        outcome=outcome_of(slot),
        fee_wei=mined.fee_wei,
    )


def _compensate(slot: Slot, mined: TxMined) -> Compensate:
    return Compensate(
        intent=slot.intent,
        tx_hash=mined.tx_hash,
        block_hash=mined.block_hash,
        outcome=outcome_of(replace(slot, mined=mined)),
        fee_wei=mined.fee_wei,
    )
