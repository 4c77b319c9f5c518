"""A house lives on a local chain in real blocks: on paper and live, stopped, resumed, unwound."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from tests.integration.evm.live.conftest import (
    AGENTS,
    CLOCK,
    OpenGround,
    Running,
    live_settings,
)
from tests.unit.daemon.driver import folded
from tests.unit.daemon.living import count, state
from treasury_actors.daemon import operate
from treasury_actors.daemon.remains import read_remains
from treasury_actors.errors import ConfigError
from treasury_actors.journal.verify import verify
from treasury_actors.ledger.model import UNSOLICITED
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.custody.accounts_check import check_accounts
from treasury_actors.simulation.live.prepared import ChainLabel
from treasury_actors.simulation.live.session import chosen_chain
from treasury_actors.simulation.rehearsal.local_key import HOUSE_KEY
from treasury_actors.simulation.run import JOURNAL_NAME
from treasury_actors.trading.model.reconciliation import Reconciliation


@asynccontextmanager
async def running(run: Running, label: ChainLabel) -> AsyncIterator[None]:
    """Let a house run while the body runs; then tell it to leave."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.run, label)
        yield
        signal.raise_signal(signal.SIGTERM)


def holding(secret: str, folder: Path) -> list[str]:
    """Return the files that hold a key, as text in any case or as bytes."""
    text = secret.removeprefix("0x").lower()
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    assert len(files) > 3, "there is something to look through"
    contents = [(file.name, file.read_bytes()) for file in files]
    return [name for name, data in contents if text.encode() in data.lower() or bytes.fromhex(text) in data]


async def differences(chain: Path, url: str, wallet: str, folder: Path) -> Reconciliation:
    """Return how the books of a run differ from its wallet."""
    chosen = chosen_chain(live_settings(chain), [url])
    return (await check_accounts(folder, chosen, MAINNET, wallet, CLOCK)).differences


async def test_a_live_house_trades_is_stopped_resumed_and_unwound_with_equal_books(
    tmp_path: Path, open_ground: OpenGround
) -> None:
    folder = tmp_path / "run"
    async with open_ground() as ground:
        await ground.pay(f"{1_000 * AGENTS + 50}")
        run = Running(chain=ground.folder, folder=folder)
        async with running(run, "LIVE"):
            await run.reach(5)
            stopped = await operate.stop(folder, "a drill", clock=CLOCK)
            at_stop = count(folded(folder), "trading.tx_signed.v1")
            await run.reach(run.turn + 3)
            signed_after = count(folded(folder), "trading.tx_signed.v1") - at_stop
        resumed = await operate.resume(folder, "over", clock=CLOCK)
        again = Running(chain=ground.folder, folder=folder)
        async with running(again, "LIVE"):
            await again.reach(run.turn + 2)
            moved = [
                await operate.treasury(folder, direction, "USDC", "1", "by hand", clock=CLOCK)
                for direction in ("deposit", "withdraw")
            ]
            await operate.close_all(folder, "we leave", clock=CLOCK)
            while folded(folder).records.roster.closing():
                await again.reach(again.turn + 1)
            found = await operate.status(folder)
        gaps = await differences(ground.folder, ground.local.url, ground.wallet, folder)
    journal = folded(folder)

    assert (stopped["ok"], stopped["journalled"]) == (True, True)
    assert at_stop > 0
    assert signed_after == 0
    assert resumed["state"] == "active"
    assert [reply["reason"] for reply in moved] == ["wallet_holds_it", "wallet_holds_it"]
    assert state(found) == "reducing"
    assert count(journal, "trading.order_filled.v1") > 0
    assert read_remains(folder).positions == ()
    gifts = journal.records.book.balances(UNSOLICITED)
    assert gifts[MAINNET.reserve] > 0
    assert gaps.is_equal
    assert holding(HOUSE_KEY, folder) == []


async def test_who_stood_by_trades_on_with_the_same_nonces_and_equal_books(
    tmp_path: Path, open_ground: OpenGround
) -> None:
    folder = tmp_path / "run"
    async with open_ground() as ground:
        await ground.pay(f"{1_000 * AGENTS}")
        first = Running(chain=ground.folder, folder=folder)
        second = Running(chain=ground.folder, folder=folder, waits=True)
        async with anyio.create_task_group() as both:
            async with anyio.create_task_group() as dying:
                dying.start_soon(first.run, "LIVE")
                await first.reach(2)
                both.start_soon(second.run, "LIVE")
                await first.reach(4)
                ready = second.ready
                dying.cancel_scope.cancel()
            at_death = folded(folder)
            await second.reach(first.turn + 4)
            await operate.close_all(folder, "we leave", clock=CLOCK)
            while folded(folder).records.roster.closing():
                await second.reach(second.turn + 1)
            signal.raise_signal(signal.SIGTERM)
        gaps = await differences(ground.folder, ground.local.url, ground.wallet, folder)
        nonce = await ground.hands.ask("eth_getTransactionCount", ground.wallet, "latest")
    journal = folded(folder)
    (slots,) = journal.records.wallets.values()

    assert 0 < ready <= at_death.head[0] < journal.head[0]
    assert count(journal, "daemon.resumed.v1") == 1
    assert count(journal, "trading.tx_signed.v1") > count(at_death, "trading.tx_signed.v1") > 0
    assert gaps.is_equal
    assert int(str(nonce), 16) == slots.next_nonce
    assert verify(folder / JOURNAL_NAME).events == journal.head[0]


async def test_a_wallet_that_lacks_one_unit_begins_nothing(tmp_path: Path, open_ground: OpenGround) -> None:
    folder = tmp_path / "run"
    async with open_ground() as ground:
        await ground.pay("100")
        with pytest.raises(ConfigError, match="nothing was begun"):
            await Running(chain=ground.folder, folder=folder).run("LIVE")

    assert folded(folder).head[0] == 0


async def test_on_paper_no_transaction_is_signed(tmp_path: Path, open_ground: OpenGround) -> None:
    folder = tmp_path / "run"
    async with open_ground() as ground:
        run = Running(chain=ground.folder, folder=folder)
        async with running(run, "PAPER"):
            await run.reach(4)
        nonce = await ground.hands.ask("eth_getTransactionCount", ground.wallet, "pending")

    assert nonce == "0x0"
    assert count(folded(folder), "trading.order_filled.v1") > 0
    assert count(folded(folder), "trading.tx_signed.v1") == 0
