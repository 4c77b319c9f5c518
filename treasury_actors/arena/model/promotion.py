"""
Promotions: every rise of real money is proposed, approved by different people, then executed once. Pure.

Nothing rises without a proposal that names its evidence, its amount, where the money comes from and what can
be lost by it. It waits for so many people as the config says, each with a key of their own, for a week. A
rejection, or a week without enough of them, ends it. What goes down needs none of this.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, TypeAlias

from treasury_actors.arena.model.graduation import Veto
from treasury_actors.clock import HOUR_NS
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AccountId, AgentId, AssetId, EntryId, GenomeId
from treasury_actors.journal.codec import TimeNs, Units, encode, event
from treasury_actors.ledger.model import Entry, transfer
from treasury_actors.trading.model.mandate import Stage

EXPIRES_AFTER_H = 168
AUTO = "auto"
_DOMAIN = b"treasury-arena/approve/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who may approve: a name, and the public key that proves it."""

    name: str
    key: str


@event("arena.ladder_opened", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class LadderOpened:
    """A run begins to climb by these gates; with others it never goes on."""

    gates_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """An agent that a gate did not let up, and why; no veto if it only was not among the better half."""

    agent: AgentId
    vetoes: tuple[Veto, ...]


@event("arena.gate_held", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class GateHeld:
    """
    A gate looked at everybody on a stage: replayable from the evidence of this hash.

    Attributes:
        tried: genomes evaluated so far, by which its false passes are counted.
        places: free on the stage above.
    """

    stage: Stage
    to_stage: Stage
    turn: int
    places: int
    tried: int
    graduates: tuple[AgentId, ...]
    held_back: tuple[HeldBack, ...]
    evidence_hash: str
    gate: str


@event("arena.promotion_proposed", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionProposed:
    """
    More money for somebody, if people agree.

    Attributes:
        promotion: its name in every command; `run`: the run it belongs to, so that no signature fits another.
        agents: who goes up, by the names they have now; `genomes`: what they run.
        evidence_hash: of everything the gate looked at; `gate`: what the gate tests, and how often it errs.
        units: of `asset`, from `source` to `target`.
        key_stolen_micro_usd, venue_failed_micro_usd: the most that can be lost with it, everything in play.
        people: who may approve, as of now; `needed`: how many different ones.
    """

    promotion: str
    run: str
    turn: int
    stage: Stage
    to_stage: Stage
    agents: tuple[AgentId, ...]
    genomes: tuple[GenomeId, ...]
    evidence_hash: str
    gates_hash: str
    gate: str
    asset: AssetId
    units: Units
    micro_usd: Units
    source: AccountId
    target: AccountId
    key_stolen_micro_usd: Units
    venue_failed_micro_usd: Units
    people: tuple[Person, ...]
    needed: int
    expires_ns: TimeNs

    @property
    def hash(self) -> str:
        """SHA-256 of the canonical proposal: what people sign."""
        return sha256(encode(self).encode()).hexdigest()

    @property
    def entry(self) -> Entry:
        """The one entry that executes it; its id makes it happen once."""
        return Entry(
            entry_id=EntryId(f"promotion/{self.promotion}"),
            kind="fund",
            postings=transfer(self.source, self.target, self.asset, self.units),
            reason=f"{self.stage} to {self.to_stage}: {', '.join(self.agents)}",
        )


@event("arena.promotion_approved", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionApproved:
    """One person agreed, with a signature over the proposal."""

    promotion: str
    by: str
    signature: str


@event("arena.promotion_rejected", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRejected:
    """Somebody said no: it is over."""

    promotion: str
    by: str
    reason: str


@event("arena.promotion_expired", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionExpired:
    """Not enough people agreed in time."""

    promotion: str


@event("arena.promotion_executed", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionExecuted:
    """The money is in the pool of the stage above."""

    promotion: str
    entry_id: EntryId


PromotionEvent: TypeAlias = (
    LadderOpened
    | GateHeld
    | PromotionProposed
    | PromotionApproved
    | PromotionRejected
    | PromotionExpired
    | PromotionExecuted
)
Status = Literal["waiting", "approved", "rejected", "expired", "executed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One proposal and what became of it."""

    proposed: PromotionProposed
    status: Status = "waiting"
    approvals: tuple[PromotionApproved, ...] = ()
    rejected: PromotionRejected | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything can still become of it."""
        return self.status in {"waiting", "approved"}


@dataclass(slots=True)
class Promotions:
    """
    Every proposal of a journal. `apply` folds one event; nothing else changes it.

    Attributes:
        gates_hash: of the gates the run began to climb by; empty before.
        gates: every time a gate looked, in order.
    """

    gates_hash: str = ""
    gates: list[GateHeld] = field(default_factory=list)
    by_id: dict[str, Standing] = field(default_factory=dict)

    def apply(self, event: PromotionEvent) -> None:
        """Fold one event; one that could not have been decided crashes."""
        match event:
            case LadderOpened():
                self.gates_hash = event.gates_hash
            case GateHeld():
                self.gates.append(event)
            case PromotionProposed():
                if event.promotion in self.by_id:
                    raise InvariantViolated(f"I4: promotion {event.promotion} is proposed a second time")
                self.by_id[event.promotion] = Standing(proposed=event)
            case _:
                standing = self.by_id.get(event.promotion)
                if standing is None or not standing.is_open:
                    raise InvariantViolated(f"I4: promotion {event.promotion} is not open: {event}")
                self.by_id[event.promotion] = _after(standing, event)

    def open(self) -> list[Standing]:
        """Return the proposals something can still become of, oldest first."""
        return [standing for standing in self.by_id.values() if standing.is_open]


def _after(
    standing: Standing,
    event: PromotionApproved | PromotionRejected | PromotionExpired | PromotionExecuted,
) -> Standing:
    """Return a standing after an event."""
    proposed, approvals = standing.proposed, standing.approvals
    match event:
        case PromotionApproved():
            approvals = (*approvals, event)
            status: Status = "approved" if len(approvals) >= proposed.needed else "waiting"
            return Standing(proposed=proposed, status=status, approvals=approvals)
        case PromotionRejected():
            return Standing(proposed=proposed, status="rejected", approvals=approvals, rejected=event)
        case PromotionExpired():
            return Standing(proposed=proposed, status="expired", approvals=approvals)
        case PromotionExecuted():
            return Standing(proposed=proposed, status="executed", approvals=approvals)


def approval_digest(proposal_hash: str, name: str) -> bytes:
    """Return the 32 bytes a person signs: nothing else of ours, and no transaction, has this form."""
    return sha256(b"\0".join((_DOMAIN, bytes.fromhex(proposal_hash), name.encode()))).digest()


def expiry_ns(now_ns: int) -> int:
    """Return when a proposal of now expires."""
    return now_ns + EXPIRES_AFTER_H * HOUR_NS


def overdue(promotions: Promotions, now_ns: int) -> list[str]:
    """Return the open proposals whose week is over."""
    return [
        standing.proposed.promotion
        for standing in promotions.open()
        if now_ns >= standing.proposed.expires_ns
    ]


def key_of(proposed: PromotionProposed, name: str) -> str | None:
    """Return the key a person of a proposal is listed with, or None."""
    keys: Mapping[str, str] = {person.name: person.key for person in proposed.people}
    return keys.get(name)
