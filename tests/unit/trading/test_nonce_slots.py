"""The fold of a wallet's events: what can't have happened crashes it, by the number of the broken promise."""

from dataclasses import replace

import pytest

from tests.unit.trading.small_chain import CAP_WEI, CHAIN_ID, OWN, SWAP
from treasury_actors.errors import InvariantViolated
from treasury_actors.trading.model.nonce_slots import Slots, SlotState, fold, outcome_of
from treasury_actors.trading.model.signing_gate import SigningGate
from treasury_actors.trading.model.stop import TradingStateChanged
from treasury_actors.trading.model.transaction import (
    IntentId,
    RefusedCause,
    SlotId,
    TxCancelled,
    TxConfirmed,
    TxEvent,
    TxForeign,
    TxMined,
    TxPermitted,
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

GWEI = 10**9


def slot(nonce: int = 5) -> SlotId:
    return SlotId(chain_id=CHAIN_ID, sender=OWN, nonce=nonce)


def planned(nonce: int = 5, intent: str = "buy") -> TxPlanned:
    return TxPlanned(
        slot=slot(nonce),
        intent=IntentId(intent),
        purpose="trade",
        call=SWAP,
        fee_wei_max=CAP_WEI,
        stop_epoch=0,
        block_number=10,
    )


def signed(attempt: int = 0, nonce: int = 5, max_fee_wei: int = 10 * GWEI) -> TxSigned:
    return TxSigned(
        slot=slot(nonce),
        attempt=attempt,
        kind="call",
        tx_hash=f"0x{nonce:02}{attempt:02}",
        raw=f"0xff{nonce:02}{attempt:02}",
        max_fee_wei=max_fee_wei,
        tip_wei=max_fee_wei // 10,
        gas_limit=200_000,
        stop_epoch=0,
        block_number=10,
    )


def mined(attempt: int = 0, nonce: int = 5, block: str = "0xb1") -> TxMined:
    return TxMined(
        slot=slot(nonce),
        attempt=attempt,
        tx_hash=f"0x{nonce:02}{attempt:02}",
        block_number=11,
        block_hash=block,
        succeeded=True,
        fee_wei=7,
        time_s=132,
    )


def confirmed(attempt: int = 0, nonce: int = 5, block: str = "0xb1") -> TxConfirmed:
    return TxConfirmed(slot=slot(nonce), attempt=attempt, block_number=11, block_hash=block, depth=10)


def settled(attempt: int = 0, nonce: int = 5, intent: str = "buy") -> TxSettled:
    tx_hash = f"0x{nonce:02}{attempt:02}"
    return TxSettled(slot=slot(nonce), intent=IntentId(intent), attempt=attempt, tx_hash=tx_hash, fee_wei=7)


def reorged(*, compensates: bool, block: str = "0xb1") -> TxReorged:
    return TxReorged(slot=slot(), attempt=0, block_number=11, block_hash=block, compensates=compensates)


SENT = TxSent(slot=slot(), attempt=0, node="one", block_number=10)
LIVE = (planned(), signed(), SENT)
DONE = (*LIVE, mined(), confirmed(), settled())
NOOP = replace(signed(1, max_fee_wei=20 * GWEI), kind="noop", gas_limit=21_000)


def state_after(*events: TxEvent) -> SlotState | None:
    slots = fold(events, chain_id=CHAIN_ID, sender=OWN)
    live = slots.get(slot())
    return slots.ended_state(IntentId("buy")) if live is None else live.state


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((planned(),), SlotState.PLANNED),
        ((planned(), TxReturned(slot=slot(), intent=IntentId("buy"), reason="reverts")), None),
        ((planned(), signed()), SlotState.SIGNED),
        (LIVE, SlotState.SENT),
        ((*LIVE, signed(1, max_fee_wei=20 * GWEI)), SlotState.SENT),
        ((*LIVE, mined()), SlotState.MINED),
        ((*LIVE, mined(), SENT), SlotState.MINED),
        ((*LIVE, mined(), reorged(compensates=False)), SlotState.SENT),
        ((*LIVE, mined(), confirmed()), SlotState.CONFIRMED),
        ((*LIVE, mined(), confirmed(), reorged(compensates=True)), SlotState.SENT),
        (DONE, SlotState.SETTLED),
        ((*LIVE, TxForeign(slot=slot(), intent=IntentId("buy"), finalised_nonce=6)), SlotState.FOREIGN),
    ],
)
def test_a_slot_is_where_its_events_led(events: tuple[TxEvent, ...], state: SlotState | None) -> None:
    assert state_after(*events) == state


def test_a_definite_refusal_leads_back_to_planned_only_if_no_node_may_have_the_bytes() -> None:
    refused = TxRefused(slot=slot(), attempt=0, cause=RefusedCause.INSUFFICIENT_FUNDS, block_number=11)
    lost = TxUnknown(slot=slot(), attempt=0, cause=UnknownCause.NO_ANSWER, detail="", block_number=10)

    assert state_after(planned(), signed(), refused) == SlotState.PLANNED
    assert state_after(planned(), signed(), lost, refused) == SlotState.UNKNOWN
    assert state_after(*LIVE, refused) == SlotState.SENT


@pytest.mark.parametrize(
    ("number", "events"),
    [
        ("I20", (*DONE, planned(6, "buy"))),
        ("I20", (*LIVE, planned(6, "buy"))),
        ("I20", (*DONE, settled())),
        ("I20", (*DONE, SENT)),
        ("I20", (*LIVE, mined(), mined(block="0xb2"))),
        ("I20", (*LIVE, mined(), confirmed(), confirmed())),
        ("I20", (*LIVE, mined(), confirmed(), replace(settled(), fee_wei=8))),
        ("I20", (*LIVE, mined(), confirmed(), replace(settled(), intent=IntentId("sell")))),
        ("I20", (*LIVE, replace(mined(), tx_hash="0xee"))),
        ("I20", (*LIVE, NOOP, signed(2, max_fee_wei=40 * GWEI))),
        ("I20", (*LIVE, replace(signed(1, max_fee_wei=20 * GWEI), tx_hash=signed().tx_hash))),
        ("I20", (*LIVE, mined(), confirmed(), TxReplaced(slot=slot(), attempt=0, winner=0))),
        ("I21", (planned(), planned(6, "sell"))),
        ("I21", (*LIVE, planned(7, "sell"))),
        ("I21", (*LIVE, planned(5, "sell"))),
        ("I21", (*DONE, planned(5, "sell"))),
        ("I21", (*DONE, planned(7, "sell"))),
        ("I21", (replace(planned(), slot=replace(slot(), chain_id=1)),)),
        ("I21", (*LIVE, TxReturned(slot=slot(), intent=IntentId("buy"), reason="late"))),
        (
            "I21",
            (
                *LIVE,
                planned(6, "sell"),
                signed(nonce=6),
                mined(nonce=6),
                confirmed(nonce=6),
                settled(nonce=6, intent="sell"),
            ),
        ),
        ("I22", (planned(), SENT)),
        ("I22", (planned(), signed(1))),
        ("I22", (*LIVE, mined(), signed(1, max_fee_wei=20 * GWEI))),
        ("I23", (*LIVE, mined(), confirmed(block="0xb2"))),
        ("I23", (*LIVE, mined(), reorged(compensates=False, block="0xb2"))),
        ("I23", (*LIVE, mined(), reorged(compensates=True))),
        ("I23", (*LIVE, mined(), confirmed(), reorged(compensates=False))),
        ("I25", (planned(), signed(max_fee_wei=51 * GWEI))),
        ("I25", (*LIVE, signed(1))),
        ("I25", (*LIVE, replace(signed(1, max_fee_wei=20 * GWEI), tip_wei=GWEI))),
        ("I27", (*LIVE, settled())),
        ("I27", (*LIVE, mined(), settled())),
        ("I27", (*LIVE, TxForeign(slot=slot(), intent=IntentId("buy"), finalised_nonce=5))),
        ("I27", (*LIVE, mined(), TxForeign(slot=slot(), intent=IntentId("buy"), finalised_nonce=6))),
    ],
)
def test_what_cannot_have_happened_crashes_the_fold(number: str, events: tuple[TxEvent, ...]) -> None:
    fold(events[:-1], chain_id=CHAIN_ID, sender=OWN)

    with pytest.raises(InvariantViolated, match=number):
        fold(events, chain_id=CHAIN_ID, sender=OWN)


def test_a_nonce_that_was_given_back_is_the_next_one() -> None:
    returned = TxReturned(slot=slot(6), intent=IntentId("sell"), reason="reverts")
    slots = fold([*LIVE, planned(6, "sell"), returned], chain_id=CHAIN_ID, sender=OWN)

    assert slots.next_nonce == 6
    slots.apply(planned(6, "sell"))
    assert slots.slot_of(IntentId("sell")) is not None


def test_the_outcome_of_a_mined_attempt_is_what_it_did() -> None:
    events: list[TxEvent] = [*LIVE, NOOP, mined(1)]
    slots = fold(events, chain_id=CHAIN_ID, sender=OWN)
    (found,) = slots.live()
    assert outcome_of(found) == SlotState.CANCELLED

    for event in (confirmed(1), TxReplaced(slot=slot(), attempt=0, winner=1)):
        slots.apply(event)
    with pytest.raises(InvariantViolated, match="I20"):
        slots.apply(settled(1))
    slots.apply(TxCancelled(slot=slot(), intent=IntentId("buy"), attempt=1, tx_hash="0x0501", fee_wei=7))
    assert slots.ended_state(IntentId("buy")) == SlotState.CANCELLED


def test_a_call_that_reverted_ends_as_reverted_and_its_fee_counts_for_its_day() -> None:
    slots = fold([*LIVE, replace(mined(), succeeded=False), confirmed()], chain_id=CHAIN_ID, sender=OWN)
    told = settled()
    slots.apply(
        TxReverted(slot=told.slot, intent=told.intent, attempt=0, tx_hash=told.tx_hash, fee_wei=told.fee_wei)
    )

    assert slots.ended_state(IntentId("buy")) == SlotState.REVERTED
    assert slots.fees_wei_of_day(86_399) == 7
    assert slots.fees_wei_of_day(86_400) == 0


def test_a_day_counts_the_dearest_attempt_of_each_slot_once() -> None:
    slots = fold([*LIVE, signed(1, max_fee_wei=20 * GWEI)], chain_id=CHAIN_ID, sender=OWN)

    assert slots.fees_wei_of_day(0) == 200_000 * 20 * GWEI
    slots.apply(mined(1))
    assert slots.fees_wei_of_day(0) == 7


def test_slots_say_what_is_live() -> None:
    assert repr(Slots(chain_id=1, sender="0xAA")) == "<Slots 0xAA on 1: none live>"
    assert repr(fold(LIVE, chain_id=CHAIN_ID, sender=OWN)).endswith("5 sent>")


def changed(state: str, epoch: int) -> TradingStateChanged:
    assert state in {"active", "reducing", "stopped"}
    return TradingStateChanged(state=state, by="operator", reason="test", epoch=epoch)  # type: ignore[arg-type]


def test_a_gate_lets_pass_what_the_state_allows() -> None:
    gate = SigningGate()
    assert gate.allows("trade", "call", 0)
    gate.apply(changed("reducing", 1))
    assert [gate.allows(p, "call", 0) for p in ("trade", "reduce", "unwind")] == [False, True, True]
    assert gate.allows("trade", "noop", 0)
    gate.apply(changed("stopped", 2))
    assert not gate.allows("reduce", "call", 2)
    assert not gate.allows("trade", "noop", 2)
    gate.apply(TxPermitted(permit="reduce", by="operator", reason="out", stop_epoch=2))
    assert gate.allows("reduce", "call", 2)
    assert not gate.allows("reduce", "call", 1), "I24: what was decided before the stop stays unsigned"
    assert not gate.allows("trade", "noop", 2)
    gate.apply(changed("active", 3))
    assert gate.permits == ()
    assert gate.allows("trade", "call", 3)
    assert not gate.allows("trade", "call", 1), "I24: nor is it signed after the resume"


def test_only_an_operator_permits_and_only_while_trading_is_stopped() -> None:
    gate = SigningGate()
    assert gate.permit("noop", "operator", "stuck") is None
    gate.apply(changed("stopped", 1))
    assert gate.permit("noop", "guardian", "stuck") is None
    permitted = gate.permit("noop", "operator", "stuck")
    assert permitted is not None
    gate.apply(permitted)
    assert gate.allows("trade", "noop", 0)
    with pytest.raises(InvariantViolated, match="I24"):
        gate.apply(replace(permitted, stop_epoch=0))


def test_a_signature_that_the_gate_forbids_crashes() -> None:
    gate = SigningGate()
    gate.check(signed(), "trade")
    gate.apply(changed("stopped", 1))
    with pytest.raises(InvariantViolated, match="I24"):
        gate.check(replace(signed(), stop_epoch=1), "trade")
