"""
Which file systems a run folder may lie on.

A lock and a shared-memory log are promises of the local kernel. Over a network they are kept by nobody: two
machines may both hold the lock, and SQLite says that its write-ahead log does not work there.
"""

from pathlib import Path

from treasury_actors.errors import ConfigError

MOUNTS = Path("/proc/self/mountinfo")
"""Where Linux says what is mounted; elsewhere there is no such file, and nothing is checked."""

NETWORK_TYPES = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs2", "glusterfs", "gpfs", "lustre"),
        *("ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs"),
        *("fuse.ceph", "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys", "fuse.juicefs"),
        *("fuse.mfs", "fuse.rclone", "fuse.s3fs", "fuse.seaweedfs", "fuse.smbnetfs", "fuse.sshfs"),
    }
)
"""Types, as `mountinfo` names them, of file systems whose locks or shared memory other machines don't see."""

_ESCAPES = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}
_MOUNT_POINT_FIELD = 4


def check_local(folder: Path, *, mounts: Path = MOUNTS) -> None:
    """
    Refuse a folder, or the place where it would be made, on a file system of the network. Writes nothing.

    Raises ConfigError naming the file system.
    """
    kind = file_system_of(folder, mounts=mounts)
    if kind in NETWORK_TYPES:
        raise ConfigError(
            f"{folder}: lies on {kind}, a file system of the network, where neither the lock nor the"
            " journal's log can be trusted; choose a folder on a local disk"
        )


def file_system_of(folder: Path, *, mounts: Path = MOUNTS) -> str | None:
    """Return the type of the file system a folder lies on or would lie on; None where nobody says."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    place = folder.resolve()
    found, depth = None, -1
    for line in lines:
        fields, separator, rest = line.partition(" - ")
        if not separator:
            continue
        point = Path(_plain(fields.split(" ")[_MOUNT_POINT_FIELD]))
        # of two at one place the later one lies on top
        if place.is_relative_to(point) and len(point.parts) >= depth:
            found, depth = rest.split(" ")[0], len(point.parts)
    return found


def _plain(escaped: str) -> str:
    for code, character in _ESCAPES.items():
        escaped = escaped.replace(code, character)
    return escaped
