"""
Windows: the spans of history that a fitness is the mean over, disjoint, purged, each with its warm-up.

One season of 180 days proves nothing; eight windows from different years that agree say a little. So what
is sampled here is as many separate spans as a history has room for, and a history without room for enough
of them gives `TooShort`, never a smaller number that looks like the others.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from treasury_actors.errors import ConfigError
from treasury_actors.evolution.model.chance import Chance
from treasury_actors.market.model.frame import Label

DAY_FRAMES = 24
EMBARGO_H_MIN = 48
_NAME_HEX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRules:
    """
    What windows have to be.

    Attributes:
        count_min: fewer make no fitness: K.
        count_max: so many are used at once, one from each stretch of the history.
        days: length of one.
        embargo_h: between two, and before validation and test: what is open at the end of one must not
            reach into the next.
        warmup_h: history before the first frame of each, four times the slowest span of any genome.
    """

    count_min: int = 8
    count_max: int = 8
    days: int = 60
    embargo_h: int = EMBARGO_H_MIN
    warmup_h: int = 2_880

    def __post_init__(self) -> None:
        if not 2 <= self.count_min <= self.count_max:  # noqa: PLR2004  an error needs two
            raise ConfigError(
                f"windows: {self.count_min} to {self.count_max} of them; allowed are 2 and more"
            )
        if self.days < 1 or self.embargo_h < EMBARGO_H_MIN or self.warmup_h < 0:
            raise ConfigError(
                f"windows: {self.days} days, embargo {self.embargo_h} h, warm-up {self.warmup_h} h; allowed"
                f" are 1 day, {EMBARGO_H_MIN} h and 0 h at least"
            )

    @property
    def frames(self) -> int:
        """Frames from the start of a window to its end."""
        return self.days * DAY_FRAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """
    A span of one history: `days` days from `first_frame`, both ends valued.

    Attributes:
        history: the hash of the data it lies in.
        label: what those data are; GENERATED ones say nothing of a real market.
    """

    history: str
    label: Label
    first_frame: int
    days: int

    @property
    def last_frame(self) -> int:
        """The frame the window ends at: its last NAV is taken there."""
        return self.first_frame + self.days * DAY_FRAMES

    @property
    def name(self) -> str:
        """Return its name in every record: data, first frame, length."""
        return f"{self.history[:_NAME_HEX]}+{self.first_frame}/{self.days}d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """
    A part of a history that windows may be taken from.

    Attributes:
        first_frame, end_frame: the first frame and the last that may be valued.
        warmup_count: frames of the history before its frame 0.
    """

    history: str
    label: Label
    first_frame: int
    end_frame: int
    warmup_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TooShort:
    """A history has no room for the windows that were asked for: no number can be made of it."""

    windows: int
    needed: int
    reason: str


def window_set_id(windows: Sequence[Window]) -> str:
    """Return the sha256 of what windows are evaluated on; any other window is another set."""
    parts = [[each.history, each.label, each.first_frame, each.days] for each in windows]
    return sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def check_disjoint(windows: Sequence[Window], *, embargo_h: int) -> None:
    """
    Refuse windows of one history that overlap or stand closer than the embargo.

    Raises:
        ConfigError: naming the two.
    """
    ordered = sorted(windows, key=lambda each: (each.history, each.first_frame))
    for before, after in pairwise(ordered):
        if before.history == after.history and after.first_frame < before.last_frame + embargo_h:
            raise ConfigError(
                f"windows {before.name} and {after.name} overlap: at least {embargo_h} h must lie between"
            )


def sample_windows(
    spans: Sequence[Span], rules: WindowRules, *, seed: int = 0, rotation: int = 0
) -> tuple[Window, ...] | TooShort:
    """
    Return the windows of a rotation, spread over all that may be used, oldest first.

    Every span is cut into as many slots as fit. Each of `count_max` equal stretches of these gives one,
    drawn anew at every rotation; where no more slots fit than are used, a rotation changes nothing.
    """
    slots = [window for span in spans for window in _slots(span, rules)]
    if len(slots) < rules.count_min:
        room_d = sum(max(0, span.end_frame - span.first_frame) for span in spans) // DAY_FRAMES
        return TooShort(
            windows=len(slots),
            needed=rules.count_min,
            reason=f"{room_d} days of history hold {len(slots)} windows of {rules.days} days after a warm-up"
            f" of {rules.warmup_h} h, {rules.count_min} are needed",
        )
    used = min(len(slots), rules.count_max)
    windows = []
    for stretch in range(used):
        low, high = len(slots) * stretch // used, len(slots) * (stretch + 1) // used
        windows.append(slots[low + Chance((seed, "windows", rotation, stretch)).below(high - low)])
    check_disjoint(windows, embargo_h=rules.embargo_h)
    return tuple(windows)


def _slots(span: Span, rules: WindowRules) -> list[Window]:
    """Return every window that fits into a span side by side, the last one flush with its end."""
    start = max(span.first_frame, rules.warmup_h - span.warmup_count)
    stride = rules.frames + rules.embargo_h
    count = max(0, (span.end_frame - start + rules.embargo_h) // stride)
    first = span.end_frame - count * stride + rules.embargo_h
    return [
        Window(history=span.history, label=span.label, first_frame=first + number * stride, days=rules.days)
        for number in range(count)
    ]
