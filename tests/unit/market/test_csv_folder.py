"""A data folder becomes a season, or one line that says what is wrong with it."""

import gzip
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from math import isnan, log
from pathlib import Path

import pytest

from tests.unit.market.folder import DATA_DAYS, DAYS, START, START_NS, files, stamp, write_folder
from treasury_actors.clock import HOUR_NS
from treasury_actors.errors import DataError
from treasury_actors.ids import AssetId, ConversionId
from treasury_actors.market.adapters.csv_folder import load_season
from treasury_actors.market.model.season import ColumnSeason
from treasury_actors.market.model.shipped import MAINNET

ETH = "cex_spot_ohlcv_1h/binance_ETHUSDT_1h"
BTC = "cex_spot_ohlcv_1h/binance_BTCUSDT_1h"
POOL = "univ3_usdc_usdt_pool_1h/univ3_eth_USDC_USDT_001_1h"
AAVE = "lending_rates_aave_1d_2020_2026/aave_ethereum_stable_1d"
AAVE_V3 = "lending_rates_aave_v3_1d_2024_2025/aave_v3_ethereum_1d"
STABLES = "stablecoin_ohlcv_1d/cmc_stablecoins_1d"
VAULTS = "vault_share_price_1d/erc4626_ethereum_1d"
RPC = "eth_gas_price/rpc_feehistory_1h_2024_2025"
Edit = Callable[[list[str]], None]


def load(folder: Path, *, start: datetime = START, days: int = DAYS, warmup_h: int = 48) -> ColumnSeason:
    return load_season(folder, universe=MAINNET, start=start, days=days, warmup_h=warmup_h)


def edited(place: Path, path: str, edit: Edit) -> Path:
    """Write a folder in which one file was edited."""
    content = files()
    edit(content[path])
    return write_folder(place, content)


def cell(line: int, column: int, text: str) -> Edit:
    """Return an edit that replaces one cell; the header is line 1."""

    def edit(lines: list[str]) -> None:
        cells = lines[line - 1].split(",")
        cells[column] = text
        lines[line - 1] = ",".join(cells)

    return edit


def swapped(line: int, other: int) -> Edit:
    def edit(lines: list[str]) -> None:
        lines[line - 1], lines[other - 1] = lines[other - 1], lines[line - 1]

    return edit


def column(asset: str) -> int:
    return MAINNET.column[AssetId(asset)]


def usd(season: ColumnSeason, index: int, asset: str) -> float:
    place = column(asset)
    return season.frame(index).ticks[place] / float(10 ** MAINNET.assets[place].tick_exponent)


def test_a_folder_becomes_a_season_with_its_warm_up(tmp_path: Path) -> None:
    season = load(write_folder(tmp_path))

    assert (season.label, season.frame_count, season.warmup_count) == ("HYPOTHETICAL", DAYS * 24, 48)
    assert season.frame(0).time_ns == START_NS
    assert all(season.frame(0).fresh)


def test_prices_follow_their_recipes(tmp_path: Path) -> None:
    season = load(write_folder(tmp_path))
    usdc = 1 + 0.0001 * (14 % 3)  # the close of the day before, known at midnight
    usdt = usdc / (1 + 1e-5 * 360)

    assert usd(season, 0, "USDC") == pytest.approx(usdc, abs=1e-9)
    assert usd(season, 0, "USDT") == pytest.approx(usdt, abs=1e-9)
    assert usd(season, 0, "WETH") == pytest.approx(2_000 * (1 + 0.001 * (359 % 7)) * usdt, abs=1e-6)
    assert season.frame(0).ticks[column("ETH")] == season.frame(0).ticks[column("WETH")]
    assert usd(season, 0, "wstETH") == pytest.approx(usd(season, 0, "WETH") * (1.16 + 0.0015), abs=1e-6)
    assert usd(season, 0, "aUSDT") == pytest.approx(usdt * (1 + 0.04 * 15 / 365), abs=1e-9)


def test_rates_are_those_known_at_the_hour(tmp_path: Path) -> None:
    rates = load(write_folder(tmp_path)).frame(0).rates

    assert rates[column("aUSDC")] == pytest.approx(log(1.064))  # of day 14, known on day 15
    assert rates[column("aUSDT")] == 0.04
    assert rates[column("wstETH")] == pytest.approx(0.9 * (0.03 + 0.0001 * 11))  # mean of days 8 to 14
    assert rates[column("fUSDC")] == pytest.approx(0.0002 * 7 / (1.05 + 0.0002 * 7) * 365 / 7)
    assert all(isnan(rates[column(asset)]) for asset in ("USDC", "USDT", "WETH", "ETH"))


def test_a_vault_grows_between_snapshots_so_that_no_hour_holds_the_yield_of_a_day(tmp_path: Path) -> None:
    season = load(write_folder(tmp_path))
    prices = [season.frame(index).share_prices[column("fUSDC")] for index in range(season.frame_count)]
    growth = [after / before - 1 for before, after in pairwise(prices)]

    assert min(growth) > 0
    assert max(growth) < 2 * sum(growth) / len(growth)


def test_depth_capacity_gas_and_bills_come_from_the_data_or_from_stated_assumptions(tmp_path: Path) -> None:
    season = load(write_folder(tmp_path))
    frame, step = season.frame(0), MAINNET.conversion_column

    assert frame.depth_usd[step[ConversionId("USDC>USDT@uniswap-v3")]] == pytest.approx(4e11, rel=0.01)
    assert frame.depth_usd[step[ConversionId("USDC>WETH@uniswap-v3")]] == 40e6
    assert frame.capacity_usd[step[ConversionId("aUSDT>USDT@aave-v3")]] == pytest.approx(1e5, rel=0.01)
    assert frame.capacity_usd[step[ConversionId("aUSDC>USDC@aave-v3")]] == 50e6
    assert frame.l1_gas_gwei == 10.0
    assert frame.tbill_rate == pytest.approx(0.052)
    assert any("USDC>WETH@uniswap-v3 $40M" in note for note in season.notes)


def test_plain_csv_gives_the_same_season_as_gzip(tmp_path: Path) -> None:
    packed, plain = write_folder(tmp_path / "packed"), write_folder(tmp_path / "plain")
    for file in plain.rglob("*.csv.gz"):
        file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()

    assert load(plain).data_hash == load(packed).data_hash


def test_a_longer_warm_up_changes_no_frame_of_the_season(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    short, long = load(folder, warmup_h=0), load(folder, warmup_h=10_000)

    assert (short.warmup_count, long.warmup_count) == (0, 14 * 24)
    for index in range(short.frame_count):
        assert repr(short.frame(index)) == repr(long.frame(index))


def test_a_missing_candle_leaves_the_asset_stale_at_its_last_price(tmp_path: Path) -> None:
    def without(lines: list[str]) -> None:
        del lines[1 + 363]

    season = load(edited(tmp_path, ETH, without))
    fresh = [season.frame(index).fresh[column("WETH")] for index in range(6)]

    assert fresh == [True, True, True, True, False, True]
    assert season.frame(4).fresh[column("WBTC")]
    assert not season.frame(4).fresh[column("aWETH")], "a share is no fresher than its underlying"
    assert usd(season, 4, "WETH") == pytest.approx(usd(season, 3, "WETH"), rel=1e-4)
    assert "WETH was stale in 1 of 240 hours." in season.notes


def test_a_null_rate_is_a_fact_and_the_index_stays(tmp_path: Path) -> None:
    season = load(edited(tmp_path, AAVE, cell(2 + 15, 1, "")))
    place = column("aUSDC")
    unknown = range(24, 48)

    assert all(isnan(season.frame(index).rates[place]) for index in unknown)
    assert not any(season.frame(index).fresh[place] for index in unknown)
    assert len({season.frame(index).share_prices[place] for index in unknown}) == 1


def test_an_asset_is_unknown_before_its_first_row_and_known_from_there(tmp_path: Path) -> None:
    def young(lines: list[str]) -> None:
        lines[:] = [line for line in lines if "weETH" not in line or line >= stamp(24 * 17)]

    season = load(edited(tmp_path, AAVE_V3, young))
    place = column("weETH")

    assert (season.frame(47).ticks[place], season.frame(47).fresh[place]) == (0, False)
    assert (season.frame(48).ticks[place] > 0, season.frame(48).fresh[place]) == (True, True)
    assert "weETH has no price before 2024-01-18T00:00Z." in season.notes


def test_gas_falls_back_to_the_daily_average(tmp_path: Path) -> None:
    def short(lines: list[str]) -> None:
        del lines[1 + 360 :]

    season = load(edited(tmp_path, RPC, short))

    assert season.frame(5).l1_gas_gwei == 14.0  # the last hourly one, 6 hours old
    assert season.frame(6).l1_gas_gwei == 64.0


def test_no_liquidity_in_range_is_a_depth_of_zero(tmp_path: Path) -> None:
    season = load(edited(tmp_path, POOL, cell(2 + 360, 3, "0")))

    assert season.frame(0).depth_usd[:2] == (0.0, 0.0)


@pytest.mark.parametrize(
    ("path", "edit", "words"),
    [
        (ETH, cell(5, 5, "nan"), "line 5: close is 'nan'; allowed: a finite number > 0"),
        (ETH, cell(5, 5, ""), "line 5: close is ''; allowed"),
        (ETH, cell(6, 3, "inf"), "line 6: high is 'inf'; allowed"),
        (ETH, cell(7, 4, "0"), "line 7: low is '0'; allowed"),
        (ETH, cell(8, 2, "-3"), "line 8: open is '-3'; allowed"),
        (ETH, cell(8, 5, "cheap"), "line 8: close is 'cheap'; allowed"),
        (ETH, cell(8, 5, '"two\nlines"'), r"line 8: close is 'two\\nlines'; allowed"),
        (ETH, cell(9, 0, "yesterday"), "line 9: timestamp is 'yesterday'; allowed"),
        (ETH, cell(9, 0, "2024-01-01T07:00:00"), "line 9: timestamp is '2024-01-01T07:00:00'; allowed"),
        (ETH, cell(9, 0, "0001-01-01T00:00:00Z"), "line 9: timestamp is '0001"),
        (ETH, cell(9, 0, stamp(6)), "line 9: timestamp '2024-01-01T06:00:00Z' of 'ETH/USDT' is there twice"),
        (ETH, swapped(9, 10), "line 10: .* is out of order"),
        (ETH, lambda lines: lines.append("2024"), "line 722: 1 fields; allowed: 7"),
        (ETH, cell(1, 5, "last"), "line 1: column 'close' is there 0 times; allowed: once"),
        (ETH, lambda lines: lines.clear(), "column 'timestamp' is there 0 times"),
        (ETH, lambda lines: lines.__delitem__(slice(1, None)), "no row with symbol 'ETH/USDT'"),
        (STABLES, cell(4, 5, "NaN"), "line 4: close is 'NaN'"),
        (VAULTS, cell(2, 6, "-1"), "line 2: share_price is '-1'"),
        (POOL, cell(3, 3, "-1"), "line 3: liquidity is '-1'; allowed: a finite number >= 0"),
        (POOL, cell(3, 4, "nan"), "line 3: usdc_price_usdt is 'nan'"),
        (
            AAVE_V3,
            cell(3, 9, "1.06"),
            "line 3: utilization is '1.06'; allowed: a finite number >= 0 and <= 1.05",
        ),
        (AAVE_V3, cell(3, 3, "inf"), "line 3: supply_apr is 'inf'; allowed: .* or empty"),
        (AAVE_V3, cell(3, 5, ""), "line 3: liquidity_index is ''"),
        (
            BTC,
            cell(362, 5, "9.9e7"),
            r"WBTC comes to 9.866\S+ USD at 2024-01-16T01:00Z; allowed: 1e-06 to 9e",
        ),
    ],
)
def test_bad_input_is_one_line_that_names_file_line_and_range(
    tmp_path: Path, path: str, edit: Edit, words: str
) -> None:
    with pytest.raises(DataError, match=words) as caught:
        load(edited(tmp_path, path, edit))

    assert len(str(caught.value).splitlines()) == 1
    assert "allowed" in str(caught.value) or "no row with" in str(caught.value)


@pytest.mark.parametrize("path", list(files()))
def test_a_missing_file_is_named(tmp_path: Path, path: str) -> None:
    content = files()
    del content[path]

    with pytest.raises(DataError, match=f"{path}.csv.gz: missing"):
        load(write_folder(tmp_path, content))


def test_a_file_that_is_not_gzip_or_not_text_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / f"{ETH}.csv.gz").write_bytes(b"plain")
    with pytest.raises(DataError, match=r"ETHUSDT_1h.csv.gz: can't be read"):
        load(folder)

    (folder / f"{ETH}.csv.gz").write_bytes(gzip.compress(b"\xff\xfe\x00"))
    with pytest.raises(DataError, match=r"ETHUSDT_1h.csv.gz: not UTF-8"):
        load(folder)

    packed = gzip.compress("\n".join(files()[ETH]).encode())
    (folder / f"{ETH}.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DataError, match=r"ETHUSDT_1h.csv.gz: can't be read"):
        load(folder)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such data folder"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("start", "days"),
    [(START, 16), (START - timedelta(days=20), 5), (START + timedelta(days=3650), 1)],
)
def test_a_season_outside_the_data_is_refused_with_the_span_there_is(
    tmp_path: Path, start: datetime, days: int
) -> None:
    with pytest.raises(DataError, match=r"allowed: within 2024-01-02T00:00Z\.\.2024-01-31T00:00Z"):
        load(write_folder(tmp_path), start=start, days=days)


def test_the_longest_season_the_data_hold_is_allowed(tmp_path: Path) -> None:
    season = load(write_folder(tmp_path), start=START - timedelta(days=14), days=DATA_DAYS - 1, warmup_h=100)

    assert (season.warmup_count, season.frame_count) == (0, (DATA_DAYS - 1) * 24)


def test_a_start_off_the_hour_or_a_season_without_days_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)

    with pytest.raises(DataError, match="allowed: a full hour"):
        load_season(folder, universe=MAINNET, start=START_NS + HOUR_NS // 2, days=1, warmup_h=0)
    with pytest.raises(DataError, match="allowed: days >= 1"):
        load(folder, days=0)
