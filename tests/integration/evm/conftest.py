"""A real node for the tests of this folder: fetched once a machine, started once a test, in 0.05 s."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.npm import anvil_binary, evm_tree


@pytest.fixture(scope="session")
def evm_packages() -> Path:
    """Return the folder that holds `node_modules`; fetched into the cache by the first worker that asks."""
    return evm_tree()


@pytest.fixture(scope="session")
def anvil_path(evm_packages: Path) -> Path:
    """Return anvil's executable."""
    return anvil_binary(evm_packages)


@pytest.fixture
async def anvil(anvil_path: Path) -> AsyncIterator[AnvilNode]:
    """Return a fresh node that mines a block at every transaction; its time starts in November 2023."""
    async with AnvilNode(AnvilOptions(timestamp=1_700_000_000), binary=anvil_path) as node:
        yield node
