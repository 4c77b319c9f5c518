"""One process holds a run folder, and each start has its number."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from treasury_actors.errors import FolderInUse, JournalFault
from treasury_actors.journal.folder import FolderLock

_HOLDER = """
import sys
from pathlib import Path
from treasury_actors.journal.folder import FolderLock
with FolderLock(Path(sys.argv[1])) as lock:
    print(lock.epoch, flush=True)
    sys.stdin.read()
"""

_FORKING_HOLDER = """
import os, sys, signal
from pathlib import Path
from treasury_actors.journal.folder import FolderLock
with FolderLock(Path(sys.argv[1])) as lock:
    if os.fork() == 0:
        print("forked", flush=True)
        sys.stdin.read()
        os._exit(0)
    signal.pause()
"""


def test_a_folder_is_made_for_its_owner_alone_and_names_its_holder(tmp_path: Path) -> None:
    with FolderLock(tmp_path / "runs" / "one") as lock:
        assert stat.S_IMODE(lock.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((lock.folder / "lock").stat().st_mode) == 0o600
        assert (lock.folder / "lock").read_text() == f"{os.getpid()}\n"


def test_a_second_holder_is_refused_and_told_who_holds(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "run")

    with FolderLock(tmp_path / "run"), pytest.raises(FolderInUse, match=f"process {os.getpid()}") as caught:
        FolderLock(link).acquire()

    assert caught.value.exit_code == 75


def test_a_released_folder_can_be_taken_and_counts_its_starts(tmp_path: Path) -> None:
    epochs = []
    for _ in range(3):
        with FolderLock(tmp_path / "run") as lock:
            epochs.append(lock.epoch)

    assert epochs == [1, 2, 3]


def test_a_kill_frees_the_folder(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"1\n"
        with pytest.raises(FolderInUse, match=f"process {holder.pid}"):
            FolderLock(tmp_path).acquire()
        holder.kill()
        holder.wait()

    with FolderLock(tmp_path) as lock:
        assert lock.epoch == 2


def test_a_fork_does_not_keep_the_folder_of_a_killed_parent(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _FORKING_HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"forked\n"
        with pytest.raises(FolderInUse):
            FolderLock(tmp_path).acquire()
        holder.kill()
        holder.wait()

        # The fork lives until its stdin closes at the end of this block.
        with FolderLock(tmp_path) as lock:
            assert lock.epoch == 2


def test_a_damaged_epoch_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "epoch").write_bytes(b"\xff\n")

    with pytest.raises(JournalFault, match="not the number of the last start"):
        FolderLock(tmp_path).acquire()

    (tmp_path / "epoch").write_text("7\n")
    with FolderLock(tmp_path) as lock:
        assert lock.epoch == 8
