"""
A backup of a run's journal: by its process between two turns or, where there is none, under its lock.

The writer makes it, so nobody else ever opens the file to write; what is in it is one moment of the journal.
"""

from pathlib import Path

import anyio

from treasury_actors.clock import Clock
from treasury_actors.daemon.control import NoAnswer, NotRunning, call
from treasury_actors.daemon.requests import Reply, refused
from treasury_actors.errors import ConfigError, Fault, FolderInUse, JournalFault
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.journal.folder import FolderLock
from treasury_actors.journal.ports import Journal
from treasury_actors.simulation.manifest import read_manifest
from treasury_actors.simulation.run import JOURNAL_NAME, open_journal

PATIENCE_S = 120.0
_RETRY_S = 0.2


async def backed_up(journal: Journal, target: Path) -> Reply:
    """Copy the journal of the process that calls; say what the copy holds, or why there is none."""
    if not isinstance(journal, SqliteJournal):
        return refused("refused", "this journal lies in no file")
    try:
        verified = await journal.back_up(target)
    except (ConfigError, JournalFault) as error:
        return refused("refused", str(error))
    return {
        "ok": True,
        "path": str(target),
        "events": verified.events,
        "head_hash": verified.head_hash,
    }


async def back_up(folder: Path, target: Path, *, clock: Clock, timeout_s: float = PATIENCE_S) -> Reply:
    """
    Let the living process of a run make the backup, or make it alone on a dead run.

    Returns:
        `ok`, `path`, `events` and `head_hash` of the copy, or with `ok` false why there is none.

    Raises:
        ConfigError: there is no run with a journal in the folder.
        Fault: nobody made it in time.
    """
    request = _request(folder, target)
    ends_s = clock.monotonic_s() + timeout_s
    while True:
        left_s = max(ends_s - clock.monotonic_s(), 0.1)
        try:
            answer = await call(folder, request, timeout_s=left_s)
            if answer.get("kind") != "leaving":
                return answer
        except (NotRunning, NoAnswer):
            pass
        try:
            return await _alone(folder, Path(request["target"]), clock=clock)
        except FolderInUse as in_use:
            if clock.monotonic_s() >= ends_s:
                raise Fault(f"{in_use}, and it made no backup within {timeout_s:g} s") from None
        await anyio.sleep(_RETRY_S)


def _request(folder: Path, target: Path) -> dict[str, str]:
    if read_manifest(folder) is None or not (folder / JOURNAL_NAME).exists():
        raise ConfigError(f"{folder}: no run with a journal there")
    return {"command": "backup", "target": str(target.absolute())}


async def _alone(folder: Path, target: Path, *, clock: Clock) -> Reply:
    with FolderLock(folder) as lock:
        async with open_journal(lock.folder, clock=clock, durable=True, epoch=lock.epoch) as journal:
            return await backed_up(journal, target)
