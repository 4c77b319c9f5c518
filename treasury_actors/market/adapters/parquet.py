"""One series as one Parquet file. Imports pyarrow, which comes with the `data` extra: import it late."""

from array import array
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from treasury_actors.errors import DataError
from treasury_actors.market.model.series import Series

_FORMAT = {b"treasury": b"series-1"}
_TIME = pa.timestamp("ns", tz="UTC")


def packed(series: Series) -> bytes:
    """Return the Parquet file of `series`."""
    columns = [pa.array(times, pa.int64()).cast(_TIME) for times in (series.event_ns, series.available_ns)]
    columns += [pa.array(numbers, pa.float64()) for numbers in series.values]
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns, schema=_schema(series.columns)), sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def unpacked(
    path: Path, columns: tuple[str, ...]
) -> tuple["array[int]", "array[int]", tuple["array[float]", ...]]:
    """Return event times, available times and numbers of a file; raise DataError if it is no such series."""
    schema = _schema(columns)
    try:
        table = parquet.ParquetFile(path).read(use_threads=False)
    except (OSError, pa.ArrowException) as problem:
        reason = " ".join(str(problem).split())
        raise DataError(f"{path}: can't be read as Parquet: {reason}") from None
    if not table.schema.equals(schema) or not _FORMAT.items() <= (table.schema.metadata or {}).items():
        has = ", ".join(f"{field.name} {field.type}" for field in table.schema)
        allowed = ", ".join(f"{field.name} {field.type}" for field in schema)
        raise DataError(f"{path}: holds {has}; allowed: {allowed}, written by this project")
    if any(column.null_count for column in table.columns):
        raise DataError(f"{path}: a cell is null; allowed: numbers, NaN where the source documents a null")
    event_ns, available_ns = (array("q", table.column(at).cast(pa.int64()).to_pylist()) for at in (0, 1))
    return event_ns, available_ns, tuple(array("d", table.column(name).to_pylist()) for name in columns)


def _schema(columns: tuple[str, ...]) -> pa.Schema:
    """Return what a file of these columns looks like."""
    fields = [pa.field("event_time", _TIME), pa.field("available_at", _TIME)]
    return pa.schema([*fields, *(pa.field(name, pa.float64()) for name in columns)], metadata=_FORMAT)
