"""A run folder lies on a local disk: no lock and no log can be trusted over a network."""

from pathlib import Path

import pytest

from treasury_actors.errors import ConfigError
from treasury_actors.journal.folder import FolderLock
from treasury_actors.journal.mounts import NETWORK_TYPES, check_local, file_system_of

_LINE = "36 35 98:0 / {point} rw,noatime shared:1 - {kind} host:/export rw\n"


def _mounts(tmp_path: Path, *mounted: tuple[str, str]) -> Path:
    """Write what a kernel would say is mounted, in order."""
    file = tmp_path / "mountinfo"
    file.write_text(
        "".join(_LINE.format(point=point.replace(" ", r"\040"), kind=kind) for point, kind in mounted)
    )
    return file


@pytest.mark.parametrize("kind", sorted(NETWORK_TYPES))
def test_a_folder_of_the_network_is_refused_by_name_and_nothing_is_made(tmp_path: Path, kind: str) -> None:
    share = tmp_path / "a share"
    mounts = _mounts(tmp_path, ("/", "ext4"), (str(share), kind))
    lock = FolderLock(share / "runs" / "one", mounts=mounts)

    with pytest.raises(ConfigError, match=f"lies on {kind}, a file system of the network") as caught:
        lock.acquire()

    assert caught.value.exit_code == 78
    assert not share.exists()


def test_the_innermost_and_last_mount_counts(tmp_path: Path) -> None:
    folder = str(tmp_path / "disk")
    mounts = _mounts(tmp_path, ("/", "nfs4"), (folder, "nfs4"), (folder, "ext4"), (folder + "-not", "cifs"))

    assert file_system_of(tmp_path / "disk" / "run", mounts=mounts) == "ext4"
    assert file_system_of(tmp_path / "elsewhere", mounts=mounts) == "nfs4"
    check_local(tmp_path / "disk" / "run", mounts=mounts)


def test_a_link_to_the_network_leads_there(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "share")
    mounts = _mounts(tmp_path, ("/", "ext4"), (str(tmp_path / "share"), "nfs4"))

    with pytest.raises(ConfigError, match="nfs4"):
        check_local(tmp_path / "link" / "run", mounts=mounts)


def test_where_nobody_says_what_is_mounted_nothing_is_refused(tmp_path: Path) -> None:
    assert file_system_of(tmp_path, mounts=tmp_path / "absent") is None
    with FolderLock(tmp_path / "run", mounts=tmp_path / "absent") as lock:
        assert lock.epoch == 1


def test_this_machines_own_mounts_can_be_read(tmp_path: Path) -> None:
    assert file_system_of(tmp_path) not in NETWORK_TYPES
