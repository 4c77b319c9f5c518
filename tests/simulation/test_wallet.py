"""A wallet under seeded faults: each intent settled once, each fee to the wei, and no fault ends it."""

from typing import Any

import pytest

from tests.simulation.settings import SETTING
from treasury_actors.evolution.model.chance import Chance
from treasury_actors.faults.chain import FIRST_NONCE, SimulatedChain, read, sign
from treasury_actors.faults.chain_desk import MoodyNode
from treasury_actors.faults.plan import draw_plan
from treasury_actors.faults.sometimes import Sometimes
from treasury_actors.faults.wallet_seed import CHAIN_KINDS, WalletSeed
from treasury_actors.trading.model.fees import Fees
from treasury_actors.trading.model.send_reply import (
    Accepted,
    AlreadyKnown,
    NoAnswer,
    NonceTooHigh,
    NonceTooLow,
    Underpriced,
)
from treasury_actors.trading.model.slot_acts import Sign
from treasury_actors.trading.model.transaction import Call, SlotId
from treasury_actors.trading.wallet import SENDS_MAX
from treasury_actors.trading.wallet_ports import Replied


def signed(nonce: int, *, max_fee_wei: int = 10**10, tip_wei: int = 10**6, data: str = "0x00") -> str:
    call = Call(to="0xaa", value_wei=0, data=data, gas_limit=100_000)
    slot = SlotId(chain_id=1, sender="0xaa", nonce=nonce)
    fees = Fees(max_fee_wei=max_fee_wei, tip_wei=tip_wei)
    return sign(Sign(slot=slot, attempt=0, kind="call", call=call, fees=fees))[0]


def a_chain() -> SimulatedChain:
    return SimulatedChain(Chance((1, "test")))


def test_the_chain_answers_as_a_node_that_plays_by_the_rules() -> None:
    chain, first = a_chain(), signed(FIRST_NONCE)

    assert chain.send(first) == Accepted(tx_hash=read(first).tx_hash)
    assert chain.send(first) == AlreadyKnown()
    assert chain.send(signed(FIRST_NONCE, max_fee_wei=10**10 + 1)) == Underpriced()
    assert chain.send(signed(FIRST_NONCE, max_fee_wei=2 * 10**10)) == Underpriced()  # the tip, too
    assert chain.send(signed(FIRST_NONCE + 2)) == NonceTooHigh()
    chain.mine()
    assert chain.send(first) == NonceTooLow()


def test_a_reorganisation_takes_transactions_back_to_the_pool_and_changes_every_hash_after_it() -> None:
    chain, first = a_chain(), signed(FIRST_NONCE)
    for _ in range(4):
        chain.mine()
    chain.send(first)
    chain.mine()
    receipt = chain.receipt(read(first).tx_hash, chain.head.number)
    assert receipt is not None

    assert chain.reorg(1, keeps=True) == 1
    assert chain.canonical(receipt.block_number) != receipt.block_hash
    for _ in range(5):
        chain.mine()
    again = chain.receipt(read(first).tx_hash, chain.head.number)
    assert again is not None
    assert chain.nonce_at(chain.head.number) == FIRST_NONCE + 1


def test_nothing_that_is_final_is_undone() -> None:
    chain = a_chain()
    for _ in range(20):
        chain.mine()
    before = [block.hash for block in chain.blocks if block.number <= chain.final_number(chain.head.number)]
    chain.reorg(100, keeps=True)

    assert [block.hash for block in chain.blocks[: len(before)]] == before


@pytest.mark.parametrize("seed", [2, 5, 7, 10, 11, 18, 19])
def test_every_intent_is_settled_once_under_the_faults_of_a_seed(seed: int) -> None:
    """What a run of a wallet compares at its end: calls done, entries posted, wei burnt."""
    plan = draw_plan(seed)
    wallet = WalletSeed(plan, SETTING.rules, sometimes=Sometimes())
    wallet.run()

    assert any(map(plan.of, CHAIN_KINDS))
    assert wallet.settled > 40


def test_a_wallet_no_node_answers_sends_a_few_times_a_block_and_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sends: dict[tuple[int, str], int] = {}
    usual: Any = MoodyNode.send

    async def mute(self: MoodyNode, raw: str, tx_hash: str) -> Replied:
        turn = self._turn()
        if turn > 20:
            replied: Replied = await usual(self, raw, tx_hash)
            return replied
        sends[(turn, tx_hash)] = sends.get((turn, tx_hash), 0) + 1
        return Replied(node="node", reply=NoAnswer(detail="timeout"))

    monkeypatch.setattr(MoodyNode, "send", mute)
    wallet = WalletSeed(draw_plan(1).without(CHAIN_KINDS), SETTING.rules, sometimes=Sometimes())
    wallet.run()

    assert wallet.settled > 40
    assert sends
    assert max(sends.values()) <= 2 * SENDS_MAX  # once when it is placed or pushed, once when it is looked at
