"""Uniswap V3 as it was published, and full-range pools on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from treasury_actors.simulation.rehearsal.curves import PoolState, sqrt_price_x96
from treasury_actors.simulation.rehearsal.deploy_session import BlockWriter, Call, View

TICK_SPACING = {100: 1, 500: 10, 3000: 60, 10000: 200}
_TICK_MOST = 887_272
_FOREVER_S = 2**32 - 1
_ETH_LABEL = b"ETH".ljust(32, b"\0")


@dataclass(frozen=True, slots=True, kw_only=True)
class UniswapV3:
    """Addresses of one deployment; `positions` is the NonfungiblePositionManager."""

    factory: str
    positions: str
    router: str
    quoter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A pool: its address, its tokens in their order, and its fee in millionths."""

    address: str
    token0: str
    token1: str
    fee_pips: int


async def deploy_uniswap_v3(writer: BlockWriter, *, weth: str) -> UniswapV3:
    """Deploy factory, position desk, router and quoter; enable the 0.01 % tier as mainnet did."""
    factory = await writer.deploy("UniswapV3Factory")
    library = await writer.deploy("NFTDescriptor")
    descriptor = await writer.deploy(
        "NonfungibleTokenPositionDescriptor", weth, _ETH_LABEL, libraries={"NFTDescriptor": library}
    )
    positions = await writer.deploy("NonfungiblePositionManager", factory, weth, descriptor)
    router = await writer.deploy("SwapRouter", factory, weth)
    quoter = await writer.deploy("QuoterV2", factory, weth)
    await writer.send(factory, "enableFeeAmount(uint24,int24)", 100, TICK_SPACING[100])
    return UniswapV3(factory=factory, positions=positions, router=router, quoter=quoter)


async def open_pool(
    writer: BlockWriter, uniswap: UniswapV3, *, fee_pips: int, units: tuple[tuple[str, int], tuple[str, int]]
) -> Pool:
    """
    Open a pool at the price that `units` imply, with all of them in one full-range position.

    The writer's account must hold both tokens and have approved the position desk. `units` are two of
    (token, raw units), in any order.
    """
    (token0, units0), (token1, units1) = sorted(units, key=lambda side: int(side[0], 16))
    price = sqrt_price_x96(units0, units1)
    await writer.send(
        uniswap.positions,
        "createAndInitializePoolIfNecessary(address,address,uint24,uint160)",
        *(token0, token1, fee_pips, price),
    )
    edge = _TICK_MOST // TICK_SPACING[fee_pips] * TICK_SPACING[fee_pips]
    await writer.send(
        uniswap.positions,
        "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))",
        (token0, token1, fee_pips, -edge, edge, units0, units1, 0, 0, writer.account, _FOREVER_S),
    )
    address = await writer.address(
        uniswap.factory, "getPool(address,address,uint24)", token0, token1, fee_pips
    )
    return Pool(address=address, token0=token0, token1=token1, fee_pips=fee_pips)


async def pool_states(writer: BlockWriter, pools: Sequence[Pool]) -> list[PoolState]:
    """Return where pools stand now."""
    found = await writer.numbers(
        [
            View(to=pool.address, signature=signature)
            for pool in pools
            for signature in ("slot0()", "liquidity()")
        ]
    )
    return [
        PoolState(sqrt_price_x96=price, liquidity=liquidity, fee_pips=pool.fee_pips)
        for pool, price, liquidity in zip(pools, found[::2], found[1::2], strict=True)
    ]


def swap_call(
    uniswap: UniswapV3,
    pool: Pool,
    *,
    units_in: int,
    zero_for_one: bool,
    sender: str,
    limit_x96: int = 0,
) -> Call:
    """Return an exact-in swap by `sender`, who has approved the router; it stops at `limit_x96` unless 0."""
    token_in, token_out = (pool.token0, pool.token1) if zero_for_one else (pool.token1, pool.token0)
    return Call(
        to=uniswap.router,
        signature="exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
        values=((token_in, token_out, pool.fee_pips, sender, _FOREVER_S, units_in, 0, limit_x96),),
        sender=sender,
    )
