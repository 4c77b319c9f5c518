"""Building a world: everything the conversions of a universe need, deployed and furnished for a frame."""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Final

from treasury_actors.chain.model.rpc import result_of
from treasury_actors.chain.model.values import sequence
from treasury_actors.chain.ports import Rpc
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion, Universe
from treasury_actors.money import MICRO_USD
from treasury_actors.simulation.rehearsal.contracts import Artifacts
from treasury_actors.simulation.rehearsal.curves import RAY, RateCurve
from treasury_actors.simulation.rehearsal.deploy_aave_v3 import (
    AaveV3,
    ReservePlan,
    deploy_aave_v3,
    set_liquidity_index,
)
from treasury_actors.simulation.rehearsal.deploy_chainlink import Feed, deploy_chainlink_feed, next_answers
from treasury_actors.simulation.rehearsal.deploy_safe import deploy_safe
from treasury_actors.simulation.rehearsal.deploy_session import BlockWriter
from treasury_actors.simulation.rehearsal.deploy_tokens import Vault, deploy_token, deploy_vault, deploy_weth
from treasury_actors.simulation.rehearsal.deploy_uniswap_v3 import (
    Pool,
    UniswapV3,
    deploy_uniswap_v3,
    open_pool,
)
from treasury_actors.simulation.rehearsal.world import (
    AAVE,
    UNISWAP,
    WETH,
    Roles,
    World,
    conversions_at,
    feed_answer,
    rate_in_ray,
)

MINTED: Final = (AssetId("USDC"), AssetId("USDT"), AssetId("WBTC"), AssetId("LINK"))
COLLATERAL: Final = AssetId("WBTC")
"""What the borrower borrows against; the house has no business with its reserve."""

COLLATERAL_TOKENS: Final = 1_000_000
DEPTH_MOST_USD: Final = 1e9
"""A season may say that nothing limits a market; a chain needs a number."""

_UNLIMITED = 2**256 - 1
_PURSE_TOKENS = 10**12
_ETHER_PURSE_TOKENS = 10**8
_GAS_PURSE_WEI = 10**9 * 10**18
_PIPS_A_BPS = 100
_INDEX_STEPS = 10**15
_STABLE_CURVE = RateCurve(
    optimal_ray=90 * RAY // 100,
    base_ray=0,
    slope1_ray=55 * RAY // 1000,
    slope2_ray=60 * RAY // 100,
    reserve_factor_bps=1_000,
)
_ETHER_CURVE = RateCurve(
    optimal_ray=80 * RAY // 100,
    base_ray=0,
    slope1_ray=27 * RAY // 1000,
    slope2_ray=80 * RAY // 100,
    reserve_factor_bps=1_500,
)


async def build_world(
    rpc: Rpc, *, artifacts: Artifacts, universe: Universe, frame: MarketFrame, gas_ratio: float = 1.0
) -> World:
    """
    Deploy the world of `universe` on an empty local node and move it to `frame`; about a second.

    The node's clock must be earlier than the frame's: start it an hour before.

    Raises:
        ConfigError: the universe lacks a token of the world, or its reserve is none that can be minted.
    """
    lacks = [asset for asset in (*MINTED, WETH) if asset not in universe.by_id]
    if lacks:
        raise ConfigError(f"universe {universe.name}: no {', '.join(lacks)}; a rehearsal's world trades them")
    if universe.reserve not in MINTED:
        raise ConfigError(
            f"universe {universe.name}: the reserve is {universe.reserve}, allowed are {', '.join(MINTED)}"
        )
    accounts = sequence(result_of(await rpc.call("eth_accounts"), "eth_accounts"), "eth_accounts")
    deployer, arbitrageur, borrower = (str(account) for account in accounts[:3])
    roles = Roles(deployer=deployer, arbitrageur=arbitrageur, borrower=borrower)
    writer = BlockWriter(rpc, artifacts=artifacts, account=deployer)
    for account in (deployer, arbitrageur, borrower):
        await writer.ask("anvil_setBalance", account, hex(_GAS_PURSE_WEI))
    # Blocks a second apart, whatever the machine's clock says: the same run gives the same interest.
    await writer.ask("anvil_setBlockTimestampInterval", 1)
    async with writer.blocks(building=True):
        world = replace(await _deployed(writer, universe, roles, frame), gas_ratio=gas_ratio)
    await world.move_to(frame)
    return world


async def _deployed(writer: BlockWriter, universe: Universe, roles: Roles, frame: MarketFrame) -> World:
    """Deploy tokens first, then what trades, lends, keeps and prices them."""
    weth = await deploy_weth(writer)
    tokens = {WETH: weth}
    for asset in MINTED:
        decimals = universe.by_id[asset].decimals
        tokens[asset] = await deploy_token(writer, symbol=asset, decimals=decimals)
    feeds = await _feeds(writer, universe, tokens, frame)
    uniswap = await deploy_uniswap_v3(writer, weth=weth)
    aave = await _market(writer, universe, tokens, feeds)
    await _set_indexes(writer, universe, aave, frame)
    await _fill_purses(writer, universe, tokens, roles=roles, uniswap=uniswap, aave=aave)
    pools = await _pools(writer, universe, uniswap, tokens, frame)
    await _supply(writer, universe, roles, aave, frame)
    vaults = await _vaults(writer, universe, tokens, frame)
    tokens |= {share: vault.address for share, vault in vaults.items()}
    for step in conversions_at(universe, AAVE, "supply"):
        tokens[step.target] = aave.reserve(step.source).a_token
    return World(
        writer=writer,
        universe=universe,
        roles=roles,
        tokens=tokens,
        uniswap=uniswap,
        pools=pools,
        aave=aave,
        feeds=feeds,
        vaults=vaults,
        safe=await deploy_safe(writer),
        left_out=tuple(step for step in universe.conversions if not _stands(step, tokens)),
    )


def _stands(step: Conversion, tokens: Mapping[AssetId, str]) -> bool:
    """Return whether a conversion has its contracts here."""
    return step.source in tokens and step.target in tokens


async def _feeds(
    writer: BlockWriter, universe: Universe, tokens: Mapping[AssetId, str], frame: MarketFrame
) -> dict[AssetId, Feed]:
    """Deploy a feed for each token, with its first round answered."""
    feeds = {}
    for asset in tokens:
        name = f"{'ETH' if asset == WETH else asset} / USD"
        feeds[asset] = await deploy_chainlink_feed(writer, description=name, link=tokens[AssetId("LINK")])
    answers = [
        (feed, feed_answer(universe.by_id[asset], frame.ticks[universe.column[asset]]))
        for asset, feed in feeds.items()
    ]
    for call in await next_answers(writer, answers):
        await writer.send(call.to, call.signature, *call.values)
    return feeds


async def _market(
    writer: BlockWriter, universe: Universe, tokens: Mapping[AssetId, str], feeds: Mapping[AssetId, Feed]
) -> AaveV3:
    """Deploy Aave with the universe's reserves, and the one of the borrower's collateral."""
    listed = [step.source for step in conversions_at(universe, AAVE, "supply")]
    plans = [
        ReservePlan(
            symbol=asset,
            token=tokens[asset],
            decimals=universe.by_id[asset].decimals,
            feed=feeds[asset].proxy,
            curve=_ETHER_CURVE if asset == WETH else _STABLE_CURVE,
        )
        for asset in (*listed, *(() if COLLATERAL in listed else (COLLATERAL,)))
    ]
    return await deploy_aave_v3(writer, plans)


async def _set_indexes(writer: BlockWriter, universe: Universe, aave: AaveV3, frame: MarketFrame) -> None:
    """Let each reserve begin with the interest of the season so far, before anybody has supplied to it."""
    for step in conversions_at(universe, AAVE, "supply"):
        index_ray = round(frame.share_prices[universe.column[step.target]] * _INDEX_STEPS) * (
            RAY // _INDEX_STEPS
        )
        await set_liquidity_index(writer, aave, step.source, index_ray)


async def _fill_purses(
    writer: BlockWriter,
    universe: Universe,
    tokens: Mapping[AssetId, str],
    *,
    roles: Roles,
    uniswap: UniswapV3,
    aave: AaveV3,
) -> None:
    """Give the movers more than they will ever need, and let the protocols take it from them."""
    spenders = {
        roles.deployer: (uniswap.positions, aave.pool),
        roles.arbitrageur: (uniswap.router,),
        roles.borrower: (aave.pool,),
    }
    for asset, token in tokens.items():
        for account, allowed in spenders.items():
            if asset == WETH:
                await writer.send(token, "deposit()", wei=_ETHER_PURSE_TOKENS * 10**18, sender=account)
            else:
                units = _PURSE_TOKENS * 10 ** universe.by_id[asset].decimals
                await writer.send(token, "mint(address,uint256)", account, units)
            for spender in allowed:
                await writer.send(token, "approve(address,uint256)", spender, _UNLIMITED, sender=account)


async def _pools(
    writer: BlockWriter,
    universe: Universe,
    uniswap: UniswapV3,
    tokens: Mapping[AssetId, str],
    frame: MarketFrame,
) -> dict[AssetId, Pool]:
    """Open a pool for each asset the universe sells for its reserve, as deep as the frame says."""
    pools = {}
    for step in conversions_at(universe, UNISWAP, "swap"):
        if step.target != universe.reserve or step.source not in tokens:
            continue
        depth_usd = min(frame.depth_usd[universe.conversion_column[step.id]], DEPTH_MOST_USD)
        micro_usd = round(depth_usd * MICRO_USD)
        sides = [
            (
                tokens[asset],
                universe.by_id[asset].units_for_micro_usd(micro_usd, frame.ticks[universe.column[asset]]),
            )
            for asset in (step.source, step.target)
        ]
        pools[step.source] = await open_pool(
            writer, uniswap, fee_pips=round(step.fee_bps * _PIPS_A_BPS), units=(sides[0], sides[1])
        )
    return pools


async def _supply(
    writer: BlockWriter, universe: Universe, roles: Roles, aave: AaveV3, frame: MarketFrame
) -> None:
    """Supply so much that at the frame's rate the frame's capacity lies idle; and the collateral."""
    supply = "supply(address,uint256,address,uint16)"
    for step in conversions_at(universe, AAVE, "withdraw"):
        asset = universe.by_id[step.target]
        reserve = aave.reserve(step.target)
        idle_usd = min(frame.capacity_usd[universe.conversion_column[step.id]], DEPTH_MOST_USD)
        rate = frame.rates[universe.column[step.source]]
        lent = reserve.curve.debt_for(rate_in_ray(rate) if isfinite(rate) else 0, RAY)
        idle = asset.units_for_micro_usd(
            round(idle_usd * MICRO_USD), frame.ticks[universe.column[step.target]]
        )
        await writer.send(
            aave.pool, supply, reserve.token, max(1, idle * RAY // (RAY - lent)), writer.account, 0
        )
    units = COLLATERAL_TOKENS * 10 ** universe.by_id[COLLATERAL].decimals
    collateral = aave.reserve(COLLATERAL).token
    await writer.send(aave.pool, supply, collateral, units, roles.borrower, 0, sender=roles.borrower)


async def _vaults(
    writer: BlockWriter, universe: Universe, tokens: Mapping[AssetId, str], frame: MarketFrame
) -> dict[AssetId, Vault]:
    """Deploy each vault of the universe, with the frame's capacity in it as somebody else's deposit."""
    vaults = {}
    for step in universe.conversions:
        if step.action != "redeem":
            continue
        share, underlying = universe.by_id[step.source], universe.by_id[step.target]
        vault = await deploy_vault(
            writer,
            symbol=share.id,
            underlying=tokens[underlying.id],
            underlying_decimals=underlying.decimals,
            share_decimals=share.decimals,
        )
        held_usd = min(frame.capacity_usd[universe.conversion_column[step.id]], DEPTH_MOST_USD)
        units = underlying.units_for_micro_usd(
            round(held_usd * MICRO_USD), frame.ticks[universe.column[underlying.id]]
        )
        await writer.send(vault.underlying, "approve(address,uint256)", vault.address, units)
        await writer.send(vault.address, "deposit(uint256,address)", units, writer.account)
        vaults[share.id] = vault
    return vaults
