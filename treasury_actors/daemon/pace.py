"""When the next frame is due. Pure."""

_FRAME_S = 3_600.0
_CATCH_UP_S_MAX = 60.0


class Pace:
    """
    Spreads hourly frames over real time.

    Every frame is due a fixed time after the one before was *due*, not after it was played, so nothing
    drifts. What was missed is caught up with if it is at most 60 s; a process that slept for a day does not
    race through it.

    Args:
        speed_x: seconds of the season in a second of real time; None for as fast as it goes.
        now_s: the host's monotonic clock.
    """

    __slots__ = ("_due_s", "_interval_s")

    def __init__(self, speed_x: float | None, now_s: float) -> None:
        assert speed_x is None or 0.0 < speed_x < float("inf"), "a speed is positive and finite"
        self._interval_s = 0.0 if speed_x is None else _FRAME_S / speed_x
        self._due_s = now_s

    def next_due_s(self, now_s: float) -> float:
        """Return when the frame after the one just played is due; `now_s` or earlier means at once."""
        self._due_s += self._interval_s
        if now_s - self._due_s > _CATCH_UP_S_MAX:
            self._due_s = now_s
        return self._due_s
