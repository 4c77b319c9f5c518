"""I28: the feed says a frame when it is durable, and otherwise why there is none."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.unit.market.readings import (
    COLUMN,
    WETH,
    MemoryStore,
    ScriptedSource,
    reading_of,
    scaled,
    season,
)
from treasury_actors.chain.model.faults import RpcFault, RpcFaultKind
from treasury_actors.clock import HOUR_NS, VirtualClock
from treasury_actors.errors import JournalFault
from treasury_actors.market.feed import Feed
from treasury_actors.market.messages import FeedStanding, FrameArrived, HowIsFeed, NoFrame, ReadFrame
from treasury_actors.market.model.frame_checks import FrameLimits, LiveFrame
from treasury_actors.market.model.frame_reading import Block, FrameReading
from treasury_actors.market.model.growing import GrowingSeason, frame_text
from treasury_actors.market.model.shipped import MAINNET

S_NS = 10**9


class Room:
    """A feed on a scripted market; its clock stands at the block that is read, unless told otherwise."""

    def __init__(self, *script: FrameReading | None, store: MemoryStore | None = None) -> None:
        self.source = ScriptedSource(script)
        self.store = store or MemoryStore()
        self.season = GrowingSeason(MAINNET, label="PAPER", source="test", warm_up=[season().frame(-1)])
        self.clock = VirtualClock(season().frame(0).time_ns)
        self.feed = Feed(
            source=self.source,
            store=self.store,
            season=self.season,
            limits=FrameLimits(),
            clock=self.clock,
        )

    async def read(self, *, late_s: int = 0) -> FrameArrived | NoFrame:
        """Read once, `late_s` after the block that will be read was made."""
        upcoming = self.source.script[0]
        if upcoming is not None:
            made_ns = upcoming.block.time_s * S_NS + late_s * S_NS
            self.clock.advance_to(max(made_ns, self.clock.now_ns()))
        answer = await self.feed.receive(ReadFrame())
        assert isinstance(answer, FrameArrived | NoFrame)
        return answer

    async def arrived(self) -> FrameArrived:
        answer = await self.read()
        assert isinstance(answer, FrameArrived), answer
        return answer

    async def standing(self) -> FeedStanding:
        answer = await self.feed.receive(HowIsFeed())
        assert isinstance(answer, FeedStanding)
        return answer


def readings(*indexes: int) -> list[FrameReading]:
    return [reading_of(season().frame(index)) for index in indexes]


async def test_frames_arrive_hour_after_hour_and_are_of_the_hour_their_block_lies_in() -> None:
    room = Room(*readings(0, 1, 2))

    for index in range(3):
        answer = await room.arrived()
        assert answer.frame.index == index
        assert answer.frame.time_ns == season().frame(index).time_ns
        assert answer.missed == ()
        assert answer.frame is room.season.frame(index)
        assert len(room.store.kept) == index + 1
    earlier = [block.number for block in room.source.asked_about if block is not None]
    assert room.source.asked_about[0] is None
    assert earlier == [1_000, 1_001]


async def test_a_second_read_in_an_hour_brings_no_second_frame() -> None:
    first, again = readings(0, 0)
    later = Block(number=1_001, hash="0x" + "22" * 32, time_s=first.block.time_s + 600)
    room = Room(first, replace(again, block=later), *readings(1))
    await room.arrived()

    answer = await room.read()

    assert isinstance(answer, NoFrame)
    assert (answer.reason, answer.lag_s) == ("not_yet", 600)
    assert answer.detail == "frame 1 is due in 2999 s of chain time"
    assert (await room.arrived()).frame.index == 1


async def test_no_answer_is_no_frame_and_says_for_how_long() -> None:
    room = Room(*readings(0), None, None, *readings(1))
    await room.arrived()
    room.clock.advance_to(room.clock.now_ns() + 500 * S_NS)

    one, two = await room.read(), await room.read()

    assert isinstance(one, NoFrame)
    assert (one.reason, one.detail, one.lag_s) == ("no_answer", "node:8545: no connection", 500)
    assert isinstance(two, NoFrame)
    assert (await room.standing()).unanswered == 2
    assert room.season.frame_count == len(room.store.kept) == 1
    await room.arrived()
    assert (await room.standing()).unanswered == 0


async def test_before_the_first_frame_the_lag_counts_from_the_feeds_birth() -> None:
    room = Room(None)
    room.clock.advance_to(room.clock.now_ns() + 7 * S_NS)

    answer = await room.read()

    assert isinstance(answer, NoFrame)
    assert answer.lag_s == 7
    assert await room.standing() == FeedStanding(turn=-1, lag_s=7, unanswered=1, findings=())


async def test_hours_nobody_could_read_are_missed_and_nothing_in_them_is_fresh() -> None:
    room = Room(*readings(0, 3))
    first = await room.arrived()

    answer = await room.arrived()

    assert answer.frame.index == 3
    assert [frame.index for frame in answer.missed] == [1, 2]
    for frame in answer.missed:
        assert frame.ticks == first.frame.ticks
        assert not any(frame.fresh)
        assert frame.time_ns == season().frame(frame.index).time_ns
    assert room.season.frame_count == len(room.store.kept) == 4
    assert all(answer.frame.fresh)


@pytest.mark.parametrize(("late_s", "reason"), [(121, "stale_block"), (3_000, "stale_block")])
async def test_a_chain_that_stands_still_brings_no_frame_and_may_still_bring_it(
    late_s: int, reason: str
) -> None:
    late, healthy = readings(0, 0)
    newer = Block(number=1_001, hash="0x" + "22" * 32, time_s=healthy.block.time_s + late_s)
    quotes = [[replace(quote, time_s=newer.time_s) for quote in one] for one in healthy.quotes]
    room = Room(late, replace(healthy, block=newer, quotes=tuple(map(tuple, quotes))))

    answer = await room.read(late_s=late_s)

    assert isinstance(answer, NoFrame)
    assert answer.reason == reason
    assert room.store.kept == []
    assert (await room.arrived()).frame.index == 0


async def test_a_block_from_the_future_brings_no_frame_and_no_thousand_missed_ones() -> None:
    [reading] = readings(0)
    far = Block(number=1_001, hash="0x" + "22" * 32, time_s=reading.block.time_s + 10**9)
    room = Room(*readings(0), replace(reading, block=far))
    await room.arrived()

    answer = await room.feed.receive(ReadFrame())

    assert isinstance(answer, NoFrame)
    assert answer.reason == "from_future"
    assert room.season.frame_count == 1


async def test_a_chain_that_went_back_brings_no_frame() -> None:
    backwards = replace(readings(2)[0], block=replace(readings(2)[0].block, number=900))
    room = Room(*readings(1), backwards)
    await room.arrived()

    answer = await room.read()

    assert isinstance(answer, NoFrame)
    assert (answer.reason, answer.detail) == ("block_backwards", "block 900 after block 1001")


async def test_a_reorganised_chain_brings_a_frame_that_nobody_trades_on() -> None:
    forked = replace(readings(1)[0], parent_is_canonical=False)
    room = Room(*readings(0), forked, *readings(2))
    await room.arrived()

    answer = await room.arrived()

    assert [finding.reason for finding in answer.findings] == ["reorganised"]
    assert not any(answer.frame.fresh)
    assert all((await room.arrived()).frame.fresh)


async def test_a_fault_that_does_not_pass_ends_the_feed() -> None:
    class OnAnotherChain(ScriptedSource):
        async def read(self, before: Block | None = None) -> FrameReading:
            raise RpcFault(RpcFaultKind.WRONG_CHAIN, "node: is on chain 1; allowed: 8453")

    room = Room()
    room.feed._source = OnAnotherChain([])

    with pytest.raises(RpcFault, match="is on chain 1"):
        await room.feed.receive(ReadFrame())


async def test_a_frame_that_could_not_be_kept_is_not_told_and_not_played() -> None:
    class FullDisk(MemoryStore):
        async def append(self, frames: Sequence[LiveFrame]) -> None:
            raise JournalFault("no space left on device")

    room = Room(*readings(0), store=FullDisk())

    with pytest.raises(JournalFault, match="no space"):
        await room.read()
    assert room.season.frame_count == 0


async def test_a_feed_made_anew_goes_on_as_if_nothing_had_happened() -> None:
    spiked = scaled(readings(1)[0], WETH, oracle=10.0, pool=10.0)
    confirmed = scaled(readings(2)[0], WETH, oracle=10.0, pool=10.0)
    whole = Room(*readings(0), spiked, confirmed)
    for _ in range(3):
        await whole.arrived()
    store = MemoryStore()
    for script in ([*readings(0), spiked], [confirmed]):
        room = Room(*script, store=store)
        await room.feed.started()
        for _ in script:
            await room.arrived()

    assert [frame_text(record.frame) for record in store.kept] == [
        frame_text(record.frame) for record in whole.store.kept
    ]
    assert room.season.data_hash == whole.season.data_hash
    assert room.season.frame(1).ticks[COLUMN[WETH]] < room.season.frame(2).ticks[COLUMN[WETH]]
    assert [frame_text(f) for f in room.season.frames()] == [frame_text(f) for f in whole.season.frames()]


async def test_a_season_that_was_filled_from_the_store_already_is_not_filled_twice() -> None:
    first = Room(*readings(0, 1))
    await first.arrived()
    await first.arrived()
    room = Room(*readings(2), store=first.store)
    for record in first.store.records:
        room.season.append(record.frame)

    await room.feed.started()

    assert (await room.arrived()).frame.index == 2
    assert (await room.standing()).turn == 2


async def test_findings_ride_with_the_frame_and_stand_until_the_next() -> None:
    pushed = scaled(readings(0)[0], WETH, pool=1.5)
    room = Room(pushed, *readings(1))

    answer = await room.arrived()

    assert [(finding.reason, finding.asset) for finding in answer.findings] == [("prices_disagree", "WETH")]
    assert (await room.standing()).findings == answer.findings
    await room.arrived()
    assert (await room.standing()).findings == ()


def test_an_hour_is_what_the_season_counts_in() -> None:
    assert season().frame(1).time_ns - season().frame(0).time_ns == HOUR_NS
