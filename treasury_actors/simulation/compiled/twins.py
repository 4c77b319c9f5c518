"""
What a strategy is handed, in machine code: the same methods as `View` and `Features`, over other memory.

No formula is written again: the methods of the twins are the methods of the classes, compiled. Only what they
read (prefix sums, columns, weights) is laid out otherwise. Imports numba: import it late.
"""

from collections.abc import Callable
from inspect import Parameter, signature
from types import FunctionType
from typing import Any

import numba
import numpy as np
from numba import carray
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.extending import (
    intrinsic,
    make_attribute_wrapper,
    overload_attribute,
    overload_method,
    register_model,
)
from numba.np.unsafe.ndarray import to_fixed_tuple

from treasury_actors.agents.model.view import View
from treasury_actors.market.model.features import Features
from treasury_actors.simulation.compiled.arithmetic import at, true_quotient
from treasury_actors.simulation.compiled.jit import inner
from treasury_actors.simulation.compiled.layout import Record
from treasury_actors.simulation.compiled.wide import wide

SCALE = numba.from_dtype(np.dtype([("tick_exponent", "i8")]))
INTS, FLOATS = types.CPointer(types.int64), types.CPointer(types.float64)
INT_SERIES = ("ticks", "fresh", "tick_sums", "rate_gaps")
FLOAT_SERIES = ("rates", "return_sums", "square_sums", "rate_sums")


class FeaturesType(types.Type):
    """The type of `Features`."""


class ViewType(types.Type):
    """The type of a `View` of so many slots."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        super().__init__(name=f"View of {slots} slots")


FEATURES = FeaturesType(name="Features")
_FEATURES_MEMBERS = [
    ("ints", INTS),
    ("floats", FLOATS),
    ("first_known", INTS),
    ("assets", types.int64),
    ("rows", types.int64),
]


def _view_members(slots: int) -> list[tuple[str, Any]]:
    """Return what a view is made of; all but the first five is there to work out its weights from."""
    return [
        ("features", FEATURES),
        ("scales", types.CPointer(SCALE)),
        ("end", types.int64),
        ("frame", types.int64),
        ("columns", types.UniTuple(types.int64, slots)),
        ("units", INTS),
        ("by_name", INTS),
        ("usd_scale", INTS),
        ("ticks", INTS),
        ("weights", FLOATS),
    ]


@register_model(FeaturesType)
class _FeaturesModel(models.StructModel):
    def __init__(self, manager: Any, kind: FeaturesType) -> None:
        super().__init__(manager, kind, _FEATURES_MEMBERS)


@register_model(ViewType)
class _ViewModel(models.StructModel):
    def __init__(self, manager: Any, kind: ViewType) -> None:
        super().__init__(manager, kind, _view_members(kind.slots))


for _name, _ in _FEATURES_MEMBERS:
    make_attribute_wrapper(FeaturesType, _name, f"at_{_name}")
for _name, _ in _view_members(1):
    make_attribute_wrapper(ViewType, _name, f"at_{_name}")
make_attribute_wrapper(ViewType, "features", "_features")
make_attribute_wrapper(ViewType, "columns", "_columns")
make_attribute_wrapper(ViewType, "end", "_end")
make_attribute_wrapper(ViewType, "frame", "frame")


def _lay_out(name: str, place: int, *, whole: bool) -> None:
    """Let the twin of `Features` have a series under its name: a table of asset by row."""

    def series(features: Any) -> Any:  # noqa: ARG001 (numba wants the same names)
        def of_ints(features: Any) -> Any:
            return carray(features.at_ints, (len(INT_SERIES), features.at_assets, features.at_rows))[place]

        def of_floats(features: Any) -> Any:
            return carray(features.at_floats, (len(FLOAT_SERIES), features.at_assets, features.at_rows))[
                place
            ]

        return of_ints if whole else of_floats

    overload_attribute(FeaturesType, name)(series)


for _place, _name in enumerate(INT_SERIES):
    _lay_out(_name, _place, whole=True)
for _place, _name in enumerate(FLOAT_SERIES):
    _lay_out(_name, _place, whole=False)


@overload_attribute(FeaturesType, "first_known")
def _first_known(features: Any) -> Any:  # noqa: ARG001 (likewise)
    def first_known(features: Any) -> Any:
        return carray(features.at_first_known, (features.at_assets,))

    return first_known


@overload_attribute(ViewType, "_scales")
def _scales(view: Any) -> Any:  # noqa: ARG001 (likewise)
    def scales(view: Any) -> Any:
        return carray(view.at_scales, (view.at_features.at_assets,))

    return scales


def _lend(kind: type, method: Callable[..., Any]) -> None:
    """Give a twin a method of the class it is the twin of."""
    assert isinstance(method, FunctionType), "a method written in Python"
    bare = FunctionType(method.__code__, method.__globals__, method.__name__)  # compilers fret at annotations

    def chosen(*_args: Any, **_named: Any) -> Any:
        return bare

    parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in signature(bare).parameters]
    chosen.__signature__ = signature(bare).replace(parameters=parameters)  # type: ignore[attr-defined]
    overload_method(kind, method.__name__)(chosen)


for _method in (
    Features.known_h,
    Features.mean_ticks,
    Features.change,
    Features.volatility,
    Features.mean_rate,
):
    _lend(FeaturesType, _method)
for _seen in (
    View.price_usd,
    View.tradable,
    View.mean_usd,
    View.change,
    View.volatility,
    View.rate,
    View.mean_rate,
):
    _lend(ViewType, _seen)


@overload_attribute(ViewType, "count")
def _count(view: Any) -> Any:
    slots = view.slots

    def count(view: Any) -> int:  # noqa: ARG001 (numba wants the same names)
        return slots

    return count


@overload_attribute(ViewType, "weights")
def _weights(view: Any) -> Any:
    """Return the weights, worked out when they are first asked for."""
    slots = view.slots

    def weights(view: Any) -> Any:
        known = carray(view.at_weights, (1 + slots,))
        if known[0] == 0.0:
            weigh(view, known)
        return to_fixed_tuple(known[1:], slots)

    return weights


@inner
def weigh(view: Record, weights: Record) -> None:
    """Write the weight of each slot behind the first place of `weights`: `slot_weights`, with its bits."""
    assets, slots = view.at_features.at_assets, weights.size - 1
    units, scales = carray(view.at_units, (assets, 2)), carray(view.at_usd_scale, (assets, 2))
    weights[:] = 0.0
    weights[0] = 1.0
    nav = 0.0
    for place in range(assets):
        asset = view.at_by_name[place]
        if at(units, asset) > wide(0):
            value = true_quotient(at(units, asset) * wide(view.at_ticks[asset]), at(scales, asset))
            nav += value
            for slot in range(slots):
                if view.at_columns[slot] == asset:
                    weights[1 + slot] = value
    for slot in range(slots):
        weights[1 + slot] = weights[1 + slot] / nav if nav > 0.0 else 0.0


@intrinsic
def make_view(_typing: Any, members: Any) -> Any:
    """Return the twin of a `View` made of a tuple of its members, the first a tuple of those of features."""
    kind = ViewType(len(members[4]))

    def code(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        seen = cgutils.create_struct_proxy(FEATURES)(context, builder)
        for place, (name, _) in enumerate(_FEATURES_MEMBERS):
            setattr(seen, name, builder.extract_value(values[0], [0, place]))
        view = cgutils.create_struct_proxy(kind)(context, builder)
        view.features = seen._getvalue()  # noqa: SLF001 (numba's way)
        for place, (name, _) in enumerate(_view_members(kind.slots)[1:], start=1):
            setattr(view, name, builder.extract_value(values[0], place))
        return view._getvalue()  # noqa: SLF001 (likewise)

    return kind(members), code


@intrinsic
def pointer(_typing: Any, array: Any) -> Any:
    """Return where an array begins in memory."""

    def code(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
        data = context.make_array(kinds.args[0])(context, builder, values[0]).data
        return builder.bitcast(data, context.get_value_type(kinds.return_type))

    return types.CPointer(array.dtype)(array), code
