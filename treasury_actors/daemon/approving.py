"""
What people do to promotions: list, approve, reject; whether the run is alive or rests.

A person signs where their key is, and only the signature travels: the daemon never sees a secret. Alive, the
run's process counts it between two turns; at rest, the command does so itself, under the lock. Either way the
same desk says yes or no, by the same names, and what is acknowledged is durable.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from treasury_actors.arena.model.promotion import PromotionEvent, Promotions, approval_digest
from treasury_actors.arena.model.promotion_checks import PromotionReason
from treasury_actors.arena.ports import VerifiesSignature
from treasury_actors.clock import Clock, VirtualClock
from treasury_actors.daemon.desk import answer_of, open_desk, told, wall_of
from treasury_actors.daemon.operate import PATIENCE_S, Answer, carry_out
from treasury_actors.daemon.requests import ApprovePromotion, RejectPromotion, Reply, refused
from treasury_actors.daemon.vocabulary import VOCABULARY
from treasury_actors.errors import ConfigError
from treasury_actors.journal.ports import Journal
from treasury_actors.journal.reader import open_readonly
from treasury_actors.simulation.manifest import read_manifest
from treasury_actors.simulation.run import JOURNAL_NAME
from treasury_actors.wiring.fold import Records

Sign = Callable[[bytes], str]
"""Signs 32 bytes with a person's own key; hexadecimal."""

_TYPES = tuple(f"arena.{name}" for name in ("ladder_opened.", "gate_held.", "promotion_"))


def list_promotions(folder: Path) -> dict[str, Any]:
    """
    Return every promotion of a run with its state, oldest first, as its journal has them; disturbs nothing.

    Raises:
        ConfigError: there is no run in the folder.
    """
    standings = read_promotions(folder).by_id.values()
    return {"ok": True, "promotions": [told(standing) for standing in standings]}


def read_promotions(folder: Path) -> Promotions:
    """Fold what is durable of a run's promotions, beside the process that plays it or without one."""
    assert VOCABULARY, "every event can be read"
    path = folder / JOURNAL_NAME
    if not path.exists():
        raise ConfigError(f"{folder}: no run there")
    promotions = Promotions()
    with open_readonly(path) as journal:
        for recorded in journal.read():
            if recorded.type.startswith(_TYPES):
                event = recorded.event
                assert isinstance(event, PromotionEvent), "the types of promotions are named here"
                promotions.apply(event)
    return promotions


async def approve(
    folder: Path,
    promotion: str,
    by: str,
    sign: Sign,
    *,
    clock: Clock,
    verify: VerifiesSignature,
    timeout_s: float = PATIENCE_S,
) -> Answer:
    """
    Sign a proposal as `by`, and count it; where it does not count `ok` is false, with a `reason`.

    Raises:
        ConfigError: there is no run in the folder.
        Fault: nothing acknowledged it in time; signed again, it counts once.
    """
    standing = read_promotions(folder).by_id.get(promotion)
    signature = sign(approval_digest(standing.proposed.hash, by)) if standing else ""
    request = ApprovePromotion(promotion=promotion, by=by, signature=signature)
    message = {"command": "approve", "promotion": promotion, "by": by, "signature": signature}
    return await _send(folder, request, message, clock=clock, verify=verify, timeout_s=timeout_s)


async def reject(
    folder: Path,
    promotion: str,
    by: str,
    reason: str,
    *,
    clock: Clock,
    verify: VerifiesSignature,
    timeout_s: float = PATIENCE_S,
) -> Answer:
    """End a proposal, for a reason; raises as `approve`."""
    if not (folder / JOURNAL_NAME).exists():
        raise ConfigError(f"{folder}: no run there")
    request = RejectPromotion(promotion=promotion, by=by, reason=reason)
    message = {"command": "reject", "promotion": promotion, "by": by, "reason": reason}
    return await _send(folder, request, message, clock=clock, verify=verify, timeout_s=timeout_s)


async def _send(
    folder: Path,
    request: ApprovePromotion | RejectPromotion,
    message: Reply,
    *,
    clock: Clock,
    verify: VerifiesSignature,
    timeout_s: float,
) -> Answer:
    """Let the living process do it, or do it alone."""

    def alone(journal: Journal, records: Records, last_ns: int) -> Answer:
        desk = open_desk(
            records.promotions,
            journal,
            VirtualClock(last_ns),
            verify=verify,
            wall=wall_of(read_manifest(folder), clock),
        )
        return dict(answer_of(request, desk, records.promotions))

    unbegun = {**refused("refused", "no such proposal"), "reason": PromotionReason.UNKNOWN_PROMOTION.value}
    return await carry_out(folder, message, alone, unbegun, clock=clock, timeout_s=timeout_s)
