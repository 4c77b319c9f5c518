"""A wallet under the faults of a seed: every intent is settled once, whatever chain, nodes and power do."""

from collections.abc import Iterator
from typing import Final

import anyio

from treasury_actors.actors.actor import Actor
from treasury_actors.actors.child import ChildSpec
from treasury_actors.actors.ref import Ref
from treasury_actors.actors.supervisor import Supervisor
from treasury_actors.clock import VirtualClock
from treasury_actors.errors import ActorError, InvariantViolated
from treasury_actors.evolution.model.chance import Chance
from treasury_actors.faults.chain import FINAL_BLOCKS, GWEI, SimulatedChain, fee_of
from treasury_actors.faults.chain_desk import SENDER, Allowed, MoodyNode, NewsDesk, WatchedSigner
from treasury_actors.faults.disk import Disk, recover
from treasury_actors.faults.journal import DiskJournal, Moment
from treasury_actors.faults.kinds import KINDS, Fault
from treasury_actors.faults.loop import LoopClock, PowerCut, SimulatedLoop
from treasury_actors.faults.plan import Plan
from treasury_actors.faults.sometimes import Sometimes
from treasury_actors.faults.violation import Violation, violated
from treasury_actors.journal.event import Recorded
from treasury_actors.settings.rules import HouseRules
from treasury_actors.trading.model.chain_limits import ChainReason, ChainRefusal
from treasury_actors.trading.model.fees import FeePolicy
from treasury_actors.trading.model.nonce_slots import Slots, SlotState
from treasury_actors.trading.model.signing_gate import SigningGate
from treasury_actors.trading.model.slot_acts import Intent, WalletPolicy
from treasury_actors.trading.model.stop import OPERATOR, TradingState, TradingStateChanged
from treasury_actors.trading.model.transaction import Call, IntentId, TxEvent, TxPlanned, TxReturned, TxSigned
from treasury_actors.trading.wallet import Wallet
from treasury_actors.trading.wallet_messages import GateChanged, LookAtChain, PlaceCall, WalletMessage

CHAIN_KINDS: Final = tuple(name for name, kind in KINDS.items() if kind.where == "chain")
CHAIN_ID: Final = 8453
CONFIRM_DEPTH: Final = 3
_HEAL_BLOCKS: Final = 40
_FOLLOWED: Final = tuple(
    f"trading.{name}.v1" for name in ("tx_planned", "tx_returned", "tx_signed", "state_changed")
)
_LIVES_MAX: Final = 60
_STEPS: Final = 40
_GAS: Final = 150_000
_ETHER: Final = 10**18
_SMALL_CAP_WEI: Final = _ETHER // 50
"""Too little for a signature when fees are at their worst: then the nonce goes back."""

_ASK_TIMEOUT_S: Final = 3_600.0
_POLICY: Final = WalletPolicy(
    fees=FeePolicy(transaction_wei_max=_ETHER, emergency_wei_max=_ETHER, day_wei_max=1_000 * _ETHER),
    confirm_depth=CONFIRM_DEPTH,
    resend_blocks=2,
    lies_max=1_000,
)


class WalletSeed:
    """
    Plays the chain faults of a plan: one block a turn, then blocks without any fault. It outlives processes.

    Attributes:
        block: how many blocks the world has gone on by.
        epoch: of trading, as the journal has it.
        acknowledged_seq: what a wallet was told is durable.
        settled: how many intents came to an end that a receipt proves.
    """

    def __init__(self, plan: Plan, rules: HouseRules, *, sometimes: Sometimes) -> None:
        self.plan = plan
        self.rules = rules
        self.sometimes = sometimes
        self._chance = Chance((plan.seed, "chain"))
        self.chain = SimulatedChain(Chance((plan.seed, "chain", "blocks")))
        self.disk = Disk()
        self.desk = NewsDesk(self.chain, confirm_depth=CONFIRM_DEPTH, sometimes=sometimes)
        self.allowed = Allowed(planned={}, signed={})
        self._wanted: list[IntentId] = []
        self._asked = 0
        self.block = 0
        self.lives = 0
        self._fired: dict[Fault, None] = {}
        self.epoch = 0
        self.acknowledged_seq = 0
        self.settled = 0
        self.trace: list[str] = []

    def run(self) -> None:
        """Play to the end; raise Violation if a promise is broken."""
        while self.block < self.last_block:
            if self.lives == _LIVES_MAX:
                violated("liveness", f"{_LIVES_MAX} wallets did not come to an end")
            self.lives += 1
            try:
                WalletLife(self).run()
            except PowerCut:
                self.sometimes.reached("chain-wallet-killed")
                self.disk.power_cut(self._chance)
            except InvariantViolated as broken:
                raise Violation(str(broken).partition(":")[0], f"the wallet stopped: {broken}") from broken
            except Violation:
                raise
            except BaseException as error:
                raise Violation("exit", f"the wallet died of {type(error).__name__}: {error}") from error
        self._check_rest()

    @property
    def last_block(self) -> int:
        """The last block that is looked at."""
        return self.plan.turns + _HEAL_BLOCKS

    def next_block(self) -> None:
        """Let the world go on by a block, with what befalls it."""
        self.block += 1
        plan, chain, block = self.plan, self.chain, self.block
        chain.takes = not plan.at("chain-idle", block)
        chain.base_fee_wei = GWEI
        for fault in plan.at("chain-fees", block):
            chain.base_fee_wei = (3 * GWEI, 40 * GWEI, 1_000 * GWEI)[fault.number % 3]
        if plan.at("chain-drop", block) and chain.drop():
            self.sometimes.reached("chain-pool-dropped")
        chain.mine()
        for fault in plan.at("chain-reorg", block):
            if chain.reorg(1 + fault.slot % (FINAL_BLOCKS - 1), keeps=fault.number % 3 != 0):
                self.sometimes.reached("chain-reorganised")
        self.trace.append(chain.head.hash)

    def intents_due(self) -> Iterator[Intent]:
        """Yield what is to be done now: new intents, and those that were refused before."""
        if self.block < self.plan.turns:
            for _ in range(1 + self._chance.below(2)):
                self._asked += 1
                self._wanted.append(IntentId(f"order-{self._asked}"))
        for name in tuple(self._wanted):
            number = int(name.rpartition("-")[2])
            data = f"0x{number:08x}" + ("ff" if number % 7 == 0 else "00")
            call = Call(to=SENDER, value_wei=number, data=data, gas_limit=_GAS)
            cap_wei = _SMALL_CAP_WEI if number % 3 == 0 else _ETHER
            yield Intent(intent=name, purpose="trade", call=call, fee_wei_max=cap_wei, epoch=self.epoch)

    def placed(self, intent: IntentId) -> None:
        """Ask for an intent no more."""
        self._wanted.remove(intent)

    def kill_step(self) -> int | None:
        """Return after how many callbacks the process dies in this block, or None."""
        for fault in self.plan.of("chain-kill"):
            if fault.turn == self.block and fault not in self._fired:
                self._fired[fault] = None
                return fault.number % _STEPS
        return None

    def wants_stopped(self) -> bool:
        """Say whether an operator wants trading stopped now."""
        return bool(self.plan.at("chain-stop", self.block))

    def take(self, recorded: Recorded) -> None:
        """Follow an event: what it allows, once it is durable."""
        if recorded.type not in _FOLLOWED:
            return
        event = recorded.event
        match event:
            case TxPlanned():
                self.allowed.planned[event.slot.nonce] = (recorded.seq, event)
            case TxReturned():
                self.allowed.planned.pop(event.slot.nonce, None)
            case TxSigned():
                self.allowed.signed[event.tx_hash] = (recorded.seq, event)
                if event.attempt:
                    self.sometimes.reached("chain-bumped")
            case TradingStateChanged():
                self.allowed.stopped = event.state == "stopped"
                self.epoch = event.epoch
            case _:
                pass

    def start(self) -> tuple[list[Recorded], Slots, SigningGate]:
        """Read the disk and fold what is there."""
        events = recover(self.disk)
        if len(events) < self.acknowledged_seq:
            violated("durability", f"event {self.acknowledged_seq} was acknowledged, {len(events)} are left")
        self.acknowledged_seq = len(events)
        self.allowed.planned.clear()
        self.allowed.signed.clear()
        self.allowed.stopped, self.epoch = False, 0
        slots, gate = Slots(chain_id=CHAIN_ID, sender=SENDER), SigningGate()
        for recorded in events:
            self.take(recorded)
            event = recorded.event
            if isinstance(event, TradingStateChanged):
                gate.apply(event)
            elif isinstance(event, TxEvent):
                slots.apply(event)
        return events, slots, gate

    def _check_rest(self) -> None:
        """Compare what was posted with what the chain did: each intent once, each fee to the wei."""
        if self._wanted:
            violated("liveness", f"{self._wanted[0]} was never taken")
        _, slots, _ = self.start()
        live = slots.live()
        if live:
            violated("liveness", f"nonce {live[0].id.nonce} is {live[0].state} after {_HEAL_BLOCKS} blocks")
        done: dict[str, int] = {}
        fees = 0
        for block in self.chain.blocks:
            for tx in block.txs:
                fees += fee_of(tx, block)
                if tx.kind == "call" and not tx.reverts:
                    done[tx.data] = done.get(tx.data, 0) + 1
        twice = [data for data, times in done.items() if times > 1]
        if twice:
            violated("I20", f"call {twice[0]} was done {done[twice[0]]} times")
        net = {key: count for key, count in self.desk.counted.items() if key not in self.desk.undone}
        posted = sum(count.fee_wei for count in net.values())
        if posted != fees:
            violated("I20", f"{fees} wei were burnt, {posted} posted")
        settled = sum(count.outcome == SlotState.SETTLED for count in net.values())
        if settled != len(done):
            violated("I20", f"{len(done)} calls were done, {settled} posted")
        self.settled = len(net)
        if self.desk.stops:
            violated("I27", f"trading was stopped for nothing: {self.desk.stops[0]}")


class WalletLife:
    """One process with one wallet in it."""

    def __init__(self, seed: WalletSeed) -> None:
        plan = seed.plan
        self._seed = seed
        self._loop = SimulatedLoop(
            schedule=plan.schedule, chance=Chance((plan.seed, "chain", "schedule", seed.lives))
        )
        self._chance = Chance((plan.seed, "chain", "node", seed.lives))
        self._journal: DiskJournal | None = None
        self._is_gone = False

    def run(self) -> None:
        """Live until the last block, or until the power goes."""
        try:
            self._loop.run_until_complete(self._main())
        finally:
            self._is_gone = True
            if self._journal is not None:
                self._journal.cut()
            self._loop.forget()

    async def _main(self) -> None:
        seed = self._seed
        events, slots, gate = seed.start()
        self._journal = journal = DiskJournal(seed.disk, events, self)
        node = MoodyNode(
            seed.chain,
            seed.plan,
            chance=self._chance,
            sometimes=seed.sometimes,
            allowed=seed.allowed,
            durable_seq=lambda: journal.durable_seq,
            turn=lambda: seed.block,
        )
        signer = WatchedSigner(seed.allowed, lambda: journal.durable_seq)

        def make() -> Actor[WalletMessage]:
            return Wallet(
                slots=slots,
                gate=gate,
                policy=_POLICY,
                signer=signer,
                node=node,
                journal=journal,
                clock=VirtualClock(events[-1].time_ns if events else 0),
                hears=seed.desk,
            )

        clock = LoopClock(self._loop)
        async with Supervisor(policy=seed.rules.supervision, clock=clock, on_event=lambda _: None) as house:
            spec = ChildSpec(
                name="wallet",
                make=make,
                accepts=(PlaceCall, LookAtChain, GateChanged),
                restart="never",
                deadline_s=_ASK_TIMEOUT_S,
            )
            wallet = house.start_child(spec)
            try:
                while seed.block < seed.last_block:
                    await self._play_block(wallet, journal, gate)
            except ActorError as error:
                raise house.escalation or error from error
        await journal.close()

    async def _play_block(self, wallet: Ref[WalletMessage], journal: DiskJournal, gate: SigningGate) -> None:
        """Let a block come, let the operator and the house do what they want, look at the chain."""
        seed = self._seed
        seed.next_block()
        step = seed.kill_step()
        if step is not None:
            self._loop.at_step(self._loop.steps + 1 + step, self._kill)
        wanted: TradingState = "stopped" if seed.wants_stopped() else "active"
        if gate.state != wanted:
            await self._change(wallet, journal, wanted)
        await wallet.ask(LookAtChain(), timeout_s=_ASK_TIMEOUT_S)
        for intent in seed.intents_due():
            reply = await wallet.ask(PlaceCall(intent=intent), timeout_s=_ASK_TIMEOUT_S)
            if isinstance(reply, ChainRefusal) and reply.reason != ChainReason.DUPLICATE_INTENT:
                if reply.reason == ChainReason.GIVEN_BACK:
                    seed.sometimes.reached("chain-nonce-given-back")
                    continue
                break
            seed.placed(intent.intent)

    async def _change(self, wallet: Ref[WalletMessage], journal: DiskJournal, state: TradingState) -> None:
        """Do what an engine does for an operator: journal the change, make it durable, tell the wallet."""
        change = TradingStateChanged(state=state, by=OPERATOR, reason="injected", epoch=self._seed.epoch + 1)
        journal.append(change, stream="trading", time_ns=0)
        await journal.flush()
        await wallet.ask(GateChanged(change=change), timeout_s=_ASK_TIMEOUT_S)
        if state == "stopped":
            self._seed.sometimes.reached("chain-stopped")

    def _kill(self) -> None:
        self._is_gone = True
        self._loop.ends = PowerCut()

    def appended(self, recorded: Recorded) -> None:
        """Follow an event the moment it has its place."""
        if not self._is_gone:
            self._seed.trace.append(recorded.hash)
            self._seed.take(recorded)

    def acknowledged(self, seq: int) -> None:
        """Remember what a wallet was told is durable."""
        if not self._is_gone:
            self._seed.acknowledged_seq = max(self._seed.acknowledged_seq, seq)

    async def within_flush(self, moment: Moment) -> None:
        """Let others run within a flush, so that a kill can come there; a dead process stays in it."""
        del moment
        await anyio.lowlevel.checkpoint()
        if self._is_gone:
            await self._loop.create_future()

    def sync_fails(self) -> bool:
        """Say no: disks that fail are the house's to try."""
        return False
