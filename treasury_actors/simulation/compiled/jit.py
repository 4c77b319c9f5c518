"""How functions become machine code, and where that is kept. Imports numba: import it late."""

import hashlib
import os
import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar, cast

import llvmlite
import numba
import numpy as np
from numba.core import config

from treasury_actors.agents.model import checks, family, track, view
from treasury_actors.market.model import features
from treasury_actors.trading.model import costs, limits, liquidity

_F = TypeVar("_F", bound=Callable[..., Any])
_RULES = {"fastmath": False, "error_model": "python"}
"""The bits of plain Python: nothing is reordered or fused, and a division by zero is an error."""
_CALLED_INSIDE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""What spares a function the ways in that only Python takes."""
MADE_OF = (checks, costs, family, features, limits, liquidity, track, view)
"""The modules that machine code has functions or numbers of, beside the evaluator's and the strategy's."""


def inner(function: _F) -> _F:
    """Compile a function that other machine code calls."""
    ordinary = positional(function, function.__globals__)
    return cast("_F", numba.njit(**_RULES, **_CALLED_INSIDE)(ordinary))


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
    return cast("_F", numba.njit(boundscheck=True, **_RULES, **_CALLED_INSIDE)(function))


def outer(function: _F) -> _F:
    """Compile a function that Python calls, without the interpreter's lock; keep its machine code."""
    with kept(()) as keeps:
        return cast("_F", numba.njit(nogil=True, cache=keeps, **_RULES)(function))


@cache
def sha256_of(source: Path | str) -> bytes:
    """Return the hash of a file as it was when it was first asked for, which is when it was imported."""
    return hashlib.sha256(Path(source).read_bytes()).digest()


@contextmanager
def kept(parts: Iterable[bytes]) -> Iterator[bool]:
    """
    Let what is compiled inside be kept in a folder of its own, and say whether it can be.

    The folder is named by everything the code is made of: these `parts`, the evaluator's own sources, and the
    versions of compiler and interpreter; numba alone would notice a change in one file and no other.
    """
    digest = hashlib.sha256()
    for version in (platform.python_version(), numba.__version__, llvmlite.__version__, np.__version__):
        digest.update(f"{version}\n".encode())
    for source in (*sorted(Path(__file__).parent.glob("*.py")), *(str(each.__file__) for each in MADE_OF)):
        digest.update(sha256_of(source))
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
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
