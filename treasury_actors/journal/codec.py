"""
How an event becomes text and text an event: canonical JSON, strict both ways. Pure.

A frozen slots dataclass becomes an event type by `@event("ledger.entry_posted", version=1)`; its tag is
`ledger.entry_posted.v1`. What a field may be:

- `Units` and `TimeNs`: an int of any size, written as a decimal string (JSON readers lose digits past 2**53);
- `int`: a JSON number below 2**53 in size; `float`: finite, -0.0 written as 0.0; `str`, `bool`, `None`;
- `Literal[...]`, a `StrEnum` (by value), a `NewType` of any of these;
- `tuple[X, ...]`, `tuple[X, Y]`, nested frozen dataclasses;
- unions whose members JSON can tell apart: `X | None`, `float | int`.

Keys stand in declared order, without spaces, in ASCII, so equal values of a type have equal bytes. A type
that was written once is never changed: its successor gets the next version, and `@upcast` leads from old to
new.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, TypeAlias, TypeVar

from treasury_actors.errors import InvariantViolated
from treasury_actors.journal.forms import DECIMAL_STRING, Form, form_of_class, is_frozen_dataclass, parse_json

Units: TypeAlias = Annotated[int, DECIMAL_STRING]
TimeNs: TypeAlias = Annotated[int, DECIMAL_STRING]

E = TypeVar("E")
_Upcaster: TypeAlias = Callable[[object], object]

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")

# What a process knows of event types is fixed by its imports; nothing is registered after them.
_TYPE_OF_TAG: dict[str, type] = {}
_TAG_OF_TYPE: dict[type, str] = {}
_FORM_OF_TYPE: dict[type, Form] = {}
_UPCASTERS: dict[str, _Upcaster] = {}


def event(name: str, *, version: int) -> Callable[[type[E]], type[E]]:
    """
    Register a frozen slots dataclass as the event type `<name>.v<version>`.

    Raises TypeError for a class, name, field type or tag that cannot be one; a field whose type is declared
    further down is looked at when the first event is written or read.
    """
    tag = f"{name}.v{version}"
    if not _NAME.fullmatch(name) or version < 1:
        raise TypeError(f"{tag!r} is no event tag: lower-case `component.happened`, version from 1")

    def register(cls: type[E]) -> type[E]:
        if not is_frozen_dataclass(cls) or "__slots__" not in cls.__dict__:
            raise TypeError(f"event {tag}: {cls.__qualname__} is no frozen dataclass with slots")
        if tag in _TYPE_OF_TAG:
            raise TypeError(f"event {tag} is taken by {_TYPE_OF_TAG[tag].__qualname__}")
        if cls in _TAG_OF_TYPE:
            raise TypeError(f"{cls.__qualname__} is registered as {_TAG_OF_TYPE[cls]} already")
        with suppress(NameError):  # a forward reference: `_form` finds it once the module is whole
            _FORM_OF_TYPE[cls] = form_of_class(cls)
        _TYPE_OF_TAG[tag] = cls
        _TAG_OF_TYPE[cls] = tag
        return cls

    return register


def upcast(old_tag: str) -> Callable[[Callable[[E], object]], Callable[[E], object]]:
    """
    Register a pure function from the event type `old_tag` to a newer event.

    `decode` follows upcasters until none is left, so each leads from one version to the next.
    """

    def register(newer: Callable[[E], object]) -> Callable[[E], object]:
        if old_tag not in _TYPE_OF_TAG:
            raise TypeError(f"no event is registered as {old_tag}")
        if old_tag in _UPCASTERS:
            raise TypeError(f"{old_tag} has an upcaster already")
        _UPCASTERS[old_tag] = newer  # type: ignore[assignment]  # called with events of `old_tag` alone
        return newer

    return register


def tag_of(event: object) -> str:
    """Return the tag of an event; raise InvariantViolated if its type was never registered."""
    tag = _TAG_OF_TYPE.get(type(event))
    if tag is None:
        raise InvariantViolated(f"{type(event).__qualname__} is not registered as an event")
    return tag


def encode(event: object) -> str:
    """Return the canonical JSON of an event; raise InvariantViolated naming the field that has none."""
    try:
        return _form(type(event)).encode(event)
    except ValueError as error:
        raise InvariantViolated(f"event {tag_of(event)} cannot be written: {error}") from None


def decode(tag: str, text: str) -> object:
    """
    Return the event that `encode` wrote as `text`, lifted to its newest version.

    Raises ValueError, naming tag and field, for an unknown tag and for any text that `encode` could not have
    written: a missing, extra, doubled or misplaced key, a wrong type, a number that is not finite.
    """
    cls = _TYPE_OF_TAG.get(tag)
    if cls is None:
        raise ValueError(f"unknown event type {tag}")
    try:
        found = _form(cls).decode(parse_json(text))
    except ValueError as error:
        raise ValueError(f"event {tag}: {error}") from None
    while (newer := _UPCASTERS.get(tag)) is not None:
        found = newer(found)
        older, tag = tag, tag_of(found)
        assert tag != older, f"the upcaster of {older} leads nowhere"
    return found


def registered_tags() -> tuple[str, ...]:
    """Return every tag this process knows, sorted; raise if the fields of one cannot be written."""
    for cls in _TAG_OF_TYPE:
        _form(cls)
    return tuple(sorted(_TYPE_OF_TAG))


def _form(cls: type) -> Form:
    form = _FORM_OF_TYPE.get(cls)
    if form is None:
        if cls not in _TAG_OF_TYPE:
            raise InvariantViolated(f"{cls.__qualname__} is not registered as an event")
        form = _FORM_OF_TYPE[cls] = form_of_class(cls)
    return form
