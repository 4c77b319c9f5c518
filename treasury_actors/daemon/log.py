"""
The log of a process: a line for people on stderr, the same as JSON in `<folder>/log.jsonl`. Never stdout.

It tells what happened to the process; what happened to the money is in the journal. A log that can't be
written (a full disk, a closed terminal) loses lines, never a turn.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO, TypeAlias

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, ProcessorReturnValue, WrappedLogger

from treasury_actors.clock import Clock

Log: TypeAlias = FilteringBoundLogger

FILE_NAME = "log.jsonl"
_FILE_BYTES_MAX = 16 * 2**20
_INFO = 20

Redact: TypeAlias = Callable[[str], str]


@contextmanager
def open_log(folder: Path, *, clock: Clock, screen: TextIO, redact: Redact | None = None) -> Iterator[Log]:
    """
    Yield the log of a process that runs in `folder`.

    Args:
        clock: gives the wall time of each line.
        screen: where the lines for people go, usually stderr.
        redact: takes secrets out of a finished line.
    """
    target = _Lines(folder / FILE_NAME, screen, redact or str)
    try:
        yield structlog.wrap_logger(
            target,
            wrapper_class=structlog.make_filtering_bound_logger(_INFO),
            processors=[structlog.processors.add_log_level, _stamp(clock), _render],
            cache_logger_on_first_use=False,
        )
    finally:
        target.close()


class _Lines:
    """Writes finished lines to both places; the file starts anew at 16 MiB, one older one is kept."""

    def __init__(self, path: Path, screen: TextIO, redact: Redact) -> None:
        self._path = path
        self._screen = screen
        self._redact = redact
        self._file: TextIO | None = None
        self._open()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def msg(self, for_people: str, as_json: str) -> None:
        """Write one line to each."""
        with suppress(OSError, ValueError):
            print(self._redact(for_people), file=self._screen, flush=True)
        with suppress(OSError, ValueError):
            if self._file is not None:
                self._file.write(self._redact(as_json) + "\n")
                self._file.flush()
                if self._file.tell() > _FILE_BYTES_MAX:
                    self._turn_over()

    debug = info = warning = error = critical = msg

    def _open(self) -> None:
        with suppress(OSError):
            self._file = self._path.open("a", encoding="ascii")

    def _turn_over(self) -> None:
        self.close()
        self._path.replace(self._path.with_name(FILE_NAME + ".1"))
        self._open()


def _stamp(clock: Clock) -> Callable[[WrappedLogger, str, EventDict], EventDict]:
    """Return the processor that puts the wall time on a line."""

    def stamp(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        moment = datetime.fromtimestamp(clock.now_ns() / 10**9, tz=UTC)
        event["time"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return event

    return stamp


def _render(logger: WrappedLogger, name: str, event: EventDict) -> ProcessorReturnValue:
    """Return the line for people and the line for machines."""
    as_json = structlog.processors.JSONRenderer(sort_keys=True)(logger, name, dict(event))
    time, level, what = event.pop("time"), event.pop("level"), str(event.pop("event")).replace("_", " ")
    facts = " ".join(f"{key}={_shown(value)}" for key, value in event.items())
    return (f"{time[11:19]} {level:<7} {what}{': ' if facts else ''}{facts}", as_json), {}


def _shown(value: object) -> str:
    """Return a value in printable ASCII: a reason typed by somebody must not drive the terminal."""
    text = str(value)
    plain = text.isascii() and text.isprintable() and text and " " not in text
    return text if plain else ascii(text)
