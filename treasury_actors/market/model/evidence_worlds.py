"""
Two worlds whose truth is known, to try a search on before it is believed: one with an edge, one without.

Both have the same coins, lending and costs. The positive world has two edges. A hidden regime, up or down for
a hundred days on average, gives every coin a drift of one sign: real, but years are needed to see it. And
USDT wanders around its peg and comes back: small, frequent, worth having only with thresholds that fit its
size and with costs counted (it stands where other studies have the funding of perpetuals, which are not
traded here). In the null world neither is there: nothing that trades can gain on lending but by luck, so
what a search finds there is what it would find anywhere.

Nothing here is calibrated to a market, and no figure made in these worlds says what a strategy earns.
"""

from dataclasses import dataclass
from math import nan, sqrt

from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.model.features import HOURS_A_YEAR
from treasury_actors.market.model.generated_chance import Reverting, hourly_draws, total
from treasury_actors.market.model.season import ColumnSeason, SeasonColumns
from treasury_actors.market.model.universe import Universe

WORLD_VERSION = 1
"""Raised by one whenever the same seed would give other numbers."""

START_NS = 978_307_200 * 10**9
"""2001-01-01 UTC: before any of these assets existed."""

GAS_GWEI = 10.0
TBILL_RATE = 0.048
_HOURS_A_DAY = 24
_FREEDOM = 4
_LOWEST_RETURN = -0.5
_REGIME_STREAM, _NOISE_STREAM, _RATE_STREAM, _PEG_STREAM = 901, 902, 903, 904


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """
    A coin of a world.

    Attributes:
        volatility: a year; `load`: correlation with what moves all coins.
    """

    start_usd: float
    volatility: float
    load: float


COINS = {
    AssetId("WETH"): Coin(start_usd=3_000.0, volatility=0.75, load=0.90),
    AssetId("WBTC"): Coin(start_usd=60_000.0, volatility=0.55, load=0.90),
    AssetId("LINK"): Coin(start_usd=15.0, volatility=0.95, load=0.80),
}
LENT_RATES = {
    AssetId("aUSDC"): 0.0600,
    AssetId("aUSDT"): 0.0560,
    AssetId("steakUSDC"): 0.0540,
    AssetId("fUSDC"): 0.0520,
}
"""What lending pays a year on average: rates wander by `RATE_SD` around it."""

STAKED_RATES = {AssetId("aWETH"): 0.020, AssetId("wstETH"): 0.030, AssetId("weETH"): 0.029}
RATE_SD, RATE_HALF_LIFE_H = 0.003, 14.0 * _HOURS_A_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """
    What tells one world from another.

    Attributes:
        name: `positive` or `null`.
        drift_a_year: expected gain of WETH a year in the up regime, its loss in the down regime; another
            coin has as much a unit of volatility.
        peg_sd_bps: how far USDT stands off its peg, one standard deviation; `peg_half_life_h`: how long half
            of that takes to go.
        regime_mean_d: how many days a regime lasts on average.
    """

    name: str
    drift_a_year: float
    peg_sd_bps: float
    peg_half_life_h: float = 8.0
    regime_mean_d: float = 100.0


def generate_world(world: World, *, universe: Universe, seed: int, days: int, warmup_h: int) -> ColumnSeason:
    """
    Return a season of a world that depends on `world`, `seed`, `warmup_h` and no clock.

    A shorter season is the beginning of a longer one. Prices are always fresh.

    Raises:
        ConfigError: the universe holds an asset the worlds do not know.
    """
    hours = warmup_h + days * _HOURS_A_DAY + 1  # the last day has its close, too
    usd = _coin_prices(world, seed, hours)
    usd[AssetId("ETH")] = usd[AssetId("WETH")]
    usd[AssetId("USDC")] = [1.0] * hours
    usd[AssetId("USDT")] = _wandering_peg(world, seed, hours)
    rates, shares = _rates(seed, hours)
    for asset in universe.assets:
        if (asset.underlying or asset.id) not in usd or (asset.underlying and asset.id not in shares):
            raise ConfigError(f"world {world.name}: universe {universe.name} holds {asset.id}, unknown here")
    ones, unknown, fresh = [1.0] * hours, [nan] * hours, [True] * hours
    columns = SeasonColumns(
        ticks=[
            [
                max(1, int(price * share * 10.0**asset.tick_exponent + 0.5))
                for price, share in zip(
                    usd[asset.underlying or asset.id], shares.get(asset.id, ones), strict=True
                )
            ]
            for asset in universe.assets
        ],
        fresh=[fresh for _ in universe.assets],
        rates=[rates.get(asset.id, unknown) for asset in universe.assets],
        share_prices=[shares.get(asset.id, ones) for asset in universe.assets],
        depth_usd=[[step.assumed_depth_usd] * hours for step in universe.conversions],
        capacity_usd=[[step.assumed_capacity_usd] * hours for step in universe.conversions],
        l1_gas_gwei=[GAS_GWEI] * hours,
        tbill_rate=[TBILL_RATE] * hours,
    )
    return ColumnSeason(
        columns,
        universe=universe,
        label="GENERATED",
        source=f"{world.name} world, seed {seed}, version {WORLD_VERSION}: not market data",
        notes=(
            "Every number is generated: it shows what a search can find, never what a strategy earns.",
            f"Regimes of {world.regime_mean_d:.0f} days, drift {world.drift_a_year:.0%} a year either way.",
            f"USDT stands {world.peg_sd_bps:.0f} bps off its peg as a rule.",
        ),
        start_ns=START_NS,
        warmup_count=warmup_h,
    )


def _coin_prices(world: World, seed: int, hours: int) -> dict[AssetId, list[float]]:
    """Return the price of every coin: drift of the regime, and noise of Student's t with four degrees."""
    _, leaves = hourly_draws(seed, _REGIME_STREAM, hours, normals=0, uniforms=1)
    normals, _ = hourly_draws(seed, _NOISE_STREAM, hours, normals=1 + len(COINS) + _FREEDOM, uniforms=0)
    first_chi = 1 + len(COINS)
    coins = [
        (coin.load, sqrt(1.0 - coin.load * coin.load), coin.volatility / sqrt(HOURS_A_YEAR))
        for coin in COINS.values()
    ]
    unit = COINS[AssetId("WETH")].volatility
    drifts = [world.drift_a_year * coin.volatility / unit / HOURS_A_YEAR for coin in COINS.values()]
    now = [coin.start_usd for coin in COINS.values()]
    columns: list[list[float]] = [[] for _ in COINS]
    sign, mean_h = (1.0 if leaves[0][0] < 0.5 else -1.0), world.regime_mean_d * _HOURS_A_DAY  # noqa: PLR2004
    for normal, (leave,) in zip(normals, leaves, strict=True):
        for column, price in zip(columns, now, strict=True):
            column.append(price)
        # Variance of t4 is 2, so sqrt(2 / chi2) has the noise at one.
        spread = sqrt(2.0 / total(draw * draw for draw in normal[first_chi:]))
        for number, (load, rest, hourly) in enumerate(coins):
            shock = hourly * spread * (load * normal[0] + rest * normal[1 + number])
            now[number] *= 1.0 + max(_LOWEST_RETURN, sign * drifts[number] + shock)
        if leave * mean_h < 1.0:
            sign = -sign
    return dict(zip(COINS, columns, strict=True))


def _wandering_peg(world: World, seed: int, hours: int) -> list[float]:
    """Return the price of USDT: an Ornstein-Uhlenbeck process around a dollar."""
    normals, _ = hourly_draws(seed, _PEG_STREAM, hours, normals=1, uniforms=0)
    gap = Reverting(world.peg_sd_bps * 1e-4, world.peg_half_life_h)
    return [1.0 + gap.step(normal) for (normal,) in normals]


def _rates(seed: int, hours: int) -> tuple[dict[AssetId, list[float]], dict[AssetId, list[float]]]:
    """Return rate and price of every share token, by hour; a share earns the rate that is shown."""
    means = {**LENT_RATES, **STAKED_RATES}
    normals, _ = hourly_draws(seed, _RATE_STREAM, hours, normals=len(means), uniforms=0)
    rates: dict[AssetId, list[float]] = {}
    shares: dict[AssetId, list[float]] = {}
    for number, (asset, middle) in enumerate(means.items()):
        level, share = Reverting(RATE_SD, RATE_HALF_LIFE_H), 1.0
        rates[asset], shares[asset] = [], []
        for normal in normals:
            rate = max(0.0, middle + level.step(normal[number]))
            rates[asset].append(rate)
            shares[asset].append(share)
            share *= 1.0 + rate / HOURS_A_YEAR
    return rates, shares
