"""
When an endpoint is left alone. Pure; times are seconds of a monotonic clock.

Five failures within 30 s open it; 30 s later one question is let through (half-open), and its outcome closes
it or opens it anew.
"""

from dataclasses import dataclass, replace

FAILURES_MAX = 5
WINDOW_S = 30.0
OPEN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """
    What is remembered of an endpoint's failures.

    Attributes:
        failures_s: when the last ones happened, at most `FAILURES_MAX`.
        closed_again_s: when the next question is let through; `None` while it is closed.
    """

    failures_s: tuple[float, ...] = ()
    closed_again_s: float | None = None

    def allows(self, now_s: float) -> bool:
        """Return whether the endpoint may be asked."""
        return self.closed_again_s is None or now_s >= self.closed_again_s

    def asked(self, now_s: float) -> "Breaker":
        """Return the breaker while a question is under way: an open one lets no second through."""
        assert self.allows(now_s), "only an endpoint that may be asked is"
        return self if self.closed_again_s is None else replace(self, closed_again_s=now_s + OPEN_S)

    def failed(self, now_s: float) -> "Breaker":
        """Return the breaker after a failure."""
        recent = tuple(at for at in self.failures_s if now_s - at < WINDOW_S)
        failures = (*recent, now_s)[-FAILURES_MAX:]
        if self.closed_again_s is not None or len(failures) == FAILURES_MAX:
            return Breaker(failures_s=failures, closed_again_s=now_s + OPEN_S)
        return Breaker(failures_s=failures)

    def tripped(self, now_s: float) -> "Breaker":
        """Return the breaker opened at once: the endpoint lied."""
        return replace(self.failed(now_s), closed_again_s=now_s + OPEN_S)
