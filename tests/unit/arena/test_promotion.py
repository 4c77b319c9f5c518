"""A rise of real money waits for different people, for a week, happens once, and survives a restart."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.trading.desk import USDC, Desk, Direct, now
from treasury_actors.arena.adapters.approval_keys import (
    new_key,
    public_key,
    read_key,
    sign_digest,
    verify_signature,
)
from treasury_actors.arena.approvals import ApprovalDesk
from treasury_actors.arena.model.promotion import (
    Person,
    PromotionProposed,
    Promotions,
    approval_digest,
    expiry_ns,
)
from treasury_actors.arena.model.promotion_checks import PromotionReason, PromotionRefused, check_people
from treasury_actors.clock import HOUR_NS, VirtualClock
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AgentId, EntryId, GenomeId
from treasury_actors.ledger.messages import Deposit
from treasury_actors.ledger.model import RESERVE, pool
from treasury_actors.money import MICRO_USD
from treasury_actors.simulation.ladder.people import ScriptedKeys, ScriptedPerson

GATES = "a" * 64
ALICE, BOB, CAROL = (ScriptedPerson(name=name, seed=1) for name in ("alice", "bob", "carol"))
PEOPLE = (ALICE, BOB, CAROL)
ROOM = 10_000 * MICRO_USD


def proposal(**changes: object) -> PromotionProposed:
    """Return a sound proposal: $1,000 from the reserve to the proving grounds."""
    good = PromotionProposed(
        promotion="p001-proving",
        run="test",
        turn=720,
        stage="sim",
        to_stage="proving",
        agents=(AgentId("sim:trend-0001"),),
        genomes=(GenomeId("g1"),),
        evidence_hash="e" * 64,
        gates_hash=GATES,
        gate="what it tests",
        asset=USDC,
        units=1_000 * MICRO_USD,
        micro_usd=1_000 * MICRO_USD,
        source=RESERVE,
        target=pool("proving"),
        key_stolen_micro_usd=1,
        venue_failed_micro_usd=1,
        people=tuple(person.listed for person in PEOPLE),
        needed=2,
        expires_ns=expiry_ns(0),
    )
    return replace(good, **changes)  # type: ignore[arg-type]


class Office:
    """A desk over the real ledger and an in-memory journal, with $5,000 in the reserve."""

    def __init__(self) -> None:
        self.desk = Desk(gas_wei=0)
        self.clock = VirtualClock()
        self.promotions = Promotions()
        self.approvals = self.open()
        assert self.approvals.open_ladder() is None
        message = Deposit(
            entry_id=EntryId("start"), account=RESERVE, asset=USDC, units=5_000 * MICRO_USD, reason=""
        )
        now(Direct(self.desk.ledger).ask(message, timeout_s=1.0))

    def open(self, gates: str = GATES) -> ApprovalDesk:
        """Return a desk on what the fold says."""
        return ApprovalDesk(
            promotions=self.promotions,
            journal=self.desk.journal,
            clock=self.clock,
            verify=ScriptedKeys(PEOPLE),
            gates_hash=gates,
        )

    def restart(self) -> None:
        """Forget everything but the journal."""
        self.promotions = Promotions()
        for recorded in self.desk.journal.read():
            if recorded.stream == "arena":
                self.promotions.apply(recorded.event)  # type: ignore[arg-type]
        self.approvals = self.open()

    def propose(self, proposed: PromotionProposed, room: int = ROOM) -> PromotionRefused | None:
        """Put a proposal before the people."""
        ledger = Direct(self.desk.ledger)
        return now(self.approvals.propose(proposed, ledger, pool_room_micro_usd=room))

    def approve(self, person: ScriptedPerson, proposed: PromotionProposed) -> PromotionRefused | None:
        """Let a person approve with the right key."""
        return self.approvals.approve(proposed.promotion, person.name, person.sign(proposed))

    def execute(self, proposed: PromotionProposed) -> PromotionRefused | None:
        """Move the money if it may be moved."""
        return now(self.approvals.execute(proposed.promotion, Direct(self.desk.ledger)))

    def moved(self) -> int:
        """Return the units in the stage's pool."""
        return self.desk.units(pool("proving"), USDC)


@pytest.fixture
def office() -> Office:
    """Return a fresh desk."""
    return Office()


def reason_of(refusal: PromotionRefused | None) -> PromotionReason | None:
    """Return why something was refused, or None."""
    return refusal.reason if refusal else None


def test_two_different_people_move_the_money_once_and_nobody_else_does(office: Office) -> None:
    proposed = proposal()
    assert office.propose(proposed) is None
    assert reason_of(office.execute(proposed)) is PromotionReason.NOT_APPROVED

    assert office.approve(ALICE, proposed) is None
    assert reason_of(office.approve(ALICE, proposed)) is PromotionReason.SAME_PERSON_TWICE
    assert reason_of(office.execute(proposed)) is PromotionReason.NOT_APPROVED
    assert office.moved() == 0

    assert office.approve(BOB, proposed) is None
    assert office.execute(proposed) is None
    assert office.moved() == proposed.units
    assert reason_of(office.execute(proposed)) is PromotionReason.NOT_APPROVED
    assert office.moved() == proposed.units
    assert office.promotions.by_id[proposed.promotion].status == "executed"


@pytest.mark.parametrize(
    ("by", "signer", "reason"),
    [
        ("auto", ALICE, PromotionReason.AUTO),
        ("AUTO", ALICE, PromotionReason.AUTO),
        ("mallory", ALICE, PromotionReason.NOT_LISTED),
        ("bob", ALICE, PromotionReason.BAD_SIGNATURE),
    ],
)
def test_a_program_a_stranger_and_anothers_key_are_refused_by_name(
    office: Office, by: str, signer: ScriptedPerson, reason: PromotionReason
) -> None:
    proposed = proposal()
    office.propose(proposed)

    assert reason_of(office.approvals.approve(proposed.promotion, by, signer.sign(proposed))) is reason
    assert office.promotions.by_id[proposed.promotion].approvals == ()


def test_a_signature_for_one_proposal_fits_no_other(office: Office) -> None:
    first, second = proposal(), proposal(promotion="p002-proving", units=2_000 * MICRO_USD)
    office.propose(first)
    office.propose(second)

    refusal = office.approvals.approve(second.promotion, "alice", ALICE.sign(first))
    assert reason_of(refusal) is PromotionReason.BAD_SIGNATURE


def test_after_a_week_nothing_counts_any_more(office: Office) -> None:
    proposed = proposal()
    office.propose(proposed)
    office.approve(ALICE, proposed)
    office.clock.advance_to(168 * HOUR_NS)

    assert reason_of(office.approve(BOB, proposed)) is PromotionReason.EXPIRED
    assert office.approvals.expire() == [proposed.promotion]
    assert office.approvals.expire() == []
    assert reason_of(office.approve(BOB, proposed)) is PromotionReason.EXPIRED
    assert reason_of(office.execute(proposed)) is PromotionReason.NOT_APPROVED
    assert office.moved() == 0


def test_what_was_approved_in_time_but_not_executed_in_time_is_not_executed(office: Office) -> None:
    proposed = proposal()
    office.propose(proposed)
    office.approve(ALICE, proposed)
    office.approve(BOB, proposed)
    office.clock.advance_to(168 * HOUR_NS)

    assert reason_of(office.execute(proposed)) is PromotionReason.EXPIRED
    assert office.moved() == 0


def test_any_listed_person_may_reject_with_a_reason_and_then_it_is_over(office: Office) -> None:
    proposed = proposal()
    office.propose(proposed)
    office.approve(ALICE, proposed)

    assert reason_of(office.approvals.reject(proposed.promotion, "carol", " ")) is PromotionReason.NO_REASON
    assert reason_of(office.approvals.reject(proposed.promotion, "eve", "no")) is PromotionReason.NOT_LISTED
    assert office.approvals.reject(proposed.promotion, "carol", "too early") is None
    assert reason_of(office.approve(BOB, proposed)) is PromotionReason.NOT_WAITING
    assert office.moved() == 0


def test_approvals_survive_a_restart_and_so_does_the_once(office: Office) -> None:
    proposed = proposal()
    office.propose(proposed)
    office.approve(ALICE, proposed)
    office.restart()

    assert reason_of(office.approve(ALICE, proposed)) is PromotionReason.SAME_PERSON_TWICE
    office.approve(BOB, proposed)
    office.restart()
    assert office.execute(proposed) is None
    office.restart()
    assert reason_of(office.execute(proposed)) is PromotionReason.NOT_APPROVED
    assert office.moved() == proposed.units


def test_killed_between_entry_and_event_it_goes_on_and_counts_once(office: Office) -> None:
    proposed = proposal()
    office.propose(proposed)
    office.approve(ALICE, proposed)
    office.approve(BOB, proposed)
    before = list(office.desk.journal.read())
    office.execute(proposed)
    office.promotions = Promotions()
    for recorded in before:  # as if the last event had never become durable, but the entry had
        if recorded.stream == "arena":
            office.promotions.apply(recorded.event)  # type: ignore[arg-type]
    office.approvals = office.open()

    assert office.execute(proposed) is None
    assert office.moved() == proposed.units


@pytest.mark.parametrize(
    ("changes", "room", "reason"),
    [
        ({"units": 6_000 * MICRO_USD}, ROOM, PromotionReason.SOURCE_LACKS),
        ({}, 999 * MICRO_USD, PromotionReason.ABOVE_STAGE_POOL),
        ({"units": 0}, ROOM, PromotionReason.NOT_POSITIVE),
        ({"gates_hash": "b" * 64}, ROOM, PromotionReason.GATES_EDITED),
        ({"needed": 4}, ROOM, PromotionReason.TOO_FEW_PEOPLE),
        ({"needed": 0}, ROOM, PromotionReason.TOO_FEW_PEOPLE),
    ],
)
def test_a_proposal_that_can_not_be_paid_or_was_not_meant_is_refused(
    office: Office, changes: dict[str, object], room: int, reason: PromotionReason
) -> None:
    assert reason_of(office.propose(proposal(**changes), room)) is reason
    assert office.promotions.by_id == {}


def test_gates_edited_after_a_run_started_refuse_everything(office: Office) -> None:
    proposed = proposal()
    office.propose(proposed)
    office.approve(ALICE, proposed)
    office.approve(BOB, proposed)
    office.approvals = office.open(gates="b" * 64)

    assert reason_of(office.approvals.open_ladder()) is PromotionReason.GATES_EDITED
    assert reason_of(office.execute(proposed)) is PromotionReason.GATES_EDITED
    assert reason_of(office.propose(proposal(promotion="p002"))) is PromotionReason.GATES_EDITED
    assert office.moved() == 0


@pytest.mark.parametrize(
    ("people", "reason"),
    [
        ((Person(name="ann", key="01"), Person(name="auto", key="02")), PromotionReason.AUTO),
        ((Person(name="ann", key="01"), Person(name="ann", key="02")), PromotionReason.TOO_FEW_PEOPLE),
        ((Person(name="ann", key="0a"), Person(name="ben", key="0A")), PromotionReason.SAME_KEY_TWICE),
    ],
)
def test_people_who_are_not_different_are_no_two_people(
    people: tuple[Person, ...], reason: PromotionReason
) -> None:
    found = check_people(people, 2)
    assert found is not None
    assert found[0] is reason


@pytest.fixture
def curve() -> Callable[..., object]:
    """Skip where the chain extra is not installed."""
    return pytest.importorskip("coincurve").PrivateKey  # type: ignore[no-any-return]


def test_a_persons_own_key_signs_what_it_approves_and_nothing_else(curve: object, tmp_path: Path) -> None:
    path = tmp_path / "alice.key"
    key = new_key(path)
    secret = read_key(path)
    digest = approval_digest(proposal().hash, "alice")
    signature = sign_digest(secret, digest)

    assert curve is not None
    assert path.stat().st_mode & 0o777 == 0o600
    assert public_key(secret) == key
    assert verify_signature(key=key, digest=digest, signature=signature)
    assert not verify_signature(key=key, digest=approval_digest(proposal().hash, "bob"), signature=signature)
    assert not verify_signature(key="zz", digest=digest, signature=signature)
    assert not verify_signature(key=key, digest=digest, signature=signature[:-2])


def test_a_key_file_that_others_may_read_is_refused(curve: object, tmp_path: Path) -> None:
    path = tmp_path / "alice.key"
    new_key(path)
    path.chmod(0o640)

    assert curve is not None
    with pytest.raises(ConfigError, match="others may read it"):
        read_key(path)
    with pytest.raises(ConfigError, match="new file"):
        new_key(path)
