"""
Facts laid on a grid of hours: what was known at each, and whether it was fresh.

Everything is made of + - x / in one fixed order on float64, and of logarithms taken in decimal, so
every machine gets the same bits.
"""

from dataclasses import dataclass
from decimal import Context, Decimal
from math import isnan, nan

from treasury_actors.clock import DAY_NS, HOUR_NS
from treasury_actors.market.model.series import Series

HOURS_A_YEAR = 8_760
YEAR_NS = 365 * DAY_NS
_DECIMAL = Context(prec=30)
_LONGEST_TREND = 2
"""A trend is not read over more than this many times the span asked for: a gap hides what happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """`count` moments an hour apart, the first at `start_ns`."""

    start_ns: int
    count: int

    def times_ns(self) -> range:
        """Return the moments in nanoseconds."""
        return range(self.start_ns, self.start_ns + self.count * HOUR_NS, HOUR_NS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One number an hour: NaN until it is known, `fresh` while what it rests on is young enough."""

    values: list[float]
    fresh: list[bool]

    def times(self, other: "Track") -> "Track":
        """Return the product, fresh while both are."""
        values = [mine * theirs for mine, theirs in zip(self.values, other.values, strict=True)]
        return Track(values=values, fresh=self._both(other))

    def over(self, other: "Track") -> "Track":
        """Return the quotient, fresh while both are; `other` is never 0."""
        values = [mine / theirs for mine, theirs in zip(self.values, other.values, strict=True)]
        return Track(values=values, fresh=self._both(other))

    def once_known(self, other: "Track") -> "Track":
        """Return this track from the hour it is first known, and `other` before."""
        known = next((hour for hour, value in enumerate(self.values) if not isnan(value)), len(self.values))
        return Track(
            values=other.values[:known] + self.values[known:], fresh=other.fresh[:known] + self.fresh[known:]
        )

    def while_fresh(self, other: "Track") -> "Track":
        """Return this track where it is fresh, and the last known of `other`, or of this, elsewhere."""
        values = [
            mine if fresh or isnan(theirs) else theirs
            for mine, fresh, theirs in zip(self.values, self.fresh, other.values, strict=True)
        ]
        either = [mine or theirs for mine, theirs in zip(self.fresh, other.fresh, strict=True)]
        return Track(values=values, fresh=either)

    def or_unknown(self) -> list[float]:
        """Return the numbers, NaN wherever they are not fresh: for a rate, where stale is unknown."""
        return [value if fresh else nan for value, fresh in zip(self.values, self.fresh, strict=True)]

    def _both(self, other: "Track") -> list[bool]:
        return [mine and theirs for mine, theirs in zip(self.fresh, other.fresh, strict=True)]


def newest(series: Series, hours: Hours) -> list[int]:
    """Return, for each hour, the position of the newest row that could be known; -1 before the first."""
    positions, position, known = [], series.newest(hours.start_ns), series.available_ns
    for time_ns in hours.times_ns():
        while position + 1 < len(known) and known[position + 1] <= time_ns:
            position += 1
        positions.append(position)
    return positions


def track(series: Series, column: str, hours: Hours) -> Track:
    """Return what `column` was known to be at each hour; a null is never fresh."""
    return track_of(series, list(series.column(column)), hours)


def track_of(series: Series, numbers: list[float], hours: Hours) -> Track:
    """Return `numbers`, one for each row of `series`, as they were known at each hour."""
    positions = newest(series, hours)
    values = [nan if position < 0 else numbers[position] for position in positions]
    fresh = [
        series.is_fresh(position, time_ns) and not isnan(value)
        for position, time_ns, value in zip(positions, hours.times_ns(), values, strict=True)
    ]
    return Track(values=values, fresh=fresh)


def trailing_growth(series: Series, column: str, span_days: int) -> list[float]:
    """
    Return for each row the annual growth since the newest row at least `span_days` older.

    A fraction a year, without compounding; NaN where no such row is known, or none younger than twice
    the span.
    """
    numbers, rates, base = series.column(column), [], -1
    for position, time_ns in enumerate(series.event_ns):
        while series.event_ns[base + 1] <= time_ns - span_days * DAY_NS:
            base += 1
        elapsed_ns = time_ns - series.event_ns[base] if base >= 0 else 0
        if 0 < elapsed_ns <= _LONGEST_TREND * span_days * DAY_NS:
            rates.append((numbers[position] / numbers[base] - 1.0) * (YEAR_NS / elapsed_ns))
        else:
            rates.append(nan)
    return rates


def trailing_mean(series: Series, column: str, span_days: int) -> list[float]:
    """Return for each row the mean of the rows of the last `span_days`, itself included, without nulls."""
    numbers, means, first = series.column(column), [], 0
    for position, time_ns in enumerate(series.event_ns):
        while series.event_ns[first] <= time_ns - span_days * DAY_NS:
            first += 1
        known = [number for number in numbers[first : position + 1] if not isnan(number)]
        means.append(sum(known) / len(known) if known and not isnan(numbers[position]) else nan)
    return means


def accrued_between_rows(series: Series, column: str, rates: list[float], hours: Hours) -> Track:
    """
    Return an index that each row states and that grows at that row's rate until the next is known.

    At hour t: row's index x (1 + rate x years since the row), by no more than the row's age allows; an
    unknown rate adds nothing.
    """
    stated = track(series, column, hours)
    values, longest_ns = [], series.max_age_h * HOUR_NS
    for time_ns, position, value in zip(hours.times_ns(), newest(series, hours), stated.values, strict=True):
        if position < 0 or isnan(rates[position]):
            values.append(value)
            continue
        elapsed_ns = min(time_ns - series.event_ns[position], longest_ns)
        values.append(value * (1.0 + rates[position] * (elapsed_ns / YEAR_NS)))
    return Track(values=values, fresh=stated.fresh)


def accrued_hourly(rates: Track) -> Track:
    """
    Return an index that starts at 1 when a rate is first known and grows by it, hour after hour.

    From t to t + 1 h it earns the rate known at t; while none is known, or it is stale, it stays.
    """
    values: list[float] = []
    index, started = 1.0, False
    for rate, fresh in zip(rates.values, rates.fresh, strict=True):
        started = started or fresh
        values.append(index if started else nan)
        if fresh:
            index *= 1.0 + rate / HOURS_A_YEAR
    return Track(values=values, fresh=rates.fresh)


def apr_of_apy(apy_ratio: float) -> float:
    """Return the annual rate that, compounded without pause, gives `apy_ratio`: ln(1 + APY); NaN stays."""
    return nan if isnan(apy_ratio) else float((1 + Decimal(apy_ratio)).ln(_DECIMAL))
