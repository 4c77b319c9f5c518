"""Hand-made and odd markets of the shipped universe, for tests that need features to look at."""

from math import inf, isnan, nan

import numpy as np

from treasury_actors.agents.model.family import Family
from treasury_actors.agents.model.view import View
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET

ASSETS = MAINNET.assets
NAMES = tuple(str(asset.id) for asset in ASSETS)
START_USD = {"WETH": 3000.0, "WBTC": 60_000.0, "LINK": 15.0, "ETH": 3000.0}
START_USD |= {"aWETH": 3020.0, "wstETH": 3500.0, "weETH": 3100.0}
HOUR_NS = 3_600_000_000_000

Series = dict[str, list[float]]


def frame(index: int, prices_usd: dict[str, float], rates: dict[str, float], stale: set[str]) -> MarketFrame:
    """Return a valid frame; an asset without a price, or with NaN, was never known."""
    known = {name: price for name, price in prices_usd.items() if not isnan(price)}
    count = len(MAINNET.conversions)
    return MarketFrame(
        index=index,
        time_ns=index * HOUR_NS,
        ticks=tuple(round(known[a.id] * 10**a.tick_exponent) if a.id in known else 0 for a in ASSETS),
        fresh=tuple(a.id in known and a.id not in stale for a in ASSETS),
        rates=tuple(rates.get(a.id, nan) for a in ASSETS),
        share_prices=tuple(1.0 for _ in ASSETS),
        depth_usd=(inf,) * count,
        capacity_usd=(inf,) * count,
        l1_gas_gwei=10.0,
        tbill_rate=0.05,
    )


def market(length: int, *, prices: Series | None = None, rates: Series | None = None) -> Features:
    """Return features of a market at rest but for the given series; a short one repeats its last."""
    features = Features(MAINNET)
    for hour in range(length):
        usd = {name: START_USD.get(name, 1.0) for name in NAMES}
        usd |= {name: series[min(hour, len(series) - 1)] for name, series in (prices or {}).items()}
        now = {name: series[min(hour, len(series) - 1)] for name, series in (rates or {}).items()}
        features.append(frame(hour, dict(usd), now, set()))
    return features


def odd_market(seed: int, length: int, after: Features | None = None) -> Features:
    """
    Return features of a random but valid market: trends, jumps, gaps, late listings, unknown rates.

    With `after`, the random frames follow its frames in the same features.
    """
    random = np.random.default_rng(seed)
    features = after or Features(MAINNET)
    usd = {name: START_USD.get(name, 1.0) for name in NAMES}
    shown: dict[str, float] = {
        asset.id: features.ticks[column][-1] / 10**asset.tick_exponent
        for column, asset in enumerate(ASSETS)
        if features.first_known[column] >= 0
    }
    volatile = random.uniform(0.0, 0.03, len(ASSETS))
    listed = random.choice([0, 0, 0, length // 4, length * 2], len(ASSETS))
    for hour in range(length):
        gaps, jumps = random.random(len(ASSETS)) < 0.05, random.random(len(ASSETS)) < 0.002
        draws, unknown = random.normal(0.0, 1.0, len(ASSETS)), random.random(len(ASSETS)) < 0.01
        for column, asset in enumerate(ASSETS):
            dollar = asset.id not in START_USD
            step = draws[column] * (0.0008 if dollar else volatile[column]) * (20.0 if jumps[column] else 1.0)
            usd[asset.id] *= max(0.3, 1.0 + step)
            if not gaps[column] and hour >= listed[column]:
                shown[asset.id] = usd[asset.id]
        stale = {name for column, name in enumerate(NAMES) if gaps[column] or hour < listed[column]}
        rates = {name: 0.04 + 0.02 * draws[c] for c, name in enumerate(NAMES) if not unknown[c]}
        features.append(frame(features.length, dict(shown), rates, stale))
    return features


def view_of(
    family: Family, features: Features, frame: int, weights: tuple[float, ...], end: int | None = None
) -> View:
    """Return what a strategy of a family sees when `end` frames are known (all, if not given)."""
    columns = tuple(MAINNET.column[asset] for asset in family.assets(MAINNET))
    return View(features, columns, features.length if end is None else end, frame, weights)


def ask(
    family: Family, genes: tuple[int, ...], features: Features, weights: tuple[float, ...] | None = None
) -> list[float]:
    """Return the answer of a newborn agent at the end of a market; it holds the reserve if not told."""
    slots = len(family.assets(MAINNET))
    view = view_of(family, features, 0, weights or (0.0,) * slots)
    return family.decide(family.state(), view, family.genome(*genes))[1]


def live_through(
    family: Family, genes: tuple[int, ...], features: Features, *, warmup: int, until: int
) -> list[tuple[tuple[float, ...], list[float]]]:
    """Return (state, answer) of every frame from `warmup` to `until`, each answer filled at once."""
    state, genome = family.state(), family.genome(*genes)
    weights = (0.0,) * len(family.assets(MAINNET))
    lived = []
    for end in range(warmup + 1, until + 1):
        view = view_of(family, features, end - 1 - warmup, weights, end)
        state, targets = family.decide(state, view, genome)
        weights = tuple(targets) or weights
        lived.append((tuple(state), targets))
    return lived
