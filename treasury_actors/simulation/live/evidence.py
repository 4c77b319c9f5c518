"""
What must be shown before real money: a rehearsal by the same rules, with the same code, whose books balanced.

Whoever forges a rehearsal's folder deceives nobody but themselves; what is checked here is that it was not
forgotten, not outdated, and not another one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treasury_actors.errors import ConfigError
from treasury_actors.journal.verify import verify
from treasury_actors.settings.file import Settings
from treasury_actors.simulation.code_version import code_hash
from treasury_actors.simulation.manifest import read_manifest
from treasury_actors.simulation.run import JOURNAL_NAME

REPORT_NAME: Final = "rehearsal.json"
_RULES: Final = ("stage", "arena", "risk", "planner", "chain")
_MAY_DIFFER: Final = {"chain": {"network"}}
_BYTES_MAX: Final = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a rehearsal showed: so many days and trades, its books equal to its chain to the unit."""

    run_id: str
    days: int
    trades: int
    events: int


def check_evidence(settings: Settings, folder: Path, *, strategy: Path | None = None) -> Evidence:
    """
    Return what the rehearsal in `folder` showed.

    Raises:
        ConfigError: it shows less than the config demands; the one line says what is missing.
        JournalCorrupt: its journal is not what was written.
    """
    where = f"live.evidence {folder}"
    manifest = read_manifest(folder) if folder.is_dir() else None
    if manifest is None:
        raise ConfigError(f"{where}: no rehearsal there; make one: run.py rehearse CONFIG --out {folder}")
    report = _report(folder / REPORT_NAME, where)
    if not (folder / JOURNAL_NAME).is_file():
        raise ConfigError(f"{where}: it has no journal; allowed: the whole folder of a rehearsal")
    for section, keys in differences(manifest.config, settings.model_dump(mode="json")):
        raise ConfigError(f"{where}: rehearsed by other rules: {section}.{keys[0]}; rehearse by these")
    if manifest.code_hash != code_hash(strategy):
        raise ConfigError(f"{where}: rehearsed with other code than this; rehearse again")
    books, days, trades = report.get("books"), report.get("days"), report.get("trades")
    if not isinstance(books, dict) or books.get("equal") is not True:
        raise ConfigError(f"{where}: its books did not equal its chain")
    if not isinstance(days, int) or days < settings.live.evidence_days:
        raise ConfigError(f"{where}: {days} days; allowed: {settings.live.evidence_days} and more")
    if not isinstance(trades, int) or trades < 1:
        raise ConfigError(f"{where}: nothing was traded in it")
    events = verify(folder / JOURNAL_NAME, decode_payloads=False).events
    return Evidence(run_id=manifest.run_id, days=days, trades=trades, events=events)


def differences(rehearsed: Mapping[str, object], wanted: Mapping[str, object]) -> list[tuple[str, list[str]]]:
    """Return the sections of the rules that differ, each with its keys; where a chain is may differ."""
    found = []
    for section in _RULES:
        was, now = rehearsed.get(section), wanted.get(section)
        was = was if isinstance(was, dict) else {}
        now = now if isinstance(now, dict) else {}
        free = _MAY_DIFFER.get(section, set())
        keys = [key for key in sorted({*was, *now} - free) if was.get(key) != now.get(key)]
        if keys:
            found.append((section, keys))
    return found


def _report(path: Path, where: str) -> dict[str, object]:
    """Return what a rehearsal wrote of itself."""
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_BYTES_MAX))
    except (OSError, ValueError, RecursionError):
        raise ConfigError(f"{where}: no {REPORT_NAME}: it was not played to its end") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{where}: {REPORT_NAME} is not what a rehearsal writes")
    return content
