"""One HTTP GET of a public source: bounded in time, size and patience; every failure is a FeedFault."""

import json
from collections.abc import Awaitable, Callable, Mapping

import httpx

from treasury_actors.errors import FeedFault

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Sleep = Callable[[float], Awaitable[None]]

_ATTEMPTS_MAX = 5
_BACK_OFF_S = 1.0
_BYTES_MAX = 32 * 2**20
_OK, _TOO_MANY, _SERVER_ERRORS = 200, 429, 500
_SHOWN_CHARACTERS = 80
_WAIT_S_MAX = 120.0
TIMEOUT_S = 20.0


class Host:
    """One public host. `requests` counts what was sent to it, retries too."""

    def __init__(
        self, client: httpx.AsyncClient, base_url: str, *, sleep: Sleep, bytes_max: int = _BYTES_MAX
    ) -> None:
        """`sleep` takes seconds and waits them; `bytes_max` is the largest answer that is read."""
        self.base_url = base_url
        self.requests = 0
        self._client = client
        self._sleep = sleep
        self._bytes_max = bytes_max

    async def get(self, path: str, params: Mapping[str, str | int]) -> Json:
        """
        Return the JSON that `path` answers.

        A 429 is asked again after its Retry-After, a 5xx after a growing pause, a few times in all.
        """
        url = self.base_url.rstrip("/") + path
        for attempt in range(_ATTEMPTS_MAX):
            status, retry_after, content = await self._once(url, params)
            if status == _OK:
                return _parsed(url, content)
            if status != _TOO_MANY and status < _SERVER_ERRORS:
                break
            if attempt + 1 < _ATTEMPTS_MAX:
                await self._sleep(_wait_s(retry_after, attempt))
        raise FeedFault(f"{url}: HTTP {status}: {shown(content.decode(errors='replace'))}; allowed: HTTP 200")

    async def _once(self, url: str, params: Mapping[str, str | int]) -> tuple[int, str, bytes]:
        """Send one request and return status, Retry-After and content."""
        self.requests += 1
        content = bytearray()
        try:
            async with self._client.stream("GET", url, params=dict(params)) as response:
                async for part in response.aiter_bytes():
                    content += part
                    if len(content) > self._bytes_max:
                        raise FeedFault(f"{url}: answer is too long; allowed: {self._bytes_max} bytes")
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            reason = " ".join(str(problem).split()) or type(problem).__name__
            raise FeedFault(
                f"{url}: no answer: {reason}; allowed: an answer within {TIMEOUT_S:g} s"
            ) from problem
        return response.status_code, response.headers.get("Retry-After", ""), bytes(content)


def shown(value: object) -> str:
    """Return a value on one line, cut short, for an error message."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def _wait_s(retry_after: str, attempt: int) -> float:
    """Return how long to wait: what the source asks for, else twice as long each time."""
    asked_s = float(retry_after) if retry_after.isdecimal() else _BACK_OFF_S * 2**attempt
    return min(asked_s, _WAIT_S_MAX)


def _parsed(url: str, content: bytes) -> Json:
    """Return the JSON in `content`, where NaN and infinity are not JSON."""
    try:
        parsed: Json = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        what = shown(content[:_SHOWN_CHARACTERS].decode(errors="replace"))
        raise FeedFault(f"{url}: answer is {what}; allowed: JSON") from None
    return parsed


def _no_constant(name: str) -> float:
    raise ValueError(name)
