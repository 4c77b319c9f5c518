"""What documents name of the code: `path/to/file.py::name`, or a file alone."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = re.compile(r"`((?:tests|benchmarks|treasury_actors)/[\w/.-]+?\.py)(?:::([\w.]+))?`")
ROW = re.compile(r"^\| \**([A-Z]\d+)\** \|(.*)\|$", re.MULTILINE)


def references_in(text: str) -> list[tuple[str, str]]:
    """Return each (file, name) that a text names in code; the name is empty for a file alone."""
    return REFERENCE.findall(text)


@cache
def names_in(path: str) -> frozenset[str]:
    """Return what a file defines at its top level, and `Class.method`; nothing if there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name, body=body):
                found.add(name)
                methods = (each for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
                found |= {f"{name}.{method.name}" for method in methods}
            case ast.Assign(targets=targets):
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
            case _:
                pass
    return frozenset(found)


def dangling(text: str) -> list[str]:
    """Return the references of a text that lead nowhere."""
    return [
        f"{path}::{name}" if name else path
        for path, name in references_in(text)
        if not (ROOT / path).is_file() or (name and name not in names_in(path))
    ]


def rows_of(text: str) -> dict[str, list[str]]:
    """Return the cells of each table row that begins with an id such as B7; an id stands once."""
    rows: dict[str, list[str]] = {}
    for number, rest in ROW.findall(text):
        assert number not in rows, f"{number} has two rows"
        rows[number] = [cell.strip() for cell in rest.split("|")]
    return rows
