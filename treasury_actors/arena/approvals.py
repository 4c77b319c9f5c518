"""The desk promotions pass: checks, journals, folds, and moves the money once people have agreed."""

from treasury_actors.actors.ref import Ref
from treasury_actors.arena.model.promotion import (
    GateHeld,
    LadderOpened,
    PromotionApproved,
    PromotionEvent,
    PromotionExecuted,
    PromotionExpired,
    PromotionProposed,
    PromotionRejected,
    Promotions,
    approval_digest,
    key_of,
    overdue,
)
from treasury_actors.arena.model.promotion_checks import (
    PromotionReason,
    PromotionRefused,
    check_approval,
    check_execution,
    check_proposal,
    check_rejection,
)
from treasury_actors.arena.ports import VerifiesSignature
from treasury_actors.clock import Clock
from treasury_actors.journal.ports import Journal
from treasury_actors.ledger.messages import AccountBalances, LedgerMessage, Post
from treasury_actors.ledger.model import EntryRejected
from treasury_actors.message import Provenance

ASK_TIMEOUT_S = 30.0


class ApprovalDesk:
    """
    Takes proposals, approvals and rejections of one run.

    `promotions` is what the journal already says; this desk is its only writer. Everything it accepts is an
    event before it is a fact; whoever acknowledges it to a person flushes the journal first.
    """

    def __init__(
        self,
        *,
        promotions: Promotions,
        journal: Journal,
        clock: Clock,
        verify: VerifiesSignature,
        gates_hash: str,
        wall: Clock | None = None,
    ) -> None:
        """
        Sit down at it.

        Args:
            clock: when events are recorded; the run's own.
            wall: by which a week is counted too, where people and market have one time; whatever is later
                counts, so a feed that stands still keeps no proposal open.
        """
        self._promotions = promotions
        self._journal = journal
        self._clock = clock
        self._verify = verify
        self._gates_hash = gates_hash
        self._wall = wall

    def __repr__(self) -> str:
        return f"<ApprovalDesk {len(self._promotions.open())} open of {len(self._promotions.by_id)}>"

    def open_ladder(self) -> PromotionRefused | None:
        """Note by which gates this run climbs, once; refuse to go on with others."""
        known = self._promotions.gates_hash
        if not known:
            self._record(LadderOpened(gates_hash=self._gates_hash))
            return None
        if known == self._gates_hash:
            return None
        return PromotionRefused(
            promotion="",
            reason=PromotionReason.GATES_EDITED,
            detail=f"the run began with gates {known[:12]}, they are {self._gates_hash[:12]} now",
        )

    async def propose(
        self, proposed: PromotionProposed, ledger: Ref[LedgerMessage], *, pool_room_micro_usd: int
    ) -> PromotionRefused | None:
        """Put a proposal before the people."""
        balances = await ledger.ask(AccountBalances(account=proposed.source), timeout_s=ASK_TIMEOUT_S)
        refusal = check_proposal(
            self._promotions,
            proposed,
            gates_hash=self._gates_hash,
            source_units=balances.get(proposed.asset, 0),
            pool_room_micro_usd=pool_room_micro_usd,
        )
        if refusal is None:
            self._record(proposed)
        return refusal

    def hold_gate(self, held: GateHeld) -> None:
        """Note what a gate decided, and on which evidence."""
        self._record(held)

    def approve(self, promotion: str, by: str, signature: str) -> PromotionRefused | None:
        """Count one person's approval."""
        approved = PromotionApproved(promotion=promotion, by=by, signature=signature)
        standing = self._promotions.by_id.get(promotion)
        key = key_of(standing.proposed, by) if standing else None
        good = (
            standing is not None
            and key is not None
            and self._verify(key=key, digest=approval_digest(standing.proposed.hash, by), signature=signature)
        )
        refusal = check_approval(self._promotions, approved, now_ns=self._now_ns(), signature_is_good=good)
        if refusal is None:
            self._record(approved)
        return refusal

    def reject(self, promotion: str, by: str, reason: str) -> PromotionRefused | None:
        """End a proposal."""
        rejected = PromotionRejected(promotion=promotion, by=by, reason=reason)
        refusal = check_rejection(self._promotions, rejected)
        if refusal is None:
            self._record(rejected)
        return refusal

    def expire(self) -> list[str]:
        """End the proposals whose week is over; return their ids."""
        found = overdue(self._promotions, self._now_ns())
        for promotion in found:
            self._record(PromotionExpired(promotion=promotion))
        return found

    async def execute(self, promotion: str, ledger: Ref[LedgerMessage]) -> PromotionRefused | None:
        """
        Move the money of an approved proposal into the stage's pool (I32).

        Killed between the entry and the event it goes on where it was: the entry's id counts once.
        """
        refusal = check_execution(
            self._promotions, promotion, gates_hash=self._gates_hash, now_ns=self._now_ns()
        )
        if refusal is not None:
            return refusal
        entry = self._promotions.by_id[promotion].proposed.entry
        message = Post(entry=entry, provenance=Provenance(correlation_id=entry.entry_id))
        reply = await ledger.ask(message, timeout_s=ASK_TIMEOUT_S)
        if isinstance(reply, EntryRejected):
            return PromotionRefused(
                promotion=promotion, reason=PromotionReason.SOURCE_LACKS, detail=reply.detail
            )
        self._record(PromotionExecuted(promotion=promotion, entry_id=entry.entry_id))
        return None

    def _now_ns(self) -> int:
        """Return the time by which a week is over."""
        own_ns = self._clock.now_ns()
        return own_ns if self._wall is None else max(own_ns, self._wall.now_ns())

    def _record(self, event: PromotionEvent) -> None:
        """Journal an event, then fold it."""
        promotion = "" if isinstance(event, LadderOpened | GateHeld) else event.promotion
        self._journal.append(
            event,
            stream="arena",
            time_ns=self._clock.now_ns(),
            provenance=Provenance(correlation_id=f"promotion:{promotion}"),
        )
        self._promotions.apply(event)
