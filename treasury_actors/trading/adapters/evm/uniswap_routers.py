"""
The two routers of Uniswap V3 that take the same swaps in different calldata. Pure.

The original SwapRouter has the deadline in each swap. SwapRouter02, the only one on Base and other young
chains, has none there: its swap is wrapped in a `multicall` of one, which has. Either way the router itself
holds to recipient, minimum and deadline; a swap without one of them is not written here, nor read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from treasury_actors.trading.adapters.evm import abi

EXACT_INPUT_SINGLE = abi.Function(
    signature="exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
    selector=bytes.fromhex("414bf389"),
    returns="(uint256)",
)
EXACT_INPUT = abi.Function(
    signature="exactInput((bytes,address,uint256,uint256,uint256))",
    selector=bytes.fromhex("c04b8d59"),
    returns="(uint256)",
)
EXACT_INPUT_SINGLE_02 = abi.Function(
    signature="exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))",
    selector=bytes.fromhex("04e45aaf"),
    returns="(uint256)",
)
EXACT_INPUT_02 = abi.Function(
    signature="exactInput((bytes,address,uint256,uint256))",
    selector=bytes.fromhex("b858183f"),
    returns="(uint256)",
)
MULTICALL = abi.Function(
    signature="multicall(uint256,bytes[])", selector=bytes.fromhex("5ae401dc"), returns="(bytes[])"
)
NO_PRICE_LIMIT = 0
_ADDRESS_BYTES, _FEE_BYTES = 20, 3
_HOP_BYTES = _ADDRESS_BYTES + _FEE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """
    An exact-in swap, whichever router makes it.

    Attributes:
        tokens: addresses in lower case, source first; one pool between each two.
        fees_ppm: the fee tier of each pool, in 1/100 bps.
    """

    tokens: tuple[str, ...]
    fees_ppm: tuple[int, ...]
    recipient: str
    deadline_s: int
    units_in: int
    units_out_min: int


class Router(Protocol):
    """How one router's calldata is written and read."""

    @property
    def functions(self) -> tuple[abi.Function, ...]:
        """The functions it is called by: all that may ever be signed for it."""
        ...

    def encode(self, swap: Swap) -> bytes:
        """Return the calldata of a swap."""
        ...

    def decode(self, data: bytes) -> tuple[Swap, str]:
        """Return the one swap that calldata is, and the signature called; raise ValueError for any other."""
        ...

    def taken_units(self, answer: bytes) -> int:
        """Return what the call says it brought; raise ValueError if it doesn't."""
        ...


class SwapRouter:
    """The original router (mainnet and the chains of its time)."""

    functions = (EXACT_INPUT_SINGLE, EXACT_INPUT)

    def encode(self, swap: Swap) -> bytes:
        """Return `exactInputSingle` over one pool, `exactInput` over two."""
        last = (swap.recipient, swap.deadline_s, swap.units_in, swap.units_out_min)
        if len(swap.fees_ppm) == 1:
            return EXACT_INPUT_SINGLE.encode((*swap.tokens, swap.fees_ppm[0], *last, NO_PRICE_LIMIT))
        return EXACT_INPUT.encode((pack_path(swap.tokens, swap.fees_ppm), *last))

    def decode(self, data: bytes) -> tuple[Swap, str]:
        """Read either function."""
        if EXACT_INPUT_SINGLE.is_called_by(data):
            source, target, fee_ppm, *last, limit = _fields(EXACT_INPUT_SINGLE, data)
            return _single(source, target, fee_ppm, limit, last), EXACT_INPUT_SINGLE.signature
        path, *last = _fields(EXACT_INPUT, data)
        return _routed(path, last), EXACT_INPUT.signature

    def taken_units(self, answer: bytes) -> int:
        """Return the one number either function returns."""
        return EXACT_INPUT.returned_units(answer)


class SwapRouter02:
    """The younger router, by a multicall of one swap that carries the deadline."""

    functions = (MULTICALL,)

    def encode(self, swap: Swap) -> bytes:
        """Return the multicall of `exactInputSingle` over one pool, `exactInput` over two."""
        last = (swap.recipient, swap.units_in, swap.units_out_min)
        if len(swap.fees_ppm) == 1:
            inner = EXACT_INPUT_SINGLE_02.encode((*swap.tokens, swap.fees_ppm[0], *last, NO_PRICE_LIMIT))
        else:
            inner = EXACT_INPUT_02.encode((pack_path(swap.tokens, swap.fees_ppm), *last))
        return MULTICALL.encode(swap.deadline_s, (inner,))

    def decode(self, data: bytes) -> tuple[Swap, str]:
        """Read the multicall of either function; of more than one call it is none of ours."""
        deadline_s, calls = MULTICALL.arguments(data)
        inner = _only(calls)
        if EXACT_INPUT_SINGLE_02.is_called_by(inner):
            source, target, fee_ppm, recipient, *amounts, limit = _fields(EXACT_INPUT_SINGLE_02, inner)
            swap = _single(source, target, fee_ppm, limit, [recipient, deadline_s, *amounts])
            return swap, EXACT_INPUT_SINGLE_02.signature
        path, recipient, *amounts = _fields(EXACT_INPUT_02, inner)
        return _routed(path, [recipient, deadline_s, *amounts]), EXACT_INPUT_02.signature

    def taken_units(self, answer: bytes) -> int:
        """Return the number the one inner call returned."""
        [results] = MULTICALL.returned(answer)
        return EXACT_INPUT_02.returned_units(_only(results))


def pack_path(tokens: Sequence[str], fees_ppm: Sequence[int]) -> bytes:
    """Pack a route the way routers and quoter read it: a token (20 bytes), a fee (3), a token, and so on."""
    packed = bytes.fromhex(tokens[0][2:])
    for fee_ppm, token in zip(fees_ppm, tokens[1:], strict=True):
        packed += fee_ppm.to_bytes(_FEE_BYTES, "big") + bytes.fromhex(token[2:])
    return packed


def _only(members: abi.Value) -> bytes:
    """Return the one member of a multicall's calls or results."""
    match members:
        case (bytes() as member,):
            return member
        case _:
            raise ValueError("a multicall of other than one call")


def _fields(function: abi.Function, data: bytes) -> tuple[abi.Value, ...]:
    """Return the members of the one tuple a swap takes."""
    [fields] = function.arguments(data)
    assert isinstance(fields, tuple), "a swap's argument is a tuple"
    return fields


def _single(
    source: abi.Value, target: abi.Value, fee_ppm: abi.Value, limit: abi.Value, last: list[abi.Value]
) -> Swap:
    """Return a swap over one pool."""
    if limit != NO_PRICE_LIMIT:
        raise ValueError("a swap with a price limit may convert a part alone")
    return _swap((str(source), str(target)), (_number(fee_ppm),), last)


def _routed(path: abi.Value, last: list[abi.Value]) -> Swap:
    """Return the swap along a packed path."""
    assert isinstance(path, bytes), "a path is decoded as bytes"
    if len(path) % _HOP_BYTES != _ADDRESS_BYTES:
        raise ValueError(f"a path of {len(path)} bytes")
    places = range(0, len(path), _HOP_BYTES)
    tokens = tuple("0x" + path[at : at + _ADDRESS_BYTES].hex() for at in places)
    fees = tuple(int.from_bytes(path[at + _ADDRESS_BYTES : at + _HOP_BYTES], "big") for at in places[:-1])
    if len(fees) <= 1:
        raise ValueError("a path over fewer than two pools is not how one is written here")
    return _swap(tokens, fees, last)


def _swap(tokens: tuple[str, ...], fees_ppm: tuple[int, ...], last: list[abi.Value]) -> Swap:
    """Return a swap whose last fields are recipient, deadline, units in, and the least out."""
    recipient, deadline_s, units_in, units_out_min = last
    return Swap(
        tokens=tokens,
        fees_ppm=fees_ppm,
        recipient=str(recipient),
        deadline_s=_number(deadline_s),
        units_in=_number(units_in),
        units_out_min=_number(units_out_min),
    )


def _number(value: abi.Value) -> int:
    """Return a decoded number as the number it is."""
    assert isinstance(value, int), "amounts, fees and deadlines are decoded as numbers"
    return value
