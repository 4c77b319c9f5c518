"""The control socket: for its owner alone, bounded in bytes, time and number; it holds nobody up."""

import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from treasury_actors.daemon.control import SOCKET_NAME, Inbox, NoAnswer, NotRunning, call, listening
from treasury_actors.daemon.requests import LINE_BYTES_MAX, Reply, ResumeTrading

RESUME = {"command": "resume", "reason": "checked"}


@asynccontextmanager
async def served(folder: Path, inbox: Inbox, status: Reply | None = None) -> AsyncIterator[None]:
    """Listen in a folder while the body runs."""
    async with anyio.create_task_group() as tasks:
        async with listening(folder, tasks, inbox, lambda: status or {"ok": True}):
            yield
        tasks.cancel_scope.cancel()


def raw(folder: Path, content: bytes) -> bytes:
    """Send bytes as they are; return all that comes back."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10.0)
        client.connect(str(folder / SOCKET_NAME))
        client.sendall(content)
        client.shutdown(socket.SHUT_WR)
        found = b""
        while part := client.recv(4_096):
            found += part
    return found


async def test_status_is_answered_at_once_and_the_rest_waits_for_a_pause(tmp_path: Path) -> None:
    inbox = Inbox()

    async with served(tmp_path, inbox, {"ok": True, "frame": 3}), anyio.create_task_group() as tasks:
        replies: list[dict[str, object]] = []

        async def ask() -> None:
            replies.append(await call(tmp_path, RESUME, timeout_s=10.0))

        tasks.start_soon(ask)
        await inbox.wait_for_news(10.0)
        assert await call(tmp_path, {"command": "status"}, timeout_s=10.0) == {"ok": True, "frame": 3}
        assert replies == []
        waiting = inbox.take()
        assert waiting is not None
        assert waiting.request == ResumeTrading(reason="checked")
        waiting.answer({"ok": True, "state": "active"})

    assert replies == [{"ok": True, "state": "active"}]


async def test_the_socket_is_for_its_owner_alone_and_gone_afterwards(tmp_path: Path) -> None:
    async with served(tmp_path, Inbox()):
        assert stat.S_IMODE((tmp_path / SOCKET_NAME).stat().st_mode) == 0o600

    assert not (tmp_path / SOCKET_NAME).exists()


async def test_a_folder_too_deep_for_a_socket_address_is_reached_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)

    async with served(folder, Inbox()):
        assert stat.S_IMODE((folder / SOCKET_NAME).stat().st_mode) == 0o600
        assert await call(folder, {"command": "status"}, timeout_s=10.0) == {"ok": True}


async def test_a_socket_that_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / SOCKET_NAME))
    with pytest.raises(NotRunning):
        await call(tmp_path, {"command": "status"}, timeout_s=10.0)

    async with served(tmp_path, Inbox()):
        assert await call(tmp_path, {"command": "status"}, timeout_s=10.0) == {"ok": True}


async def test_where_nobody_listens_the_caller_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="no daemon is running"):
        await call(tmp_path, {"command": "status"}, timeout_s=10.0)


@pytest.mark.parametrize(
    "content", [b"{}\n", b"rubbish\n", b'{"command": "status"', b"\n" * 3, b"x" * (LINE_BYTES_MAX + 1)]
)
async def test_bad_input_gets_an_error_or_nothing_and_the_socket_lives_on(
    tmp_path: Path, content: bytes
) -> None:
    async with served(tmp_path, Inbox()):
        answer = await to_thread.run_sync(raw, tmp_path, content)
        assert answer == b"" or b'"kind": "bad_request"' in answer
        assert await call(tmp_path, {"command": "status"}, timeout_s=10.0) == {"ok": True}


async def test_endless_input_is_cut_off(tmp_path: Path) -> None:
    async with served(tmp_path, Inbox()):
        try:
            answer = await to_thread.run_sync(raw, tmp_path, b"x" * 5_000_000)
        except OSError:
            answer = b""
        assert len(answer) < 200
        assert await call(tmp_path, {"command": "status"}, timeout_s=10.0) == {"ok": True}


async def test_silent_clients_keep_nobody_from_being_answered(tmp_path: Path) -> None:
    async with served(tmp_path, Inbox()):
        silent = [socket.socket(socket.AF_UNIX) for _ in range(31)]
        for client in silent:
            client.connect(str(tmp_path / SOCKET_NAME))

        assert await call(tmp_path, {"command": "status"}, timeout_s=10.0) == {"ok": True}

        for client in silent:
            client.close()


async def test_more_clients_than_there_are_seats_are_turned_away_not_kept(tmp_path: Path) -> None:
    async with served(tmp_path, Inbox()):
        silent = [socket.socket(socket.AF_UNIX) for _ in range(32)]
        for client in silent:
            client.connect(str(tmp_path / SOCKET_NAME))
        with pytest.raises(NoAnswer):
            await call(tmp_path, {"command": "status"}, timeout_s=10.0)
        for client in silent:
            client.close()

        while True:  # the seats are free again as soon as the loop has seen the ends of the streams
            try:
                assert await call(tmp_path, {"command": "status"}, timeout_s=10.0) == {"ok": True}
                break
            except NoAnswer:
                continue


async def test_an_answer_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    async with served(tmp_path, Inbox()):
        with pytest.raises(NoAnswer, match="no answer within"):
            await call(tmp_path, RESUME, timeout_s=0.05)


async def test_a_closed_inbox_answers_those_who_wait_and_those_who_come(tmp_path: Path) -> None:
    inbox = Inbox()
    before = inbox.put(ResumeTrading(reason="early"))

    inbox.close()
    after = inbox.put(ResumeTrading(reason="late"))

    assert (await before.reply())["kind"] == "leaving"
    assert (await after.reply())["kind"] == "leaving"


async def test_who_is_owed_an_answer_gets_it_before_the_socket_is_gone(tmp_path: Path) -> None:
    inbox, replies = Inbox(), []

    async def ask() -> None:
        replies.append(await call(tmp_path, RESUME, timeout_s=10.0))

    async with anyio.create_task_group() as tasks, served(tmp_path, inbox):
        tasks.start_soon(ask)
        await inbox.wait_for_news(10.0)
        inbox.close()

    assert replies == [{"ok": False, "kind": "leaving", "error": "the process is leaving"}]
