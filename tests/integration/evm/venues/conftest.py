"""The rehearsal's world, built once a session on a node of its own; each test gets it as it was built."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.integration.evm.venues.place import DOLLARS, ETHER, GENESIS_S, LINK, USDC, WETH, Place, first_frame
from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.rehearsal.contracts import Artifacts, published
from treasury_actors.simulation.rehearsal.deploy_session import BlockWriter
from treasury_actors.simulation.rehearsal.deploy_world import build_world
from treasury_actors.simulation.rehearsal.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A node and the world on it; its writer belongs to a loop that is gone."""

    node: AnvilNode
    world: World
    artifacts: Artifacts


@pytest.fixture(scope="session")
def built(anvil_path: Path) -> Iterator[Built]:
    """Start a node and build the world; some seconds, once."""
    pytest.importorskip("eth_abi", reason="needs the chain extra")
    node = AnvilNode(AnvilOptions(timestamp=GENESIS_S), binary=anvil_path)
    artifacts = published()

    async def build() -> World:
        await node.start()
        async with HttpRpc(Endpoint(url=node.url)) as rpc:
            return await build_world(rpc, artifacts=artifacts, universe=MAINNET, frame=first_frame())

    try:
        yield Built(node=node, world=asyncio.run(build()), artifacts=artifacts)
    finally:
        asyncio.run(node.stop())


@pytest.fixture
async def place(built: Built) -> AsyncIterator[Place]:
    """Give a test every venue and a wallet with $100,000, 10 WETH, 1,000 LINK and 100 ETH, on a snapshot."""
    async with HttpRpc(Endpoint(url=built.node.url)) as rpc:
        writer = BlockWriter(rpc, artifacts=built.artifacts, account=built.world.roles.deployer)
        world = replace(built.world, writer=writer)
        accounts = await writer.ask("eth_accounts")
        assert isinstance(accounts, list)
        here = Place(rpc, world, [str(account) for account in accounts])
        snapshot = await here.ask("evm_snapshot")
        for whose in (here.owner, here.stranger):
            await world.fund(whose, USDC, 100_000 * DOLLARS)
            await world.fund(whose, WETH, 10 * ETHER)
            await world.fund(whose, LINK, 1_000 * ETHER)
            await world.fund_gas(whose, 100 * ETHER)
        yield here
        assert await here.ask("evm_revert", snapshot)
