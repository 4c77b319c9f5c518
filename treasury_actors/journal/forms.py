"""
How one type is written as canonical JSON and read back. Pure; `codec` is its face.

A `Form` is built once for a type and then looks nothing up: an object of six fields is one `attrgetter`, six
calls and one `%`. Its functions raise ValueError without saying where; the object around names the field.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from json import JSONDecoder
from json.encoder import encode_basestring_ascii
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Literal, NewType, TypeAlias, Union, get_args, get_origin, get_type_hints

from treasury_actors.errors import InvariantViolated

DECIMAL_STRING = "decimal string"
JSON_INT_LIMIT = 2**53  # where a reader that has only doubles begins to lose digits

Encode: TypeAlias = Callable[[object], str]
Decode: TypeAlias = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Form:
    """
    How one type is written and read.

    Attributes:
        encode: value -> JSON text; ValueError if the value is not of the type.
        decode: parsed JSON -> value; ValueError if `encode` could not have written it.
        python: the types its values have, by which a union chooses when writing.
        json: the types its JSON parses to, by which a union chooses when reading.
    """

    encode: Encode
    decode: Decode
    python: tuple[type, ...]
    json: tuple[type, ...]


def parse_json(text: str) -> object:
    """Parse JSON; raise ValueError for a doubled key, NaN and the infinities too."""
    if text.startswith("{"):  # an event: nothing before or after it that `decode` would have to look for
        found, end = _DECODER.raw_decode(text)
        if end == len(text):
            return found
    return _DECODER.decode(text)


def is_frozen_dataclass(cls: type) -> bool:
    """Say whether `cls` is a dataclass whose values never change."""
    parameters = getattr(cls, "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)


def form_of_class(cls: type) -> Form:
    """
    Return the form of a frozen dataclass: an object with its fields as keys in declared order.

    Raises TypeError for a field type that has no form, NameError for one that is not declared yet.
    """
    if not is_frozen_dataclass(cls):
        raise TypeError(f"{cls.__qualname__} is no frozen dataclass")
    hints = get_type_hints(cls, include_extras=True)
    names = tuple(field.name for field in fields(cls))
    if not all(field.init for field in fields(cls)):
        raise TypeError(f"{cls.__qualname__} has a field that its constructor does not take")
    forms = []
    for name in names:
        try:
            forms.append(form_of(hints[name]))
        except TypeError as error:
            raise TypeError(f"{cls.__qualname__}.{name}: {error}") from None
    return Form(_object_encoder(cls, names, forms), _object_decoder(cls, names, forms), (cls,), (dict,))


def form_of(hint: object) -> Form:
    """Return the form of a type hint; raise TypeError if it has none."""
    if isinstance(hint, NewType):
        return form_of(hint.__supertype__)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _UNITS if DECIMAL_STRING in arguments[1:] else form_of(arguments[0])
    if origin is Literal:
        return _literal_form(arguments)
    if origin in (Union, UnionType):
        return _union_form([form_of(argument) for argument in arguments])
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004  # tuple[X, ...]
            return _series_form(form_of(arguments[0]))
        return _fixed_tuple_form([form_of(argument) for argument in arguments])
    form = _form_of_simple(hint) if isinstance(hint, type) else None
    if form is None:
        raise TypeError(f"{hint!r} has no form in JSON")
    return form


def _form_of_simple(kind: type) -> Form | None:
    if kind in _PLAIN:
        return _PLAIN[kind]
    if is_dataclass(kind):
        return form_of_class(kind)
    return _enum_form(kind) if issubclass(kind, StrEnum) else None


def _refuse(expected: str, value: object) -> ValueError:
    return ValueError(f"expected {expected}, not {value!r:.80}")


def _encode_units(value: object) -> str:
    if type(value) is not int:
        raise _refuse("int", value)
    return f'"{value}"'


def _decode_units(raw: object) -> object:
    if type(raw) is not str:
        raise _refuse("a decimal string", raw)
    try:
        units = int(raw)
    except ValueError:
        raise _refuse("a decimal string", raw) from None
    if str(units) != raw:  # "007", "+1" and "1_000" are ints to Python, but not what we wrote
        raise _refuse("a decimal string", raw)
    return units


def _encode_int(value: object) -> str:
    if type(value) is not int or not -JSON_INT_LIMIT < value < JSON_INT_LIMIT:
        raise _refuse("int below 2**53", value)
    return str(value)


def _decode_int(raw: object) -> object:
    if type(raw) is not int or not -JSON_INT_LIMIT < raw < JSON_INT_LIMIT:
        raise _refuse("int below 2**53", raw)
    return raw


def _encode_float(value: object) -> str:
    if isinstance(value, float | int) and not isinstance(value, bool):
        number = float(value) + 0.0  # -0.0 equals 0.0, so it has the same bytes
        if math.isfinite(number) and number == value:
            return repr(number)
    raise _refuse("finite float", value)


def _decode_float(raw: object) -> object:
    if type(raw) is not float or not math.isfinite(raw):
        raise _refuse("finite float", raw)
    return raw


def _encode_str(value: object) -> str:
    if not isinstance(value, str):
        raise _refuse("str", value)
    if not value.isascii():
        value.encode()  # a lone surrogate is no text: SQLite could not store it
    return encode_basestring_ascii(value)


def _decode_str(raw: object) -> object:
    if type(raw) is not str:
        raise _refuse("str", raw)
    return raw


def _encode_bool(value: object) -> str:
    if type(value) is not bool:
        raise _refuse("bool", value)
    return "true" if value else "false"


def _decode_bool(raw: object) -> object:
    if type(raw) is not bool:
        raise _refuse("bool", raw)
    return raw


def _encode_none(value: object) -> str:
    if value is not None:
        raise _refuse("None", value)
    return "null"


def _decode_none(raw: object) -> object:
    if raw is not None:
        raise _refuse("null", raw)
    return raw


_UNITS = Form(_encode_units, _decode_units, (int,), (str,))
_PLAIN = {
    int: Form(_encode_int, _decode_int, (int,), (int,)),
    float: Form(_encode_float, _decode_float, (float,), (float,)),
    str: Form(_encode_str, _decode_str, (str,), (str,)),
    bool: Form(_encode_bool, _decode_bool, (bool,), (bool,)),
    NoneType: Form(_encode_none, _decode_none, (NoneType,), (NoneType,)),
}


def _literal_form(values: tuple[object, ...]) -> Form:
    kinds = tuple(dict.fromkeys(type(value) for value in values))
    if not all(kind in _PLAIN and kind is not float for kind in kinds):
        raise TypeError(f"Literal{list(values)} has a value that is no str, int, bool or None")
    # True equals 1, so the type is part of the key.
    texts = {(type(value), value): _PLAIN[type(value)].encode(value) for value in values}
    expected = f"one of {list(values)}"

    def encode(value: object) -> str:
        if type(value) not in kinds or (type(value), value) not in texts:
            raise _refuse(expected, value)
        return texts[type(value), value]

    def decode(raw: object) -> object:
        if type(raw) not in kinds or (type(raw), raw) not in texts:
            raise _refuse(expected, raw)
        return raw

    return Form(encode, decode, kinds, kinds)


def _enum_form(kind: type[StrEnum]) -> Form:
    members = {member.value: member for member in kind}
    expected = f"one of {list(members)}"

    def encode(value: object) -> str:
        if type(value) is not kind:
            raise _refuse(expected, value)
        return encode_basestring_ascii(value.value)

    def decode(raw: object) -> object:
        if type(raw) is not str or raw not in members:
            raise _refuse(expected, raw)
        return members[raw]

    return Form(encode, decode, (kind,), (str,))


def _union_form(members: list[Form]) -> Form:
    writers: dict[type, Encode] = {}
    readers: dict[type, Decode] = {}
    for member in members:
        if any(kind in writers for kind in member.python) or any(kind in readers for kind in member.json):
            raise TypeError("JSON cannot tell the members of the union apart")
        writers.update(dict.fromkeys(member.python, member.encode))
        readers.update(dict.fromkeys(member.json, member.decode))
    kinds = tuple(writers)
    if float in writers:
        writers.setdefault(int, writers[float])  # as in a plain float field
    expected = " or ".join(kind.__name__ for kind in kinds)

    def encode(value: object) -> str:
        for kind in type(value).__mro__:  # its own type, but for the likes of numpy.float64
            if kind in writers and not (kind is int and type(value) is bool):
                return writers[kind](value)
        raise _refuse(expected, value)

    def decode(raw: object) -> object:
        reader = readers.get(type(raw))
        if reader is None:
            raise _refuse(expected, raw)
        return reader(raw)

    return Form(encode, decode, kinds, tuple(readers))


def _series_form(member: Form) -> Form:
    write, read = member.encode, member.decode

    def encode(value: object) -> str:
        if type(value) is not tuple:
            raise _refuse("tuple", value)
        return f"[{','.join(map(write, value))}]"

    def decode(raw: object) -> object:
        if type(raw) is not list:
            raise _refuse("list", raw)
        return tuple(map(read, raw))

    return Form(encode, decode, (tuple,), (list,))


def _fixed_tuple_form(members: list[Form]) -> Form:
    writers = [member.encode for member in members]
    readers = [member.decode for member in members]
    expected = f"{len(members)} members"

    def encode(value: object) -> str:
        if type(value) is not tuple or len(value) != len(writers):
            raise _refuse(f"tuple of {expected}", value)
        return f"[{','.join([write(part) for write, part in zip(writers, value, strict=True)])}]"

    def decode(raw: object) -> object:
        if type(raw) is not list or len(raw) != len(readers):
            raise _refuse(f"list of {expected}", raw)
        return tuple([read(part) for read, part in zip(readers, raw, strict=True)])

    return Form(encode, decode, (tuple,), (list,))


def _object_encoder(cls: type, names: tuple[str, ...], forms: list[Form]) -> Encode:
    writers = tuple(form.encode for form in forms)
    template = "{" + ",".join(f'"{name}":%s' for name in names) + "}"

    def values_of(value: object) -> tuple[object, ...]:
        return tuple(getattr(value, name) for name in names)

    # attrgetter gives a tuple, in one C call, from two names on
    take = attrgetter(*names) if len(names) > 1 else values_of

    def encode(value: object) -> str:
        if type(value) is not cls:  # a subclass may have more fields: they would be lost
            raise _refuse(cls.__qualname__, value)
        parts = take(value)
        try:
            return template % tuple([write(part) for write, part in zip(writers, parts, strict=True)])
        except ValueError:
            raise _name_the_field(cls, names, writers, parts) from None

    return encode


def _name_the_field(
    cls: type, names: tuple[str, ...], forms: tuple[Callable[[object], object], ...], parts: Iterable[object]
) -> ValueError:
    for name, form, part in zip(names, forms, parts, strict=True):
        try:
            form(part)
        except ValueError as error:
            return ValueError(f"{cls.__qualname__}.{name}: {error}")
    raise AssertionError("a field that had no form has one now")


def _object_decoder(cls: type, names: tuple[str, ...], forms: list[Form]) -> Decode:
    readers = tuple(form.decode for form in forms)

    def decode(raw: object) -> object:
        if type(raw) is not dict:
            raise _refuse(f"the object {cls.__qualname__}", raw)
        if tuple(raw) != names:
            raise ValueError(_what_is_wrong_with_keys(cls, names, tuple(raw)))
        try:
            values = [read(part) for read, part in zip(readers, raw.values(), strict=True)]
        except ValueError:
            raise _name_the_field(cls, names, readers, raw.values()) from None
        try:
            return cls(**dict(zip(names, values, strict=True)))
        except (ValueError, AssertionError, InvariantViolated) as error:
            raise ValueError(f"{cls.__qualname__} refuses its fields: {error}") from error

    return decode


def _what_is_wrong_with_keys(cls: type, names: tuple[str, ...], found: tuple[str, ...]) -> str:
    missing = [name for name in names if name not in found]
    extra = [name for name in found if name not in names]
    if missing:
        return f"{cls.__qualname__} lacks {', '.join(missing)}"
    if extra:
        return f"{cls.__qualname__} has no {', '.join(extra)}"
    return f"{cls.__qualname__} has its keys out of order"


def _refuse_doubled_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {doubled!r} stands twice")
    return found


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is no number")


_DECODER = JSONDecoder(object_pairs_hook=_refuse_doubled_keys, parse_constant=_refuse_constant)
