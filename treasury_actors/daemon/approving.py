"""What people do to promotions of a run that rests: list, approve, reject; each under its lock."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from treasury_actors.arena.approvals import ApprovalDesk
from treasury_actors.arena.model.promotion import Standing, approval_digest
from treasury_actors.arena.model.promotion_checks import PromotionRefused
from treasury_actors.arena.ports import VerifiesSignature
from treasury_actors.clock import Clock, VirtualClock
from treasury_actors.daemon.vocabulary import VOCABULARY
from treasury_actors.errors import ConfigError
from treasury_actors.journal.folder import FolderLock
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.simulation.manifest import read_manifest
from treasury_actors.simulation.run import JOURNAL_NAME, open_journal
from treasury_actors.wiring.fold import Records

Sign = Callable[[bytes], str]
Deed = Callable[[ApprovalDesk, Records], PromotionRefused | None]
_LIVE = "LIVE"


async def list_promotions(folder: Path, *, clock: Clock, verify: VerifiesSignature) -> dict[str, Any]:
    """Return every promotion of a run with its state, oldest first."""
    found: list[dict[str, Any]] = []

    def deed(_: ApprovalDesk, records: Records) -> None:
        found.extend(_told(standing) for standing in records.promotions.by_id.values())

    await _at_the_desk(folder, deed, clock=clock, verify=verify)
    return {"ok": True, "promotions": found}


async def approve(
    folder: Path, promotion: str, by: str, sign: Sign, *, clock: Clock, verify: VerifiesSignature
) -> dict[str, Any]:
    """Sign a proposal as `by`, and count it; where it does not count `ok` is false, with a `reason`."""

    def deed(desk: ApprovalDesk, records: Records) -> PromotionRefused | None:
        standing = records.promotions.by_id.get(promotion)
        digest = approval_digest(standing.proposed.hash, by) if standing else b""
        return desk.approve(promotion, by, sign(digest) if standing else "")

    return await _answer(folder, promotion, deed, clock=clock, verify=verify)


async def reject(
    folder: Path, promotion: str, by: str, reason: str, *, clock: Clock, verify: VerifiesSignature
) -> dict[str, Any]:
    """End a proposal, for a reason."""

    def deed(desk: ApprovalDesk, _: Records) -> PromotionRefused | None:
        return desk.reject(promotion, by, reason)

    return await _answer(folder, promotion, deed, clock=clock, verify=verify)


async def _answer(
    folder: Path, promotion: str, deed: Deed, *, clock: Clock, verify: VerifiesSignature
) -> dict[str, Any]:
    """Do a deed at the desk; return what came of it."""
    told: list[dict[str, Any]] = []

    def wrapped(desk: ApprovalDesk, records: Records) -> PromotionRefused | None:
        refusal = deed(desk, records)
        standing = records.promotions.by_id.get(promotion)
        if refusal is not None:
            told.append({"ok": False, "reason": refusal.reason.value, "error": refusal.detail})
        else:
            assert standing is not None, "what counted was proposed"
            told.append({"ok": True, **_told(standing)})
        return refusal

    await _at_the_desk(folder, wrapped, clock=clock, verify=verify)
    return told[0]


async def _at_the_desk(folder: Path, deed: Deed, *, clock: Clock, verify: VerifiesSignature) -> None:
    """Open the desk of a run folder under its lock; durable when it returns."""
    assert VOCABULARY, "every event can be read"
    if not (folder / JOURNAL_NAME).exists():
        raise ConfigError(f"{folder}: no run there")
    with FolderLock(folder) as lock:
        async with open_journal(lock.folder, clock=clock, durable=True, epoch=lock.epoch) as journal:
            records, last_ns = Records.empty(MAINNET), 0
            for recorded in journal.read():
                records.apply(recorded.event)
                last_ns = max(last_ns, recorded.time_ns)
            desk = ApprovalDesk(
                promotions=records.promotions,
                journal=journal,
                clock=VirtualClock(_now_ns(folder, last_ns, clock)),
                verify=verify,
                gates_hash=records.promotions.gates_hash,
            )
            deed(desk, records)
            await journal.flush()


def _now_ns(folder: Path, last_ns: int, clock: Clock) -> int:
    """Return the time by which a week is counted: the wall's where money is real, else the run's own."""
    manifest = read_manifest(folder)
    is_live = manifest is not None and manifest.label == _LIVE
    return max(last_ns, clock.now_ns()) if is_live else last_ns


def _told(standing: Standing) -> dict[str, Any]:
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
