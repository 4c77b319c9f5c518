"""A paper run: a turn a frame, as frames arrive; nothing is ordered without one; a restart goes on."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from tests.unit.daemon.driver import folded
from tests.unit.daemon.living import count, state
from tests.unit.daemon.paper import DAYS, OUTAGE_S_MAX, Living, Market, paper, play_paper, settings_on_chain
from treasury_actors.clock import Clock, VirtualClock, WallClock
from treasury_actors.daemon import operate
from treasury_actors.errors import ConfigError
from treasury_actors.journal.reader import open_readonly
from treasury_actors.journal.verify import verify
from treasury_actors.market.adapters.frame_log import FrameLog
from treasury_actors.simulation.live.prepared import prepare_on_chain
from treasury_actors.simulation.live.season import PlannedSeason
from treasury_actors.simulation.run import JOURNAL_NAME
from treasury_actors.trading.model.order import Order, OrderAccepted
from treasury_actors.trading.model.stop import TradingStateChanged

CLOCK = WallClock()


@asynccontextmanager
async def living(folder: Path, hour: int = 0, *, host: Clock = CLOCK) -> AsyncIterator[Living]:
    """Play a paper run while the body runs; then tell it to leave."""
    run = Living(market=Market(hour=hour, host=host), turn=hour)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(play_paper, run, folder)
        yield run
        signal.raise_signal(signal.SIGTERM)


def orders(folder: Path, kind: type[OrderAccepted]) -> list[Order]:
    """Return the orders of all events of a kind."""
    return [event.order for event in events(folder) if isinstance(event, kind)]


def events(folder: Path) -> list[object]:
    """Return the events of a run's journal."""
    with open_readonly(folder / JOURNAL_NAME) as reader:
        return [recorded.event for recorded in reader.read()]


async def until_down(folder: Path) -> dict[str, object]:
    """Return the status once it says that the feed is down."""
    while True:
        found = await operate.status(folder)
        feed = found["feed"]
        if isinstance(feed, dict) and feed["state"] == "down":
            return found
        await anyio.lowlevel.checkpoint()


async def until_trading_is(wanted: str, folder: Path) -> None:
    """Return once the status says so."""
    while state(await operate.status(folder)) != wanted:
        await anyio.lowlevel.checkpoint()


async def some_reads(run: Living) -> None:
    """Let the feed be asked some more times, and what follows from it happen."""
    reads = run.market.reads
    while run.market.reads < reads + 10:
        await anyio.lowlevel.checkpoint()


async def test_a_turn_is_played_for_each_frame_and_none_without_one(tmp_path: Path) -> None:
    async with living(tmp_path) as run:
        await run.play_to(5)
        await some_reads(run)
        found = await operate.status(tmp_path)

    assert run.turn == 6
    assert found["label"] == "PAPER"
    assert found["frame"] == 5
    assert found["frames"] == DAYS * 24
    feed = found["feed"]
    assert isinstance(feed, dict)
    assert (feed["state"], feed["frames"]) == ("up", 6)
    assert run.end is not None
    assert run.end.kind == "interrupted"
    assert count(folded(tmp_path), "trading.order_filled.v1") > 0


async def test_a_frame_is_durable_before_its_turn_is(tmp_path: Path) -> None:
    _, growing = paper()
    async with living(tmp_path) as run:
        await run.play_to(3)
        log = FrameLog.open(tmp_path, beginning_hash=growing.beginning_hash)
        assert [record.frame.index for record in log.records] == [0, 1, 2, 3]
        log.close()


async def test_a_restart_folds_the_frames_that_were_kept_and_goes_on(tmp_path: Path) -> None:
    apart, whole = tmp_path / "apart", tmp_path / "whole"
    async with living(apart) as run:
        await run.play_to(7)
    async with living(apart, hour=7) as run:
        await run.play_to(12)
    async with living(whole) as run:
        await run.play_to(12)

    assert folded(apart).state_hash == folded(whole).state_hash
    assert count(folded(apart), "daemon.resumed.v1") == 1
    assert verify(apart / JOURNAL_NAME).head_seq == folded(apart).head[0]


async def test_a_restart_within_the_hour_waits_for_the_next_frame_and_serves_operators(
    tmp_path: Path,
) -> None:
    async with living(tmp_path) as run:
        await run.play_to(24)  # a day's close: every agent's state is an event, so the fold ends with it
    async with living(tmp_path, hour=24) as run:
        while not run.market.reads:
            await anyio.lowlevel.checkpoint()
        stopped = await operate.stop(tmp_path, "no frame yet", clock=CLOCK)
        found = await operate.status(tmp_path)
        await operate.resume(tmp_path, "and on", clock=CLOCK)
        run.turn = 25
        await run.play_to(26)

    assert stopped["journalled"] is True
    assert (found["phase"], found["frame"], state(found)) == ("playing", 24, "stopped")
    assert run.end is not None
    assert run.end.turns == 2


async def test_simulated_agents_live_on_the_frames_of_a_chain_and_are_paper_whatever_they_are_beside(
    tmp_path: Path,
) -> None:
    apart, whole = tmp_path / "apart", tmp_path / "whole"
    settings = settings_on_chain(simulation={"agents": 4})
    for folder, parts in ((apart, (9, 26)), (whole, (26,))):
        begins = 0
        for ends in parts:
            run = Living(market=Market(hour=begins), turn=begins)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(partial(play_paper, run, folder, settings=settings))
                await run.play_to(ends)
                signal.raise_signal(signal.SIGTERM)
            begins = ends
    paper = folded(apart / "sim").records
    growing = prepare_on_chain(settings, label="LIVE", clock=CLOCK)[0].season

    assert len(paper.roster.living()) == 4
    assert paper.roster.season is not None
    assert paper.roster.season.label == "PAPER"
    assert folded(apart).state_hash == folded(whole).state_hash
    assert paper.state_hash == folded(whole / "sim").state_hash
    assert isinstance(growing, PlannedSeason)
    assert (growing.label, growing.on_paper().label) == ("LIVE", "PAPER")


async def test_what_was_missed_is_played_and_nothing_is_ordered_on_it(tmp_path: Path) -> None:
    async with living(tmp_path) as run:
        await run.reach(1)
    async with living(tmp_path, hour=9) as run:
        run.turn = 0
        await run.reach(10)
        await run.play_to(11)
    accepted = [order.turn for order in orders(tmp_path, OrderAccepted)]

    assert not [turn for turn in accepted if 1 <= turn <= 8]
    assert [turn for turn in accepted if turn >= 9], "on the frame of the hour it is, it trades again"


async def test_a_feed_that_is_down_is_journalled_and_shown_and_no_frame_is_made_up(tmp_path: Path) -> None:
    async with living(tmp_path) as run:
        await run.play_to(2)
        run.market.hour = None
        found = await until_down(tmp_path)
        assert run.turn == 3
        run.market.hour = 3
        await run.reach(4)

    feed = found["feed"]
    assert isinstance(feed, dict)
    assert "no_answer" in str(feed["said"])
    assert count(folded(tmp_path), "daemon.feed_down.v1") == 1
    assert count(folded(tmp_path), "daemon.feed_back.v1") == 1


async def test_a_stop_holds_though_the_feed_is_down(tmp_path: Path) -> None:
    async with living(tmp_path) as run:
        await run.play_to(1)
        run.market.hour = None
        stopped = await operate.stop(tmp_path, "the node is gone", clock=CLOCK)
        found = await operate.status(tmp_path)

    assert stopped["ok"] is True
    assert stopped["journalled"] is True
    assert state(found) == "stopped"
    assert folded(tmp_path).records.latch.state == "stopped"


async def test_an_outage_that_lasts_reduces_trading_once_until_a_person_resumes(tmp_path: Path) -> None:
    host = VirtualClock()
    async with living(tmp_path, host=host) as run:
        await run.play_to(2)
        run.market.hour = None
        await until_down(tmp_path)
        host.advance_to(int((OUTAGE_S_MAX - 1.0) * 1e9))
        await some_reads(run)
        assert state(await operate.status(tmp_path)) == "active", "a short one ends by itself"
        host.advance_to(int(OUTAGE_S_MAX * 1e9))
        await until_trading_is("reducing", tmp_path)

        await operate.resume(tmp_path, "the provider says it is nothing", clock=CLOCK)
        host.advance_to(int(9 * OUTAGE_S_MAX * 1e9))
        await some_reads(run)
        assert state(await operate.status(tmp_path)) == "active", "who resumes is not overruled"

    changes = [event for event in events(tmp_path) if isinstance(event, TradingStateChanged)]
    assert [(each.state, each.by) for each in changes] == [("reducing", "feed"), ("active", "operator")]
    assert changes[0].reason.startswith("the feed is down for 3 h: no_answer")


async def test_after_an_outage_that_lasted_only_exits_go_on_and_the_next_one_reduces_again(
    tmp_path: Path,
) -> None:
    host = VirtualClock()
    async with living(tmp_path, host=host) as run:
        await run.play_to(2)
        for number in (1, 2):
            run.market.hour = None
            await until_down(tmp_path)
            host.advance_to(host.now_ns() + int(OUTAGE_S_MAX * 1e9))
            await until_trading_is("reducing", tmp_path)
            await run.play_to(2 + 4 * number)
            await operate.resume(tmp_path, "looked at it", clock=CLOCK)
        await run.play_to(12)

    accepted = [order for order in orders(tmp_path, OrderAccepted) if not order.reduce_only]
    changes = [event for event in events(tmp_path) if isinstance(event, TradingStateChanged)]
    assert [each.state for each in changes] == ["reducing", "active"] * 2
    assert not [order for order in accepted if 3 <= order.turn <= 10], "nothing new until a person resumed"


async def test_the_season_ends_with_its_last_frame(tmp_path: Path) -> None:
    run = Living(market=Market())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(play_paper, run, tmp_path)
        await run.play_to(DAYS * 24 - 1)

    assert run.end is not None
    assert run.end.kind == "finished"
    assert count(folded(tmp_path), "arena.season_closed.v1") == 1


def test_a_chain_run_names_its_chain() -> None:
    with pytest.raises(ConfigError, match=r"chain\.network"):
        paper(settings_on_chain(chain={"network": "none"}))


def test_secrets_of_the_live_section_are_in_no_manifest_and_decide_no_hash() -> None:
    key = "https://node.example/v2/very-secret"
    with_url = settings_on_chain(live={"rpcs": [key], "webhook": key})
    prepared, _ = paper(with_url)

    assert "very-secret" not in repr(prepared.manifest)
    assert "very-secret" not in repr(with_url)
    assert with_url.live.urls == (key,)
    assert with_url.config_hash == settings_on_chain().config_hash
