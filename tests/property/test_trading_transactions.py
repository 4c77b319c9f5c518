"""Whatever a chain, its nodes and a kill do: no nonce is lost, no intent done twice, all comes to an end."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.trading.small_chain import FINAL_BLOCKS, FIRST_NONCE, GWEI, REVERTING, SWAP, read_raw
from tests.unit.trading.wallet_stage import Crashed, Shell
from treasury_actors.trading.model.nonce_slots import Slots, SlotState
from treasury_actors.trading.model.slot_acts import Compensate, Count
from treasury_actors.trading.model.stop import TradingState, TradingStateChanged
from treasury_actors.trading.model.transaction import (
    IntentId,
    Permit,
    TxConfirmed,
    TxMined,
    TxPlanned,
    TxReorged,
    TxReturned,
    TxSigned,
)

FAULTS = st.lists(st.sampled_from(["", "lost", "landed", "lie", "crash", "crash_unsent"]), max_size=5)
RARELY_NOT = st.sampled_from([True, True, True, False])
FINAL = (SlotState.SETTLED, SlotState.REVERTED, SlotState.CANCELLED)
HEALING_BLOCKS = 120


def state_of(slots: Slots) -> object:
    """Return all that a fold remembers, in a form that can be compared."""
    return tuple(getattr(slots, name) for name in Slots.__slots__)


class Wallet(RuleBasedStateMachine):
    """One wallet, one chain that is not kind, and an operator who stops and resumes."""

    @initialize()
    def start(self) -> None:
        self.shell = Shell()
        self.number = 0
        self.foreign = False
        self.ended: dict[IntentId, SlotState] = {}

    def survive(self, faults: list[str], what: str) -> None:
        """Do something that may kill the process; if it does, start again."""
        self.shell.faults.extend(faults)
        try:
            if what == "submit":
                self.number += 1
                call = REVERTING if self.number % 5 == 0 else SWAP
                purpose = "reduce" if self.number % 3 == 0 else "trade"
                call = type(call)(to=call.to, value_wei=self.number, data=call.data, gas_limit=call.gas_limit)
                self.shell.submit(f"intent-{self.number}", purpose=purpose, call=call)  # type: ignore[arg-type]
            else:
                self.shell.see_block()
        except Crashed:
            self.shell.restart()
        self.shell.faults.clear()

    @rule(faults=FAULTS)
    def submit(self, faults: list[str]) -> None:
        self.survive(faults, "submit")

    @rule(blocks=st.integers(1, 6), take=RARELY_NOT, faults=FAULTS)
    def mine(self, blocks: int, take: bool, faults: list[str]) -> None:  # noqa: FBT001
        for _ in range(blocks):
            self.shell.chain.mine(take=take)
            self.survive(faults, "see_block")

    @rule(blocks=st.integers(1, 8))
    def mine_unseen(self, blocks: int) -> None:
        for _ in range(blocks):
            self.shell.chain.mine()

    @rule(depth=st.integers(1, 12), keeps=RARELY_NOT, faults=FAULTS)
    def reorg(self, depth: int, keeps: bool, faults: list[str]) -> None:  # noqa: FBT001
        self.shell.chain.reorg(depth, keeps=keeps)
        self.survive(faults, "see_block")

    @rule(base_fee_wei=st.sampled_from([100, GWEI, 3 * GWEI, 200 * GWEI]))
    def move_base_fee(self, base_fee_wei: int) -> None:
        self.shell.chain.base_fee_wei = base_fee_wei

    @rule(has_funds=RARELY_NOT, hears=RARELY_NOT, keeps=RARELY_NOT)
    def starve(self, has_funds: bool, hears: bool, keeps: bool) -> None:  # noqa: FBT001
        self.shell.chain.has_funds = has_funds
        self.shell.deaf = not hears
        if not keeps:
            self.shell.chain.pool.clear()

    @rule(which=st.integers(0, 3))
    def cancel(self, which: int) -> None:
        live = self.shell.slots.live()
        if which < len(live):
            self.shell.cancel(live[which].id)

    @rule()
    def kill(self) -> None:
        self.shell.restart()

    @rule(state=st.sampled_from(["active", "reducing", "stopped"]))
    def change_state(self, state: TradingState) -> None:
        if state != self.shell.gate.state:
            epoch = self.shell.gate.epoch + 1
            self.shell.record(TradingStateChanged(state=state, by="operator", reason="test", epoch=epoch))
            self.shell.flush()

    @rule(permit=st.sampled_from(["noop", "reduce"]))
    def permit(self, permit: Permit) -> None:
        permitted = self.shell.gate.permit(permit, "operator", "test")
        if permitted is not None:
            self.shell.record(permitted)
            self.shell.flush()

    @precondition(lambda self: self.number > 3)
    @rule(really=st.integers(0, 9))
    def stranger_signs(self, really: int) -> None:
        if really == 0:
            self.foreign = True
            self.shell.chain.use_nonce_by_a_stranger()
            self.shell.chain.mine()

    @invariant()
    def a_nonce_is_a_slot_and_none_is_skipped(self) -> None:
        """I21: live slots are contiguous; a nonce has one intent for all the bytes that exist for it."""
        nonces = [slot.id.nonce for slot in self.shell.slots.live()]
        if nonces:
            assert nonces == list(range(nonces[0], nonces[0] + len(nonces)))
        intents: dict[int, str] = {}
        current: dict[int, str] = {}
        for event in self.shell.events():
            if isinstance(event, TxPlanned):
                current[event.slot.nonce] = event.intent
            elif isinstance(event, TxSigned):
                nonce = event.slot.nonce
                assert intents.setdefault(nonce, current[nonce]) == current[nonce]
        assert sorted(intents) == list(range(FIRST_NONCE, FIRST_NONCE + len(intents)))

    @invariant()
    def an_intent_is_done_once(self) -> None:
        """I20: on the chain, whoever sent what; and in the books, where what was undone was counted back."""
        done = Counter((body.nonce, body.data) for block in self.shell.chain.blocks for body in block.bodies)
        assert all(times == 1 for times in done.values())
        net: Counter[str] = Counter()
        for act in self.shell.posted.values():
            net[act.intent] += 1 if isinstance(act, Count) else -1
        assert all(times in {0, 1} for times in net.values())
        assert all(
            f"Count {act.intent} {act.block_hash}" in self.shell.posted
            for act in self.shell.posted.values()
            if isinstance(act, Compensate)
        )
        for intent, state in self.ended.items():
            assert net[intent] == (1 if state in FINAL else 0)

    @invariant()
    def the_same_events_make_the_same_state(self) -> None:
        slots, gate = self.shell.refolded()

        assert state_of(slots) == state_of(self.shell.slots)
        assert gate == self.shell.gate

    @invariant()
    def what_ended_stays_ended(self) -> None:
        """I27: unknown is not failed, and an end is proven by a block that is final."""
        now = {end.intent: end.outcome for end in self.shell.ends if end.outcome is not None}
        assert {intent: now[intent] for intent in self.ended} == self.ended
        for intent, state in now.items():
            if intent not in self.ended:
                assert self.shell.slots.ended_state(intent) == state
                self.ended[intent] = state
                if state == SlotState.FOREIGN:
                    assert self.foreign
                    assert self.shell.stops

    @invariant()
    def a_stop_is_a_stop(self) -> None:
        """I24: under an epoch without permits nothing is signed or sent; what is older never is again."""
        stopped_epoch, permits, epoch = 0, 0, 0
        for event in self.shell.events():
            if isinstance(event, TradingStateChanged):
                epoch, permits = event.epoch, 0
                stopped_epoch = epoch if event.state == "stopped" else stopped_epoch
            elif isinstance(event, TxSigned):
                assert event.stop_epoch == epoch >= stopped_epoch
                assert epoch != stopped_epoch or epoch == 0 or permits
            elif not isinstance(event, TxPlanned | TxReturned) and hasattr(event, "permit"):
                permits += 1
        assert len(self.shell.epochs) == len(self.shell.sent)
        for (_, raw), (signed_epoch, allowed_from) in zip(self.shell.sent, self.shell.epochs, strict=True):
            assert signed_epoch >= allowed_from, raw

    @invariant()
    def fees_are_capped_and_blocks_are_told_by_hash(self) -> None:
        """I25 and I23: each attempt is within the cap; each count and undo is of the block that had it."""
        where: dict[int, str] = {}
        for event in self.shell.events():
            if isinstance(event, TxMined):
                where[event.slot.nonce] = event.block_hash
            elif isinstance(event, TxConfirmed | TxReorged):
                assert where[event.slot.nonce] == event.block_hash
        assert all(
            read_raw(raw).gas_limit * read_raw(raw).max_fee_wei <= 10**16 for _, raw in self.shell.sent
        )

    def teardown(self) -> None:
        """When faults stop, every slot ends within a bound, in the way the chain has it."""
        if not hasattr(self, "shell"):
            return
        shell = self.shell
        shell.chain.has_funds, shell.deaf, shell.chain.base_fee_wei = True, False, GWEI
        self.change_state("active")
        for _ in range(HEALING_BLOCKS):
            shell.chain.mine()
            shell.see_block()
        if shell.stops:
            assert self.foreign
            return
        assert shell.slots.live() == ()
        assert shell.slots.next_nonce in {None, shell.chain.head.latest_nonce} or self.foreign
        self.what_ended_stays_ended()
        self.an_intent_is_done_once()
        final = shell.chain.blocks[: -FINAL_BLOCKS or None]
        mined = {body.nonce for block in final for body in block.bodies}
        assert mined >= set(range(FIRST_NONCE, shell.slots.next_nonce or FIRST_NONCE))


TestWallet = Wallet.TestCase
TestWallet.settings = settings(max_examples=150, stateful_step_count=40)
