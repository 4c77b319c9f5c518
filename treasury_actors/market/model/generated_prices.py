"""
Prices of a generated season: regimes, volatility that clusters, fat tails, jumps, one common factor.

The hourly return of asset i is `drift + volatility_i x clustering x (load_i z_common + rest_i z_i) / spread +
jump`, where `spread` is a chi draw shared by all three assets (a multivariate Student t: they fall together)
and `clustering` the product of two mean-reverting log levels and the regime's factor. A price is the one
before it x (1 + return). All that can be foreseen is the regime: returns have no autocorrelation of their
own, and the drifts and jumps of the regimes are balanced so that every asset gains the same
`DRIFT_A_YEAR` in the long run: none is the better one to hold, and rebalancing them earns nothing. That
gain is paid in proportion to the volatility of the hour, so that timing volatility earns nothing either.
"""

from dataclasses import dataclass
from math import sqrt

from treasury_actors.ids import AssetId
from treasury_actors.market.model.generated_chance import Reverting, decay, growth, hourly_draws, total

HOURS_A_YEAR = 8760.0
DRIFT_A_YEAR = 0.20
"""Expected simple return of every asset, under half of what 2021-24 brought the worst of the three."""

FREEDOM = 6
"""Degrees of freedom of the Student t."""

_STREAM = 1
_LOWEST_RETURN = -0.35
_FAST_SD, _FAST_HALF_LIFE_H = 0.34, 14.0
_SLOW_SD, _SLOW_HALF_LIFE_H = 0.38, 20.0 * 24
_SHIFT = _FAST_SD * _FAST_SD + _SLOW_SD * _SLOW_SD
_MEAN_CLUSTER = 0.73  # measured over 400 seasons
_JUMP_LEAST, _JUMP_SPAN = 0.010, 0.035
_STRESS_RISE_H, _STRESS_FALL_H = 6.0, 36.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """
    A state of the market.

    Attributes:
        mean_h: how long it lasts on average, in hours (it may end at any hour, memoryless).
        successors: probability of each regime to follow, in the order of `REGIMES`; own place 0.
        drift_a_year: what it adds to the yearly drift, for an asset of beta 1, jumps not counted.
        volatility: factor on volatility.
        jump_mean_h: mean hours between jumps.
        jump_down: probability that a jump falls.
        demand: how far it moves the wish to borrow: 1 in a bull market, -1 in a bear market.
    """

    name: str
    mean_h: float
    successors: tuple[float, ...]
    drift_a_year: float
    volatility: float
    jump_mean_h: float
    jump_down: float
    demand: float


REGIMES = (
    Regime(
        name="calm",
        mean_h=20.0 * 24,
        successors=(0.0, 0.45, 0.45, 0.10),
        drift_a_year=0.0,
        volatility=0.72,
        jump_mean_h=20.0 * 24,
        jump_down=0.5,
        demand=0.0,
    ),
    Regime(
        name="bull",
        mean_h=28.0 * 24,
        successors=(0.60, 0.0, 0.15, 0.25),
        drift_a_year=1.20,
        volatility=0.92,
        jump_mean_h=15.0 * 24,
        jump_down=0.5,
        demand=1.0,
    ),
    Regime(
        name="bear",
        mean_h=24.0 * 24,
        successors=(0.60, 0.20, 0.0, 0.20),
        drift_a_year=-0.75,
        volatility=0.95,
        jump_mean_h=15.0 * 24,
        jump_down=0.5,
        demand=-1.0,
    ),
    Regime(
        name="crash",
        mean_h=2.5 * 24,
        successors=(0.30, 0.25, 0.45, 0.0),
        drift_a_year=-1.5,
        volatility=2.1,
        jump_mean_h=16.0,
        jump_down=0.55,
        demand=0.0,
    ),
)
CRASH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """How one asset moves: its price in the first frame, yearly volatility, share in the common factor."""

    start_usd: float
    volatility: float
    load: float
    beta: float


RISKS = {
    AssetId("WETH"): Risk(start_usd=3_000.0, volatility=0.89, load=0.968, beta=1.0),
    AssetId("WBTC"): Risk(start_usd=60_000.0, volatility=0.70, load=0.868, beta=0.75),
    AssetId("LINK"): Risk(start_usd=15.0, volatility=1.17, load=0.795, beta=1.15),
}
"""Calibrated to hourly closes 2021-2024; docs/generated-season.md has the figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moods:
    """What the other series take from the market, one number an hour."""

    regime: list[int]
    stress: list[float]
    demand: list[float]


def balance_a_year() -> float:
    """Return the mean over time of the regimes' drifts and jumps, a year, for an asset of beta 1."""
    visits = [1.0 / len(REGIMES)] * len(REGIMES)
    for _ in range(400):  # halfway steps towards the stationary visits: they converge for any chain
        entries = [
            total(visit * regime.successors[entered] for visit, regime in zip(visits, REGIMES, strict=True))
            for entered in range(len(REGIMES))
        ]
        visits = [(visit + entry) / 2.0 for visit, entry in zip(visits, entries, strict=True)]
    spent_h = [visit * regime.mean_h for visit, regime in zip(visits, REGIMES, strict=True)]
    jump = _JUMP_LEAST + _JUMP_SPAN / 2.0
    gains = (
        hours
        * (regime.drift_a_year + HOURS_A_YEAR / regime.jump_mean_h * (1.0 - 2.0 * regime.jump_down) * jump)
        for hours, regime in zip(spent_h, REGIMES, strict=True)
    )
    return total(gains) / total(spent_h)


def next_regime(now: int, leave: float, pick: float) -> int:
    """Return the regime of the next hour from two uniform draws."""
    regime = REGIMES[now]
    if leave * regime.mean_h >= 1.0:
        return now
    for entered, probability in enumerate(regime.successors):
        pick -= probability
        if pick < 0.0:
            return entered
    return now


def generate_prices(seed: int, hours: int) -> tuple[dict[AssetId, list[float]], Moods]:
    """Return the USD price of WETH, WBTC and LINK in every hour, and the mood of the market beside it."""
    normals, uniforms = hourly_draws(seed, _STREAM, hours, normals=3 + len(RISKS) + FREEDOM, uniforms=5)
    offset = -balance_a_year()
    fast, slow = Reverting(_FAST_SD, _FAST_HALF_LIFE_H), Reverting(_SLOW_SD, _SLOW_HALF_LIFE_H)
    first_own = 3
    first_chi = first_own + len(RISKS)
    assets = [
        (risk, sqrt(1.0 - risk.load * risk.load), risk.volatility / sqrt(HOURS_A_YEAR))
        for risk in RISKS.values()
    ]
    now = [risk.start_usd for risk in RISKS.values()]
    columns: list[list[float]] = [[] for _ in RISKS]
    moods = Moods(regime=[], stress=[], demand=[])
    regime, stress, demand = 0, 0.0, 0.0
    rise, fall, follow = decay(_STRESS_RISE_H), decay(_STRESS_FALL_H), decay(5.0 * 24)
    for normal, (leave, pick, jump, size, down) in zip(normals, uniforms, strict=True):
        for column, price in zip(columns, now, strict=True):
            column.append(price)
        moods.regime.append(regime)
        moods.stress.append(stress)
        moods.demand.append(demand)
        mood = REGIMES[regime]
        spread = sqrt(total(draw * draw for draw in normal[first_chi:]) / (FREEDOM - 2))
        cluster = growth(fast.step(normal[0]) + slow.step(normal[1]) - _SHIFT) * mood.volatility / spread
        leap = 0.0
        if jump * mood.jump_mean_h < 1.0:
            leap = (_JUMP_LEAST + _JUMP_SPAN * size) * (-1.0 if down < mood.jump_down else 1.0)
        premium = DRIFT_A_YEAR / HOURS_A_YEAR * cluster / _MEAN_CLUSTER
        common = (offset + mood.drift_a_year) / HOURS_A_YEAR + leap
        for number, (risk, rest, hourly) in enumerate(assets):
            shock = hourly * cluster * (risk.load * normal[2] + rest * normal[first_own + number])
            change = premium + risk.beta * common + shock
            now[number] *= 1.0 + max(_LOWEST_RETURN, change)
        regime = next_regime(regime, leave, pick)
        target = 1.0 if regime == CRASH else 0.0
        stress += (target - stress) * (rise if target > stress else fall)
        demand += (REGIMES[regime].demand - demand) * follow
    return dict(zip(RISKS, columns, strict=True)), moods
