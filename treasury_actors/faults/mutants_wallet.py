"""Known-bad changes of the wallet: nonces, signatures, sends, blocks and what is counted of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from treasury_actors.faults.planting import Change, known_bad
from treasury_actors.trading import wallet
from treasury_actors.trading.model import slot_decisions, slot_watch
from treasury_actors.trading.model.chain_limits import ChainRefusal
from treasury_actors.trading.model.fees import FeePolicy, Fees
from treasury_actors.trading.model.nonce_slots import Slot, Slots
from treasury_actors.trading.model.send_reply import NoAnswer, SendReply
from treasury_actors.trading.model.signing_gate import SigningGate
from treasury_actors.trading.model.slot_acts import Act, Compensate, Head, LookUp, Next, Send, Sign
from treasury_actors.trading.model.transaction import (
    SlotId,
    TxForeign,
    TxMined,
    TxPlanned,
    TxReturned,
    TxSigned,
)
from treasury_actors.trading.wallet import Wallet


@known_bad("nonce-from-counter", "A nonce is one more than the last that was given out, used or not")
def _nonce_from_counter() -> Iterator[Change]:
    plan: Callable[..., Next | ChainRefusal] = vars(wallet)["plan_intent"]
    last: list[tuple[Slots, int]] = []

    def counting(slots: Slots, *given: object, **named: object) -> Next | ChainRefusal:
        step = plan(slots, *given, **named)
        if isinstance(step, ChainRefusal) or not step.events:
            return step
        planned = step.events[0]
        assert isinstance(planned, TxPlanned), "an intent begins with its plan"
        nonce = planned.slot.nonce
        if last and last[-1][0] is slots:
            nonce = max(nonce, last[-1][1] + 1)
        last[:] = [(slots, nonce)]
        return replace(step, events=(replace(planned, slot=replace(planned.slot, nonce=nonce)),))

    yield wallet, "plan_intent", counting


def _without_flush_after(kind: type) -> Callable[..., Any]:
    take: Callable[..., Any] = vars(Wallet)["_take"]

    async def hasty(self: Wallet, step: Next, waiting: Any) -> None:  # noqa: ANN401 - handed on
        journal = self._journal
        if any(isinstance(event, kind) for event in step.events):
            self._journal = _Unflushed(journal)  # type: ignore[assignment]
        try:
            await take(self, step, waiting)
        finally:
            self._journal = journal

    return hasty


class _Unflushed:
    """A journal whose flush is put off."""

    def __init__(self, journal: object) -> None:
        self._journal = journal

    def __getattr__(self, name: str) -> object:
        return getattr(self._journal, name)

    async def flush(self) -> None:
        """Do it later."""


@known_bad("signed-before-durable", "An intent is signed before its nonce is durable")
def _signed_before_durable() -> Iterator[Change]:
    yield Wallet, "_take", _without_flush_after(TxPlanned)


@known_bad("sent-before-stored", "Bytes are sent before they are durable")
def _sent_before_stored() -> Iterator[Change]:
    yield Wallet, "_take", _without_flush_after(TxSigned)


@known_bad("signed-anew-to-send-again", "What is sent again is signed again, not what was stored")
def _signed_anew_to_send_again() -> Iterator[Change]:
    again: Callable[..., tuple[Send, ...]] = vars(slot_decisions)["send_again"]

    def anew(slot: Slot, gate: SigningGate, *, elsewhere: bool) -> tuple[Send, ...]:
        sends = again(slot, gate, elsewhere=elsewhere)
        return tuple(replace(send, raw=send.raw.replace("7d", "207d")) for send in sends)

    yield slot_decisions, "send_again", anew
    yield slot_watch, "send_again", anew


@known_bad("one-fee-bumped", "A replacement raises the fee cap and leaves the tip as it was")
def _one_fee_bumped() -> Iterator[Change]:
    bump: Callable[..., Fees | ChainRefusal] = vars(slot_decisions)["bump_fees"]

    def half(policy: FeePolicy, last: Fees, *given: object, **named: object) -> Fees | ChainRefusal:
        fees = bump(policy, last, *given, **named)
        return fees if isinstance(fees, ChainRefusal) else replace(fees, tip_wei=last.tip_wei)

    yield slot_decisions, "bump_fees", half


@known_bad("bump-too-small", "A replacement is a hundredth dearer, and no node takes it")
def _bump_too_small() -> Iterator[Change]:
    bump: Callable[..., Fees | ChainRefusal] = vars(slot_decisions)["bump_fees"]

    def timid(policy: FeePolicy, last: Fees, *given: object, **named: object) -> Fees | ChainRefusal:
        fees = bump(policy, last, *given, **named)
        if isinstance(fees, ChainRefusal):
            return fees
        return Fees(max_fee_wei=last.max_fee_wei * 101 // 100 + 1, tip_wei=last.tip_wei * 101 // 100 + 1)

    yield slot_decisions, "bump_fees", timid


@known_bad("depth-off-by-one", "What a transaction brought is counted one block too early")
def _depth_off_by_one() -> Iterator[Change]:
    on_block: Callable[..., Next] = vars(wallet)["on_block"]

    def early(slots: Slots, **named: Any) -> Next:  # noqa: ANN401 - handed on
        policy = named["policy"]
        named["policy"] = replace(policy, confirm_depth=policy.confirm_depth - 1)
        return on_block(slots, **named)

    yield wallet, "on_block", early


@known_bad("number-not-hash", "A block is still ours while a block of its number exists")
def _number_not_hash() -> Iterator[Change]:
    on_block: Callable[..., Next] = vars(wallet)["on_block"]

    def trusting(slots: Slots, *, canonical: Mapping[int, str], **named: Any) -> Next:  # noqa: ANN401
        mined = [slot.mined for slot in slots.live() if slot.mined is not None]
        believed = {each.block_number: each.block_hash for each in mined if each.block_number in canonical}
        return on_block(slots, canonical=believed, **named)

    yield wallet, "on_block", trusting


@known_bad("reorganisation-ignored", "A block that is gone is waited for")
def _reorganisation_ignored() -> Iterator[Change]:
    def calm(slot: Slot, mined: TxMined, gate: SigningGate) -> Next:
        del slot, mined, gate
        return Next()

    yield slot_watch, "_reorged", calm


@known_bad("counted-back-never", "What was counted of a block that is gone stays counted")
def _counted_back_never() -> Iterator[Change]:
    act: Callable[..., Any] = vars(Wallet)["_act"]

    async def forgetful(self: Wallet, each: Act, head: Head) -> Next:
        if isinstance(each, Compensate):
            return Next()
        following: Next = await act(self, each, head)
        return following

    yield Wallet, "_act", forgetful


@known_bad("timeout-as-failed", "A send without an answer has failed: its nonce is given to the next intent")
def _timeout_as_failed() -> Iterator[Change]:
    after: Callable[..., Next] = vars(wallet)["after_send"]

    def rash(slots: Slots, send: Send, reply: SendReply, **named: object) -> Next:
        slot = slots.get(send.slot)
        if slot is not None and isinstance(reply, NoAnswer):
            return Next(events=(TxReturned(slot=slot.id, intent=slot.intent, reason="timeout"),))
        return after(slots, send, reply, **named)

    yield wallet, "after_send", rash


@known_bad("sent-until-answered", "Bytes are sent again and again until some node answers")
def _sent_until_answered() -> Iterator[Change]:
    yield wallet, "SENDS_MAX", 10**9


@known_bad("gate-asked-only-at-intake", "What was signed before a stop is sent after it")
def _gate_asked_only_at_intake() -> Iterator[Change]:
    def open_door(slots: Slots, act: Sign | Send, gate: SigningGate) -> bool:
        del slots, act, gate
        return True

    def always(slot: Slot, gate: SigningGate) -> bool:
        del slot, gate
        return True

    yield wallet, "is_due", open_door
    yield slot_decisions, "may_send_last", always
    yield slot_watch, "may_send_last", always


@known_bad("foreign-before-finality", "A used nonce without a receipt of ours is taken for somebody else's")
def _foreign_before_finality() -> Iterator[Change]:
    def nervous(slots: Slots, slot: Slot, head: Head) -> Next:
        if head.latest_nonce <= slot.id.nonce or slot != slots.live()[0]:
            return Next()
        foreign = TxForeign(slot=slot.id, intent=slot.intent, finalised_nonce=head.latest_nonce)
        return Next(events=(foreign,))

    yield slot_watch, "_foreign", nervous


@known_bad("last-attempt-looked-up-alone", "Only the dearest attempt of a slot is looked up")
def _last_attempt_looked_up_alone() -> Iterator[Change]:
    def narrow(*, slot: SlotId, tx_hashes: tuple[str, ...]) -> LookUp:
        return LookUp(slot=slot, tx_hashes=tx_hashes[-1:])

    yield slot_watch, "LookUp", narrow
    yield slot_decisions, "LookUp", narrow


@known_bad("never-pushed", "What the pool forgot is waited for")
def _never_pushed() -> Iterator[Change]:
    def idle(*given: object, **named: object) -> tuple[Act, ...]:
        del given, named
        return ()

    yield slot_watch, "_push", idle
