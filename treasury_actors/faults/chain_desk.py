"""What stands between a wallet and the simulated chain: moody nodes, and somebody who watches hands."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from treasury_actors.errors import FeedFault
from treasury_actors.evolution.model.chance import Chance
from treasury_actors.faults.chain import SimulatedChain, sign
from treasury_actors.faults.plan import Plan
from treasury_actors.faults.sometimes import Sometimes
from treasury_actors.faults.violation import violated
from treasury_actors.trading.model.send_reply import Accepted, NoAnswer
from treasury_actors.trading.model.slot_acts import (
    Compensate,
    Count,
    End,
    Head,
    ReceiptAnswers,
    Sign,
    StopTrading,
)
from treasury_actors.trading.model.transaction import TxPlanned, TxSigned
from treasury_actors.trading.wallet_messages import WalletNews
from treasury_actors.trading.wallet_ports import Replied, Signed

SENDER = "0x00000000000000000000000000000000000000aA"
_BUMP_PERCENT = 110


@dataclass(slots=True)
class Allowed:
    """What the journal allows, kept by whoever reads every event: durable ones count, others don't."""

    planned: dict[int, tuple[int, TxPlanned]]
    signed: dict[str, tuple[int, TxSigned]]
    stopped: bool = False


class WatchedSigner:
    """Signs what it is asked to, and holds every signature to I21, I22, I24 and I25."""

    address = SENDER

    def __init__(self, allowed: Allowed, durable_seq: Callable[[], int]) -> None:
        self._allowed = allowed
        self._durable_seq = durable_seq

    def sign(self, act: Sign) -> Signed:
        """Return signed bytes."""
        nonce = act.slot.nonce
        seq, planned = self._allowed.planned.get(nonce, (0, None))
        if planned is None or seq > self._durable_seq():
            violated("I22", f"nonce {nonce} is signed before its intent is durable")
        if self._allowed.stopped:
            violated("I24", f"nonce {nonce} is signed while trading is stopped")
        if act.call.gas_limit * act.fees.max_fee_wei > planned.fee_wei_max:
            violated("I25", f"nonce {nonce} may burn more than {planned.fee_wei_max} wei")
        for _, earlier in self._allowed.signed.values():
            if earlier.slot.nonce == nonce and not (
                act.fees.max_fee_wei * 100 >= earlier.max_fee_wei * _BUMP_PERCENT
                and act.fees.tip_wei * 100 >= earlier.tip_wei * _BUMP_PERCENT
            ):
                violated("I25", f"nonce {nonce}: attempt {act.attempt} is not a tenth dearer in both fees")
        raw, tx_hash = sign(act)
        return Signed(raw=raw, tx_hash=tx_hash)


class MoodyNode:
    """A `WalletNode` that loses replies, stands still, lies, and is honest in between."""

    def __init__(
        self,
        chain: SimulatedChain,
        plan: Plan,
        *,
        chance: Chance,
        sometimes: Sometimes,
        allowed: Allowed,
        durable_seq: Callable[[], int],
        turn: Callable[[], int],
    ) -> None:
        self._chain = chain
        self._plan = plan
        self._chance = chance
        self._sometimes = sometimes
        self._allowed = allowed
        self._durable_seq = durable_seq
        self._turn = turn
        self._seen_to = chain.head.number

    async def head(self, sender: str) -> Head:
        """Return the chain as this node sees it, perhaps some blocks ago."""
        assert sender == SENDER, "a wallet asks for itself"
        self._perhaps_fail()
        chain = self._chain
        behind = 0
        if self._plan.at("chain-stale", self._turn()):
            behind = self._chance.below(3)
            self._sometimes.reached("chain-head-stale")
        self._seen_to = number = max(chain.blocks[0].number, chain.head.number - behind)
        final = chain.final_number(number)
        return Head(
            number=number,
            time_s=chain.head.time_s,
            fees=chain.fees(),
            latest_nonce=chain.nonce_at(number),
            finalised_number=final,
            finalised_nonce=chain.nonce_at(final),
        )

    async def canonical(self, numbers: Iterable[int]) -> Mapping[int, str]:
        """Return the hashes of the blocks it knows."""
        self._perhaps_fail()
        found = {number: self._chain.canonical(number) for number in numbers if number <= self._seen_to}
        return {number: block_hash for number, block_hash in found.items() if block_hash is not None}

    async def receipts(self, tx_hashes: tuple[str, ...]) -> ReceiptAnswers:
        """Return the receipts it knows."""
        self._perhaps_fail()
        stale = bool(self._plan.at("chain-stale", self._turn()))
        seen_to = self._seen_to - (self._chance.below(3) if stale else 0)  # another node than told the head
        found = [self._chain.receipt(tx_hash, seen_to) for tx_hash in tx_hashes]
        return ReceiptAnswers(
            node="node",
            found=tuple(receipt for receipt in found if receipt is not None),
            missing=tuple(h for h, receipt in zip(tx_hashes, found, strict=True) if receipt is None),
        )

    async def send(self, raw: str, tx_hash: str) -> Replied:
        """Hand bytes to the chain; the way there or the way back may fail."""
        self._check_send(raw, tx_hash)
        turn = self._turn()
        for fault in self._plan.at("chain-lost", turn):
            if fault.number % 2 and self._chance.below(2):
                self._sometimes.reached("chain-send-lost")
                return Replied(node="node", reply=NoAnswer(detail="timeout"))
        reply = self._chain.send(raw)
        for fault in self._plan.at("chain-lost", turn):
            if fault.number % 2 == 0 and self._chance.below(2):
                self._sometimes.reached("chain-reply-lost")
                return Replied(node="node", reply=NoAnswer(detail="connection reset"))
        if self._plan.at("chain-lie", turn) and isinstance(reply, Accepted):
            self._sometimes.reached("chain-node-lied")
            return Replied(node="node", reply=Accepted(tx_hash="0x" + "66" * 32))
        return Replied(node="node", reply=reply)

    def _check_send(self, raw: str, tx_hash: str) -> None:
        seq, signed = self._allowed.signed.get(tx_hash, (0, None))
        if signed is None or seq > self._durable_seq() or signed.raw != raw:
            violated("I22", f"{tx_hash[:12]} is sent, but these bytes are not durable")
        if self._allowed.stopped:
            violated("I24", f"{tx_hash[:12]} is sent while trading is stopped")

    def _perhaps_fail(self) -> None:
        if self._plan.at("chain-silent", self._turn()) and self._chance.below(2):
            self._sometimes.reached("chain-silent")
            raise FeedFault("no node answers")


class NewsDesk:
    """
    Posts what a wallet's transactions brought, each piece once by its id, as the books outside would.

    Attributes:
        counted: what was posted, by intent and block; `undone`: what of it was counted back.
        ended: every intent that is over, and how.
        stops: why trading had to stop.
    """

    def __init__(self, chain: SimulatedChain, *, confirm_depth: int, sometimes: Sometimes) -> None:
        self.counted: dict[tuple[str, str], Count] = {}
        self.undone: dict[tuple[str, str], Compensate] = {}
        self.ended: dict[str, End] = {}
        self.stops: list[str] = []
        self._chain = chain
        self._confirm_depth = confirm_depth
        self._sometimes = sometimes

    def tell(self, message: WalletNews) -> None:
        """Take a piece of news."""
        match message:
            case Count():
                self._count(message)
            case Compensate():
                self.undone[(message.intent, message.block_hash)] = message
                self._sometimes.reached("chain-counted-back")
            case End():
                if message.outcome is not None:
                    self._end(message)
            case StopTrading():
                self.stops.append(message.reason)
            case _:
                pass

    def _count(self, message: Count) -> None:
        depth = self._chain.head.number - message.block_number + 1
        if depth < self._confirm_depth:
            violated("I23", f"{message.intent} is counted at depth {depth} of {self._confirm_depth}")
        self.counted[(message.intent, message.block_hash)] = message
        live = [key for key in self.counted if key[0] == message.intent and key not in self.undone]
        if len(live) > 1:
            violated("I20", f"{message.intent} is counted in {len(live)} blocks at once")

    def _end(self, message: End) -> None:
        known = self.ended.get(message.intent)
        if known is not None and known.outcome != message.outcome:
            violated("I20", f"{message.intent} ended as {known.outcome}, then as {message.outcome}")
        self.ended[message.intent] = message
