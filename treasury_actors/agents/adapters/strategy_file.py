"""Load a user's strategy from its file. Loading runs the file: it is code the user chose to trust."""

import sys
from collections.abc import Collection
from importlib.util import module_from_spec, spec_from_file_location
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

from treasury_actors.agents.model.checks import family_problem
from treasury_actors.agents.model.family import Family
from treasury_actors.errors import ConfigError
from treasury_actors.ids import FamilyId

_BROKEN_FILE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What running a file with a mistake in it raises."""


def load_strategy(path: Path, shipped: Collection[FamilyId]) -> Family:
    """
    Return the family that a strategy file offers; `shipped` are the names it may not take.

    Raises:
        ConfigError: the file can't be read or run, or what it offers is incomplete; one line says what.
    """
    name = path.stem
    if path.suffix != ".py" or not path.is_file():
        raise ConfigError(f"{path}: no strategy file; it must be a .py file that exists")
    if name in shipped:
        raise ConfigError(f"{path}: the family {name} ships already; give the file another name")
    module = _run(path)
    if not callable(getattr(module, "decide", None)):
        raise ConfigError(f"{path}: has no function decide(state, view, genome)")
    family = getattr(module, "FAMILY", None)
    if not isinstance(family, Family):
        raise ConfigError(f"{path}: has no FAMILY = define(__file__, …)")
    problem = _problem(family, name)
    if problem is not None:
        raise ConfigError(f"{path}: {problem}")
    return family


def _run(path: Path) -> ModuleType:
    """Return the module of a file after running it; it is known by a name that clashes with no other."""
    spec = spec_from_file_location(f"strategy_file_{path.stem}", path)
    assert spec is not None, "a path that ends in .py has a loader"
    assert spec.loader is not None, "a path that ends in .py has a loader"
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # annotations are looked up there
    try:
        spec.loader.exec_module(module)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except _BROKEN_FILE as error:
        raise ConfigError(f"{path}: {type(error).__name__}: {_one_line(error)}") from error
    return module


def _problem(family: Family, name: str) -> str | None:
    """Return what is wrong with a loaded family, in one line; None if all is well."""
    if family.id != name:
        return f"FAMILY is named {family.id}, but the file {name}"
    try:
        fields: Any = getattr(family.genome, "_fields", None)
        if fields != tuple(gene.name for gene in family.genes):
            return f"Genome has the fields {fields}, but its genes are {[gene.name for gene in family.genes]}"
        if len(signature(family.decide).parameters) != 3:  # noqa: PLR2004 (named in the message)
            return "decide must take (state, view, genome)"
        return family_problem(family)
    except _BROKEN_FILE as error:
        return f"{type(error).__name__}: {_one_line(error)}"


def _one_line(error: Exception) -> str:
    """Return an error's text on one line."""
    return " ".join(str(error).split())
