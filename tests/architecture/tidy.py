"""
The tidy rules that no bought tool checks. Each takes a file's text or tree and yields what is wrong with it.

The numbers come from measuring admired code: where files, functions and classes stay this small, people
still read them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
CLASS_METHODS_MAX = 20
BANNED_NAMES = ("bot", "helper", "helpers", "manager", "misc", "service", "signal", "util", "utils")
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Written in two halves, so that this file passes its own check.
_LEFTOVER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
_HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com", "crates" + ".io")
_MACHINE_PATH = re.compile(r"(?<![\w.])/(home|root|Users|work|tmp|opt)/[\w.]")


def long_files(text: str) -> Iterator[str]:
    """Yield a complaint when a file is too long to read in one sitting."""
    lines = len(text.splitlines())
    if lines > FILE_LINES_MAX:
        yield f"{lines} lines; at most {FILE_LINES_MAX}"


def long_functions(tree: ast.AST) -> Iterator[str]:
    """Yield each function that does not fit on a screen."""
    for node in _functions(tree):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            yield f"{node.lineno}: {node.name} has {lines} lines; at most {FUNCTION_LINES_MAX}"


def wide_classes(tree: ast.AST) -> Iterator[str]:
    """Yield each class that does too much."""
    for node in _classes(tree):
        methods = sum(isinstance(item, FunctionNode) for item in node.body)
        if methods > CLASS_METHODS_MAX:
            yield f"{node.lineno}: {node.name} has {methods} methods; at most {CLASS_METHODS_MAX}"


def banned_module_name(path: Path) -> Iterator[str]:
    """Yield a complaint when a module or its folder has a name that says nothing."""
    for part in (*path.parent.parts, path.stem):
        for word in part.split("_"):
            if word in BANNED_NAMES:
                yield f"named {word!r}, which says nothing: name what it is"


def banned_class_names(tree: ast.AST) -> Iterator[str]:
    """Yield each class whose name has a word that says nothing."""
    for node in _classes(tree):
        for word in _WORD.findall(node.name):
            if word.lower() in BANNED_NAMES:
                yield f"{node.lineno}: {node.name} has {word!r} in its name, which says nothing"


def float_annotations(tree: ast.AST) -> Iterator[str]:
    """Yield each annotation that lets a float near money."""
    for node in ast.walk(tree):
        annotation = getattr(node, "returns" if isinstance(node, FunctionNode) else "annotation", None)
        if isinstance(annotation, ast.expr) and _names(annotation) & {"float"}:
            yield f"{annotation.lineno}: float where money is: use integer units"


def set_iterations(tree: ast.AST) -> Iterator[str]:
    """Yield each loop over what is plainly a set: its order differs from process to process."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension) and _is_set(node.iter):
            yield f"{node.iter.lineno}: iterates over a set; sort it first"
        elif isinstance(node, ast.Call) and _called(node) in {
            "list",
            "tuple",
            "enumerate",
            "zip",
            "iter",
            "map",
        }:
            yield from (
                f"{argument.lineno}: puts a set in order of its hashes; sort it first"
                for argument in node.args
                if _is_set(argument)
            )


def hollow_assertions(tree: ast.AST) -> Iterator[str]:
    """Yield each assertion that cannot fail."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and _is_always_true(node.test):
            yield f"{node.lineno}: an assertion that cannot fail"


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Yield the module, and each public class and function of it, that has no docstring."""
    if ast.get_docstring(tree) is None:
        yield "1: the module has no docstring"
    for node in tree.body:
        yield from _undocumented(node)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for item in node.body:
                yield from _undocumented(item)


def leftovers(text: str) -> Iterator[str]:
    """Yield each line that promises work instead of doing it."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _LEFTOVER.search(line):
            yield f"{number}: {found.group()} left over; do it, or file an issue"


def machine_traces(text: str) -> Iterator[str]:
    """Yield each line that names a package host, or a path of the machine it was written on."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _MACHINE_PATH.search(line):
            yield f"{number}: a path of one machine: {found.group()}…"
        yield from (f"{number}: names a package host: {host}" for host in _HOSTS if host in line)


def _functions(tree: ast.AST) -> Iterator[FunctionNode]:
    return (node for node in ast.walk(tree) if isinstance(node, FunctionNode))


def _classes(tree: ast.AST) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def _names(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return set(re.findall(r"\w+", node.value))
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _called(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return _is_set(node.left) or _is_set(node.right)
    return isinstance(node, ast.Set | ast.SetComp) or _called(node) in {"set", "frozenset"}


def _is_always_true(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant | ast.Tuple):
        return bool(node.value if isinstance(node, ast.Constant) else node.elts)
    if any(isinstance(inner, ast.Call) for inner in ast.walk(node)):
        return False  # called twice, a function may answer twice
    return isinstance(node, ast.Compare) and ast.dump(node.left) == ast.dump(node.comparators[0])


def _undocumented(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | FunctionNode) and not node.name.startswith("_"):
        is_overload = not isinstance(node, ast.ClassDef) and "overload" in map(
            ast.unparse, node.decorator_list
        )
        if not is_overload and ast.get_docstring(node) is None:
            yield f"{node.lineno}: {node.name} has no docstring"
