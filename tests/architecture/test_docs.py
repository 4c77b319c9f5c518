"""The documents keep what they promise: tested numbers, live links, short decisions."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
COMPONENTS = sorted(path.parent.name for path in (ROOT / "treasury_actors").glob("*/__init__.py"))
DECISION_LINES_MAX = 40
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
INVARIANT = re.compile(r"\bI\d+\b")


def invariants_in(text: str) -> list[str]:
    """Return the numbers a text mentions, in order, once each."""
    return sorted(dict.fromkeys(INVARIANT.findall(text)), key=lambda number: int(number[1:]))


def broken_links(document: Path, text: str) -> list[str]:
    """Return the relative links of a document that lead nowhere."""
    return [target for target in LINK.findall(text) if not (document.parent / target).exists()]


def mentions(folder: str) -> list[str]:
    """Return the invariants that the Python files of a folder mention, but for this file."""
    paths = [path for path in sorted((ROOT / folder).rglob("*.py")) if path != Path(__file__).resolve()]
    return invariants_in("\n".join(path.read_text(encoding="utf-8") for path in paths))


def test_every_invariant_is_held_by_code_and_by_a_test() -> None:
    """A promise nobody checks is a wish."""
    document = ROOT / "docs" / "invariants.md"
    if not document.exists():
        pytest.skip("docs/invariants.md is not written yet")
    numbered = invariants_in(document.read_text(encoding="utf-8"))

    assert numbered == [f"I{number}" for number in range(1, len(numbered) + 1)]
    assert [number for number in numbered if number not in mentions("treasury_actors")] == []
    assert [number for number in numbered if number not in mentions("tests")] == []


def test_the_code_names_no_invariant_that_is_not_written_down() -> None:
    document = ROOT / "docs" / "invariants.md"
    if not document.exists():
        pytest.skip("docs/invariants.md is not written yet")
    numbered = invariants_in(document.read_text(encoding="utf-8"))

    assert [number for number in mentions("treasury_actors") if number not in numbered] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    assert broken_links(document, document.read_text(encoding="utf-8")) == []


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [path.name[:4] for path in DECISIONS] == [f"{n:04d}" for n in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_short_and_says_what_was_rejected(decision: Path) -> None:
    lines = decision.read_text(encoding="utf-8").splitlines()

    assert len(lines) <= DECISION_LINES_MAX
    assert [line for line in lines if line.startswith("## ")] == [
        "## Context",
        "## Decision",
        "## Consequences",
        "## Rejected",
    ]


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_layer_picture_shows_every_component(component: str) -> None:
    picture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

    assert re.search(rf"\b{component}\b", picture)


def test_a_broken_link_and_an_unnumbered_invariant_are_caught() -> None:
    assert broken_links(ROOT / "README.md", "see [this](docs/no-such-page.md#part)") == [
        "docs/no-such-page.md"
    ]
    assert invariants_in("I10, I2 and I2; ID7 is none") == ["I2", "I10"]
