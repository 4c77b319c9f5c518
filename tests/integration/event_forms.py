"""How each event is written, as plain data: what an older version wrote, a newer one must be able to read."""

import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NewType, TypeAlias, Union, get_args, get_origin, get_type_hints

from treasury_actors.journal import codec
from treasury_actors.journal.forms import DECIMAL_STRING

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
VERSION = str(tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"])
"""Of this package."""

Written: TypeAlias = str | list["Written"] | dict[str, "Written"]
"""A name (`int`, `units`), fields in order, or a list that begins with one of, any of, many or each."""


def forms_of(events: tuple[type, ...]) -> dict[str, Written]:
    """Return how each of these events is written, by its tag."""
    tags = {codec._TAG_OF_TYPE[event]: event for event in events}
    return {tag: written(tags[tag]) for tag in sorted(tags)}


def written(hint: Any) -> Written:  # noqa: ANN401 - any type hint
    """Return how a value of a type is written."""
    if isinstance(hint, NewType):
        return written(hint.__supertype__)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return "units" if DECIMAL_STRING in arguments[1:] else written(arguments[0])
    if origin is Literal:
        return ["one of", *sorted(map(str, arguments))]
    if origin in (Union, UnionType):
        return ["any of", *(written(argument) for argument in arguments)]
    if origin is tuple and arguments[-1] is Ellipsis:
        return ["many", written(arguments[0])]
    if origin is tuple:
        return ["each", *(written(argument) for argument in arguments)]
    if is_dataclass(hint):
        hints = get_type_hints(hint, include_extras=True)
        return {field.name: written(hints[field.name]) for field in fields(hint)}
    if issubclass(hint, StrEnum):
        return ["one of", *sorted(member.value for member in hint)]
    return "null" if hint is NoneType else str(hint.__name__)


def can_read(now: Written, old: Written) -> bool:
    """Say whether what was written in an old form is read in today's: only a choice may have grown."""
    if isinstance(now, dict) and isinstance(old, dict):
        return list(now) == list(old) and all(can_read(now[name], old[name]) for name in old)
    if isinstance(now, list) and isinstance(old, list) and now[0] == old[0]:
        if now[0] in ("one of", "any of"):
            return all(any(can_read(each, one) for each in now[1:]) for one in old[1:])
        return len(now) == len(old) and all(map(can_read, now[1:], old[1:]))
    return now == old


def unreadable(now: Mapping[str, Written], old: Mapping[str, Written]) -> list[str]:
    """Return the tags that could be written once and can't be read any more."""
    return [tag for tag in old if tag not in now or not can_read(now[tag], old[tag])]
