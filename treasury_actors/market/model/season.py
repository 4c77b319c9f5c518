"""A season held in columns: what a folder of data, a catalog or a generator all end as."""

import hashlib
import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, isinf, isnan, nan
from typing import TypeVar

from treasury_actors.clock import HOUR_NS
from treasury_actors.market.model.frame import Label, MarketFrame
from treasury_actors.market.model.universe import Universe

_HASH_FORMAT = "treasury-season-1"
_LARGEST = sys.float_info.max
_T = TypeVar("_T", int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonColumns:
    """
    The content of a season, one number an hour, warm-up first; the words are those of `MarketFrame`.

    The first six hold one sequence per asset or per conversion, in the order of the universe; every
    sequence has the same length, `warmup_count + frame_count`.
    """

    ticks: Sequence[Sequence[int]]
    fresh: Sequence[Sequence[bool]]
    rates: Sequence[Sequence[float]]
    share_prices: Sequence[Sequence[float]]
    depth_usd: Sequence[Sequence[float]]
    capacity_usd: Sequence[Sequence[float]]
    l1_gas_gwei: Sequence[float]
    tbill_rate: Sequence[float]


class ColumnSeason:
    """
    A `Season` of hourly frames made from columns.

    What holds of every one (asserted when it is made): ticks are never negative and never 0 again once
    known; a fresh price is positive; share prices are finite and positive; depths and capacities are
    not negative and not NaN, infinite where nothing limits them; the gas price is finite and not
    negative, and only a warm-up frame may not know it (NaN); a rate or a treasury bill yield is finite
    or NaN where unknown.

    Numbers are kept packed, frame after frame, so that a frame is six slices: a few microseconds.
    """

    __slots__ = (
        "_capacity_usd",
        "_depth_usd",
        "_fresh",
        "_l1_gas_gwei",
        "_rates",
        "_share_prices",
        "_tbill_rate",
        "_ticks",
        "data_hash",
        "frame_count",
        "label",
        "notes",
        "source",
        "start_ns",
        "universe",
        "warmup_count",
    )

    def __init__(
        self,
        columns: SeasonColumns,
        *,
        universe: Universe,
        label: Label,
        source: str,
        notes: tuple[str, ...],
        start_ns: int,
        warmup_count: int,
    ) -> None:
        """
        Pack and check `columns`.

        Args:
            columns: the numbers; they are copied.
            universe: the assets and conversions the columns follow.
            label: what a result on this data may be called.
            source: where the data came from, in words for a report.
            notes: what was assumed, unknown or stale, one sentence each, for the report.
            start_ns: the time of frame 0.
            warmup_count: how many of the rows come before frame 0.
        """
        self.universe = universe
        self.label: Label = label
        self.source = source
        self.notes = notes
        self.start_ns = start_ns
        self.warmup_count = warmup_count
        self._check(columns, len(columns.l1_gas_gwei))
        self.frame_count = len(columns.l1_gas_gwei) - warmup_count
        self._ticks = _interleaved(array("q"), columns.ticks)
        self._fresh = _interleaved(array("b"), columns.fresh)
        self._rates = _interleaved(array("d"), [[*map(_one_nan, column)] for column in columns.rates])
        self._share_prices = _interleaved(array("d"), columns.share_prices)
        self._depth_usd = _interleaved(array("d"), columns.depth_usd)
        self._capacity_usd = _interleaved(array("d"), columns.capacity_usd)
        self._l1_gas_gwei = array("d", map(_one_nan, columns.l1_gas_gwei))
        self._tbill_rate = array("d", map(_one_nan, columns.tbill_rate))
        self.data_hash = self._hash()

    def _check(self, columns: SeasonColumns, length: int) -> None:
        """Assert what holds of every season; the class says what."""
        assets, conversions = len(self.universe.assets), len(self.universe.conversions)
        assert 0 <= self.warmup_count < length, "a season has at least one frame after its warm-up"
        assert len(columns.tbill_rate) == length, "every column has one number an hour"
        for table in (columns.ticks, columns.fresh, columns.rates, columns.share_prices):
            assert len(table) == assets, "one column an asset"
            assert all(len(column) == length for column in table), "every column has one number an hour"
        for table in (columns.depth_usd, columns.capacity_usd):
            assert len(table) == conversions, "one column a conversion"
            assert all(len(column) == length for column in table), "every column has one number an hour"
            assert all(_all_within(column, 0.0, inf) for column in table), "a depth or capacity is >= 0"
        for ticks, fresh in zip(columns.ticks, columns.fresh, strict=True):
            unknown = _leading_zeros(ticks)
            assert unknown == length or min(ticks[unknown:]) > 0, "a price once known is positive for good"
            assert not any(fresh[:unknown]), "a fresh price is known"
        for column in columns.share_prices:
            assert 0.0 < min(column) <= max(column) < inf, "a share price is positive and finite"
            assert not any(map(isnan, column)), "a share price is a number"
        for column in (*columns.rates, columns.tbill_rate):
            assert not any(map(isinf, column)), "a rate is finite, or NaN if unknown"
        gas = columns.l1_gas_gwei
        assert _all_within(gas[self.warmup_count :], 0.0, _LARGEST), "a gas price is known, finite and >= 0"
        assert all(isnan(price) or 0.0 <= price < inf for price in gas), "a gas price is finite and >= 0"

    def _hash(self) -> str:
        """Return SHA-256 of every number in little-endian bytes, after the names of what they are."""
        digest = hashlib.sha256()
        names = [
            _HASH_FORMAT,
            self.universe.name,
            str(self.start_ns),
            str(self.warmup_count),
            str(self.frame_count),
        ]
        names += [f"{asset.id}:{asset.tick_exponent}" for asset in self.universe.assets]
        names += [conversion.id for conversion in self.universe.conversions]
        digest.update("\n".join(names).encode())
        for packed in (
            self._ticks,
            self._fresh,
            self._rates,
            self._share_prices,
            self._depth_usd,
            self._capacity_usd,
            self._l1_gas_gwei,
            self._tbill_rate,
        ):
            digest.update(_little_endian(packed))
        return digest.hexdigest()

    @property
    def columns(self) -> SeasonColumns:
        """Copies of the columns, as they were given."""
        assets, conversions = len(self.universe.assets), len(self.universe.conversions)
        return SeasonColumns(
            ticks=[self._ticks[column::assets] for column in range(assets)],
            fresh=[[*map(bool, self._fresh[column::assets])] for column in range(assets)],
            rates=[self._rates[column::assets] for column in range(assets)],
            share_prices=[self._share_prices[column::assets] for column in range(assets)],
            depth_usd=[self._depth_usd[column::conversions] for column in range(conversions)],
            capacity_usd=[self._capacity_usd[column::conversions] for column in range(conversions)],
            l1_gas_gwei=self._l1_gas_gwei[:],
            tbill_rate=self._tbill_rate[:],
        )

    def frame(self, index: int) -> MarketFrame:
        """Return one frame, `-warmup_count <= index < frame_count`; raise IndexError outside."""
        row = index + self.warmup_count
        if not 0 <= row < len(self._l1_gas_gwei):
            raise IndexError(f"frame {index} is not in [{-self.warmup_count}, {self.frame_count})")
        assets, conversions = len(self.universe.assets), len(self.universe.conversions)
        first, end = row * assets, (row + 1) * assets
        first_conversion, end_conversion = row * conversions, (row + 1) * conversions
        return MarketFrame(
            index=index,
            time_ns=self.start_ns + index * HOUR_NS,
            ticks=tuple(self._ticks[first:end]),
            fresh=tuple(map(bool, self._fresh[first:end])),
            rates=tuple(self._rates[first:end]),
            share_prices=tuple(self._share_prices[first:end]),
            depth_usd=tuple(self._depth_usd[first_conversion:end_conversion]),
            capacity_usd=tuple(self._capacity_usd[first_conversion:end_conversion]),
            l1_gas_gwei=self._l1_gas_gwei[row],
            tbill_rate=self._tbill_rate[row],
        )

    def frames(self) -> Iterator[MarketFrame]:
        """Yield every frame, warm-up first, in order."""
        return map(self.frame, range(-self.warmup_count, self.frame_count))


def _interleaved(packed: "array[_T]", columns: Sequence[Sequence[_T]]) -> "array[_T]":
    """Fill an empty array with the first number of every column, then the second of each, and so on."""
    width, length = len(columns), len(columns[0]) if columns else 0
    packed.frombytes(bytes(packed.itemsize * width * length))
    for place, column in enumerate(columns):
        packed[place::width] = array(packed.typecode, column)
    return packed


def _one_nan(number: float) -> float:
    """Return `number`, or the one NaN whose bits are the same on every machine."""
    return nan if isnan(number) else number


def _all_within(numbers: Sequence[float], low: float, high: float) -> bool:
    """Say whether every number lies in [low, high]; NaN does not."""
    return not any(map(isnan, numbers)) and low <= min(numbers) and max(numbers) <= high


def _leading_zeros(ticks: Sequence[int]) -> int:
    """Return for how many hours from the first one the price is not known."""
    return next((row for row, price in enumerate(ticks) if price), len(ticks))


def _little_endian(packed: "array[int] | array[float]") -> bytes:
    """Return the bytes of `packed` as a little-endian machine holds them."""
    if sys.byteorder == "big":
        packed = packed[:]
        packed.byteswap()
    return packed.tobytes()
