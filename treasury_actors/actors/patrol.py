"""Time as actors know it: seconds in which the process was running. Pure."""

from math import inf


class RunningTime:
    """
    A clock that stands still while the process does.

    A patrol that meant to sleep for a while and comes back late was not the only one held up: the host was
    suspended (SIGSTOP, a closed lid), or something blocked the loop. Nobody could have met a deadline then,
    so lateness is taken off: every deadline that is running moves back by it.

    Whoever reads the clock after a pause, before the patrol came round, reads what the patrol will say: past
    the moment at which the patrol was due it stands still. So it never goes back.
    """

    def __init__(self, now_s: float) -> None:
        self._last_s = now_s
        self._nap_s = inf
        self._stood_still_s = 0.0

    def at(self, now_s: float) -> float:
        """Return the running time, in seconds, at a reading of the host's monotonic clock."""
        return min(now_s, self._last_s + self._nap_s) - self._stood_still_s

    def sleeps(self, slept_s: float) -> None:
        """Take in that the patrol, which has just read the clock, means to sleep for `slept_s`."""
        self._nap_s = slept_s

    def woke(self, now_s: float, *, slept_s: float) -> float:
        """Take in that the patrol slept, meaning to for `slept_s`; return by how many seconds it is late."""
        late_s = max(0.0, now_s - self._last_s - slept_s)
        self._stood_still_s += late_s
        self._last_s = now_s
        return late_s
