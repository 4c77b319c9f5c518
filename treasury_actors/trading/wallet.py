"""The wallet: the one owner of a key's nonces. Decides nothing itself; does, in order, what was decided."""

from collections import Counter, deque
from typing import assert_never

from treasury_actors.actors.actor import Actor
from treasury_actors.clock import Clock
from treasury_actors.errors import Fault
from treasury_actors.journal.ports import Journal
from treasury_actors.message import Provenance
from treasury_actors.trading.model.chain_limits import ChainReason, ChainRefusal
from treasury_actors.trading.model.nonce_slots import Slots
from treasury_actors.trading.model.signing_gate import SigningGate
from treasury_actors.trading.model.slot_acts import (
    Act,
    Alert,
    Compensate,
    Count,
    DropNode,
    End,
    Head,
    Intent,
    LookUp,
    LookUpBlock,
    Next,
    Send,
    Sign,
    StopTrading,
    WalletPolicy,
)
from treasury_actors.trading.model.slot_decisions import (
    after_send,
    is_due,
    plan_intent,
    sign_first,
    store_signed,
)
from treasury_actors.trading.model.slot_watch import on_block, on_receipts, recover
from treasury_actors.trading.model.transaction import TxReturned, TxSigned
from treasury_actors.trading.wallet_messages import (
    GateChanged,
    HearsWallet,
    LookAtChain,
    PlaceCall,
    Placed,
    WalletMessage,
)
from treasury_actors.trading.wallet_ports import Signer, WalletNode

ACTS_MAX = 256
"""More acts than this from one message are a circle in the decisions, and a bug."""

SENDS_MAX = 3
"""So often are the same bytes sent for one message; if no node answers, a later block comes back to them."""


class Wallet(Actor[WalletMessage]):
    """
    Plans, signs, stores, sends and follows transactions, one message at a time.

    Every event is in the journal before it is folded, and durable before anything leaves the process: the
    intent before it is signed, the bytes before they are sent (I22). `slots` and `gate` are what the journal
    already says. News of what the chain did is told to `hears`; after a restart it is told again.
    """

    def __init__(
        self,
        *,
        slots: Slots,
        gate: SigningGate,
        policy: WalletPolicy,
        signer: Signer,
        node: WalletNode,
        journal: Journal,
        clock: Clock,
        hears: HearsWallet,
    ) -> None:
        assert signer.address == slots.sender, "the key is the one whose slots these are"
        self._slots = slots
        self._gate = gate
        self._policy = policy
        self._signer = signer
        self._node = node
        self._journal = journal
        self._clock = clock
        self._hears = hears
        self._is_reconciled = False

    def __repr__(self) -> str:
        return f"<Wallet {self._slots!r}, {self._gate.state}>"

    async def receive(self, message: WalletMessage) -> Placed | ChainRefusal | int | None:
        """Handle one message; a chain that doesn't answer is no crash, and proves nothing."""
        match message:
            case PlaceCall():
                return await self._place(message.intent)
            case LookAtChain():
                return await self._look()
            case GateChanged():
                self._gate.apply(message.change)
                return self._gate.epoch
            case _:
                assert_never(message)

    async def _place(self, intent: Intent) -> Placed | ChainRefusal:
        """Give an intent the next nonce, sign it, store it, send it once."""
        if not self._is_reconciled:
            detail = "nothing is planned before every slot of the journal was looked at on the chain"
            return ChainRefusal(reason=ChainReason.UNEXPLAINED_SLOT, detail=detail)
        head = await self._head()
        if head is None:
            return ChainRefusal(reason=ChainReason.NO_ANSWER, detail="no node says where the chain is")
        planned = plan_intent(self._slots, intent, head=head, gate=self._gate, policy=self._policy)
        if isinstance(planned, ChainRefusal):
            return planned
        await self._do(planned, head)
        slot = self._slots.slot_of(intent.intent)
        if slot is None:
            return ChainRefusal(reason=ChainReason.STOPPED, detail="trading stops: see the alert")
        step = sign_first(self._slots, slot.id, head=head, gate=self._gate, policy=self._policy)
        await self._do(step, head)
        if self._slots.get(slot.id) is None:
            why = next((e.reason for e in step.events if isinstance(e, TxReturned)), "trading was stopped")
            stopped = not self._gate.allows(intent.purpose, "call", intent.epoch)
            reason = ChainReason.STOPPED if stopped else ChainReason.GIVEN_BACK
            return ChainRefusal(reason=reason, detail=why)
        return Placed(intent=intent.intent, nonce=slot.id.nonce)

    async def _look(self) -> int | None:
        """Follow every live slot; the first look is the recovery, which explains what a restart left open."""
        head = await self._head()
        if head is None:
            return None
        if not self._is_reconciled:
            await self._do(recover(self._slots, head=head, gate=self._gate), head)
            self._is_reconciled = True
        known = self._in_block()
        if not await self._follow(head):
            return None
        # What was found in a block just now may lie deep in the chain: nobody looks again for an hour.
        if self._in_block() - known:
            await self._follow(head)
        return head.number

    async def _follow(self, head: Head) -> bool:
        """Do what a head means for every live slot; say whether a node told which blocks are canonical."""
        numbers = [slot.mined.block_number for slot in self._slots.live() if slot.mined is not None]
        try:
            canonical = await self._node.canonical(numbers)
        except Fault:
            return False
        step = on_block(self._slots, head=head, canonical=canonical, gate=self._gate, policy=self._policy)
        await self._do(step, head)
        return True

    def _in_block(self) -> frozenset[int]:
        """Return the nonces that are in a block, as far as we know."""
        return frozenset(slot.id.nonce for slot in self._slots.live() if slot.mined is not None)

    async def _head(self) -> Head | None:
        """Return the chain as it stands; None if no node answers."""
        try:
            return await self._node.head(self._slots.sender)
        except Fault:
            return None

    async def _do(self, first: Next, head: Head) -> None:
        """
        Journal and fold events, make them durable, then do the acts; an act may decide more.

        Depth first: what an act leads to is done before the act after it, which may rest on it.
        """
        waiting: deque[Act] = deque()
        sends: Counter[str] = Counter()
        await self._take(first, waiting)
        for _ in range(ACTS_MAX):
            if not waiting:
                return
            act = waiting.popleft()
            if isinstance(act, Send):
                sends[act.tx_hash] += 1
                if sends[act.tx_hash] > SENDS_MAX:
                    continue
            await self._take(await self._act(act, head), waiting)
        assert not waiting, f"{len(waiting)} acts are left after {ACTS_MAX}: the decisions go round"

    async def _take(self, step: Next, waiting: deque[Act]) -> None:
        """Make the events of a step facts, and queue its acts."""
        for event in step.events:
            self._journal.append(
                event,
                stream=f"wallet:{self._slots.sender}",
                time_ns=self._clock.now_ns(),
                provenance=Provenance(correlation_id=f"nonce:{event.slot.nonce}"),
            )
            self._slots.apply(event)
            if isinstance(event, TxSigned):
                slot = self._slots.get(event.slot)
                assert slot is not None, "what was signed just now is live"
                self._gate.check(event, slot.purpose)
        if step.events:
            await self._journal.flush()
        waiting.extendleft(reversed(step.acts))

    async def _act(self, act: Act, head: Head) -> Next:
        """Do one act; return what follows from it."""
        match act:
            case Sign():
                return self._sign(act, head)
            case Send():
                return await self._send(act, head)
            case LookUp():
                try:
                    answers = await self._node.receipts(act.tx_hashes)
                except Fault:
                    return Next()  # no answer proves nothing: the next block asks again
                return on_receipts(self._slots, act.slot, answers, head=head)
            case LookUpBlock() | DropNode():
                return Next()  # the next look reads the block; the session drops a node that lied by itself
            case Count() | Compensate() | End() | StopTrading() | Alert():
                self._hears.tell(act)
                return Next()
            case _:
                assert_never(act)

    def _sign(self, act: Sign, head: Head) -> Next:
        """Sign what is still due; the bytes go nowhere before they are stored."""
        if not is_due(self._slots, act, self._gate):
            return Next()
        signed = self._signer.sign(act)
        return store_signed(
            self._slots, act, raw=signed.raw, tx_hash=signed.tx_hash, head=head, gate=self._gate
        )

    async def _send(self, act: Send, head: Head) -> Next:
        """Send stored bytes once, if they are still due."""
        if not is_due(self._slots, act, self._gate):
            return Next()
        replied = await self._node.send(act.raw, act.tx_hash)
        return after_send(
            self._slots,
            act,
            replied.reply,
            node=replied.node,
            head=head,
            gate=self._gate,
            policy=self._policy,
        )
