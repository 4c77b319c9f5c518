"""A process that waits beside the one that plays a run, knows what it knows, and goes on when it dies."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import anyio
from anyio import to_thread

from treasury_actors.daemon.one_error import one_error
from treasury_actors.errors import FolderInUse, JournalCorrupt, JournalFault
from treasury_actors.journal.folder import FolderLock
from treasury_actors.journal.reader import ReadonlyJournal
from treasury_actors.simulation.following import Follower

LOOK_S: Final = 0.1
"""How often it looks whether the run is free, and what its journal has gained."""

StandsBy: TypeAlias = Callable[[int], None]
"""Hears up to which event a standby is ready, each time that has changed."""

ReadFrames: TypeAlias = Callable[[], None]
"""Reads what frames a run folder has gained, where they come from a chain."""


async def take_over(
    lock: FolderLock, journal: Path, follower: Follower, *, hears: StandsBy, read_frames: ReadFrames | None
) -> bool:
    """
    Wait until no process holds the run, then hold it; meanwhile fold what its journal gains.

    It only reads: whoever plays can't tell that it is there. Of several who wait one gets the lock.

    Returns:
        Whether the lock is held; false if a signal said to leave first.

    Raises:
        JournalCorrupt: the journal is not what was written, so nobody could go on with it.
        ConfigError, JournalFault: the folder can't be used.
    """
    with one_error():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_leave_when_told, tasks.cancel_scope)
            told = -1
            while not _taken(lock):
                await to_thread.run_sync(_follow, follower, journal, read_frames)
                if follower.seq != told:
                    told = follower.seq
                    hears(told)
                await anyio.sleep(LOOK_S)
            tasks.cancel_scope.cancel()
            return True
    return False


def _taken(lock: FolderLock) -> bool:
    """Take the lock if it is free; say whether it was."""
    try:
        lock.acquire()
    except FolderInUse:
        return False
    return True


def _follow(follower: Follower, path: Path, read_frames: ReadFrames | None) -> None:
    """Fold what the journal has gained; what can't be read now may be read the next time."""
    try:
        with ReadonlyJournal(path) as journal:
            last = journal.last()
            if last is None or last.seq == follower.seq:
                return
            if read_frames is not None:
                read_frames()  # each was durable before an event of its turn was
            follower.follow(journal, up_to=last.seq)
    except JournalCorrupt:
        raise
    except JournalFault:
        return


async def _leave_when_told(scope: anyio.CancelScope) -> None:
    """Break the wait off at the first signal: nothing is held, and nothing was written."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()
            return
