"""
The values of JSON-RPC, read strictly: what isn't exactly a number, bytes, an address or a hash is a fault.

The rules are Ethereum's execution-apis: a quantity is `0x` and the fewest hex digits, data is `0x` and two
hex digits a byte. A node that can't write a number can't be believed about one.
"""

import re

from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.chain.model.rpc import Json, shown

_QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]*)")
_DATA = re.compile(r"0x([0-9a-fA-F]{2})*")
_WORD_BITS = 256
_HEX_BASE = 16
_BITS_A_DIGIT = 4
_ADDRESS_BYTES, _HASH_BYTES = 20, 32


def quantity(value: Json, what: str, *, bits: int = _WORD_BITS) -> int:
    """Return a number of at most `bits` bits, e.g. `"0x1b4"`; raise RpcFault for anything else."""
    if isinstance(value, str) and len(value) <= 2 + bits // _BITS_A_DIGIT + 1 and _QUANTITY.fullmatch(value):
        number = int(value, _HEX_BASE)
        if number.bit_length() <= bits:
            return number
    raise _bad(value, what, f"0x and the fewest hex digits of a number of at most {bits} bits")


def to_quantity(number: int) -> str:
    """Return a number as JSON-RPC writes it."""
    assert 0 <= number < 1 << _WORD_BITS, "a quantity is an unsigned word"
    return hex(number)


def data(value: Json, what: str, *, length: int | None = None) -> bytes:
    """Return bytes, e.g. of `"0x00ff"`, exactly `length` of them if given; raise RpcFault otherwise."""
    if isinstance(value, str) and _DATA.fullmatch(value):
        content = bytes.fromhex(value[2:])
        if length is None or len(content) == length:
            return content
    raise _bad(value, what, f"0x and two hex digits for each of {'any' if length is None else length} bytes")


def to_data(content: bytes) -> str:
    """Return bytes as JSON-RPC writes them."""
    return "0x" + content.hex()


def address(value: Json, what: str) -> str:
    """Return an address in lower case; its checksum, if it has one, is not looked at."""
    return to_data(data(value, what, length=_ADDRESS_BYTES))


def hash32(value: Json, what: str) -> str:
    """Return a hash of 32 bytes in lower case."""
    return to_data(data(value, what, length=_HASH_BYTES))


def mapping(value: Json, what: str) -> dict[str, Json]:
    """Return a JSON object."""
    if isinstance(value, dict):
        return value
    raise _bad(value, what, "an object")


def sequence(value: Json, what: str) -> list[Json]:
    """Return a JSON array."""
    if isinstance(value, list):
        return value
    raise _bad(value, what, "an array")


def field(holder: dict[str, Json], name: str, what: str) -> Json:
    """Return a field that must be there; `what` names the object."""
    if name in holder:
        return holder[name]
    raise RpcFault(RpcFaultKind.BAD_VALUE, f"{what}: no field {name!r}")


def _bad(value: Json, what: str, allowed: str) -> RpcFault:
    return RpcFault(RpcFaultKind.BAD_VALUE, f"{what}: {shown(value)}; allowed: {allowed}")
