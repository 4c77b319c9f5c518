"""
Who may touch the file of a journal.

It is made for its owner alone. If others may write it, what it says is no longer ours alone to say: no
process goes on with it. If others may only read it, nothing it says is in doubt, and somebody may have meant
it, for a monitor that runs as another user: a start says so and leaves it.
"""

import stat
from pathlib import Path

from treasury_actors.errors import ConfigError

_WRITE = stat.S_IWGRP | stat.S_IWOTH
_READ = stat.S_IRGRP | stat.S_IROTH


def check_written_by_owner_alone(path: Path) -> None:
    """Refuse a file that others than its owner may write: ConfigError naming its mode and the remedy."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _WRITE:
        raise ConfigError(
            f"{path}: others than its owner may write it (mode {mode:04o}); verify it against an anchor, then"
            " chmod 600"
        )


def mode_for_others(path: Path) -> str:
    """Return the mode of a file that others may read, as octal digits; empty for one of its owner's alone."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"{mode:04o}" if mode & _READ else ""
