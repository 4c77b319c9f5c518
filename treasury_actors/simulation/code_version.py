"""Which code ran: a hash over the package's sources, so that a result can be traced to them."""

from hashlib import sha256
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def code_hash(extra: Path | None = None) -> str:
    """Return the SHA-256 of every Python file of the package, in name order, and of a strategy file."""
    digest = sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    if extra is not None:
        digest.update(b"strategy\0" + extra.read_bytes())
    return digest.hexdigest()
