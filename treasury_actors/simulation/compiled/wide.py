"""
Exact whole numbers of 128 bits, because 10 ETH in wei don't fit into 64. Imports numba: import it late.

Machine code adds, multiplies and compares them as they are. There is no division of that size without a
library call, so a quotient is estimated in floats and put right by its exact remainder.
"""

import operator
from functools import partial
from typing import Any, TypeAlias

from llvmlite import ir
from numba.core import types
from numba.core.datamodel import models
from numba.core.typing.templates import ConcreteTemplate, infer_global
from numba.extending import intrinsic, lower_builtin, register_model

from treasury_actors.simulation.compiled.jit import inner

_BITS = 64
TWO_64 = 18446744073709551616.0
JUST_BELOW_ONE = 1.0 - 1e-15
"""What keeps an estimate of a quotient from being too large."""
Wide: TypeAlias = Any
"""A whole number of 128 bits; only machine code has any."""


class WideType(types.Type):
    """The type of a signed whole number of 128 bits."""

    def __init__(self) -> None:
        super().__init__(name="Wide")


WIDE = WideType()


@register_model(WideType)
class _WideModel(models.PrimitiveModel):
    """One LLVM integer."""

    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, ir.IntType(2 * _BITS))


def _compared(sign: str, builder: Any, left: Any, right: Any) -> Any:
    """Compare two wide numbers."""
    return builder.icmp_signed(sign, left, right)


def _teach(operation: Any, result: Any, code: Any) -> None:
    """Let machine code use an operator between two wide numbers."""
    template = type("WideOperator", (ConcreteTemplate,), {"cases": [result(WIDE, WIDE)]})
    infer_global(operation)(template)
    lower_builtin(operation, WIDE, WIDE)(lambda _context, builder, _signature, args: code(builder, *args))


for _sign, _operation in (
    ("<", operator.lt),
    ("<=", operator.le),
    ("==", operator.eq),
    (">=", operator.ge),
    (">", operator.gt),
):
    _teach(_operation, types.boolean, partial(_compared, _sign))
_teach(operator.add, WIDE, lambda builder, left, right: builder.add(left, right))
_teach(operator.sub, WIDE, lambda builder, left, right: builder.sub(left, right))
_teach(operator.mul, WIDE, lambda builder, left, right: builder.mul(left, right))


_teach(
    min, WIDE, lambda builder, left, right: builder.select(_compared("<", builder, left, right), left, right)
)
_teach(
    max, WIDE, lambda builder, left, right: builder.select(_compared(">", builder, left, right), left, right)
)


@intrinsic
def wide(_typing: Any, _number: Any) -> Any:
    """Widen an int64."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.sext(args[0], ir.IntType(2 * _BITS))

    return WIDE(types.int64), code


@intrinsic
def low(_typing: Any, _number: Any) -> Any:
    """Return the lower 64 bits, as an int64."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.trunc(args[0], ir.IntType(_BITS))

    return types.int64(WIDE), code


@intrinsic
def _unsigned_low(_typing: Any, _number: Any) -> Any:
    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.uitofp(builder.trunc(args[0], ir.IntType(_BITS)), ir.DoubleType())

    return types.float64(WIDE), code


@intrinsic
def high(_typing: Any, _number: Any) -> Any:
    """Return the upper 64 bits, as an int64."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        shifted = builder.ashr(args[0], ir.Constant(ir.IntType(2 * _BITS), _BITS))
        return builder.trunc(shifted, ir.IntType(_BITS))

    return types.int64(WIDE), code


@intrinsic
def joined(_typing: Any, _upper: Any, _lower: Any) -> Any:
    """Return the number of these upper and lower 64 bits."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        whole = ir.IntType(2 * _BITS)
        upper = builder.shl(builder.sext(args[0], whole), ir.Constant(whole, _BITS))
        return builder.or_(upper, builder.zext(args[1], whole))

    return WIDE(types.int64, types.int64), code


@intrinsic
def shifted(_typing: Any, _number: Any, _places: Any) -> Any:
    """Return the number times two to the power of `places`, less what no longer fits."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.shl(args[0], builder.zext(args[1], ir.IntType(2 * _BITS)))

    return WIDE(WIDE, types.int64), code


@intrinsic
def bits_of(_typing: Any, _number: Any) -> Any:
    """Return the bits of a float."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(_BITS))

    return types.int64(types.float64), code


@intrinsic
def float_of(_typing: Any, _bits: Any) -> Any:
    """Return the float of these bits."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), code


@intrinsic
def _lower_of_float(_typing: Any, _number: Any) -> Any:
    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fptoui(args[0], ir.IntType(_BITS))

    return types.int64(types.float64), code


@inner
def to_float(number: Wide) -> float:
    """Return a float near the number: off by two in its last digit at most."""
    return float(high(number)) * TWO_64 + _unsigned_low(number)


@inner
def of_float(number: float) -> Wide:
    """Return a float from 0 to 2^127 without its fraction."""
    upper = int(number / TWO_64)
    return joined(upper, _lower_of_float(number - float(upper) * TWO_64))


@inner
def floor_div(number: Wide, divisor: Wide) -> Wide:
    """Return number // divisor; both are below 2^126, the number from 0 and the divisor from 1 on."""
    quotient = wide(0)
    rest = number
    while rest >= divisor:
        part = of_float(to_float(rest) / to_float(divisor) * JUST_BELOW_ONE)
        if part <= wide(0):
            part = wide(1)
        quotient = quotient + part
        rest = rest - part * divisor
    return quotient
