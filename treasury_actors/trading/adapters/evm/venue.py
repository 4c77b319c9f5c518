"""
The venue on a chain: one hop becomes an exact approval and a call, each placed once with the wallet.

Nothing waits for a block here. `send` quotes, builds, vets the bytes, simulates at pending, and places;
`collect` lets the wallet look at the chain, hears what was counted, and turns that into receipts.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, assert_never

from treasury_actors.actors.ref import Ref
from treasury_actors.chain.model.faults import RpcFault
from treasury_actors.ids import AgentId, AssetId, ConversionId, OrderId
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Conversion
from treasury_actors.trading.adapters.evm.erc20 import UnreadableContract
from treasury_actors.trading.adapters.evm.hops import (
    NOTHING,
    Hop,
    Step,
    Verdict,
    agent_of,
    in_order,
    parse_intent,
    quote_of,
    resumed,
)
from treasury_actors.trading.adapters.evm.placing import ASK_TIMEOUT_S, ChainDesk, Placer, holdings_of
from treasury_actors.trading.adapters.evm.protocol import Settled
from treasury_actors.trading.model.nonce_slots import Slots, SlotState
from treasury_actors.trading.model.order import OrderFilled
from treasury_actors.trading.model.slot_acts import Alert, Compensate, Count, End, StopTrading
from treasury_actors.trading.model.stop import TradingStateChanged
from treasury_actors.trading.model.transaction import IntentId
from treasury_actors.trading.ports import Alarm, Executed, NotExecuted, Receipt, Reversed, Ticket
from treasury_actors.trading.wallet_messages import (
    GateChanged,
    LookAtChain,
    WalletMessage,
    WalletNews,
)


class News:
    """What the wallet tells, kept until it is collected."""

    def __init__(self) -> None:
        self._kept: deque[WalletNews] = deque()

    def tell(self, message: WalletNews) -> None:
        """Take a piece of news; never waits."""
        self._kept.append(message)

    def drain(self) -> list[WalletNews]:
        """Return all of it, oldest first, and keep nothing."""
        kept = list(self._kept)
        self._kept.clear()
        return kept


class Fill(NamedTuple):
    """What a transaction that may still be undone gave and took; no conversion if nothing but gas."""

    agent: AgentId
    conversion: ConversionId | None
    settled: Settled


class EvmVenue:
    """
    Real protocols, one wallet.

    Args:
        slots: the wallet's, to see at a start what became of which transaction; only read.
        unfinal: the fills whose transactions may still be undone, by the call's intent.
        unbooked: what was undone (intent, block hash) before its hop was over; the books never had it.
    """

    leaves_process = True

    def __init__(
        self,
        *,
        desk: ChainDesk,
        wallet: Ref[WalletMessage],
        news: News,
        slots: Slots,
        unfinal: Mapping[IntentId, OrderFilled],
        unbooked: Collection[tuple[IntentId, str]],
    ) -> None:
        self._desk = desk
        self._wallet = wallet
        self._placer = Placer(desk=desk, wallet=wallet)
        self._news = news
        self._slots = slots
        self._hops: dict[OrderId, Hop] = {}
        self._unfinal = {intent: _fill(event) for intent, event in unfinal.items()}
        self._unbooked = frozenset(unbooked)
        self._undone: dict[IntentId, Count | None] = {}
        self._receipts: list[Receipt] = []
        self._alarms: list[Alarm] = []
        self._frame: MarketFrame | None = None

    def __repr__(self) -> str:
        return f"<EvmVenue on {self._desk.limits.chain_id}, {len(self._hops)} hops>"

    async def resume(self, tickets: Sequence[Ticket]) -> None:
        """Take up every hop where the journal left it."""
        self._hops = {ticket.order_id: resumed(ticket, self._slots) for ticket in tickets}
        self._placer.epoch = max((ticket.epoch for ticket in tickets), default=0)

    async def heed(self, change: TradingStateChanged) -> None:
        """Close or open the gate before sign and send."""
        self._placer.epoch = change.epoch
        await self._wallet.ask(GateChanged(change=change), timeout_s=ASK_TIMEOUT_S, control=True)

    def alarms(self) -> list[Alarm]:
        """Return what the wallet raised since the last time."""
        alarms, self._alarms = self._alarms, []
        return alarms

    async def send(self, ticket: Ticket) -> None:
        """Place what the hop needs, as far as the chain lets us now."""
        hop = Hop(ticket=ticket, frame=self._frame)
        self._hops[ticket.order_id] = hop
        self._placer.epoch = ticket.epoch
        await self._placer.go_on(hop)

    async def collect(self, frame: MarketFrame) -> list[Receipt]:
        """Look at the chain once; return what was counted since, in (agent, order) order."""
        self._frame = frame
        if self._hops and self._desk.pass_blocks is not None:
            await self._desk.pass_blocks()
        await self._wallet.ask(LookAtChain(), timeout_s=ASK_TIMEOUT_S)
        for news in self._news.drain():
            self._hear(news)
        for intent, count in list(self._undone.items()):
            await self._do_again(intent, count)
        for hop in in_order(list(self._hops.values())):
            await self._advance(hop, frame)
        receipts, self._receipts = self._receipts, []
        return receipts

    async def holdings(self) -> Mapping[AssetId, int] | None:
        """Return what the wallet holds of every pinned asset, at one block, once all it did is counted."""
        if self._hops or any(slot.mined is None or slot.compensated for slot in self._slots.live()):
            return None
        try:
            return await holdings_of(self._desk)
        except (RpcFault, UnreadableContract):
            return None

    async def _advance(self, hop: Hop, frame: MarketFrame) -> None:
        """Read what a counted call brought, go on after a counted approval, or end a hop that failed."""
        if hop.verdict is not None and hop.allowance is not None and not hop.revoked:
            await self._placer.revoke(hop)
        if hop.waits_for:
            return
        if hop.mined is not None:
            settled = await self._settled(hop.ticket.conversion, hop.mined)
            if settled is not None:
                quote = quote_of(self._desk.universe, hop.ticket, settled, hop.frame or frame)
                self._end(hop, Executed(ticket=hop.ticket, quote=quote, gas_wei=hop.fee_wei))
        elif hop.verdict is not None:
            if await self._placer.leaves_nothing(hop):
                self._end(hop, _not_executed(hop, hop.verdict))
        elif not hop.called:
            hop.frame = frame
            await self._placer.go_on(hop)

    async def _settled(self, step: Conversion, mined: Count) -> Settled | None:
        """Return what the call really gave and took, from its own receipt; None until a node says so."""
        desk = self._desk
        protocol, owner = desk.protocols[step.venue], desk.limits.account
        try:
            logs = await desk.reads.logs(mined.tx_hash, mined.block_hash)
            before: Mapping[AssetId, int] = {}
            after: Mapping[AssetId, int] = {}
            if protocol.settles_by_holdings:
                before = await protocol.holdings(owner, hex(mined.block_number - 1))
                after = await protocol.holdings(owner, mined.block_hash)
        except RpcFault:
            return None
        return protocol.settle(step, owner, logs, before=before, after=after)

    async def _do_again(self, intent: IntentId, count: Count | None) -> None:
        """Report an undone call that is in a block once more, with what it brought there."""
        if count is None:
            return
        fill = self._unfinal.get(intent) or _only_gas(intent)
        settled: Settled | None = NOTHING
        if fill.conversion is not None and count.outcome is SlotState.SETTLED:
            settled = await self._settled(self._desk.universe.conversion_by_id[fill.conversion], count)
        if settled is not None:
            del self._undone[intent]
            self._unfinal[intent] = fill._replace(settled=settled)
            self._receipts.append(_reversed(intent, self._unfinal[intent], count, again=True))

    def _hear(self, news: WalletNews) -> None:
        """Take in what the wallet says of one transaction."""
        match news:
            case Count():
                self._count(news)
            case Compensate():
                hop, step = self._hop_of(news.intent)
                if hop is not None:
                    hop.uncounted(step, news.intent)
                elif (news.intent, news.block_hash) not in self._unbooked:
                    self._undone[news.intent] = None
                    fill = self._unfinal.get(news.intent) or _only_gas(news.intent)
                    self._receipts.append(_reversed(news.intent, fill, news, again=False))
            case End():
                hop, step = self._hop_of(news.intent)
                self._unfinal.pop(news.intent, None)
                if hop is not None and news.outcome in {None, SlotState.FOREIGN}:
                    hop.dropped(step, news.intent, news.detail)
            case StopTrading():
                self._alarms.append(Alarm(reason=news.reason, stops=True))
            case Alert():
                self._alarms.append(Alarm(reason=f"{news.intent}: {news.reason}", stops=False))
            case _:
                assert_never(news)

    def _count(self, count: Count) -> None:
        """Take in that a transaction is deep enough; told again after a restart, it counts once."""
        hop, step = self._hop_of(count.intent)
        if count.intent in self._undone:
            self._undone[count.intent] = count
        elif hop is not None and count.intent in hop.waits_for:
            hop.counted(step, count)

    def _hop_of(self, intent: IntentId) -> tuple[Hop | None, Step]:
        """Return the hop a transaction is for, if it isn't over, and what it is there for."""
        order_id, number, step = parse_intent(intent)
        hop = self._hops.get(order_id)
        return hop if hop is not None and hop.ticket.hop == number else None, step

    def _end(self, hop: Hop, receipt: Executed | NotExecuted) -> None:
        """Forget a hop, but not what a reorganisation would have to undo, and hand out its receipt."""
        ticket, call = hop.ticket, hop.intent(Step.CALL)
        settled = NOTHING
        if isinstance(receipt, Executed):
            settled = Settled(given_units=receipt.quote.given_units, taken_units=receipt.quote.taken_units)
        if call in hop.fees_wei:
            self._unfinal[call] = Fill(ticket.agent, ticket.conversion.id, settled)
        del self._hops[ticket.order_id]
        self._receipts.append(receipt)


def _fill(event: OrderFilled) -> Fill:
    """Return what the journal says of a fill that may still be undone."""
    settled = Settled(given_units=event.given_units, taken_units=event.taken_units)
    return Fill(event.agent, event.conversion, settled)


def _not_executed(hop: Hop, verdict: Verdict) -> NotExecuted:
    """Return the receipt of a hop that will never be executed."""
    return NotExecuted(ticket=hop.ticket, reason=verdict.reason, detail=verdict.detail, gas_wei=hop.fee_wei)


def _only_gas(intent: IntentId) -> Fill:
    """Return what an approval, or a call that did nothing, gave and took."""
    order_id, _, _ = parse_intent(intent)
    return Fill(agent_of(order_id), None, NOTHING)


def _reversed(intent: IntentId, fill: Fill, told: Count | Compensate, *, again: bool) -> Reversed:
    """Return the receipt of what was undone, or done again."""
    return Reversed(
        name=intent,
        agent=fill.agent,
        conversion=fill.conversion,
        given_units=fill.settled.given_units,
        taken_units=fill.settled.taken_units,
        gas_wei=told.fee_wei,
        block_hash=told.block_hash,
        again=again,
    )
