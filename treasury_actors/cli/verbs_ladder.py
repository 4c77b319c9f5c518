"""`ladder`, `readiness`, `promotions`, `approve`, `reject`, `approval-key`."""

import argparse
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio

from treasury_actors.arena.adapters.approval_keys import new_key, read_key, sign_digest, verify_signature
from treasury_actors.cli.screen import emit, say, show
from treasury_actors.cli.verbs_evidence import DEFAULT_WORKSPACE, WORKSPACE_VARIABLE
from treasury_actors.clock import WallClock
from treasury_actors.daemon import approving
from treasury_actors.errors import ConfigError
from treasury_actors.settings.file import load_settings
from treasury_actors.simulation.evidence.commands import Maker
from treasury_actors.simulation.evidence.config import DEFAULT_CONFIG, WorldName, load_evidence_config
from treasury_actors.simulation.ladder import commands, told
from treasury_actors.simulation.ladder.readiness import Grounds, write_record
from treasury_actors.simulation.ladder.readiness import readiness as check_readiness

_WORLDS: Mapping[str, WorldName] = {"positive": "positive", "null": "null"}
_SHOWN_EVERY_DAYS = 10


def ladder(options: argparse.Namespace) -> int:
    """Climb everything there is, on the virtual clock; exit 1 if a single entry broke conservation."""
    config = load_evidence_config(options.config or DEFAULT_CONFIG)
    name = options.world or options.data.name
    shared = {
        "seed": options.seed,
        "days": options.days,
        "agents": options.agents,
        "folder": options.out or _free_folder(Path("runs"), f"ladder-{name}-s{options.seed}"),
        "clock": WallClock(),
        "progress": _progress,
    }
    if options.world is not None:
        if options.world not in _WORLDS:
            raise ConfigError(f"--world {options.world}: allowed are {', '.join(_WORLDS)}")
        found = commands.world_ladder(_WORLDS[options.world], config, Maker(config), **shared)
    else:
        found = commands.data_ladder(options.data, config, Maker(config), **shared)
    if options.json:
        emit(found)
    else:
        for line in told.lines(found):
            show(line)
    return 0 if found["conservation"]["ok"] else 1


def _free_folder(home: Path, name: str) -> Path:
    """Return the first of NAME, NAME-2, NAME-3 … that is not there yet."""
    return next(
        path
        for number in count(1)
        if not (path := home / (name if number == 1 else f"{name}-{number}")).exists()
    )


def promotions(options: argparse.Namespace) -> int:
    """List what was proposed in a run."""
    return _told(approving.list_promotions(options.out), options)


def approve(options: argparse.Namespace) -> int:
    """Approve one proposal with one's own key."""
    secret = read_key(options.key)
    deed = partial(
        approving.approve,
        options.out,
        options.promotion,
        options.by,
        partial(sign_digest, secret),
        clock=WallClock(),
        verify=verify_signature,
    )
    return _do(deed, options)


def reject(options: argparse.Namespace) -> int:
    """Reject one proposal."""
    deed = partial(
        approving.reject,
        options.out,
        options.promotion,
        options.by,
        options.reason,
        clock=WallClock(),
        verify=verify_signature,
    )
    return _do(deed, options)


def approval_key(options: argparse.Namespace) -> int:
    """Make a key to approve with; print its public half for the config."""
    key = new_key(options.file)
    if options.json:
        emit({"ok": True, "file": str(options.file), "key": key})
    else:
        show(key)
    return 0


def _do(verb: Callable[[], Awaitable[dict[str, Any]]], options: argparse.Namespace) -> int:
    """Do one thing at the desk."""
    return _told(anyio.run(verb), options)


def _told(answer: Mapping[str, Any], options: argparse.Namespace) -> int:
    """Print what came of it; a refusal exits 1."""
    if options.json:
        emit(answer)
        return 0 if answer["ok"] else 1
    for each in answer.get("promotions", [answer]):
        for key, value in each.items():
            show(f"{key:<24} {value}")
    return 0 if answer["ok"] else 1


def _progress(day: int, days: int, where: str) -> None:
    """Say now and then how far the climb is."""
    if day % _SHOWN_EVERY_DAYS == 0:
        say(f"day {day} of {days}, most at once {where}")


def readiness(options: argparse.Namespace) -> int:
    """Check whether a config's stage may begin; exit 1 if anything fails."""
    settings = load_settings(options.config)
    with TemporaryDirectory(prefix="readiness-") as scratch:
        grounds = Grounds(
            config=options.config,
            settings=settings,
            workspace=options.workspace or Path(os.environ.get(WORKSPACE_VARIABLE) or DEFAULT_WORKSPACE),
            below=options.below,
            scratch=Path(scratch),
        )
        found = anyio.run(partial(check_readiness, grounds, clock=WallClock()))
    write_record(found, grounds.workspace)
    if options.json:
        emit(found)
    else:
        for each in found["checks"]:
            show(f"{'PASS' if each['passed'] else 'FAIL'}  {each['name']:<32} {each['figure']}")
            show(f"      {each['command']}")
        for key, value in found["plan"].items():
            show(f"plan  {key:<32} {value}")
        show("All ok" if found["passed"] else f"stage {found['stage']} is not ready")
    return 0 if found["passed"] else 1
