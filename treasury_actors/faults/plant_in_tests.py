"""A plugin of pytest that plants one known-bad change before any test is read: `-p` this module."""

import os
from contextlib import ExitStack
from typing import Final

from treasury_actors.faults.mutants import MUTANTS
from treasury_actors.faults.planting import planted

NAMED_BY: Final = "KNOWN_BAD_CHANGE"
"""The environment variable that names it."""

_PLANTED: Final = ExitStack()


def pytest_configure() -> None:
    """Plant; pytest calls this before it reads a test, so that tests get what is planted."""
    _PLANTED.enter_context(planted(MUTANTS[os.environ[NAMED_BY]]))


def pytest_unconfigure() -> None:
    """Take it out again."""
    _PLANTED.close()
