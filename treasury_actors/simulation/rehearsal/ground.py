"""
What a rehearsal stands on: a local chain with contracts of our own deploying, or a fork of somebody's chain.

A fork has the real contracts with their real money in them, as they stand at one block. Nothing moves it but
time and us: prices and rates stay where they were, interest accrues. So it shows that the calls work there,
and nothing of how a strategy fares.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Protocol

from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.adapters.npm import anvil_binary, evm_tree
from treasury_actors.chain.model.registry import LOCAL_CHAIN_ID, Registry
from treasury_actors.chain.model.rpc import Json, result_of
from treasury_actors.chain.ports import Rpc
from treasury_actors.clock import HOUR_NS
from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.evm.reader import ChainReader
from treasury_actors.market.model.frame import Label, MarketFrame, Season
from treasury_actors.market.model.frame_reading import unjudged_frame
from treasury_actors.market.model.universe import Universe
from treasury_actors.simulation.rehearsal.contracts import published
from treasury_actors.simulation.rehearsal.deploy_world import build_world
from treasury_actors.simulation.rehearsal.world import World

FINAL_EPOCH_BLOCKS: Final = 5
_HOUR_S = 3_600
_NS_A_SECOND = 10**9


class Ground(Protocol):
    """A local chain that goes where it is told."""

    @property
    def rpc(self) -> Rpc:
        """A session with its node."""
        ...

    @property
    def registry(self) -> Registry:
        """What is pinned on it."""
        ...

    @property
    def world(self) -> World | None:
        """What we deployed; None on a fork."""
        ...

    async def move_to(self, frame: MarketFrame) -> None:
        """Let the chain get to the frame's hour, and as far as we can to its market."""
        ...

    async def mine(self, blocks: int) -> None:
        """Mine what waits, and empty blocks on top of it."""
        ...

    async def fund(self, account: str, asset: AssetId, units: int) -> None:
        """Give an account what it needs, out of nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """A chain of our own, moved with a season's prices, rates and gas; it answers at `url`, on loopback."""

    url: str
    rpc: Rpc
    registry: Registry
    world: World

    async def move_to(self, frame: MarketFrame) -> None:
        """Move oracles, pools, rates, gas and time."""
        await self.world.move_to(frame)

    async def mine(self, blocks: int) -> None:
        """Mine blocks a second apart."""
        await _ask(self.rpc, "anvil_mine", hex(blocks))

    async def fund(self, account: str, asset: AssetId, units: int) -> None:
        """Mint tokens, or set the balance of gas."""
        if asset == self.world.universe.gas:
            await self.world.fund_gas(account, units)
        else:
            await self.world.fund(account, asset, units)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forked:
    """A fork: time passes, and nothing else moves."""

    rpc: Rpc
    registry: Registry
    universe: Universe
    world: None = None

    async def move_to(self, frame: MarketFrame) -> None:
        """Let time pass."""
        await _ask(self.rpc, "evm_setNextBlockTimestamp", frame.time_ns // _NS_A_SECOND)
        await self.mine(1)

    async def mine(self, blocks: int) -> None:
        """Mine blocks a second apart."""
        await _ask(self.rpc, "anvil_mine", hex(blocks))

    async def fund(self, account: str, asset: AssetId, units: int) -> None:
        """Write the balance into the token's storage, or set that of gas."""
        if asset == self.universe.gas:
            await _ask(self.rpc, "anvil_setBalance", account, hex(units))
        else:
            await _ask(self.rpc, "anvil_dealERC20", account, self.registry.token(asset).address, hex(units))


@asynccontextmanager
async def deployed(season: Season, *, gas_ratio: float) -> AsyncIterator[Deployed]:
    """
    Start a node an hour before a season, and deploy the world at its first frame.

    Raises:
        ConfigError: the universe lacks what the world trades.
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
        yield Deployed(url=node.url, rpc=rpc, registry=await world.registry(), world=world)


@asynccontextmanager
async def forked(url: str, registry: Registry, universe: Universe) -> AsyncIterator[Forked]:
    """
    Start a node that reads from `url` what isn't there; it calls itself the local chain, and so do we.

    Raises:
        ToolFault, RpcFault: there is no node, or nobody answers at `url`.
    """
    options = AnvilOptions(
        no_mining=True,
        fork_url=url,
        slots_in_an_epoch=FINAL_EPOCH_BLOCKS,
    )
    async with (
        AnvilNode(options, binary=anvil_binary(evm_tree())) as node,
        HttpRpc(Endpoint(url=node.url)) as rpc,
    ):
        await _ask(rpc, "anvil_setBlockTimestampInterval", 1)
        local = replace(registry, chain_id=LOCAL_CHAIN_ID, chain_name=f"fork of {registry.chain_name}")
        yield Forked(rpc=rpc, registry=local, universe=universe)


class FrozenSeason:
    """One frame, hour after hour: all that a fork can say of its market, before and after."""

    label: Label = "REHEARSAL"
    notes = ("a fork: every price, rate and depth is that of one block, before it and after it",)

    def __init__(
        self, universe: Universe, frame: MarketFrame, *, days: int, warmup_h: int, source: str
    ) -> None:
        self.universe = universe
        self.source = source
        self.frame_count = days * 24
        self.warmup_count = warmup_h
        self.data_hash = sha256(f"{frame}/{self.frame_count}/{warmup_h}".encode()).hexdigest()
        self._frame = frame

    def __repr__(self) -> str:
        return f"<FrozenSeason {self.source}, {self.frame_count} frames>"

    def frame(self, index: int) -> MarketFrame:
        """Return the frame at another hour."""
        assert -self.warmup_count <= index < self.frame_count, "a frame of this season"
        return replace(self._frame, index=index, time_ns=self._frame.time_ns + index * HOUR_NS)

    def frames(self) -> Iterator[MarketFrame]:
        """Yield every frame, warm-up first."""
        return (self.frame(index) for index in range(-self.warmup_count, self.frame_count))


async def frozen_season(ground: Forked, *, days: int, warmup_h: int) -> FrozenSeason:
    """Read the market of a fork at its newest block; it stays so."""
    reader = await ChainReader.open(ground.rpc, universe=ground.universe, registry=ground.registry)
    reading = await reader.read()
    time_ns = (reading.block.time_s + _HOUR_S) * _NS_A_SECOND
    frame = unjudged_frame(reading, ground.universe, index=0, time_ns=time_ns)
    source = f"{ground.registry.chain_name} at block {reading.block.number}"
    return FrozenSeason(ground.universe, frame, days=days, warmup_h=warmup_h, source=source)


async def _ask(rpc: Rpc, method: str, *params: Json) -> Json:
    """Return the result of one JSON-RPC call."""
    return result_of(await rpc.call(method, params), method)
