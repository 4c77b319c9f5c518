"""
The STOP file of a run folder: the stop that needs no living process, no socket and no journal.

Whatever lies there under that name stops trading, also what is empty, malformed, unreadable or a folder:
somebody in a hurry wrote `touch STOP`. A daemon reads it before its first trade and five times a second
after it. Only `resume` takes it away.
"""

import json
import os
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from treasury_actors.journal.folder import sync_folder
from treasury_actors.journal.forms import parse_json
from treasury_actors.trading.model.stop import TradingState

FILE_NAME = "STOP"
REASON_CHARACTERS_MAX = 1_000
_BYTES_MAX = 65_536
_STRICTNESS: dict[TradingState, int] = {"active": 0, "reducing": 1, "stopped": 2}

StopMode = Literal["reducing", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopOrder:
    """
    What a STOP file asks for.

    Attributes:
        state: `stopped`, or `reducing`: no new risk, exits go on.
        wall_time: when it was written, UTC, ISO 8601; for people.
        close_all: let every mandate close as well.
    """

    state: StopMode
    reason: str
    by: str
    wall_time: str
    close_all: bool = False


def tightens(wanted: TradingState, current: TradingState) -> bool:
    """Say whether `wanted` allows less than `current`: a stop never loosens anything."""
    return _STRICTNESS[wanted] > _STRICTNESS[current]


def write_stop_file(folder: Path, order: StopOrder) -> None:
    """
    Put the STOP file in place, whole and durable.

    If its content can't be written (a full disk), an empty one is tried: that stops as well. Raises OSError
    if neither can be.
    """
    path, partial = folder / FILE_NAME, folder / f".{FILE_NAME}.{os.getpid()}.partial"
    try:
        with partial.open("w", encoding="ascii") as file:
            file.write(json.dumps(asdict(order)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        with suppress(OSError):
            partial.unlink()
    sync_folder(folder)


def read_stop_file(folder: Path) -> StopOrder | None:
    """Return what the STOP file asks for, or None if there is surely none."""
    path = folder / FILE_NAME
    try:
        path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return _plain(f"whether there is a STOP file can't be told: {error.strerror}")
    try:
        return _parse(_content(path))
    except (OSError, ValueError, RecursionError):
        return _plain("a STOP file that says no more")


def remove_stop_file(folder: Path) -> bool:
    """Take the STOP file away for good; say whether there was one. Raises OSError if it can't be."""
    try:
        (folder / FILE_NAME).unlink()
    except FileNotFoundError:
        return False
    sync_folder(folder)
    return True


def _content(path: Path) -> str:
    """Return the text of a regular file; a pipe must not hold the reader up."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("no regular file")
        return os.read(handle, _BYTES_MAX).decode()
    finally:
        os.close(handle)


def _parse(text: str) -> StopOrder:
    """Return the order of a well-formed file; raise ValueError for any other."""
    match parse_json(text):
        case {
            "state": "stopped" | "reducing" as state,
            "reason": str(reason),
            "by": str(by),
            "wall_time": str(wall_time),
            **more,
        } if reason.isprintable() and len(reason) <= REASON_CHARACTERS_MAX:
            close_all = more.get("close_all") is True and state == "reducing"
            return StopOrder(state=state, reason=reason, by=by, wall_time=wall_time, close_all=close_all)
        case _:
            raise ValueError("not what `stop` writes")


def _plain(reason: str) -> StopOrder:
    return StopOrder(state="stopped", reason=reason, by="", wall_time="")
