"""How a known-bad change is told and planted. Your own goes the same way: a function that yields changes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

Change: TypeAlias = tuple[Any, str, object]
"""Where (a module or a class), which attribute, what instead."""

Harness: TypeAlias = Literal["simulation", "replay", "power-loss", "tests"]
"""Who must catch it: a campaign of seeds, two processes that play the same ones, power cuts, or a test."""

Changes: TypeAlias = Callable[[], Iterator[Change]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """
    A change for the worse, in one sentence: what somebody once shipped, or nearly did.

    Attributes:
        tests: the tests that must fail while it is planted, as pytest names them; none for seeds to catch.
    """

    name: str
    story: str
    harness: Harness
    changes: Changes
    tests: tuple[str, ...] = ()


PLANTABLE: Final[dict[str, Mutant]] = {}
"""Every mutant that was told, by name; fixed once `mutants` is imported."""


def known_bad(
    name: str, story: str, *, harness: Harness = "simulation", tests: tuple[str, ...] = ()
) -> Callable[[Changes], Changes]:
    """Register a function that yields what to change; `tests` go with the harnesses that are tests."""
    assert bool(tests) == (harness in {"power-loss", "tests"}), f"{name}: who catches it?"

    def register(changes: Changes) -> Changes:
        assert name not in PLANTABLE, f"two mutants are called {name}"
        PLANTABLE[name] = Mutant(name=name, story=story, harness=harness, changes=changes, tests=tests)
        return changes

    return register


@contextmanager
def planted(mutant: Mutant | None) -> Iterator[None]:
    """Plant a mutant in this process; take it out again."""
    usual: list[Change] = []
    try:
        for where, name, instead in mutant.changes() if mutant is not None else ():
            usual.append((where, name, vars(where)[name]))
            setattr(where, name, instead)
        yield
    finally:
        for where, name, before in reversed(usual):
            setattr(where, name, before)
