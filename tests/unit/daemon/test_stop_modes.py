"""Stop, reduce, unwind; what a stop does not do; what strangers sent."""

import json
from pathlib import Path

import anyio
import pytest

from tests.unit.daemon.driver import folded, play, small_run
from tests.unit.daemon.living import count, living, state
from treasury_actors.cli.main import main
from treasury_actors.clock import WallClock
from treasury_actors.daemon import operate
from treasury_actors.daemon.control import Inbox
from treasury_actors.daemon.remains import Remains, read_remains, remains_lines
from treasury_actors.daemon.requests import Request, StopTrading
from treasury_actors.daemon.stop_file import read_stop_file
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId, EntryId
from treasury_actors.journal.folder import FolderLock
from treasury_actors.ledger.model import DEPOSITS, RESERVE, UNSOLICITED, Entry, pool, transfer
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.run import JOURNAL_NAME, last_event_ns, open_journal

CLOCK = WallClock()
USDC = AssetId("USDC")
GIFT = EntryId("inflow/3/USDC/5000000")


@pytest.fixture(scope="module")
def two_days() -> Prepared:
    return small_run(round_h=24)


async def give(folder: Path) -> None:
    """Let a stranger have sent five dollars to the wallet of a dead run."""
    entry = Entry(entry_id=GIFT, kind="inflow", postings=transfer(DEPOSITS, UNSOLICITED, USDC, 5_000_000))
    with FolderLock(folder) as lock:
        async with open_journal(folder, clock=CLOCK, durable=True, epoch=lock.epoch) as journal:
            time_ns = last_event_ns(journal)
            journal.append(entry, stream="ledger", time_ns=time_ns)


async def test_an_unwound_house_sells_everything_and_its_capital_comes_home(
    tmp_path: Path, two_days: Prepared
) -> None:
    async with living(two_days, tmp_path) as run:
        await run.reach(4)
        closed = await operate.close_all(tmp_path, "we leave", clock=CLOCK)
        await run.reach(30)
    records = folded(tmp_path).records

    assert closed["ok"] is True
    assert closed["closing"] == 5
    assert closed["state"] == "reducing"
    assert not records.roster.living()
    assert not records.roster.closing()
    assert read_remains(tmp_path).positions == ()
    assert records.book.units(pool("sim"), USDC) > 49_000 * 10**6


async def test_unwinding_under_a_stop_allows_exits_again_and_no_new_risk(
    tmp_path: Path, two_days: Prepared
) -> None:
    async with living(two_days, tmp_path) as run:
        await run.reach(4)
        await operate.stop(tmp_path, "first stop", clock=CLOCK)
        await operate.close_all(tmp_path, "then leave", clock=CLOCK)
        at = run.turn
        await run.reach(at + 20)
    found = folded(tmp_path)

    assert found.records.latch.state == "reducing"
    assert found.records.latch.epoch == 2
    assert read_remains(tmp_path).positions == ()


async def test_a_dead_house_unwinds_once_it_is_started(tmp_path: Path) -> None:
    two_days = small_run()
    async with living(two_days, tmp_path) as run:
        await run.reach(4)
    closed = await operate.close_all(tmp_path, "we leave", clock=CLOCK)
    await play(two_days, tmp_path)

    assert closed["at_next_start"] == 5
    assert folded(tmp_path).records.latch.state == "reducing"
    assert not folded(tmp_path).records.roster.living()
    assert read_remains(tmp_path).positions == ()


async def test_a_milder_stop_leaves_a_stricter_file_in_place(tmp_path: Path, two_days: Prepared) -> None:
    async with living(two_days, tmp_path) as run:
        await run.reach(2)
        await operate.stop(tmp_path, "stop", clock=CLOCK)
        milder = await operate.stop(tmp_path, "reduce", "reducing", clock=CLOCK)
    order = read_stop_file(tmp_path)

    assert milder["state"] == "stopped"
    assert order is not None
    assert (order.state, order.reason) == ("stopped", "stop")


def test_a_request_is_heard_the_moment_it_comes() -> None:
    heard: list[Request] = []
    inbox = Inbox(heard.append)
    request = StopTrading(state="stopped", reason="now")
    inbox.put(request)

    assert heard == [request]
    assert inbox.take() is not None


async def test_the_switch_is_pulled_while_a_turn_takes_its_time(tmp_path: Path, two_days: Prepared) -> None:
    """The turn's end makes it durable; nobody is told before that."""
    async with living(two_days, tmp_path, speed_x=None) as run:
        stopped = await operate.stop(tmp_path, "at full speed", clock=CLOCK)
        await run.reach(run.turn + 2)
        found = await operate.status(tmp_path)

    assert stopped["journalled"] is True
    assert state(found) == "stopped"


async def test_what_a_stop_does_not_do_is_read_from_the_journal(tmp_path: Path, two_days: Prepared) -> None:
    async with living(two_days, tmp_path) as run:
        await run.reach(8)
        await operate.stop(tmp_path, "a drill", clock=CLOCK)
        left = read_remains(tmp_path)
    lines = remains_lines(left, "stopped", close_all=False, running=True)

    assert left.positions
    assert "the process stays up" in lines[0]
    assert "nothing is sold" in lines[1]
    assert "no transaction of ours can land" in lines[-1]


def test_a_journal_that_cannot_be_read_stops_no_stop(tmp_path: Path) -> None:
    (tmp_path / JOURNAL_NAME).write_bytes(b"this is no database, and never was one" * 40)
    left = read_remains(tmp_path)

    assert left.unread
    assert "unknown here" in remains_lines(left, "stopped", close_all=False, running=False)[-1]
    assert read_remains(tmp_path / "nowhere") == Remains()


def test_stop_prints_what_it_does_not_do(
    tmp_path: Path, two_days: Prepared, capsys: pytest.CaptureFixture[str]
) -> None:
    anyio.run(play, two_days, tmp_path)

    assert main(["stop", "--mode", "reduce", "--out", str(tmp_path), "--reason", "a drill"]) == 0
    assert "no process runs here" in capsys.readouterr().out
    assert main(["stop", "--out", str(tmp_path), "--reason", "a drill", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["state"] == "stopped"
    assert said["remains"]["may_still_land"] == []
    assert main(["close-all", "--out", str(tmp_path), "--reason", "leave", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "reducing"


async def test_an_inflow_is_accepted_once_and_only_by_its_id(tmp_path: Path, two_days: Prepared) -> None:
    await play(two_days, tmp_path)
    await give(tmp_path)
    before = folded(tmp_path).records.book.units(RESERVE, USDC)

    unknown = await operate.accept_inflow(tmp_path, "inflow/9/USDC/1", "mine", clock=CLOCK)
    first = await operate.accept_inflow(tmp_path, GIFT, "a refund", clock=CLOCK)
    again = await operate.accept_inflow(tmp_path, GIFT, "a refund", clock=CLOCK)
    other = await operate.accept_inflow(tmp_path, GIFT, "another reason", clock=CLOCK)
    book = folded(tmp_path).records.book

    assert unknown["ok"] is False
    assert (first["ok"], first["changed"]) == (True, True)
    assert (again["ok"], again["changed"]) == (True, False)
    assert other["reason"] == "exists_with_different_content"
    assert book.units(RESERVE, USDC) == before + 5_000_000
    assert book.units(UNSOLICITED, USDC) == 0
    assert not book.imbalances()
    assert operate.list_inflows(tmp_path) == [
        {"entry_id": GIFT, "amounts": {"USDC": "5.000000"}, "accepted": True}
    ]


async def test_a_living_run_accepts_an_inflow(tmp_path: Path, two_days: Prepared) -> None:
    async with living(two_days, tmp_path) as run:
        await run.reach(2)
    await give(tmp_path)
    async with living(two_days, tmp_path) as run:
        await run.reach(run.turn + 1)
        taken = await operate.accept_inflow(tmp_path, GIFT, "a refund", clock=CLOCK)

    assert (taken["ok"], taken["changed"]) == (True, True)
    assert folded(tmp_path).records.book.units(UNSOLICITED, USDC) == 0
    assert count(folded(tmp_path), "ledger.entry_posted.v1") > 0


async def test_an_inflow_needs_a_reason(tmp_path: Path, two_days: Prepared) -> None:
    await play(two_days, tmp_path)
    with pytest.raises(ConfigError, match="--reason"):
        await operate.accept_inflow(tmp_path, GIFT, "", clock=CLOCK)
