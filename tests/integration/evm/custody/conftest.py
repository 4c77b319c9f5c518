"""The rehearsal's world on a node of its own, and a Safe of one owner with exactly the stage's pool."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.evm.custody.vault import FIRST, GENESIS_S, OWNER_KEY, POOL_UNITS, Vault
from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.model.registry import LOCAL_CHAIN_ID
from treasury_actors.chain.model.registry_json import registry_to_json
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.rehearsal.contracts import published
from treasury_actors.simulation.rehearsal.deploy_world import build_world
from treasury_actors.simulation.rehearsal.safe_funding import open_stage_safe
from treasury_actors.simulation.rehearsal.world import World
from treasury_actors.trading.adapters.evm.signer import LocalSigner


@pytest.fixture(scope="session")
def custody_world(anvil_path: Path) -> Iterator[tuple[AnvilNode, World]]:
    """Start a node and build the world; some seconds, once."""
    pytest.importorskip("eth_account", reason="needs the chain extra")
    node = AnvilNode(AnvilOptions(timestamp=GENESIS_S), binary=anvil_path)
    artifacts = published()

    async def build() -> World:
        await node.start()
        async with HttpRpc(Endpoint(url=node.url)) as rpc:
            return await build_world(rpc, artifacts=artifacts, universe=MAINNET, frame=FIRST)

    try:
        yield node, asyncio.run(build())
    finally:
        asyncio.run(node.stop())


@pytest.fixture
async def vault(custody_world: tuple[AnvilNode, World], tmp_path: Path) -> AsyncIterator[Vault]:
    """Give a test the world with a funded Safe, on a snapshot."""
    node, world = custody_world
    async with HttpRpc(Endpoint(url=node.url)) as rpc:
        here = world.on(rpc)
        snapshot = await here.writer.ask("evm_snapshot")
        owner = LocalSigner(OWNER_KEY, chain_id=LOCAL_CHAIN_ID)
        safe = await open_stage_safe(here, owner=owner.address, units=POOL_UNITS)
        accounts = await here.writer.ask("eth_accounts")
        assert isinstance(accounts, list)
        registry = tmp_path / "registry.json"
        registry.write_text(registry_to_json(await here.registry()), encoding="utf-8")
        yield Vault(
            url=node.url,
            rpc=rpc,
            world=here,
            owner=owner,
            safe=safe,
            accounts=tuple(map(str, accounts)),
            registry=registry,
        )
        assert await here.writer.ask("evm_revert", snapshot) is True
