"""A run's session with its chain: endpoints that proved it, pinned contracts, readers, a feed, a wallet."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treasury_actors.chain.adapters.failover import ChainPin, FailoverRpc
from treasury_actors.chain.adapters.registry_check import check_registry, refuse
from treasury_actors.chain.model.faults import RpcFault
from treasury_actors.clock import Clock
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.evm.places import find_places
from treasury_actors.market.adapters.evm.questions import Questions
from treasury_actors.market.adapters.evm.reader import ChainReader
from treasury_actors.market.adapters.evm.views import word
from treasury_actors.market.adapters.frame_log import FrameLog, read_frames
from treasury_actors.market.model.frame_checks import FrameLimits, LiveFrame
from treasury_actors.market.model.frame_reading import Block, FrameReading
from treasury_actors.market.model.growing import GrowingSeason
from treasury_actors.market.ports import FrameSource
from treasury_actors.settings.file import Settings
from treasury_actors.settings.rules import ChainRules
from treasury_actors.simulation.custody.session import ChosenChain, choose_chain, open_chain
from treasury_actors.simulation.live.frames import ArrivingFrames, feed_supervisor, start_feed
from treasury_actors.simulation.live.stage import LiveStage
from treasury_actors.simulation.rehearsal.local_key import HOUSE_KEY
from treasury_actors.trading.adapters.evm.signer import KeystoreSigner, LocalSigner
from treasury_actors.trading.wallet_ports import Signer
from treasury_actors.wiring.chain_access import chain_access

MAJORITY_FROM: Final = 3
"""With two nodes one that is down would leave none to believe."""

BLOCKS_BEHIND: Final = 2
"""So far behind the newest block several nodes are asked, so that all of them know it."""

_HOUR_S: Final = 3_600.0

LOCAL_LIMITS: Final = FrameLimits(head_age_s_max=10**12)
"""A local chain's clock is a season's, not the world's."""

CHAIN_LIMITS: Final = FrameLimits(heartbeats_s=((AssetId("USDC"), 86_400), (AssetId("USDT"), 86_400)))
"""Chainlink's dollar coins speak once a day on Base, or when they move by a quarter of a percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveChain:
    """
    What a run stands on.

    Attributes:
        stage: only where conversions are real.
    """

    chosen: ChosenChain
    rpc: FailoverRpc
    log: FrameLog
    frames: ArrivingFrames
    stage: LiveStage | None

    def leave(self) -> None:
        """Let a turn that waits for blocks end: the process is to leave."""
        if self.stage is not None:
            self.stage.leave()

    def standing(self) -> dict[str, object]:
        """
        Say how the feed is, and which endpoints are asked: by host, never by URL.

        A local chain's clock is a season's, so that nobody can say how old its newest block is.
        """
        resting = self.rpc.open_breakers
        names = [endpoint.name for endpoint in self.chosen.endpoints]
        blocks = [record.block for record in self.log.records[-1:] if record.block is not None]
        standing = self.frames.standing()
        return {
            "chain": self.chosen.registry.chain_name,
            **standing,
            "lag_s": None if self.chosen.is_local else standing["lag_s"],
            "last_block": blocks[0].number if blocks else None,
            "rpc": next((name for name in names if name not in resting), None),
            "rpcs_resting": resting,
        }


class SeveralReaders:
    """Reads through the first node that answers, the others as its witnesses."""

    def __init__(self, readers: Sequence[ChainReader]) -> None:
        self._readers = tuple(readers)

    async def read(self, before: Block | None = None) -> FrameReading:
        """Return the first reading that is to be believed; raise the last node's fault if there is none."""
        fault: RpcFault | None = None
        for reader in self._readers:
            try:
                return await reader.read(before)
            except RpcFault as problem:
                if not problem.transient:
                    raise
                fault = problem
        assert fault is not None, "there is at least one reader"
        raise fault


def chosen_chain(settings: Settings, urls: Sequence[str] = (), registry: Path | None = None) -> ChosenChain:
    """Return the chain of a config; options of the command line come before it."""
    live = settings.live
    file = registry or (Path(live.registry) if live.registry else None)
    try:
        return choose_chain(settings.chain.network, tuple(urls) or live.urls, file)
    except ConfigError as error:
        raise ConfigError(f"{error} (in a config: live.rpcs, chain.network, live.registry)") from None


def signer_of(settings: Settings, chosen: ChosenChain) -> Signer:
    """
    Return who signs: a keystore anywhere; without one a local chain's published key.

    Raises ConfigError for any other chain without a keystore.
    """
    live, chain_id = settings.live, chosen.registry.chain_id
    if live.keystore:
        if not live.password_file:
            raise ConfigError(
                "live.password_file: none; allowed: a file with mode 600 whose first line it is"
            )
        return KeystoreSigner(Path(live.keystore), Path(live.password_file), chain_id=chain_id)
    if not chosen.is_local:
        raise ConfigError(f"live.keystore: none; on {chosen.registry.chain_name} only a keystore signs")
    return LocalSigner(HOUSE_KEY, chain_id=chain_id)


@asynccontextmanager
async def open_live_chain(
    chosen: ChosenChain,
    growing: GrowingSeason,
    folder: Path,
    *,
    clock: Clock,
    rules: ChainRules,
    outage_h_max: int,
    signer: Signer | None,
) -> AsyncIterator[LiveChain]:
    """
    Open the session of a run whose folder is locked.

    Args:
        outage_h_max: how long the feed may be down before trading is reduced for it.
        signer: who trades; None on paper.

    Raises:
        ConfigError: the chain is not the one that is pinned.
        RpcFault: no endpoint answers.
        JournalCorrupt: the frames in the folder are not what was written, or another season's.
    """
    async with AsyncExitStack() as stack:
        rpc = await stack.enter_async_context(open_chain(chosen, clock))
        refuse(await check_registry(rpc, chosen.registry))
        holder = None if signer is None else signer.address
        source = await _source(chosen, growing, rpc, stack, clock=clock, holder=holder)
        log = FrameLog.open(folder, beginning_hash=growing.beginning_hash)
        stack.callback(log.close)
        _append(log.records, growing)
        supervisor = await stack.enter_async_context(feed_supervisor(clock))
        limits = LOCAL_LIMITS if chosen.is_local else CHAIN_LIMITS
        feed = start_feed(supervisor, source=source, store=log, growing=growing, limits=limits, clock=clock)
        stage = None
        if signer is not None:
            access = chain_access(
                universe=growing.universe, registry=chosen.registry, rpc=rpc, signer=signer, rules=rules
            )
            stage = LiveStage(access=access, confirm_blocks=rules.policy.confirm_depth, clock=clock)
        outage_s_max = outage_h_max * _HOUR_S
        frames = ArrivingFrames(feed, supervisor, growing, clock=clock, outage_s_max=outage_s_max)
        yield LiveChain(chosen=chosen, rpc=rpc, log=log, frames=frames, stage=stage)


def catch_up(growing: GrowingSeason, folder: Path) -> None:
    """
    Read what frames a run folder has gained, while another process plays in it.

    Raises JournalCorrupt if they are not what was written, JournalFault if they can't be read.
    """
    _append(read_frames(folder, beginning_hash=growing.beginning_hash), growing)


def _append(records: Sequence[LiveFrame], growing: GrowingSeason) -> None:
    """Let a season grow by the frames it has not yet."""
    for record in records[growing.frame_count :]:
        growing.append(record.frame)


async def _source(
    chosen: ChosenChain,
    growing: GrowingSeason,
    rpc: FailoverRpc,
    stack: AsyncExitStack,
    *,
    clock: Clock,
    holder: str | None,
) -> FrameSource:
    """Return what reads the market: one session that fails over, or from three nodes on what most say."""
    registry, universe = chosen.registry, growing.universe
    if len(chosen.endpoints) < MAJORITY_FROM:
        return await ChainReader.open(rpc, universe=universe, registry=registry, holder=holder)
    pin = ChainPin(chain_id=registry.chain_id)
    alone = [
        await stack.enter_async_context(FailoverRpc([endpoint], pin=pin, clock=clock))
        for endpoint in chosen.endpoints
    ]
    places = await find_places(rpc, registry, universe)
    questions = Questions(universe=universe, places=places, holder=0 if holder is None else word(holder))
    return SeveralReaders(
        [
            ChainReader(
                node,
                questions,
                witnesses=[other for other in alone if other is not node],
                blocks_behind=BLOCKS_BEHIND,
            )
            for node in alone
        ]
    )
