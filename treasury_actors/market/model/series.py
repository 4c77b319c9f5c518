"""Facts with two times: when something was so, and when it could first be known."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from treasury_actors.clock import HOUR_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One fact of a series.

    Attributes:
        event_time_ns: when it was so: the open of a candle, the day of an average, the time of a snapshot.
        available_at_ns: when it could first be known; nobody may see it earlier.
        values: one number for each column of its series; NaN where the source documents a null.
    """

    event_time_ns: int
    available_at_ns: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """
    Facts of one source about one thing, oldest first.

    Rows are packed in columns: `event_ns[i]`, `available_ns[i]` and `values[c][i]` are one fact. A
    look-up is by the time a fact could be known, never by the time it was so. A fact is fresh until
    `max_age_h` hours after it could be known; then nothing newer came, and what it says is stale.
    """

    name: str
    columns: tuple[str, ...]
    max_age_h: int
    event_ns: "array[int]"
    available_ns: "array[int]"
    values: tuple["array[float]", ...]

    def __post_init__(self) -> None:
        assert len(self.columns) == len(self.values), "one array of numbers a column"
        assert len(self.event_ns) == len(self.available_ns), "every row has two times"
        assert all(len(numbers) == len(self.event_ns) for numbers in self.values), "no row lacks a number"
        assert all(a < b for a, b in pairwise(self.event_ns)), "a series has one row a time, oldest first"
        assert all(a <= b for a, b in pairwise(self.available_ns)), "facts become known in their order"
        assert all(a <= b for a, b in zip(self.event_ns, self.available_ns, strict=True)), (
            "nothing is known before it is so"
        )

    @classmethod
    def of(cls, name: str, columns: tuple[str, ...], max_age_h: int, rows: Iterable[Row]) -> "Series":
        """Pack `rows`, oldest first."""
        event_ns, available_ns = array("q"), array("q")
        values = tuple(array("d") for _ in columns)
        for row in rows:
            event_ns.append(row.event_time_ns)
            available_ns.append(row.available_at_ns)
            for numbers, number in zip(values, row.values, strict=True):
                numbers.append(number)
        return cls(
            name=name,
            columns=columns,
            max_age_h=max_age_h,
            event_ns=event_ns,
            available_ns=available_ns,
            values=values,
        )

    def __len__(self) -> int:
        return len(self.event_ns)

    def column(self, name: str) -> "array[float]":
        """Return the numbers of the column called `name`, one a row."""
        return self.values[self.columns.index(name)]

    def row(self, position: int) -> Row:
        """Return the row at `position`, counted from the oldest, 0."""
        return Row(
            event_time_ns=self.event_ns[position],
            available_at_ns=self.available_ns[position],
            values=tuple(numbers[position] for numbers in self.values),
        )

    def newest(self, time_ns: int) -> int:
        """Return the position of the newest row that could be known at `time_ns`; -1 if there is none."""
        return bisect_right(self.available_ns, time_ns) - 1

    def as_of(self, time_ns: int) -> Row | None:
        """Return the newest row that could be known at `time_ns`, however old."""
        position = self.newest(time_ns)
        return None if position < 0 else self.row(position)

    def is_fresh(self, position: int, time_ns: int) -> bool:
        """Say whether the row at `position` is still young enough at `time_ns`; -1 never is."""
        return position >= 0 and time_ns - self.available_ns[position] <= self.max_age_h * HOUR_NS

    def spans(self, gap_h: int) -> list[tuple[int, int]]:
        """
        Return the stretches of time this series tells of, as (first known, last fresh) in nanoseconds.

        Rows more than `gap_h` hours apart belong to different stretches.
        """
        found: list[tuple[int, int]] = []
        first = before = None
        for known in self.available_ns:
            if first is None or before is None:
                first = known
            elif known - before > gap_h * HOUR_NS:
                found.append((first, before + self.max_age_h * HOUR_NS))
                first = known
            before = known
        if first is not None and before is not None:
            found.append((first, before + self.max_age_h * HOUR_NS))
        return found
