"""
The embedded generated season: a world for a machine with no data, said to be GENERATED wherever it is shown.

`docs/generated-season.md` sets its statistics beside those of the real series it is calibrated to.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan

from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.model.generated_chance import Reverting, decay, growth, hourly_draws
from treasury_actors.market.model.generated_pegs import LASTING_SHARE, Pegs, generate_pegs
from treasury_actors.market.model.generated_prices import (
    CRASH,
    DRIFT_A_YEAR,
    REGIMES,
    RISKS,
    Moods,
    generate_prices,
)
from treasury_actors.market.model.generated_rates import POOLS, STAKED, VAULTS, Yields, generate_yields
from treasury_actors.market.model.season import ColumnSeason, SeasonColumns
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.money import Asset

MODEL_VERSION = 1
"""Raised by one whenever the same seed would give other numbers."""

START_NS = 978_307_200 * 10**9
"""2001-01-01 UTC: before any of these assets existed, so that no chart of it can pass for history."""

GAS_GWEI = 10.0
"""Middle of the gas price of the settlement chain; 2024's was 10.2."""

TBILL_RATE = 0.048

_GAS_STREAM, _DEPTH_STREAM, _TBILL_STREAM = 6, 7, 8
_GAS_LEAST_GWEI = 0.5
_HOURS_A_DAY = 24
_WETH, _WBTC, _ETH = AssetId("WETH"), AssetId("WBTC"), AssetId("ETH")
_DEPEG_UNIT = 0.01
_PLAIN = (*RISKS, AssetId("USDC"), AssetId("USDT"), _ETH)


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """What was generated, before it becomes the columns of a universe; `usd` prices what is no share."""

    seed: int
    hours: int
    moods: Moods
    pegs: Pegs
    usd: dict[AssetId, list[float]]
    yields: Yields


def generate_season(
    *, universe: Universe, seed: int, days: int, warmup_h: int, start_ns: int = START_NS
) -> ColumnSeason:
    """
    Return a season of hourly frames that depends on `seed` and `warmup_h` alone.

    The same arguments give the same bytes on every machine. A shorter season is the beginning of a longer
    one; another seed is another world; so is another `warmup_h`, because the world begins with its first
    warm-up frame. Every price is known and fresh in every frame, and there are no gaps.

    Args:
        universe: its assets and their share tokens must be among those the generator knows (`mainnet`).
        seed: names the world, >= 0.
        days: length of the season, >= 1.
        warmup_h: hours before frame 0, >= 0.
        start_ns: time of frame 0, a label only.

    Raises:
        ConfigError: an argument is out of range, or the universe holds an asset the generator does not know.
    """
    _check(universe, seed=seed, days=days, warmup_h=warmup_h)
    world = _world(seed, warmup_h + days * _HOURS_A_DAY, warmup_h)
    return ColumnSeason(
        _columns(universe, world),
        universe=universe,
        label="GENERATED",
        source=f"generated season, seed {seed}, model {MODEL_VERSION}: not market data",
        notes=_notes(world, warmup_h),
        start_ns=start_ns,
        warmup_count=warmup_h,
    )


def _check(universe: Universe, *, seed: int, days: int, warmup_h: int) -> None:
    """Raise ConfigError where a season can't be generated."""
    for name, value, least in (("seed", seed, 0), ("days", days, 1), ("warmup_h", warmup_h, 0)):
        if value < least:
            raise ConfigError(f"generated season: {name} is {value}, allowed is {least} and more")
    known = {**dict.fromkeys(_PLAIN), **{token: pool.underlying for token, pool in POOLS.items()}}
    known |= {token: POOLS[vault.pool].underlying for token, vault in VAULTS.items()}
    known |= dict.fromkeys(STAKED, _WETH)
    for asset in universe.assets:
        if asset.id not in known or asset.underlying != known[asset.id]:
            raise ConfigError(
                f"generated season: universe {universe.name} holds {asset.id}, allowed are {', '.join(known)}"
            )


def _world(seed: int, hours: int, warmup_h: int) -> _World:
    """Return the world of `seed`: prices first, then what follows their moods."""
    prices, moods = generate_prices(seed, hours)
    pegs = generate_pegs(seed, moods, warmup_h=warmup_h)
    return _World(
        seed=seed,
        hours=hours,
        moods=moods,
        pegs=pegs,
        usd={**prices, **pegs.usd, _ETH: prices[_WETH]},
        yields=generate_yields(seed, moods, pegs.depeg),
    )


def _columns(universe: Universe, world: _World) -> SeasonColumns:
    """Return the columns of a season in the order of its universe; what is no share has no rate: NaN."""
    hours = world.hours
    ones, unknown, fresh = [1.0] * hours, [nan] * hours, [True] * hours
    shares = [world.yields.share_prices.get(asset.id, ones) for asset in universe.assets]
    depth = _depth_factors(world)
    return SeasonColumns(
        ticks=[
            _ticks(asset, world.usd[asset.underlying or asset.id], share)
            for asset, share in zip(universe.assets, shares, strict=True)
        ],
        fresh=[fresh for _ in universe.assets],
        rates=[world.yields.rates.get(asset.id, unknown) for asset in universe.assets],
        share_prices=shares,
        depth_usd=[_depths(conversion, depth) for conversion in universe.conversions],
        capacity_usd=[_capacities(conversion, world) for conversion in universe.conversions],
        l1_gas_gwei=_gas(world),
        tbill_rate=_tbill(world),
    )


def _ticks(asset: Asset, usd: Sequence[float], shares: Sequence[float]) -> list[int]:
    """Return share price x price of the underlying in ticks, to the nearest, never 0."""
    scale = float(10**asset.tick_exponent)
    return [max(1, int(price * share * scale + 0.5)) for price, share in zip(usd, shares, strict=True)]


def _depth_factors(world: _World) -> Callable[[AssetId, AssetId], list[float]]:
    """Return depth / assumed depth of the pools of any two assets: shallow under stress and in a depeg."""
    normals, _ = hourly_draws(world.seed, _DEPTH_STREAM, world.hours, normals=1, uniforms=0)
    wander = Reverting(0.50, 10.0 * _HOURS_A_DAY)
    usual = [
        growth(wander.step(normal[0])) / (1.0 + 1.5 * stress)
        for normal, stress in zip(normals, world.moods.stress, strict=True)
    ]

    def factors(source: AssetId, target: AssetId) -> list[float]:
        found = usual
        for coin in (source, target):
            if coin in world.pegs.depeg:
                off = world.pegs.depeg[coin]
                found = [
                    factor / (1.0 + max(0.0, gap) / _DEPEG_UNIT)
                    for factor, gap in zip(found, off, strict=True)
                ]
        return found

    return factors


def _depths(conversion: Conversion, factors: Callable[[AssetId, AssetId], list[float]]) -> Sequence[float]:
    """Return the depth of a conversion in every hour, in USD; infinite stays infinite."""
    return [conversion.assumed_depth_usd * factor for factor in factors(conversion.source, conversion.target)]


def _capacities(conversion: Conversion, world: _World) -> Sequence[float]:
    """Return what a conversion can turn over in every hour: out of a pool or vault, what lies idle."""
    if conversion.source not in POOLS and conversion.source not in VAULTS:
        return [conversion.assumed_capacity_usd] * world.hours
    liquid, usd = world.yields.liquid[conversion.source], world.usd[conversion.target]
    return [tokens * price for tokens, price in zip(liquid, usd, strict=True)]


def _gas(world: _World) -> list[float]:
    """Return the gas price in gwei: its logarithm wanders; spikes come seldom, and often in a crash."""
    normals, uniforms = hourly_draws(world.seed, _GAS_STREAM, world.hours, normals=2, uniforms=2)
    slow, quick = Reverting(0.75, 20.0 * _HOURS_A_DAY), Reverting(0.48, 9.0)
    spike, fade = 0.0, decay(1.5)
    found = []
    for normal, (strike, size), regime in zip(normals, uniforms, world.moods.regime, strict=True):
        usual = GAS_GWEI * growth(slow.step(normal[0]) + quick.step(normal[1]))
        found.append(max(_GAS_LEAST_GWEI, usual) * (1.0 + spike))
        spike -= spike * fade
        mean_h, most = (20.0, 30.0) if regime == CRASH else (9.0 * _HOURS_A_DAY, 6.0)
        if strike * mean_h < 1.0:
            spike = max(spike, 2.0 + (most - 2.0) * size * size)
    return found


def _tbill(world: _World) -> list[float]:
    """Return the yield of a 6-month treasury bill, which hardly moves."""
    normals, _ = hourly_draws(world.seed, _TBILL_STREAM, world.hours, normals=1, uniforms=0)
    level = Reverting(0.0025, 60.0 * _HOURS_A_DAY)
    return [max(0.0, TBILL_RATE + level.step(normal[0])) for normal in normals]


def _notes(world: _World, warmup_h: int) -> tuple[str, ...]:
    """Return what a reader of a result on this season has to know, one sentence each."""
    season = world.moods.regime[warmup_h:]
    shares = ", ".join(
        f"{regime.name} {100 * season.count(number) // len(season)}%" for number, regime in enumerate(REGIMES)
    )
    depegs = [
        f"{coin} {max(off[warmup_h:]) * 100.0:.1f}%"
        for coin, off in world.pegs.depeg.items()
        if max(off[warmup_h:]) > _DEPEG_UNIT
    ]
    return (
        "Every number is generated: it can show that strategies and books work, never that they earn.",
        f"Hours spent in regimes: {shares}.",
        f"Expected gain of WETH, WBTC and LINK alike is {DRIFT_A_YEAR:.0%} a year; only regimes persist.",
        f"Depegs in this season: {', '.join(depegs) or 'none'}.",
        f"USDC always comes back, USDT in {1.0 - LASTING_SHARE:.1%} of cases: who buys a fall is flattered.",
        f"Gas price around {GAS_GWEI:.0f} gwei, treasury bill around {TBILL_RATE:.1%}; no series has gaps.",
        "Pool depths are those the universe assumes, less under stress; a lender pays out what lies idle.",
    )
