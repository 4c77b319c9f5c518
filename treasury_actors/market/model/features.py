"""
Features of the market: growing prefix sums, causal, the same for every agent.

A mean, a return or a volatility over any span is two look-ups. Prices are int64 ticks, so their sums
are exact in any order; returns and their squares are float64, summed in one fixed order, frame by
frame. Nothing is stored that a frame did not bring: what is later can't be asked for.
"""

from array import array
from math import nan, sqrt

from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe

HOURS_A_YEAR = 8760.0


class Features:
    """
    Prefix sums over the frames seen so far, one column an asset.

    `length` frames are known; a row number counts from the first warm-up frame. Each array of sums has
    one leading zero, so the sum over rows [a, b) is `sums[b] - sums[a]`. Every look-up says how many
    frames are known to the one who asks (`end`): a restarted agent re-decides past frames.
    """

    __slots__ = (
        "first_known",
        "fresh",
        "length",
        "rate_gaps",
        "rate_sums",
        "rates",
        "return_sums",
        "square_sums",
        "tick_sums",
        "ticks",
        "universe",
    )

    def __init__(self, universe: Universe) -> None:
        columns = range(len(universe.assets))
        self.universe = universe
        self.length = 0
        self.ticks = [array("q") for _ in columns]
        self.fresh = [array("b") for _ in columns]
        self.rates = [array("d") for _ in columns]
        self.tick_sums = [array("q", [0]) for _ in columns]
        self.return_sums = [array("d", [0.0]) for _ in columns]
        self.square_sums = [array("d", [0.0]) for _ in columns]
        self.rate_sums = [array("d", [0.0]) for _ in columns]
        self.rate_gaps = [array("q", [0]) for _ in columns]
        self.first_known = [-1] * len(universe.assets)

    def append(self, frame: MarketFrame) -> None:
        """Take in the next frame."""
        for column, (ticks, fresh, rate) in enumerate(
            zip(frame.ticks, frame.fresh, frame.rates, strict=True)
        ):
            seen = self.ticks[column]
            before = seen[-1] if seen else 0
            change = ticks / before - 1.0 if before and ticks else 0.0
            if ticks and self.first_known[column] < 0:
                self.first_known[column] = self.length
            seen.append(ticks)
            self.fresh[column].append(fresh)
            self.rates[column].append(rate)
            _extend(self.tick_sums[column], ticks)
            _extend(self.return_sums[column], change)
            _extend(self.square_sums[column], change * change)
            known = rate == rate  # noqa: PLR0124 (NaN is not itself)
            _extend(self.rate_sums[column], rate if known else 0.0)
            _extend(self.rate_gaps[column], 0 if known else 1)
        self.length += 1

    def known_h(self, column: int, end: int) -> int:
        """Return for how many of the first `end` frames a price of the asset was known."""
        first = self.first_known[column]
        return 0 if first < 0 else max(0, end - first)

    def mean_ticks(self, column: int, span_h: int, end: int) -> float:
        """Return the mean price in ticks over `span_h` frames up to `end`; NaN if not known that long."""
        if span_h < 1 or self.known_h(column, end) < span_h:
            return nan
        sums = self.tick_sums[column]
        return (sums[end] - sums[end - span_h]) / span_h

    def change(self, column: int, span_h: int, end: int) -> float:
        """Return the price change over `span_h` frames up to `end` as a fraction; NaN if not known."""
        if span_h < 1 or self.known_h(column, end) < span_h + 1:
            return nan
        ticks = self.ticks[column]
        return ticks[end - 1] / ticks[end - 1 - span_h] - 1.0

    def volatility(self, column: int, span_h: int, end: int) -> float:
        """Return the annual volatility of hourly returns over `span_h` frames up to `end`; NaN if unknown."""
        if span_h < 2 or self.known_h(column, end) < span_h + 1:  # noqa: PLR2004 (one return has no spread)
            return nan
        start = end - span_h
        total = self.return_sums[column][end] - self.return_sums[column][start]
        squares = self.square_sums[column][end] - self.square_sums[column][start]
        variance = (squares - total * total / span_h) / (span_h - 1)
        return sqrt(variance * HOURS_A_YEAR) if variance > 0.0 else 0.0

    def mean_rate(self, column: int, span_h: int, end: int) -> float:
        """Return the mean annual supply rate over `span_h` frames up to `end`; NaN if any is unknown."""
        if span_h < 1 or span_h > end:
            return nan
        unknown = self.rate_gaps[column]
        if unknown[end] != unknown[end - span_h]:
            return nan
        sums = self.rate_sums[column]
        return (sums[end] - sums[end - span_h]) / span_h


def _extend(sums: "array[int] | array[float]", value: float) -> None:
    """Append the running sum after `value`."""
    sums.append(sums[-1] + value)  # type: ignore[arg-type]
