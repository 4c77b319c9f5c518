"""
Measure what the generated season is calibrated to, on real data and on generated seasons.

    python benchmarks/calibration.py real ../shared/data      statistics of the real series
    python benchmarks/calibration.py generated --seeds 200    the same of generated seasons

Both print one line a statistic, `name  value`, in the same words, so that the two can be set side by side;
docs/generated-season.md does. Run it from the repository's root with PYTHONPATH=. or the package installed.
Nothing is written.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from calibration_statistics import (
    HOURS_A_YEAR,
    SPANS,
    Floats,
    Pieces,
    Statistics,
    depegs,
    gas_statistics,
    hour_of,
    level_statistics,
    on_the_hour,
    peg_spread_bps,
    price_statistics,
    quantiles,
    ratio_statistics,
    series,
)

from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.shipped import MAINNET

WARMUP_H = 120 * 24
SINCE = "2024-05-12"
STRUCK = 0.98
_AAVE_DAILY = "lending_rates_aave_1d_2020_2026/aave_ethereum_stable_1d.csv.gz"
_AAVE_V3_DAILY = "lending_rates_aave_v3_1d_2024_2025/aave_v3_ethereum_1d.csv.gz"


def real_prices(folder: Path) -> Statistics:
    """Measure hourly closes of ETH, BTC and LINK."""
    files = {"WETH": "ETHUSDT", "WBTC": "BTCUSDT", "LINK": "LINKUSDT"}
    paths = {name: folder / f"cex_spot_ohlcv_1h/binance_{pair}_1h.csv.gz" for name, pair in files.items()}
    return price_statistics({name: on_the_hour(*series(path, "close")) for name, path in paths.items()})


def real_ratio(folder: Path) -> Statistics:
    """Measure the hourly USDC/USDT pool."""
    path = folder / "univ3_usdc_usdt_pool_1h/univ3_eth_USDC_USDT_001_1h.csv.gz"
    found = ratio_statistics(series(path, "usdc_price_usdt")[1])
    depth = series(path, "liquidity")[1]
    return found | quantiles("USDC/USDT depth / median", depth / np.median(depth), (1, 10, 90))


def real_pegs(folder: Path) -> Statistics:
    """Measure seven stablecoins in USD and their depegs."""
    path = folder / "stablecoin_usd_1h/coingecko_stablecoins_1h.csv.gz"
    found: Statistics = {}
    for coin in ("USDC", "USDT", "DAI", "BUSD", "FRAX", "LUSD", "UST"):
        hours, values = series(path, "price_usd", symbol=coin)
        found[f"{coin} sd of USD price within 1%, bps"] = peg_spread_bps(values)
        for number, (_, depth, lasted) in enumerate(depegs(hours, values)):
            found[f"{coin} depeg {number} depth"] = depth
            found[f"{coin} depeg {number} hours"] = lasted
    _, close = series(folder / "stablecoin_ohlcv_1d/cmc_stablecoins_1d.csv.gz", "close", symbol="USDC")
    found["USDC daily close sd, bps"] = float(close[-1000:].std() * 1e4)
    return found


def real_lending(folder: Path) -> Statistics:
    """Measure Aave's supply rates and utilisation, and treasury bills."""
    hours, usdc = series(folder / _AAVE_DAILY, "aave_supply_apy_pct")
    usdc = usdc[hours >= hour_of(SPANS[0][0])] / 100.0
    found = level_statistics("aUSDC rate", usdc, (1, 7, 30), "d")
    found |= level_statistics("aUSDC rate 2024", usdc[-312:], (1, 7, 30), "d")
    _, bill = series(folder / _AAVE_DAILY, "ust_6m_pct")
    found["T-bill mean, last 180 d"] = float(bill[-180:].mean() / 100)
    found["T-bill sd, last 180 d"] = float(bill[-180:].std() / 100)
    path = folder / _AAVE_V3_DAILY
    for symbol in ("USDT", "WETH"):
        _, rate = series(path, "supply_apr", symbol=symbol)
        _, use = series(path, "utilization", symbol=symbol)
        _, supplied = series(path, "total_supplied", symbol=symbol)
        found |= level_statistics(f"a{symbol} rate", rate, (1, 7, 30), "d")
        found |= level_statistics(f"a{symbol} utilisation", use, (1, 7), "d")
        found[f"a{symbol} supplied, millions of tokens, median"] = float(np.median(supplied) / 1e6)
    path = folder / "lending_rates_usdc_1h_2020_2022/compound_v2_aave_v1_v2_USDC_1h.csv.gz"
    _, early = series(path, "supply_rate_aave_v2")
    return found | level_statistics("aUSDC rate hourly 2020-22", early, (1, 24, 168))


def real_vaults(folder: Path) -> Statistics:
    """Measure what two vaults earned, beside Aave's rate of the same days."""
    path = folder / "vault_share_price_1d/erc4626_ethereum_1d.csv.gz"
    lent_h, lent = series(folder / _AAVE_DAILY, "aave_supply_apy_pct")
    found: Statistics = {}
    for symbol in ("steakUSDC", "fUSDC"):
        hours, share = series(path, "share_price", symbol=symbol)
        _, assets = series(path, "total_assets", symbol=symbol)
        inside = hours[1:] >= hour_of(SINCE)
        earned = (np.diff(np.log(share)) / np.diff(hours) * HOURS_A_YEAR)[inside]
        spread = earned - np.interp(hours[1:][inside], lent_h, lent / 100.0)
        found |= level_statistics(f"{symbol} realised rate", earned, (1, 7), "d")
        found[f"{symbol} less aUSDC rate, mean"] = float(spread.mean())
        found[f"{symbol} less aUSDC rate, sd"] = float(spread.std())
        found[f"{symbol} assets, millions, median"] = float(np.median(assets) / 1e6)
    return found


def real_staking(folder: Path) -> Statistics:
    """Measure staked ETH: its rate and its discount."""
    path = folder / "lst_eth_ratio_1h/lst_eth_ratio_1h.csv.gz"
    _, steth = series(path, "eth_ratio", symbol="stETH")
    found = level_statistics("stETH discount, bps", (1.0 - steth) * 1e4, (1, 24, 168))
    for symbol in ("wstETH", "weETH"):
        hours, ratio = series(path, "eth_ratio", symbol=symbol)
        found[f"{symbol} rate mean"] = float(
            (ratio[-1] / ratio[0] - 1) / (hours[-1] - hours[0]) * HOURS_A_YEAR
        )
    _, apr = series(folder / "eth_staking_apr_1d/eth_store_apr_1d.csv.gz", "eth_staking_apr")
    return found | level_statistics("staking rate, last year", apr[-365:], (1, 7), "d")


def real_gas(folder: Path) -> Statistics:
    """Measure gas: daily since 2021, hourly in 2024."""
    _, daily = series(folder / "eth_gas_price/etherscan_avg_gas_1d.csv.gz", "avg_gas_price_gwei")
    _, hourly = series(folder / "eth_gas_price/rpc_feehistory_1h_2024_2025.csv.gz", "base_fee_gwei")
    return quantiles("gas gwei daily 2021-24", daily[-1406:], (10, 50, 90, 99)) | gas_statistics(hourly)


REAL: dict[str, Callable[[Path], Statistics]] = {
    "prices": real_prices,
    "USDC/USDT": real_ratio,
    "pegs": real_pegs,
    "lending": real_lending,
    "vaults": real_vaults,
    "staking": real_staking,
    "gas": real_gas,
}


class Generated:
    """Generated seasons, warm-up left out, one piece a season."""

    def __init__(self, seeds: int, days: int) -> None:
        names = [str(asset.id) for asset in MAINNET.assets]
        scales = [10.0**asset.tick_exponent for asset in MAINNET.assets]
        self.usd: dict[str, Pieces] = {name: [] for name in names}
        self.share: dict[str, Pieces] = {name: [] for name in names}
        self.rates: dict[str, Pieces] = {name: [] for name in names}
        self.gas: Pieces = []
        for seed in range(seeds):
            season = generate_season(universe=MAINNET, seed=seed, days=days, warmup_h=WARMUP_H)
            table = season.columns
            for column, (name, scale) in enumerate(zip(names, scales, strict=True)):
                self.usd[name].append(np.array(table.ticks[column])[WARMUP_H:] / scale)
                self.share[name].append(np.array(table.share_prices[column])[WARMUP_H:])
                self.rates[name].append(np.array(table.rates[column])[WARMUP_H:])
            self.gas.append(np.array(table.l1_gas_gwei)[WARMUP_H:])

    def rate(self, name: str) -> Floats:
        """Return the supply rate of a token, seasons one after the other."""
        return np.concatenate(self.rates[name])


def generated_prices(world: Generated) -> Statistics:
    """Measure WETH, WBTC and LINK."""
    return price_statistics({name: world.usd[name] for name in ("WETH", "WBTC", "LINK")})


def generated_pegs(world: Generated) -> Statistics:
    """Measure the stablecoins."""
    pairs = zip(world.usd["USDC"], world.usd["USDT"], strict=True)
    found = ratio_statistics(np.concatenate([usdc / usdt for usdc, usdt in pairs]))
    for coin in ("USDC", "USDT"):
        worst = np.array([piece.min() for piece in world.usd[coin]])
        found[f"{coin} sd of USD price within 1%, bps"] = peg_spread_bps(np.concatenate(world.usd[coin]))
        found[f"{coin} share of seasons with a fall of 2%"] = float((worst < STRUCK).mean())
        found[f"{coin} deepest fall"] = float(1.0 - worst.min())
    return found


def generated_yields(world: Generated) -> Statistics:
    """Measure the share tokens."""
    found: Statistics = {}
    for token in ("aUSDC", "aUSDT", "aWETH"):
        found |= level_statistics(f"{token} rate", world.rate(token)[::24], (1, 7, 30), "d")
    for token in ("steakUSDC", "fUSDC"):
        earned = np.concatenate([np.diff(np.log(piece[::24])) * 365 for piece in world.share[token]])
        spread = world.rate(token) - world.rate("aUSDC")
        found |= level_statistics(f"{token} realised rate", earned, (1, 7), "d")
        found[f"{token} less aUSDC rate, mean"] = float(spread.mean())
        found[f"{token} less aUSDC rate, sd"] = float(spread.std())
    for token in ("wstETH", "weETH"):
        falls = [1.0 - (piece / np.maximum.accumulate(piece)).min() for piece in world.share[token]]
        found[f"{token} rate mean"] = float(world.rate(token).mean())
        found |= quantiles(f"{token} worst fall of the share price", np.array(falls), (50, 90, 100))
    return found


GENERATED: dict[str, Callable[[Generated], Statistics]] = {
    "prices": generated_prices,
    "pegs": generated_pegs,
    "yields": generated_yields,
    "gas": lambda world: gas_statistics(np.concatenate(world.gas)),
}


def measured(options: argparse.Namespace) -> Iterator[tuple[str, Statistics]]:
    """Yield what was asked for, topic by topic."""
    if options.which == "real":
        yield from ((topic, measure(options.folder)) for topic, measure in REAL.items())
    else:
        world = Generated(options.seeds, options.days)
        yield from ((topic, measure(world)) for topic, measure in GENERATED.items())


def main(arguments: list[str]) -> int:
    """Print the statistics that were asked for."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    which = parser.add_subparsers(dest="which", required=True)
    which.add_parser("real", help="measure a folder of real data").add_argument("folder", type=Path)
    made = which.add_parser("generated", help="measure generated seasons")
    made.add_argument("--seeds", type=int, default=200, help="how many seasons, seeds from 0")
    made.add_argument("--days", type=int, default=180, help="length of each")
    for topic, found in measured(parser.parse_args(arguments)):
        print(f"# {topic}")
        for name, value in found.items():
            print(f"{name:<58} {value:12.5g}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
