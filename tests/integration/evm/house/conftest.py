"""The world of these tests, built and dumped once a session; a room on a fresh node of it for each test."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.evm.house.ground import Ground, make_ground, own_node
from tests.integration.evm.house.room import Room, room_on
from treasury_actors.chain.adapters.anvil import AnvilNode


@pytest.fixture(scope="session")
def ground(anvil_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """Build the world once."""
    pytest.importorskip("eth_abi", reason="needs the chain extra")
    return asyncio.run(make_ground(tmp_path_factory.mktemp("world"), anvil_path))


@pytest.fixture
async def node(ground: Ground) -> AsyncIterator[AnvilNode]:
    """Return a fresh node with the world on it, which mines when told."""
    async with own_node(ground) as node:
        yield node


@pytest.fixture
async def room(ground: Ground, node: AnvilNode) -> AsyncIterator[Room]:
    """Return an open house on the node, its books compared once."""
    async with room_on(ground, node.url) as room:
        await room.turn()
        yield room
