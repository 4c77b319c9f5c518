"""Every way a contract says no has one name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.trading.adapters.evm import abi
from treasury_actors.trading.adapters.evm.errors import CUSTOM, VenueReason, explain
from treasury_actors.trading.model.order import TradingReason

ERROR = bytes.fromhex("08c379a0")
PANIC = bytes.fromhex("4e487b71")


def said(text: str) -> bytes:
    """Return the revert data of `require(false, text)`."""
    return ERROR + abi.encode(("string",), (text,))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Too little received", VenueReason.SLIPPAGE),
        ("Transaction too old", VenueReason.DEADLINE_PASSED),
        ("STF", VenueReason.TRANSFER_FAILED),
        ("26", VenueReason.ZERO_AMOUNT),
        ("27", VenueReason.RESERVE_INACTIVE),
        ("28", VenueReason.RESERVE_FROZEN),
        ("29", VenueReason.RESERVE_PAUSED),
        ("32", VenueReason.INSUFFICIENT_BALANCE),
        ("34", VenueReason.NO_COLLATERAL),
        ("35", VenueReason.HEALTH_FACTOR),
        ("51", VenueReason.SUPPLY_CAP),
        ("75", VenueReason.PROTOCOL_ERROR),
        ("Blacklistable: account is blacklisted", VenueReason.BLACKLISTED),
        ("ERC20: transfer amount exceeds balance", VenueReason.INSUFFICIENT_BALANCE),
        ("the moon is wrong", VenueReason.REVERTED),
    ],
)
def test_a_text_has_a_name_and_is_kept(text: str, reason: VenueReason) -> None:
    refusal = explain(said(text))

    assert refusal.reason is reason
    assert text in refusal.detail


def test_an_aave_number_is_shown_with_its_name() -> None:
    assert explain(said("51")).detail == "Aave 51: SUPPLY_CAP_EXCEEDED"


@pytest.mark.parametrize("signature", CUSTOM)
def test_a_custom_error_is_found_by_its_selector(signature: str) -> None:
    selector, reason = CUSTOM[signature]

    refusal = explain(bytes.fromhex(selector) + bytes(96))

    assert (refusal.reason, refusal.detail) == (reason, signature)


@pytest.mark.parametrize(
    ("data", "message", "reason"),
    [
        (PANIC + (0x11).to_bytes(32, "big"), "", VenueReason.PANIC),
        (PANIC + (0x99).to_bytes(32, "big"), "", VenueReason.PANIC),
        (PANIC, "", VenueReason.UNKNOWN_ERROR),
        (ERROR + bytes(31), "", VenueReason.UNKNOWN_ERROR),
        (bytes.fromhex("deadbeef"), "", VenueReason.UNKNOWN_ERROR),
        (b"\x01", "", VenueReason.UNKNOWN_ERROR),
        (b"", "execution reverted", VenueReason.EMPTY_REVERT),
        (b"", "", VenueReason.EMPTY_REVERT),
        (b"", "EVM error OutOfGas", VenueReason.OUT_OF_GAS),
        (b"", "out of gas", VenueReason.OUT_OF_GAS),
        (b"", "Insufficient funds for gas * price + value", VenueReason.INSUFFICIENT_BALANCE),
    ],
)
def test_what_is_no_text_has_a_name_too(data: bytes, message: str, reason: VenueReason) -> None:
    assert explain(data, message).reason is reason


@given(st.binary(max_size=400), st.text(max_size=50))
def test_no_revert_data_crashes_the_reader_or_leaves_its_line(data: bytes, message: str) -> None:
    for start in (b"", ERROR, PANIC):
        detail = explain(start + data, message).detail

        assert detail.isprintable()
        assert len(detail) < 200


@pytest.mark.parametrize("reason", VenueReason)
def test_every_reason_has_a_word_of_the_engine(reason: VenueReason) -> None:
    assert isinstance(reason.trading, TradingReason)
    assert isinstance(reason.transient, bool)


def test_slippage_is_transient_and_a_blacklist_is_not() -> None:
    assert VenueReason.SLIPPAGE.transient
    assert VenueReason.SLIPPAGE.trading is TradingReason.ABOVE_IMPACT_LIMIT
    assert not VenueReason.BLACKLISTED.transient
