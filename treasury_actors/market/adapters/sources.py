"""
The one table that maps what sources call things to what this project calls them.

A file of a data folder holds facts about one or more keys (symbols) in the same columns; each key that
a shipped universe uses becomes a series. What a value may be stands here too: the same ranges hold for
a file that is read, a catalog that is opened and an answer that was downloaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, nan, ulp

_POSITIVE = ulp(0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """
    What one column may hold: a finite number in [low, high], or nothing where null is documented.

    A null is an empty cell or `NaN`. A price is never null: a literal NaN in one is an error.
    """

    low: float
    high: float
    nullable: bool = False

    def describe(self) -> str:
        """Return the range in words, for an error message."""
        low = "> 0" if self.low == _POSITIVE else f">= {self.low:g}"
        null = " or empty" if self.nullable else ""
        return f"a finite number {low} and <= {self.high:g}{null}"

    def parse(self, text: str) -> float | None:
        """Return the number that `text` says, NaN for a documented null, None if it isn't allowed."""
        try:
            number = float(text)
        except ValueError:
            return nan if self.nullable and not text.strip() else None
        return number if self.low <= number <= self.high or self.holds(number) else None

    def holds(self, number: float) -> bool:
        """Say whether `number` is allowed; NaN is where null is."""
        return self.low <= number <= self.high or (self.nullable and isnan(number))


_PRICE = Allowed(low=_POSITIVE, high=1e8)
_STABLE_PRICE = Allowed(low=_POSITIVE, high=1e3)
_APY_PERCENT = Allowed(low=-50.0, high=1e4, nullable=True)
_APR = Allowed(low=-1.0, high=100.0, nullable=True)
_GWEI = Allowed(low=0.0, high=1e6)
_AMOUNT = Allowed(low=0.0, high=1e40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """
    One file of a data folder.

    Attributes:
        path: folder and file without `.csv.gz` or `.csv`.
        keys: from what the key column says to the name of the series; `""` if the file has no key column.
        columns: the columns that become numbers of the series, and what each may hold.
        checked: columns that are checked but not kept.
        known_after_h: hours from `timestamp` until the row could be known: a candle carries its open,
            a daily average its day, a snapshot its own time.
        max_age_h: for how long a row stays fresh after that.
        key_column: the column that says which thing a row is about.
    """

    path: str
    keys: Mapping[str, str]
    columns: Mapping[str, Allowed]
    checked: Mapping[str, Allowed]
    known_after_h: int
    max_age_h: int
    key_column: str | None = "symbol"

    @property
    def rules(self) -> tuple[tuple[str, Allowed], ...]:
        """Every column that is checked, those that are kept first."""
        return (*self.columns.items(), *self.checked.items())


def _candles(coin: str) -> Source:
    """Return the hourly Binance candles of a coin in USDT; a missing hour is stale at once."""
    return Source(
        path=f"cex_spot_ohlcv_1h/binance_{coin}USDT_1h",
        keys={f"{coin}/USDT": f"binance.{coin}USDT"},
        columns={"close": _PRICE},
        checked={"open": _PRICE, "high": _PRICE, "low": _PRICE},
        known_after_h=1,
        max_age_h=0,
    )


def _single(
    path: str,
    name: str,
    columns: Mapping[str, Allowed],
    *,
    known_after_h: int,
    max_age_h: int,
) -> Source:
    """Return a file that is about one thing and has no key column."""
    return Source(
        path=path,
        keys={"": name},
        columns=columns,
        checked={},
        known_after_h=known_after_h,
        max_age_h=max_age_h,
        key_column=None,
    )


ETH_CANDLES, BTC_CANDLES, LINK_CANDLES = _candles("ETH"), _candles("BTC"), _candles("LINK")
_AAVE_DAILY = "lending_rates_aave_1d_2020_2026/aave_ethereum_stable_1d"
AAVE_USDC_DAILY = _single(
    _AAVE_DAILY, "aave.USDC", {"aave_supply_apy_pct": _APY_PERCENT}, known_after_h=24, max_age_h=48
)

SOURCES = (
    Source(
        path="stablecoin_ohlcv_1d/cmc_stablecoins_1d",
        keys={"USDC": "cmc.USDC", "USDT": "cmc.USDT"},
        columns={"close": _STABLE_PRICE},
        checked={"open": _STABLE_PRICE, "high": _STABLE_PRICE, "low": _STABLE_PRICE},
        known_after_h=24,
        max_age_h=48,
    ),
    _single(
        "univ3_usdc_usdt_pool_1h/univ3_eth_USDC_USDT_001_1h",
        "univ3.USDC_USDT",
        {"liquidity": _AMOUNT, "usdc_price_usdt": Allowed(low=0.01, high=100.0)},
        known_after_h=0,
        max_age_h=2,
    ),
    ETH_CANDLES,
    BTC_CANDLES,
    LINK_CANDLES,
    AAVE_USDC_DAILY,
    _single(
        _AAVE_DAILY,
        "treasury.6m",
        {"ust_6m_pct": Allowed(low=-5.0, high=50.0, nullable=True)},
        known_after_h=24,
        max_age_h=120,
    ),
    Source(
        path="lending_rates_aave_v3_1d_2024_2025/aave_v3_ethereum_1d",
        keys={symbol: f"aave_v3.{symbol}" for symbol in ("USDT", "WETH", "wstETH", "weETH")},
        columns={
            "supply_apr": _APR,
            "liquidity_index": Allowed(low=_POSITIVE, high=1e6),
            "total_supplied": _AMOUNT,
            "utilization": Allowed(low=0.0, high=1.05),
            "oracle_price_usd": _PRICE,
        },
        checked={},
        known_after_h=0,
        max_age_h=48,
    ),
    Source(
        path="vault_share_price_1d/erc4626_ethereum_1d",
        keys={"steakUSDC": "erc4626.steakUSDC", "fUSDC": "erc4626.fUSDC"},
        columns={"share_price": Allowed(low=_POSITIVE, high=1e6)},
        checked={},
        known_after_h=0,
        max_age_h=72,
    ),
    _single(
        "eth_staking_apr_1d/eth_store_apr_1d",
        "eth_store.apr",
        {"eth_staking_apr": _APR},
        known_after_h=24,
        max_age_h=72,
    ),
    _single(
        "eth_gas_price/rpc_feehistory_1h_2024_2025",
        "gas.hourly",
        {"gas_price_avg_gwei": _GWEI},
        known_after_h=0,
        max_age_h=6,
    ),
    _single(
        "eth_gas_price/etherscan_avg_gas_1d",
        "gas.daily",
        {"avg_gas_price_gwei": _GWEI},
        known_after_h=24,
        max_age_h=48,
    ),
)
"""Every file the shipped universe is priced from."""
