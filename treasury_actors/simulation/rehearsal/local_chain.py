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

from treasury_actors.chain.model.registry_json import registry_to_json
from treasury_actors.errors import ConfigError
from treasury_actors.market.model.frame import Season
from treasury_actors.simulation.rehearsal.ground import deployed
from treasury_actors.simulation.rehearsal.world import World

REGISTRY_NAME: Final = "registry.json"
URL_NAME: Final = "url"
BLOCK_S: Final = 0.05
"""A block so often, on our clock: ten make a transaction count after half a second."""

BLOCKS_AN_HOUR_MAX: Final = 1_800
"""Each is a second of chain time; an hour must not be over before it ends."""


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
    async with deployed(season, gas_ratio=gas_ratio) as ground:
        _write(folder, registry_to_json(ground.registry), ground.url)
        await standing(LocalChain(url=ground.url, world=ground.world, season=season))
        await _pass(ground.world, season, hour_s=hour_s)


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
