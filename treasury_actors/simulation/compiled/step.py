"""
A strategy's own `decide` as machine code, behind one signature for every family.

Nothing is copied: the functions of the strategy's file, and those they call, are compiled as they stand; only
`KEEP` is None there, as machine code knows no list outside a function. Imports numba: import it late.
"""

import builtins
from collections.abc import Callable, Iterator
from dis import get_instructions
from math import fabs, inf, isfinite, isinf, isnan, sqrt
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from numba import carray, cfunc
from numba.core import types
from numba.core.errors import NumbaError
from numba.extending import intrinsic, overload
from numba.np.unsafe.ndarray import to_fixed_tuple

from treasury_actors.agents.model.checks import TOLERANCE
from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.view import KEEP
from treasury_actors.simulation.compiled.jit import checked, kept, positional, sha256_of
from treasury_actors.simulation.compiled.layout import GENES_MAX, SLOTS_MAX, STATES_MAX, Record
from treasury_actors.simulation.compiled.twins import (
    SCALE,
    make_view,
)

_INTS, _FLOATS = types.CPointer(types.int64), types.CPointer(types.float64)
_WHOLE = types.int64
STEP = types.int64(
    _WHOLE, _INTS, _FLOATS, _INTS, types.CPointer(SCALE), _WHOLE, _WHOLE, _WHOLE, _WHOLE,
    _INTS, _INTS, _INTS, _INTS, _INTS, _FLOATS, _FLOATS, _INTS, _FLOATS,
)  # fmt: skip
"""How a step is called; see `_step`."""

SLOTS = STATES = GENES = 0
DECIDE: Any = None
STATE: Any = None
GENOME: Any = None
"""What `_step` finds here stands for what every family puts in its place."""


def _store(_state: Record, _memory: Record) -> None:
    """Write a state's numbers to memory; only machine code calls it."""


def _deliver(_answer: Record, _memory: Record, _count: int) -> int:
    """Write target weights to memory; return how many, 0 to keep, -1 if they are none."""
    return -1


@overload(_store)
def _store_typed(_state: Any, _memory: Any) -> Any:
    def forget(_state: Any, _memory: Any) -> None:
        pass

    def store(_state: Any, _memory: Any) -> None:
        place = 0
        for number in _state:
            _memory[place] = number
            place += 1  # noqa: SIM113 (machine code has no enumerate over unlike numbers)

    return store if len(_state) else forget


@overload(_deliver)
def _deliver_typed(_answer: Any, _memory: Any, _count: Any) -> Any:
    def keep(_answer: Any, _memory: Any, _count: Any) -> int:
        return 0

    def deliver(_answer: Any, _memory: Any, _count: Any) -> int:
        if _answer is None or len(_answer) == 0:
            return 0
        total = 0.0
        if len(_answer) != _count:
            return -1
        for slot in range(_count):
            weight = float(_answer[slot])
            if not 0.0 <= weight < inf:
                return -1
            total += weight
            _memory[slot] = weight
        return -1 if total > 1.0 + TOLERANCE else _count

    return keep if isinstance(_answer, types.NoneType) else deliver


@overload(len)
def _length_typed(values: Any) -> Any:
    """Return 0 for `KEEP`, which is None here."""

    def of_keep(values: Any) -> int:  # noqa: ARG001 (numba wants the same names)
        return 0

    def of_either(values: Any) -> int:
        return 0 if values is None else len(_list_of(values))

    if isinstance(values, types.NoneType):
        return of_keep
    return of_either if isinstance(values, types.Optional) else None


@intrinsic
def _list_of(_typing: Any, values: Any) -> Any:
    """Return a list that may be None, but isn't."""

    def code(context: Any, builder: Any, kinds: Any, given: Any) -> Any:
        found = context.cast(builder, given[0], kinds.args[0], kinds.return_type)
        context.nrt.incref(builder, kinds.return_type, found)
        return found

    return values.type(values), code


def _step(
    _address: int,
    ints: Record,
    floats: Record,
    first_known: Record,
    scales: Record,
    assets: int,
    rows: int,
    end: int,
    frame: int,
    columns: Record,
    units: Record,
    by_name: Record,
    usd_scale: Record,
    ticks: Record,
    weights: Record,
    state: Record,
    genes: Record,
    targets: Record,
) -> int:
    """Decide once; return how many targets were written, 0 to keep, -1 if plain calls must say why not."""
    seen = ints, floats, first_known, assets, rows
    slots = to_fixed_tuple(carray(columns, (SLOTS,)), SLOTS)
    view = make_view((seen, scales, end, frame, slots, units, by_name, usd_scale, ticks, weights))
    memory = carray(state, (STATES,))
    genome = GENOME(*to_fixed_tuple(carray(genes, (GENES,)), GENES))
    try:
        new_state, answer = DECIDE(STATE(*to_fixed_tuple(memory, STATES)), view, genome)
        _store(new_state, memory)
        return _deliver(answer, carray(targets, (SLOTS,)), SLOTS)
    except Exception:  # noqa: BLE001 (machine code knows no other)
        return -1


class Step:
    """
    One family's `decide` as machine code; it lives as long as this object.

    Attributes:
        address: where it begins in memory.
    """

    __slots__ = ("_code", "address")

    def __init__(self, code: Any) -> None:
        self._code = code
        self.address: int = code.address

    def __repr__(self) -> str:
        return f"<Step at {self.address:#x}>"


def make_step(family: Family, slots: int) -> Step | None:
    """Return a family's step over so many slots; None if machine code can't say what its file says."""
    state, found = family.state(), _Found({}, {})
    sizes_fit = slots <= SLOTS_MAX and len(state) <= STATES_MAX and len(family.genes) <= GENES_MAX
    genes_fit = all(gene.high <= _GENE_MAX for gene in family.genes)
    if not (sizes_fit and genes_fit and all(type(number) is float for number in state)):
        return None
    try:
        space = dict(globals())
        space.update(SLOTS=slots, STATES=len(state), GENES=len(family.genes), STATE=family.state)
        space.update(GENOME=family.genome, DECIDE=_twin(family.decide, found))
        sources = sorted({each.__code__.co_filename for each in found.twins})
        parts = [sha256_of(source) for source in sources] + [repr(sorted(found.numbers.items())).encode()]
        step = FunctionType(_step.__code__, space, _step.__name__)
        step.__qualname__ = f"step_of_{family.id}_{slots}"  # code that is kept goes by this name
        with kept(parts) as keeps:
            return Step(cfunc(STEP, cache=keeps)(step))
    except (NumbaError, _Unfit, OSError):
        return None


_GENE_MAX = 2**31 - 1
"""Products of two genes fit into 64 bits."""
_SAME_EVERYWHERE = (
    abs, bool, enumerate, fabs, float, isfinite, isinf, isnan, len, max, min, range, sqrt, zip,
)  # fmt: skip
"""
What gives the same bits, and the same errors, in machine code as in Python. Not `int`, which takes NaN there;
nor `sum`, whose bits changed from one Python to the next.
"""
_OTHER_BITS = frozenset({"**", "**=", "@", "@="})
_OTHER_ORDER = frozenset({"BUILD_MAP", "BUILD_CONST_KEY_MAP", "BUILD_SET", "MAP_ADD", "SET_ADD"})


class _Unfit(Exception):
    """A function uses what may have other bits in machine code."""


class _Found(NamedTuple):
    """The functions that a strategy is made of, each with its twin, and the other things they name."""

    twins: dict[FunctionType, Any]
    numbers: dict[str, str]


def _twin(function: Any, found: _Found) -> Callable[..., Any]:
    """
    Return a function for machine code, with every function and `KEEP` that it names.

    Raises:
        _Unfit: something that it names may have other bits there.
    """
    if not isinstance(function, FunctionType) or function.__closure__:
        raise _Unfit
    if function not in found.twins:
        space: dict[str, Any] = {"__builtins__": builtins, "__name__": function.__module__}
        found.twins[function] = checked(positional(function, space))
        for name in _globals_of(function.__code__):
            value = function.__globals__.get(name, getattr(builtins, name, None))
            space[name] = _in_machine_code(value, found)
            if not isinstance(value, FunctionType):
                shape = getattr(value, "_fields", value)
                found.numbers[f"{function.__module__}.{function.__qualname__}: {name}"] = repr(shape)
    twin: Callable[..., Any] = found.twins[function]
    return twin


def _globals_of(code: CodeType) -> Iterator[str]:
    """Yield the globals that code names, those of comprehensions in it as well."""
    for instruction in get_instructions(code):
        if instruction.opname == "BINARY_OP" and instruction.argrepr in _OTHER_BITS:
            raise _Unfit
        if instruction.opname in _OTHER_ORDER:
            raise _Unfit
        if instruction.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals_of(constant)


def _in_machine_code(value: Any, found: _Found) -> Any:
    """Return what stands in machine code for something that a function names."""
    if value is KEEP:
        return None
    if isinstance(value, FunctionType):
        return _twin(value, found)
    is_record = isinstance(value, type) and issubclass(value, tuple) and hasattr(value, "_fields")
    if is_record or type(value) in {int, float, bool} or value in _SAME_EVERYWHERE:
        return value
    if type(value) is tuple and all(type(item) in {int, float} for item in value):
        return value
    raise _Unfit
