"""
A stage for the wallet's decisions: a shell that obeys them, on a chain that forks, forgets and lies.

It does what the wallet's actor will do, in the same order: journal, fold, post, flush, then act. It
checks at each signature and each send what no fold can see: that the event before it is durable.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import assert_never

from tests.unit.trading.small_chain import CAP_WEI, CHAIN_ID, NODES, OWN, POLICY, SWAP, Body, Chain
from treasury_actors.journal.codec import decode, encode, tag_of
from treasury_actors.trading.model.chain_limits import ChainRefusal
from treasury_actors.trading.model.nonce_slots import Slots
from treasury_actors.trading.model.send_reply import (
    Accepted,
    NoAnswer,
    SendReply,
)
from treasury_actors.trading.model.signing_gate import SigningGate
from treasury_actors.trading.model.slot_acts import (
    Act,
    Alert,
    Compensate,
    Count,
    DropNode,
    End,
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
    cancel_by_noop,
    is_due,
    plan_intent,
    sign_first,
    store_signed,
)
from treasury_actors.trading.model.slot_watch import on_block, on_receipts, recover
from treasury_actors.trading.model.stop import TradingStateChanged
from treasury_actors.trading.model.transaction import (
    Call,
    IntentId,
    Purpose,
    SlotId,
    TxEvent,
    TxPermitted,
    TxSigned,
)

WalletEvent = TxEvent | TradingStateChanged | TxPermitted


class Crashed(Exception):
    """The process was killed; only what was flushed is left."""


@dataclass
class Shell:
    """The wallet's shell, without an actor: it obeys decisions, and is killed when a test wants."""

    chain: Chain = field(default_factory=Chain)
    policy: WalletPolicy = POLICY
    durable: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    posted: dict[str, Count | Compensate] = field(default_factory=dict)
    pending_posts: dict[str, Count | Compensate] = field(default_factory=dict)
    ends: list[End] = field(default_factory=list)
    sent: list[tuple[int, str]] = field(default_factory=list)
    epochs: list[tuple[int, int]] = field(default_factory=list)
    """For each send, the epoch its bytes were signed under, and the oldest that may be sent at that time."""
    faults: deque[str] = field(default_factory=deque)
    stops: list[StopTrading] = field(default_factory=list)
    slots: Slots = field(default_factory=lambda: Slots(chain_id=CHAIN_ID, sender=OWN))
    gate: SigningGate = field(default_factory=SigningGate)
    deaf: bool = False

    def record(self, event: WalletEvent) -> None:
        self.pending.append(f"{tag_of(event)} {encode(event)}")
        if isinstance(event, TradingStateChanged | TxPermitted):
            self.gate.apply(event)
        else:
            self.slots.apply(event)
            if isinstance(event, TxSigned):
                slot = self.slots.get(event.slot)
                assert slot is not None
                self.gate.check(event, slot.purpose)

    def flush(self) -> None:
        self.durable += self.pending
        self.posted |= self.pending_posts
        self.pending, self.pending_posts = [], {}

    def events(self) -> list[WalletEvent]:
        read = [decode(*line.split(" ", 1)) for line in (*self.durable, *self.pending)]
        assert all(isinstance(event, WalletEvent) for event in read)
        return read  # type: ignore[return-value]

    def obey(self, step: Next) -> None:
        """Journal, post, flush, then act; what an act leads to is obeyed in turn, within a bound."""
        work = deque(self._take(step))
        for _ in range(1_000):
            if not work:
                return
            work.extendleft(reversed(self._take(self._do(work.popleft()))))
        raise AssertionError("the wallet talks to itself")

    def _take(self, step: Next) -> tuple[Act, ...]:
        for event in step.events:
            self.record(event)
        for act in step.acts:
            self._post(act)
        self.flush()
        return step.acts

    def _post(self, act: Act) -> None:
        if isinstance(act, Count | Compensate):
            key = f"{type(act).__name__} {act.intent} {act.block_hash}"
            books = self.posted | self.pending_posts
            assert books.get(key, act) == act, "the same id with other content"
            self.pending_posts[key] = act
        elif isinstance(act, End):
            self.ends.append(act)

    def _do(self, act: Act) -> Next:
        if isinstance(act, Sign | Send) and not is_due(self.slots, act, self.gate):
            return Next()
        match act:
            case Sign():
                return self._sign(act)
            case Send():
                return self._send(act)
            case LookUp():
                if self.deaf:
                    return Next()
                answers = self.chain.receipts(act.tx_hashes)
                return on_receipts(self.slots, act.slot, answers, head=self.chain.head)
            case StopTrading():
                self.stops.append(act)
                return Next()
            case LookUpBlock() | Count() | Compensate() | End() | DropNode() | Alert():
                return Next()
            case _:
                assert_never(act)

    def _fault(self) -> str:
        return self.faults.popleft() if self.faults else ""

    def _sign(self, act: Sign) -> Next:
        slot = self.slots.get(act.slot)
        assert slot is not None
        assert any(f'"intent":"{slot.intent}"' in line for line in self.durable), "I22: signed, not durable"
        fees = act.fees
        body = Body(
            nonce=act.slot.nonce,
            max_fee_wei=fees.max_fee_wei,
            tip_wei=fees.tip_wei,
            gas_limit=act.call.gas_limit,
            data=act.call.data,
        )
        if self._fault() == "crash":
            raise Crashed
        head = self.chain.head
        return store_signed(self.slots, act, raw=body.raw, tx_hash=body.tx_hash, head=head, gate=self.gate)

    def _send(self, act: Send) -> Next:
        asked = sum(when == self.chain.head.number and raw == act.raw for when, raw in self.sent)
        if asked >= len(NODES):
            return Next()
        assert any(f'"raw":"{act.raw}"' in line for line in self.durable), "I22: sent, not stored"
        self.sent.append((self.chain.head.number, act.raw))
        self.epochs.append(self._epochs_of(act.raw))
        fault = self._fault()
        never_left = fault in {"lost", "crash_unsent"}
        reply: SendReply = NoAnswer(detail="reset") if never_left else self.chain.take(act.raw)
        if fault.startswith("crash"):
            raise Crashed
        if fault == "landed":
            reply = NoAnswer(detail="timeout")
        elif fault == "lie":
            reply = Accepted(tx_hash="0x" + "00" * 32)
        return after_send(
            self.slots,
            act,
            reply,
            node=NODES[asked],
            head=self.chain.head,
            gate=self.gate,
            policy=self.policy,
        )

    def _epochs_of(self, raw: str) -> tuple[int, int]:
        """Read from the journal alone, not from the gate, what I24 says of a send."""
        signed_epoch, oldest = -1, 0
        for event in self.events():
            if isinstance(event, TxSigned) and event.raw == raw:
                signed_epoch = event.stop_epoch if event.kind == "call" else 10**6
            elif isinstance(event, TradingStateChanged) and event.state == "stopped":
                oldest = event.epoch
        return signed_epoch, oldest

    def submit(self, intent: str, *, purpose: Purpose = "trade", call: Call = SWAP) -> ChainRefusal | None:
        """Plan, sign and send an intent, or return why it is refused."""
        wanted = Intent(
            intent=IntentId(intent), purpose=purpose, call=call, fee_wei_max=CAP_WEI, epoch=self.gate.epoch
        )
        head = self.chain.head
        planned = plan_intent(self.slots, wanted, head=head, gate=self.gate, policy=self.policy)
        if isinstance(planned, ChainRefusal):
            return planned
        self.obey(planned)
        slot = self.slots.slot_of(wanted.intent)
        if slot is None:
            return None
        self.obey(sign_first(self.slots, slot.id, head=head, gate=self.gate, policy=self.policy))
        return None

    def cancel(self, slot: SlotId) -> None:
        head = self.chain.head
        step = cancel_by_noop(self.slots, slot, head=head, gate=self.gate, policy=self.policy)
        if isinstance(step, Next):
            self.obey(step)

    def see_block(self) -> None:
        """Take the chain's head, and what it says of the blocks that slots are in."""
        mined = [slot.mined for slot in self.slots.live() if slot.mined is not None]
        known = len(self.chain.blocks)
        canonical = {
            m.block_number: self.chain.blocks[m.block_number].block_hash
            for m in mined
            if m.block_number < known
        }
        head = self.chain.head
        self.obey(on_block(self.slots, head=head, canonical=canonical, gate=self.gate, policy=self.policy))

    def restart(self) -> None:
        """Forget all but what is durable; fold it again; recover."""
        self.pending, self.pending_posts = [], {}
        self.slots, self.gate = self.refolded()
        self.faults.clear()
        self.obey(recover(self.slots, head=self.chain.head, gate=self.gate))

    def refolded(self) -> tuple[Slots, SigningGate]:
        slots, gate = Slots(chain_id=CHAIN_ID, sender=OWN), SigningGate()
        for event in self.events():
            if isinstance(event, TradingStateChanged | TxPermitted):
                gate.apply(event)
            else:
                slots.apply(event)
        return slots, gate
