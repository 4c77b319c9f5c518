"""What a proposal, an approval, a rejection or an execution is refused for, by name, in order. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from treasury_actors.arena.model.promotion import (
    AUTO,
    Person,
    PromotionApproved,
    PromotionProposed,
    PromotionRejected,
    Promotions,
    Standing,
    key_of,
)
from treasury_actors.money import usd


class PromotionReason(StrEnum):
    """Why a proposal, an approval or an execution is refused, in order of precedence."""

    EXISTS = "exists"
    GATES_EDITED = "gates_edited"
    TOO_FEW_PEOPLE = "too_few_people"
    SAME_KEY_TWICE = "same_key_twice"
    NOT_POSITIVE = "not_positive"
    ABOVE_STAGE_POOL = "above_stage_pool"
    SOURCE_LACKS = "source_lacks"
    UNKNOWN_PROMOTION = "unknown_promotion"
    AUTO = "auto"
    NOT_LISTED = "not_listed"
    NOT_WAITING = "not_waiting"
    EXPIRED = "expired"
    SAME_PERSON_TWICE = "same_person_twice"
    BAD_SIGNATURE = "bad_signature"
    NOT_APPROVED = "not_approved"
    NO_REASON = "no_reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRefused:
    """The no to a proposal, an approval or a rejection: nothing moved. A value, never raised."""

    promotion: str
    reason: PromotionReason
    detail: str


def check_people(people: tuple[Person, ...], needed: int) -> tuple[PromotionReason, str] | None:
    """Say why these people can't approve anything, or None: enough different names with different keys."""
    names = [person.name for person in people]
    if AUTO in map(str.lower, names):
        return PromotionReason.AUTO, "nobody is called auto"
    if needed < 1 or len(dict.fromkeys(names)) < max(needed, len(names)):
        return PromotionReason.TOO_FEW_PEOPLE, f"{len(names)} people, {needed} needed, all different"
    if len({person.key.lower() for person in people}) < len(people):
        return PromotionReason.SAME_KEY_TWICE, "two people have one key"
    return None


def check_proposal(
    promotions: Promotions,
    proposed: PromotionProposed,
    *,
    gates_hash: str,
    source_units: int,
    pool_room_micro_usd: int,
) -> PromotionRefused | None:
    """
    Say why a proposal can't be made, or None.

    Args:
        gates_hash: of the gates as they are configured now.
        source_units: what the source account has; `pool_room_micro_usd`: what the stage may still be given.
    """
    people = check_people(proposed.people, proposed.needed)
    found = (
        (PromotionReason.EXISTS, proposed.promotion in promotions.by_id, "this id was proposed before"),
        (
            PromotionReason.GATES_EDITED,
            not promotions.gates_hash == gates_hash == proposed.gates_hash,
            f"the run began with {promotions.gates_hash[:12] or 'none'}, they are {gates_hash[:12]} now",
        ),
        (people[0] if people else PromotionReason.AUTO, people is not None, people[1] if people else ""),
        (PromotionReason.NOT_POSITIVE, proposed.units <= 0, f"{proposed.units} units"),
        (
            PromotionReason.ABOVE_STAGE_POOL,
            proposed.micro_usd > pool_room_micro_usd,
            f"{proposed.to_stage} has room for ${usd(pool_room_micro_usd)}, asked ${usd(proposed.micro_usd)}",
        ),
        (
            PromotionReason.SOURCE_LACKS,
            proposed.units > source_units,
            f"{proposed.source} has {source_units} units, asked {proposed.units}",
        ),
    )
    return _first(proposed.promotion, found)


def check_approval(
    promotions: Promotions, approved: PromotionApproved, *, now_ns: int, signature_is_good: bool
) -> PromotionRefused | None:
    """Say why an approval does not count, or None; a good signature is by the listed key."""
    standing = promotions.by_id.get(approved.promotion)
    if standing is None:
        return _no(approved.promotion, PromotionReason.UNKNOWN_PROMOTION, "no such proposal")
    proposed = standing.proposed
    found = (
        (PromotionReason.AUTO, approved.by.lower() == AUTO, "a person approves, not a program"),
        (
            PromotionReason.NOT_LISTED,
            key_of(proposed, approved.by) is None,
            f"{approved.by} is not among {', '.join(person.name for person in proposed.people)}",
        ),
        (
            PromotionReason.SAME_PERSON_TWICE,
            approved.by in {each.by for each in standing.approvals},
            f"{approved.by} approved it before; {proposed.needed} different people are needed",
        ),
        (PromotionReason.EXPIRED, _is_over(standing, now_ns), "its week is over; propose it again"),
        (PromotionReason.NOT_WAITING, standing.status != "waiting", f"it is {standing.status}"),
        (PromotionReason.BAD_SIGNATURE, not signature_is_good, f"not by the key listed for {approved.by}"),
    )
    return _first(approved.promotion, found)


def check_rejection(promotions: Promotions, rejected: PromotionRejected) -> PromotionRefused | None:
    """Say why a rejection does not count, or None: any listed person may, with a reason and no signature."""
    standing = promotions.by_id.get(rejected.promotion)
    if standing is None:
        return _no(rejected.promotion, PromotionReason.UNKNOWN_PROMOTION, "no such proposal")
    found = (
        (PromotionReason.AUTO, rejected.by.lower() == AUTO, "a person rejects, not a program"),
        (PromotionReason.NOT_LISTED, key_of(standing.proposed, rejected.by) is None, rejected.by),
        (PromotionReason.NO_REASON, not rejected.reason.strip(), "say why"),
        (PromotionReason.NOT_WAITING, not standing.is_open, f"it is {standing.status}"),
    )
    return _first(rejected.promotion, found)


def check_execution(
    promotions: Promotions, promotion: str, *, gates_hash: str, now_ns: int
) -> PromotionRefused | None:
    """Say why a proposal can't be executed now, or None."""
    standing = promotions.by_id.get(promotion)
    if standing is None:
        return _no(promotion, PromotionReason.UNKNOWN_PROMOTION, "no such proposal")
    found = (
        (PromotionReason.GATES_EDITED, promotions.gates_hash != gates_hash, "the gates are others now"),
        (
            PromotionReason.NOT_APPROVED,
            standing.status != "approved",
            f"it is {standing.status}; {len(standing.approvals)} of {standing.proposed.needed} approved",
        ),
        (PromotionReason.EXPIRED, now_ns >= standing.proposed.expires_ns, "its week is over"),
    )
    return _first(promotion, found)


def _is_over(standing: Standing, now_ns: int) -> bool:
    """Say whether a proposal's week has passed, noted or not."""
    return standing.status == "expired" or (standing.is_open and now_ns >= standing.proposed.expires_ns)


def _first(promotion: str, found: tuple[tuple[PromotionReason, bool, str], ...]) -> PromotionRefused | None:
    """Return the first reason that applies."""
    for reason, applies, detail in found:
        if applies:
            return _no(promotion, reason, detail)
    return None


def _no(promotion: str, reason: PromotionReason, detail: str) -> PromotionRefused:
    return PromotionRefused(promotion=promotion, reason=reason, detail=detail)
