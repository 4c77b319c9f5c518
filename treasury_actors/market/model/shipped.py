"""
The universe that ships: stablecoins, ETH and what it earns, lending and vaults, priced on mainnet data.

Gas units are those of the usual call of each protocol (a Uniswap V3 exact-input swap ~150k, an Aave V3
supply ~220k, an ERC-4626 deposit ~180k), rounded up. Depths and haircuts are stated assumptions where no
data has them: each is printed in the report beside the figures that rest on it.
"""

from treasury_actors.ids import AssetId, ConversionId, VenueId
from treasury_actors.market.model.universe import Action, Conversion, Universe
from treasury_actors.money import Asset

_GAS_UNITS = {"swap": 160_000, "supply": 230_000, "withdraw": 260_000}
_GAS_UNITS |= {"deposit": 190_000, "redeem": 210_000, "stake": 130_000}
_DATA_GAS_UNITS = 2_000


def _asset(name: str, decimals: int, tick_exponent: int, underlying: str | None = None) -> Asset:
    """Return one asset of the shipped universe."""
    return Asset(
        id=AssetId(name),
        decimals=decimals,
        tick_exponent=tick_exponent,
        underlying=AssetId(underlying) if underlying else None,
    )


def _conversion(
    path: str,
    venue: str,
    action: Action,
    *,
    fee_bps: float = 0.0,
    haircut_bps: float = 0.0,
    depth_musd: float = float("inf"),
    capacity_musd: float = float("inf"),
    reduces: bool = False,
) -> Conversion:
    """Return one conversion; `path` is `SOURCE>TARGET`, depths and capacities are in millions of USD."""
    source, target = path.split(">")
    return Conversion(
        id=ConversionId(f"{path}@{venue}"),
        venue=VenueId(venue),
        action=action,
        source=AssetId(source),
        target=AssetId(target),
        fee_bps=fee_bps,
        haircut_bps=haircut_bps,
        gas_units=_GAS_UNITS[action],
        data_gas_units=_DATA_GAS_UNITS,
        assumed_depth_usd=depth_musd * 1e6,
        assumed_capacity_usd=capacity_musd * 1e6,
        reduces=reduces,
    )


def _pool(base: str, quote: str, fee_bps: float, depth_musd: float) -> tuple[Conversion, Conversion]:
    """Return both directions of a Uniswap V3 pool; selling `base` for `quote` reduces."""
    return (
        _conversion(f"{quote}>{base}", "uniswap-v3", "swap", fee_bps=fee_bps, depth_musd=depth_musd),
        _conversion(
            f"{base}>{quote}", "uniswap-v3", "swap", fee_bps=fee_bps, depth_musd=depth_musd, reduces=True
        ),
    )


def _lending(underlying: str, share: str, capacity_musd: float) -> tuple[Conversion, Conversion]:
    """Return supply and withdraw of an Aave V3 reserve."""
    return (
        _conversion(f"{underlying}>{share}", "aave-v3", "supply"),
        _conversion(
            f"{share}>{underlying}", "aave-v3", "withdraw", capacity_musd=capacity_musd, reduces=True
        ),
    )


def _vault(underlying: str, share: str, venue: str, capacity_musd: float) -> tuple[Conversion, Conversion]:
    """Return deposit and redeem of an ERC-4626 vault."""
    return (
        _conversion(f"{underlying}>{share}", venue, "deposit"),
        _conversion(f"{share}>{underlying}", venue, "redeem", capacity_musd=capacity_musd, reduces=True),
    )


def _staked(share: str, venue: str, haircut_bps: float) -> tuple[Conversion, Conversion]:
    """Return staking of WETH and its sale on the market, which pays a haircut on the protocol rate."""
    return (
        _conversion(f"WETH>{share}", venue, "stake"),
        _conversion(
            f"{share}>WETH",
            "uniswap-v3",
            "swap",
            fee_bps=1.0,
            haircut_bps=haircut_bps,
            depth_musd=20,
            reduces=True,
        ),
    )


MAINNET = Universe(
    name="mainnet",
    assets=(
        _asset("USDC", 6, 10),
        _asset("USDT", 6, 10),
        _asset("WETH", 18, 7),
        _asset("WBTC", 8, 6),
        _asset("LINK", 18, 9),
        _asset("aUSDC", 6, 10, "USDC"),
        _asset("aUSDT", 6, 10, "USDT"),
        _asset("steakUSDC", 18, 10, "USDC"),
        _asset("fUSDC", 6, 10, "USDC"),
        _asset("aWETH", 18, 7, "WETH"),
        _asset("wstETH", 18, 7, "WETH"),
        _asset("weETH", 18, 7, "WETH"),
        _asset("ETH", 18, 7),
    ),
    conversions=(
        *_pool("USDT", "USDC", 1.0, 30),
        *_pool("WETH", "USDC", 5.0, 40),
        *_pool("WBTC", "USDC", 30.0, 15),
        *_pool("LINK", "USDC", 30.0, 3),
        *_lending("USDC", "aUSDC", 50),
        *_lending("USDT", "aUSDT", 40),
        *_vault("USDC", "steakUSDC", "morpho", 5),
        *_vault("USDC", "fUSDC", "fluid", 5),
        *_lending("WETH", "aWETH", 200),
        *_staked("wstETH", "lido", 10.0),
        *_staked("weETH", "etherfi", 15.0),
    ),
    reserve=AssetId("USDC"),
    gas=AssetId("ETH"),
)
"""Thirteen assets; USDC is the reserve, ETH pays gas and is never traded."""
