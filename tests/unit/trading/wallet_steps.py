"""Steps of a wallet's life that tests share: something was sent, a node answered, a block came."""

from typing import Any

from tests.unit.trading.small_chain import CAP_WEI, POLICY, SWAP
from tests.unit.trading.wallet_stage import Shell
from treasury_actors.trading.model.nonce_slots import Slot
from treasury_actors.trading.model.send_reply import (
    SendReply,
)
from treasury_actors.trading.model.slot_acts import (
    Intent,
    Next,
    Send,
    WalletPolicy,
)
from treasury_actors.trading.model.slot_decisions import (
    after_send,
)
from treasury_actors.trading.model.slot_watch import on_block
from treasury_actors.trading.model.stop import TradingState, TradingStateChanged
from treasury_actors.trading.model.transaction import (
    IntentId,
)


def sent_shell(*intents: str) -> Shell:
    shell = Shell()
    for intent in intents or ("buy",):
        assert shell.submit(intent) is None
    return shell


def slot_of(shell: Shell, intent: str = "buy") -> Slot:
    slot = shell.slots.slot_of(IntentId(intent))
    assert slot is not None
    return slot


def send_of(shell: Shell, intent: str = "buy") -> Send:
    slot = slot_of(shell, intent)
    last = slot.attempts[-1].signed
    return Send(slot=slot.id, attempt=last.attempt, tx_hash=last.tx_hash, raw=last.raw)


def intent_of(shell: Shell) -> Intent:
    epoch = shell.gate.epoch
    return Intent(intent=IntentId("buy"), purpose="trade", call=SWAP, fee_wei_max=CAP_WEI, epoch=epoch)


def answer(shell: Shell, reply: SendReply, *, intent: str = "buy", policy: WalletPolicy = POLICY) -> Next:
    return after_send(
        shell.slots,
        send_of(shell, intent),
        reply,
        node="one",
        head=shell.chain.head,
        gate=shell.gate,
        policy=policy,
    )


def kinds(step: Next) -> list[Any]:
    return [*map(type, step.events), *map(type, step.acts)]


def change(shell: Shell, state: TradingState) -> None:
    epoch = shell.gate.epoch + 1
    shell.record(TradingStateChanged(state=state, by="operator", reason="test", epoch=epoch))


def watch(shell: Shell) -> Next:
    canonical = {block.number: block.block_hash for block in shell.chain.blocks}
    return on_block(shell.slots, head=shell.chain.head, canonical=canonical, gate=shell.gate, policy=POLICY)
