"""A generated season's world on a node of its own, built once; each test reads it as it was built."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.model.registry import Registry
from treasury_actors.chain.ports import Rpc
from treasury_actors.market.adapters.evm.reader import ChainReader
from treasury_actors.market.adapters.generated import START_NS, generate_season
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.rehearsal.contracts import published
from treasury_actors.simulation.rehearsal.deploy_world import build_world
from treasury_actors.simulation.rehearsal.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A world that stands at frame 0 of `season`, its registry, and a session with its node."""

    node: AnvilNode
    world: World
    registry: Registry
    season: Season
    rpc: Rpc

    async def reader(self) -> ChainReader:
        """Return a reader of everything the registry pins."""
        return await ChainReader.open(self.rpc, universe=MAINNET, registry=self.registry)


@pytest.fixture(scope="session")
def standing(anvil_path: Path) -> Iterator[tuple[AnvilNode, World, Registry, Season]]:
    pytest.importorskip("eth_abi", reason="needs the chain extra")
    season = generate_season(universe=MAINNET, seed=11, days=2, warmup_h=0)
    node = AnvilNode(AnvilOptions(timestamp=START_NS // 10**9 - 3600), binary=anvil_path)

    async def build() -> tuple[World, Registry]:
        await node.start()
        async with HttpRpc(Endpoint(url=node.url)) as rpc:
            first = season.frame(0)
            world = await build_world(rpc, artifacts=published(), universe=MAINNET, frame=first)
            return world, await world.registry()

    try:
        world, registry = asyncio.run(build())
        yield node, world, registry, season
    finally:
        asyncio.run(node.stop())


@pytest.fixture
async def market(standing: tuple[AnvilNode, World, Registry, Season]) -> AsyncIterator[Market]:
    node, world, registry, season = standing
    async with HttpRpc(Endpoint(url=node.url)) as rpc:
        here = world.on(rpc)
        before = await here.writer.ask("evm_snapshot")
        yield Market(node=node, world=here, registry=registry, season=season, rpc=rpc)
        assert await here.writer.ask("evm_revert", before) is True
        await here.set_gas(season.frame(0))  # what a revert does not bring back
