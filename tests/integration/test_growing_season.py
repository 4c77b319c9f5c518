"""A house that is played frame by frame, as they arrive, ends where one ends that had them all."""

from pathlib import Path

import anyio
import pytest

from tests.integration.houses import Lived, fold_of, live, rules, season
from tests.unit.market.readings import ScriptedSource, reading_of
from treasury_actors.agents.registry import families
from treasury_actors.clock import VirtualClock
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.market.adapters.frame_log import FrameLog
from treasury_actors.market.feed import Feed
from treasury_actors.market.messages import FrameArrived, ReadFrame
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.frame_checks import FrameLimits
from treasury_actors.market.model.growing import GrowingSeason
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.conductor import Conductor
from treasury_actors.wiring.house import open_house

DAYS, FRAMES, AGENTS = 30, 240, 8
WARMUP_H = 1_200


def empty() -> GrowingSeason:
    whole = season(DAYS)
    warm_up = [whole.frame(index) for index in range(-WARMUP_H, 0)]
    return GrowingSeason(MAINNET, label="PAPER", source="test", warm_up=warm_up)


def grown(frames: int) -> GrowingSeason:
    found = empty()
    for index in range(frames):
        found.append(season(DAYS).frame(index))
    return found


@pytest.fixture(scope="module")
def whole() -> Lived:
    """Return a house played over a season that was there from the start."""
    return anyio.run(lambda: live(rules(AGENTS), season(DAYS), until=FRAMES - 1))


async def play_as_they_arrive(journal: MemoryJournal, on: GrowingSeason, *, until: int) -> Lived:
    """Play a house over a season that has, at each turn, only the frames up to it."""
    by, begins = rules(AGENTS), journal.head[0] == 0
    fold = fold_of(journal.read(), on)
    features = Features(on.universe)
    for index in range(-on.warmup_count, fold.turn + 1):
        features.append(on.frame(index))
    async with open_house(
        rules=by,
        families=families(on.universe),
        fold=fold,
        features=features,
        journal=journal,
        turn_clock=VirtualClock(on.frame(max(fold.turn, 0)).time_ns),
        host_clock=VirtualClock(),
    ) as house:
        conductor = Conductor(house)
        if begins:
            await conductor.open_season(on, number=1, seed=by.arena.seed, config_hash="test")
        for index in range(fold.turn + 1, until + 1):
            if index == on.frame_count:
                on.append(season(DAYS).frame(index))
            await conductor.turn(on.frame(index))
    return Lived(journal=journal, fold=fold)


async def test_a_house_played_as_frames_arrive_ends_like_one_that_had_them_all(whole: Lived) -> None:
    lived = await play_as_they_arrive(MemoryJournal(), grown(1), until=FRAMES - 1)

    assert lived.fold.turn == whole.fold.turn
    assert len(lived.events()) == len(whole.events())
    assert lived.state_hash == whole.state_hash


@pytest.mark.parametrize("died_after", [0, 23, 168, 200])
async def test_a_restart_folds_the_frames_that_were_kept_and_goes_on_as_if_nothing_had_happened(
    whole: Lived, died_after: int
) -> None:
    before = await play_as_they_arrive(MemoryJournal(), grown(1), until=died_after)
    journal = MemoryJournal(before.events())

    after = await play_as_they_arrive(journal, grown(died_after + 1), until=FRAMES - 1)

    assert after.state_hash == whole.state_hash


async def test_the_season_a_feed_grew_is_the_one_its_log_grows_again(tmp_path: Path) -> None:
    """With an hour nobody could read, a house lives on both the same."""
    frames = [index for index in range(30) if index not in (7, 8)]
    on = empty()
    log = FrameLog.open(tmp_path, beginning_hash=on.beginning_hash)
    await feed_into(on, log, [season(DAYS).frame(index) for index in frames])
    log.close()
    first = await live(rules(AGENTS), on)

    again = empty()
    reopened = FrameLog.open(tmp_path, beginning_hash=again.beginning_hash)
    for record in reopened.records:
        again.append(record.frame)
    reopened.close()
    second = await live(rules(AGENTS), again)

    assert again.frame_count == 30
    assert again.data_hash == on.data_hash
    assert second.journal.head == first.journal.head
    assert fold_of(first.journal.read(), again).records.state_hash == first.state_hash


async def feed_into(on: GrowingSeason, log: FrameLog, frames: list[MarketFrame]) -> None:
    """Let a feed read `frames` from a healthy chain."""
    clock = VirtualClock(frames[0].time_ns)
    readings = [reading_of(frame) for frame in frames]
    feed = Feed(source=ScriptedSource(readings), store=log, season=on, limits=FrameLimits(), clock=clock)
    for reading in readings:
        clock.advance_to(reading.block.time_s * 10**9)
        answer = await feed.receive(ReadFrame())
        assert isinstance(answer, FrameArrived)
