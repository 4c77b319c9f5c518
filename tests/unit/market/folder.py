"""A small data folder of the shipped universe's families: thirty days of plain numbers."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from treasury_actors.market.model.utc import utc_ns

BORN = datetime(2024, 1, 1, tzinfo=UTC)
START = datetime(2024, 1, 16, tzinfo=UTC)
START_NS = utc_ns(START)
DAYS = 10
DATA_DAYS = 30
SHARED = Path(__file__).parents[3] / "../shared/data"
"""Real data, beside the checkout of those who have them."""


def stamp(hours: float) -> str:
    """Return the time `hours` after the first row."""
    return (BORN + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _hourly(header: str, row: Callable[[int], str]) -> list[str]:
    return [header, *(f"{stamp(hour)},{row(hour)}" for hour in range(DATA_DAYS * 24))]


def _daily(header: str, rows: Callable[[int], list[str]], *, offset_h: float = 0.0) -> list[str]:
    lines = [f"{stamp(24 * day + offset_h)},{row}" for day in range(DATA_DAYS) for row in rows(day)]
    return [header, *lines]


def _candles(coin: str, usdt: float) -> list[str]:
    def row(hour: int) -> str:
        close = usdt * (1 + 0.001 * (hour % 7))
        return f"{coin}/USDT,{close},{close * 1.01},{close * 0.99},{close},1"

    return _hourly("timestamp,symbol,open,high,low,close,volume", row)


def _reserves(day: int) -> list[str]:
    ether = 2_000.0 + day
    return [
        f"USDT,1,0.04,0.05,{1 + 0.04 * day / 365},1,1000000,900000,0.9,1.0",
        f"WETH,1,0.02,0.03,{1 + 0.02 * day / 365},1,5000,4000,0.8,{ether}",
        f"weETH,1,0.0,0.02,1,1,10,1,0.1,{ether * (1.03 + 0.0001 * day)}",
        f"wstETH,1,0.0,0.02,1,1,10,1,0.1,{ether * (1.16 + 0.0001 * day)}",
    ]


def _stables(day: int) -> list[str]:
    usdc, usdt = 1 + 0.0001 * (day % 3), 1 - 0.0001 * (day % 3)
    return [f"{symbol},{p},{p},{p},{p},1,1" for symbol, p in (("USDC", usdc), ("USDT", usdt))]


def files() -> dict[str, list[str]]:
    """Return the lines of every file by its path without suffix."""
    return {
        "stablecoin_ohlcv_1d/cmc_stablecoins_1d": _daily(
            "timestamp,symbol,open,high,low,close,volume_usd,market_cap_usd", _stables
        ),
        "univ3_usdc_usdt_pool_1h/univ3_eth_USDC_USDT_001_1h": _hourly(
            "timestamp,block,tick,liquidity,usdc_price_usdt",
            lambda hour: f"1,1,400000000000000000,{1 + 1e-5 * hour}",
        ),
        "cex_spot_ohlcv_1h/binance_ETHUSDT_1h": _candles("ETH", 2_000),
        "cex_spot_ohlcv_1h/binance_BTCUSDT_1h": _candles("BTC", 40_000),
        "cex_spot_ohlcv_1h/binance_LINKUSDT_1h": _candles("LINK", 15),
        "lending_rates_aave_1d_2020_2026/aave_ethereum_stable_1d": _daily(
            "timestamp,aave_supply_apy_pct,aave_borrow_apy_pct,ust_6m_pct,ust_2y_pct,ust_10y_pct",
            lambda day: [f"{5 + 0.1 * day},6,5.2,4,4"],
        ),
        "lending_rates_aave_v3_1d_2024_2025/aave_v3_ethereum_1d": _daily(
            "timestamp,symbol,block,supply_apr,variable_borrow_apr,liquidity_index,variable_borrow_index,"
            "total_supplied,total_variable_debt,utilization,oracle_price_usd",
            _reserves,
        ),
        "vault_share_price_1d/erc4626_ethereum_1d": _daily(
            "timestamp,symbol,protocol,denomination,address,block,share_price,total_assets",
            lambda day: [f"{vault},P,USDC,0x0,1,{1.05 + 0.0002 * day},1" for vault in ("steakUSDC", "fUSDC")],
            offset_h=15.3,
        ),
        "eth_staking_apr_1d/eth_store_apr_1d": _daily(
            "timestamp,eth_staking_apr", lambda day: [f"{0.03 + 0.0001 * day}"]
        ),
        "eth_gas_price/rpc_feehistory_1h_2024_2025": _hourly(
            "timestamp,block_number,gas_price_avg_gwei,base_fee_gwei,priority_fee_p50_gwei",
            lambda hour: f"1,{10 + hour % 5},9,1",
        ),
        "eth_gas_price/etherscan_avg_gas_1d": _daily(
            "timestamp,avg_gas_price_gwei", lambda day: [f"{50 + day}"]
        ),
    }


def write_folder(place: Path, content: dict[str, list[str]] | None = None) -> Path:
    """Write the files as gzip CSV under `place` and return it."""
    for path, lines in (content or files()).items():
        file = place / f"{path}.csv.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0))
    return place
