"""
JSON-RPC 2.0 as bytes: strict about whose answer it is, calm about the order of a batch.

Three spellings of JSON never get in: NaN or infinity, a number too long to be one, and nesting without end.
The last would kill the process, not raise: `eth_account` (through py_ecc) lifts the recursion limit of the
whole process to 100,000, deeper than the C stack, and a node that answers 100,000 brackets would end the
house.
"""

import json
import math
import re
from collections.abc import Sequence

from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, RpcError, shown

_DEPTH_MAX = 64  # a trace nests deepest, some thirty levels
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A string, also one without an end (so that one pass suffices), or a bracket outside of any string."""


def encode(calls: Sequence[RpcCall], first_id: int) -> bytes:
    """Return the bytes of one call, or of a batch; the ids count up from `first_id`."""
    assert calls, "something is asked"
    objects = [
        {"jsonrpc": "2.0", "id": first_id + n, "method": call.method, "params": list(call.params)}
        for n, call in enumerate(calls)
    ]
    return json.dumps(objects[0] if len(objects) == 1 else objects, allow_nan=False).encode()


def decode(content: bytes, first_id: int, count: int) -> list[Answer]:
    """
    Return the answers to `count` calls in the order they were asked; raise RpcFault.

    A batch may come back in any order. A missing, double or foreign id spoils it all: then no part of it is
    surely an answer to us.
    """
    parsed = _parsed(content)
    objects: list[Json]
    if count == 1:
        objects = [parsed]
    elif isinstance(parsed, list):
        objects = parsed
    else:
        raise _not_rpc(f"answered {shown(parsed)} to a batch of {count}")
    by_id: dict[int, Answer] = {}
    for item in objects:
        number, answer = _answer(item)
        if number in by_id:
            raise _not_rpc(f"answered id {number} twice")
        by_id[number] = answer
    if sorted(by_id) != list(range(first_id, first_id + count)):
        raise _not_rpc(f"answered ids {shown(sorted(by_id))} to {first_id}..{first_id + count - 1}")
    return [by_id[first_id + n] for n in range(count)]


def _answer(item: Json) -> tuple[int, Answer]:
    """Return the id and the answer of one response object."""
    if not isinstance(item, dict) or item.get("jsonrpc") != "2.0":
        raise _not_rpc(f"answered {shown(item)}")
    number = item.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise _not_rpc(f"answered id {shown(number)}: {shown(item)}")
    error = item.get("error")
    if error is not None:
        if item.get("result") is not None:
            raise _not_rpc("answered both a result and an error")
        return number, _error(error)
    if "result" not in item:
        raise _not_rpc("answered neither a result nor an error")
    return number, item["result"]


def _error(error: Json) -> RpcError:
    if not isinstance(error, dict):
        raise _not_rpc(f"answered the error {shown(error)}")
    code, message = error.get("code"), error.get("message")
    if not isinstance(code, int) or isinstance(code, bool) or not isinstance(message, str):
        raise _not_rpc(f"answered the error {shown(error)}")
    return RpcError(code=code, message=message, data=error.get("data"))


def _parsed(content: bytes) -> Json:
    try:
        _refuse_deep(content)
        parsed: Json = json.loads(content.decode(), parse_constant=_refused, parse_float=_finite)
    except ValueError:
        what = shown(content[:200].decode(errors="replace")) or "nothing"
        raise RpcFault(RpcFaultKind.NOT_JSON, f"answered {what}; allowed: JSON") from None
    return parsed


def _refuse_deep(content: bytes) -> None:
    """Raise ValueError for brackets nested too deep, before anything recurses into them."""
    if content.count(b"[") + content.count(b"{") <= _DEPTH_MAX:
        return
    depth = 0
    for token in _TOKEN.finditer(content):
        first = content[token.start()]
        if first in b"[{":
            depth += 1
            if depth > _DEPTH_MAX:
                raise ValueError("nested too deep")
        elif first in b"]}":
            depth -= 1


def _refused(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _not_rpc(message: str) -> RpcFault:
    return RpcFault(RpcFaultKind.NOT_RPC, f"{message}; allowed: the JSON-RPC 2.0 answers to what was asked")
