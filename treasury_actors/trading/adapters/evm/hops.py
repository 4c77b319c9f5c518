"""One hop of an order on its way through a chain: which transactions are out, and what they brought."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from treasury_actors.ids import AgentId, OrderId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.adapters.evm.protocol import Approval, Settled
from treasury_actors.trading.model.costs import Quote
from treasury_actors.trading.model.nonce_slots import Slots, SlotState
from treasury_actors.trading.model.order import TradingReason
from treasury_actors.trading.model.slot_acts import Count
from treasury_actors.trading.model.transaction import IntentId
from treasury_actors.trading.ports import Ticket

NOTHING = Settled(given_units=0, taken_units=0)
_PARTS = 2
_AGAIN = "."
"""Before the number of another taking back, since no intent is ever planned twice."""


class Step(StrEnum):
    """What a transaction of a hop is for."""

    APPROVE = "approve"
    CALL = "call"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why a hop's call will never be executed."""

    reason: TradingReason
    detail: str


@dataclass(slots=True, kw_only=True)
class Hop:
    """
    A ticket and what was done for it.

    Attributes:
        frame: whose prices it was decided at; None after a restart.
        waits_for: intents that have a slot and are not counted yet.
        fees_wei: what each counted one burnt.
        called: the call's slot was planned.
        mined: the call is counted and settled; what it brought is still to be read.
        allowance: granted for the call; taken back if there will be no call.
        revoked: the taking back has its slot; `revokes`: so many never got through.
        resumed: from a journal, which doesn't say what is allowed: the chain does.
        verdict: set once it is known that there will be no fill.
    """

    ticket: Ticket
    frame: MarketFrame | None
    waits_for: dict[IntentId, None] = field(default_factory=dict)
    fees_wei: dict[IntentId, int] = field(default_factory=dict)
    called: bool = False
    mined: Count | None = None
    allowance: Approval | None = None
    revoked: bool = False
    revokes: int = 0
    resumed: bool = False
    verdict: Verdict | None = None

    @property
    def fee_wei(self) -> int:
        """Return what all its counted transactions burnt."""
        return sum(self.fees_wei.values())

    def intent(self, step: Step) -> IntentId:
        """Return the id of one of its transactions: derived, so that nothing is ever done twice."""
        again = f"{_AGAIN}{self.revokes}" if step is Step.REVOKE and self.revokes else ""
        return IntentId(f"{self.ticket.order_id}/{self.ticket.hop}/{step}{again}")

    def placed(self, step: Step) -> None:
        """Note that a transaction has its slot."""
        self.waits_for[self.intent(step)] = None
        self.called = self.called or step is Step.CALL
        self.revoked = self.revoked or step is Step.REVOKE

    def counted(self, step: Step, count: Count) -> None:
        """Take in what became of one of its transactions."""
        self.waits_for.pop(count.intent, None)
        self.fees_wei[count.intent] = count.fee_wei
        if step is Step.REVOKE:
            if count.outcome is not SlotState.SETTLED:
                self._revoke_again()
            return
        if count.outcome is not SlotState.SETTLED:
            cancelled = count.outcome is SlotState.CANCELLED
            reason = TradingReason.CANCELLED if cancelled else TradingReason.REVERTED
            self.verdict = Verdict(reason=reason, detail=f"{step} {count.tx_hash}: {count.outcome}")
        elif step is Step.CALL:
            self.mined = count

    def uncounted(self, step: Step, intent: IntentId) -> None:
        """Take back what was counted: its block is gone, it is on its way again. A repeat does nothing."""
        if self.fees_wei.pop(intent, None) is None:
            return
        self.waits_for[intent] = None
        if step is Step.CALL:
            self.mined, self.verdict = None, None

    def dropped(self, step: Step, intent: IntentId, detail: str) -> None:
        """Take in that a transaction was given back unsigned, or that its nonce went to somebody else."""
        if self.waits_for.pop(intent, self) is self:
            return
        if step is Step.REVOKE:
            self._revoke_again()
        elif self.verdict is None:
            self.verdict = Verdict(reason=TradingReason.NOT_SENT, detail=f"{step}: {detail}")

    def _revoke_again(self) -> None:
        """Let the allowance be taken back by another transaction: this one's nonce went to something else."""
        self.revoked = False
        self.revokes += 1


def resumed(ticket: Ticket, slots: Slots) -> Hop:
    """
    Return a hop as the journal knows it, after a restart.

    Nothing more is placed for it but the taking back of an allowance: what was decided before the restart
    was decided at prices of before the restart.
    """
    hop = Hop(ticket=ticket, frame=None, resumed=True)
    for step in (Step.APPROVE, Step.CALL):
        _resume(hop, step, slots)
    while not hop.revoked and _resume(hop, Step.REVOKE, slots):
        pass
    if not hop.called and hop.verdict is None:
        hop.verdict = Verdict(reason=TradingReason.NOT_SENT, detail="it was not sent before the restart")
    return hop


def _resume(hop: Hop, step: Step, slots: Slots) -> bool:
    """Take in what the journal says of one of a hop's transactions; say whether there was one."""
    intent = hop.intent(step)
    ended = slots.ended(intent)
    if slots.slot_of(intent) is None and ended is None:
        return False
    hop.placed(step)
    if ended is not None and ended.mined is None:
        hop.dropped(step, intent, str(ended.state))
    elif ended is not None and ended.mined is not None:
        mined = ended.mined
        hop.counted(
            step,
            Count(
                intent=intent,
                tx_hash=mined.tx_hash,
                block_number=mined.block_number,
                block_hash=mined.block_hash,
                outcome=ended.state,
                fee_wei=mined.fee_wei,
            ),
        )
    return True


def agent_of(order_id: OrderId) -> AgentId:
    """Return whose order it is: the id says so."""
    return AgentId(order_id.rsplit("/", _PARTS)[0])


def parse_intent(intent: IntentId) -> tuple[OrderId, int, Step]:
    """Return order, hop and step of an intent of ours."""
    order_id, hop, step = intent.rsplit("/", _PARTS)
    return OrderId(order_id), int(hop), Step(step.partition(_AGAIN)[0])


def quote_of(universe: Universe, ticket: Ticket, settled: Settled, frame: MarketFrame) -> Quote:
    """
    Return what a settled hop cost against the frame's prices, which no pool made.

    The pool's fee is what it says it is; the rest of the difference is price impact, and may be a gain.
    """
    step = ticket.conversion
    source, target = universe.by_id[step.source], universe.by_id[step.target]
    value = source.value_micro_usd(settled.given_units, frame.ticks[universe.column[source.id]])
    got = target.value_micro_usd(settled.taken_units, frame.ticks[universe.column[target.id]])
    fee = round(value * step.fee_bps / 10_000)
    return Quote(
        given_units=settled.given_units,
        taken_units=settled.taken_units,
        value_micro_usd=value,
        fee_micro_usd=fee,
        impact_micro_usd=value - fee - got,
        partial=False,
    )


def in_order(hops: Sequence[Hop]) -> list[Hop]:
    """Return hops in (agent, order) order, whatever the chain's was."""
    return sorted(hops, key=lambda hop: (hop.ticket.agent, hop.ticket.order_id, hop.ticket.hop))
