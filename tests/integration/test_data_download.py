"""Downloads from a server of our own on loopback: what arrives, what is refused, what is asked only once."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import isnan
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from treasury_actors.clock import DAY_NS, HOUR_NS
from treasury_actors.errors import DataError, FeedFault
from treasury_actors.market.adapters.catalog import read
from treasury_actors.market.adapters.download import BaseUrls, Downloaded, download
from treasury_actors.market.adapters.fetch import Host
from treasury_actors.market.adapters.sources import AAVE_USDC_DAILY, ETH_CANDLES
from treasury_actors.market.model.utc import utc_text

HOUR_MS = 3_600_000
START_NS = 19_800 * DAY_NS
END_NS = START_NS + 2_500 * HOUR_NS
NOW_NS = START_NS + 10_000 * HOUR_NS
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Exchange:
    """What the server answers, and what it was asked."""

    page_rows: int = 1_000
    answers: list[Answer] = field(default_factory=list)
    """Given first, one a request, before it answers as it should."""
    edit: Callable[[list[object]], object] | None = None
    edit_chart: Callable[[dict[str, object]], object] | None = None
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> Answer:
        self.asked.append(path)
        if self.answers:
            return self.answers.pop(0)
        url = urlsplit(path)
        return (
            200,
            {},
            json.dumps(self.klines(parse_qs(url.query)) if "klines" in path else self.chart()).encode(),
        )

    def klines(self, query: dict[str, list[str]]) -> object:
        start, end, limit = (int(query[name][0]) for name in ("startTime", "endTime", "limit"))
        times = range(-(-start // HOUR_MS) * HOUR_MS, end + 1, HOUR_MS)[: min(limit, self.page_rows)]
        page: list[object] = [
            [at, "1", "2", "0.5", str(at // HOUR_MS), "9", at + HOUR_MS - 1, "9", 1, "1", "1", "0"]
            for at in times
        ]
        return self.edit(page) if self.edit else page

    def chart(self) -> object:
        samples = [
            {
                "timestamp": utc_text(START_NS + day * DAY_NS)[:10] + "T23:01:02.000Z",
                "apyBase": 5 + day,
                "apy": 9,
            }
            for day in range(-5, 200)
        ]
        samples[7]["apyBase"] = None
        chart: dict[str, object] = {"status": "success", "data": samples}
        return self.edit_chart(chart) if self.edit_chart else chart


@contextmanager
def serving(exchange: Exchange) -> Iterator[BaseUrls]:
    """Serve `exchange` on loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, content = exchange.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class says so)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield BaseUrls(binance=url, defillama=url)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Naps(list[float]):
    """A sleep that notes how long it would have been."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


async def fetched(
    catalog: Path, exchange: Exchange, *, end_ns: int = END_NS, now_ns: int = NOW_NS, naps: Naps | None = None
) -> tuple[Downloaded, ...]:
    with serving(exchange) as urls:
        return await download(
            catalog,
            start=START_NS,
            end=end_ns,
            now_ns=now_ns,
            urls=urls,
            sleep=Naps() if naps is None else naps,
        )


async def test_candles_arrive_page_after_page_with_both_their_times(tmp_path: Path) -> None:
    exchange = Exchange()
    done = await fetched(tmp_path, exchange)
    candles = read(tmp_path, ETH_CANDLES, "binance.ETHUSDT")

    assert [(got.series, got.requests) for got in done] == [
        ("binance.ETHUSDT", 3),
        ("binance.BTCUSDT", 3),
        ("binance.LINKUSDT", 3),
        ("aave.USDC", 1),
    ]
    assert len(candles) == 2_500
    assert candles.row(0).event_time_ns == START_NS
    assert candles.row(0).available_at_ns == START_NS + HOUR_NS
    assert candles.row(2_499).values == ((END_NS - HOUR_NS) / HOUR_NS,)


async def test_daily_rates_are_known_a_day_later_and_a_null_stays_one(tmp_path: Path) -> None:
    await fetched(tmp_path, Exchange())
    rates = read(tmp_path, AAVE_USDC_DAILY, "aave.USDC")

    assert len(rates) == 105  # the last one begins before the end
    assert (rates.row(0).event_time_ns, rates.row(0).available_at_ns) == (START_NS, START_NS + DAY_NS)
    assert (rates.row(0).values, rates.row(3).values) == ((5.0,), (8.0,))
    assert isnan(rates.row(2).values[0])


async def test_a_second_identical_call_makes_no_request(tmp_path: Path) -> None:
    exchange = Exchange()
    with serving(exchange) as urls:
        for _ in range(2):
            done = await download(tmp_path, start=START_NS, end=END_NS, now_ns=NOW_NS, urls=urls)
            first_count = len(exchange.asked)
        again = await download(tmp_path, start=START_NS, end=END_NS, now_ns=NOW_NS, urls=urls)

    assert len(exchange.asked) == first_count == 10
    assert all((got.requests, got.recorded) == (0, None) for got in (*done, *again))


async def test_a_longer_span_asks_only_for_what_is_new(tmp_path: Path) -> None:
    exchange = Exchange()
    with serving(exchange) as urls:
        await download(tmp_path, start=START_NS, end=END_NS, now_ns=NOW_NS, urls=urls)
        exchange.asked.clear()
        later = END_NS + 10 * HOUR_NS
        done = await download(tmp_path, start=START_NS, end=later, now_ns=NOW_NS, urls=urls)

    assert [got.requests for got in done] == [1, 1, 1, 0]
    assert f"startTime={END_NS // 10**6}" in exchange.asked[0]
    assert done[0].recorded is not None
    assert (done[0].recorded.added, done[0].recorded.rows) == (10, 2_510)


async def test_what_is_not_over_yet_is_not_recorded(tmp_path: Path) -> None:
    now_ns = START_NS + 30 * HOUR_NS + HOUR_NS // 2
    await fetched(tmp_path, Exchange(), now_ns=now_ns)

    assert len(read(tmp_path, ETH_CANDLES, "binance.ETHUSDT")) == 30
    assert len(read(tmp_path, AAVE_USDC_DAILY, "aave.USDC")) == 1


async def test_short_pages_are_followed_to_the_end(tmp_path: Path) -> None:
    done = await fetched(tmp_path, Exchange(page_rows=700))

    assert done[0].requests == 4
    assert done[0].recorded is not None
    assert done[0].recorded.rows == 2_500


async def test_an_empty_answer_is_a_span_without_candles(tmp_path: Path) -> None:
    done = await fetched(tmp_path, Exchange(edit=lambda _: []))

    assert done[0].requests == 1
    assert done[0].recorded is not None
    assert done[0].recorded.rows == 0


async def test_too_many_requests_waits_as_long_as_it_is_told(tmp_path: Path) -> None:
    naps = Naps()
    busy: list[Answer] = [(429, {"Retry-After": "7"}, b""), (503, {}, b"")]
    done = await fetched(tmp_path, Exchange(answers=busy), naps=naps)

    assert (naps, done[0].requests) == ([7.0, 2.0], 5)


async def test_a_source_that_stays_busy_is_a_fault_after_five_requests(tmp_path: Path) -> None:
    exchange, naps = Exchange(answers=[(429, {"Retry-After": "100000"}, b"slow down")] * 9), Naps()

    with pytest.raises(FeedFault, match="HTTP 429: 'slow down'"):
        await fetched(tmp_path, exchange, naps=naps)
    assert (len(exchange.asked), naps) == (5, [120.0] * 4)


def first(cells: Callable[[list[object]], None]) -> Callable[[list[object]], object]:
    """Return an edit of the first candle of a page."""

    def edit(page: list[object]) -> object:
        candle = page[0]
        assert isinstance(candle, list)
        cells(candle)
        return page

    return edit


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda _: {"code": -1121, "msg": "Invalid symbol."}, "allowed: a list of candles"),
        (lambda page: [*page, "candle"], "allowed: .open time, open"),
        (lambda page: [page[0][:4]], "allowed: .open time, open"),
        (first(lambda candle: candle.__setitem__(0, "soon")), "open time is 'soon'; allowed"),
        (first(lambda candle: candle.__setitem__(0, [])), "open time is .*; allowed"),
        (first(lambda candle: candle.__setitem__(0, START_NS // 10**6 + 1)), "on a full hour"),
        (first(lambda candle: candle.__setitem__(0, START_NS // 10**9 // 3_600 * 3_600)), "allowed"),
        (lambda page: [page[1], page[0]], "in order"),
        (lambda page: [page[0], page[0]], "in order"),
        (first(lambda candle: candle.__setitem__(4, "NaN")), "prices are .*'NaN'.*allowed"),
        (first(lambda candle: candle.__setitem__(4, 3.5)), "prices are .*3.5.*allowed: texts"),
        (first(lambda candle: candle.__setitem__(3, "0")), "prices are .*allowed"),
        (first(lambda candle: candle.__setitem__(4, "-1")), "prices are .*allowed"),
    ],
)
async def test_an_unknown_shape_of_candles_is_a_fault_and_nothing_is_recorded(
    tmp_path: Path, edit: Callable[[list[object]], object], words: str
) -> None:
    with pytest.raises(FeedFault, match=words) as caught:
        await fetched(tmp_path, Exchange(edit=edit))

    assert len(str(caught.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda chart: chart["data"], "allowed: status success and a list"),
        (lambda chart: {**chart, "status": "error"}, "allowed: status success"),
        (lambda chart: {**chart, "data": {}}, "allowed: status success"),
        (lambda chart: {**chart, "data": [{"apy": 5}]}, "allowed: an object with timestamp"),
        (lambda chart: {**chart, "data": [{"timestamp": 17, "apyBase": 5}]}, "timestamp is 17; allowed"),
        (
            lambda chart: {**chart, "data": [{"timestamp": "2024-01-01", "apyBase": 5}]},
            "timestamp is '2024-01-01'",
        ),
        (
            lambda chart: {**chart, "data": [{"timestamp": "2024-01-01T00:00:00Z", "apyBase": "5"}]},
            "apyBase is '5'",
        ),
        (
            lambda chart: {**chart, "data": [{"timestamp": "2024-01-01T00:00:00Z", "apyBase": True}]},
            "is True",
        ),
        (
            lambda chart: {**chart, "data": [{"timestamp": "2024-01-01T00:00:00Z", "apyBase": 1e9}]},
            "<= 10000",
        ),
    ],
)
async def test_an_unknown_shape_of_rates_is_a_fault_and_the_candles_stay(
    tmp_path: Path, edit: Callable[[dict[str, object]], object], words: str
) -> None:
    exchange = Exchange(edit_chart=edit)

    with pytest.raises(FeedFault, match=words) as caught:
        await fetched(tmp_path, exchange)
    assert len(str(caught.value).splitlines()) == 1
    assert len(read(tmp_path, ETH_CANDLES, "binance.ETHUSDT")) == 2_500


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, {}, b"<html>\nhello"), "answer is '<html>.*allowed: JSON"),
        ((200, {}, b"[NaN]"), "allowed: JSON"),
        ((200, {}, b"[" * 100_000), "allowed: JSON"),
        ((400, {}, b'{"code":-1100}'), "HTTP 400: .*-1100.*allowed: HTTP 200"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "HTTP 302"),
        ((418, {"Retry-After": "3600"}, b"banned"), "HTTP 418: 'banned'"),
    ],
)
async def test_an_answer_that_is_no_data_is_a_fault_at_once(
    tmp_path: Path, answer: Answer, words: str
) -> None:
    exchange = Exchange(answers=[answer])

    with pytest.raises(FeedFault, match=words) as caught:
        await fetched(tmp_path, exchange)
    assert len(exchange.asked) == 1
    assert len(str(caught.value).splitlines()) == 1


async def test_an_answer_longer_than_allowed_is_not_read_to_its_end() -> None:
    exchange = Exchange(answers=[(200, {}, b"[" + b"1," * 5_000 + b"1]")])

    with serving(exchange) as urls:
        async with httpx.AsyncClient() as client:
            host = Host(client, urls.binance, sleep=Naps(), bytes_max=1_000)
            with pytest.raises(FeedFault, match="too long; allowed: 1000 bytes"):
                await host.get("/api/v3/klines", {})


async def test_nobody_listening_is_a_transient_fault(tmp_path: Path) -> None:
    with serving(Exchange()) as urls:
        gone = urls
    with pytest.raises(FeedFault, match="no answer") as caught:
        await download(tmp_path, start=START_NS, end=END_NS, now_ns=NOW_NS, urls=gone)

    assert caught.value.transient


async def test_an_empty_span_or_a_foreign_fetch_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="allowed: an end after the start"):
        await download(tmp_path, start=START_NS, end=START_NS, now_ns=NOW_NS)

    (tmp_path / "fetch_log.json").write_text("[]")
    with pytest.raises(DataError, match="not a fetch log"):
        await download(tmp_path, start=START_NS, end=END_NS, now_ns=NOW_NS)
