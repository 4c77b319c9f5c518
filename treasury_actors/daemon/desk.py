"""The desk where people say yes or no to a rise of real money, of a living run and of one that rests."""

from treasury_actors.arena.approvals import ApprovalDesk
from treasury_actors.arena.model.promotion import Promotions, Standing
from treasury_actors.arena.ports import VerifiesSignature
from treasury_actors.clock import Clock
from treasury_actors.daemon.requests import ApprovePromotion, RejectPromotion, Reply, refused
from treasury_actors.errors import ConfigError
from treasury_actors.journal.ports import Journal
from treasury_actors.settings.stakes import REHEARSAL
from treasury_actors.simulation.manifest import Manifest
from treasury_actors.wiring.house import House


def desk_of(house: House, *, wall: Clock | None, verify: VerifiesSignature) -> ApprovalDesk:
    """Return the desk of a living house."""
    return open_desk(house.fold.records.promotions, house.journal, house.clock, verify=verify, wall=wall)


def open_desk(
    promotions: Promotions,
    journal: Journal,
    clock: Clock,
    *,
    verify: VerifiesSignature,
    wall: Clock | None,
) -> ApprovalDesk:
    """Return a desk that goes by the gates its run began with."""
    return ApprovalDesk(
        promotions=promotions,
        journal=journal,
        clock=clock,
        verify=verify,
        gates_hash=promotions.gates_hash,
        wall=wall,
    )


def wall_of(manifest: Manifest | None, clock: Clock) -> Clock | None:
    """Return by which clock, beside a run's own, a week is counted: the wall's where money is real."""
    if manifest is None or manifest.label != "LIVE":
        return None
    chain = manifest.config.get("chain")
    is_local = isinstance(chain, dict) and chain.get("network") == REHEARSAL  # its clock is a season's
    return None if is_local else clock


def answer_of(
    request: ApprovePromotion | RejectPromotion, desk: ApprovalDesk, promotions: Promotions
) -> Reply:
    """Do what a person asks at the desk; return what came of it. Not yet durable."""
    try:
        match request:
            case ApprovePromotion(promotion=promotion, by=by, signature=signature):
                refusal = desk.approve(promotion, by, signature)
            case RejectPromotion(promotion=promotion, by=by, reason=reason):
                refusal = desk.reject(promotion, by, reason)
    except ConfigError as error:  # the library of the curve is an extra: no reason for a run to end
        return refused("refused", str(error))
    if refusal is not None:
        return {**refused("refused", refusal.detail), "reason": refusal.reason.value}
    return {"ok": True, **told(promotions.by_id[request.promotion])}


def told(standing: Standing) -> dict[str, object]:
    """Return a promotion for people and scripts."""
    proposed = standing.proposed
    return {
        "promotion": proposed.promotion,
        "from": proposed.stage,
        "to": proposed.to_stage,
        "agents": list(proposed.agents),
        "asset": proposed.asset,
        "units": str(proposed.units),
        "source": proposed.source,
        "hash": proposed.hash,
        "evidence": proposed.evidence_hash,
        "gate": proposed.gate,
        "key_stolen_micro_usd": str(proposed.key_stolen_micro_usd),
        "venue_failed_micro_usd": str(proposed.venue_failed_micro_usd),
        "needed": proposed.needed,
        "approved_by": [each.by for each in standing.approvals],
        "status": standing.status,
    }
