"""
What the text of a strategy file gives away: where else it could learn something than from its view.

A test by running can't catch a file that carries the future in its luggage: other data change nothing in
it. So the text is read, too. It is a fence for the honest, not a wall: Python has other doors.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

_MODULES = ("typing", "collections.abc", "dataclasses", "__future__")
_ROOMS = (
    "treasury_actors.agents.model",
    "treasury_actors.errors",
    "treasury_actors.ids",
    "treasury_actors.market.model.universe",
)
_MATH = frozenset(
    {
        "ceil",
        "copysign",
        "e",
        "fabs",
        "floor",
        "inf",
        "isfinite",
        "isinf",
        "isnan",
        "nan",
        "pi",
        "sqrt",
        "trunc",
    }
)
"""What is exact on every machine; exp, log and sin differ in the last bit by CPU and library."""

_BUILTINS = {
    "open": "reads files",
    "input": "reads the keyboard",
    "exec": "runs other text",
    "eval": "runs other text",
    "compile": "runs other text",
    "__import__": "imports past this check",
    "globals": "reaches around its state",
    "vars": "reaches around its state",
    "hash": "differs by process",
    "id": "differs by process",
}
_TUPLE_FIELDS = frozenset({"_replace", "_asdict", "_make", "_fields", "_field_defaults"})
"""What a NamedTuple offers under a name that looks private."""


def outside_sources(path: Path) -> list[str]:
    """Return what in a strategy file reaches beyond its view, state and genome, each with its line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [finding for node in ast.walk(tree) for finding in _findings(node)]
    return [f"line {line}: {words}" for line, words in sorted(found)]


def _findings(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, what it is) for one node of the file."""
    match node:
        case ast.Import():
            for alias in node.names:
                if alias.name not in (*_MODULES, "math"):
                    yield node.lineno, f"imports {alias.name}"
        case ast.ImportFrom():
            yield from _from(node)
        case ast.Attribute(value=ast.Name(id="math"), attr=name) if name not in _MATH:
            yield node.lineno, f"uses math.{name}, which differs by machine"
        case ast.Attribute(attr=name) if name.startswith("_") and name not in _TUPLE_FIELDS:
            yield node.lineno, f"reaches into .{name}, which is no part of what it is given"
        case ast.Global() | ast.Nonlocal():
            yield node.lineno, f"changes {', '.join(node.names)} outside its state"
        case ast.Call(func=ast.Name(id=name)) if name in _BUILTINS:
            yield node.lineno, f"calls {name}, which {_BUILTINS[name]}"
        case ast.Call(func=ast.Name(id="getattr"), args=[_, name]) if not isinstance(name, ast.Constant):
            yield node.lineno, "calls getattr with a name that isn't written down"
        case _:
            pass


def _from(node: ast.ImportFrom) -> Iterator[tuple[int, str]]:
    """Yield what a `from … import` brings in that a strategy may not have."""
    module = node.module or "."
    if module == "math":
        for alias in node.names:
            if alias.name not in _MATH:
                yield node.lineno, f"uses math.{alias.name}, which differs by machine"
    elif module not in _MODULES and not module.startswith(_ROOMS):
        yield node.lineno, f"imports {module}"
