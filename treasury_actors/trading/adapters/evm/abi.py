"""
Contract ABI encoding for the calls this house makes: strict, small, without a framework.

Kinds are `uintN`, `address`, `bool`, `bytes`, `bytes[]`, `string` and tuples of them. What is decoded as a
call is encoded again and compared, so calldata has one reading alone. Selectors and topics are pinned as
numbers; the tests hold them, and every layout, against web3's own encoder. The rules are Solidity's ABI
specification.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Kind: TypeAlias = "str | tuple[Kind, ...]"
Value: TypeAlias = "int | bool | str | bytes | tuple[Value, ...]"

WORD = 32
SELECTOR = 4
_ADDRESS_BITS = 160
_ADDRESS_CHARACTERS = 42
_DYNAMIC = ("bytes", "bytes[]", "string")


def address(text: str) -> str:
    """Return an address in lower case; raise ValueError if it is not 20 bytes of hex with 0x."""
    if len(text) != _ADDRESS_CHARACTERS or not text.startswith("0x"):
        raise ValueError(f"{text!r} is not an address: 0x and 40 hex digits")
    return "0x" + bytes.fromhex(text[2:]).hex()


def encode(kinds: Sequence[Kind], values: Sequence[Value]) -> bytes:
    """Return the ABI encoding of a tuple; raise ValueError for a value its kind can't hold."""
    if len(kinds) != len(values):
        raise ValueError(f"{len(values)} values for {len(kinds)} kinds")
    heads: list[bytes | None] = []
    tails: list[bytes] = []
    for kind, value in zip(kinds, values, strict=True):
        encoded = _encode_one(kind, value)
        heads.append(None if _is_dynamic(kind) else encoded)
        tails.append(encoded if _is_dynamic(kind) else b"")
    offset = sum(WORD if head is None else len(head) for head in heads)
    parts: list[bytes] = []
    for head, tail in zip(heads, tails, strict=True):
        parts.append(offset.to_bytes(WORD, "big") if head is None else head)
        offset += len(tail)
    return b"".join(parts) + b"".join(tails)


def decode(kinds: Sequence[Kind], data: bytes) -> tuple[Value, ...]:
    """Return the values of an encoded tuple, whatever follows it; raise ValueError if it is cut short."""
    values: list[Value] = []
    place = 0
    for kind in kinds:
        if _is_dynamic(kind):
            start = _word(data, place)
            place += WORD
            values.append(_decode_tail(kind, data, start))
        else:
            values.append(_decode_static(kind, data, place))
            place += _static_size(kind)
    return tuple(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A contract's function: its canonical signature, pinned selector, and the kinds it returns."""

    signature: str
    selector: bytes
    returns: str = "()"

    @property
    def inputs(self) -> tuple[Kind, ...]:
        """Return the kinds of its arguments."""
        return parse_kinds(self.signature[self.signature.index("(") :])

    def encode(self, *values: Value) -> bytes:
        """Return the calldata of a call with these arguments."""
        return self.selector + encode(self.inputs, values)

    def is_called_by(self, data: bytes) -> bool:
        """Say whether the calldata begins with this function's selector."""
        return data[:SELECTOR] == self.selector

    def arguments(self, data: bytes) -> tuple[Value, ...]:
        """Return the arguments of calldata; raise ValueError unless these bytes are their one encoding."""
        if not self.is_called_by(data):
            raise ValueError(f"calldata does not begin with the selector of {self.signature}")
        values = decode(self.inputs, data[SELECTOR:])
        if self.encode(*values) != data:
            raise ValueError(f"calldata of {self.signature} is not in canonical form")
        return values

    def returned(self, data: bytes) -> tuple[Value, ...]:
        """Return what a call returned; raise ValueError if it returned less."""
        return decode(parse_kinds(self.returns), data)

    def returned_units(self, data: bytes) -> int:
        """Return the first value a call returned, a number; raise ValueError if there is none."""
        first = self.returned(data)[0]
        if not isinstance(first, int):
            raise ValueError(f"{self.signature} does not return a number")  # noqa: TRY004  # our one error
        return first


def parse_kinds(text: str) -> tuple[Kind, ...]:
    """Return the kinds of `(uint256,(bytes,address))`, nested tuples and all."""
    stack: list[list[Kind]] = [[]]
    word = ""
    for character in text:
        if character in "(),":
            if word:
                stack[-1].append(word)
            word = ""
        else:
            word += character
        if character == "(":
            stack.append([])
        elif character == ")":
            inner = tuple(stack.pop())
            stack[-1].append(inner)
    [whole] = stack.pop()
    assert isinstance(whole, tuple), "a signature's arguments stand in brackets"
    return whole


def _is_dynamic(kind: Kind) -> bool:
    """Say whether a kind is encoded in the tail."""
    return any(map(_is_dynamic, kind)) if isinstance(kind, tuple) else kind in _DYNAMIC


def _static_size(kind: Kind) -> int:
    """Return the bytes a static kind takes."""
    return sum(map(_static_size, kind)) if isinstance(kind, tuple) else WORD


def _bits(kind: str) -> int:
    """Return how many bits a one-word kind holds."""
    if kind == "address":
        return _ADDRESS_BITS
    if kind == "bool":
        return 1
    assert kind.startswith("uint"), f"{kind} is no kind this house encodes"
    return int(kind[4:])


def _encode_one(kind: Kind, value: Value) -> bytes:
    """Encode one value, without an offset to it."""
    if isinstance(kind, tuple):
        if not isinstance(value, tuple):
            raise ValueError(f"{value!r} is no tuple")  # noqa: TRY004  # our one error
        return encode(kind, value)
    if kind == "bytes[]":
        if not isinstance(value, tuple):
            raise ValueError(f"{value!r} is no {kind}")
        return len(value).to_bytes(WORD, "big") + encode(("bytes",) * len(value), value)
    if kind in _DYNAMIC:
        content = value.encode() if kind == "string" and isinstance(value, str) else value
        if not isinstance(content, bytes):
            raise ValueError(f"{value!r} is no {kind}")  # our one error
        padding = bytes(-len(content) % WORD)
        return len(content).to_bytes(WORD, "big") + content + padding
    number = int(address(value), 16) if kind == "address" and isinstance(value, str) else value
    if not isinstance(number, int) or not 0 <= number < 1 << _bits(kind):
        raise ValueError(f"{value!r} is no {kind}")
    return number.to_bytes(WORD, "big")


def _word(data: bytes, place: int) -> int:
    """Return the number in the word at `place`."""
    if place < 0 or place + WORD > len(data):
        raise ValueError(f"{len(data)} bytes are cut short: no word at {place}")
    return int.from_bytes(data[place : place + WORD], "big")


def _decode_static(kind: Kind, data: bytes, place: int) -> Value:
    """Decode a static kind at `place`."""
    if isinstance(kind, tuple):
        return decode(kind, data[place:])
    number = _word(data, place)
    if number >= 1 << _bits(kind):
        raise ValueError(f"{number} is no {kind}")
    if kind == "address":
        return f"0x{number:040x}"
    return bool(number) if kind == "bool" else number


def _decode_tail(kind: Kind, data: bytes, start: int) -> Value:
    """Decode a dynamic kind whose tail begins at `start`."""
    if isinstance(kind, tuple):
        if start > len(data):
            raise ValueError(f"{len(data)} bytes are cut short: nothing at {start}")
        return decode(kind, data[start:])
    length = _word(data, start)
    if kind == "bytes[]":
        if length > len(data) // WORD:
            raise ValueError(f"{len(data)} bytes are cut short: {length} members announced at {start}")
        return decode(("bytes",) * length, data[start + WORD :])
    content = data[start + WORD : start + WORD + length]
    if len(content) != length:
        raise ValueError(f"{len(data)} bytes are cut short: {length} announced at {start}")
    return content.decode(errors="replace") if kind == "string" else content
