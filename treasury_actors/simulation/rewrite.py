"""
Other seasons made from one: another future, no future, less history, and odd data.

They are what a test of causality compares with: each is a valid season, and shares every number of the
original up to a stated frame.
"""

from collections.abc import Sequence
from math import nan
from typing import TypeVar

from treasury_actors.market.model.generated_chance import hourly_draws
from treasury_actors.market.model.season import ColumnSeason, SeasonColumns
from treasury_actors.market.model.universe import Universe

_T = TypeVar("_T")
_FUTURE_STREAM, _ODD_STREAM = 101, 102
_STALE, _UNKNOWN_RATE, _SPIKE, _NO_DEPTH, _NO_CAPACITY = 0.06, 0.05, 0.003, 0.04, 0.04
_START_USD = {"WETH": 3_000.0, "ETH": 3_000.0, "WBTC": 60_000.0, "LINK": 15.0}
_START_USD |= {"aWETH": 3_020.0, "wstETH": 3_500.0, "weETH": 3_100.0}


def with_other_future(season: ColumnSeason, *, after: int, seed: int) -> ColumnSeason:
    """
    Return a season equal to this one up to and with frame `after`, and with other valid data behind it.

    Every price goes a way of its own from there on, rates, depths and gas are multiplied, and a few hours
    are stale. Its `data_hash` stays the original's, so that whatever is derived from the hash (a fitness
    key, the opening event) doesn't differ for that reason alone.
    """
    columns, first = season.columns, season.warmup_count + after + 1
    hours = len(columns.l1_gas_gwei) - first
    assets, conversions = len(season.universe.assets), len(season.universe.conversions)
    normals, uniforms = hourly_draws(
        seed, _FUTURE_STREAM, max(0, hours), normals=assets, uniforms=2 * assets + conversions + 1
    )
    factors = [[0.5 + number for number in row] for row in uniforms]
    walks = [_walk([row[column] for row in normals]) for column in range(assets)]
    rewritten = SeasonColumns(
        ticks=[_other_ticks(ticks, walk, first) for ticks, walk in zip(columns.ticks, walks, strict=True)],
        fresh=[
            _behind(
                fresh, first, [fresh[first + at] and row[column] > _STALE for at, row in enumerate(uniforms)]
            )
            for column, fresh in enumerate(columns.fresh)
        ],
        rates=[
            _times(rates, first, [row[assets + column] for row in factors])
            for column, rates in enumerate(columns.rates)
        ],
        share_prices=columns.share_prices,
        depth_usd=[
            _times(depth, first, [row[2 * assets + column] for row in factors])
            for column, depth in enumerate(columns.depth_usd)
        ],
        capacity_usd=columns.capacity_usd,
        l1_gas_gwei=_times(columns.l1_gas_gwei, first, [row[-1] for row in factors]),
        tbill_rate=columns.tbill_rate,
    )
    other = _season_like(season, rewritten, warmup_count=season.warmup_count)
    other.data_hash = season.data_hash
    return other


def cut_after(season: ColumnSeason, last: int) -> ColumnSeason:
    """Return a season that ends with frame `last`."""
    return _season_like(
        season, _rows(season.columns, 0, season.warmup_count + last + 1), warmup_count=season.warmup_count
    )


def with_history(season: ColumnSeason, warmup_h: int) -> ColumnSeason:
    """Return a season with only `warmup_h` frames before its first."""
    assert warmup_h <= season.warmup_count, "history can be cut, not invented"
    first = season.warmup_count - warmup_h
    rows = _rows(season.columns, first, len(season.columns.l1_gas_gwei))
    return _season_like(season, rows, warmup_count=warmup_h)


def odd_season(universe: Universe, *, seed: int, frames: int, warmup_h: int) -> ColumnSeason:
    """
    Return a season of everything that is allowed and seldom happens.

    Prices that jump threefold, hours without a price, assets never or late listed, rates unknown or
    negative, pools without depth, lenders without cash, gas a hundred times dearer.
    """
    hours, assets, conversions = frames + warmup_h, len(universe.assets), len(universe.conversions)
    normals, uniforms = hourly_draws(
        seed, _ODD_STREAM, hours, normals=assets, uniforms=3 * assets + 2 * conversions + 1
    )
    listed = [0 if column % 4 != 3 else hours // 3 for column in range(assets)]  # noqa: PLR2004 (every fourth)
    late = {asset.id: at for asset, at in zip(universe.assets, listed, strict=True)}
    late[universe.reserve] = late[universe.gas] = 0
    ticks, fresh, rates = [], [], []
    for column, asset in enumerate(universe.assets):
        first, dollar = late[asset.id], asset.id not in _START_USD
        start = _START_USD.get(asset.id, 1.0) * 10**asset.tick_exponent
        steps = [row[column] * (0.001 if dollar else 0.02) for row in normals]
        jumps = [row[column] for row in uniforms]
        price = _odd_prices(start, steps, jumps, dollar=dollar)
        ticks.append([0] * first + price[first:])
        fresh.append([at >= first and row[assets + column] > _STALE for at, row in enumerate(uniforms)])
        rates.append(
            [
                nan if row[2 * assets + column] < _UNKNOWN_RATE else 0.4 * row[2 * assets + column] - 0.05
                for row in uniforms
            ]
        )
    columns = SeasonColumns(
        ticks=ticks,
        fresh=fresh,
        rates=rates,
        share_prices=[[1.0] * hours for _ in universe.assets],
        depth_usd=[
            [
                0.0 if row[3 * assets + column] < _NO_DEPTH else 4e7 * row[3 * assets + column]
                for row in uniforms
            ]
            for column in range(conversions)
        ],
        capacity_usd=[
            [_odd_capacity(row[3 * assets + conversions + column]) for row in uniforms]
            for column in range(conversions)
        ],
        l1_gas_gwei=[1_000.0 if row[-1] < _SPIKE else 20.0 * row[-1] for row in uniforms],
        tbill_rate=[nan] * hours,
    )
    return ColumnSeason(
        columns,
        universe=universe,
        label="GENERATED",
        source=f"odd season, seed {seed}: not market data",
        notes=(),
        start_ns=0,
        warmup_count=warmup_h,
    )


def _odd_prices(start: float, steps: list[float], jumps: list[float], *, dollar: bool) -> list[int]:
    """Return prices in ticks that wander and sometimes jump, and come back so that they stay in bounds."""
    prices, level = [], 1.0
    for step, jump in zip(steps, jumps, strict=True):
        level *= 1.0 + step - (level - 1.0) * 0.01
        spike = 1.0
        if jump < _SPIKE:
            spike = 0.9 if dollar else 3.0
        elif jump > 1.0 - _SPIKE:
            spike = 1.1 if dollar else 0.3
        prices.append(max(1, int(start * max(0.01, level) * spike)))
    return prices


def _odd_capacity(draw: float) -> float:
    """Return a capacity in USD: nothing, a little, or a lot."""
    return 0.0 if draw < _NO_CAPACITY else 1e7 * draw * draw


def _walk(normals: list[float]) -> list[float]:
    """Return factors that start near 1 and go their own way, a third off at most."""
    walked, level = [], 0.0
    for normal in normals:
        level = level * 0.99 + normal * 0.01
        walked.append(1.0 + max(-0.33, min(0.33, level)))
    return walked


def _other_ticks(ticks: Sequence[int], walk: list[float], first: int) -> list[int]:
    """Return prices that are `walk` times the original from `first` on; what isn't known stays unknown."""
    return [
        *ticks[:first],
        *(
            max(1, int(price * factor)) if price else 0
            for price, factor in zip(ticks[first:], walk, strict=True)
        ),
    ]


def _times(numbers: Sequence[float], first: int, factors: list[float]) -> list[float]:
    """Return the numbers, times the factors from `first` on."""
    return _behind(numbers, first, [x * factor for x, factor in zip(numbers[first:], factors, strict=True)])


def _behind(numbers: Sequence[_T], first: int, others: list[_T]) -> list[_T]:
    """Return the numbers up to `first`, and the others behind them."""
    return [*numbers[:first], *others]


def _rows(columns: SeasonColumns, first: int, end: int) -> SeasonColumns:
    """Return the rows from `first` up to `end` of every column."""
    return SeasonColumns(
        ticks=[column[first:end] for column in columns.ticks],
        fresh=[column[first:end] for column in columns.fresh],
        rates=[column[first:end] for column in columns.rates],
        share_prices=[column[first:end] for column in columns.share_prices],
        depth_usd=[column[first:end] for column in columns.depth_usd],
        capacity_usd=[column[first:end] for column in columns.capacity_usd],
        l1_gas_gwei=columns.l1_gas_gwei[first:end],
        tbill_rate=columns.tbill_rate[first:end],
    )


def _season_like(season: ColumnSeason, columns: SeasonColumns, *, warmup_count: int) -> ColumnSeason:
    """Return a season of other columns under the same names, beginning at the same time."""
    return ColumnSeason(
        columns,
        universe=season.universe,
        label=season.label,
        source=season.source,
        notes=season.notes,
        start_ns=season.start_ns,
        warmup_count=warmup_count,
    )
