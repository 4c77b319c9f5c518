"""Time is a port: nobody reads the machine's clock but through a `Clock`."""

import time
from typing import Protocol

HOUR_NS = 3_600 * 10**9
DAY_NS = 24 * HOUR_NS


class Clock(Protocol):
    """Where time comes from."""

    def now_ns(self) -> int:
        """Return nanoseconds since 1970-01-01 UTC: for people and labels, never for a decision."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds of a clock that never goes back: for deadlines, never for a record."""
        ...


class WallClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Return the machine's wall time in nanoseconds."""
        return time.time_ns()

    def monotonic_s(self) -> float:
        """Return the machine's monotonic time in seconds."""
        return time.monotonic()


class VirtualClock:
    """A clock that moves only when told."""

    def __init__(self, now_ns: int = 0) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        """Return the virtual time in nanoseconds."""
        return self._now_ns

    def monotonic_s(self) -> float:
        """Return the virtual time in seconds."""
        return self._now_ns / 10**9

    def advance_to(self, now_ns: int) -> None:
        """Move to `now_ns`; a clock never goes back."""
        assert now_ns >= self._now_ns, "a clock never goes back"
        self._now_ns = now_ns
