"""Each reply of a node to a send, and what the wallet does next: unknown is never failed (I27)."""

from dataclasses import replace

from tests.unit.trading.small_chain import CAP_WEI, FIRST_NONCE, GWEI, POLICY
from tests.unit.trading.wallet_stage import Shell
from tests.unit.trading.wallet_steps import (
    answer,
    kinds,
    send_of,
    sent_shell,
    slot_of,
)
from treasury_actors.trading.model.chain_limits import ChainReason, ChainRefusal
from treasury_actors.trading.model.nonce_slots import SlotState
from treasury_actors.trading.model.send_reply import (
    Accepted,
    AlreadyKnown,
    InsufficientFunds,
    NoAnswer,
    NonceTooHigh,
    NonceTooLow,
    Underpriced,
)
from treasury_actors.trading.model.slot_acts import (
    Alert,
    DropNode,
    End,
    LookUp,
    Next,
    ReceiptAnswers,
    Send,
    Sign,
    StopTrading,
)
from treasury_actors.trading.model.slot_decisions import (
    bump,
)
from treasury_actors.trading.model.slot_watch import on_receipts
from treasury_actors.trading.model.transaction import (
    IntentId,
    TxForeign,
    TxRefused,
    TxReturned,
    TxSent,
    TxUnknown,
)


def test_our_own_hash_means_sent() -> None:
    shell = sent_shell()

    assert kinds(answer(shell, Accepted(tx_hash=send_of(shell).tx_hash.upper()))) == [TxSent]


def test_another_hash_drops_the_node_and_sends_the_same_bytes_elsewhere() -> None:
    shell = sent_shell()

    step = answer(shell, Accepted(tx_hash="0xee"), policy=replace(POLICY, lies_max=2))

    assert kinds(step) == [TxUnknown, DropNode, Send]
    assert step.acts[1] == replace(send_of(shell), elsewhere=True)


def test_a_second_wrong_hash_stops_trading() -> None:
    shell = sent_shell()
    strict = replace(POLICY, lies_max=2)
    shell.record(answer(shell, Accepted(tx_hash="0xee"), policy=strict).events[0])

    assert kinds(answer(shell, Accepted(tx_hash="0xee"), policy=strict)) == [
        TxUnknown,
        DropNode,
        StopTrading,
    ]


def test_already_known_means_sent() -> None:
    assert kinds(answer(sent_shell(), AlreadyKnown())) == [TxSent]


def test_nonce_too_low_asks_for_the_receipts_of_all_attempts() -> None:
    shell = sent_shell()
    slot = slot_of(shell)
    shell.cancel(slot.id)

    step = answer(shell, NonceTooLow())

    assert kinds(step) == [TxUnknown, LookUp]
    assert step.acts == (LookUp(slot=slot.id, tx_hashes=slot_of(shell).hashes),)
    assert len(slot_of(shell).hashes) == 2


def test_no_receipt_at_finality_means_a_stranger_and_stops_trading() -> None:
    shell = sent_shell()
    shell.cancel(slot_of(shell).id)
    slot, head = slot_of(shell), shell.chain.head
    half = ReceiptAnswers(node="one", missing=slot.hashes[:1])
    none = ReceiptAnswers(node="one", missing=slot.hashes)
    later = replace(head, finalised_nonce=FIRST_NONCE + 1)

    assert on_receipts(shell.slots, slot.id, none, head=head) == Next()
    assert on_receipts(shell.slots, slot.id, ReceiptAnswers(node="one"), head=later) == Next()
    assert on_receipts(shell.slots, slot.id, half, head=later) == Next()
    step = on_receipts(shell.slots, slot.id, none, head=later)

    assert kinds(step) == [TxForeign, StopTrading, End]


def test_a_gap_sends_the_stored_bytes_of_lower_nonces_first() -> None:
    shell = sent_shell("buy", "more", "most")

    step = answer(shell, NonceTooHigh(), intent="most")

    assert tuple(kinds(step)) == (TxUnknown, Send, Send, Send)
    assert step.acts == tuple(send_of(shell, intent) for intent in ("buy", "more", "most"))


def test_a_gap_below_our_lowest_nonce_is_the_nodes_and_another_is_asked() -> None:
    shell = sent_shell()

    assert answer(shell, NonceTooHigh()).acts == (replace(send_of(shell), elsewhere=True),)


def test_underpriced_bumps_both_fields_within_the_cap() -> None:
    shell = sent_shell()
    last = slot_of(shell).attempts[-1].signed

    step = answer(shell, Underpriced())

    assert kinds(step) == [TxRefused, Sign]
    (sign,) = step.acts
    assert isinstance(sign, Sign)
    assert 100 * sign.fees.max_fee_wei >= 115 * last.max_fee_wei
    assert 100 * sign.fees.tip_wei >= 115 * last.tip_wei
    assert sign.fees.max_fee_wei * sign.call.gas_limit <= CAP_WEI
    assert (sign.slot.nonce, sign.call, sign.attempt) == (FIRST_NONCE, slot_of(shell).planned.call, 1)


def test_underpriced_at_the_cap_is_only_watched() -> None:
    shell = sent_shell()
    for _ in range(40):
        dearer = bump(shell.slots, slot_of(shell).id, head=shell.chain.head, gate=shell.gate, policy=POLICY)
        if isinstance(dearer, ChainRefusal):
            break
        shell.obey(Next(acts=(dearer,)))

    assert isinstance(dearer, ChainRefusal)
    assert dearer.reason == ChainReason.FEE_ABOVE_CAP
    assert kinds(answer(shell, Underpriced())) == [TxRefused]


def test_insufficient_funds_leads_back_to_planned_and_alerts() -> None:
    shell = Shell()
    shell.chain.has_funds = False
    shell.submit("buy")

    assert slot_of(shell).state == SlotState.PLANNED
    assert kinds(answer(shell, InsufficientFunds())) == [TxRefused, Alert]
    shell.chain.has_funds = True
    shell.chain.mine()
    shell.chain.mine()
    shell.chain.mine()
    shell.see_block()
    assert slot_of(shell).state == SlotState.SENT
    assert len(slot_of(shell).attempts) == 1, "the same bytes, not new ones"


def test_no_answer_is_unknown_and_sends_the_same_bytes_elsewhere() -> None:
    shell = sent_shell()

    step = answer(shell, NoAnswer(detail="timeout"))

    assert tuple(kinds(step)) == (TxUnknown, Send)
    assert step.acts == (replace(send_of(shell), elsewhere=True),)
    shell.record(step.events[0])
    assert slot_of(shell).state == SlotState.UNKNOWN
    assert shell.slots.ended_state(IntentId("buy")) is None, "I27: unknown is not failed"


def test_nothing_is_planned_while_an_outcome_is_unknown() -> None:
    shell = sent_shell()
    shell.record(answer(shell, NoAnswer(detail="timeout")).events[0])

    refused = shell.submit("more")

    assert refused is not None
    assert refused.reason == ChainReason.UNEXPLAINED_SLOT


def test_a_slot_that_gets_no_signature_is_given_back() -> None:
    shell = Shell()
    shell.chain.base_fee_wei = 1_000 * GWEI

    shell.submit("buy")

    assert shell.slots.next_nonce == FIRST_NONCE
    assert [type(event) for event in shell.events()][1:] == [TxReturned]
    (end,) = shell.ends
    assert end.outcome is None
    assert end.detail.startswith("fee_above_cap")
