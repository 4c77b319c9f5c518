"""What comes over the control socket is taken apart strictly: odd lines get an error in words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.daemon.requests import (
    ApprovePromotion,
    GetStatus,
    MoveTreasury,
    ResumeTrading,
    StopTrading,
    parse_request,
)
from treasury_actors.ids import AssetId, EntryId

MOVE = {"command": "deposit", "asset": "USDC", "units": "1000000", "entry_id": "t/1", "reason": ""}


def test_each_command_is_understood() -> None:
    assert parse_request(b'{"command": "status"}') == GetStatus()
    assert parse_request(b'{"command": "stop", "state": "reducing", "reason": " drill "}') == StopTrading(
        state="reducing", reason="drill"
    )
    assert parse_request(b'{"command": "resume", "reason": "checked"}') == ResumeTrading(reason="checked")
    assert parse_request(
        b'{"command": "approve", "promotion": "p1", "by": "alice", "signature": "ff"}'
    ) == ApprovePromotion(promotion="p1", by="alice", signature="ff")
    assert parse_request(json.dumps(MOVE).encode()) == MoveTreasury(
        direction="deposit", asset=AssetId("USDC"), units=1_000_000, entry_id=EntryId("t/1"), reason=""
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"status", "not JSON"),
        (b"[" * 8_000, "not JSON"),
        (b"[]", "object"),
        (b"{}", "unknown command"),
        (b'{"command": ["status"]}', "unknown command"),
        (b'{"command": "halt"}', "known are status, stop"),
        (b'{"command": "status", "command": "status"}', "not JSON"),
        (b'{"command": "status", "verbose": true}', "takes exactly: nothing"),
        (b'{"command": "stop", "state": "stopped"}', "takes exactly: state, reason"),
        (b'{"command": "stop", "state": "stopped", "reason": NaN}', "not JSON"),
        (b'{"command": "stop", "state": "stopped", "reason": null}', "one line of text"),
        (b'{"command": "stop", "state": "active", "reason": "r"}', "state is stopped or reducing"),
        (b'{"command": "stop", "state": "stopped", "reason": "  "}', "needs a reason"),
        (b'{"command": "resume", "reason": ""}', "needs a reason"),
        (b'{"command": "resume", "reason": "a\\nb"}', "one line of text"),
        (b'{"command": "resume", "reason": "\\u001b[2J"}', "one line of text"),
        (b'{"command": "resume", "reason": "\\ud800"}', "one line of text"),
        (b'{"command": "resume", "reason": "' + b"r" * 1_001 + b'"}', "one line of text"),
    ],
)
def test_an_odd_line_is_named(line: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_request(line)


@pytest.mark.parametrize("units", ["0", "-1", "1.5", "1e6", "", "٣", "1" * 61, "0x10", "1_000"])
def test_units_are_a_whole_number_above_zero(units: str) -> None:
    with pytest.raises(ValueError, match="units is a whole number above 0"):
        parse_request(json.dumps({**MOVE, "units": units}).encode())


def test_units_are_no_json_number() -> None:
    with pytest.raises(ValueError, match="one line of text"):
        parse_request(json.dumps({**MOVE, "units": 1_000_000}).encode())


@given(st.binary(max_size=200))
def test_no_line_does_more_than_raise_value_error(line: bytes) -> None:
    try:
        parse_request(line)
    except ValueError as error:
        assert str(error)  # noqa: PT017 (any line may also be a request)
