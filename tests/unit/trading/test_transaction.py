"""The wallet's events: each is written and read back to the same value."""

import pytest

from treasury_actors.journal.codec import decode, encode, tag_of
from treasury_actors.trading.model.transaction import (
    Call,
    IntentId,
    RefusedCause,
    SlotId,
    TxCancelled,
    TxConfirmed,
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

SLOT = SlotId(chain_id=8453, sender="0xAA", nonce=7)
INTENT = IntentId("trend-0007/12/0/0/swap")
HASH, BLOCK = "0x" + "11" * 32, "0x" + "22" * 32
WEI = 10**20
"""More than SQLite's integers hold, and more than a JSON reader's doubles."""
EVENTS = [
    TxPlanned(
        slot=SLOT,
        intent=INTENT,
        purpose="trade",
        call=Call(to="0xBB", value_wei=WEI, data="0x04", gas_limit=200_000),
        fee_wei_max=WEI,
        stop_epoch=1,
        block_number=9,
    ),
    TxReturned(slot=SLOT, intent=INTENT, reason="reverted in simulation"),
    TxSigned(
        slot=SLOT,
        attempt=0,
        kind="noop",
        tx_hash=HASH,
        raw="0x02f8",
        max_fee_wei=WEI,
        tip_wei=1,
        gas_limit=21_000,
        stop_epoch=1,
        block_number=9,
    ),
    TxSent(slot=SLOT, attempt=0, node="one", block_number=9),
    TxRefused(slot=SLOT, attempt=0, cause=RefusedCause.INSUFFICIENT_FUNDS, block_number=9),
    TxUnknown(slot=SLOT, attempt=0, cause=UnknownCause.NO_ANSWER, detail="timeout", block_number=9),
    TxMined(
        slot=SLOT,
        attempt=0,
        tx_hash=HASH,
        block_number=10,
        block_hash=BLOCK,
        succeeded=True,
        fee_wei=WEI,
        time_s=120,
    ),
    TxReorged(slot=SLOT, attempt=0, block_number=10, block_hash=BLOCK, compensates=True),
    TxConfirmed(slot=SLOT, attempt=0, block_number=10, block_hash=BLOCK, depth=10),
    TxReplaced(slot=SLOT, attempt=1, winner=0),
    TxSettled(slot=SLOT, intent=INTENT, attempt=0, tx_hash=HASH, fee_wei=WEI),
    TxReverted(slot=SLOT, intent=INTENT, attempt=0, tx_hash=HASH, fee_wei=WEI),
    TxCancelled(slot=SLOT, intent=INTENT, attempt=0, tx_hash=HASH, fee_wei=WEI),
    TxForeign(slot=SLOT, intent=INTENT, finalised_nonce=8),
    TxPermitted(permit="noop", by="operator", reason="stuck", stop_epoch=2),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_read_back_as_it_was_written(event: object) -> None:
    assert decode(tag_of(event), encode(event)) == event
    assert tag_of(event).startswith("trading.tx_")


def test_wei_are_written_as_decimal_strings() -> None:
    assert f'"fee_wei":"{WEI}"' in encode(EVENTS[10])
