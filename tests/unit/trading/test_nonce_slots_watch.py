"""Each answer of a chain, each gate, and a restart: what the wallet does next."""

from dataclasses import replace

from tests.unit.trading.small_chain import FINAL_BLOCKS, FIRST_NONCE, POLICY, REVERTING
from tests.unit.trading.wallet_stage import Shell
from tests.unit.trading.wallet_steps import (
    answer,
    change,
    intent_of,
    kinds,
    send_of,
    sent_shell,
    slot_of,
    watch,
)
from treasury_actors.trading.model.chain_limits import ChainReason, ChainRefusal
from treasury_actors.trading.model.nonce_slots import SlotState
from treasury_actors.trading.model.send_reply import (
    NoAnswer,
    Underpriced,
)
from treasury_actors.trading.model.slot_acts import (
    Act,
    Alert,
    Compensate,
    Count,
    DropNode,
    End,
    LookUp,
    LookUpBlock,
    Next,
    ReceiptAnswers,
    Send,
    Sign,
    StopTrading,
)
from treasury_actors.trading.model.slot_decisions import (
    cancel_by_noop,
    plan_intent,
    sign_first,
)
from treasury_actors.trading.model.slot_watch import on_block, on_receipts, recover
from treasury_actors.trading.model.transaction import (
    IntentId,
    TxConfirmed,
    TxMined,
    TxReorged,
    TxReplaced,
    TxReturned,
    TxSent,
    TxSettled,
    TxSigned,
    TxUnknown,
    UnknownCause,
)


def test_what_is_counted_is_deep_enough_to_the_block() -> None:
    """I23: depth counts the block itself, so 4 means three blocks on top."""
    shell = sent_shell()
    shell.chain.mine()
    shell.see_block()
    for _ in range(2):
        shell.chain.mine()
        assert kinds(watch(shell)) == []
    shell.chain.mine()

    step = watch(shell)

    assert kinds(step) == [TxConfirmed, Count]
    assert [event.depth for event in step.events if isinstance(event, TxConfirmed)] == [4]


def test_a_slot_ends_when_its_block_is_final_and_not_before() -> None:
    shell = sent_shell()
    shell.cancel(slot_of(shell).id)
    for _ in range(FINAL_BLOCKS):
        shell.chain.mine()
        shell.see_block()
    assert slot_of(shell).state == SlotState.CONFIRMED
    shell.chain.mine()

    step = watch(shell)

    assert kinds(step)[0] == TxReplaced
    assert kinds(step)[-1] == End
    shell.see_block()
    assert shell.slots.live() == ()


def test_a_reorganisation_is_seen_by_hash_and_counted_back() -> None:
    """I23: the block of the same number at another hash is another block."""
    shell = sent_shell()
    for _ in range(5):
        shell.chain.mine()
        shell.see_block()
    counted = [act for act in shell.posted.values() if isinstance(act, Count)]
    shell.chain.reorg(5, keeps=False)

    step = watch(shell)

    assert kinds(step) == [TxReorged, Compensate, Alert, LookUp, Send]
    (undone,) = [act for act in step.acts if isinstance(act, Compensate)]
    assert [(act.intent, act.block_hash, act.fee_wei) for act in counted] == [
        (undone.intent, undone.block_hash, undone.fee_wei)
    ]
    (again,) = [act for act in step.acts if isinstance(act, Send)]
    assert again.raw == send_of(shell).raw


def test_a_block_that_nobody_told_proves_nothing() -> None:
    shell = sent_shell()
    shell.chain.mine()
    shell.see_block()
    shell.chain.mine()

    step = on_block(shell.slots, head=shell.chain.head, canonical={}, gate=shell.gate, policy=POLICY)

    assert kinds(step) == [LookUpBlock]


def test_a_receipt_that_contradicts_the_block_we_believe_in_is_left_to_the_block() -> None:
    shell = sent_shell()
    shell.chain.mine()
    shell.see_block()
    slot = slot_of(shell)
    (found,) = shell.chain.receipts(slot.hashes).found
    same = ReceiptAnswers(node="one", found=(found,))
    other = ReceiptAnswers(node="one", found=(replace(found, block_hash="0xee"),))

    assert on_receipts(shell.slots, slot.id, same, head=shell.chain.head) == Next()
    assert kinds(on_receipts(shell.slots, slot.id, other, head=shell.chain.head)) == [LookUpBlock]


def test_a_node_with_receipts_nobody_asked_for_or_two_for_one_nonce_is_dropped() -> None:
    shell = sent_shell()
    shell.cancel(slot_of(shell).id)
    shell.chain.mine()
    slot = slot_of(shell)
    (found,) = shell.chain.receipts(slot.hashes).found
    strange = ReceiptAnswers(node="one", found=(replace(found, tx_hash="0xee"),))
    both = ReceiptAnswers(node="one", found=tuple(replace(found, tx_hash=tx_hash) for tx_hash in slot.hashes))

    for answers in (strange, both):
        assert kinds(on_receipts(shell.slots, slot.id, answers, head=shell.chain.head)) == [DropNode]
    told = ReceiptAnswers(node="one", found=(found,))
    assert kinds(on_receipts(shell.slots, slot.id, told, head=shell.chain.head)) == [TxMined]


def test_slots_end_in_nonce_order() -> None:
    """I21: what is final waits for the slot below it, whose receipt nobody has told yet."""
    shell = sent_shell("buy", "more")
    shell.deaf = True
    shell.chain.mine()
    above = slot_of(shell, "more")
    told = shell.chain.receipts(above.hashes)
    shell.obey(on_receipts(shell.slots, above.id, told, head=shell.chain.head))
    for _ in range(FINAL_BLOCKS + 3):
        shell.chain.mine()
        shell.see_block()
    assert slot_of(shell, "more").state == SlotState.CONFIRMED

    shell.deaf = False
    shell.see_block()
    shell.see_block()

    assert shell.slots.live() == ()


def test_what_gets_into_no_block_is_bumped_after_the_patience_of_the_policy() -> None:
    shell = sent_shell()
    for _ in range(POLICY.resend_blocks - 1):
        shell.chain.mine(take=False)
        assert kinds(watch(shell)) == [LookUp]
    shell.chain.mine(take=False)

    assert kinds(watch(shell)) == [LookUp, Sign]


def test_a_transaction_that_reverted_is_counted_for_its_fee_alone() -> None:
    shell = Shell()
    shell.submit("buy", call=REVERTING)
    for _ in range(FINAL_BLOCKS + 3):
        shell.chain.mine()
        shell.see_block()

    (count,) = shell.posted.values()
    assert count.outcome == SlotState.REVERTED
    assert count.fee_wei > 0
    assert shell.slots.ended_state(IntentId("buy")) == SlotState.REVERTED


def test_a_cancelled_intent_ends_when_the_noop_is_final() -> None:
    shell = sent_shell()
    shell.cancel(slot_of(shell).id)
    for _ in range(FINAL_BLOCKS + 3):
        shell.chain.mine()
        shell.see_block()

    assert shell.slots.ended_state(IntentId("buy")) == SlotState.CANCELLED


def test_after_a_stop_nothing_is_signed_or_sent_but_what_was_sent_is_watched() -> None:
    """I24, at every gate: intake, before the signature, before the send, on a block, at recovery."""
    shell = sent_shell()
    slot = slot_of(shell)
    change(shell, "stopped")
    quiet: list[Act] = [*answer(shell, NoAnswer(detail="timeout")).acts]
    quiet += answer(shell, Underpriced()).acts
    quiet += recover(shell.slots, head=shell.chain.head, gate=shell.gate).acts
    for _ in range(POLICY.resend_blocks + 1):
        shell.chain.mine(take=False)
    quiet += watch(shell).acts

    refused = shell.submit("more")
    cancel = cancel_by_noop(shell.slots, slot.id, head=shell.chain.head, gate=shell.gate, policy=POLICY)

    assert [type(act) for act in quiet] == [LookUp, LookUp]
    assert refused is not None
    assert refused.reason == ChainReason.STOPPED
    assert isinstance(cancel, ChainRefusal)
    assert cancel.reason == ChainReason.STOPPED


def test_a_permitted_noop_may_take_the_nonce_while_trading_is_stopped() -> None:
    shell = sent_shell()
    change(shell, "stopped")
    permitted = shell.gate.permit("noop", "operator", "stuck")
    assert permitted is not None
    shell.record(permitted)

    shell.cancel(slot_of(shell).id)

    assert slot_of(shell).kind_of(1) == "noop"
    assert len(shell.chain.pool) == 1


def test_bytes_signed_while_the_stop_came_are_thrown_away() -> None:
    shell = Shell()
    planned = plan_intent(
        shell.slots, intent_of(shell), head=shell.chain.head, gate=shell.gate, policy=POLICY
    )
    assert isinstance(planned, Next)
    shell.obey(planned)
    due = sign_first(shell.slots, slot_of(shell).id, head=shell.chain.head, gate=shell.gate, policy=POLICY)
    assert kinds(due) == [Sign]
    change(shell, "stopped")

    shell.obey(due)

    assert shell.sent == []
    assert kinds(watch(shell)) == [TxReturned, End]


def test_what_was_signed_before_a_stop_is_cancelled_not_sent_after_the_resume() -> None:
    shell = sent_shell()
    change(shell, "stopped")
    change(shell, "active")
    shell.chain.pool.clear()
    for _ in range(POLICY.resend_blocks):
        shell.chain.mine()

    shell.see_block()

    assert slot_of(shell).kind_of(1) == "noop"


def test_recovery_asks_about_every_slot_in_nonce_order_and_sends_the_same_bytes() -> None:
    shell = sent_shell("buy", "more")
    before = {intent: send_of(shell, intent) for intent in ("buy", "more")}
    shell.slots, shell.gate = shell.refolded()

    step = recover(shell.slots, head=shell.chain.head, gate=shell.gate)

    assert kinds(step) == [TxUnknown, TxUnknown, LookUp, Send, LookUp, Send]
    assert [act for act in step.acts if isinstance(act, Send)] == list(before.values())
    causes = [event.cause for event in step.events if isinstance(event, TxUnknown)]
    assert causes == [UnknownCause.RESTART, UnknownCause.RESTART]


def test_recovery_repeats_the_postings_of_what_was_counted() -> None:
    shell = sent_shell()
    for _ in range(5):
        shell.chain.mine()
        shell.see_block()
    (count,) = shell.posted.values()

    assert recover(shell.slots, head=shell.chain.head, gate=shell.gate).acts[0] == count


def test_the_nonce_is_the_finalised_one_and_a_strangers_is_never_taken() -> None:
    shell = Shell()
    head = shell.chain.head
    wanted = intent_of(shell)
    ahead = replace(head, latest_nonce=FIRST_NONCE + 1)
    busy = plan_intent(shell.slots, wanted, head=ahead, gate=shell.gate, policy=POLICY)
    assert isinstance(busy, ChainRefusal)
    assert busy.reason == ChainReason.NONCE_NOT_OURS
    shell.submit("sell")
    for _ in range(FINAL_BLOCKS + 3):
        shell.chain.mine()
        shell.see_block()
    final = replace(ahead, finalised_nonce=FIRST_NONCE + 2, latest_nonce=FIRST_NONCE + 2)

    stranger = plan_intent(shell.slots, wanted, head=final, gate=shell.gate, policy=POLICY)

    assert isinstance(stranger, Next)
    assert kinds(stranger) == [StopTrading]


def test_an_intent_is_planned_once_and_only_so_many_are_in_flight() -> None:
    shell = sent_shell()
    again = shell.submit("buy")
    assert again is not None
    assert again.reason == ChainReason.DUPLICATE_INTENT
    shell.policy = replace(POLICY, in_flight_max=1)

    more = shell.submit("more")

    assert more is not None
    assert more.reason == ChainReason.TOO_MANY_IN_FLIGHT


def test_the_cap_of_the_day_holds_new_risk_and_lets_exits_pass() -> None:
    shell = Shell()
    shell.policy = replace(POLICY, fees=replace(POLICY.fees, day_wei_max=1))

    shell.submit("buy")
    shell.submit("sell", purpose="reduce")

    assert shell.slots.slot_of(IntentId("buy")) is None
    assert slot_of(shell, "sell").state == SlotState.SENT
    assert shell.ends[0].detail.startswith("fee_above_day_cap")


def test_a_whole_life_is_one_line_of_events() -> None:
    shell = sent_shell()
    for _ in range(FINAL_BLOCKS + 3):
        shell.chain.mine()
        shell.see_block()

    assert [type(event) for event in shell.events()][1:] == [
        TxSigned,
        TxSent,
        TxMined,
        TxConfirmed,
        TxSettled,
    ]
