"""
Crash, stop, alarm and feed-down, posted as JSON to one URL.

Nobody waits for it: a thread of its own posts, one alert after another; what can't be posted in time is
dropped and named in the log. It orders nothing and the house never hears of it. The URL often holds a key:
it is shown nowhere.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import Full, Queue
from threading import Thread
from typing import Final, TypeAlias

import httpx

from treasury_actors.daemon.log import Log
from treasury_actors.errors import ConfigError

Facts: TypeAlias = Mapping[str, object]
Alert: TypeAlias = Callable[[str, Facts], None]
"""Say what happened, by name, with its facts; never waits, never raises."""

WAITING_MAX: Final = 64
POST_WITHIN_S: Final = 5.0
LAST_WORDS_S: Final = 6.0
_ERRORS_FROM = 300


def nobody_hears(_: str, __: Facts) -> None:
    """Alert nobody."""


def check_url(url: str) -> None:
    """Raise ConfigError unless a URL can be posted to; it is not repeated."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ConfigError("live.webhook: not a URL; allowed: https://… or http://…") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ConfigError("live.webhook: allowed: https://… or http://…")


@contextmanager
def open_webhook(url: str, *, run: Facts, log: Log) -> Iterator[Alert]:
    """
    Yield what posts alerts while the body runs; without a URL it posts nothing.

    Left, it waits at most `LAST_WORDS_S` for what is still to be posted: the news of a crash is the last.

    Args:
        run: facts that go with every alert: which run this is.
    """
    if not url:
        yield nobody_hears
        return
    check_url(url)
    waiting: Queue[dict[str, object] | None] = Queue(WAITING_MAX)

    def alert(what: str, facts: Facts) -> None:
        try:
            waiting.put_nowait({"event": what, **run, **facts})
        except Full:
            log.warning("alert_dropped", alert=what, why=f"{WAITING_MAX} wait already")

    thread = Thread(target=_post_all, args=(url, waiting, log), name="webhook", daemon=True)
    thread.start()
    try:
        yield alert
    finally:
        try:
            waiting.put(None, timeout=LAST_WORDS_S)
        except Full:
            log.warning("alert_dropped", alert="all that wait", why="none could be posted")
        else:
            thread.join(LAST_WORDS_S)


def _post_all(url: str, waiting: "Queue[dict[str, object] | None]", log: Log) -> None:
    """Post alerts in order until there will be no more."""
    with httpx.Client(timeout=POST_WITHIN_S, trust_env=False, follow_redirects=False) as client:
        while (content := waiting.get()) is not None:
            try:
                answer = client.post(url, json=content)
                why = f"HTTP {answer.status_code}" if answer.status_code >= _ERRORS_FROM else ""
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                why = type(error).__name__
            if why:
                log.warning("alert_failed", alert=str(content["event"]), why=why)
