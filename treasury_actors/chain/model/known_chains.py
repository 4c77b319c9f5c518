"""
The registries that ship: Base. A local chain's is made where its contracts are deployed.

Addresses are those their projects publish (Circle; Optimism's predeploys; Uniswap's v3 deployments; Aave's
address book; Chainlink's data feeds). Their code hashes are not pinned: `check_registry` prints what a node
says they are, for an operator to compare and to pin in their own config.
"""

from treasury_actors.chain.model.registry import BASE_CHAIN_ID, PinnedContract, PinnedToken, Registry
from treasury_actors.ids import AssetId

BASE = Registry(
    chain_id=BASE_CHAIN_ID,
    chain_name="base",
    tokens=(
        PinnedToken(asset=AssetId("USDC"), address="0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", decimals=6),
        PinnedToken(asset=AssetId("WETH"), address="0x4200000000000000000000000000000000000006", decimals=18),
        PinnedToken(asset=AssetId("aUSDC"), address="0x4e65fE4DbA92790696d040ac24Aa414708F5c0AB", decimals=6),
    ),
    contracts=(
        PinnedContract(name="uniswap-v3:router", address="0x2626664c2603336E57B271c5C0b26F421741e481"),
        PinnedContract(name="uniswap-v3:quoter", address="0x3d4e44Eb1374240CE5F1B871ab261CD16335B76a"),
        PinnedContract(name="uniswap-v3:factory", address="0x33128a8fC17869897dcE68Ed026d694621f6FDfD"),
        PinnedContract(name="aave-v3:pool", address="0xA238Dd80C259a72e81d7e4664a9801593F98d1c5"),
        PinnedContract(name="aave-v3:provider", address="0xe20fCBdBfFC4Dd138cE8b2E6FBb6CB49777ad64D"),
        PinnedContract(name="chainlink:ETH/USD", address="0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70"),
        PinnedContract(name="chainlink:USDC/USD", address="0x7e860098F58bBFC8648a4311b374B1D669a2bc6B"),
        PinnedContract(
            name="optimism:gas-price-oracle", address="0x420000000000000000000000000000000000000F"
        ),
        PinnedContract(name="chainlink:sequencer", address="0xBCF85224fc0756B9Fa45aA7892530B47e10b6433"),
    ),
)
"""`uniswap-v3:router` is SwapRouter02, whose swaps have no deadline of their own; `quoter` is QuoterV2."""
