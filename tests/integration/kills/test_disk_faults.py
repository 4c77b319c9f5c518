"""What the system refuses, a run says by name, leaves by its code, and goes on when it is well."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.kills.host import Order
from tests.integration.kills.sweep import STRACE, Host, Outcome, hosting, outcome, wrong_after

needs_strace = pytest.mark.skipif(STRACE is None, reason="there is no strace here to let the system refuse")


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with hosting() as found:
        yield found


@pytest.fixture(scope="module")
def whole(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert host.play(Order(folder=str(folder))).exit_code == 0
    return outcome(folder)


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "fault", "said"),
    [
        ("mkdir", "error=ENOSPC:when=1", "cannot be used as a run folder: No space left on device"),
        ("ftruncate", "error=EIO:when=1", "cannot be written: Input/output error"),
        ("pwrite64", "error=ENOSPC:when=1+", "cannot be written: No space left on device"),
        ("pwrite64", "error=ENOSPC:when=2+", "cannot be opened: database or disk is full"),
        ("pwrite64", "error=ENOSPC:when=40+", "were not written: database or disk is full"),
        ("pwrite64", "error=EIO:when=40", "were not written: disk I/O error"),
        ("fdatasync", "error=EIO:when=1", "cannot be opened: disk I/O error"),
        ("fdatasync", "error=EIO:when=10", "were not written: disk I/O error"),
        ("fsync", "error=EIO:when=1", "cannot be written: Input/output error"),
        ("fsync", "error=EIO:when=4", "cannot be synced: Input/output error"),
        ("rename", "error=EIO:when=1", "cannot be written: Input/output error"),
        ("rename", "error=EIO:when=2", "manifest.json"),
        ("unlink", "error=EIO:when=2", "control.sock: Input/output error"),
        ("write", "error=ENOSPC:when=1", "No space left on device"),
        ("pread64", "error=EIO:when=1+", "cannot be opened: disk I/O error"),
    ],
)
def test_a_refusal_of_the_disk_is_named_and_nothing_is_lost(
    host: Host, whole: Outcome, tmp_path: Path, *, call: str, fault: str, said: str
) -> None:
    order = Order(folder=str(tmp_path / "run"))
    strace = ["-e", f"trace={call}", "-e", f"inject={call}:{fault}"]

    ended = host.play_under(strace, order, log=tmp_path / "log")

    assert ended.exit_code == 70
    assert said in ended.error
    assert wrong_after(host, order, ended, whole) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("files_max", "file_bytes_max", "said"),
    [
        (12, 0, "unable to open database file"),
        (0, 5_000, "cannot be opened: disk I/O error"),
        (0, 40_000, "were not written: disk I/O error"),
    ],
)
def test_a_limit_of_the_process_is_named_and_nothing_is_lost(
    host: Host, whole: Outcome, tmp_path: Path, *, files_max: int, file_bytes_max: int, said: str
) -> None:
    order = Order(folder=str(tmp_path / "run"), files_max=files_max, file_bytes_max=file_bytes_max)

    ended = host.play(order)

    assert ended.exit_code == 70
    assert said in ended.error
    assert wrong_after(host, order, ended, whole) == ""


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="this system does not bound its processes so"
)
@pytest.mark.parametrize(
    ("memory_kb_max", "hungry_at"), [(12_000, 0), (60_000, 1), (60_000, 2), (60_000, 12)]
)
def test_a_process_that_gets_no_more_memory_says_so_and_nothing_is_lost(
    host: Host, whole: Outcome, tmp_path: Path, *, memory_kb_max: int, hungry_at: int
) -> None:
    order = Order(folder=str(tmp_path / "run"), memory_kb_max=memory_kb_max, hungry_at=hungry_at)

    ended = host.play(order)

    assert ended.exit_code == 70
    assert re.match("OutOfMemory: |JournalFault: .* were not written: out of memory", ended.error)
    assert (ended.acknowledged > 0) == (hungry_at > 0)
    assert wrong_after(host, order, ended, whole) == ""


@needs_strace
@pytest.mark.slow
def test_a_log_that_cannot_be_written_stops_nothing(host: Host, whole: Outcome, tmp_path: Path) -> None:
    order = Order(folder=str(tmp_path / "run"))
    strace = ["-e", "trace=write", "-e", "inject=write:error=ENOSPC:when=3+"]

    ended = host.play_under(strace, order, log=tmp_path / "log")

    assert ended.exit_code == 0
    assert outcome(tmp_path / "run") == whole
