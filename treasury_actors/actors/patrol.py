"""Time as actors know it: seconds in which the process was running. Pure."""


class RunningTime:
    """
    A clock that stands still while the process does.

    A patrol that meant to sleep for a while and comes back late was not the only one held up: the host was
    suspended (SIGSTOP, a closed lid), or something blocked the loop. Nobody could have met a deadline then,
    so lateness is taken
    off: every deadline that is running moves back by it.
    """

    def __init__(self, now_s: float) -> None:
        self._last_s = now_s
        self._stood_still_s = 0.0

    def at(self, now_s: float) -> float:
        """Return the running time, in seconds, at a reading of the host's monotonic clock."""
        return now_s - self._stood_still_s

    def woke(self, now_s: float, *, slept_s: float) -> float:
        """Take in that the patrol slept, meaning to for `slept_s`; return by how many seconds it is late."""
        late_s = max(0.0, now_s - self._last_s - slept_s)
        self._stood_still_s += late_s
        self._last_s = now_s
        return late_s
