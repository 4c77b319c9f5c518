"""The STOP file stops whatever it says; only a well-formed one may ask for less than a stop."""

import os
from pathlib import Path

import pytest

from treasury_actors.daemon.stop_file import (
    FILE_NAME,
    StopOrder,
    read_stop_file,
    remove_stop_file,
    tightens,
    write_stop_file,
)

ORDER = StopOrder(
    state="reducing", reason="drill — août", by="operator", wall_time="2026-01-01T00:00:00+00:00"
)


def test_what_was_written_is_read_and_can_be_removed_once(tmp_path: Path) -> None:
    write_stop_file(tmp_path, ORDER)

    assert read_stop_file(tmp_path) == ORDER
    assert remove_stop_file(tmp_path)
    assert not remove_stop_file(tmp_path)
    assert read_stop_file(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_second_order_replaces_the_first(tmp_path: Path) -> None:
    write_stop_file(tmp_path, ORDER)
    second = StopOrder(state="stopped", reason="now really", by="operator", wall_time="")

    write_stop_file(tmp_path, second)

    assert read_stop_file(tmp_path) == second


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"stop!",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 20_000,
        b'{"state": "active", "reason": "r", "by": "b", "wall_time": "t"}',
        b'{"state": "reducing", "reason": 7, "by": "b", "wall_time": "t"}',
        b'{"state": "reducing", "reason": "a\\nb", "by": "b", "wall_time": "t"}',
        b'{"state": "reducing", "reason": "r", "reason": "r", "by": "b", "wall_time": "t"}',
        b'{"state": "reducing", "reason": "' + b"r" * 70_000 + b'", "by": "b", "wall_time": "t"}',
    ],
)
def test_a_malformed_file_stops(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)

    order = read_stop_file(tmp_path)

    assert order is not None
    assert order.state == "stopped"
    assert order.reason


def test_a_folder_a_pipe_and_a_broken_link_of_that_name_stop_and_hold_nobody_up(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("folder", "pipe", "link")]
    for folder in folders:
        folder.mkdir()
    (folders[0] / FILE_NAME).mkdir()
    os.mkfifo(folders[1] / FILE_NAME)
    (folders[2] / FILE_NAME).symlink_to("nowhere")

    for folder in folders:
        order = read_stop_file(folder)

        assert order is not None
        assert order.state == "stopped"


def test_where_it_cannot_be_told_whether_there_is_a_file_trading_stops(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    order = read_stop_file(loop)

    assert order is not None
    assert order.state == "stopped"


def test_a_file_that_cannot_be_written_whole_is_put_in_place_empty(tmp_path: Path) -> None:
    (tmp_path / f".{FILE_NAME}.{os.getpid()}.partial").mkdir()  # stands for a disk that takes no content

    write_stop_file(tmp_path, ORDER)

    order = read_stop_file(tmp_path)
    assert order is not None
    assert order.state == "stopped"


def test_only_what_allows_less_tightens() -> None:
    assert tightens("stopped", "active")
    assert tightens("stopped", "reducing")
    assert tightens("reducing", "active")
    assert not tightens("reducing", "stopped")
    assert not tightens("stopped", "stopped")
    assert not tightens("active", "reducing")
