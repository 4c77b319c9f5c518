"""The rehearsal's world on a real node: the published contracts stand, compute as documented, and move."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.adapters.registry_check import check_registry
from treasury_actors.chain.model.faults import ToolFault
from treasury_actors.chain.model.registry import LOCAL_CHAIN_ID
from treasury_actors.chain.model.rpc import Json
from treasury_actors.chain.model.values import field, mapping, quantity, sequence
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.generated import START_NS, generate_season
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.rehearsal.contracts import Artifacts, call_data, published
from treasury_actors.simulation.rehearsal.curves import (
    SwapResult,
    grown_index,
    ray_div,
    ray_mul,
    swap_exact_in,
)
from treasury_actors.simulation.rehearsal.deploy_safe import create_safe
from treasury_actors.simulation.rehearsal.deploy_session import View, checksummed
from treasury_actors.simulation.rehearsal.deploy_uniswap_v3 import pool_states, swap_call
from treasury_actors.simulation.rehearsal.deploy_world import build_world
from treasury_actors.simulation.rehearsal.world import World

MAINNET_POOL_INIT_CODE_HASH = "e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54"
USDC, WETH, LINK = AssetId("USDC"), AssetId("WETH"), AssetId("LINK")
SEASON = generate_season(universe=MAINNET, seed=1, days=3, warmup_h=0)
FRAMES, S_NS, MONTH_S, USER = 48, 10**9, 30 * 24 * 3600, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A world that stands, and an account of nobody's on it."""

    world: World
    rpc: HttpRpc
    user: str

    def deployed(self) -> list[str]:
        """Return every address of the world."""
        world = self.world
        uniswap, aave, safe = world.uniswap, world.aave, world.safe
        return [
            *world.tokens.values(),
            *(pool.address for pool in world.pools.values()),
            *(address for feed in world.feeds.values() for address in (feed.aggregator, feed.proxy)),
            *(reserve.debt_token for reserve in aave.reserves),
            *(uniswap.factory, uniswap.positions, uniswap.router, uniswap.quoter),
            *(aave.provider, aave.pool, aave.configurator, aave.oracle, aave.data_provider),
            *(safe.singleton, safe.factory, safe.fallback_handler, safe.multi_send),
        ]

    async def block(self) -> dict[str, Json]:
        """Return the newest block."""
        latest = await self.world.writer.ask("eth_getBlockByNumber", "latest", False)  # noqa: FBT003
        return mapping(latest, "block")

    async def time_s(self) -> int:
        """Return the newest block's time."""
        return quantity(field(await self.block(), "timestamp", "block"), "timestamp")

    async def held(self, asset: AssetId) -> int:
        """Return what the user holds of a token."""
        return await self.world.writer.number(self.world.tokens[asset], "balanceOf(address)", self.user)

    async def act(self, to: str, signature: str, *values: object) -> None:
        """Let the user call a contract, in a block of its own."""
        async with self.world.writer.blocks():
            await self.world.writer.send(to, signature, *values, sender=self.user)

    async def allow(self, asset: AssetId, spender: str, units: int) -> None:
        """Let `spender` take exactly so much from the user."""
        await self.act(self.world.tokens[asset], "approve(address,uint256)", spender, units)

    async def reserve_word(self, asset: AssetId, word: int) -> int:
        """Return one number of an Aave reserve: 5 is its supply rate, 9 its liquidity index, 11 its time."""
        types = f"({','.join(['uint256'] * 12)})"
        provider = self.world.aave.data_provider
        token = self.world.tokens[asset]
        found = await self.world.writer.read(provider, "getReserveData(address)", types, token)
        return int(str(found[word]))


@pytest.fixture(scope="session")
def artifacts() -> Artifacts:
    return published()


@pytest.fixture(scope="session")
def standing(anvil_path: Path, artifacts: Artifacts) -> Iterator[tuple[AnvilNode, World]]:
    node = AnvilNode(AnvilOptions(timestamp=START_NS // S_NS - 3600), binary=anvil_path)

    async def build() -> World:
        await node.start()
        async with HttpRpc(Endpoint(url=node.url)) as rpc:
            return await build_world(rpc, artifacts=artifacts, universe=MAINNET, frame=SEASON.frame(0))

    world = asyncio.run(build())
    yield node, world
    asyncio.run(node.stop())


@pytest.fixture
async def ground(standing: tuple[AnvilNode, World]) -> AsyncIterator[Ground]:
    node, world = standing
    async with HttpRpc(Endpoint(url=node.url)) as rpc:
        here = world.on(rpc)
        before = await here.writer.ask("evm_snapshot")
        accounts = sequence(await here.writer.ask("eth_accounts"), "accounts")
        yield Ground(world=here, rpc=rpc, user=str(accounts[USER]))
        assert await here.writer.ask("evm_revert", before) is True


async def test_every_address_of_the_world_has_code(ground: Ground) -> None:
    deployed = ground.deployed()
    codes = [str(await ground.world.writer.ask("eth_getCode", address, "latest")) for address in deployed]

    assert [address for address, code in zip(deployed, codes, strict=True) if code == "0x"] == []
    assert len(deployed) == len(dict.fromkeys(deployed)) == 41


async def test_the_registry_of_the_world_passes_the_check_before_trading(ground: Ground) -> None:
    registry = await ground.world.registry()

    found = await check_registry(ground.rpc, registry)

    assert registry.chain_id == LOCAL_CHAIN_ID
    assert (found.refused, found.unpinned) == ((), ())
    assert len(found.code_hashes) == len(registry.items) == 30
    assert registry.token(AssetId("steakUSDC")).decimals == 18
    assert registry.contract("aave-v3:pool").address == ground.world.aave.pool


async def test_only_staking_has_no_contracts_here(ground: Ground) -> None:
    assert [step.id for step in ground.world.left_out] == [
        "WETH>wstETH@lido",
        "wstETH>WETH@uniswap-v3",
        "WETH>weETH@etherfi",
        "weETH>WETH@uniswap-v3",
    ]


async def test_pools_are_of_the_code_that_mainnet_has(ground: Ground, artifacts: Artifacts) -> None:
    from eth_utils.crypto import keccak  # noqa: PLC0415

    code_hash = keccak(bytes.fromhex(artifacts["UniswapV3Pool"].code))
    pool = ground.world.pools[WETH]
    salt = keccak(
        bytes.fromhex(call_data("f(address,address,uint24)", pool.token0, pool.token1, pool.fee_pips)[10:])
    )
    factory = bytes.fromhex(ground.world.uniswap.factory[2:])

    assert code_hash.hex() == MAINNET_POOL_INIT_CODE_HASH
    assert pool.address == checksummed("0x" + keccak(b"\xff" + factory + salt + code_hash)[12:].hex())


@pytest.mark.parametrize("path", ["USDC>WETH", "WETH>USDC", "USDC>LINK", "LINK>USDC", "WBTC>USDC"])
async def test_a_swap_equals_the_integer_maths_to_the_unit(ground: Ground, path: str) -> None:
    given, taken = (AssetId(name) for name in path.split(">"))
    expected, quoted, paid, left = await swapped(ground, given, taken)

    assert paid.units_out == expected.units_out == quoted > 0
    assert paid.sqrt_price_x96 == expected.sqrt_price_x96
    assert left == 0


async def test_a_swap_over_the_edge_of_a_bitmap_word_is_rounded_once_more(ground: Ground) -> None:
    """At a price of 1 lies such an edge: the pool computes two steps there, and each rounds its way."""
    expected, quoted, paid, _ = await swapped(ground, AssetId("USDT"), USDC)

    assert paid.units_out == quoted
    assert 0 < expected.units_out - paid.units_out <= 4


async def swapped(ground: Ground, given: AssetId, taken: AssetId) -> tuple[SwapResult, int, SwapResult, int]:
    """Swap for $12,345; return what our maths says, the quote, what happened, and what was left over."""
    world = ground.world
    pool = world.pools[taken if given == USDC else given]
    units = MAINNET.by_id[given].units_for_micro_usd(
        12_345_678_901, SEASON.frame(0).ticks[MAINNET.column[given]]
    )
    await world.fund(ground.user, given, units)
    await ground.allow(given, world.uniswap.router, units)
    (before,) = await pool_states(world.writer, [pool])
    zero_for_one = pool.token0 == world.tokens[given]
    expected = swap_exact_in(before, units, zero_for_one=zero_for_one)
    quoted = await world.writer.number(
        world.uniswap.quoter,
        "quoteExactInputSingle((address,address,uint256,uint24,uint160))",
        (world.tokens[given], world.tokens[taken], units, pool.fee_pips, 0),
    )

    call = swap_call(world.uniswap, pool, units_in=units, zero_for_one=zero_for_one, sender=ground.user)
    await world.writer.one_block([call])

    (after,) = await pool_states(world.writer, [pool])
    paid = SwapResult(units_out=await ground.held(taken), sqrt_price_x96=after.sqrt_price_x96)
    return expected, quoted, paid, await ground.held(given)


async def test_a_month_at_aave_equals_the_ray_maths_to_the_unit(ground: Ground) -> None:
    world, share, units = ground.world, AssetId("aUSDC"), 1_000_000_000
    await world.fund(ground.user, USDC, units)
    await ground.allow(USDC, world.aave.pool, units)
    supply = "supply(address,uint256,address,uint16)"
    await ground.act(world.aave.pool, supply, world.tokens[USDC], units, ground.user, 0)
    index, rate = await ground.reserve_word(USDC, 9), await ground.reserve_word(USDC, 5)
    scaled = await world.writer.number(world.tokens[share], "scaledBalanceOf(address)", ground.user)
    start_s = await ground.time_s()

    await world.advance_to((start_s + MONTH_S) * S_NS)

    grown = ray_mul(scaled, grown_index(index, rate, MONTH_S))
    assert scaled == ray_div(units, index)
    assert await ground.held(share) == grown > units
    withdraw = "withdraw(address,uint256,address)"
    await ground.act(world.aave.pool, withdraw, world.tokens[USDC], grown, ground.user)
    assert await ground.held(USDC) == grown
    # The withdrawal was mined a second later, and that second's interest stays.
    last_s = await ground.time_s() - start_s
    left = scaled - ray_div(grown, grown_index(index, rate, last_s))
    assert await world.writer.number(world.tokens[share], "scaledBalanceOf(address)", ground.user) == left


@pytest.mark.parametrize("share", [AssetId("steakUSDC"), AssetId("fUSDC")])
async def test_a_vault_rounds_against_the_depositor(ground: Ground, share: AssetId) -> None:
    world, vault, units = ground.world, ground.world.vaults[share], 123_456_789
    await world.fund(ground.user, USDC, units)
    await ground.allow(USDC, vault.address, units)
    views = [View(to=vault.address, signature=name) for name in ("totalAssets()", "totalSupply()")]
    assets, shares = await world.writer.numbers(views)

    await ground.act(vault.address, "deposit(uint256,address)", units, ground.user)

    minted = units * (shares + 10**vault.offset) // (assets + 1)
    assert await ground.held(share) == minted
    redeem = "redeem(uint256,address,address)"
    await ground.act(vault.address, redeem, minted, ground.user, ground.user)
    back = minted * (assets + units + 1) // (shares + minted + 10**vault.offset)
    assert await ground.held(USDC) == back
    assert units - 1 <= back <= units


async def test_feeds_and_aaves_oracle_report_the_frame(ground: Ground) -> None:
    world, frame = ground.world, SEASON.frame(7)

    await world.move_to(frame)

    for asset, feed in world.feeds.items():
        _, answer, _, updated_s, _ = await world.writer.read(
            feed.proxy, "latestRoundData()", "(uint80,int256,uint256,uint256,uint80)"
        )
        exponent = MAINNET.by_id[asset].tick_exponent
        usd = frame.ticks[MAINNET.column[asset]] / 10**exponent
        assert int(str(answer)) == pytest.approx(usd * 10**8, abs=0.6)
        assert updated_s == frame.time_ns // S_NS
    price = await world.writer.number(world.aave.oracle, "getAssetPrice(address)", world.tokens[WETH])
    assert price == await world.writer.number(world.feeds[WETH].proxy, "latestAnswer()")


async def assert_at(ground: Ground, frame: MarketFrame) -> None:
    """Assert that the chain says what the frame says: within 1 bp where a mover can't be exact."""
    world = ground.world
    states = await pool_states(world.writer, list(world.pools.values()))
    for asset, state in zip(world.pools, states, strict=True):
        target = world.frame_sqrt_price(frame, asset)
        assert (state.sqrt_price_x96 / target) ** 2 == pytest.approx(1.0, abs=0.0001)
    for symbol in ("USDC", "USDT", "WETH"):
        rate = await ground.reserve_word(AssetId(symbol), 5) / 10**27
        assert rate == pytest.approx(frame.rates[MAINNET.column[AssetId(f"a{symbol}")]], abs=0.0001)
    for share_id, vault in world.vaults.items():
        whole = 10**vault.share_decimals
        assets = await world.writer.number(vault.address, "convertToAssets(uint256)", whole)
        wanted = frame.share_prices[MAINNET.column[share_id]] * 10**vault.underlying_decimals
        assert assets == pytest.approx(wanted, abs=1.5)


async def test_the_world_follows_a_season_frame_by_frame(ground: Ground) -> None:
    for index in range(1, FRAMES + 1):
        frame = SEASON.frame(index)
        await ground.world.move_to(frame)
        block = await ground.block()
        await assert_at(ground, frame)
        assert quantity(field(block, "timestamp", "block"), "time") == frame.time_ns // S_NS
        # Five oracles, four pools, three reserves, two vaults: each at most once.
        assert len(sequence(field(block, "transactions", "block"), "transactions")) <= 14


async def test_the_gas_price_of_a_frame_is_the_next_blocks_base_fee(ground: Ground) -> None:
    frame = replace(SEASON.frame(1), l1_gas_gwei=153.25)

    await ground.world.move_to(frame)
    await ground.world.fund(ground.user, USDC, 1)

    base_fee = field(await ground.block(), "baseFeePerGas", "block")
    assert quantity(base_fee, "base fee") == 153_250_000_000


async def test_the_same_frames_give_the_same_blocks(standing: tuple[AnvilNode, World]) -> None:
    node, world = standing
    heads = []
    async with HttpRpc(Endpoint(url=node.url)) as rpc:
        here = Ground(world=world.on(rpc), rpc=rpc, user="")
        for _ in range(2):
            before = await here.world.writer.ask("evm_snapshot")
            await here.world.set_gas(SEASON.frame(0))  # what a revert does not bring back
            for index in range(1, 5):
                await here.world.move_to(SEASON.frame(index))
            await here.world.set_prices(SEASON.frame(6))
            heads.append(field(await here.block(), "hash", "block"))
            await here.world.writer.ask("evm_revert", before)

    assert heads[0] == heads[1]


async def test_a_pool_that_stands_at_the_price_is_left_alone(ground: Ground) -> None:
    await ground.world.move_to(SEASON.frame(2))
    await ground.world.set_prices(SEASON.frame(2))

    transactions = sequence(field(await ground.block(), "transactions", "block"), "transactions")
    assert len(transactions) == len(ground.world.feeds)


async def test_a_vault_can_lose(ground: Ground) -> None:
    frame, share = SEASON.frame(1), AssetId("fUSDC")
    prices = list(frame.share_prices)
    prices[MAINNET.column[share]] *= 0.9

    await ground.world.move_rates(replace(frame, share_prices=tuple(prices)))

    assert await ground.world.writer.number(
        ground.world.vaults[share].address, "convertToAssets(uint256)", 10**6
    ) == pytest.approx(prices[MAINNET.column[share]] * 10**6, abs=1.5)


async def test_a_refused_transaction_is_a_fault_that_names_it_and_mining_goes_on(ground: Ground) -> None:
    token = ground.world.tokens[USDC]

    with pytest.raises(ToolFault, match=r"refused transfer\(address,uint256\) of 0x"):
        await ground.act(token, "transfer(address,uint256)", ground.world.roles.deployer, 1)
    assert await ground.world.writer.ask("anvil_getAutomine") is True


async def test_a_view_of_an_address_without_code_is_a_fault(ground: Ground) -> None:
    with pytest.raises(ToolFault, match=r"does not answer totalSupply\(\)"):
        await ground.world.writer.number(ground.user, "totalSupply()")


async def test_a_universe_without_a_token_of_the_world_is_refused(ground: Ground) -> None:
    smaller = replace(MAINNET, assets=MAINNET.assets[:3])

    with pytest.raises(ConfigError, match="no WBTC, LINK"):
        await build_world(
            ground.rpc, artifacts=ground.world.writer.artifacts, universe=smaller, frame=SEASON.frame(0)
        )


async def test_a_safe_of_one_owner_stands(ground: Ground) -> None:
    async with ground.world.writer.blocks():
        safe = await create_safe(ground.world.writer, ground.world.safe, owners=[ground.user], threshold=1)

    owners = await ground.world.writer.read(safe, "getOwners()", "(address[])")
    assert [checksummed(str(owner)) for owner in list(owners[0])] == [checksummed(ground.user)]  # type: ignore[call-overload]
    assert await ground.world.writer.number(safe, "getThreshold()") == 1


async def test_hostile_tokens_do_what_their_names_say(ground: Ground) -> None:
    writer, deployer = ground.world.writer, ground.world.roles.deployer
    names = ["FeeOnTransferToken", "ReturnsFalseToken", "RevertingToken", "BlacklistToken"]
    async with writer.blocks():
        tokens = [await writer.deploy(name, name, name, 6) for name in names]
        for token in tokens:
            await writer.send(token, "mint(address,uint256)", deployer, 1_000)
    taxed, false, reverting, blacklist = tokens
    transfer = "transfer(address,uint256)"

    async with writer.blocks():
        for token in (taxed, false, blacklist):
            await writer.send(token, transfer, ground.user, 500)
        await writer.send(blacklist, "setBlacklisted(address,bool)", ground.user, True)  # noqa: FBT003

    balances = await writer.numbers(
        [View(to=token, signature="balanceOf(address)", values=(ground.user,)) for token in tokens]
    )
    assert balances == [495, 0, 0, 500]
    assert await writer.number(false, transfer, ground.user, 1) == 0
    for token in (reverting, blacklist):
        with pytest.raises(ToolFault, match="refused"):
            await ground.act(token, transfer, deployer, 1)
