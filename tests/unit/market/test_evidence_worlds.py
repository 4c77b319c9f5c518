"""The worlds of evidence: repeatable, labelled, and with the edge they say or none."""

from dataclasses import replace
from itertools import pairwise
from math import log, sqrt

import pytest

from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.model.evidence_worlds import LENT_RATES, World, generate_world
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.shipped import MAINNET

POSITIVE = World(name="positive", drift_a_year=1.0, peg_sd_bps=10.0)
NULL = World(name="null", drift_a_year=0.0, peg_sd_bps=0.0)


def made(world: World = POSITIVE, *, seed: int = 1, days: int = 60, warmup_h: int = 48) -> ColumnSeason:
    return generate_world(world, universe=MAINNET, seed=seed, days=days, warmup_h=warmup_h)


def prices(season: ColumnSeason, asset: str) -> list[float]:
    column = MAINNET.column[AssetId(asset)]
    return [float(ticks) for ticks in season.columns.ticks[column]]


def test_a_seed_is_a_world_and_its_label_says_generated() -> None:
    assert made().data_hash == made().data_hash
    assert made(seed=2).data_hash != made().data_hash
    assert made(NULL).data_hash != made().data_hash
    assert made().label == "GENERATED"
    assert "never what a strategy earns" in made().notes[0]


def test_a_shorter_path_is_the_beginning_of_a_longer_one() -> None:
    short, long = made(days=5), made(days=9)
    for index in range(-48, short.frame_count):
        assert repr(short.frame(index)) == repr(long.frame(index))  # NaN is not equal to itself
    assert short.frame_count == 5 * 24 + 1


def test_noise_has_the_volatility_it_should() -> None:
    season = made(NULL, days=700)
    for asset, expected in (("WETH", 0.75), ("WBTC", 0.55)):
        series = prices(season, asset)
        moves = [log(b / a) for a, b in pairwise(series)]
        assert sqrt(sum(move * move for move in moves) / len(moves) * 8_760) == pytest.approx(
            expected, rel=0.1
        )


def test_the_peg_wanders_in_the_positive_world_and_stands_in_the_null_one() -> None:
    assert len({*prices(made(NULL), "USDT")}) == 1
    gaps = [price / 1e10 - 1.0 for price in prices(made(days=400), "USDT")]
    assert sqrt(sum(gap * gap for gap in gaps) / len(gaps)) == pytest.approx(0.001, rel=0.15)
    assert len({*prices(made(), "USDC")}) == 1


def test_lending_pays_six_per_cent() -> None:
    season = made(NULL, days=700)
    shares = season.columns.share_prices[MAINNET.column[AssetId("aUSDC")]]
    years = (len(shares) - 1) / 8_760
    assert log(shares[-1] / shares[0]) / years == pytest.approx(LENT_RATES[AssetId("aUSDC")], abs=1e-3)


def test_only_the_drift_and_the_peg_tell_the_worlds_apart() -> None:
    flat = replace(POSITIVE, drift_a_year=0.0)
    for asset in ("WETH", "WBTC", "LINK", "aUSDC"):
        assert prices(made(flat), asset) == prices(made(NULL), asset)
    assert prices(made(), "WETH") != prices(made(NULL), "WETH")


def test_a_universe_with_an_asset_it_does_not_know_is_refused() -> None:
    strange = replace(MAINNET, assets=(*MAINNET.assets, replace(MAINNET.assets[0], id=AssetId("DOGE"))))
    with pytest.raises(ConfigError, match="DOGE, unknown here"):
        generate_world(NULL, universe=strange, seed=1, days=1, warmup_h=0)
