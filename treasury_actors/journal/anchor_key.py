"""
The key a run signs its anchors with: 32 random bytes beside the journal, for its owner alone.

The key lies in the run folder and the anchors outside it. Who has only the place of the anchors can't make
one; who has only the run folder can't take one back. Who has both, and every copy of the anchors, could:
copy them where nobody writes twice.
"""

import hmac
import os
import stat
from hashlib import sha256
from pathlib import Path

from treasury_actors.errors import JournalFault
from treasury_actors.journal.folder import sync_folder

FILE_NAME = "anchor.key"
_KEY_BYTES = 32
_NOT_THE_OWNERS = stat.S_IRWXG | stat.S_IRWXO


def own_key(folder: Path) -> bytes:
    """
    Return the key of a run folder; make it the first time. Whoever calls holds the lock on the folder.

    Raises JournalFault if it can't be made, or is not a key for its owner alone.
    """
    file = folder / FILE_NAME
    if not file.exists():
        _make(file)
    return read_key(file)


def read_key(file: Path) -> bytes:
    """Return the key in a file; raise JournalFault if there is none, or others may read it."""
    try:
        text = file.read_text(encoding="ascii").strip()
        mode = stat.S_IMODE(file.stat().st_mode)
    except (OSError, ValueError) as error:
        raise JournalFault(f"{file}: the key of the anchors cannot be read: {error}") from None
    if mode & _NOT_THE_OWNERS:
        raise JournalFault(f"{file}: others may read or write it (mode {mode:04o}); allowed is 0600")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise JournalFault(f"{file}: not a key; allowed are {_KEY_BYTES} bytes in hexadecimal")
    return key


def signature(key: bytes, message: str) -> str:
    """Return the HMAC-SHA256 of a message, in hexadecimal."""
    return hmac.new(key, message.encode("ascii"), sha256).hexdigest()


def is_signature(key: bytes, message: str, found: str) -> bool:
    """Say whether `found` is the signature of a message, in a time that tells nothing about it."""
    return hmac.compare_digest(signature(key, message).encode(), found.encode("utf-8", "replace"))


def _make(file: Path) -> None:
    draft = file.with_name(file.name + ".new")
    key = os.urandom(_KEY_BYTES)  # noqa: TID251 (a secret has to be one)
    try:
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            os.write(handle, f"{key.hex()}\n".encode("ascii"))
            os.fsync(handle)
        finally:
            os.close(handle)
        draft.replace(file)
        sync_folder(file.parent)
    except OSError as error:
        raise JournalFault(f"{file} cannot be made: {error.strerror}") from error
