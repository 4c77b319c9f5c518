"""The wallet on a real node: each intent settles once, through reorganisations, lost replies and restarts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.integration.evm.fault_proxy import DropReply, FaultProxy
from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.model.rpc import Json, result_of
from treasury_actors.chain.model.values import quantity
from treasury_actors.clock import VirtualClock
from treasury_actors.errors import ConfigError
from treasury_actors.journal.adapters.memory import MemoryJournal
from treasury_actors.trading.adapters.evm.node import ChainNode
from treasury_actors.trading.adapters.evm.signer import LocalSigner
from treasury_actors.trading.model.chain_limits import ChainReason, ChainRefusal
from treasury_actors.trading.model.fees import FeePolicy
from treasury_actors.trading.model.nonce_slots import Slots, SlotState, fold
from treasury_actors.trading.model.signing_gate import SigningGate
from treasury_actors.trading.model.slot_acts import Compensate, Count, End, Intent, StopTrading, WalletPolicy
from treasury_actors.trading.model.stop import TradingStateChanged
from treasury_actors.trading.model.transaction import Call, IntentId, TxEvent, TxSigned
from treasury_actors.trading.wallet import Wallet
from treasury_actors.trading.wallet_messages import (
    GateChanged,
    LookAtChain,
    PlaceCall,
    Placed,
    WalletNews,
)

CHAIN = 31_337
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # the published one of account 0
OTHER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
ETH = 10**18
POLICY = WalletPolicy(
    fees=FeePolicy(transaction_wei_max=ETH // 50, emergency_wei_max=ETH // 20, day_wei_max=ETH),
    confirm_depth=3,
    resend_blocks=2,
)


@dataclass
class Ear:
    """Keeps the news a wallet tells."""

    news: list[WalletNews] = field(default_factory=list)

    def tell(self, message: WalletNews) -> None:
        self.news.append(message)

    def of(self, kind: type[WalletNews]) -> list[WalletNews]:
        return [each for each in self.news if isinstance(each, kind)]


@dataclass
class Desk:
    """One wallet on one node, and all that outlives the wallet: journal, node, what was heard."""

    rpc: HttpRpc
    journal: MemoryJournal
    ear: Ear
    wallet: Wallet
    epoch: int = 0

    async def mine(self, blocks: int) -> None:
        for _ in range(blocks):
            await self.rpc.call("evm_mine")

    async def look(self, blocks: int = 0) -> None:
        await self.mine(blocks)
        await self.wallet.receive(LookAtChain())

    async def place(self, name: str, value_wei: int = 1) -> Placed | ChainRefusal:
        call = Call(to=OTHER, value_wei=value_wei, data="0x", gas_limit=60_000)
        intent = Intent(
            intent=IntentId(name),
            purpose="trade",
            call=call,
            fee_wei_max=ETH // 50,
            epoch=self.epoch,
        )
        reply = await self.wallet.receive(PlaceCall(intent=intent))
        assert isinstance(reply, Placed | ChainRefusal)
        return reply

    async def settle(self) -> None:
        for _ in range(8):
            await self.look(blocks=1)

    async def received(self) -> int:
        answer = await self.rpc.call("eth_getBalance", (OTHER, "latest"))
        return quantity(result_of(answer, "balance"), "balance") - 10_000 * ETH

    def slots(self) -> Slots:
        """Return what the journal alone says."""
        events = [r.event for r in self.journal.read() if r.type.startswith("trading.tx_")]
        sender = LocalSigner(KEY, chain_id=CHAIN).address
        return fold((e for e in events if isinstance(e, TxEvent)), chain_id=CHAIN, sender=sender)


def wallet_of(rpc: HttpRpc, journal: MemoryJournal, ear: Ear, slots: Slots | None = None) -> Wallet:
    signer = LocalSigner(KEY, chain_id=CHAIN)
    return Wallet(
        slots=slots or Slots(chain_id=CHAIN, sender=signer.address),
        gate=SigningGate(),
        policy=POLICY,
        signer=signer,
        node=ChainNode(rpc),
        journal=journal,
        clock=VirtualClock(1),
        hears=ear,
    )


@pytest.fixture
async def desk(anvil_path: Path) -> AsyncIterator[Desk]:
    """Return a wallet on a node that mines when told and whose blocks are final two blocks later."""
    options = AnvilOptions(timestamp=1_700_000_000, no_mining=True, slots_in_an_epoch=1)
    async with (
        AnvilNode(options, binary=anvil_path) as node,
        HttpRpc(Endpoint(url=node.url)) as rpc,
    ):
        journal, ear = MemoryJournal(), Ear()
        desk = Desk(rpc=rpc, journal=journal, ear=ear, wallet=wallet_of(rpc, journal, ear))
        await desk.look(blocks=3)
        yield desk


async def test_an_intent_is_sent_mined_counted_at_depth_and_ended_when_final(desk: Desk) -> None:
    assert await desk.place("pay", value_wei=5) == Placed(intent=IntentId("pay"), nonce=0)
    await desk.settle()

    (count,) = desk.ear.of(Count)
    (end,) = desk.ear.of(End)
    assert isinstance(count, Count)
    assert count.outcome is SlotState.SETTLED
    assert count.fee_wei > 0
    assert isinstance(end, End)
    assert end.outcome is SlotState.SETTLED
    assert await desk.received() == 5
    assert desk.slots().ended_state(IntentId("pay")) is SlotState.SETTLED


async def test_several_are_in_flight_at_once_in_the_order_of_their_nonces(desk: Desk) -> None:
    nonces = [await desk.place(f"pay-{number}") for number in range(5)]
    await desk.settle()

    assert [p.nonce for p in nonces if isinstance(p, Placed)] == [0, 1, 2, 3, 4]
    assert [n.intent for n in desk.ear.of(End) if isinstance(n, End)] == [f"pay-{n}" for n in range(5)]
    assert await desk.received() == 5


async def test_the_same_intent_is_never_planned_twice(desk: Desk) -> None:
    await desk.place("pay")
    again = await desk.place("pay")
    await desk.settle()
    later = await desk.place("pay")

    assert isinstance(again, ChainRefusal)
    assert isinstance(later, ChainRefusal)
    assert again.reason is later.reason is ChainReason.DUPLICATE_INTENT
    assert await desk.received() == 1


async def test_signed_bytes_are_durable_before_they_are_sent(desk: Desk) -> None:
    await desk.place("pay")

    types = [recorded.type for recorded in desk.journal.read()]
    assert types[:3] == ["trading.tx_planned.v1", "trading.tx_signed.v1", "trading.tx_sent.v1"]
    assert desk.journal.durable_seq == desk.journal.head[0]


async def test_a_transaction_that_the_pool_dropped_is_sent_again_and_settles_once(desk: Desk) -> None:
    await desk.place("pay")
    await desk.rpc.call("anvil_dropAllTransactions")
    await desk.settle()
    await desk.settle()

    assert await desk.received() == 1
    assert desk.slots().ended_state(IntentId("pay")) is SlotState.SETTLED
    assert len(desk.ear.of(Count)) == 1


async def test_a_send_whose_reply_was_lost_is_unknown_and_settles_once(anvil_path: Path) -> None:
    """The node has the bytes, we don't know it: the same bytes go out again, no other ones are signed."""
    options = AnvilOptions(timestamp=1_700_000_000, no_mining=True, slots_in_an_epoch=1)
    async with (
        AnvilNode(options, binary=anvil_path) as node,
        FaultProxy(node.url) as proxy,
        HttpRpc(Endpoint(url=proxy.url, deadline_s=2.0)) as rpc,
    ):
        journal, ear = MemoryJournal(), Ear()
        desk = Desk(rpc=rpc, journal=journal, ear=ear, wallet=wallet_of(rpc, journal, ear))
        await desk.look(blocks=3)
        proxy.next("eth_sendRawTransaction", DropReply())
        await desk.place("pay")
        await desk.settle()

        types = [r.type for r in journal.read()]
        assert "trading.tx_unknown.v1" in types
        assert types.count("trading.tx_signed.v1") == 1
        assert await desk.received() == 1
        assert desk.slots().ended_state(IntentId("pay")) is SlotState.SETTLED


async def test_a_reorganisation_counts_back_sends_the_same_bytes_again_and_settles_once(desk: Desk) -> None:
    await desk.place("pay")
    await desk.look(blocks=1)
    await desk.rpc.call("anvil_reorg", (1, []))
    await desk.settle()
    await desk.settle()

    signed = [r.event for r in desk.journal.read() if r.type == "trading.tx_signed.v1"]
    assert await desk.received() == 1
    assert desk.slots().ended_state(IntentId("pay")) is SlotState.SETTLED
    assert len(desk.ear.of(Count)) - len(desk.ear.of(Compensate)) == 1
    assert len({event.slot.nonce for event in signed if isinstance(event, TxSigned)}) == 1


async def test_a_restart_after_the_send_explains_the_slot_before_anything_new_is_planned(desk: Desk) -> None:
    await desk.place("pay")
    heard = Ear()
    desk.wallet, desk.ear = wallet_of(desk.rpc, desk.journal, heard, desk.slots()), heard

    too_early = await desk.place("next")
    await desk.settle()
    placed = await desk.place("next")
    await desk.settle()

    assert isinstance(too_early, ChainRefusal)
    assert placed == Placed(intent=IntentId("next"), nonce=1)
    assert await desk.received() == 2
    assert len(desk.ear.of(Count)) == 2


async def test_a_restart_between_sign_and_send_sends_the_stored_bytes(desk: Desk) -> None:
    await desk.place("pay")
    kept = [r for r in desk.journal.read() if r.type != "trading.tx_sent.v1"]
    await desk.rpc.call("anvil_dropAllTransactions")
    journal = MemoryJournal(kept)
    desk.journal, desk.ear = journal, Ear()
    desk.wallet = wallet_of(desk.rpc, journal, desk.ear, desk.slots())
    await desk.settle()

    assert len([r for r in journal.read() if r.type == "trading.tx_signed.v1"]) == 1
    assert await desk.received() == 1
    assert desk.slots().ended_state(IntentId("pay")) is SlotState.SETTLED


async def test_after_a_stop_nothing_is_signed_and_what_was_sent_is_only_watched(desk: Desk) -> None:
    await desk.place("sent before")
    stop = TradingStateChanged(state="stopped", by="operator", reason="test", epoch=1)
    await desk.wallet.receive(GateChanged(change=stop))
    desk.epoch = stop.epoch

    refused = await desk.place("after")
    await desk.settle()

    signed = [r for r in desk.journal.read() if r.type == "trading.tx_signed.v1"]
    assert isinstance(refused, ChainRefusal)
    assert refused.reason is ChainReason.STOPPED
    assert len(signed) == 1
    assert desk.slots().ended_state(IntentId("sent before")) is SlotState.SETTLED


async def test_a_transaction_of_somebody_else_with_our_key_stops_trading(desk: Desk) -> None:
    foreign: dict[str, Json] = {
        "from": LocalSigner(KEY, chain_id=CHAIN).address,
        "to": OTHER,
        "value": "0x7",
        "nonce": "0x0",
    }
    await desk.rpc.call("eth_sendTransaction", (foreign,))
    await desk.look(blocks=4)

    await desk.place("first")
    await desk.rpc.call("eth_sendTransaction", ({**foreign, "nonce": "0x2"},))
    await desk.settle()
    answer = await desk.place("second")

    assert desk.ear.of(StopTrading)
    assert isinstance(answer, ChainRefusal)
    assert answer.reason is ChainReason.STOPPED


def test_a_raw_key_signs_on_the_local_chain_alone() -> None:
    with pytest.raises(ConfigError, match="local chain"):
        LocalSigner(KEY, chain_id=8_453)
