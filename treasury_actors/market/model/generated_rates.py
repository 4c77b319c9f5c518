"""
What the share tokens of a generated season earn, and what is left to withdraw.

A lending pool: utilisation U reverts to a level that follows the market's wish to borrow; the borrow rate
is `slope U / kink` up to the kink and `slope + steep (U - kink) / (1 - kink)` above it; suppliers get
`borrow rate x U x (1 - reserve factor)` (Aave V3's interest rate strategy). The slope itself follows the
wish to borrow over weeks, as governance moved it in 2024. A vault pays the lagged rate of the pool it
lends like, plus a spread. Staked ETH pays a slow rate and trades at a discount to its protocol rate that
widens under stress. A share price earns over [t, t + 1 h) the rate that is shown at t.
"""

from dataclasses import dataclass

from treasury_actors.ids import AssetId
from treasury_actors.market.model.generated_chance import Reverting, decay, growth, hourly_draws
from treasury_actors.market.model.generated_prices import HOURS_A_YEAR, Moods

_LENDING_STREAM, _VAULT_STREAM, _STAKING_STREAM = 3, 4, 5
_LOWEST_USE, _HIGHEST_USE = 0.35, 0.998


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """
    A lending pool.

    Attributes:
        use: utilisation it reverts to in a calm market; a bull market adds `use_by_demand`, a bear takes it.
        use_sd: spread of its own slow wandering; `stress_use` is added in a crash.
        slope: borrow rate at the kink in a calm market; a bull market adds `slope_by_demand`.
        steep: what the borrow rate adds between the kink and full use.
        reserve: share of the interest that the protocol keeps.
        supplied: tokens supplied; they wander by about 15% of it.
        start: share price in the first frame.
    """

    underlying: AssetId
    use: float
    use_by_demand: float
    use_sd: float
    stress_use: float
    slope: float
    slope_by_demand: float
    kink: float
    steep: float
    reserve: float
    supplied: float
    start: float


POOLS = {
    AssetId("aUSDC"): Pool(
        underlying=AssetId("USDC"),
        use=0.850,
        use_by_demand=0.045,
        use_sd=0.035,
        stress_use=0.0,
        slope=0.062,
        slope_by_demand=0.030,
        kink=0.92,
        steep=0.60,
        reserve=0.10,
        supplied=1.0e9,
        start=1.08,
    ),
    AssetId("aUSDT"): Pool(
        underlying=AssetId("USDT"),
        use=0.845,
        use_by_demand=0.045,
        use_sd=0.040,
        stress_use=0.0,
        slope=0.062,
        slope_by_demand=0.030,
        kink=0.92,
        steep=0.75,
        reserve=0.10,
        supplied=1.3e9,
        start=1.06,
    ),
    AssetId("aWETH"): Pool(
        underlying=AssetId("WETH"),
        use=0.81,
        use_by_demand=0.015,
        use_sd=0.045,
        stress_use=0.02,
        slope=0.0265,
        slope_by_demand=0.0,
        kink=0.90,
        steep=0.80,
        reserve=0.15,
        supplied=0.8e6,
        start=1.02,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """A vault that lends like a pool: its rate lags by `lag_h` and differs by `spread` +- `sd`."""

    pool: AssetId
    lag_h: float
    spread: float
    sd: float
    assets: float
    start: float


VAULTS = {
    AssetId("steakUSDC"): Vault(
        pool=AssetId("aUSDC"), lag_h=30.0, spread=0.002, sd=0.012, assets=39e6, start=1.05
    ),
    AssetId("fUSDC"): Vault(
        pool=AssetId("aUSDC"), lag_h=12.0, spread=0.008, sd=0.015, assets=67e6, start=1.07
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Staked:
    """Staked ETH: yearly rate, and the factor by which its discount moves with the common one."""

    rate: float
    discount: float
    start: float


STAKED = {
    AssetId("wstETH"): Staked(rate=0.0305, discount=1.0, start=1.16),
    AssetId("weETH"): Staked(rate=0.0290, discount=1.6, start=1.04),
}
DISCOUNT_BPS, DISCOUNT_SD_BPS = 5.0, 3.0
STRESS_DISCOUNT_BPS = 60.0
RUN_A_HOUR = 1.0 / (3.0 * HOURS_A_YEAR)
"""Hazard of a rush out of staked ETH: one in three years."""

RUN_LEAST, RUN_SPAN = 0.015, 0.045
_RUN_HALF_LIFE_H = 16.0 * 24
_RUN_RISE_H = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Yields:
    """Per share token, one number an hour: rate, share price, utilisation, tokens free to withdraw."""

    rates: dict[AssetId, list[float]]
    share_prices: dict[AssetId, list[float]]
    use: dict[AssetId, list[float]]
    liquid: dict[AssetId, list[float]]

    def add(self, token: AssetId) -> None:
        """Begin the columns of a token."""
        for columns in (self.rates, self.share_prices, self.use, self.liquid):
            columns[token] = []


def supply_rate(pool: Pool, use: float, slope: float) -> float:
    """Return the yearly supply rate at utilisation `use` (0 to 1) if borrowing costs `slope` at the kink."""
    if use <= pool.kink:
        borrow = slope * use / pool.kink
    else:
        borrow = slope + pool.steep * (use - pool.kink) / (1.0 - pool.kink)
    return borrow * use * (1.0 - pool.reserve)


def generate_yields(seed: int, moods: Moods, depeg: dict[AssetId, list[float]]) -> Yields:
    """Return what every share token earns under `moods`; `depeg` says how far a coin is off its peg."""
    found = Yields(rates={}, share_prices={}, use={}, liquid={})
    steady = [0.0] * len(moods.stress)
    for token, pool in POOLS.items():
        _lend(seed, token, moods, depeg.get(pool.underlying, steady), found)
    for number, token in enumerate(VAULTS):
        _deposit(seed, number, token, found)
    _stake(seed, moods, found)
    return found


def _lend(seed: int, token: AssetId, moods: Moods, off_peg: list[float], found: Yields) -> None:
    """Add the columns of a lending pool; while a coin loses its peg, little of it is left to withdraw."""
    pool, hours = POOLS[token], len(moods.stress)
    shared, _ = hourly_draws(seed, _LENDING_STREAM, hours, normals=1, uniforms=0)
    own_stream = _LENDING_STREAM * 100 + list(POOLS).index(token)
    normals, _ = hourly_draws(seed, own_stream, hours, normals=4, uniforms=0)
    common, own = Reverting(0.5 * pool.use_sd, 12.0 * 24), Reverting(0.8 * pool.use_sd, 14.0 * 24)
    quick, size = Reverting(0.015, 9.0), Reverting(0.15, 40.0 * 24)
    policy = Reverting(0.15 * pool.slope, 25.0 * 24)
    found.add(token)
    steer, repay, slope = decay(20.0 * 24), decay(5.0), pool.slope
    share, over, used_to, calm_down = pool.start, 0.0, 0.0, decay(5.0 * 24)
    for hour, (both, normal) in enumerate(zip(shared, normals, strict=True)):
        demand, stress = moods.demand[hour], moods.stress[hour]
        level = pool.use + pool.use_by_demand * demand + pool.stress_use * stress
        level += common.step(both[0]) + own.step(normal[0]) + quick.step(normal[1])
        used_to += (off_peg[hour] - used_to) * calm_down
        level += min(0.12, 3.0 * max(0.0, off_peg[hour] - used_to))
        over += max(0.0, level - pool.kink) * repay - over * repay
        use = max(_LOWEST_USE, min(_HIGHEST_USE, level - 0.85 * over))
        slope += (pool.slope + pool.slope_by_demand * demand - slope) * steer
        rate = supply_rate(pool, use, max(0.01, slope + policy.step(normal[3])))
        found.rates[token].append(rate)
        found.share_prices[token].append(share)
        found.use[token].append(use)
        found.liquid[token].append(pool.supplied * growth(size.step(normal[2])) * (1.0 - use))
        share *= 1.0 + rate / HOURS_A_YEAR


def _deposit(seed: int, number: int, token: AssetId, found: Yields) -> None:
    """Add the columns of a vault; it is as illiquid as the pool it lends like, some hours later."""
    vault = VAULTS[token]
    rates, uses = found.rates[vault.pool], found.use[vault.pool]
    normals, _ = hourly_draws(seed, _VAULT_STREAM * 100 + number, len(rates), normals=1, uniforms=0)
    spread, follow = Reverting(vault.sd, 6.0 * 24), decay(vault.lag_h)
    lagged, use, share = rates[0], uses[0], vault.start
    found.add(token)
    for normal, pool_rate, pool_use in zip(normals, rates, uses, strict=True):
        lagged += (pool_rate - lagged) * follow
        use += (pool_use - use) * follow
        rate = max(0.001, lagged + vault.spread + spread.step(normal[0]))
        found.rates[token].append(rate)
        found.share_prices[token].append(share)
        found.use[token].append(use)
        found.liquid[token].append(vault.assets * (1.0 - use))
        share *= 1.0 + rate / HOURS_A_YEAR


def _stake(seed: int, moods: Moods, found: Yields) -> None:
    """Add the columns of staked ETH: protocol rate less the discount of the market."""
    hours = len(moods.stress)
    normals, uniforms = hourly_draws(seed, _STAKING_STREAM, hours, normals=1 + 2 * len(STAKED), uniforms=2)
    slow = Reverting(0.0022, 20.0 * 24)
    noises = [Reverting(DISCOUNT_SD_BPS, 18.0) for _ in STAKED]
    wobbles = [Reverting(0.0004, 48.0) for _ in STAKED]
    protocol = [staked.start for staked in STAKED.values()]
    run, goal, rise, back = 0.0, 0.0, decay(_RUN_RISE_H), decay(_RUN_HALF_LIFE_H)
    for token in STAKED:
        found.add(token)
    for normal, (strike, depth), stress in zip(normals, uniforms, moods.stress, strict=True):
        level = slow.step(normal[0])
        for number, (token, staked) in enumerate(STAKED.items()):
            noise_bps = noises[number].step(normal[1 + 2 * number])
            usual_bps = DISCOUNT_BPS + noise_bps + STRESS_DISCOUNT_BPS * stress * stress
            discount = staked.discount * (max(0.0, usual_bps) * 1e-4 + run)
            rate = max(0.005, staked.rate + level + wobbles[number].step(normal[2 + 2 * number]))
            found.rates[token].append(rate)
            found.share_prices[token].append(protocol[number] * (1.0 - discount))
            found.use[token].append(0.0)
            found.liquid[token].append(0.0)
            protocol[number] *= 1.0 + rate / HOURS_A_YEAR
        if strike < RUN_A_HOUR:
            goal = RUN_LEAST + RUN_SPAN * depth
        run += (goal - run) * rise
        goal -= goal * back
