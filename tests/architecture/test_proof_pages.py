"""The pages that say how promises are tried name tests that exist, and leave out no row."""

import re
from pathlib import Path

import pytest

from tests.architecture.references import ROOT, dangling, references_in, rows_of
from treasury_actors.faults.kinds import KINDS
from treasury_actors.faults.mutants import MUTANTS

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CATALOGUE = (ROOT / "docs" / "fault-catalogue.md").read_text(encoding="utf-8")
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
INVARIANTS = (ROOT / "docs" / "invariants.md").read_text(encoding="utf-8")
ROWS = {"A": 13, "B": 14, "C": 14, "D": 8, "E": 10, "F": 18}
"""How many rows each part of the catalogue has."""

NOT_HERE = "Not here:"
TRIES_MANY = {
    "property": ("hypothesis",),
    "seeds": ("run_campaign", "draw_plan"),
    "exhaustive": ("for ", "parametrize"),
}
"""What must stand in the file of a test that says it tries many cases, by how it draws them."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_whatever_of_the_code_a_document_names_exists(document: Path) -> None:
    assert dangling(document.read_text(encoding="utf-8")) == []


def test_the_catalogue_has_every_row_once_and_in_order() -> None:
    expected = [f"{part}{number}" for part, count in ROWS.items() for number in range(1, count + 1)]

    assert list(rows_of(CATALOGUE)) == expected


@pytest.mark.parametrize(("number", "cells"), rows_of(CATALOGUE).items(), ids=lambda cell: str(cell)[:3])
def test_each_row_of_the_catalogue_is_tested_or_says_why_it_cannot_happen(
    number: str, cells: list[str]
) -> None:
    what, tried, _ = cells
    tests = [path for path, name in references_in(tried) if path.startswith("tests/") and name]

    assert what
    assert tests or tried.startswith(NOT_HERE)
    assert len(tried) > len(NOT_HERE) + 20


def test_every_kind_of_fault_is_told_and_stands_for_a_row_of_the_catalogue() -> None:
    _, _, table = RELIABILITY.partition("## The kinds of faults")
    told = {
        name for cell in re.findall(r"^\| ([a-z, -]+) \|", table, re.MULTILINE) for name in cell.split(", ")
    }

    assert {kind.row for kind in KINDS.values()} <= set(rows_of(CATALOGUE))
    assert set(KINDS) - told == set()


def test_the_table_of_known_bad_changes_names_those_there_are() -> None:
    _, _, table = CATALOGUE.partition("## Known-bad changes")
    rows = re.findall(r"^\| (?!change |---)(.+?) \| (.+?) \|$", table, re.MULTILINE)
    named = {name for _, cell in rows for name in re.findall(r"`([\w-]+)`", cell)}

    assert len(rows) >= 36
    assert named - set(MUTANTS) == set()
    assert set(MUTANTS) - named == set()
    assert [what for what, cell in rows if "`" not in cell and not cell.startswith(NOT_HERE)] == []


def test_every_invariant_has_a_checker_and_a_test_that_tries_many_cases() -> None:
    rows, numbered = rows_of(INVARIANTS), re.findall(r"^\*\*(I\d+)\.", INVARIANTS, re.MULTILINE)

    assert sorted(rows, key=lambda number: int(number[1:])) == list(rows)
    assert sorted(rows) == sorted(numbered)
    for number, (checker, tried) in rows.items():
        held = [path for path, name in references_in(checker) if path.startswith("treasury_actors/") and name]
        assert held, f"{number} names no checker"
        ways = [way for way in TRIES_MANY if tried.startswith(f"{way} ")]
        assert ways, f"{number} is tried by a few cases alone"
        for path, _ in references_in(tried)[:1]:
            text = (ROOT / path).read_text(encoding="utf-8")
            assert any(word in text for word in TRIES_MANY[ways[0]]), f"{number}: {path} is no {ways[0]} test"


def test_what_leads_nowhere_or_stands_twice_is_seen() -> None:
    there = "tests/architecture/test_proof_pages.py"

    assert dangling(f"`{there}` `{there}::test_what_leads_nowhere_or_stands_twice_is_seen`") == []
    assert dangling(f"`{there}::test_never_written` `tests/gone.py`") == [
        f"{there}::test_never_written",
        "tests/gone.py",
    ]
    assert rows_of("| A1 | what | how | left |\n| **B2** | x | y | z |") == {
        "A1": ["what", "how", "left"],
        "B2": ["x", "y", "z"],
    }
    with pytest.raises(AssertionError, match="A1 has two rows"):
        rows_of("| A1 | a | b | c |\n| A1 | a | b | c |")
