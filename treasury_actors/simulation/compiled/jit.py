"""How functions become machine code, and where that is kept. Imports numba: import it late."""

import hashlib
import os
import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar, cast

import llvmlite
import numba
import numpy as np
from numba.core import config

from treasury_actors.agents.model import targets, view
from treasury_actors.market.model import features
from treasury_actors.trading.model import costs

_F = TypeVar("_F", bound=Callable[..., Any])
_RULES = {"fastmath": False, "error_model": "python"}
"""The bits of plain Python: nothing is reordered or fused, and a division by zero is an error."""


def inner(function: _F) -> _F:
    """Compile a function that other machine code calls."""
    return cast("_F", numba.njit(**_RULES)(positional(function, function.__globals__)))


def positional(function: Callable[..., Any], names: dict[str, Any]) -> FunctionType:
    """
    Return a function of the same code that finds other globals: `names`.

    Arguments that have to be named, which numba doesn't know, become ordinary ones.
    """
    code, named = function.__code__, function.__kwdefaults__ or {}
    count = code.co_argcount + code.co_kwonlyargcount
    only_named = code.co_varnames[code.co_argcount : count]
    defaults = (*(function.__defaults__ or ()), *(named[name] for name in only_named if name in named))
    if len(named) < len(only_named):  # one of them has none, so nothing before it may have one
        defaults = ()
    ordinary = code.replace(co_argcount=count, co_kwonlyargcount=0)
    return FunctionType(ordinary, names, function.__name__, defaults)


def checked(function: _F) -> _F:
    """Compile a function of a strategy: a place outside a list or a tuple is an error, as in Python."""
    return cast("_F", numba.njit(boundscheck=True, **_RULES)(function))


def outer(function: _F) -> _F:
    """Compile a function that Python calls, without the interpreter's lock; keep its machine code."""
    with kept(()) as keeps:
        return cast("_F", numba.njit(nogil=True, cache=keeps, **_RULES)(function))


@contextmanager
def kept(sources: Iterable[Path]) -> Iterator[bool]:
    """
    Let what is compiled inside be kept in a folder of its own, and say whether it can be.

    The folder is named by everything the code is made of: these `sources`, the evaluator's own, and the
    versions of compiler and interpreter; numba alone would notice a change in one file and no other.
    """
    digest = hashlib.sha256()
    for version in (platform.python_version(), numba.__version__, llvmlite.__version__, np.__version__):
        digest.update(f"{version}\n".encode())
    for module in (costs, features, targets, view):
        digest.update(Path(str(module.__file__)).read_bytes())
    for source in (*sorted(Path(__file__).parent.glob("*.py")), *sources):
        digest.update(source.read_bytes())
    chosen = os.environ.get("TREASURY_CACHE")
    home = Path(chosen) if chosen else Path.home() / ".cache" / "treasury-arena"
    folder = home / "compiled" / digest.hexdigest()[:24]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        yield False
        return
    before = config.CACHE_DIR
    config.CACHE_DIR = str(folder)
    try:
        yield os.access(folder, os.W_OK)
    finally:
        config.CACHE_DIR = before
