"""A paper run on frames that a test lets arrive, as a chain would give them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from tests.unit.daemon.driver import quiet
from tests.unit.market.readings import reading_of
from treasury_actors.clock import Clock, VirtualClock, WallClock
from treasury_actors.daemon.chain_run import ChainRun, OpenChainRun, Outside
from treasury_actors.daemon.live_run import RunEnd
from treasury_actors.daemon.process import serve
from treasury_actors.errors import FeedFault
from treasury_actors.market.adapters.frame_log import FrameLog
from treasury_actors.market.adapters.generated import generate_season
from treasury_actors.market.model.frame_checks import FrameLimits
from treasury_actors.market.model.frame_reading import Block, FrameReading
from treasury_actors.market.model.growing import GrowingSeason
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.file import Settings, check_settings
from treasury_actors.simulation.live.frames import ArrivingFrames, feed_supervisor, start_feed
from treasury_actors.simulation.live.prepared import prepare_on_chain
from treasury_actors.simulation.plan import Prepared

DAYS, WARMUP_H, SEED, AGENTS = 2, 2_880, 7, 5
OUTAGE_S_MAX = 3 * 3_600.0
SEASON = generate_season(universe=MAINNET, seed=SEED, days=DAYS, warmup_h=WARMUP_H)


def settings_on_chain(**sections: dict[str, object]) -> Settings:
    """Return a config whose frames come from a chain."""
    season = {"source": "chain", "days": DAYS, "seed": SEED, "warmup_h": WARMUP_H}
    arena = {"agents": AGENTS, "capital_usd": 10_000 * AGENTS}
    content = {"season": season, "arena": arena, "chain": {"network": "base"}, **sections}
    return check_settings(content, "a test")


def paper(settings: Settings | None = None) -> tuple[Prepared, GrowingSeason]:
    """Return a paper run whose warm-up is the past of `SEASON`."""
    return prepare_on_chain(settings or settings_on_chain(), label="PAPER", clock=WallClock())


@dataclass
class Market:
    """
    A chain that stands at an hour of `SEASON`, or doesn't answer.

    Attributes:
        hour: of the newest block; None for no answer.
        host: by which the feed's outages are counted.
    """

    hour: int | None = 0
    host: Clock = field(default_factory=WallClock)
    reads: int = 0

    async def read(self, before: Block | None = None) -> FrameReading:
        del before
        self.reads += 1
        if self.hour is None:
            raise FeedFault("node:8545: no connection")
        return reading_of(SEASON.frame(self.hour))


@dataclass
class Paper:
    """A chain run without a chain: real feed, real frame log, a market that a test moves."""

    frames: ArrivingFrames
    stage: None = None

    def standing(self) -> dict[str, object]:
        return self.frames.standing()

    def leave(self) -> None:
        """Have nothing to wait for."""


@dataclass
class Living:
    """A run that lives while a test operates it."""

    market: Market
    turn: int = 0
    end: RunEnd | None = None
    turned: anyio.Event = field(default_factory=anyio.Event)

    def progress(self, frame: int, frames: int, living: int) -> None:
        quiet(frame, frames, living)
        self.turn = frame
        self.turned.set()

    async def reach(self, turn: int) -> None:
        """Wait until so many frames were played."""
        while self.turn < turn:
            await self.turned.wait()
            self.turned = anyio.Event()

    async def play_to(self, hour: int) -> None:
        """Let the hours up to this one pass, each played before the next."""
        for each in range(self.turn, hour + 1):
            self.market.hour = each
            await self.reach(each + 1)


def opener(growing: GrowingSeason, market: Market) -> OpenChainRun:
    """Return what opens a chain run on a market."""

    @asynccontextmanager
    async def open_chain(folder: Path) -> AsyncIterator[ChainRun]:
        log = FrameLog.open(folder, beginning_hash=growing.beginning_hash)
        for record in log.records[growing.frame_count :]:
            growing.append(record.frame)
        # The market's clock is the season's: its newest block is always a second old.
        clock = VirtualClock(SEASON.frame(0).time_ns)
        limits = FrameLimits(head_age_s_max=10**12)
        async with feed_supervisor(WallClock()) as supervisor:
            feed = start_feed(
                supervisor, source=market, store=log, growing=growing, limits=limits, clock=clock
            )
            frames = ArrivingFrames(feed, supervisor, growing, clock=market.host, outage_s_max=OUTAGE_S_MAX)
            yield Paper(frames=frames)
        log.close()

    return open_chain


async def play_paper(
    run: Living, folder: Path, *, webhook: str = "", settings: Settings | None = None
) -> None:
    """Play a paper run in this process until it is told to leave or its season ends."""
    prepared, growing = paper(settings)
    run.end = await serve(
        prepared,
        folder,
        clock=WallClock(),
        speed_x=None,
        until_end=True,
        progress=run.progress,
        watched=False,
        outside=Outside(open_chain=opener(growing, run.market), poll_s=0.01, webhook=webhook),
    )
