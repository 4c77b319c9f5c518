"""A feed on a real node: frames arrive and are kept; what is wrong with the market is found on the chain."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.evm.feed.conftest import Market
from treasury_actors.actors.child import ChildSpec
from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.actors.supervisor import Supervisor
from treasury_actors.chain.adapters.anvil import AnvilNode
from treasury_actors.chain.adapters.failover import ChainPin, FailoverRpc
from treasury_actors.chain.adapters.http_rpc import Endpoint
from treasury_actors.chain.model.registry import LOCAL_CHAIN_ID
from treasury_actors.clock import VirtualClock, WallClock
from treasury_actors.ids import AssetId
from treasury_actors.market.adapters.evm.reader import ChainReader
from treasury_actors.market.adapters.frame_log import FrameLog
from treasury_actors.market.feed import Feed
from treasury_actors.market.messages import FeedMessage, FrameArrived, HowIsFeed, NoFrame, ReadFrame
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.frame_checks import FrameLimits
from treasury_actors.market.model.growing import GrowingSeason, frame_text
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.market.ports import FrameSource

USDC, WETH, AWETH = AssetId("USDC"), AssetId("WETH"), AssetId("aWETH")
COLUMN = MAINNET.column
S_NS = 10**9


def new_season(market: Market) -> GrowingSeason:
    return GrowingSeason(MAINNET, label="REHEARSAL", source="a local chain", warm_up=[market.season.frame(0)])


class Desk:
    """A feed over a market's chain and a log in a folder, and the clock it goes by."""

    def __init__(self, market: Market, source: FrameSource, folder: Path) -> None:
        self.market = market
        self.season = new_season(market)
        self.log = FrameLog.open(folder, beginning_hash=self.season.beginning_hash)
        self.clock = VirtualClock(market.season.frame(0).time_ns)
        self.feed = Feed(
            source=source, store=self.log, season=self.season, limits=FrameLimits(), clock=self.clock
        )

    @classmethod
    async def open(cls, market: Market, folder: Path) -> "Desk":
        desk = cls(market, await market.reader(), folder)
        await desk.feed.started()
        return desk

    async def after(self, frame: MarketFrame) -> FrameArrived:
        """Move the world to a frame and read it."""
        await self.market.world.move_to(frame)
        return await self.read()

    async def read(self) -> FrameArrived:
        """Read at the time of the newest block."""
        block = await self.market.world.writer.ask("eth_getBlockByNumber", "latest", False)  # noqa: FBT003
        assert isinstance(block, dict)
        self.clock.advance_to(int(str(block["timestamp"]), 16) * S_NS)
        answer = await self.feed.receive(ReadFrame())
        assert isinstance(answer, FrameArrived), answer
        return answer


def found(answer: FrameArrived) -> list[tuple[str, str | None]]:
    """Return what is wrong with a frame."""
    return [(finding.reason.value, finding.asset) for finding in answer.findings]


def repriced(frame: MarketFrame, asset: AssetId, factor: float) -> MarketFrame:
    ticks = list(frame.ticks)
    ticks[COLUMN[asset]] = round(ticks[COLUMN[asset]] * factor)
    return replace(frame, ticks=tuple(ticks))


async def test_a_day_of_frames_arrives_is_kept_and_is_the_same_after_a_restart(
    market: Market, tmp_path: Path
) -> None:
    desk = await Desk.open(market, tmp_path)
    for index in range(1, 7):
        answer = await desk.after(market.season.frame(index))
        assert found(answer) == []
        assert [asset.id for asset in MAINNET.assets if not answer.frame.fresh[COLUMN[asset.id]]] == [
            "wstETH",
            "weETH",
        ]
        assert answer.frame.index == index - 1
        assert answer.frame.time_ns == market.season.frame(index).time_ns
    desk.log.close()

    again = await Desk.open(market, tmp_path)
    lived = await again.after(market.season.frame(7))

    assert [frame_text(again.season.frame(i)) for i in range(6)] == [
        frame_text(desk.season.frame(i)) for i in range(6)
    ]
    assert again.season.data_hash == desk.season.data_hash
    assert (lived.frame.index, lived.missed) == (6, ())
    again.log.close()


async def test_an_oracle_that_falls_silent_goes_stale_and_only_what_hangs_on_it(
    market: Market, tmp_path: Path
) -> None:
    desk = await Desk.open(market, tmp_path)
    await desk.after(market.season.frame(1))
    silent = replace(market.world, feeds={a: f for a, f in market.world.feeds.items() if a != WETH})
    ticks = list(market.season.frame(3).ticks)
    ticks[COLUMN[WETH]] = market.season.frame(1).ticks[COLUMN[WETH]]
    frame = replace(market.season.frame(3), ticks=tuple(ticks))
    await silent.move_to(frame)

    answer = await desk.read()

    assert found(answer) == [("stale_price", "WETH"), ("stale_price", "ETH")]
    assert not answer.frame.fresh[COLUMN[AWETH]]
    assert answer.frame.fresh[COLUMN[USDC]]
    assert answer.frame.ticks[COLUMN[WETH]] == desk.season.frame(0).ticks[COLUMN[WETH]]
    assert [missed.index for missed in answer.missed] == [1]


async def test_a_pool_pushed_off_its_oracle_is_found_and_its_asset_is_not_traded(
    market: Market, tmp_path: Path
) -> None:
    desk = await Desk.open(market, tmp_path)
    await desk.after(market.season.frame(1))
    oracles_only = replace(market.world, pools={})
    pushed = repriced(market.season.frame(2), WETH, 1.05)
    pools_only = replace(market.world, feeds={}, pools={WETH: market.world.pools[WETH]})
    await oracles_only.move_to(market.season.frame(2))
    await pools_only.set_prices(pushed)

    answer = await desk.read()

    assert ("prices_disagree", "WETH") in found(answer)
    assert not answer.frame.fresh[COLUMN[WETH]]
    assert answer.frame.fresh[COLUMN[USDC]]
    assert answer.frame.ticks[COLUMN[WETH]] == pytest.approx(
        market.season.frame(2).ticks[COLUMN[WETH]], rel=1e-8
    )


async def test_a_spike_waits_for_the_next_frame(market: Market, tmp_path: Path) -> None:
    desk = await Desk.open(market, tmp_path)
    first = await desk.after(market.season.frame(1))

    spiked = await desk.after(repriced(market.season.frame(2), WETH, 1.5))
    confirmed = await desk.after(repriced(market.season.frame(3), WETH, 1.5))

    assert found(spiked) == [("spike", "WETH"), ("spike", "ETH")]
    assert spiked.frame.ticks[COLUMN[WETH]] == first.frame.ticks[COLUMN[WETH]]
    assert found(confirmed) == []
    assert confirmed.frame.ticks[COLUMN[WETH]] > 1.4 * first.frame.ticks[COLUMN[WETH]]


async def test_a_node_that_goes_down_is_no_frame_and_its_lag_grows(
    market: Market, anvil: AnvilNode, tmp_path: Path
) -> None:
    endpoints = [Endpoint(url=anvil.url, deadline_s=2.0)]
    pin = ChainPin(chain_id=LOCAL_CHAIN_ID)
    async with FailoverRpc(endpoints, pin=pin, clock=WallClock()) as rpc:
        reader = await market.reader()
        desk = Desk(market, ChainReader(rpc, reader._questions), tmp_path)
        await anvil.stop()
        desk.clock.advance_to(desk.clock.now_ns() + 60 * S_NS)

        first = await desk.feed.receive(ReadFrame())
        desk.clock.advance_to(desk.clock.now_ns() + 60 * S_NS)
        second = await desk.feed.receive(ReadFrame())

    for answer, lag_s in ((first, 60), (second, 120)):
        assert isinstance(answer, NoFrame)
        assert (answer.reason, answer.lag_s) == ("no_answer", lag_s)
        assert anvil.url.removeprefix("http://") in answer.detail
    assert desk.log.records == ()


async def test_a_list_of_endpoints_reads_on_at_the_next_when_the_first_is_down(
    market: Market, anvil: AnvilNode, tmp_path: Path
) -> None:
    endpoints = [Endpoint(url=anvil.url, deadline_s=2.0), Endpoint(url=market.node.url)]
    await anvil.stop()
    async with FailoverRpc(endpoints, pin=ChainPin(chain_id=LOCAL_CHAIN_ID), clock=WallClock()) as rpc:
        reader = await ChainReader.open(rpc, universe=MAINNET, registry=market.registry)
        desk = Desk(market, reader, tmp_path)

        answer = await desk.after(market.season.frame(1))

    assert found(answer) == []


async def test_the_feed_answers_through_its_mailbox(market: Market, tmp_path: Path) -> None:
    desk = Desk(market, await market.reader(), tmp_path)
    await market.world.move_to(market.season.frame(1))
    desk.clock.advance_to(market.season.frame(1).time_ns)
    policy, clock = SupervisionPolicy(), WallClock()
    spec: ChildSpec[FeedMessage] = ChildSpec(
        name="feed", make=lambda: desk.feed, accepts=(ReadFrame, HowIsFeed), restart="never"
    )
    async with Supervisor(policy=policy, clock=clock, on_event=lambda _: None) as supervisor:
        feed = supervisor.start_child(spec)

        answer = await feed.ask(ReadFrame(), timeout_s=10.0)
        standing = await feed.ask(HowIsFeed(), timeout_s=10.0)

    assert isinstance(answer, FrameArrived)
    assert (standing.turn, standing.lag_s, standing.unanswered) == (0, 0, 0)
