"""
A catalog: market data on disk, one Parquet file a series, `<catalog>/<series>.parquet`.

A file has `event_time`, `available_at` (UTC, nanoseconds) and one float64 column a number, oldest first.
What was once recorded stays: a row of the same time that comes again changes nothing. A file is written
beside its place and renamed into it, so a reader sees the old one or the new one, never a part.
"""

import importlib
import os
from array import array
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType

from treasury_actors.errors import ConfigError, DataError
from treasury_actors.market.adapters.csv_folder import read_folder
from treasury_actors.market.adapters.mainnet import build_season
from treasury_actors.market.adapters.sources import SOURCES, Source
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.series import Series
from treasury_actors.market.model.universe import Universe
from treasury_actors.market.model.utc import utc_ns, utc_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of one series: its rows now, those added, and those that were there before and stay."""

    series: str
    rows: int
    added: int
    kept: int


def import_folder(folder: Path, catalog: Path) -> tuple[Recorded, ...]:
    """
    Record every series of a data folder in the catalog, and return what became of each.

    All of the folder is read and checked before anything is written; a second import writes nothing.

    Raises:
        ConfigError: the `data` extra is not installed.
        DataError: the folder or a file of the catalog is wrong.
    """
    parquet_code()  # before a long read
    found = read_folder(folder)
    merged = [merge(catalog, source, found[name]) for source in SOURCES for name in source.keys.values()]
    return tuple(record(catalog, series, outcome) for series, outcome in merged)


def load_season_from_catalog(
    catalog: Path, *, universe: Universe, start: datetime | int, days: int, warmup_h: int
) -> ColumnSeason:
    """
    Return the season of `days` days from `start` as the catalog tells it.

    The same data give the same season, and the same `data_hash`, from a folder or from a catalog; the
    arguments and errors are those of `csv_folder.load_season`.
    """
    series = {name: read(catalog, source, name) for source in SOURCES for name in source.keys.values()}
    return build_season(
        series,
        universe=universe,
        start_ns=utc_ns(start),
        days=days,
        warmup_h=warmup_h,
        place=str(catalog),
        source=f"data catalog {catalog.name or catalog.resolve().name}",
    )


def read(catalog: Path, source: Source, name: str) -> Series:
    """Return a series of the catalog, every number checked; raise DataError if it is missing or wrong."""
    path = _path(catalog, name)
    if not path.is_file():
        raise DataError(f"{path}: missing; allowed: a catalog made by `data import` or `data download`")
    event_ns, available_ns, values = parquet_code().unpacked(path, tuple(source.columns))
    _check(path, source, event_ns, available_ns, values)
    return Series(
        name=name,
        columns=tuple(source.columns),
        max_age_h=source.max_age_h,
        event_ns=event_ns,
        available_ns=available_ns,
        values=values,
    )


def merge(catalog: Path, source: Source, series: Series) -> tuple[Series, Recorded]:
    """Return what the catalog holds of a series with `series` added; nothing is written yet."""
    if not _path(catalog, series.name).is_file():
        return series, Recorded(series=series.name, rows=len(series), added=len(series), kept=0)
    recorded = read(catalog, source, series.name)
    known = dict.fromkeys(recorded.event_ns)
    new = [row for row in map(series.row, range(len(series))) if row.event_time_ns not in known]
    rows = sorted([*map(recorded.row, range(len(recorded))), *new], key=lambda row: row.event_time_ns)
    merged = Series.of(series.name, series.columns, series.max_age_h, rows)
    outcome = Recorded(series=series.name, rows=len(merged), added=len(new), kept=len(series) - len(new))
    return merged, outcome


def record(catalog: Path, series: Series, outcome: Recorded) -> Recorded:
    """Write a merged series unless nothing was added, and return `outcome`."""
    if outcome.added:
        write_atomically(_path(catalog, series.name), parquet_code().packed(series))
    return outcome


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash, meets the old content or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.tmp")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _path(catalog: Path, name: str) -> Path:
    return catalog / f"{name}.parquet"


def parquet_code() -> ModuleType:
    """Import the Parquet code only when a catalog is used; say which extra brings what it needs."""
    try:
        return importlib.import_module("treasury_actors.market.adapters.parquet")
    except ImportError:
        raise ConfigError("a data catalog needs pyarrow; allowed: the `data` extra installed") from None


def _check(
    path: Path,
    source: Source,
    event_ns: "array[int]",
    available_ns: "array[int]",
    values: tuple["array[float]", ...],
) -> None:
    """Raise DataError on a row that is out of order, known too early, or not what its column allows."""
    before_ns = known_ns = 0
    for row, (time_ns, available) in enumerate(zip(event_ns, available_ns, strict=True)):
        if time_ns <= before_ns:
            raise DataError(
                f"{path}, row {row}: event_time is {utc_text(time_ns)}; allowed: later than the row before"
            )
        if available < max(time_ns, known_ns):
            raise DataError(
                f"{path}, row {row}: available_at is {utc_text(available)}; allowed: not before event_time "
                "or the row before"
            )
        before_ns, known_ns = time_ns, available
    for (name, allowed), numbers in zip(source.columns.items(), values, strict=True):
        for row, number in enumerate(numbers):
            if not allowed.holds(number):
                raise DataError(f"{path}, row {row}: {name} is {number!r}; allowed: {allowed.describe()}")
