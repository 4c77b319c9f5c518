"""
`journal verify`, `journal replay`, `journal tail`, `journal backup`.

A payload can be checked only against a known event type: `VOCABULARY` names them all.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import anyio

from treasury_actors.cli.screen import emit, show
from treasury_actors.clock import WallClock
from treasury_actors.daemon.backup import back_up
from treasury_actors.daemon.vocabulary import VOCABULARY
from treasury_actors.errors import ConfigError
from treasury_actors.journal.anchor import verify_against_anchor
from treasury_actors.journal.reader import open_readonly
from treasury_actors.journal.tail import format_event
from treasury_actors.journal.tail import tail as tail_of
from treasury_actors.journal.verify import verify as verify_file
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.run import JOURNAL_NAME
from treasury_actors.wiring.fold import Records


def _journal_path(path: Path) -> Path:
    """Return the journal that a path means: the file, or the one in a run folder."""
    if path.is_dir():
        path = path / JOURNAL_NAME
    if not path.is_file():
        raise ConfigError(f"{path}: no journal there")
    return path


def verify(options: argparse.Namespace) -> int:
    """Check every hash and link."""
    path = _journal_path(options.path)
    assert VOCABULARY, "event types are known before a payload is read"
    if options.anchor is None and options.anchor_key is not None:
        raise ConfigError("--anchor-key goes with --anchor")
    if options.anchor is not None:
        verified = verify_against_anchor(path, options.anchor, key_file=options.anchor_key)
    else:
        verified = verify_file(path)
    if options.json:
        emit(
            {
                "ok": True,
                "path": str(path),
                "events": verified.events,
                "head_hash": verified.head_hash,
                "anchored_seq": verified.anchored_seq,
                "statement": verified.statement,
            }
        )
    else:
        show(f"{path}: {verified.events} events, head {verified.head_hash}: {verified.statement}")
    return 0


def backup(options: argparse.Namespace) -> int:
    """Copy the journal of a run, whether somebody plays it or not."""

    async def make() -> Mapping[str, object]:
        return await back_up(options.out, options.target, clock=WallClock())

    answer = anyio.run(make)
    if options.json:
        emit(answer)
    else:
        for key, value in answer.items():
            show(f"{key:<20} {value}")
    return 1 if answer.get("ok") is False else 0


def replay(options: argparse.Namespace) -> int:
    """Recompute every balance from the log alone."""
    path = _journal_path(options.path)
    records = Records.empty(MAINNET)
    events, head_hash = 0, ""
    with open_readonly(path) as reader:
        for recorded in reader.read():
            records.apply(recorded.event)
            events, head_hash = recorded.seq, recorded.hash
    balances = records.book.canonical()
    imbalances = records.book.imbalances()
    if options.json:
        emit(
            {
                "path": str(path),
                "events": events,
                "entries": records.book.entry_count,
                "head_hash": head_hash,
                "state_hash": records.state_hash,
                "imbalances": imbalances,
                "balances": balances,
            }
        )
    else:
        for account, asset, units in balances:
            show(f"{account:<44} {asset:<10} {units:>32}")
        show(f"{events} events, {records.book.entry_count} entries, {len(imbalances)} imbalances")
        show(f"state_hash {records.state_hash}")
    return 1 if imbalances else 0


def tail(options: argparse.Namespace) -> int:
    """Print the last events."""
    path = _journal_path(options.path)
    if options.count < 1:
        raise ConfigError(f"--count {options.count}: allowed from 1")
    found = list(tail_of(path, options.count, stream=options.stream))
    if options.json:
        emit(
            {
                "events": [
                    {
                        "seq": r.seq,
                        "stream": r.stream,
                        "type": r.type,
                        "time_ns": str(r.time_ns),
                        "payload": r.payload,
                        "hash": r.hash,
                    }
                    for r in found
                ]
            }
        )
    else:
        for recorded in found:
            show(format_event(recorded))
    return 0
