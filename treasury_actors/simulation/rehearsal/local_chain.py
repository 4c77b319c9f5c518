"""
A local chain that stands until it is told to end: the proving grounds' world, moved along by a season.

What a rehearsal does in one process, for those who want to look at it, pay into it, run a house on it from
another process, stop it and let it go on. Its hours pass as fast as one likes; its blocks in between are a
second of chain time apart.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio

from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.adapters.npm import anvil_binary, evm_tree
from treasury_actors.chain.model.registry_json import registry_to_json
from treasury_actors.errors import ConfigError
from treasury_actors.market.model.frame import Season
from treasury_actors.simulation.rehearsal.contracts import published
from treasury_actors.simulation.rehearsal.deploy_world import build_world
from treasury_actors.simulation.rehearsal.world import World

REGISTRY_NAME: Final = "registry.json"
URL_NAME: Final = "url"
FINAL_EPOCH_BLOCKS: Final = 5
BLOCK_S: Final = 0.05
"""A block so often, on our clock: ten make a transaction count after half a second."""

BLOCKS_AN_HOUR_MAX: Final = 1_800
"""Each is a second of chain time; an hour must not be over before it ends."""

_HOUR_S = 3_600
_NS_A_SECOND = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalChain:
    """A chain that stands: where it answers, its world, and the season it goes along with."""

    url: str
    world: World
    season: Season


Standing = Callable[[LocalChain], Awaitable[None]]
"""Called once the chain stands, before its first hour passes."""


async def stand(season: Season, folder: Path, *, gas_ratio: float, hour_s: float, standing: Standing) -> None:
    """
    Start a node, deploy the world at the season's first frame, then let its hours pass until its last.

    `folder` gets `registry.json` and `url`. After the last frame the chain goes on mining, hour by hour, at
    the last prices; it ends when this is cancelled.

    Raises:
        ConfigError: the folder can't be written, or the universe lacks what the world trades.
        ToolFault, RpcFault: there is no node, or it is gone.
    """
    first = season.frame(0)
    options = AnvilOptions(
        timestamp=first.time_ns // _NS_A_SECOND - _HOUR_S,
        no_mining=True,
        slots_in_an_epoch=FINAL_EPOCH_BLOCKS,
    )
    async with (
        AnvilNode(options, binary=anvil_binary(evm_tree())) as node,
        HttpRpc(Endpoint(url=node.url)) as rpc,
    ):
        world = await build_world(
            rpc, artifacts=published(), universe=season.universe, frame=first, gas_ratio=gas_ratio
        )
        _write(folder, registry_to_json(await world.registry()), node.url)
        await standing(LocalChain(url=node.url, world=world, season=season))
        await _pass(world, season, hour_s=hour_s)


def _write(folder: Path, registry: str, url: str) -> None:
    """Say in the folder what stands where."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / REGISTRY_NAME).write_text(registry, encoding="utf-8")
        (folder / URL_NAME).write_text(url + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror or error}") from None


async def _pass(world: World, season: Season, *, hour_s: float) -> None:
    """Let hours pass, and blocks within them; after the season's last frame only blocks."""
    hour, blocks = 0, min(max(1, round(hour_s / BLOCK_S)), BLOCKS_AN_HOUR_MAX)
    while True:
        for _ in range(blocks):
            await anyio.sleep(hour_s / blocks)
            await world.writer.ask("evm_mine")
        if hour + 1 < season.frame_count:
            hour += 1
            await world.move_to(season.frame(hour))
