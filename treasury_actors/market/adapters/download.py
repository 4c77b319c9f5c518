"""
Download public market data into a catalog: hourly Binance candles, and what Aave pays on USDC.

A fetch log beside the data, `fetch_log.json`, says which span of each series was asked of which host.
What it covers is never asked again, so a second identical call makes no request. Only what is over is
recorded: a candle after its close, a daily rate after its day.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import anyio
import httpx

from treasury_actors.clock import DAY_NS, HOUR_NS
from treasury_actors.errors import DataError, FeedFault
from treasury_actors.market.adapters.catalog import Recorded, merge, parquet_code, record
from treasury_actors.market.adapters.fetch import TIMEOUT_S, Host, Json, Sleep, shown
from treasury_actors.market.adapters.fetch_log import FetchLog, Span
from treasury_actors.market.adapters.sources import (
    AAVE_USDC_DAILY,
    BTC_CANDLES,
    ETH_CANDLES,
    LINK_CANDLES,
    Source,
)
from treasury_actors.market.model.series import Row, Series
from treasury_actors.market.model.utc import EPOCH, utc_ns, utc_text

_AAVE_V3_USDC_POOL = "aa70268e-4b52-42bf-a116-608b370f9501"
_CANDLE_FIELDS_MIN = 7
_MS_NS = 10**6
_PAGE_ROWS = 1_000
_PAGES_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseUrls:
    """Where the sources live; a test puts a server of its own here."""

    binance: str = "https://api.binance.com"
    defillama: str = "https://yields.llama.fi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """What became of one series: where it was asked for, how many requests that took, what was recorded."""

    series: str
    base_url: str
    requests: int
    recorded: Recorded | None
    """None if the log covers all that was asked for."""


async def download(
    catalog: Path,
    *,
    start: datetime | int,
    end: datetime | int,
    now_ns: int,
    urls: BaseUrls | None = None,
    sleep: Sleep = anyio.sleep,
) -> tuple[Downloaded, ...]:
    """
    Record candles of ETH, BTC and LINK and the daily Aave v3 USDC supply rate of [start, end).

    Args:
        catalog: where the series and the fetch log are; made if it isn't there.
        start: first moment wanted, nanoseconds since 1970 or a datetime (UTC if it has no zone).
        end: the moment after the last wanted; cut to what is over at `now_ns`.
        now_ns: the time now.
        urls: the hosts to ask.
        sleep: waits seconds between retries.

    Raises:
        FeedFault: a source failed, or answered in a shape we don't know. What was recorded before stays.
        DataError: the span is empty, or a file of the catalog is wrong.
        ConfigError: the `data` extra is not installed.
    """
    start_ns, end_ns = utc_ns(start), utc_ns(end)
    if not 0 <= start_ns < end_ns:
        raise DataError(f"download {utc_text(start_ns)}..{utc_text(end_ns)}: allowed: an end after the start")
    parquet_code()  # before the first request
    urls = urls or BaseUrls()
    log = FetchLog(catalog)
    done = []
    async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
        for table in (ETH_CANDLES, BTC_CANDLES, LINK_CANDLES):
            host = Host(client, urls.binance, sleep=sleep)
            wanted = (_up(start_ns, HOUR_NS), min(_up(end_ns, HOUR_NS), now_ns // HOUR_NS * HOUR_NS))
            done.append(await _fetch(catalog, log, table, host, wanted))
        host = Host(client, urls.defillama, sleep=sleep)
        wanted = (_up(start_ns, DAY_NS), min(_up(end_ns, DAY_NS), now_ns // DAY_NS * DAY_NS))
        done.append(await _fetch(catalog, log, AAVE_USDC_DAILY, host, wanted))
    return tuple(done)


def _up(time_ns: int, step_ns: int) -> int:
    """Return the first whole step not before `time_ns`."""
    return -(-time_ns // step_ns) * step_ns


async def _fetch(catalog: Path, log: FetchLog, source: Source, host: Host, wanted: Span) -> Downloaded:
    """Ask for what the log doesn't cover, record it, then log it."""
    (name,) = source.keys.values()
    recorded = None
    for span in log.missing(name, host.base_url, wanted):
        if source is AAVE_USDC_DAILY:
            rows = await _daily_rates(host, span)
        else:
            rows = await _candles(host, source, name.removeprefix("binance."), span)
        series = Series.of(name, tuple(source.columns), source.max_age_h, rows)
        recorded = record(catalog, *merge(catalog, source, series))
        log.add(name, host.base_url, span)
    return Downloaded(series=name, base_url=host.base_url, requests=host.requests, recorded=recorded)


async def _candles(host: Host, source: Source, symbol: str, span: Span) -> list[Row]:
    """Return the hourly candles that open within `span`, page after page until one is empty."""
    rows: list[Row] = []
    next_ns, end_ns = span
    for _ in range(_PAGES_MAX):
        query: dict[str, str | int] = {"symbol": symbol, "interval": "1h", "limit": _PAGE_ROWS}
        query |= {"startTime": next_ns // _MS_NS, "endTime": end_ns // _MS_NS - 1}
        page = await host.get("/api/v3/klines", query)
        if not isinstance(page, list):
            raise FeedFault(f"{host.base_url} klines {symbol}: {shown(page)}; allowed: a list of candles")
        for candle in page:
            rows.append(_candle(candle, source, f"{host.base_url} klines {symbol}", (next_ns, end_ns)))
            next_ns = rows[-1].event_time_ns + HOUR_NS
        if not page or next_ns >= end_ns:
            return rows
    raise FeedFault(f"{host.base_url} klines {symbol}: no end after {_PAGES_MAX} pages; allowed: fewer")


def _candle(candle: Json, source: Source, place: str, within: Span) -> Row:
    """Return one candle; it opens on the hour within `within`, and carries its close as text."""
    if not isinstance(candle, list) or len(candle) < _CANDLE_FIELDS_MIN:
        raise FeedFault(
            f"{place}: {shown(candle)}; allowed: [open time, open, high, low, close, volume, close time, …]"
        )
    opened_ms, closes = candle[0], candle[1:5]
    if not isinstance(opened_ms, int) or opened_ms * _MS_NS % HOUR_NS:
        raise FeedFault(f"{place}: open time is {shown(opened_ms)}; allowed: milliseconds on a full hour")
    opened_ns = opened_ms * _MS_NS
    if not within[0] <= opened_ns < within[1]:
        allowed = f"{utc_text(within[0])} or later, before {utc_text(within[1])}, in order"
        raise FeedFault(f"{place}: open time is {opened_ms}; allowed: {allowed}")
    rule = source.columns["close"]
    prices = [rule.parse(price) if isinstance(price, str) else None for price in closes]
    close = prices[3]
    if close is None or None in prices:
        raise FeedFault(f"{place}: prices are {shown(closes)}; allowed: texts, each {rule.describe()}")
    return Row(
        event_time_ns=opened_ns,
        available_at_ns=opened_ns + source.known_after_h * HOUR_NS,
        values=(close,),
    )


async def _daily_rates(host: Host, span: Span) -> list[Row]:
    """Return the base supply APY in percent of each day within `span`: the day's last sample."""
    place = f"{host.base_url} chart {_AAVE_V3_USDC_POOL}"
    answer = await host.get(f"/chart/{_AAVE_V3_USDC_POOL}", {})
    samples = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or answer.get("status") != "success" or not isinstance(samples, list):
        raise FeedFault(f"{place}: {shown(answer)}; allowed: status success and a list `data`")
    last_of_day: dict[int, tuple[int, float]] = {}
    for sample in samples:
        time_ns, percent = _sample(sample, place)
        day_ns = time_ns // DAY_NS * DAY_NS
        if time_ns >= last_of_day.get(day_ns, (0, 0.0))[0]:
            last_of_day[day_ns] = (time_ns, percent)
    return [
        Row(
            event_time_ns=day_ns,
            available_at_ns=day_ns + AAVE_USDC_DAILY.known_after_h * HOUR_NS,
            values=(last_of_day[day_ns][1],),
        )
        for day_ns in sorted(last_of_day)
        if span[0] <= day_ns < span[1]
    ]


def _sample(sample: Json, place: str) -> tuple[int, float]:
    """Return time and base APY in percent of one sample; a null is NaN."""
    allowed = "an object with timestamp, such as 2024-01-01T23:00:00.000Z, and apyBase"
    if not isinstance(sample, dict) or not {"timestamp", "apyBase"} <= sample.keys():
        raise FeedFault(f"{place}: {shown(sample)}; allowed: {allowed}")
    try:
        time = datetime.fromisoformat(str(sample["timestamp"]))
        time_ns = utc_ns(time) if time.tzinfo and time > EPOCH else -1
    except (ValueError, OverflowError):
        time_ns = -1
    if time_ns < 0:
        raise FeedFault(f"{place}: timestamp is {shown(sample['timestamp'])}; allowed: {allowed}")
    percent, rule = sample["apyBase"], AAVE_USDC_DAILY.columns["aave_supply_apy_pct"]
    number = float("nan") if percent is None else percent
    if isinstance(number, bool) or not isinstance(number, int | float) or not rule.holds(number):
        raise FeedFault(f"{place}: apyBase is {shown(percent)}; allowed: null or {rule.describe()}")
    return time_ns, float(number)
