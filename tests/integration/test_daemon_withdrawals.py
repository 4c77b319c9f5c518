"""A treasurer at a daemon's desk: a plan is shown, begun once, followed, cancelled; at rest it is refused."""

import json
from pathlib import Path

import pytest
from anyio import to_thread

from tests.unit.daemon.driver import folded, small_run
from tests.unit.daemon.living import living
from treasury_actors.arena.model.withdrawal import WithdrawalHome, WithdrawalPlanned
from treasury_actors.cli.main import main
from treasury_actors.clock import HOUR_NS, WallClock
from treasury_actors.daemon import operate
from treasury_actors.daemon import operate_withdrawals as withdrawals
from treasury_actors.daemon.withdrawing import deadline_ns
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId, EntryId
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.journal.folder import FolderLock
from treasury_actors.ledger.model import DEPOSITS, PROMISED, RESERVE, Entry, transfer
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.run import JOURNAL_NAME

CLOCK = WallClock()
USDC = AssetId("USDC")


@pytest.fixture(scope="module")
def two_days() -> Prepared:
    return small_run()


async def test_a_plan_is_shown_begun_once_under_its_name_and_paid_out(
    tmp_path: Path, two_days: Prepared
) -> None:
    async def ask(amount: str = "12000", *, begins: bool, plan: str = "") -> dict[str, object]:
        return await withdrawals.withdraw_by(
            tmp_path, "USDC", amount, "+24h", "payroll",
            begins=begins, withdrawal="w-1", plan=plan, clock=CLOCK,
        )  # fmt: skip

    async with living(two_days, tmp_path) as run:
        await run.reach(3)
        before = folded(tmp_path).records.book.units(DEPOSITS, USDC)
        planned = await ask(begins=False)
        assert (await operate.status(tmp_path))["withdrawal"] is None  # a plan moves nothing
        stale = await ask(begins=True, plan="0" * 12)
        began = await ask(begins=True)
        again = await ask(begins=True)
        await run.reach(run.turn + 6)
        status = await operate.status(tmp_path)

    assert (planned["ok"], planned["status"]) == (True, "planned")
    assert (stale["ok"], stale["reason"]) == (False, "plan_changed")
    assert (began["ok"], began["status"]) == (True, "under_way")
    assert again["plan"] == began["plan"]
    assert status["withdrawal"] is None
    liquid = status["liquid"]
    assert isinstance(liquid, dict)
    assert 37_000 < float(liquid["24h_usd"]) < 39_000  # fifty thousand less twelve
    assert float(liquid["locked_usd"]) > 4_600  # what pays for gas
    assert liquid["runway_months"] is None
    json.dumps(status, allow_nan=False)
    records = folded(tmp_path).records
    assert records.roster.withdrawals.known["w-1"].status == "executed"
    assert records.book.units(DEPOSITS, USDC) == before + 12_000 * 10**6


async def test_a_withdrawal_can_be_cancelled_and_is_told_while_it_is_open(
    tmp_path: Path, two_days: Prepared
) -> None:
    async with living(two_days, tmp_path):
        await operate.stop(tmp_path, "a drill", clock=CLOCK)  # so that nothing can be sold
        before = folded(tmp_path).records.book.units(DEPOSITS, USDC)
        began = await withdrawals.withdraw_by(
            tmp_path, "USDC", "45000", "+7d", "payroll", begins=True, withdrawal="w-1", clock=CLOCK
        )
        status = await operate.status(tmp_path)
        early = await withdrawals.paid(tmp_path, "w-1", "paid by hand", clock=CLOCK)
        cancelled = await withdrawals.cancel(tmp_path, "w-1", "not needed", clock=CLOCK)
        again = await withdrawals.cancel(tmp_path, "w-1", "not needed", clock=CLOCK)

    assert "stopped" in str(began["note"])
    told = status["withdrawal"]
    assert isinstance(told, dict)
    assert (told["withdrawal"], told["status"], told["amount"]) == ("w-1", "under_way", "45000.000000")
    assert early["reason"] == "still_running"
    assert (cancelled["ok"], cancelled["status"]) == (True, "cancelled")
    assert again["reason"] == "withdrawal_over"
    book = folded(tmp_path).records.book
    assert book.units(PROMISED, USDC) == 0
    assert book.units(DEPOSITS, USDC) == before


async def test_at_rest_nobody_knows_a_price_and_only_a_payment_is_booked(
    tmp_path: Path, two_days: Prepared
) -> None:
    async with living(two_days, tmp_path):
        pass
    asked = await withdrawals.withdraw_by(
        tmp_path, "USDC", "45000", "+7d", "payroll", begins=True, clock=CLOCK
    )
    unknown = await withdrawals.paid(tmp_path, "w-9", "paid by hand", clock=CLOCK)
    cancelled = await withdrawals.cancel(tmp_path, "w-9", "?", clock=CLOCK)

    assert [each["reason"] for each in (asked, unknown, cancelled)] == [
        "not_running",
        "unknown_withdrawal",
        "not_running",
    ]


async def test_what_the_wallets_owner_paid_out_is_booked_once(tmp_path: Path, two_days: Prepared) -> None:
    async with living(two_days, tmp_path):
        await operate.treasury(tmp_path, "deposit", "USDC", "100", "a grant", clock=CLOCK)
    found = folded(tmp_path).records
    assert found.roster.season is not None
    planned = WithdrawalPlanned(
        withdrawal="w-1", turn=1, asset=USDC, units=100 * 10**6, by_ns=0, reason="payroll", idle=(), cuts=()
    )
    moved = transfer(RESERVE, PROMISED, USDC, 100 * 10**6)
    with FolderLock(tmp_path) as lock:
        journal = await SqliteJournal.open(
            tmp_path / JOURNAL_NAME, clock=CLOCK, durable=True, epoch=lock.epoch
        )
        last_ns = max(recorded.time_ns for recorded in journal.read())
        journal.append(planned, stream="arena", time_ns=last_ns)
        aside = Entry(entry_id=EntryId("promise/w-1/0"), kind="fund", postings=moved)
        journal.append(aside, stream="ledger", time_ns=last_ns)
        journal.append(WithdrawalHome(withdrawal="w-1", turn=1), stream="arena", time_ns=last_ns)
        await journal.flush()
        await journal.close()
    first = await withdrawals.paid(tmp_path, "w-1", "paid by hand", clock=CLOCK)
    second = await withdrawals.paid(tmp_path, "w-1", "paid by hand", clock=CLOCK)

    assert (first["ok"], first["changed"]) == (True, True)
    assert (second["ok"], second["changed"]) == (True, False)
    assert folded(tmp_path).records.book.units(PROMISED, USDC) == 0


@pytest.mark.parametrize(
    ("text", "hours"), [("+24h", 24), ("+7d", 168), ("1970-01-02T01:00Z", 25), ("1970-01-02T01:00", 25)]
)
def test_a_time_is_written_as_one_or_as_a_span_from_now(text: str, hours: int) -> None:
    if text.startswith("+"):
        assert deadline_ns(text, 5) == 5 + hours * HOUR_NS
    else:
        assert deadline_ns(text.replace("1970", "1972"), 5) == (hours + 730 * 24) * HOUR_NS


@pytest.mark.parametrize("text", ["", "soon", "24h", "+0h", "-1d", "1969-01-01", "9999-01-01", "+99999h"])
async def test_a_time_that_is_none_is_named(text: str, tmp_path: Path, two_days: Prepared) -> None:
    with pytest.raises(ValueError, match="by"):
        deadline_ns(text, 0)
    with pytest.raises(ConfigError, match="--reason"):
        await withdrawals.withdraw_by(tmp_path, "USDC", "1", text, "", begins=True, clock=CLOCK)


async def test_the_command_prints_a_plan_and_begins_nothing_without_a_yes(
    tmp_path: Path, two_days: Prepared, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["treasury", "withdraw", "USDC", "12000", "--by", "+24h", "--reason", "rent", "--out"]

    def run(*more: str) -> int:
        return main([*words, str(tmp_path), *more])

    async with living(two_days, tmp_path) as living_run:
        await living_run.reach(3)
        codes = [await to_thread.run_sync(run, *more) for more in (("--plan",), (), ("--yes", "--json"))]

    out = capsys.readouterr().out
    assert codes == [0, 0, 0]
    assert out.count("withdraw 12000.000000 USDC by") == 2
    assert "exit costs $" in out
    assert json.loads(out.splitlines()[-1])["status"] == "under_way"
    assert len(folded(tmp_path).records.roster.withdrawals.known) == 1
