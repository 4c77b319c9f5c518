"""The journal as lines a person can read."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from treasury_actors.journal.event import Recorded
from treasury_actors.journal.reader import ReadonlyJournal

_SUMMARY_CHARACTERS_MAX = 120


def format_event(recorded: Recorded) -> str:
    """Return an event as `time | type | stream | summary`: UTC to the second, one line of plain ASCII."""
    moment = datetime.fromtimestamp(recorded.time_ns // 10**9, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ} | {recorded.type} | {recorded.stream} | {_summary(recorded.payload)}"


def tail(path: Path, count: int = 20, *, stream: str | None = None) -> Iterator[Recorded]:
    """Yield the last `count` events in order; of the last `count`, those of one stream if it is named."""
    assert count > 0, "a tail has at least one event"
    with ReadonlyJournal(path) as reader:
        last = reader.last()
        if last is None:
            return
        for recorded in reader.read(max(1, last.seq - count + 1)):
            if stream is None or recorded.stream == stream:
                yield recorded


def _summary(payload: str) -> str:
    """Return the fields as `name=value`; works without the event type, so a tail needs no imports."""
    found = json.loads(payload)
    assert isinstance(found, dict), "an event is an object"
    parts = [f"{name}={_plain(value)}" for name, value in found.items()]
    text = " ".join(parts)
    return text if len(text) <= _SUMMARY_CHARACTERS_MAX else text[: _SUMMARY_CHARACTERS_MAX - 3] + "..."


def _plain(value: object) -> str:
    """Return a value as JSON, without quotes where it is one printable word: a payload may hold anything."""
    if isinstance(value, str) and value.isascii() and value.isprintable() and value and " " not in value:
        return value
    return json.dumps(value, separators=(",", ":"))
