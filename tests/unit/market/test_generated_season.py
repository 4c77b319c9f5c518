"""The generated season: the same bytes for the same seed, fair, and like the market it is calibrated to."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId, ConversionId
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.generated_chance import hourly_draws
from treasury_actors.market.model.generated_pegs import generate_pegs
from treasury_actors.market.model.generated_prices import (
    REGIMES,
    Moods,
    balance_a_year,
    generate_prices,
    next_regime,
)
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.money import Asset

ROOT = Path(__file__).parents[3]
SEEDS = range(6)
DAYS = 180
WARMUP_H = 480
HOURS = DAYS * 24
LENDING = [AssetId(name) for name in ("aUSDC", "aUSDT", "aWETH", "steakUSDC", "fUSDC")]
Floats = NDArray[np.float64]


@cache
def season(seed: int) -> ColumnSeason:
    return generate_season(universe=MAINNET, seed=seed, days=DAYS, warmup_h=WARMUP_H)


@cache
def prices(seed: int) -> dict[str, Floats]:
    found, _ = generate_prices(seed, 2880 + HOURS)
    return {str(asset): np.array(usd)[2880:] for asset, usd in found.items()}


def returns(name: str, step_h: int = 1) -> Floats:
    """Return log returns over `step_h` hours, of all seeds."""
    return np.concatenate([np.diff(np.log(prices(seed)[name][::step_h])) for seed in SEEDS])


def column(seed: int, table: str, asset: AssetId) -> Floats:
    return np.array(getattr(season(seed).columns, table)[MAINNET.column[asset]])


def excess_kurtosis(values: Floats) -> float:
    centred = values - values.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2 - 3.0)


def test_same_seed_gives_the_same_bytes() -> None:
    again = generate_season(universe=MAINNET, seed=0, days=DAYS, warmup_h=WARMUP_H)

    assert again.data_hash == season(0).data_hash


def test_same_seed_gives_the_same_bytes_in_a_process_with_another_hash_seed() -> None:
    program = (
        "from treasury_actors.market.adapters.generated import generate_season as g\n"
        "from treasury_actors.market.model.shipped import MAINNET\n"
        "print(g(universe=MAINNET, seed=7, days=20, warmup_h=48).data_hash)"
    )

    hashes = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    ]

    here = generate_season(universe=MAINNET, seed=7, days=20, warmup_h=48).data_hash
    assert hashes == [here, here]


def test_numbers_of_seed_seven_are_those_of_every_machine_so_far() -> None:
    """If a change is meant to alter the numbers, raise MODEL_VERSION and put the new hash here."""
    found = generate_season(universe=MAINNET, seed=7, days=20, warmup_h=48)

    assert found.data_hash == "5230f2783b5ad764047f7c31574ff63b650ead32eede6c8bb21275389ab77214"


def test_every_seed_is_another_world() -> None:
    assert len({season(seed).data_hash for seed in SEEDS}) == len(SEEDS)


def test_it_is_labelled_generated_and_names_its_seed() -> None:
    made: Season = season(3)

    assert made.label == "GENERATED"
    assert "seed 3" in made.source
    assert "generated" in made.source
    assert any("never that they earn" in note for note in season(3).notes)


def test_frames_are_hourly_and_counted_from_the_season() -> None:
    made = generate_season(universe=MAINNET, seed=1, days=2, warmup_h=5, start_ns=0)

    assert (made.warmup_count, made.frame_count) == (5, 48)
    assert made.frame(0).time_ns == 0
    assert made.frame(-5).time_ns == -5 * 3600 * 10**9


@pytest.mark.parametrize(("key", "value"), [("seed", -1), ("days", 0), ("warmup_h", -1)])
def test_an_argument_out_of_range_is_a_config_error_that_names_it(key: str, value: int) -> None:
    arguments = {"seed": 1, "days": 1, "warmup_h": 0, key: value}

    with pytest.raises(ConfigError, match=key):
        generate_season(universe=MAINNET, **arguments)


def test_an_unknown_asset_is_a_config_error_that_names_it() -> None:
    doge = Asset(id=AssetId("DOGE"), decimals=8, tick_exponent=10)
    odd = replace(MAINNET, assets=(*MAINNET.assets, doge))

    with pytest.raises(ConfigError, match="DOGE"):
        generate_season(universe=odd, seed=1, days=1, warmup_h=0)


def test_every_price_is_positive_and_fresh_from_the_first_warmup_frame() -> None:
    made = season(2)

    for frame in (made.frame(-WARMUP_H), made.frame(-1), made.frame(0), made.frame(HOURS - 1)):
        assert min(frame.ticks) > 0
        assert all(frame.fresh)


def test_ticks_are_share_price_times_price_of_the_underlying() -> None:
    for asset in MAINNET.assets:
        if asset.underlying is not None:
            base = MAINNET.by_id[asset.underlying]
            whole = column(4, "ticks", base.id) * 10.0 ** (asset.tick_exponent - base.tick_exponent)
            expected = whole * column(4, "share_prices", asset.id)
            assert np.allclose(column(4, "ticks", asset.id), expected, rtol=1e-8)


def test_a_lending_share_earns_over_the_next_hour_the_rate_shown_now() -> None:
    for token in LENDING:
        shares, rates = column(1, "share_prices", token), column(1, "rates", token)
        assert np.allclose(shares[1:], shares[:-1] * (1.0 + rates[:-1] / 8760.0), rtol=1e-14)


def test_a_share_of_a_lender_never_falls() -> None:
    for seed in SEEDS:
        for token in LENDING:
            assert (np.diff(column(seed, "share_prices", token)) > 0).all()


def test_what_is_no_share_has_no_rate() -> None:
    assert np.isnan(column(0, "rates", AssetId("WETH"))).all()
    assert (column(0, "share_prices", AssetId("WETH")) == 1.0).all()


@pytest.mark.parametrize(
    ("name", "low", "high"), [("WETH", 0.65, 1.0), ("WBTC", 0.50, 0.80), ("LINK", 0.85, 1.3)]
)
def test_volatility_lies_in_the_measured_band(name: str, low: float, high: float) -> None:
    assert low < returns(name).std() * np.sqrt(8760) < high
    assert low < returns(name, 24).std() * np.sqrt(365) < high


@pytest.mark.parametrize("name", ["WETH", "WBTC", "LINK"])
def test_tails_are_fat_and_volatility_clusters(name: str) -> None:
    hourly = returns(name)
    size = np.abs(hourly) - np.abs(hourly).mean()

    assert 5.0 < excess_kurtosis(hourly) < 40.0
    assert 1.0 < excess_kurtosis(returns(name, 24)) < 15.0
    assert (size[24:] * size[:-24]).mean() / (size * size).mean() > 0.05


def test_assets_move_together_as_measured() -> None:
    table = np.corrcoef([returns("WETH"), returns("WBTC"), returns("LINK")])

    assert 0.78 < table[0, 1] < 0.90
    assert 0.70 < table[0, 2] < 0.85
    assert 0.62 < table[1, 2] < 0.80


@pytest.mark.parametrize("name", ["WETH", "WBTC", "LINK"])
def test_direction_of_the_last_hour_and_day_foretells_nothing(name: str) -> None:
    """Directions, not returns: clustered fat tails make the sampling error of the latter twice as large."""
    for step_h, limit in ((1, 0.02), (24, 0.09)):  # three standard errors
        side = np.sign(returns(name, step_h))
        assert abs((side[1:] * side[:-1]).mean() - side.mean() ** 2) < limit


def test_drifts_of_the_regimes_are_balanced_over_the_time_really_spent_in_them() -> None:
    _, uniforms = hourly_draws(5, 1, 500_000, normals=0, uniforms=2)
    regime, spent_h = 0, [0] * len(REGIMES)
    for leave, pick in uniforms:
        spent_h[regime] += 1
        regime = next_regime(regime, leave, pick)

    gains = [
        mood.drift_a_year + 8760.0 / mood.jump_mean_h * (1 - 2 * mood.jump_down) * 0.0275 for mood in REGIMES
    ]
    mean = sum(gain * hours for gain, hours in zip(gains, spent_h, strict=True)) / sum(spent_h)
    assert mean == pytest.approx(balance_a_year(), abs=0.12)


def test_drawdowns_of_half_a_year_are_those_of_the_market() -> None:
    paths = [prices(seed)["WETH"] for seed in range(16)]
    falls = [float((1.0 - path / np.maximum.accumulate(path)).max()) for path in paths]

    assert 0.30 < np.median(falls) < 0.60
    assert min(falls) > 0.10
    assert max(falls) > 0.55


@pytest.mark.parametrize(
    ("token", "low", "high"),
    [
        ("aUSDC", 0.035, 0.065),
        ("aUSDT", 0.035, 0.065),
        ("aWETH", 0.012, 0.024),
        ("steakUSDC", 0.035, 0.07),
        ("fUSDC", 0.04, 0.075),
        ("wstETH", 0.025, 0.036),
        ("weETH", 0.024, 0.035),
    ],
)
def test_rates_lie_in_the_measured_band(token: str, low: float, high: float) -> None:
    rates = np.concatenate([column(seed, "rates", AssetId(token)) for seed in SEEDS])

    assert low < rates.mean() < high
    assert rates.min() > 0.0
    assert rates.max() < 1.0


def test_a_third_of_all_seasons_has_a_depeg_and_most_of_them_heal() -> None:
    calm = Moods(regime=[0] * HOURS, stress=[0.0] * HOURS, demand=[0.0] * HOURS)
    runs = [generate_pegs(seed, calm, warmup_h=0).depeg for seed in range(30)]
    struck = [off for run in runs for off in run.values() if max(off) > 0.02]

    assert 4 <= len(struck) <= 18
    assert min(max(off) for off in struck) > 0.02
    assert sum(off[-1] < 0.01 for off in struck) > len(struck) / 2
    assert any(max(run[AssetId("USDC")]) > 0.02 for run in runs)
    assert any(max(run[AssetId("USDT")]) > 0.02 for run in runs)


def test_no_season_begins_with_a_broken_coin() -> None:
    for seed in SEEDS:
        for coin in (AssetId("USDC"), AssetId("USDT")):
            usd = column(seed, "ticks", coin)[:WARMUP_H] / 1e10
            assert np.abs(usd - 1.0).max() < 0.01


def test_a_stablecoin_without_depeg_stays_within_some_basis_points() -> None:
    calm = Moods(regime=[0] * HOURS, stress=[0.0] * HOURS, demand=[0.0] * HOURS)
    usd = generate_pegs(0, calm, warmup_h=HOURS).usd
    away_bps = (np.array(usd[AssetId("USDC")]) / np.array(usd[AssetId("USDT")]) - 1.0) * 1e4

    assert 2.0 < away_bps.std() < 10.0
    assert 8.0 < np.abs(away_bps).max() < 40.0


def test_withdrawals_are_limited_by_what_lies_idle_and_pools_lose_depth_under_stress() -> None:
    table = season(0).columns
    numbers = {str(name): column for name, column in MAINNET.conversion_column.items()}
    idle = np.array(table.capacity_usd[numbers["aUSDC>USDC@aave-v3"]])
    depth = np.array(table.depth_usd[numbers["WETH>USDC@uniswap-v3"]])
    assumed = MAINNET.conversion_by_id[ConversionId("WETH>USDC@uniswap-v3")].assumed_depth_usd

    assert 1e5 < idle.min() < 0.5 * idle.max()
    assert np.isinf(table.capacity_usd[numbers["USDC>aUSDC@aave-v3"]]).all()
    assert depth.min() < 0.6 * assumed
    assert 0.4 * assumed < np.median(depth) < 2.0 * assumed


def test_gas_is_cheap_mostly_and_dear_at_times() -> None:
    gas = np.concatenate([season(seed).columns.l1_gas_gwei for seed in SEEDS])

    assert 4.0 < np.median(gas) < 25.0
    assert 10.0 < gas.max() / np.median(gas) < 500.0
    assert gas.min() >= 0.5


def test_treasury_bills_hardly_move() -> None:
    bills = np.concatenate([season(seed).columns.tbill_rate for seed in SEEDS])

    assert 0.035 < bills.min() < bills.max() < 0.06
