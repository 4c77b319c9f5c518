"""Every file of a report, in one call."""

import json
from pathlib import Path

import pytest

from tests.unit.reports.diary import Diary, context, generated, lived
from treasury_actors.errors import DataError
from treasury_actors.reports.summary_json import to_json
from treasury_actors.reports.write import write_reports

FILES = [
    "graveyard.csv",
    "nav.csv",
    "refusals.csv",
    "report.html",
    "sources.csv",
    "summary.json",
    "trades.csv",
]


def test_one_call_writes_every_file_and_nothing_else(tmp_path: Path) -> None:
    season, records, state_hash = lived(30, 12)

    summary = write_reports(
        tmp_path, records=iter(records), season=season, context=context(state_hash=state_hash)
    )

    assert sorted(path.name for path in tmp_path.iterdir()) == FILES
    assert (tmp_path / "summary.json").read_text(encoding="utf-8") == to_json(summary)
    parsed = json.loads(to_json(summary))
    assert parsed["journal"]["state_hash"] == state_hash
    assert parsed["trades"] == len((tmp_path / "trades.csv").read_text().splitlines()) - 1


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    season, records, _ = lived(30, 12)
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        write_reports(folder, records=records, season=season, context=context())

    for name in FILES:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_journal_of_other_data_writes_nothing(tmp_path: Path) -> None:
    diary = Diary(generated(1))

    with pytest.raises(DataError):
        write_reports(tmp_path, records=diary.records(), season=generated(1, seed=2), context=context())

    assert list(tmp_path.iterdir()) == []
