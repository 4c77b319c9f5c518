"""Writing a report: every file of a run folder that people and scripts read."""

from collections.abc import Iterable
from pathlib import Path

from treasury_actors.journal.event import Recorded
from treasury_actors.market.model.frame import Season
from treasury_actors.reports.historian import history_of
from treasury_actors.reports.html import page
from treasury_actors.reports.summarise import summarise
from treasury_actors.reports.summary import RunContext, Summary
from treasury_actors.reports.summary_json import to_json
from treasury_actors.reports.tables import graveyard_csv, nav_csv, refusals_csv, sources_csv, trades_csv


def write_reports(
    folder: Path, *, records: Iterable[Recorded], season: Season, context: RunContext
) -> Summary:
    """
    Write `summary.json`, `report.html` and the CSV tables into `folder`; return what they say.

    Args:
        folder: must exist; files of an earlier report in it are replaced, each at once.
        records: the whole journal from its first event.
        season: the one the journal was lived on; of several courses on it the last counts.

    Raises:
        DataError: the journal holds no season on this data.
        OSError: a file can't be written.
    """
    history = history_of(records, season, lending_asset=context.lending_asset, last_frame=context.last_frame)
    summary = summarise(history, season, context)
    _write(folder / "trades.csv", trades_csv(history))
    _write(folder / "nav.csv", nav_csv(history, summary, season))
    _write(folder / "refusals.csv", refusals_csv(history))
    _write(folder / "graveyard.csv", graveyard_csv(summary))
    _write(folder / "sources.csv", sources_csv(summary))
    _write(folder / "report.html", page(summary, history))
    _write(folder / "summary.json", to_json(summary))  # last: who finds it finds the rest
    return summary


def _write(path: Path, text: str) -> None:
    """Write a file so that no reader ever sees half of it."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)
