"""A market read from a real node is the frame its world was moved to."""

from dataclasses import replace
from math import inf, isnan

import pytest

from tests.integration.evm.feed.conftest import Market
from treasury_actors.chain.adapters.anvil import AnvilNode
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.model.faults import RpcFault
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId, ConversionId
from treasury_actors.market.adapters.evm.reader import ChainReader
from treasury_actors.market.adapters.evm.views import SELECTORS
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.frame_reading import Block, FrameReading, unjudged_frame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.market.model.universe import Universe

USDC, WETH, ETH = AssetId("USDC"), AssetId("WETH"), AssetId("ETH")
LENT = tuple(AssetId(name) for name in ("aUSDC", "aUSDT", "aWETH"))
VAULTS = (AssetId("steakUSDC"), AssetId("fUSDC"))
ABSENT = (AssetId("wstETH"), AssetId("weETH"))
STEPS = MAINNET.conversion_column


def at(numbers: tuple[float, ...], asset: AssetId) -> float:
    return numbers[MAINNET.column[asset]]


def of(numbers: tuple[float, ...], step: str) -> float:
    return numbers[STEPS[ConversionId(step)]]


def as_frame(reading: FrameReading, wanted: MarketFrame) -> MarketFrame:
    return unjudged_frame(reading, MAINNET, index=wanted.index, time_ns=wanted.time_ns)


def assert_is(found: MarketFrame, wanted: MarketFrame) -> None:
    """Assert that what was read is the frame; Aave's own index is the chain's, whatever a season says."""
    for asset in MAINNET.assets:
        if asset.underlying is None:
            # A feed has 8 decimals: a tenth of a millionth of a basis point, far below 0.2 bps.
            assert at(found.ticks, asset.id) == pytest.approx(at(wanted.ticks, asset.id), rel=1e-8)
    for share in VAULTS:
        assert at(found.share_prices, share) == pytest.approx(at(wanted.share_prices, share), rel=1e-9)
        assert at(found.ticks, share) == pytest.approx(at(wanted.ticks, share), rel=2e-8)
    for share in LENT:
        # The world's borrower leaves a utilisation alone that is off by ten millionths.
        assert at(found.rates, share) == pytest.approx(at(wanted.rates, share), abs=1e-5)
        underlying = MAINNET.by_id[share].underlying
        assert underlying is not None
        worth = at(found.ticks, underlying) * at(found.share_prices, share)
        assert at(found.ticks, share) == pytest.approx(worth, rel=1e-9)
    assert found.l1_gas_gwei == pytest.approx(wanted.l1_gas_gwei, rel=1e-9)


async def test_the_frame_read_back_is_the_frame_the_world_was_moved_to(market: Market) -> None:
    reader, season, before = await market.reader(), market.season, None
    for index in range(1, 7):
        wanted = season.frame(index)
        await market.world.move_to(wanted)

        reading = await reader.read(before)

        assert_is(as_frame(reading, wanted), wanted)
        assert reading.block.time_s == wanted.time_ns // 10**9
        assert reading.parent_is_canonical
        before = reading.block


async def test_pools_say_the_same_as_oracles_where_the_arbitrageur_was(market: Market) -> None:
    wanted = market.season.frame(3)
    await market.world.move_to(wanted)

    reading = await (await market.reader()).read()

    for asset in (*market.world.pools, ETH, USDC):
        oracle, *pools = reading.quotes[MAINNET.column[asset]]
        assert oracle.source == "oracle"
        assert len(pools) == (4 if asset == USDC else 1)
        for pool in pools:
            assert pool.source == "pool"
            assert pool.ticks == pytest.approx(oracle.ticks, rel=0.00002)  # 0.2 bps


async def test_depth_and_idle_liquidity_are_those_of_the_frame_the_world_was_built_for(
    market: Market,
) -> None:
    wanted = market.season.frame(0)

    found = as_frame(await (await market.reader()).read(), wanted)

    for asset in market.world.pools:
        for step in (f"USDC>{asset}@uniswap-v3", f"{asset}>USDC@uniswap-v3"):
            assert of(found.depth_usd, step) == pytest.approx(of(wanted.depth_usd, step), rel=1e-5)
    for step in ("aUSDC>USDC@aave-v3", "aWETH>WETH@aave-v3", "steakUSDC>USDC@morpho", "fUSDC>USDC@fluid"):
        expected = of(wanted.capacity_usd, step) * at(found.share_prices, AssetId(step.split(">")[0]))
        # A vault was filled at a share price of 1, and earned since.
        exact = of(wanted.capacity_usd, step) if "aave" in step else expected
        assert of(found.capacity_usd, step) == pytest.approx(exact, rel=1e-4)
    assert of(found.depth_usd, "USDC>aUSDC@aave-v3") == inf
    assert of(found.capacity_usd, "USDC>aUSDC@aave-v3") == inf
    assert of(found.capacity_usd, "USDC>fUSDC@fluid") == inf


async def test_what_has_no_contract_here_has_no_price_no_depth_and_no_capacity(market: Market) -> None:
    reader = await market.reader()

    reading = await reader.read()
    found = as_frame(reading, market.season.frame(0))

    assert reader.absent == reading.absent == ABSENT
    assert [step.id for step in reader.left_out] == [step.id for step in market.world.left_out]
    for asset in ABSENT:
        assert (at(found.ticks, asset), found.fresh[MAINNET.column[asset]]) == (0, False)
        assert isnan(at(reading.share_prices, asset))
        assert isnan(at(found.rates, asset))
    assert of(found.capacity_usd, "WETH>wstETH@lido") == 0.0
    assert of(found.depth_usd, "wstETH>WETH@uniswap-v3") == 0.0


async def test_depth_follows_the_side_that_is_sold(market: Market) -> None:
    """After a swap of a tenth of the depth, $1.1 of one side stand for $0.91 of the other."""
    frame = market.season.frame(0)
    ticks = list(frame.ticks)
    ticks[MAINNET.column[WETH]] = ticks[MAINNET.column[WETH]] * 121 // 100
    before = as_frame(await (await market.reader()).read(), frame)

    await market.world.move_to(replace(market.season.frame(1), ticks=tuple(ticks)))

    after = as_frame(await (await market.reader()).read(), frame)
    for step in ("USDC>WETH@uniswap-v3", "WETH>USDC@uniswap-v3"):
        grown = of(after.depth_usd, step) / of(before.depth_usd, step)
        assert grown == pytest.approx(1.1, rel=1e-3)


async def test_a_pool_that_is_not_pinned_by_name_is_found_by_the_pinned_factory(market: Market) -> None:
    contracts = tuple(c for c in market.registry.contracts if not c.name.startswith("uniswap-v3:pool:"))
    registry = replace(market.registry, contracts=contracts)

    found = await ChainReader.open(market.rpc, universe=MAINNET, registry=registry)

    assert (await found.read()) == (await (await market.reader()).read())


async def test_a_chain_without_the_reserves_feed_is_refused(market: Market) -> None:
    contracts = tuple(c for c in market.registry.contracts if c.name != "chainlink:USDC/USD")

    with pytest.raises(ConfigError, match="no token or no feed of USDC"):
        await ChainReader.open(
            market.rpc, universe=MAINNET, registry=replace(market.registry, contracts=contracts)
        )


async def test_an_asset_without_a_feed_is_unknown_and_the_rest_is_read(market: Market) -> None:
    contracts = tuple(c for c in market.registry.contracts if c.name != "chainlink:LINK/USD")
    reader = await ChainReader.open(
        market.rpc, universe=MAINNET, registry=replace(market.registry, contracts=contracts)
    )

    found = as_frame(await reader.read(), market.season.frame(0))

    assert at(found.ticks, AssetId("LINK")) == 0
    assert at(found.ticks, WETH) > 0
    assert of(found.depth_usd, "LINK>USDC@uniswap-v3") == 0.0


async def test_a_paused_reserve_turns_nothing_over(market: Market) -> None:
    reader, writer = await market.reader(), market.world.writer
    configurator = await writer.address(market.world.aave.provider, "getPoolConfigurator()")
    async with writer.blocks():
        await writer.send(configurator, "setReservePause(address,bool)", market.world.tokens[USDC], True)  # noqa: FBT003

    found = as_frame(await reader.read(), market.season.frame(0))

    assert of(found.capacity_usd, "USDC>aUSDC@aave-v3") == 0.0
    assert of(found.capacity_usd, "aUSDC>USDC@aave-v3") == 0.0
    assert of(found.capacity_usd, "aWETH>WETH@aave-v3") > 0.0


async def test_a_frozen_reserve_takes_nothing_and_still_pays_out(market: Market) -> None:
    reader, writer = await market.reader(), market.world.writer
    configurator = await writer.address(market.world.aave.provider, "getPoolConfigurator()")
    async with writer.blocks():
        await writer.send(configurator, "setReserveFreeze(address,bool)", market.world.tokens[USDC], True)  # noqa: FBT003

    found = as_frame(await reader.read(), market.season.frame(0))

    assert of(found.capacity_usd, "USDC>aUSDC@aave-v3") == 0.0
    assert of(found.capacity_usd, "aUSDC>USDC@aave-v3") > 0.0


async def test_a_reading_knows_when_the_block_before_is_no_longer_on_the_chain(market: Market) -> None:
    reader = await market.reader()
    await market.world.move_to(market.season.frame(1))
    first = await reader.read()
    foreign = Block(number=first.block.number, hash="0x" + "11" * 32, time_s=first.block.time_s)
    above = Block(number=first.block.number + 5, hash=first.block.hash, time_s=first.block.time_s)

    assert (await reader.read(first.block)).parent_is_canonical
    assert not (await reader.read(foreign)).parent_is_canonical
    assert not (await reader.read(above)).parent_is_canonical


async def test_a_chain_reorganised_below_the_last_reading_says_so(market: Market) -> None:
    reader = await market.reader()
    await market.world.move_to(market.season.frame(1))
    await market.world.move_to(market.season.frame(2))
    first = await reader.read()

    await market.world.writer.ask("anvil_reorg", 2, [])

    again = await reader.read(first.block)
    assert again.block.number == first.block.number
    assert again.block.hash != first.block.hash
    assert not again.parent_is_canonical


async def test_a_node_that_is_gone_is_a_transient_fault(market: Market, anvil: AnvilNode) -> None:
    reader = await market.reader()
    async with HttpRpc(Endpoint(url=anvil.url, deadline_s=2.0)) as rpc:
        dead = ChainReader(rpc, reader._questions)
        await anvil.stop()

        with pytest.raises(RpcFault) as raised:
            await dead.read()

    assert raised.value.transient


async def test_contracts_that_are_not_there_say_nothing_and_nothing_is_guessed(
    market: Market, anvil: AnvilNode
) -> None:
    reader = await market.reader()
    async with HttpRpc(Endpoint(url=anvil.url)) as rpc:
        reading = await ChainReader(rpc, reader._questions).read()

    found = as_frame(reading, market.season.frame(0))
    assert all(ticks == 0 for ticks in found.ticks)
    assert not any(found.fresh)
    assert of(found.depth_usd, "WETH>USDC@uniswap-v3") == 0.0
    assert of(found.capacity_usd, "aUSDC>USDC@aave-v3") == 0.0


def test_every_pinned_selector_is_the_hash_of_its_signature() -> None:
    keccak = pytest.importorskip("eth_utils.crypto").keccak

    assert {name: keccak(text=name)[:4].hex() for name in SELECTORS} == dict(SELECTORS)


async def test_an_asset_of_another_tick_size_than_its_underlying_is_priced_in_its_own(
    market: Market,
) -> None:
    coarse = tuple(
        replace(asset, tick_exponent=8) if asset.id == VAULTS[1] else asset for asset in MAINNET.assets
    )
    universe = Universe(name="coarse", assets=coarse, conversions=MAINNET.conversions, reserve=USDC, gas=ETH)
    reader = await ChainReader.open(market.rpc, universe=universe, registry=market.registry)

    found = unjudged_frame(await reader.read(), universe, index=0, time_ns=0)

    wanted = at(market.season.frame(0).ticks, VAULTS[1])
    assert at(found.ticks, VAULTS[1]) == pytest.approx(wanted / 100, abs=2)
