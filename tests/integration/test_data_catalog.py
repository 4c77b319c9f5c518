"""A folder imported into a catalog on disk tells the same season, and a broken catalog says where."""

import sys
from array import array
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.unit.market.folder import DAYS, START, write_folder
from treasury_actors.errors import ConfigError, DataError
from treasury_actors.market.adapters.catalog import (
    import_folder,
    load_season_from_catalog,
    merge,
    read,
    record,
    write_atomically,
)
from treasury_actors.market.adapters.csv_folder import load_season, read_source
from treasury_actors.market.adapters.sources import ETH_CANDLES
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.shipped import MAINNET

ETH = "binance.ETHUSDT"


def from_catalog(catalog: Path) -> ColumnSeason:
    return load_season_from_catalog(catalog, universe=MAINNET, start=START, days=DAYS, warmup_h=48)


def rewrite(catalog: Path, column: str, row: int, value: object) -> None:
    """Change one cell of the ETH candles on disk, as a careless hand would."""
    path = catalog / f"{ETH}.parquet"
    table = parquet.read_table(path)
    numbers = table.column(column).cast(
        pa.int64() if column in {"event_time", "available_at"} else pa.float64()
    )
    cells = numbers.to_pylist()
    cells[row] = cells[value] if isinstance(value, int) else value
    place = table.column_names.index(column)
    cast = pa.array(cells, numbers.type).cast(table.schema.field(place).type)
    parquet.write_table(table.set_column(place, table.schema.field(place), cast), path)


def test_a_catalog_gives_the_season_of_the_folder_it_was_imported_from(tmp_path: Path) -> None:
    folder, catalog = write_folder(tmp_path / "folder"), tmp_path / "catalog"
    import_folder(folder, catalog)

    assert from_catalog(catalog).data_hash == (
        load_season(folder, universe=MAINNET, start=START, days=DAYS, warmup_h=48).data_hash
    )


def test_a_second_import_adds_nothing_and_writes_nothing(tmp_path: Path) -> None:
    folder, catalog = write_folder(tmp_path / "folder"), tmp_path / "catalog"
    first = import_folder(folder, catalog)
    before = {path.name: (path.stat().st_ino, path.read_bytes()) for path in catalog.iterdir()}
    second = import_folder(folder, catalog)

    assert all(outcome.added == outcome.rows for outcome in first)
    assert all((outcome.added, outcome.kept) == (0, outcome.rows) for outcome in second)
    assert {path.name: (path.stat().st_ino, path.read_bytes()) for path in catalog.iterdir()} == before


def test_nothing_is_written_when_the_folder_is_wrong(tmp_path: Path) -> None:
    folder, catalog = write_folder(tmp_path / "folder"), tmp_path / "catalog"
    (folder / "eth_gas_price/etherscan_avg_gas_1d.csv.gz").unlink()

    with pytest.raises(DataError, match="etherscan_avg_gas_1d"):
        import_folder(folder, catalog)
    assert not catalog.exists()


def test_what_was_recorded_stays_and_what_is_new_is_added(tmp_path: Path) -> None:
    folder, catalog = write_folder(tmp_path / "folder"), tmp_path / "catalog"
    whole = read_source(folder, ETH_CANDLES)[ETH]
    half = replace(
        whole,
        event_ns=whole.event_ns[::2],
        available_ns=whole.available_ns[::2],
        values=tuple(numbers[::2] for numbers in whole.values),
    )
    record(catalog, *merge(catalog, ETH_CANDLES, half))
    doubled = replace(whole, values=(array("d", (2 * number for number in whole.values[0])),))
    outcome = record(catalog, *merge(catalog, ETH_CANDLES, doubled))
    merged = read(catalog, ETH_CANDLES, ETH)

    assert (outcome.rows, outcome.added, outcome.kept) == (720, 360, 360)
    assert merged.values[0][::2] == whole.values[0][::2]
    assert merged.values[0][1::2] == doubled.values[0][1::2]


@pytest.mark.parametrize(
    ("column", "row", "value", "words"),
    [
        ("close", 7, float("nan"), "row 7: close is nan; allowed: a finite number > 0"),
        ("close", 7, float("inf"), "row 7: close is inf; allowed"),
        ("close", 7, -1.0, "row 7: close is -1.0; allowed"),
        ("event_time", 7, 6, "row 7: event_time is 2024-01-01T06:00Z; allowed: later than the row before"),
        ("available_at", 7, 5, "row 7: available_at is 2024-01-01T06:00Z; allowed: not before event_time"),
        ("close", 7, None, "a cell is null"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path: Path, column: str, row: int, value: object, words: str) -> None:
    catalog = tmp_path / "catalog"
    import_folder(write_folder(tmp_path / "folder"), catalog)
    rewrite(catalog, column, row, value)

    with pytest.raises(DataError, match=words) as caught:
        from_catalog(catalog)
    assert f"{ETH}.parquet" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_foreign_or_cut_file_is_named(tmp_path: Path) -> None:
    catalog = tmp_path / "catalog"
    import_folder(write_folder(tmp_path / "folder"), catalog)
    path = catalog / f"{ETH}.parquet"
    whole = path.read_bytes()

    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=f"{ETH}.parquet: can't be read as Parquet"):
        from_catalog(catalog)
    parquet.write_table(pa.table({"close": [1.0]}), path)
    with pytest.raises(DataError, match=f"{ETH}.parquet: holds close double; allowed: event_time timestamp"):
        from_catalog(catalog)
    path.unlink()
    with pytest.raises(DataError, match=f"{ETH}.parquet: missing; allowed"):
        from_catalog(catalog)


def test_a_machine_without_pyarrow_is_told_which_extra_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "treasury_actors.market.adapters.parquet", None)

    with pytest.raises(ConfigError, match="needs pyarrow; allowed: the `data` extra"):
        import_folder(write_folder(tmp_path / "folder"), tmp_path / "catalog")


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_atomically(path, b"old")
    with path.open("rb") as reader:
        write_atomically(path, b"newer")

        assert reader.read() == b"old", "who has it open reads on in the old one"
    assert path.read_bytes() == b"newer"
    assert list(path.parent.iterdir()) == [path]
