"""Alerts reach a server of their own, in order; one that doesn't answer holds nothing up."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from threading import Event, Thread

import anyio
import pytest

from tests.unit.daemon.paper import Living, Market, play_paper
from treasury_actors.clock import WallClock
from treasury_actors.daemon import operate
from treasury_actors.daemon.log import open_log
from treasury_actors.daemon.webhook import WAITING_MAX, Alert, check_url, open_webhook
from treasury_actors.errors import ConfigError, JournalCorrupt
from treasury_actors.market.adapters.frame_log import FILE_NAME as FRAMES_NAME

CLOCK = WallClock()


class Heard:
    """What a server was posted; it waits for `go` before it answers."""

    def __init__(self) -> None:
        self.posts: list[dict[str, object]] = []
        self.go = Event()
        self.go.set()
        self.status = 200


@contextmanager
def server(heard: Heard) -> Iterator[str]:
    """Yield the URL of a server that keeps what it is posted."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.go.wait(10)
            heard.posts.append(json.loads(body))
            self.send_response(heard.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the standard library's)
            del format, args

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}/hook?key=very-secret"
    finally:
        heard.go.set()
        listening.shutdown()
        thread.join()
        listening.server_close()


@contextmanager
def posting(folder: Path, screen: StringIO, heard: Heard) -> Iterator[Alert]:
    """Yield what posts to a server of its own."""
    with (
        server(heard) as url,
        open_log(folder, clock=CLOCK, screen=screen) as log,
        open_webhook(url, run={"run_id": "r"}, log=log) as alert,
    ):
        yield alert


def test_alerts_are_posted_in_order_and_the_last_one_before_the_end(tmp_path: Path) -> None:
    heard = Heard()
    with posting(tmp_path, StringIO(), heard) as alert:
        alert("feed_down", {"turn": 1})
        alert("died", {"why": "a test"})

    assert heard.posts == [
        {"event": "feed_down", "run_id": "r", "turn": 1},
        {"event": "died", "run_id": "r", "why": "a test"},
    ]


def test_a_server_that_does_not_answer_holds_nobody_up_and_what_is_too_much_is_dropped(
    tmp_path: Path,
) -> None:
    heard, screen = Heard(), StringIO()
    heard.go.clear()
    with posting(tmp_path, screen, heard) as alert:
        began_s = CLOCK.monotonic_s()
        for number in range(WAITING_MAX + 10):
            alert("alarm", {"number": number})
        took_s = CLOCK.monotonic_s() - began_s
        heard.go.set()

    assert took_s < 1.0
    assert "alert dropped" in screen.getvalue()
    assert len(heard.posts) >= WAITING_MAX


def test_a_failed_alert_is_logged_without_the_url(tmp_path: Path) -> None:
    heard, screen = Heard(), StringIO()
    heard.status = 500
    with posting(tmp_path, screen, heard) as alert:
        alert("alarm", {})
    gone = "http://127.0.0.1:9/hook?key=very-secret"
    with (
        open_log(tmp_path, clock=CLOCK, screen=screen) as log,
        open_webhook(gone, run={}, log=log) as unheard,
    ):
        unheard("stopped", {})

    said = screen.getvalue()
    assert "HTTP 500" in said
    assert "ConnectError" in said
    assert "very-secret" not in said


@pytest.mark.parametrize("url", ["", "ftp://a.example", "https://", "no url", "http://[::1"])
def test_what_is_no_url_to_post_to_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"live\.webhook"):
        check_url(url)


async def test_a_run_tells_of_its_feed_and_of_stops(tmp_path: Path) -> None:
    heard = Heard()
    run = Living(market=Market())
    with server(heard) as url:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: play_paper(run, tmp_path, webhook=url))
            await run.play_to(1)
            run.market.hour = None
            await operate.stop(tmp_path, "a drill", clock=CLOCK)
            run.market.hour = 2
            await run.play_to(47)
    events = [post["event"] for post in heard.posts]

    assert "trading_changed" in events
    assert heard.posts[events.index("trading_changed")]["reason"] == "a drill"
    assert {post["label"] for post in heard.posts} == {"PAPER"}


async def test_a_run_that_dies_says_so(tmp_path: Path) -> None:
    heard = Heard()
    (tmp_path / FRAMES_NAME).write_text("this is no frame\n", encoding="ascii")
    run = Living(market=Market())
    with server(heard) as url, pytest.raises((JournalCorrupt, ConfigError)):
        await play_paper(run, tmp_path, webhook=url)

    assert [post["event"] for post in heard.posts] in (["died"], [])
