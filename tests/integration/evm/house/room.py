"""
The real house on a real node, for tests: opened on a journal, thrown away, and opened again from its bytes.

The world is built once a session and dumped; each test loads it into a node of its own, so that a test may
reorganise, pause and break whatever it likes. Blocks are mined when the test says so.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from tests.integration import houses
from tests.integration.evm.house.ground import (
    CONFIRM_DEPTH,
    EPOCH_BLOCKS,
    LENDING,
    PLACES,
    POLICY,
    RULES,
    SEASON,
    Ground,
    frame_of,
    house_address,
    prologue,
)
from tests.unit.trading.desk import ANN, BOB, PRICES_USD, order
from treasury_actors.agents.registry import families
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.model.rpc import Json, result_of
from treasury_actors.chain.model.values import mapping
from treasury_actors.chain.ports import Rpc
from treasury_actors.clock import HOUR_NS, VirtualClock
from treasury_actors.errors import ActorCrashed
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.journal.ports import Journal
from treasury_actors.ledger.model import available
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.rehearsal.contracts import call_data
from treasury_actors.simulation.rehearsal.deploy_session import BlockWriter
from treasury_actors.simulation.rehearsal.local_key import HOUSE_KEY
from treasury_actors.simulation.rehearsal.world import World
from treasury_actors.trading.adapters.evm import erc20
from treasury_actors.trading.adapters.evm.placing import holdings_of
from treasury_actors.trading.adapters.evm.reads import RpcReads
from treasury_actors.trading.adapters.evm.signer import LocalSigner
from treasury_actors.trading.messages import ChangeTradingState, CloseTurn, OpenTurn, SubmitOrders, TurnClosed
from treasury_actors.trading.model.nonce_slots import Slots
from treasury_actors.trading.model.order import Order
from treasury_actors.trading.model.reconciliation import Reconciliation, reconcile
from treasury_actors.trading.model.slot_acts import WalletPolicy
from treasury_actors.trading.model.stop import OPERATOR, TradingState
from treasury_actors.wiring.chain_access import ChainAccess, chain_access
from treasury_actors.wiring.fold import Fold
from treasury_actors.wiring.house import House, open_house

ASK_TIMEOUT_S = 60.0
TURNS_MAX = 60
E = TypeVar("E")


@dataclass(slots=True, kw_only=True)
class Chain:
    """A node with the world on it, in the hands of its owner; `control` is the node itself, no faults."""

    ground: Ground
    control: HttpRpc
    world: World

    @property
    def address(self) -> str:
        """Return the wallet's address."""
        return house_address()

    async def ask(self, method: str, *params: Json) -> Json:
        """Return the result of one JSON-RPC call to the node itself."""
        return result_of(await self.control.call(method, params), method)

    async def command(self, to: str, signature: str, *values: object, sender: str = "") -> None:
        """Call any function as the deployer, who administers everything, or as any account at all."""
        whom = sender or self.world.roles.deployer
        call: dict[str, Json] = {"from": whom, "to": to, "data": call_data(signature, *values)}
        await self.ask("anvil_impersonateAccount", whom)
        # The highest tip goes first, before whatever of ours waits in the pool.
        tx_hash = await self.ask(
            "eth_sendTransaction",
            {**call, "gas": hex(1_000_000), "maxPriorityFeePerGas": hex(10**9), "maxFeePerGas": hex(10**11)},
        )
        await self.mine()
        receipt = mapping(await self.ask("eth_getTransactionReceipt", tx_hash), signature)
        assert receipt["status"] == "0x1", f"{signature} as {whom}"

    async def mine(self, blocks: int = 1) -> None:
        """Mine blocks, a second apart."""
        for _ in range(blocks):
            await self.ask("evm_mine")

    async def move_pool(self, asset: AssetId, *, ratio: float) -> None:
        """Let the arbitrageur swap an asset's pool to so many times the usual price; oracles stay."""
        price = PRICES_USD.get(asset, 1.0) * ratio
        calls = await self.world._price_calls(frame_of(1, {asset: price}))
        swaps = [call for call in calls if call.to == self.world.uniswap.router]
        assert swaps, "the pool was not there yet"
        await self.world.writer.one_block(swaps)

    async def allowances(self) -> dict[tuple[str, str], int]:
        """Return every allowance of ours that is not zero, of every token to every spender there is."""
        reads, registry = RpcReads(self.control), self.ground.registry
        spenders = [registry.contract(name).address for name in PLACES]
        spenders += [vault.address for vault in self.world.vaults.values()]
        left = {}
        for token in registry.tokens:
            for spender in spenders:
                units = await erc20.allowance(reads, token.address, self.address, spender, "latest")
                if units:
                    left[str(token.asset), spender] = units
        return left


@dataclass(slots=True, kw_only=True)
class Room(Chain):
    """
    One house on one chain, and all that outlives the house: the journal and the node.

    Attributes:
        rpc: what the house talks to the chain through.
        index: of the last frame; it goes on over restarts.
    """

    rpc: Rpc
    journal: Journal
    index: int = 0
    access: ChainAccess | None = None
    policy: WalletPolicy = POLICY
    usd: Mapping[str, float] = field(default_factory=dict)
    _house: House | None = None
    _life: asyncio.Task[None] | None = None
    _leave: asyncio.Event | None = None

    @property
    def house(self) -> House:
        """Return the house that is open."""
        assert self._house is not None, "the house is open"
        return self._house

    async def open(self) -> None:
        """Fold the journal and start the house on it, as every start does."""
        fold = Fold(season=SEASON, lending_benchmark=LENDING)
        last_ns = 0
        for recorded in self.journal.read():
            fold.add(recorded)
            last_ns = recorded.time_ns
        fold.finish()
        self.index = max(self.index, last_ns // HOUR_NS)
        self.access = chain_access(
            universe=MAINNET,
            registry=self.ground.registry,
            rpc=self.rpc,
            signer=LocalSigner(HOUSE_KEY, chain_id=self.ground.registry.chain_id),
            rules=replace(RULES, policy=self.policy),
        )
        rules = houses.rules()
        opened, self._leave = asyncio.get_running_loop().create_future(), asyncio.Event()

        async def live(leave: asyncio.Event) -> None:
            """Hold the house open; what opens it must close it, and a fixture and its test are two tasks."""
            async with open_house(
                rules=replace(rules, rates=replace(rules.rates, agent_sends_hour_max=10**6)),
                families=families(MAINNET),
                fold=fold,
                features=Features(MAINNET),
                journal=self.journal,
                turn_clock=VirtualClock(last_ns),
                host_clock=VirtualClock(),
                chain=self.access,
            ) as house:
                opened.set_result(house)
                await leave.wait()

        self._life = asyncio.create_task(live(self._leave))  # noqa: TID251 - see `live`
        self._house = await opened

    async def close(self) -> None:
        """Stop the house."""
        assert self._leave is not None
        assert self._life is not None
        self._leave.set()
        life, self._life, self._leave, self._house = self._life, None, None, None
        await life

    async def restart(self) -> None:
        """Throw away all that is in memory and not durable, and start again."""
        assert isinstance(self.journal, MemoryJournal)
        durable = self.journal.after_crash()
        await self.close()
        self.journal = durable
        await self.open()

    async def open_turn(self) -> None:
        """Publish the next frame to the engine."""
        self.index += 1
        market = frame_of(self.index, self.usd)
        self.house.clock.advance_to(market.time_ns)
        await self._asked(self.house.engine.ask(OpenTurn(frame=market), timeout_s=ASK_TIMEOUT_S))

    async def turn(self, *orders: Order) -> TurnClosed:
        """Play a frame: receipts are settled, orders taken, everything durable."""
        await self.open_turn()
        return await self.close_turn(*orders)

    async def close_turn(self, *orders: Order) -> TurnClosed:
        """Let the engine take these orders."""
        for each in orders:
            self.house.engine.tell(SubmitOrders(agent=each.agent, orders=(each,)))
        closing = self.house.engine.ask(CloseTurn(turn=self.index), timeout_s=ASK_TIMEOUT_S)
        closed = await self._asked(closing)
        await self.journal.flush()
        return closed

    async def trade(self, *path: str, units: int, agent: AgentId = ANN, reduce_only: bool = False) -> Order:
        """Play a frame with one order; return it."""
        placed = self.order(*path, units=units, agent=agent, reduce_only=reduce_only)
        await self.turn(placed)
        return placed

    def order(
        self, *path: str, units: int, agent: AgentId = ANN, number: int = 0, reduce_only: bool = False
    ) -> Order:
        """Return an order for the next frame."""
        turn = self.index + 1
        return order(turn, *path, units=units, agent=agent, number=number, reduce_only=reduce_only)

    def order_now(self, *path: str, units: int, agent: AgentId = ANN, number: int = 0) -> Order:
        """Return an order for the frame that is open."""
        return order(self.index, *path, units=units, agent=agent, number=number)

    async def settle(self, *, blocks: int = CONFIRM_DEPTH) -> None:
        """Mine and look until nothing is on its way and the books were compared, or for long enough."""
        for _ in range(TURNS_MAX):
            await self.mine(blocks)
            await self.turn()
            records = self.house.fold.records
            waits = any(slot.mined is None or slot.compensated for slot in self.slots.live())
            if not records.open_orders.at_venue() and not waits:
                await self.mine(blocks)
                await self.turn()
                return
        raise AssertionError(f"still on its way after {TURNS_MAX} turns: {self.slots}")

    async def settle_stopped(self) -> None:
        """Mine and look some times: while trading is stopped some hops can't come to their end."""
        for _ in range(4):
            await self.mine(CONFIRM_DEPTH)
            await self.turn()

    async def bury(self) -> None:
        """Mine until all that was mined is final, looking now and then."""
        for _ in range(4):
            await self.mine(EPOCH_BLOCKS)
            await self.turn()

    async def change(self, state: TradingState, by: str = OPERATOR, reason: str = "a test says so") -> str:
        """Stop, reduce or resume; return what then holds."""
        message = ChangeTradingState(state=state, by=by, reason=reason)
        return await self._asked(self.house.engine.ask(message, timeout_s=ASK_TIMEOUT_S))

    @property
    def slots(self) -> Slots:
        """Return the live wallet's slots."""
        return self.house.fold.records.slots(self.ground.registry.chain_id, self.address)

    async def differences(self) -> Reconciliation:
        """Return the books against the chain, both as they are."""
        assert self.access is not None
        found = await holdings_of(self.access.desk)
        return reconcile(self.house.fold.records.book.in_our_hands(), found)

    def events(self, kind: type[E]) -> list[E]:
        """Return the journalled events of a kind, in order."""
        return [r.event for r in self.journal.read() if isinstance(r.event, kind)]

    def units(self, agent: AgentId, asset: AssetId) -> int:
        """Return what an agent may spend."""
        return self.house.fold.records.book.units(available(agent), asset)

    async def _asked(self, asking: Awaitable[E]) -> E:
        """Wait for an answer; a crash of the core is raised as what it is."""
        try:
            return await asking
        except ActorCrashed as crashed:
            raise self.house.core.escalation or crashed from crashed


Wrap = Callable[[HttpRpc], Rpc]


@asynccontextmanager
async def room_on(
    ground: Ground,
    url: str,
    *,
    through: str = "",
    journal: Journal | None = None,
    policy: WalletPolicy = POLICY,
    deadline_s: float = 10.0,
    wrap: Wrap = lambda rpc: rpc,
    agents: Sequence[AgentId] = (ANN, BOB),
) -> AsyncIterator[Room]:
    """
    Open a house on a node's world.

    Args:
        through: what the house uses instead of the node itself: a proxy's address.
        wrap: puts something around its session.
    """
    first = journal is None or journal.head[0] == 0
    kept: Journal = MemoryJournal() if journal is None else journal
    if first:
        prologue(kept, agents)
        await kept.flush()
    endpoint = Endpoint(url=through or url, deadline_s=deadline_s)
    async with HttpRpc(Endpoint(url=url)) as control, HttpRpc(endpoint) as rpc:
        writer = BlockWriter(control, artifacts=ground.artifacts, account=ground.world.roles.deployer)
        room = Room(
            ground=ground,
            rpc=wrap(rpc),
            control=control,
            journal=kept,
            world=replace(ground.world, writer=writer),
            policy=policy,
        )
        await room.open()
        try:
            yield room
        finally:
            await room.close()
