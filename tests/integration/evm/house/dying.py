"""
A house as a process of its own, which kills itself by SIGKILL at the n-th thing it does for good.

Those things are: a commit of the journal (before it and after it), a send (before it and after it), and a
reading of receipts. `trade` plays a day up to there; `recover` is what the next process finds and does.
"""

import asyncio
import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.integration.evm.house.ground import BUY, CONFIRM_DEPTH, DOLLARS, SELL, SUPPLY, Ground
from tests.integration.evm.house.room import Room, room_on
from tests.unit.trading.desk import ANN, BOB
from treasury_actors.chain.adapters.http_rpc import HttpRpc
from treasury_actors.chain.model.rpc import Answer, Json, RpcCall, SendAnswer
from treasury_actors.clock import VirtualClock
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.simulation.rehearsal.contracts import Artifacts
from treasury_actors.simulation.rehearsal.deploy_session import BlockWriter
from treasury_actors.simulation.run import JOURNAL_NAME
from treasury_actors.trading.model.order import OrderAccepted, OrderEnded, OrderFilled, OrderReleased
from treasury_actors.trading.model.transaction import TxMined, TxReverted, TxSettled

RECEIPTS = "eth_getTransactionReceipt"
REPORT_NAME = "report.json"


@dataclass(slots=True)
class Fate:
    """Counts what is done for good; kills this process at the `at`-th of it."""

    at: int
    done: list[str] = field(default_factory=list)

    def pass_by(self, what: str) -> None:
        """Note a thing, or die of it."""
        self.done.append(what)
        if len(self.done) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


NEVER = 0


class DyingJournal(SqliteJournal):
    """The journal, with a fate at every commit."""

    fate = Fate(NEVER)

    async def flush(self) -> None:
        """Commit, if we live so long."""
        if self.durable_seq == self.head[0]:
            return
        self.fate.pass_by(f"before the commit up to event {self.head[0]}")
        await super().flush()
        self.fate.pass_by(f"after the commit up to event {self.head[0]}")


class DyingRpc:
    """The session, with a fate at every send and every reading of receipts."""

    def __init__(self, rpc: HttpRpc, fate: Fate) -> None:
        self._rpc = rpc
        self._fate = fate

    async def call(self, method: str, params: Sequence[Json] = ()) -> Answer:
        """Ask the node."""
        answer = await self._rpc.call(method, params)
        if method == RECEIPTS:
            self._fate.pass_by("after the reading of logs")
        return answer

    async def batch(self, calls: Sequence[RpcCall]) -> list[Answer]:
        """Ask the node."""
        answers = await self._rpc.batch(calls)
        if calls and calls[0].method == RECEIPTS:
            self._fate.pass_by("after the reading of receipts")
        return answers

    async def send(self, raw: str, tx_hash: str) -> SendAnswer:
        """Send, if we live so long."""
        self._fate.pass_by(f"before the send of {tx_hash[:10]}")
        answer = await self._rpc.send(raw, tx_hash)
        self._fate.pass_by(f"after the send of {tx_hash[:10]}")
        return answer


def portable(ground: Ground) -> Ground:
    """Return what another process needs of a ground: everything but the session that built it."""
    nothing = Artifacts(Path(), {})
    writer = BlockWriter(None, artifacts=nothing, account=ground.world.roles.deployer)  # type: ignore[arg-type]
    return replace(ground, world=replace(ground.world, writer=writer), artifacts=nothing)


def trade(ground: Ground, url: str, folder: Path, at: int) -> None:
    """Live a day in this process; killed at the `at`-th thing if that is not 0. Report what there was."""
    fate = Fate(at)

    async def live(room: Room) -> None:
        await room.turn()
        await room.turn(
            room.order(BUY, units=1_000 * DOLLARS), room.order(SUPPLY, units=500 * DOLLARS, agent=BOB)
        )
        await room.mine(CONFIRM_DEPTH)
        await room.turn(room.order(BUY, SELL, units=300 * DOLLARS, agent=BOB))
        for _ in range(3):
            await room.mine(CONFIRM_DEPTH)
            await room.turn()

    asyncio.run(_with_room(ground, url, folder, fate, live))
    (folder / REPORT_NAME).write_text(json.dumps(fate.done))


def recover(ground: Ground, url: str, folder: Path) -> None:
    """Start on what a killed process left, settle it, trade once more, and report how it all ended."""
    report: dict[str, object] = {}

    async def live(room: Room) -> None:
        await room.settle()
        await room.trade(SUPPLY, units=100 * DOLLARS, agent=ANN)
        await room.settle()
        await room.bury()
        report.update(await _findings(room))

    asyncio.run(_with_room(ground, url, folder, Fate(NEVER), live))
    (folder / REPORT_NAME).write_text(json.dumps(report))


async def _with_room(ground: Ground, url: str, folder: Path, fate: Fate, live: object) -> None:
    """Open a house on the journal of a folder, and let it live."""
    journal = await DyingJournal.open(folder / JOURNAL_NAME, clock=VirtualClock(), durable=False)
    journal.fate = fate  # type: ignore[attr-defined]  # `open` makes what it is called on
    async with room_on(ground, url, journal=journal, wrap=lambda rpc: DyingRpc(rpc, fate)) as room:
        await live(room)  # type: ignore[operator]
    await journal.close()


async def _findings(room: Room) -> Mapping[str, object]:
    """Return what a killed and recovered day must be judged by."""
    released = [(e.order_id, e.hop) for e in room.events(OrderReleased)]
    filled = [(e.order_id, e.hop) for e in room.events(OrderFilled)]
    ended = [(e.order_id, e.hop) for e in room.events(OrderEnded)]
    over = {e.order_id for e in room.events(OrderFilled) if e.last} | {order for order, _ in ended}
    calls = [e.intent for e in room.events(TxSettled) if e.intent.endswith("/call")]
    mined = {e.tx_hash for e in room.events(TxMined)}
    differences = await room.differences()
    return {
        "equal": differences.is_equal,
        "differences": str(differences),
        "allowances": len(await room.allowances()),
        "calls": sorted(calls),
        "fills": sorted(f"{order}/{hop}/call" for order, hop in filled),
        "hops without end": [str(hop) for hop in released if [*filled, *ended].count(hop) != 1],
        "orders without end": sorted({e.order.order_id for e in room.events(OrderAccepted)} - over),
        "nonces used": int(str(await room.ask("eth_getTransactionCount", room.address, "latest")), 16),
        "transactions known": len(mined),
        "reverted": len(room.events(TxReverted)),
        "stopped": room.house.fold.records.latch.reason,
        "live": len(room.slots.live()),
    }
