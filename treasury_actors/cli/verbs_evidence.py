"""`preregister`, `evolve`, `walk-forward`, `evidence`."""

import argparse
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from treasury_actors.cli.screen import emit, say, show
from treasury_actors.errors import ConfigError
from treasury_actors.market.model.utc import utc_ns
from treasury_actors.simulation.evidence import commands
from treasury_actors.simulation.evidence.config import (
    DEFAULT_CONFIG,
    EvidenceConfig,
    WorldName,
    load_evidence_config,
)

WORKSPACE_VARIABLE = "TREASURY_WORKSPACE"
DEFAULT_WORKSPACE = Path("trials")
_WORLDS: Mapping[str, WorldName] = {"positive": "positive", "null": "null"}
_INSUFFICIENT_CODE = 1


def preregister(options: argparse.Namespace) -> int:
    """Write gates and windows down before a run."""
    found = commands.preregister(load_evidence_config(options.config), _workspace(options))
    if options.json:
        emit(found)
    else:
        show(f"config {found['config_hash']} {'written down' if found['new'] else 'stands already'}")
        show(f"anchor {found['anchor']}")
        show("All ok")
    return 0


def evolve(options: argparse.Namespace) -> int:
    """Run one search; a killed one goes on."""
    config = _config(options)
    found = commands.evolve_on(
        config,
        folder=options.data,
        world=None if options.world is None else _world(options.world),
        seed=options.seed,
        workspace=_workspace(options),
        progress=say,
    )
    _print(found, as_json=options.json)
    return _INSUFFICIENT_CODE if found["verdict"].startswith("INSUFFICIENT") else 0


def walk_forward(options: argparse.Namespace) -> int:
    """Choose, test on what comes next, and lay the tests end to end."""
    found = commands.walk_forward(
        _config(options),
        options.data,
        start_ns=_day(options.start, "--start"),
        end_ns=_day(options.end, "--end"),
        seed=options.seed,
        workspace=_workspace(options),
        workers=options.workers,
        progress=say,
    )
    _print(found, as_json=options.json)
    return 0


def evidence(options: argparse.Namespace) -> int:
    """Try every way of searching at equal evaluations, in a world whose truth is known or on data."""
    config, workspace = _config(options), _workspace(options)
    if options.seeds < 1:
        raise ConfigError(f"--seeds {options.seeds}: allowed are 1 and more")
    shared: Any = {
        "seeds": options.seeds,
        "workspace": workspace,
        "workers": options.workers,
        "progress": say,
    }
    if options.world in _WORLDS:
        found = commands.world_evidence(config, _WORLDS[options.world], **shared)
    else:
        found = commands.folder_evidence(config, Path(options.world), **shared)
    _print(found, as_json=options.json)
    return 0


def _config(options: argparse.Namespace) -> EvidenceConfig:
    """Return the config that is asked for, or the shipped one; say what of it must be said."""
    config = load_evidence_config(options.config or DEFAULT_CONFIG)
    if not config.fitness().passes_gates:
        say("COMPARISON ONLY: the brief's formula ranks by luck; nothing it ranks passes a gate")
    say(f"config {config.config_hash}")
    return config


def _workspace(options: argparse.Namespace) -> Path:
    """Return the folder of the log of trials."""
    named: Path | None = options.workspace
    if named is not None:
        return named
    told = os.environ.get(WORKSPACE_VARIABLE)
    return Path(told) if told else DEFAULT_WORKSPACE


def _world(name: str) -> WorldName:
    """Return a world by its name."""
    if name not in _WORLDS:
        raise ConfigError(f"--world {name}: allowed are {', '.join(_WORLDS)}")
    return _WORLDS[name]


def _day(text: str | None, option: str) -> int | None:
    """Return the nanoseconds of a day's beginning, UTC."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option} {text}: not a date; write YYYY-MM-DD") from None
    return utc_ns(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _print(found: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a result for a script or a person."""
    if as_json:
        emit(found)
        return
    for line in _lines(found, ""):
        show(line)


def _lines(found: Mapping[str, Any], indent: str) -> list[str]:
    """Return a result line by line; fractions as they are, undefined as a dash."""
    lines = []
    for name, value in found.items():
        if isinstance(value, Mapping) and value:
            lines += [f"{indent}{name}", *_lines(value, indent + "  ")]
        elif isinstance(value, float):
            lines.append(f"{indent}{name:<24} {value:.4f}")
        else:
            lines.append(f"{indent}{name:<24} {'-' if value is None else value}")
    return lines
