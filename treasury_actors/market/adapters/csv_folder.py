"""
A data folder: one folder a family, gzip or plain CSV, `timestamp` first, in UTC.

Every row of every file the universe needs is read and checked, whatever span is asked for; bad input
is a `DataError` of one line that names file, line and allowed range. A gap is a fact, not an error.
"""

import csv
import gzip
import io
import zlib
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from treasury_actors.clock import HOUR_NS
from treasury_actors.errors import DataError
from treasury_actors.market.adapters.mainnet import build_season
from treasury_actors.market.adapters.sources import SOURCES, Allowed, Source
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.series import Series
from treasury_actors.market.model.universe import Universe
from treasury_actors.market.model.utc import EPOCH, utc_ns

_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_NO_OFFSET = timedelta(0)
_SHOWN_CHARACTERS = 40


def load_season(
    folder: Path, *, universe: Universe, start: datetime | int, days: int, warmup_h: int
) -> ColumnSeason:
    """
    Return the season of `days` days from `start` as the data of `folder` tell it.

    Args:
        folder: laid out as `sources.SOURCES` says.
        universe: what to price; every asset needs a recipe in `mainnet`.
        start: time of frame 0, on the hour; nanoseconds since 1970, or a datetime (UTC if it has no zone).
        days: length of the season, >= 1.
        warmup_h: frames before frame 0, as far back as the data go.

    Raises:
        DataError: the folder is wrong, or its data don't cover the season.
    """
    return build_season(
        read_folder(folder),
        universe=universe,
        start_ns=utc_ns(start),
        days=days,
        warmup_h=warmup_h,
        place=str(folder),
        source=f"data folder {folder.name or folder.resolve().name}",
    )


def read_folder(folder: Path) -> dict[str, Series]:
    """Return every series of `sources.SOURCES` by name; raise DataError on the first thing wrong."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such data folder")
    found: dict[str, Series] = {}
    for source in SOURCES:
        found |= read_source(folder, source)
    return found


def read_source(folder: Path, source: Source) -> dict[str, Series]:
    """Return the series of one file by name."""
    path = _path_of(folder, source)
    rows = csv.reader(io.StringIO(_text_of(path), newline=""))
    try:
        return _series_of(path, source, rows)
    except csv.Error as problem:
        raise DataError(f"{path}: not CSV: {problem}") from None


def _path_of(folder: Path, source: Source) -> Path:
    """Return the file of `source`, packed or plain."""
    for suffix in (".csv.gz", ".csv"):
        path = folder / (source.path + suffix)
        if path.is_file():
            return path
    raise DataError(
        f"{folder / source.path}.csv.gz: missing, and no .csv; {', '.join(source.keys.values())} need it"
    )


def _text_of(path: Path) -> str:
    """Return the text of a file, unpacked if need be."""
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise DataError(f"{path}: not UTF-8 at byte {problem.start}") from None
    except (OSError, EOFError, zlib.error) as problem:
        raise DataError(f"{path}: can't be read: {problem}") from None


def _series_of(path: Path, source: Source, rows: Iterator[list[str]]) -> dict[str, Series]:
    """Read and check every row; keep those whose key is in the table."""
    header = next(rows, [])
    time_at = _position(path, header, "timestamp")
    key_at = None if source.key_column is None else _position(path, header, source.key_column)
    rules = [(_position(path, header, name), name, allowed) for name, allowed in source.rules]
    kept = {key: (array("q"), tuple(array("d") for _ in source.columns)) for key in source.keys}
    last_ns: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            if not row:
                continue  # a blank line says nothing
            raise DataError(
                f"{path}, line {line}: {len(row)} fields; allowed: {len(header)}, as in the header"
            )
        key = "" if key_at is None else row[key_at]
        time_ns, before_ns = _time_ns(row[time_at]), last_ns.get(key, 0)
        if time_ns <= before_ns:
            raise DataError(f"{path}, line {line}: {_time_fault(row[time_at], key, time_ns, before_ns)}")
        last_ns[key] = time_ns
        numbers = _numbers(path, line, row, rules)
        if key in kept:
            event_ns, values = kept[key]
            event_ns.append(time_ns)
            for column, number in zip(values, numbers, strict=False):  # what is only checked is not kept
                column.append(number)
    for key, name in source.keys.items():
        if key not in last_ns:
            raise DataError(f"{path}: no row with {source.key_column} {key!r}, which {name} is read from")
    return {name: _series(source, name, *kept[key]) for key, name in source.keys.items()}


def _series(source: Source, name: str, event_ns: "array[int]", values: tuple["array[float]", ...]) -> Series:
    """Return the series, each row known as long after its time as its source says."""
    delay_ns = source.known_after_h * HOUR_NS
    return Series(
        name=name,
        columns=tuple(source.columns),
        max_age_h=source.max_age_h,
        event_ns=event_ns,
        available_ns=array("q", (time_ns + delay_ns for time_ns in event_ns)),
        values=values,
    )


def _position(path: Path, header: list[str], name: str) -> int:
    """Return where the column is; raise DataError if it is missing or there twice."""
    if header.count(name) != 1:
        raise DataError(f"{path}, line 1: column {name!r} is there {header.count(name)} times; allowed: once")
    return header.index(name)


def _numbers(path: Path, line: int, row: list[str], rules: list[tuple[int, str, Allowed]]) -> list[float]:
    """Return the numbers of one row; raise DataError on the first that isn't allowed."""
    numbers = []
    for position, name, allowed in rules:
        number = allowed.parse(row[position])
        if number is None:
            raise DataError(
                f"{path}, line {line}: {name} is {_shown(row[position])}; allowed: {allowed.describe()}"
            )
        numbers.append(number)
    return numbers


def _time_ns(text: str) -> int:
    """Return nanoseconds since 1970 of a time in UTC between 2000 and 2200; 0 of anything else."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return 0
    if time.utcoffset() != _NO_OFFSET or not _EARLIEST <= time < _LATEST:
        return 0
    since = time - EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000


def _time_fault(text: str, key: str, time_ns: int, before_ns: int) -> str:
    """Say what is wrong with the time of a row."""
    if time_ns == 0:
        return f"timestamp is {_shown(text)}; allowed: 2000 to 2199 in UTC, such as 2024-05-12T00:00:00Z"
    what = f"timestamp {_shown(text)}" + (f" of {_shown(key)}" if key else "")
    if time_ns == before_ns:
        return f"{what} is there twice; allowed: once a key"
    return f"{what} is out of order; allowed: later than the row before it of the same key"


def _shown(text: str) -> str:
    """Return a value in quotes, cut short, on one line."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")
