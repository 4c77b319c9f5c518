"""
The recipes of the shipped universe: how the series of `sources` become its prices, rates and depths.

Every recipe reads what could be known at the hour it speaks of, and nothing later. Where it rests on an
assumption, a note says so for the report.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, nan, sqrt

from treasury_actors.clock import DAY_NS, HOUR_NS
from treasury_actors.errors import DataError
from treasury_actors.ids import AssetId, ConversionId
from treasury_actors.market.adapters.season_notes import notes_on
from treasury_actors.market.model.season import ColumnSeason, SeasonColumns
from treasury_actors.market.model.series import Row, Series
from treasury_actors.market.model.tracks import (
    Hours,
    Track,
    accrued_between_rows,
    accrued_hourly,
    apr_of_apy,
    track,
    track_of,
    trailing_growth,
    trailing_mean,
)
from treasury_actors.market.model.universe import Universe
from treasury_actors.market.model.utc import utc_text
from treasury_actors.money import Asset

_TREND_DAYS = 7
_LIDO_KEEPS = 0.9
"""What Lido passes on of the staking reward: it keeps a tenth."""
_GAP_H = 72
"""Hours without a price of the reserve or of gas after which a span of data ends."""
_TICKS_MAX = 9 * 10**13
"""A hundred thousand hours of ticks must add up in an int64."""
_STABLE_UNITS = 1e6
"""Raw units of a whole USDC or USDT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """A share token: its price in its underlying, and the annual rate it earns."""

    price: Track
    rates: list[float]


def build_season(
    series: Mapping[str, Series],
    *,
    universe: Universe,
    start_ns: int,
    days: int,
    warmup_h: int,
    place: str,
    source: str,
) -> ColumnSeason:
    """
    Return the season that `series` tell of.

    Args:
        series: by name, all those of `sources.SOURCES`.
        universe: what to price; an asset without a recipe is a DataError.
        start_ns: time of frame 0, on the hour.
        days: length of the season, >= 1.
        warmup_h: frames before frame 0, as far back as the data go without a long gap.
        place: where the data lie, for error messages.
        source: where they came from, in words for a report.

    Raises:
        DataError: the season isn't covered by data, or a price is beyond what ticks can say.
    """
    if start_ns % HOUR_NS:
        raise DataError(f"{place}: start is {utc_text(start_ns)}; allowed: a full hour")
    if days < 1 or warmup_h < 0:
        raise DataError(f"{place}: days is {days}, warm-up {warmup_h} h; allowed: days >= 1, warm-up >= 0 h")
    first_ns = _span_start(series, universe, start_ns, days, place)
    warmup_count = min(warmup_h, (start_ns - first_ns) // HOUR_NS)
    hours = Hours(start_ns=start_ns - warmup_count * HOUR_NS, count=warmup_count + days * 24)
    columns = _columns(series, universe, hours, place)
    _check_start(columns, universe, warmup_count, place, start_ns)
    return ColumnSeason(
        columns,
        universe=universe,
        label="HYPOTHETICAL",
        source=source,
        notes=notes_on(columns, universe, hours, warmup_count),
        start_ns=start_ns,
        warmup_count=warmup_count,
    )


def _span_start(
    series: Mapping[str, Series], universe: Universe, start_ns: int, days: int, place: str
) -> int:
    """Return the first hour of the stretch of data that covers the season; raise DataError if none does."""
    last_ns = start_ns + (days * 24 - 1) * HOUR_NS
    stretches = [
        (-(-max(first, other_first) // HOUR_NS) * HOUR_NS, min(last, other_last))
        for first, last in series["cmc.USDC"].spans(_GAP_H)
        for other_first, other_last in series["binance.ETHUSDT"].spans(_GAP_H)
    ]
    for first, last in stretches:
        if first <= start_ns and last_ns <= last:
            return first
    spans = ", ".join(f"{utc_text(a)}..{utc_text(b)}" for a, b in stretches if a + DAY_NS <= b)
    wanted = f"{utc_text(start_ns)}..{utc_text(last_ns)}"
    core = f"{universe.reserve} and {universe.gas}"
    raise DataError(
        f"{place}: no season {wanted} ({days} days); allowed: within {spans or 'nothing'} ({core} prices)"
    )


def _check_start(columns: SeasonColumns, universe: Universe, row: int, place: str, start_ns: int) -> None:
    """Raise DataError unless the reserve, gas and the gas price are known at frame 0."""
    for asset in (universe.reserve, universe.gas):
        if not columns.ticks[universe.column[asset]][row]:
            raise DataError(f"{place}: {asset} has no price at {utc_text(start_ns)}; allowed: a later start")
    if any(isnan(gas) for gas in columns.l1_gas_gwei[row:]):
        raise DataError(f"{place}: no gas price is known at {utc_text(start_ns)}; allowed: a later start")


def _columns(series: Mapping[str, Series], universe: Universe, hours: Hours, place: str) -> SeasonColumns:
    """Return the columns of the season, asset after asset."""
    prices, shares = _prices(series, hours), _shares(series, hours)
    one, unknown = [1.0] * hours.count, [nan] * hours.count
    values: dict[AssetId, Track] = {}
    for asset in universe.assets:
        share = shares.get(asset.id)
        if asset.underlying is not None and share is not None:
            values[asset.id] = share.price.times(prices[asset.underlying])
        elif asset.underlying is None and asset.id in prices:
            values[asset.id] = prices[asset.id]
        else:
            raise DataError(f"universe {universe.name}: no recipe prices {asset.id}")
    depths, capacities = _depths(series, prices, hours), _capacities(series, prices, hours)
    gas = track(series["gas.hourly"], "gas_price_avg_gwei", hours).while_fresh(
        track(series["gas.daily"], "avg_gas_price_gwei", hours)
    )
    tbill = [pct / 100.0 for pct in track(series["treasury.6m"], "ust_6m_pct", hours).or_unknown()]
    held = [shares.get(asset.id) for asset in universe.assets]
    steps = universe.conversions
    return SeasonColumns(
        ticks=[_ticks(asset, values[asset.id], hours, place) for asset in universe.assets],
        fresh=[values[asset.id].fresh for asset in universe.assets],
        rates=[unknown if share is None else share.rates for share in held],
        share_prices=[
            one if share is None else _or_assumed(share.price.values, 1.0, hours) for share in held
        ],
        depth_usd=[_or_assumed(depths.get(step.id), step.assumed_depth_usd, hours) for step in steps],
        capacity_usd=[
            _or_assumed(capacities.get(step.id), step.assumed_capacity_usd, hours) for step in steps
        ],
        l1_gas_gwei=gas.values,
        tbill_rate=tbill,
    )


def _prices(series: Mapping[str, Series], hours: Hours) -> dict[AssetId, Track]:
    """
    Return USD prices of what is no share.

    USDC is its daily close. USDT is USDC over the pool's USDT per USDC, and its own daily close before
    the pool is known. The coins are exchange closes in USDT times USDT.
    """
    usdc = track(series["cmc.USDC"], "close", hours)
    usdt = usdc.over(track(series["univ3.USDC_USDT"], "usdc_price_usdt", hours)).once_known(
        track(series["cmc.USDT"], "close", hours)
    )
    ether = track(series["binance.ETHUSDT"], "close", hours).times(usdt)
    return {
        AssetId("USDC"): usdc,
        AssetId("USDT"): usdt,
        AssetId("WETH"): ether,
        AssetId("ETH"): ether,
        AssetId("WBTC"): track(series["binance.BTCUSDT"], "close", hours).times(usdt),
        AssetId("LINK"): track(series["binance.LINKUSDT"], "close", hours).times(usdt),
    }


def _shares(series: Mapping[str, Series], hours: Hours) -> dict[AssetId, _Share]:
    """Return share prices and rates; each recipe is told in `docs/data.md`."""
    found = {AssetId("aUSDC"): _lent_usdc(series["aave.USDC"], hours)}
    for asset, name in (("aUSDT", "aave_v3.USDT"), ("aWETH", "aave_v3.WETH")):
        reserve = series[name]
        index = accrued_between_rows(reserve, "liquidity_index", list(reserve.column("supply_apr")), hours)
        rates = track(reserve, "supply_apr", hours).or_unknown()
        found[AssetId(asset)] = _Share(price=index, rates=rates)
    for asset in ("steakUSDC", "fUSDC"):
        vault = series[f"erc4626.{asset}"]
        growth = trailing_growth(vault, "share_price", _TREND_DAYS)
        price = accrued_between_rows(vault, "share_price", growth, hours)
        found[AssetId(asset)] = _Share(price=price, rates=track_of(vault, growth, hours).or_unknown())
    staking = series["eth_store.apr"]
    net = [_LIDO_KEEPS * mean for mean in trailing_mean(staking, "eth_staking_apr", _TREND_DAYS)]
    lido, etherfi = _protocol_rate(series, "wstETH"), _protocol_rate(series, "weETH")
    found[AssetId("wstETH")] = _Share(
        price=track(lido, "eth", hours), rates=track_of(staking, net, hours).or_unknown()
    )
    growth = trailing_growth(etherfi, "eth", _TREND_DAYS)
    found[AssetId("weETH")] = _Share(
        price=track(etherfi, "eth", hours), rates=track_of(etherfi, growth, hours).or_unknown()
    )
    return found


def _lent_usdc(daily: Series, hours: Hours) -> _Share:
    """Return aUSDC: an index that grows by the daily APY, from 1 at its first known day, whenever asked."""
    rates = [apr_of_apy(percent / 100.0) for percent in daily.column("aave_supply_apy_pct")]
    born_ns = daily.available_ns[0] if len(daily) else hours.start_ns
    earlier_h = max(0, (hours.start_ns - born_ns) // HOUR_NS)
    longer = Hours(start_ns=hours.start_ns - earlier_h * HOUR_NS, count=earlier_h + hours.count)
    known = track_of(daily, rates, longer)
    index = accrued_hourly(known)
    return _Share(
        price=Track(values=index.values[earlier_h:], fresh=index.fresh[earlier_h:]),
        rates=known.or_unknown()[earlier_h:],
    )


def _protocol_rate(series: Mapping[str, Series], symbol: str) -> Series:
    """Return what a staked token is worth in ETH: its oracle price over that of WETH at the same block."""
    staked, ether = series[f"aave_v3.{symbol}"], series["aave_v3.WETH"]
    price_of_ether = dict(zip(ether.event_ns, ether.column("oracle_price_usd"), strict=True))
    rows = [
        Row(event_time_ns=event_ns, available_at_ns=known_ns, values=(price / price_of_ether[event_ns],))
        for event_ns, known_ns, price in zip(
            staked.event_ns, staked.available_ns, staked.column("oracle_price_usd"), strict=True
        )
        if event_ns in price_of_ether
    ]
    return Series.of(f"rate.{symbol}", ("eth",), staked.max_age_h, rows)


def _depths(
    series: Mapping[str, Series], prices: Mapping[AssetId, Track], hours: Hours
) -> dict[ConversionId, list[float]]:
    """
    Return the depth of the USDC/USDT pool in USD, by the side that is sold.

    In-range liquidity L at price P (USDT per USDC) trades like reserves of L / sqrt(P) USDC and
    L x sqrt(P) USDT, in raw units of 6 decimals (Uniswap v3 white paper, 6.2.1). That holds within the
    tick in range, about 20 million dollars wide here. No liquidity in range is a depth of 0: nothing
    can be swapped.
    """
    liquidity = track(series["univ3.USDC_USDT"], "liquidity", hours).values
    price = track(series["univ3.USDC_USDT"], "usdc_price_usdt", hours).values
    roots = [sqrt(number) for number in price]
    usdc, usdt = prices[AssetId("USDC")].values, prices[AssetId("USDT")].values
    sides = {
        ConversionId("USDC>USDT@uniswap-v3"): (usdc, [1.0 / root for root in roots]),
        ConversionId("USDT>USDC@uniswap-v3"): (usdt, roots),
    }
    return {
        conversion: [
            units * shape / _STABLE_UNITS * usd
            for units, shape, usd in zip(liquidity, shapes, values, strict=True)
        ]
        for conversion, (values, shapes) in sides.items()
    }


def _capacities(
    series: Mapping[str, Series], prices: Mapping[AssetId, Track], hours: Hours
) -> dict[ConversionId, list[float]]:
    """Return what can be withdrawn from the Aave reserves in USD: what is supplied and not lent out."""
    found = {}
    for underlying in ("USDT", "WETH"):
        reserve = series[f"aave_v3.{underlying}"]
        supplied, lent_out = reserve.column("total_supplied"), reserve.column("utilization")
        idle = [total * max(0.0, 1.0 - used) for total, used in zip(supplied, lent_out, strict=True)]
        worth = track_of(reserve, idle, hours).times(prices[AssetId(underlying)])
        found[ConversionId(f"a{underlying}>{underlying}@aave-v3")] = worth.values
    return found


def _or_assumed(known: list[float] | None, assumed: float, hours: Hours) -> list[float]:
    """Return what the data say, and the assumption of the universe where they say nothing."""
    if known is None:
        return [assumed] * hours.count
    return [assumed if isnan(number) else number for number in known]


def _ticks(asset: Asset, usd: Track, hours: Hours, place: str) -> list[int]:
    """Return prices in ticks, rounded half to even, 0 while unknown."""
    scale = float(10**asset.tick_exponent)
    ticks = [0 if isnan(price) else round(price * scale) for price in usd.values]
    for time_ns, price, count in zip(hours.times_ns(), usd.values, ticks, strict=True):
        if not (isnan(price) or 1 <= count <= _TICKS_MAX):
            allowed = f"{1 / scale:g} to {_TICKS_MAX / scale:g}"
            raise DataError(
                f"{place}: {asset.id} comes to {price:g} USD at {utc_text(time_ns)}; allowed: {allowed}"
            )
    return ticks
