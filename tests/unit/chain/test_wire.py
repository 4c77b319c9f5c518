"""JSON-RPC as bytes: only the answers to what was asked are answers."""

import importlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.rpc import RpcCall, RpcError
from treasury_actors.chain.model.wire import decode, encode

CALLS = [RpcCall(method="eth_chainId"), RpcCall(method="eth_getBalance", params=("0x1", "latest"))]
OK = {"jsonrpc": "2.0", "id": 7, "result": "0x1"}


def kind_of(content: bytes, count: int = 1) -> RpcFaultKind:
    with pytest.raises(RpcFault) as caught:
        decode(content, 7, count)
    assert len(str(caught.value)) < 400
    return caught.value.kind


def test_one_call_is_an_object_and_several_are_an_array() -> None:
    one, two = json.loads(encode(CALLS[:1], 7)), json.loads(encode(CALLS, 7))

    assert one == {"jsonrpc": "2.0", "id": 7, "method": "eth_chainId", "params": []}
    assert [item["id"] for item in two] == [7, 8]
    assert two[1]["params"] == ["0x1", "latest"]


@given(st.integers(min_value=2, max_value=30), st.randoms(use_true_random=False))
def test_a_batch_in_any_order_is_read_in_the_order_asked(count: int, chance: object) -> None:
    items = [{"jsonrpc": "2.0", "id": 7 + n, "result": n} for n in range(count)]
    chance.shuffle(items)  # type: ignore[attr-defined]

    assert decode(json.dumps(items).encode(), 7, count) == list(range(count))


def test_an_error_object_is_an_answer_and_so_is_null() -> None:
    error = {"jsonrpc": "2.0", "id": 7, "error": {"code": 3, "message": "reverted", "data": "0x08"}}

    assert decode(json.dumps(error).encode(), 7, 1) == [RpcError(code=3, message="reverted", data="0x08")]
    assert decode(json.dumps({**OK, "result": None}).encode(), 7, 1) == [None]
    assert decode(json.dumps({**OK, "error": None, "more": 1}).encode(), 7, 1) == ["0x1"]


@pytest.mark.parametrize(
    "changed",
    [
        {"id": 8},
        {"id": "7"},
        {"id": None},
        {"id": True},
        {"id": 7.0},
        {"jsonrpc": "1.0"},
        {"jsonrpc": None},
        {"error": {"code": 1, "message": "both"}},
        {"result": None, "error": "text"},
        {"result": None, "error": {"code": "1", "message": "x"}},
        {"result": None, "error": {"code": True, "message": "x"}},
        {"result": None, "error": {"message": "x"}},
        {"result": None, "error": {"code": 1}},
    ],
    ids=str,
)
def test_what_is_no_answer_to_us_is_refused(changed: dict[str, object]) -> None:
    assert kind_of(json.dumps({**OK, **changed}).encode()) is RpcFaultKind.NOT_RPC


@pytest.mark.parametrize("text", ["null", "[]", '"text"', "7", '{"jsonrpc":"2.0","id":7}', "[[]]"])
def test_json_that_is_no_answer_at_all_is_refused(text: str) -> None:
    assert kind_of(text.encode()) is RpcFaultKind.NOT_RPC


@pytest.mark.parametrize(
    "items", [[OK], [OK, OK], [OK, {**OK, "id": 9}], [OK, {**OK, "id": 8}, {**OK, "id": 9}], OK], ids=str
)
def test_a_batch_with_a_missing_double_or_foreign_id_is_refused_whole(items: object) -> None:
    assert kind_of(json.dumps(items).encode(), 2) is RpcFaultKind.NOT_RPC


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html></html>",
        b'{"jsonrpc":"2.0","id":7,"result":NaN}',
        b'{"jsonrpc":"2.0","id":7,"result":-Infinity}',
        b'{"jsonrpc":"2.0","id":7,"result":1e999}',
        b'{"jsonrpc":"2.0","id":7,"result":' + b"9" * 5_000 + b"}",
        b'{"jsonrpc":"2.0","id":7,"result":"0x1"',
        b'{"jsonrpc":"2.0","id":7,"result":"\xff"}',
        b"[" * 100_000,
        '{"jsonrpc":"2.0","id":7,"result":"0x1"}'.encode("utf-16"),
    ],
    ids=lambda content: repr(content[-16:]),
)
def test_what_is_no_json_is_refused(content: bytes) -> None:
    assert kind_of(content) is RpcFaultKind.NOT_JSON


def nested(depth: int, *, inside: str = "") -> bytes:
    return b'{"jsonrpc":"2.0","id":7,"result":' + b"[" * depth + inside.encode() + b"]" * depth + b"}"


def test_nesting_is_bounded_even_where_a_library_has_lifted_the_recursion_limit() -> None:
    """Importing eth_account lifts it beyond the C stack: there 100,000 brackets end the process."""
    importlib.import_module("eth_account")
    spread = json.dumps({**OK, "result": [[]] * 5_000}).encode()
    quoted = json.dumps({**OK, "result": ['[{"' * 5_000, "\\"]}).encode()

    assert decode(nested(63), 7, 1) != []
    assert decode(spread, 7, 1) == [[[]] * 5_000]
    assert decode(quoted, 7, 1) == [['[{"' * 5_000, "\\"]]
    assert kind_of(nested(64)) is RpcFaultKind.NOT_JSON
    assert kind_of(nested(100_000)) is RpcFaultKind.NOT_JSON
    assert kind_of(nested(100_000, inside='"]]]]')) is RpcFaultKind.NOT_JSON


@pytest.mark.parametrize("part", [b'"', b'\\"', b"[", b"[]", b'["', b"\\", b'"\\'])
def test_megabytes_of_anything_are_refused_in_one_pass(part: bytes) -> None:
    """A pass for each quote without an end would take hours here."""
    content = b'["' + part * (2_000_000 // len(part)) + b"[" * 65

    assert kind_of(content) is RpcFaultKind.NOT_JSON


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_answer_or_fault(content: bytes) -> None:
    assert kind_of(content) in {RpcFaultKind.NOT_JSON, RpcFaultKind.NOT_RPC}
