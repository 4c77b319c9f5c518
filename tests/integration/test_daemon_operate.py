"""A run under an operator's hand: status, stop, resume and money, whether it lives or is dead."""

import json
from dataclasses import asdict
from pathlib import Path

import anyio
import pytest

from tests.unit.daemon.driver import folded, play, small_run
from tests.unit.daemon.living import SLOW_X, count, living, state
from treasury_actors.clock import WallClock
from treasury_actors.daemon import operate
from treasury_actors.daemon.requests import Direction
from treasury_actors.daemon.stop_file import FILE_NAME as STOP_NAME
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.journal.sqlite_in_use import sqlite_in_use
from treasury_actors.journal.verify import verify
from treasury_actors.ledger.model import GAS, RESERVE
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.run import JOURNAL_NAME

USDC = AssetId("USDC")
CLOCK = WallClock()


@pytest.fixture(scope="module")
def two_days() -> Prepared:
    return small_run()


async def test_status_of_a_living_run(tmp_path: Path, two_days: Prepared) -> None:
    async with living(two_days, tmp_path) as run:
        await run.reach(2)
        found = await operate.status(tmp_path)

    assert found["running"] is True
    assert found["phase"] == "playing"
    assert found["executor_running"] is True
    assert found["label"] == "GENERATED"
    assert found["run_id"] == two_days.manifest.run_id
    assert found["season"] == 1
    assert found["frames"] == 48
    assert found["agents"] == {"living": 5, "closing": 0, "born": 5}
    assert state(found) == "active"
    assert 54_000 < float(str(found["nav_usd"])) < 56_000  # five times 10,000 and 5,000 of gas
    assert found["speed_x"] == SLOW_X
    assert found["restarts"] == 0
    assert found["sqlite"] == asdict(sqlite_in_use())
    json.dumps(found, allow_nan=False)


async def test_status_of_a_dead_run_comes_from_its_folder_and_changes_nothing(
    tmp_path: Path, two_days: Prepared
) -> None:
    await play(two_days, tmp_path)
    before = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}

    found = await operate.status(tmp_path)

    assert {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before
    assert found["running"] is False
    assert found["phase"] == "dead"
    assert (found["frame"], found["frames"]) == (47, 48)
    assert found["season_closed"] is True
    assert found["nav_usd"] is None
    assert found["journal"] == dict(
        zip(("events", "head_hash"), folded(tmp_path).head, strict=True),
    )


async def test_status_of_no_run_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no run there"):
        await operate.status(tmp_path)


async def test_a_stop_holds_while_the_process_stays_up_and_a_resume_lets_it_trade_on(
    tmp_path: Path, two_days: Prepared
) -> None:
    async with living(two_days, tmp_path) as run:
        stopped = await operate.stop(tmp_path, "a drill", clock=CLOCK)
        at_stop = folded(tmp_path)
        assert stopped == {"ok": True, "state": "stopped", "changed": True, "journalled": True}
        assert at_stop.records.latch.state == "stopped"  # durable before it was acknowledged
        assert (tmp_path / STOP_NAME).exists()
        again = await operate.stop(tmp_path, "a drill", clock=CLOCK)
        assert again["changed"] is False
        await run.reach(run.turn + 3)
        assert state(await operate.status(tmp_path)) == "stopped"
        resumed = await operate.resume(tmp_path, "drill over", clock=CLOCK)
        assert resumed["state"] == "active"
        assert resumed["stop_file_removed"] is True
        assert not (tmp_path / STOP_NAME).exists()
        await run.reach(run.turn + 3)
        assert state(await operate.status(tmp_path)) == "active"

    latch = folded(tmp_path).records.latch
    assert (latch.epoch, latch.reason) == (2, "drill over")


async def test_reducing_does_not_loosen_a_stop(tmp_path: Path, two_days: Prepared) -> None:
    async with living(two_days, tmp_path):
        reducing = await operate.stop(tmp_path, "careful", "reducing", clock=CLOCK)
        stopped = await operate.stop(tmp_path, "worse", clock=CLOCK)
        kept = await operate.stop(tmp_path, "careful", "reducing", clock=CLOCK)

    assert [answer["state"] for answer in (reducing, stopped, kept)] == ["reducing", "stopped", "stopped"]
    assert folded(tmp_path).records.latch.epoch == 2


async def test_a_stop_file_written_by_hand_stops_a_run_at_full_speed_and_one_that_waits(
    tmp_path: Path, two_days: Prepared
) -> None:
    for name, speed_x in (("fast", None), ("waits", 1.0)):
        folder, run_of = tmp_path / name, small_run(days=35) if speed_x is None else two_days
        async with living(run_of, folder, speed_x=speed_x):
            (folder / STOP_NAME).touch()
            with anyio.fail_after(10.0):
                while state(await operate.status(folder)) != "stopped":
                    await anyio.lowlevel.checkpoint()
        assert folded(folder).records.latch.state == "stopped"


async def test_a_stop_before_the_start_is_read_before_any_trade(tmp_path: Path, two_days: Prepared) -> None:
    tmp_path.mkdir(exist_ok=True)
    answer = await operate.stop(tmp_path, "not yet", clock=CLOCK)

    await play(two_days, tmp_path)

    found = folded(tmp_path)
    assert answer["journalled"] is False
    assert found.types[0] == "trading.state_changed.v1"
    assert found.records.latch.reason == "not yet"
    assert count(found, "trading.order_refused.v1") > 0
    assert count(found, "trading.order_accepted.v1") == 0
    assert count(found, "trading.order_filled.v1") == 0


async def test_a_dead_run_is_stopped_and_resumed_in_its_journal(tmp_path: Path, two_days: Prepared) -> None:
    async with living(two_days, tmp_path) as run:
        await run.reach(2)

    stopped = await operate.stop(tmp_path, "while dead", clock=CLOCK)
    after_stop = folded(tmp_path)
    async with living(two_days, tmp_path):
        assert state(await operate.status(tmp_path)) == "stopped"
    resumed = await operate.resume(tmp_path, "go on", clock=CLOCK)
    nothing = await operate.resume(tmp_path, "go on", clock=CLOCK)
    await play(two_days, tmp_path)

    found = folded(tmp_path)
    assert stopped == {"ok": True, "state": "stopped", "changed": True, "journalled": True}
    assert after_stop.records.latch.state == "stopped"
    assert (resumed["changed"], resumed["stop_file_removed"]) == (True, True)
    assert (nothing["changed"], nothing["stop_file_removed"]) == (False, False)
    assert found.records.latch.state == "active"
    assert found.records.book.imbalances() == []
    assert verify(tmp_path / JOURNAL_NAME).events == found.head[0]


async def test_a_stop_file_that_cannot_be_removed_keeps_a_run_stopped(
    tmp_path: Path, two_days: Prepared
) -> None:
    (tmp_path / STOP_NAME).mkdir()
    async with living(two_days, tmp_path):
        answer = await operate.resume(tmp_path, "please", clock=CLOCK)
        assert answer["ok"] is False
        assert "by hand" in str(answer["error"])
        assert state(await operate.status(tmp_path)) == "stopped"


async def test_the_treasury_is_moved_alike_whether_the_run_lives_or_is_dead(
    tmp_path: Path, two_days: Prepared
) -> None:
    async def move(direction: Direction, asset: str, amount: str) -> dict[str, object]:
        return await operate.treasury(tmp_path, direction, asset, amount, "a donor", clock=CLOCK)

    answers = []
    async with living(two_days, tmp_path):
        answers.append(await move("deposit", "USDC", "1000.5"))
        answers.append(await move("deposit", "ETH", "1"))
        answers.append(await move("withdraw", "USDC", "1000.500001"))
    dead = folded(tmp_path)
    answers.append(await move("withdraw", "USDC", "0.5"))
    answers.append(await move("withdraw", "USDC", "1000.01"))
    answers.append(await move("deposit", "WETH", "0.000000000000000001"))
    end = await play(two_days, tmp_path)

    book = folded(tmp_path).records.book
    assert [answer["ok"] for answer in answers] == [True, True, False, True, False, True]
    assert answers[2]["reason"] == answers[4]["reason"] == "insufficient_units"
    assert dead.records.book.units(RESERVE, USDC) == 1_000_500_000
    assert book.units(RESERVE, USDC) == 1_000_000_000
    assert book.units(RESERVE, AssetId("WETH")) == 1
    assert answers[1]["account"] == GAS
    assert book.imbalances() == []
    assert end.kind == "finished"


async def test_gas_money_is_not_withdrawn_whether_the_run_lives_or_is_dead(
    tmp_path: Path, two_days: Prepared
) -> None:
    """Mandates were promised their shares of it (I19)."""

    async def withdraw() -> dict[str, object]:
        return await operate.treasury(tmp_path, "withdraw", "ETH", "0.5", "a thief", clock=CLOCK)

    async with living(two_days, tmp_path):
        await operate.treasury(tmp_path, "deposit", "ETH", "1", "a donor", clock=CLOCK)
        answers = [await withdraw()]
    before = folded(tmp_path)
    answers.append(await withdraw())

    assert [(answer["ok"], answer["reason"]) for answer in answers] == [(False, "insufficient_units")] * 2
    assert folded(tmp_path).head == before.head
    assert before.records.book.units(GAS, AssetId("ETH")) > 10**18


@pytest.mark.parametrize(
    ("asset", "amount", "words"),
    [
        ("DOGE", "1", "unknown; known are USDC"),
        ("USDC", "0", "above 0"),
        ("USDC", "-5", "positive decimal"),
        ("USDC", "1e6", "positive decimal"),
        ("USDC", "NaN", "positive decimal"),
        ("USDC", "1.0000001", "more than 6 decimals"),
        ("USDC", "1,000", "positive decimal"),
        ("USDC", "", "positive decimal"),
        ("USDC", "9" * 70, "positive decimal"),
    ],
)
async def test_a_bad_amount_is_named_and_nothing_written(
    tmp_path: Path, asset: str, amount: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        await operate.treasury(tmp_path, "deposit", asset, amount, "", clock=CLOCK)

    assert list(tmp_path.iterdir()) == []


async def test_money_for_a_run_that_has_not_begun_is_refused(tmp_path: Path) -> None:
    answer = await operate.treasury(tmp_path, "deposit", "USDC", "1", "", clock=CLOCK)

    assert answer["ok"] is False
    assert not (tmp_path / JOURNAL_NAME).exists()


async def test_commands_refuse_a_missing_or_foreign_folder_and_an_empty_reason(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()

    with pytest.raises(ConfigError, match=r"holiday\.jpg"):
        await operate.stop(tmp_path, "r", clock=CLOCK)
    with pytest.raises(ConfigError, match="no run folder"):
        await operate.stop(tmp_path / "typo", "r", clock=CLOCK)
    with pytest.raises(ConfigError, match="--reason"):
        await operate.resume(tmp_path, "  ", clock=CLOCK)

    assert [file.name for file in tmp_path.iterdir()] == ["holiday.jpg"]
