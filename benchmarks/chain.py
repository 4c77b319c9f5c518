"""
How fast the house is on a chain: a local node with the real contracts. Run `python benchmarks/chain.py`.

- decision to receipt: from an order's submission to the event of its fill, a swap with its approval, on a
  node that mines at once and with one confirmation; the turn then goes on and compares the books.
- stop to last signature: an operator pulls the switch while a turn of 10,000 orders is being closed; how long
  after that the last transaction was signed, and how long until the stop is durable and acknowledged.
- restart: 50 transactions are in flight when the house dies; how long a new process needs until it accepts an
  order again, every transaction explained, settled and the books compared with the chain.

Times are the machine's, with whatever else it does (its load is printed first); targets are printed beside
them. The processor times say what an idle machine would need, since nearly nothing here runs side by side.
"""

import argparse
import asyncio
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.integration.evm.house.dying import portable
from tests.integration.evm.house.ground import BUY, DOLLARS, POLICY, SELL, WETH, Ground, make_ground, own_node
from tests.integration.evm.house.room import Room, room_on
from tests.unit.trading.desk import ANN
from treasury_actors.chain.adapters.http_rpc import HttpRpc
from treasury_actors.chain.adapters.npm import anvil_binary, evm_tree
from treasury_actors.chain.ports import Rpc
from treasury_actors.clock import WallClock
from treasury_actors.ids import AgentId
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.simulation.run import JOURNAL_NAME
from treasury_actors.trading.messages import CloseTurn, SubmitOrders
from treasury_actors.trading.model.order import OrderAccepted, OrderFilled
from treasury_actors.trading.model.transaction import TxSigned

IN_FLIGHT = 50
PRICED = replace(POLICY, confirm_depth=1, in_flight_max=64)
CROWD = tuple(AgentId(f"agent-{number:04}") for number in range(1, IN_FLIGHT // 2 + 1))
QUEUED = 10_000
ASK_TIMEOUT_S = 600.0
POLLS_MAX = 10**7
MS = 1_000.0


class Counting:
    """A session that counts and times its requests."""

    def __init__(self, rpc: HttpRpc) -> None:
        self._rpc = rpc
        self.spent_s = 0.0
        self.requests = 0

    def __getattr__(self, name: str) -> object:
        asked = getattr(self._rpc, name)

        async def timed(*arguments: object) -> object:
            began = time.perf_counter()
            answer = await asked(*arguments)
            self.spent_s += time.perf_counter() - began
            self.requests += 1
            return answer

        return timed


def processor_s(pid: int) -> float:
    """Return the processor time of another process; nan where the system doesn't tell."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return math.nan
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many percent of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, -(-len(ordered) * percent // 100) - 1)]


async def decision_to_receipt(ground: Ground, folder: Path, orders: int) -> str:
    """Trade to and fro, one order at a time."""
    journal = await SqliteJournal.open(folder / JOURNAL_NAME, clock=WallClock())
    sessions: list[Counting] = []

    def counted(rpc: HttpRpc) -> Rpc:
        sessions.append(Counting(rpc))
        return sessions[0]  # type: ignore[return-value]  # it passes on what it is asked

    took: list[float] = []
    async with (
        own_node(ground, automine=True) as node,
        room_on(ground, node.url, journal=journal, policy=PRICED, wrap=counted) as room,
    ):
        await room.turn()
        session, turns_s = sessions[0], 0.0
        spent_s, requests = session.spent_s, session.requests
        ours_s, nodes_s = time.process_time(), processor_s(node.pid)
        filled_at: list[float] = []
        _note(room, OrderFilled, filled_at)
        for number in range(orders):
            await room.open_turn()
            path, units = (BUY, 100 * DOLLARS) if number % 2 == 0 else (SELL, room.units(ANN, WETH))
            began = time.perf_counter()
            await room.close_turn(room.order_now(path, units=units))
            await room.open_turn()
            took.append((filled_at[-1] - began) * MS)
            turns_s += time.perf_counter() - began
            await room.close_turn()
        filled = len(room.events(OrderFilled))
        ours_s, nodes_s = time.process_time() - ours_s, processor_s(node.pid) - nodes_s
        await room.ask("anvil_mine", "0x1")
    await journal.close()
    assert filled == orders, f"{filled} of {orders} orders were filled"
    a_request = (session.spent_s - spent_s) / (session.requests - requests) * MS
    an_order = (session.requests - requests) / orders
    return (
        f"decision to receipt: p50 {statistics.median(took):.1f} ms (target 30),"
        f" p95 {percentile(took, 95):.1f} ms, {orders} orders of two transactions each;"
        f" with both turns around it {turns_s / orders * MS:.1f} ms;"
        f" {an_order:.0f} requests an order of {a_request:.2f} ms;"
        f" processor time an order: {ours_s / orders * MS:.0f} ms ours,"
        f" {nodes_s / orders * MS:.0f} ms the node's"
    )


async def stop_to_last_signature(ground: Ground, folder: Path, rounds: int) -> str:
    """Pull the switch somewhere in the closing of a turn of very many orders."""
    last_s, acknowledged_s, signed_before = [], [], 0
    for number in range(rounds):
        path = folder / str(number)
        path.mkdir()
        journal = await SqliteJournal.open(path / JOURNAL_NAME, clock=WallClock())
        signed_at: list[float] = []
        async with (
            own_node(ground) as node,
            room_on(ground, node.url, journal=journal, policy=PRICED, agents=CROWD) as room,
        ):
            assert room.access is not None
            await room.turn()
            await room.open_turn()
            _note(room, TxSigned, signed_at)
            await _submit(room)
            closing = asyncio.create_task(_closed(room))
            # Evenly over the part of the turn that signs, which begins when all orders are accepted.
            reached = number * 2 * len(CROWD) // (rounds + 1) + 1
            for _ in range(POLLS_MAX):
                if len(signed_at) >= reached or closing.done():
                    break
                await asyncio.sleep(0)
            assert len(signed_at) >= reached, f"{len(signed_at)} signatures in the turn"
            pulled = time.perf_counter()
            room.house.fold.records.latch.switch.pulled = True
            await room.change("stopped")
            acknowledged_s.append(time.perf_counter() - pulled)
            await closing
            last_s.append(max(0.0, signed_at[-1] - pulled))
            signed_before += sum(at <= pulled for at in signed_at)
        await journal.close()
    return (
        f"stop to last signature: p99 {percentile(last_s, 99) * MS:.2f} ms (target 50) of {rounds} stops with"
        f" {QUEUED} orders queued, {signed_before} signatures before them; acknowledged as durable after"
        f" p50 {statistics.median(acknowledged_s) * MS:.0f} ms,"
        f" p99 {percentile(acknowledged_s, 99) * MS:.0f} ms: the turn's other orders are ended before"
    )


def _note(room: Room, kind: type, at: list[float]) -> None:
    """Note the time of each event of a kind from now on."""
    append = room.journal.append

    def noting(event: object, **rest: object) -> object:
        if isinstance(event, kind):
            at.append(time.perf_counter())
        return append(event, **rest)  # type: ignore[arg-type]

    room.journal.append = noting  # type: ignore[assignment,method-assign]


async def _submit(room: Room) -> None:
    """Queue very many orders, as many an agent."""
    for agent in CROWD:
        share = QUEUED // len(CROWD)
        orders = [room.order_now(BUY, units=20 * DOLLARS, agent=agent, number=n) for n in range(share)]
        room.house.engine.tell(SubmitOrders(agent=agent, orders=tuple(orders)))


async def _closed(room: Room) -> None:
    await room.house.engine.ask(CloseTurn(turn=room.index), timeout_s=ASK_TIMEOUT_S)


async def restart(ground: Ground, folder: Path, rounds: int) -> str:
    """Die with very many transactions in flight; let a new process get ready, and say how long that took."""
    inside_s, busy_s, whole_s = [], [], []
    for number in range(rounds):
        path = folder / str(number)
        path.mkdir()
        journal = await SqliteJournal.open(path / JOURNAL_NAME, clock=WallClock())
        async with own_node(ground) as node:
            async with room_on(ground, node.url, journal=journal, policy=PRICED, agents=CROWD) as room:
                await room.turn()
                await room.turn(*[room.order(BUY, units=100 * DOLLARS, agent=agent) for agent in CROWD])
                assert len(room.slots.live()) == IN_FLIGHT
                await room.mine()
            await journal.abandon()
            words = [sys.executable, __file__, "--ready", str(path), node.url, str(ground.state)]
            began = time.perf_counter()
            done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603, ASYNC221
            whole_s.append(time.perf_counter() - began)
            assert done.returncode == 0, done.stderr
            inside, busy = (float(word) for word in done.stdout.split())
            inside_s.append(inside)
            busy_s.append(busy)
    return (
        f"restart with {IN_FLIGHT} transactions in flight to trading-ready: median"
        f" {statistics.median(inside_s):.2f} s (target 3), worst {max(inside_s):.2f} s of {rounds};"
        f" processor time {statistics.median(busy_s):.2f} s;"
        f" with the start and end of Python and its imports {statistics.median(whole_s):.2f} s"
    )


async def get_ready(folder: Path, url: str, state: Path) -> None:
    """Start on a folder whose house died; print the seconds until an order is accepted."""
    import pickle  # noqa: PLC0415

    ground = pickle.loads((state.parent / "ground.pickle").read_bytes())  # noqa: S301 - our own, of a minute ago
    began, busy_s = time.perf_counter(), time.process_time()
    journal = await SqliteJournal.open(folder / JOURNAL_NAME, clock=WallClock())
    async with room_on(ground, url, journal=journal, policy=PRICED) as room:
        before = len(room.events(OrderAccepted))
        await room.trade(BUY, units=10 * DOLLARS, agent=CROWD[0])
        seconds, busy_s = time.perf_counter() - began, time.process_time() - busy_s
        assert len(room.events(OrderAccepted)) == before + 1, "not ready to trade"
        assert len(room.events(OrderFilled)) == len(CROWD), "what was in flight is settled"
        assert (await room.differences()).shortfalls == ()
    await journal.close()
    print(seconds, busy_s)


async def main() -> None:
    """Measure, print."""
    import pickle  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--stops", type=int, default=20)
    parser.add_argument("--restarts", type=int, default=5)
    parser.add_argument("--ready", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ready:
        folder, url, state = options.ready
        await get_ready(Path(folder), url, Path(state))
        return
    with tempfile.TemporaryDirectory() as place:
        here = Path(place)
        for name in ("ground", "decisions", "stops", "restarts"):
            (here / name).mkdir()
        ground = await make_ground(here / "ground", anvil_binary(evm_tree()))
        (here / "ground" / "ground.pickle").write_bytes(pickle.dumps(portable(ground)))
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        print(await decision_to_receipt(ground, here / "decisions", options.orders))
        print(await stop_to_last_signature(ground, here / "stops", options.stops))
        print(await restart(ground, here / "restarts", options.restarts))


if __name__ == "__main__":
    asyncio.run(main())
