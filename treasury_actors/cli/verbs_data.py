"""`data download`, `data import`."""

import argparse
from datetime import date
from pathlib import Path

import anyio

from treasury_actors.cli.screen import emit, say, show
from treasury_actors.clock import WallClock
from treasury_actors.errors import ConfigError
from treasury_actors.market.adapters.catalog import import_folder
from treasury_actors.market.adapters.download import download as download_into
from treasury_actors.market.model.utc import utc_ns


def download(options: argparse.Namespace) -> int:
    """Fetch one price and one rate source into the catalog."""
    start, end = _day(options.start), _day(options.end)
    if start >= end:
        raise ConfigError(f"--start {options.start} is not before --end {options.end}")
    say(f"downloading {options.start} to {options.end} into {options.catalog}")

    async def fetch() -> tuple[object, ...]:
        return await download_into(options.catalog, start=start, end=end, now_ns=WallClock().now_ns())

    return _report(anyio.run(fetch), options.catalog, as_json=options.json)


def import_(options: argparse.Namespace) -> int:
    """Read a data folder into the catalog."""
    say(f"importing {options.folder} into {options.catalog}")
    return _report(import_folder(options.folder, options.catalog), options.catalog, as_json=options.json)


def _report(rows: tuple[object, ...], catalog: Path, *, as_json: bool) -> int:
    """Print what is in the catalog now."""
    if as_json:
        emit({"catalog": str(catalog), "series": [_fields(row) for row in rows]})
    else:
        for row in rows:
            show("  ".join(f"{name}={value}" for name, value in _fields(row).items()))
        show("All ok")
    return 0


def _fields(row: object) -> dict[str, object]:
    """Return the fields of a result row."""
    from dataclasses import asdict, is_dataclass

    assert is_dataclass(row), "results are dataclasses"
    assert not isinstance(row, type), "and instances"
    return {
        name: value if isinstance(value, int | float) else str(value) for name, value in asdict(row).items()
    }


def _day(text: str) -> int:
    """Return the nanoseconds of a day's beginning, UTC."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{text}: not a date; write YYYY-MM-DD") from None
    from datetime import UTC, datetime

    return utc_ns(datetime(day.year, day.month, day.day, tzinfo=UTC))
