"""What every test shares: properties that try the same cases each time, and leave nothing behind."""

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

RECURSION_LIMIT = sys.getrecursionlimit()

# A failing case is printed in full, so no database of examples is kept; time limits are pytest's.
settings.register_profile(
    "repeatable",
    database=None,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")

# Tests write journals by hand; some systems let a group write what a user makes, and such a one is refused.
os.umask(0o022)


@pytest.fixture(autouse=True)
def recursion_is_bounded() -> Iterator[None]:
    """Put back the limit that importing a library of the chain extra lifts."""
    sys.setrecursionlimit(max(RECURSION_LIMIT, 1_000))
    yield
    sys.setrecursionlimit(max(RECURSION_LIMIT, 1_000))
