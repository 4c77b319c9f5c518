"""What `calibration.py` measures of prices, pegs, rates and gas, the same on real and generated data."""

import csv
import gzip
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pieces = list[Floats]
Statistics = dict[str, float]

HOURS_A_YEAR = 8760
SEASON_H = 180 * 24
NEAR = 0.01
CALM_BPS = 40.0  # what is beyond counts as a depeg
SPANS = (("2021-01-01", "2022-10-14"), ("2023-04-17", "2024-11-07"))
"""What the prices are measured on: this copy of the data has a gap of six months between the two."""


def rows(path: Path) -> Iterator[tuple[float, dict[str, str]]]:
    """Yield (hours since 1970, row) of one gzipped CSV file."""
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            yield datetime.fromisoformat(row["timestamp"]).timestamp() / 3600.0, row


def series(path: Path, column: str, *, symbol: str | None = None) -> tuple[Floats, Floats]:
    """Return (hours, values) of one column, without its empty cells."""
    pairs = [
        (hour, float(row[column]))
        for hour, row in rows(path)
        if row[column] not in {"", "nan", "NaN"} and (symbol is None or row["symbol"] == symbol)
    ]
    return np.array([hour for hour, _ in pairs]), np.array([value for _, value in pairs])


def hour_of(day: str) -> float:
    """Return midnight UTC of a day in hours since 1970."""
    return datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() / 3600.0


def on_the_hour(hours: Floats, values: Floats) -> list[Floats]:
    """Return the last known value at every hour of each of SPANS; a gap of hours holds what was before."""
    pieces = []
    for first, last in SPANS:
        at = np.searchsorted(hours, np.arange(hour_of(first), hour_of(last)), side="right") - 1
        pieces.append(values[np.maximum(at, 0)])
    return pieces


def excess_kurtosis(values: Floats) -> float:
    """Return the fourth standardised moment minus 3."""
    centred = values - values.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2 - 3.0)


def autocorrelation(values: Floats, lag: int) -> float:
    """Return the autocorrelation of `values` at `lag`."""
    centred = values - values.mean()
    return float((centred[lag:] * centred[:-lag]).mean() / (centred * centred).mean())


def max_drawdown(prices: Floats) -> float:
    """Return the largest fall from a peak, as a positive fraction."""
    return float((1.0 - prices / np.maximum.accumulate(prices)).max())


def variance_ratio(pieces: Pieces, long_d: int) -> float:
    """Return var(`long_d` days) / (long_d x var(one day)) of log returns; above 1 trends, below 1 reverts."""
    short = log_returns(pieces, 24)
    long = np.concatenate([np.log(piece[long_d * 24 :] / piece[: -long_d * 24]) for piece in pieces])
    return float(((long - long_d * short.mean()) ** 2).mean() / (long_d * short.var()))


def log_returns(pieces: Pieces, step_h: int) -> Floats:
    """Return the log returns over `step_h` hours of every piece, one after the other."""
    return np.concatenate([np.diff(np.log(piece[::step_h])) for piece in pieces])


def sharpe(gains: Floats) -> float:
    """Return the yearly ratio of mean to spread of daily gains."""
    return float(gains.mean() / gains.std() * np.sqrt(365.0))


def trend_gains(prices: Floats, span_d: int) -> Floats:
    """Return the daily gains, without costs, of holding +-1 by the sign of the last `span_d` days."""
    side = np.sign(np.log(prices[span_d * 24 : -24 : 24] / prices[: -(span_d + 1) * 24 : 24]))
    after = prices[(span_d + 1) * 24 :: 24] / prices[span_d * 24 : -24 : 24] - 1.0
    return np.asarray(side[: len(after)] * after[: len(side)])


def steady_gains(prices: Floats, span_d: int) -> tuple[Floats, Floats]:
    """Return the daily gains of holding 1, and of holding 1 / volatility of the last `span_d` days."""
    squares = np.concatenate([[0.0], np.cumsum(np.diff(np.log(prices)) ** 2)])
    days = np.arange(span_d * 24, len(prices) - 24, 24)
    volatility = np.sqrt(squares[days] - squares[days - span_d * 24])
    after = prices[days + 24] / prices[days] - 1.0
    return after, after / volatility


def price_statistics(prices: dict[str, Pieces]) -> Statistics:
    """Return what describes hourly prices of several assets, each in pieces: spans of time or seasons."""
    found: Statistics = {}
    hourly = {name: log_returns(pieces, 1) for name, pieces in prices.items()}
    daily = {name: log_returns(pieces, 24) for name, pieces in prices.items()}
    for name, pieces in prices.items():
        returns, days = hourly[name], daily[name]
        found[f"{name} mean of daily simple returns, a year"] = float(np.expm1(days).mean() * 365)
        found[f"{name} volatility a year, hourly returns"] = float(returns.std() * np.sqrt(HOURS_A_YEAR))
        found[f"{name} volatility a year, daily returns"] = float(days.std() * np.sqrt(365))
        found[f"{name} excess kurtosis, hourly"] = excess_kurtosis(returns)
        found[f"{name} excess kurtosis, daily"] = excess_kurtosis(days)
        found[f"{name} worst hour"] = float(np.expm1(returns.min()))
        found[f"{name} worst day"] = float(np.expm1(days.min()))
        found |= memory_statistics(name, pieces, returns, days)
        found |= season_statistics(name, pieces)
    names = list(prices)
    for left in range(len(names)):
        for right in range(left + 1, len(names)):
            pair = f"{names[left]}/{names[right]} correlation"
            found[f"{pair}, hourly"] = float(np.corrcoef(hourly[names[left]], hourly[names[right]])[0, 1])
            found[f"{pair}, daily"] = float(np.corrcoef(daily[names[left]], daily[names[right]])[0, 1])
    return found


def memory_statistics(name: str, pieces: Pieces, returns: Floats, days: Floats) -> Statistics:
    """Return what the past of a price says of its future: all a strategy on prices could live on."""
    found = {
        f"{name} autocorrelation 1 h": autocorrelation(returns, 1),
        f"{name} autocorrelation 1 d": autocorrelation(days, 1),
    }
    for lag in (1, 24, 168):
        found[f"{name} autocorrelation of |return|, {lag} h"] = autocorrelation(np.abs(returns), lag)
    for long_d in (7, 30):
        found[f"{name} variance ratio {long_d} d : 1 d"] = variance_ratio(pieces, long_d)
    for span_d in (7, 30):
        gains = np.concatenate([trend_gains(piece, span_d) for piece in pieces])
        found[f"{name} Sharpe of {span_d} d trend, no costs"] = sharpe(gains)
    pairs = [steady_gains(piece, 7) for piece in pieces]
    held, steady = (np.concatenate([pair[which] for pair in pairs]) for which in (0, 1))
    found[f"{name} Sharpe of holding"] = sharpe(held)
    found[f"{name} Sharpe gained by holding 1 / 7 d volatility"] = sharpe(steady) - sharpe(held)
    return found


def season_statistics(name: str, pieces: Pieces) -> Statistics:
    """Return how far prices fall and end over spans of 180 days, one started every 10 days."""
    windows = [
        piece[start : start + SEASON_H]
        for piece in pieces
        for start in range(0, max(1, len(piece) - SEASON_H + 1), 240)
    ]
    falls = [max_drawdown(window) for window in windows]
    ends = [window[-1] / window[0] - 1.0 for window in windows]
    found = {f"{name} 180 d max drawdown p{p}": float(np.percentile(falls, p)) for p in (10, 50, 90)}
    return found | {f"{name} 180 d return p{p}": float(np.percentile(ends, p)) for p in (10, 50, 90)}


def level_statistics(name: str, values: Floats, steps: tuple[int, ...], step: str = "h") -> Statistics:
    """Return mean, spread, quantiles and persistence of a level such as a rate."""
    found = {f"{name} mean": float(values.mean()), f"{name} sd": float(values.std())}
    found |= quantiles(name, values, (1, 10, 50, 90, 99))
    return found | {f"{name} autocorrelation {n} {step}": autocorrelation(values, n) for n in steps}


def quantiles(name: str, values: Floats, percents: tuple[int, ...]) -> Statistics:
    """Return some percentiles of `values`."""
    return {f"{name} p{percent}": float(np.percentile(values, percent)) for percent in percents}


def peg_spread_bps(prices: Floats) -> float:
    """Return the standard deviation of the USD prices that lie within 1% of a dollar, in bps."""
    return float(prices[np.abs(prices - 1.0) < NEAR].std() * 1e4)


def ratio_statistics(ratio: Floats) -> Statistics:
    """Return how far the price of USDC in USDT is from 1, in bps, and how fast it comes back."""
    away_bps = (ratio - 1.0) * 1e4
    calm = np.abs(away_bps) < CALM_BPS
    found = level_statistics("USDC/USDT bps from 1, outside depegs", away_bps[calm], (1, 24, 168))
    smooth = np.convolve(away_bps[calm], np.ones(168) / 168, mode="valid")
    found["USDC/USDT sd of bps from its 7 d mean"] = float((away_bps[calm][167:] - smooth).std())
    found["USDC/USDT share of hours beyond 40 bps"] = float(1.0 - calm.mean())
    found["USDC/USDT largest bps from 1"] = float(np.abs(away_bps).max())
    return found


def gas_statistics(gas: Floats) -> Statistics:
    """Return level, spread and spikes of an hourly gas price in gwei."""
    logs = np.log(np.maximum(gas, 0.01))
    found = quantiles("gas gwei", gas, (1, 10, 50, 90, 99))
    found |= {f"gas log autocorrelation {lag} h": autocorrelation(logs, lag) for lag in (1, 24, 168)}
    week = np.array([np.median(logs[start : start + 168]) for start in range(0, len(logs) - 167, 168)])
    inside = logs[: len(week) * 168] - np.repeat(week, 168)
    return found | {
        "gas log sd": float(logs.std()),
        "gas log sd inside a week": float(inside.std()),
        "gas largest / median": float(gas.max() / np.median(gas)),
    }


def depegs(hours: Floats, prices: Floats) -> list[tuple[float, float, float]]:
    """Return (start hour, depth, hours until within 1%) of falls of 3% for 5 hours; inf if never."""
    found: list[tuple[float, float, float]] = []
    row = 0
    while row < len(prices):
        if prices[row] > 0.97:  # noqa: PLR2004
            row += 1
            continue
        back = np.nonzero(prices[row:] > 0.99)[0]  # noqa: PLR2004
        end = row + int(back[0]) if len(back) else len(prices)
        if hours[min(end, len(hours) - 1)] - hours[row] > 5.0:  # noqa: PLR2004
            lasted = hours[end] - hours[row] if len(back) else np.inf
            found.append((float(hours[row]), float(1.0 - prices[row:end].min()), float(lasted)))
        row = end + 1
    return found
