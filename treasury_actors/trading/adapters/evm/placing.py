"""Placing a hop with the wallet: quote, build, vet the bytes, allow exactly, simulate at pending, place."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from treasury_actors.actors.ref import Ref
from treasury_actors.chain.model.faults import RpcFault
from treasury_actors.ids import AssetId, VenueId
from treasury_actors.market.model.universe import Universe
from treasury_actors.trading.adapters.evm import erc20
from treasury_actors.trading.adapters.evm.data_fee import DataFee
from treasury_actors.trading.adapters.evm.errors import Refused, VenueReason
from treasury_actors.trading.adapters.evm.hops import Hop, Step, Verdict
from treasury_actors.trading.adapters.evm.protocol import Approval, Call, DefiProtocol
from treasury_actors.trading.adapters.evm.reads import RpcReads
from treasury_actors.trading.adapters.evm.vetting import Wish, vet_approval, vet_call, wish_for
from treasury_actors.trading.model import transaction
from treasury_actors.trading.model.chain_limits import ChainLimits, ChainReason, ChainRefusal
from treasury_actors.trading.model.fees import FeePolicy, fee_cap_wei
from treasury_actors.trading.model.order import TradingReason
from treasury_actors.trading.model.slot_acts import Intent
from treasury_actors.trading.wallet_messages import LookAtChain, PlaceCall, WalletMessage

ASK_TIMEOUT_S = 60.0
_OURS_TO_WAIT = frozenset(
    {
        ChainReason.UNEXPLAINED_SLOT,
        ChainReason.TOO_MANY_IN_FLIGHT,
        ChainReason.NONCE_NOT_OURS,
        ChainReason.NO_ANSWER,
        ChainReason.STALE_PRICE,
    }
)
_NOT_MINED_YET = frozenset({VenueReason.NO_ALLOWANCE, VenueReason.TRANSFER_FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainDesk:
    """
    One chain as the venue trades on it.

    Attributes:
        protocols: by the venue's name in the universe.
        tokens: the pinned address of every asset that can be traded.
        data_fee: what the chain asks beside gas; None where it asks nothing.
        pass_blocks: lets blocks pass before a look, while something is on its way; None where they pass by
            themselves, as on every chain but a rehearsal's.
    """

    universe: Universe
    reads: RpcReads
    protocols: Mapping[VenueId, DefiProtocol]
    tokens: Mapping[AssetId, str]
    limits: ChainLimits
    fees: FeePolicy
    data_fee: DataFee | None = None
    pass_blocks: Callable[[], Awaitable[None]] | None = None


async def holdings_of(desk: ChainDesk) -> Mapping[AssetId, int]:
    """
    Return what the desk's account holds of every pinned asset, at one block, in its smallest units.

    Raises:
        RpcFault, UnreadableContract: it can't be read now.
    """
    number, _ = await desk.reads.head()
    block, owner = hex(number), desk.limits.account
    held = {desk.universe.gas: await desk.reads.balance_wei(owner, block)}
    for protocol in desk.protocols.values():
        held |= await protocol.holdings(owner, block)
    return dict(sorted(held.items()))


class Placer:
    """
    Places transactions of hops, one at a time; what it can't place becomes the hop's verdict.

    Attributes:
        epoch: of trading's state now. A call belongs to the epoch it was decided in, and dies with a stop; an
            allowance is taken back whenever that may be signed.
    """

    def __init__(self, *, desk: ChainDesk, wallet: Ref[WalletMessage]) -> None:
        self._desk = desk
        self._wallet = wallet
        self.epoch = 0

    async def go_on(self, hop: Hop) -> None:
        """Go on with a hop; what can't be done ends it, an allowance that stands is taken back."""
        try:
            verdict = await self._place_hop(hop)
        except (RpcFault, erc20.UnreadableContract) as fault:
            verdict = Verdict(reason=TradingReason.NOT_SENT, detail=f"{type(fault).__name__}: {fault}")
        if verdict is not None:
            hop.verdict = verdict
            if hop.allowance is not None and not hop.revoked:
                await self.revoke(hop)

    async def _place_hop(self, hop: Hop) -> Verdict | None:
        """Quote, build, vet, approve, simulate, place; say why not."""
        desk, ticket = self._desk, hop.ticket
        step = ticket.conversion
        protocol = desk.protocols.get(step.venue)
        if protocol is None or step.source not in desk.tokens or step.target not in desk.tokens:
            return Verdict(reason=TradingReason.VENUE_REFUSED, detail=f"{step.id} has no contract here")
        assert hop.frame is not None, "a hop is placed at the prices it was decided at"
        wish = wish_for(desk.universe, step, ticket.units, hop.frame, desk.limits, reduces=ticket.reduces)
        if isinstance(wish, ChainRefusal):
            return _forbidden(wish)
        quoted = await protocol.quote(step, ticket.units, "latest")
        if isinstance(quoted, Refused):
            return _refused(quoted)
        _, now_s = await desk.reads.head()
        call = await protocol.build(
            step,
            ticket.units,
            wish.required_units,
            deadline_s=now_s + desk.limits.deadline_s_max,
            owner=desk.limits.account,
        )
        if isinstance(call, Refused):
            return _refused(call)
        refusal = vet_call(
            desk.limits,
            wish,
            call,
            protocol,
            tokens=desk.tokens,
            quoted_units=quoted,
            now_s=now_s,
            reduces=ticket.reduces,
        )
        if refusal is not None:
            return _forbidden(refusal)
        if call.approval is not None and hop.allowance is None:
            verdict = await self._approve(hop, wish, call.approval)
            if verdict is not None:
                return verdict
        said = await protocol.simulate(call, desk.limits.account)
        if said is not None:
            is_early = said.reason in _NOT_MINED_YET and hop.intent(Step.APPROVE) in hop.waits_for
            return None if is_early else _refused(said)
        return await self._place(hop, Step.CALL, call, wish)

    async def _approve(self, hop: Hop, wish: Wish, approval: Approval) -> Verdict | None:
        """Allow exactly what the call takes (I31); an allowance that stands is taken back, and no call."""
        desk, owner = self._desk, self._desk.limits.account
        standing = await erc20.allowance(desk.reads, approval.token, owner, approval.spender, "pending")
        approving = erc20.approve(approval)
        refusal = vet_approval(
            desk.limits,
            approval,
            approving,
            needed_units=wish.units,
            standing_units=standing,
        )
        if refusal is not None:
            hop.allowance = approval if refusal.reason is ChainReason.ALLOWANCE_AT_REST else None
            return _forbidden(refusal)
        said = await erc20.simulate_approve(desk.reads, approval, owner)
        if said is not None:
            return _refused(said)
        verdict = await self._place(hop, Step.APPROVE, approving, wish)
        hop.allowance = None if verdict is not None else approval
        return verdict

    async def _place(self, hop: Hop, step: Step, call: Call, wish: Wish | None) -> Verdict | None:
        """Give one transaction to the wallet, which makes it durable, signs, stores and sends it."""
        purpose: transaction.Purpose = "reduce" if hop.ticket.reduces or step is Step.REVOKE else "trade"
        emergency = purpose == "reduce"
        notional_wei = 0 if wish is None else wish.notional_wei
        cap_wei = fee_cap_wei(self._desk.fees, notional_wei=notional_wei, emergency=emergency)
        if step is not Step.REVOKE:
            cap_wei = min(cap_wei, hop.ticket.gas_wei_max // 2) - await self._data_fee_wei(call)
            if cap_wei <= 0:
                detail = f"what {step} of {hop.ticket.conversion.id} costs on L1 alone is above its cap"
                return _forbidden(ChainRefusal(reason=ChainReason.FEE_ABOVE_CAP, detail=detail))
        intent = Intent(
            intent=hop.intent(step),
            purpose=purpose,
            call=transaction.Call(
                to=call.to,
                value_wei=call.value_wei,
                data="0x" + call.data.hex(),
                gas_limit=call.gas_limit,
            ),
            fee_wei_max=cap_wei,
            epoch=self.epoch if step is Step.REVOKE else hop.ticket.epoch,
        )
        reply = await self._wallet.ask(PlaceCall(intent=intent), timeout_s=ASK_TIMEOUT_S)
        if isinstance(reply, ChainRefusal) and reply.reason is ChainReason.UNEXPLAINED_SLOT:
            await self._wallet.ask(LookAtChain(), timeout_s=ASK_TIMEOUT_S)
            reply = await self._wallet.ask(PlaceCall(intent=intent), timeout_s=ASK_TIMEOUT_S)
        if isinstance(reply, ChainRefusal):
            return _forbidden(reply)
        hop.placed(step)
        return None

    async def _data_fee_wei(self, call: Call) -> int:
        """Return what a call may cost beside its gas (I25)."""
        data_fee = self._desk.data_fee
        return 0 if data_fee is None else await data_fee.wei_at_most(len(call.data))

    async def revoke(self, hop: Hop) -> None:
        """Take an allowance back that no call of ours will use; tried again until it has its slot."""
        assert hop.allowance is not None, "only what was allowed is taken back"
        taken_back = erc20.approve(
            Approval(token=hop.allowance.token, spender=hop.allowance.spender, units=0)
        )
        await self._place(hop, Step.REVOKE, taken_back, None)

    async def leaves_nothing(self, hop: Hop) -> bool:
        """Say whether nothing is allowed for a hop that failed; take back what still is."""
        if hop.resumed:
            try:
                hop.allowance = await self._standing(hop)
            except RpcFault:
                return False
            hop.resumed = False
        if hop.allowance is None:
            return True
        if not hop.revoked:
            await self.revoke(hop)
        return hop.revoked and not hop.waits_for

    async def _standing(self, hop: Hop) -> Approval | None:
        """Return what of the hop's source the chain says is allowed to anybody who may be allowed."""
        desk, source = self._desk, hop.ticket.conversion.source
        if source not in desk.tokens:
            return None
        token, owner = desk.tokens[source], desk.limits.account
        for spender in desk.limits.spenders:
            units = await erc20.allowance(desk.reads, token, owner, spender, "latest")
            if units:
                return Approval(token=token, spender=spender, units=units)
        return None


def _forbidden(refusal: ChainRefusal) -> Verdict:
    """Return a limit's no in the engine's words."""
    waits = refusal.reason in _OURS_TO_WAIT
    stopped = refusal.reason is ChainReason.STOPPED
    reason = TradingReason.NOT_SENT if waits else TradingReason.VENUE_REFUSED
    return Verdict(
        reason=TradingReason.STOPPED if stopped else reason, detail=f"{refusal.reason}: {refusal.detail}"
    )


def _refused(said: Refused) -> Verdict:
    """Return a contract's no in the engine's words."""
    return Verdict(reason=said.reason.trading, detail=f"{said.reason}: {said.detail}")
