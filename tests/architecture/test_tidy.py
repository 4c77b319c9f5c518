"""The tree is tidy; and each rule is shown to catch what it forbids."""

import ast
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.architecture import tidy

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = sorted((ROOT / "treasury_actors").rglob("*.py"))
SOURCES = [ROOT / "run.py", *PACKAGE, *sorted((ROOT / "tests").rglob("*.py"))]
TEXT_SUFFIXES = {
    ".cfg",
    ".css",
    ".html",
    ".js",
    ".json",
    ".md",
    ".py",
    ".sh",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
    "",
}

TreeCheck = Callable[[ast.Module], Iterator[str]]
TextCheck = Callable[[str], Iterator[str]]


def complaints(check: TreeCheck, paths: list[Path]) -> list[str]:
    """Return what a check finds, each with its file."""
    return [
        f"{path.relative_to(ROOT)}:{finding}"
        for path in paths
        for finding in check(ast.parse(path.read_text(encoding="utf-8")))
    ]


def tracked_texts() -> list[Path]:
    """Return the text files under version control, and those about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout: nothing says which files are ours")
    paths = [ROOT / line for line in listed.stdout.splitlines()]
    return [path for path in paths if path.suffix in TEXT_SUFFIXES and path.is_file()]


@pytest.mark.parametrize(
    "check", [tidy.long_functions, tidy.wide_classes, tidy.banned_class_names, tidy.hollow_assertions]
)
def test_every_source_obeys(check: TreeCheck) -> None:
    assert complaints(check, SOURCES) == []


@pytest.mark.parametrize("check", [tidy.set_iterations, tidy.undocumented])
def test_every_module_of_the_package_obeys(check: TreeCheck) -> None:
    assert complaints(check, [ROOT / "run.py", *PACKAGE]) == []


def test_no_float_comes_near_money() -> None:
    near_money = [ROOT / "treasury_actors" / "money.py", *(p for p in PACKAGE if "ledger" in p.parts)]

    assert complaints(tidy.float_annotations, near_money) == []


@pytest.mark.parametrize("check", [tidy.long_files, tidy.leftovers])
def test_every_text_of_a_source_obeys(check: TextCheck) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{finding}"
        for path in SOURCES
        for finding in check(path.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_every_name_says_something() -> None:
    names = [path.relative_to(ROOT) for path in SOURCES]

    assert [f"{name}: {finding}" for name in names for finding in tidy.banned_module_name(name)] == []


def test_no_file_tells_where_it_was_written() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{finding}"
        for path in tracked_texts()
        for finding in tidy.machine_traces(path.read_text(encoding="utf-8"))
    ]

    assert found == []


LONG_BODY = "    x = 1\n" * tidy.FUNCTION_LINES_MAX
MANY_METHODS = "".join(f"    def m{i}(self): ...\n" for i in range(tidy.CLASS_METHODS_MAX + 1))


@pytest.mark.parametrize(
    ("check", "bad"),
    [
        (tidy.long_functions, f"def f():\n{LONG_BODY}"),
        (tidy.long_functions, f"async def f():\n{LONG_BODY}"),
        (tidy.wide_classes, f"class C:\n{MANY_METHODS}"),
        (tidy.banned_class_names, "class OrderManager: ..."),
        (tidy.banned_class_names, "class RPCService: ..."),
        (tidy.float_annotations, "def f(units: float) -> int: ..."),
        (tidy.float_annotations, "def f() -> list[float]: ..."),
        (tidy.float_annotations, "class C:\n    units: 'float | None' = None"),
        (tidy.set_iterations, "for x in {1, 2}: ..."),
        (tidy.set_iterations, "y = [x for x in set(names)]"),
        (tidy.set_iterations, "y = list(set(a) - set(b))"),
        (tidy.set_iterations, "for i, x in enumerate(frozenset(a)): ..."),
        (tidy.hollow_assertions, "assert True"),
        (tidy.hollow_assertions, "assert (x == 1, 'a tuple')"),
        (tidy.hollow_assertions, "assert x.y == x.y"),
        (tidy.undocumented, "x = 1"),
        (tidy.undocumented, '"""Module."""\ndef f(): ...'),
        (tidy.undocumented, '"""Module."""\nclass C:\n    """C."""\n    async def m(self): ...'),
    ],
)
def test_a_rule_on_trees_catches_what_it_forbids(check: TreeCheck, bad: str) -> None:
    assert len(list(check(ast.parse(bad)))) == 1


@pytest.mark.parametrize(
    ("check", "bad"),
    [
        (tidy.long_files, "\n" * (tidy.FILE_LINES_MAX + 1)),
        (tidy.leftovers, "x = 1  # TO" + "DO: later"),
        (tidy.machine_traces, "see /ho" + "me/someone/file"),
        (tidy.machine_traces, "from https://py" + "pi.org/simple"),
    ],
)
def test_a_rule_on_texts_catches_what_it_forbids(check: TextCheck, bad: str) -> None:
    assert len(list(check(bad))) == 1


@pytest.mark.parametrize("bad", ["ledger/utils.py", "order_manager.py", "helpers/units.py", "bot.py"])
def test_a_name_that_says_nothing_is_caught(bad: str) -> None:
    assert len(list(tidy.banned_module_name(Path(bad)))) == 1


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (tidy.set_iterations, "for x in sorted({1, 2}): ..."),
        (tidy.set_iterations, "if x in {1, 2}: ..."),
        (tidy.set_iterations, "y = list(a - b)"),
        (tidy.float_annotations, "def f(units: int) -> str: ..."),
        (tidy.hollow_assertions, "assert x == y"),
        (tidy.hollow_assertions, "assert f(x) == f(x), 'the same bytes twice'"),
        (tidy.banned_class_names, "class Robot: ..."),
        (tidy.undocumented, '"""Module."""\ndef _private(): ...'),
    ],
)
def test_a_rule_on_trees_lets_pass_what_it_should(check: TreeCheck, good: str) -> None:
    assert list(check(ast.parse(good))) == []
