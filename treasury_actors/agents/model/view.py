"""What a strategy may see: the market up to now, and its own weights. Bound to one moment."""

from math import nan

from treasury_actors.market.model.features import Features

KEEP: list[float] = []
"""The answer of a strategy that leaves its holdings as they are."""


class View:
    """
    The market as one strategy sees it at frame t; assets are slots 0 .. `count` - 1 in its own order.

    Nothing here takes a time: what is later than t can't be asked for (I11). A figure that isn't known is
    NaN, never zero, and every comparison with NaN is false.
    """

    __slots__ = ("_columns", "_end", "_features", "_scales", "count", "frame", "weights")

    def __init__(
        self, features: Features, columns: tuple[int, ...], end: int, frame: int, weights: tuple[float, ...]
    ) -> None:
        self._features = features
        self._columns = columns
        self._end = end
        self._scales = features.universe.assets
        self.count = len(columns)
        self.frame = frame
        """The season frame, 0 = first: an hour each."""
        self.weights = weights
        """The share of this agent's NAV that each slot holds now; the rest is in the reserve."""

    def price_usd(self, slot: int) -> float:
        """Return the price now in USD; NaN if never known. Stale prices are returned: see `tradable`."""
        column = self._columns[slot]
        ticks = self._features.ticks[column][self._end - 1]
        scale: int = 10 ** self._scales[column].tick_exponent
        return ticks / scale if ticks else nan

    def tradable(self, slot: int) -> bool:
        """Say whether the price is fresh enough to trade on."""
        return self._features.fresh[self._columns[slot]][self._end - 1] == 1

    def mean_usd(self, slot: int, span_h: int) -> float:
        """Return the mean price over the last `span_h` hours in USD; NaN if not known that long."""
        column = self._columns[slot]
        scale: int = 10 ** self._scales[column].tick_exponent
        return self._features.mean_ticks(column, span_h, self._end) / scale

    def change(self, slot: int, span_h: int) -> float:
        """Return the price change over the last `span_h` hours as a fraction; NaN if not known."""
        return self._features.change(self._columns[slot], span_h, self._end)

    def volatility(self, slot: int, span_h: int) -> float:
        """Return the annual volatility of hourly returns over the last `span_h` hours; NaN if not known."""
        return self._features.volatility(self._columns[slot], span_h, self._end)

    def rate(self, slot: int) -> float:
        """Return the annual supply rate of a share token now, as a fraction; NaN if it has none."""
        return self._features.rates[self._columns[slot]][self._end - 1]

    def mean_rate(self, slot: int, span_h: int) -> float:
        """Return the mean annual supply rate over the last `span_h` hours; NaN if not known all along."""
        return self._features.mean_rate(self._columns[slot], span_h, self._end)
