"""A copy of a journal, made by its writer, whole or not there at all."""

import asyncio
import os
import sqlite3
from pathlib import Path

import aiosqlite

from treasury_actors.errors import ConfigError, JournalFault
from treasury_actors.journal.folder import sync_folder
from treasury_actors.journal.schema import fault_of
from treasury_actors.journal.verify import Verified, verify


async def copy_journal(source: aiosqlite.Connection, target: Path) -> Verified:
    """
    Copy what `source` has committed to `target`, verify the copy, and only then give it its name.

    Raises ConfigError if there is a file of that name or no folder for it, JournalFault if it can't be
    written.
    """
    draft = _draft_of(target)
    try:
        _make(draft)
        copy = sqlite3.connect(draft, check_same_thread=False)  # the copying is done in the source's thread
        try:
            await source.backup(copy)
        finally:
            copy.close()
        found = await asyncio.to_thread(verify, draft, decode_payloads=False)
        _keep(draft, target)
    except sqlite3.Error as error:
        raise fault_of(error, f"{target} cannot be written", seq=0) from error
    except OSError as error:
        raise JournalFault(f"{target} cannot be written: {error.strerror}") from error
    return found


def _draft_of(target: Path) -> Path:
    """Return the name a copy bears until it is whole; raise ConfigError if `target` can't be made."""
    if target.exists():
        raise ConfigError(f"{target}: there is something; a backup replaces nothing")
    if not target.parent.is_dir():
        raise ConfigError(f"{target.parent}: no such folder")
    return target.with_name(target.name + ".partial")


def _make(draft: Path) -> None:
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _keep(draft: Path, target: Path) -> None:
    """Make a whole copy durable under its name."""
    handle = os.open(draft, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    draft.rename(target)
    sync_folder(target.parent)
