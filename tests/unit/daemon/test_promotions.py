"""People approve and reject while the run lives, and while it rests: the same answers, nothing else moves."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.arena.test_promotion import ALICE, BOB, GATES, PEOPLE, proposal
from tests.unit.daemon.driver import folded, play, small_run
from tests.unit.daemon.living import count, living
from treasury_actors.arena.model.promotion import LadderOpened, PromotionProposed, expiry_ns
from treasury_actors.clock import HOUR_NS, VirtualClock, WallClock
from treasury_actors.daemon.approving import Sign, approve, list_promotions, read_promotions, reject
from treasury_actors.daemon.chain_run import Outside
from treasury_actors.daemon.control import call
from treasury_actors.daemon.desk import wall_of
from treasury_actors.daemon.operate import Answer
from treasury_actors.errors import ConfigError
from treasury_actors.journal.folder import FolderLock
from treasury_actors.simulation.ladder.people import ScriptedKeys, ScriptedPerson
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.run import last_event_ns, open_journal

CLOCK = WallClock()
KEYS = ScriptedKeys(PEOPLE)
SCRIPTED = Outside(verify=KEYS)
WAITING = "p001-proving"


@pytest.fixture(scope="module")
def two_days() -> Prepared:
    return small_run()


def key_of(person: ScriptedPerson) -> Sign:
    return person.mac


async def yes(folder: Path, by: str, key: Sign, promotion: str = WAITING) -> Answer:
    return await approve(folder, promotion, by, key, clock=CLOCK, verify=KEYS)


async def no(folder: Path, by: str, reason: str) -> Answer:
    return await reject(folder, WAITING, by, reason, clock=CLOCK, verify=KEYS)


async def propose(folder: Path, *others: PromotionProposed) -> None:
    """Let proposals wait in the journal of a run that rests."""
    with FolderLock(folder) as lock:
        async with open_journal(folder, clock=CLOCK, durable=True, epoch=lock.epoch) as journal:
            now_ns = last_event_ns(journal)
            journal.append(LadderOpened(gates_hash=GATES), stream="arena", time_ns=now_ns)
            first = proposal(expires_ns=expiry_ns(now_ns))
            for proposed in (first, *others):
                journal.append(proposed, stream="arena", time_ns=now_ns)


async def waiting_run(prepared: Prepared, folder: Path) -> None:
    """Leave a run at rest, early in its season, in which a proposal waits."""
    async with living(prepared, folder) as run:
        await run.reach(2)
    await propose(folder)


async def test_two_people_approve_a_living_run_and_it_is_durable_when_they_are_told(
    tmp_path: Path, two_days: Prepared
) -> None:
    await waiting_run(two_days, tmp_path)

    async with living(two_days, tmp_path, outside=SCRIPTED):
        first = await yes(tmp_path, "alice", key_of(ALICE))
        after_first = folded(tmp_path).records.promotions.by_id[WAITING]
        second = await yes(tmp_path, "bob", key_of(BOB))
        after_second = folded(tmp_path).records.promotions.by_id[WAITING]

    assert (first["ok"], first["status"], first["approved_by"]) == (True, "waiting", ["alice"])
    assert (second["ok"], second["status"]) == (True, "approved")
    assert [each.by for each in after_first.approvals] == ["alice"]
    assert after_second.status == "approved"


async def test_a_living_run_refuses_by_the_names_a_resting_one_does_and_nothing_moves(
    tmp_path: Path, two_days: Prepared
) -> None:
    await waiting_run(two_days, tmp_path)

    async def try_all() -> list[object]:
        wrong = [
            await yes(tmp_path, "auto", key_of(ALICE)),
            await yes(tmp_path, "mallory", key_of(ALICE)),
            await yes(tmp_path, "bob", key_of(ALICE)),
            await yes(tmp_path, "alice", key_of(ALICE), "p099-full"),
            await no(tmp_path, "carol", " "),
            await no(tmp_path, "mallory", "because"),
        ]
        assert not any(answer["ok"] for answer in wrong)
        return [answer["reason"] for answer in wrong]

    at_rest = await try_all()
    async with living(two_days, tmp_path, outside=SCRIPTED):
        alive = await try_all()
        assert (await yes(tmp_path, "alice", key_of(ALICE)))["ok"] is True
        twice = await yes(tmp_path, "alice", key_of(ALICE))

    found = folded(tmp_path)
    assert alive == at_rest
    assert at_rest == [
        "auto",
        "not_listed",
        "bad_signature",
        "unknown_promotion",
        "no_reason",
        "not_listed",
    ]
    assert twice["reason"] == "same_person_twice"
    assert count(found, "arena.promotion_approved.v1") == 1
    assert found.records.book.imbalances() == []
    assert count(found, "arena.promotion_executed.v1") == 0


async def test_a_rejection_of_a_living_run_ends_a_proposal_for_good(
    tmp_path: Path, two_days: Prepared
) -> None:
    await waiting_run(two_days, tmp_path)

    async with living(two_days, tmp_path, outside=SCRIPTED):
        over = await no(tmp_path, "carol", "the books first")
        late = await yes(tmp_path, "alice", key_of(ALICE))
        listed = list_promotions(tmp_path)["promotions"]

    assert (over["ok"], over["status"]) == (True, "rejected")
    assert late["reason"] == "not_waiting"
    assert [each["status"] for each in listed] == ["rejected"]
    rejected = folded(tmp_path).records.promotions.by_id[WAITING].rejected
    assert rejected is not None
    assert (rejected.by, rejected.reason) == ("carol", "the books first")


async def test_a_raw_request_with_another_key_or_none_counts_for_nothing(
    tmp_path: Path, two_days: Prepared
) -> None:
    """Whoever reaches the socket still needs the key: it is what proves a person, not the way they came."""
    await waiting_run(two_days, tmp_path)
    request = {"command": "approve", "promotion": WAITING, "by": "alice"}

    async with living(two_days, tmp_path, outside=SCRIPTED):
        none = await call(tmp_path, {**request, "signature": ""}, timeout_s=10.0)
        odd = await call(tmp_path, {**request, "signature": "ff" * 64}, timeout_s=10.0)

    assert none["reason"] == odd["reason"] == "bad_signature"
    assert read_promotions(tmp_path).by_id[WAITING].approvals == ()


async def test_an_approval_at_rest_does_not_keep_a_run_from_going_on(
    tmp_path: Path, two_days: Prepared
) -> None:
    """Its event has the run's own time: with the wall's, the frames still to come would lie in the past."""
    await waiting_run(two_days, tmp_path)
    at_rest = await yes(tmp_path, "alice", key_of(ALICE))

    end = await play(two_days, tmp_path)

    assert at_rest["ok"] is True
    assert end.kind == "finished"
    assert [each.by for each in folded(tmp_path).records.promotions.by_id[WAITING].approvals] == ["alice"]


def test_a_week_is_the_walls_where_money_is_real_and_else_the_runs_own(two_days: Prepared) -> None:
    clock, manifest = VirtualClock(HOUR_NS), two_days.manifest
    real = {**manifest.config, "chain": {"network": "base"}}
    local = {**manifest.config, "chain": {"network": "rehearsal"}}

    assert wall_of(manifest, clock) is None
    assert wall_of(replace(manifest, label="PAPER", config=real), clock) is None
    assert wall_of(replace(manifest, label="LIVE", config=local), clock) is None
    assert wall_of(replace(manifest, label="LIVE", config=real), clock) is clock


def test_promotions_of_no_run_are_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no run there"):
        list_promotions(tmp_path)
