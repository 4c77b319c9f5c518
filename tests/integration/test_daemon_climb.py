"""A living run climbs: examined in another process, proposed, approved over its socket, executed, expired."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from tests.integration.climbing_run import CLIMBS, PEOPLE, WORLD, climbing, terms_in
from tests.unit.daemon.driver import folded
from tests.unit.daemon.living import Living, count, living
from treasury_actors.clock import WallClock
from treasury_actors.daemon import operate
from treasury_actors.daemon.approving import approve, read_promotions, reject
from treasury_actors.daemon.chain_run import Outside
from treasury_actors.errors import ConfigError
from treasury_actors.evolution.model.breeding import initial_genome
from treasury_actors.ids import FamilyId
from treasury_actors.ledger.model import RESERVE
from treasury_actors.settings.file import check_settings
from treasury_actors.simulation.ladder.examining import ExaminerProcess
from treasury_actors.simulation.ladder.people import ScriptedKeys
from treasury_actors.simulation.ladder.terms import terms_of
from treasury_actors.simulation.plan import Prepared

CLOCK, KEYS = WallClock(), ScriptedKeys(PEOPLE)
ALICE, BOB, _ = PEOPLE
FAST_X = 3_600.0 * 200
KEY = {"alice": "a" * 64, "bob": "b" * 64}
KILLED_AT = (100, 200)
FRAMES = 24 * 13 + 5
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return climbing()


def outside(home: Path, **changes: object) -> Outside:
    """Return terms by which a GENERATED run climbs in days, on windows of a labelled world."""
    terms = terms_in(home, scripted=False)
    job = replace(terms.job, **changes)  # type: ignore[arg-type]
    return Outside(verify=KEYS, climb=replace(terms, job=job))


async def until(folder: Path, status: str, run: Living) -> str:
    """Wait until a promotion is in a state; return its name."""
    with anyio.fail_after(60.0):
        while True:
            await run.reach(run.turn + 1)
            for name, standing in read_promotions(folder).by_id.items():
                if standing.status == status:
                    return name


async def test_a_living_run_proposes_waits_for_people_and_lets_agents_up(
    tmp_path: Path, prepared: Prepared
) -> None:
    folder = tmp_path / "run"
    async with living(prepared, folder, speed_x=FAST_X, outside=outside(tmp_path)) as run:
        name = await until(folder, "waiting", run)
        before = folded(folder)
        status = await operate.status(folder)
        await approve(folder, name, "alice", ALICE.mac, clock=CLOCK, verify=KEYS)
        await approve(folder, name, "bob", BOB.mac, clock=CLOCK, verify=KEYS)
        assert await until(folder, "executed", run) == name

    found = folded(folder)
    standing = found.records.promotions.by_id[name]
    proposed = standing.proposed
    assert not before.records.roster.members, "nobody has money before people said yes"
    assert before.records.book.units(RESERVE, proposed.asset) > 300_000 * 10**6
    assert (proposed.stage, proposed.to_stage, proposed.needed) == ("sim", "proving", 2)
    assert all(agent.startswith("sim:") for agent in proposed.agents)
    assert [each.by for each in standing.approvals] == ["alice", "bob"]
    assert (folder / "evidence" / f"{proposed.evidence_hash}.json").is_file()
    births = [member.born for member in found.records.roster.members.values()]
    assert sorted(born.parents[0] for born in births) == sorted(proposed.agents)
    assert found.records.book.imbalances() == []
    climb = status["climb"]
    assert isinstance(climb, dict)
    assert climb["examined"] >= len(proposed.agents)


async def test_a_rejected_proposal_moves_nothing_and_the_gate_is_held_again(
    tmp_path: Path, prepared: Prepared
) -> None:
    folder = tmp_path / "run"
    async with living(prepared, folder, speed_x=FAST_X, outside=outside(tmp_path)) as run:
        first = await until(folder, "waiting", run)
        await reject(folder, first, "carol", "not before the audit", clock=CLOCK, verify=KEYS)
        again = await until(folder, "waiting", run)
        late = await approve(folder, first, "alice", ALICE.mac, clock=CLOCK, verify=KEYS)

    found = folded(folder)
    assert again != first
    assert late["reason"] == "not_waiting"
    assert found.records.promotions.by_id[first].status == "rejected"
    assert not found.records.roster.members


async def test_generated_windows_are_no_evidence_and_it_is_said_once(
    tmp_path: Path, prepared: Prepared, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither without data nor with those of a world."""
    for name, source in (("none", None), ("world", WORLD)):
        folder = tmp_path / name
        terms = outside(tmp_path, source=source, in_world=False)
        async with living(prepared, folder, speed_x=None, outside=terms) as run:
            await run.reach(24 * 6)
            status = await operate.status(folder)
        promotions = folded(folder).records.promotions
        assert not promotions.by_id
        assert not any(held.graduates for held in promotions.gates)
        climb = status["climb"]
        assert isinstance(climb, dict)
        assert ("GENERATED ones pass no gate" in str(climb["insufficient"])) is (source is None)
        assert capsys.readouterr().err.count("insufficient: ") == 1


async def test_nobody_comes_above_the_stage_that_real_money_was_readied_for(
    tmp_path: Path, prepared: Prepared
) -> None:
    approvals = {"people": KEY, "needed": 2}
    live = check_settings(
        {**CLIMBS, "stage": {**CLIMBS["stage"], "name": "main"}, "approvals": approvals}, "a"
    )
    terms, real = outside(tmp_path), terms_of(live, is_live=True)
    assert terms.climb is not None
    capped = replace(terms, climb=replace(terms.climb, top="sim"))
    async with living(prepared, tmp_path / "run", speed_x=None, outside=capped) as run:
        await run.reach(24 * 5)

    assert real is not None
    assert real.top == "main"
    assert not folded(tmp_path / "run").records.promotions.gates


def test_a_run_that_is_not_generated_refuses_terms_by_which_a_world_would_count(tmp_path: Path) -> None:
    terms = outside(tmp_path).climb
    assert terms is not None

    terms.check("GENERATED")
    with pytest.raises(ConfigError, match="GENERATED windows are no evidence for a run that is LIVE"):
        terms.check("LIVE")


async def test_an_examiner_that_dies_is_named_and_what_it_found_before_is_kept(
    tmp_path: Path, prepared: Prepared
) -> None:
    job = terms_in(tmp_path, scripted=False).job
    first, second = (initial_genome(prepared.plan.families[FamilyId("trend")], 3, slot, 0) for slot in (1, 2))
    examiner = ExaminerProcess(job, tmp_path / "evidence")
    with anyio.fail_after(90.0):
        examiner.ask([first])
        while examiner.lacks([first]):
            await anyio.lowlevel.checkpoint()
            examiner.hear()
        examiner.ask([second])
        assert examiner.pid is not None
        os.kill(examiner.pid, signal.SIGKILL)
        while not examiner.is_over:
            await anyio.lowlevel.checkpoint()
            examiner.hear()
    examiner.stop()
    again = ExaminerProcess(job, tmp_path / "evidence")

    assert examiner.failed.startswith("the examiner's process ended")
    assert again.examine([first]) == examiner.examine([first])
    assert again.lacks([first, second]) == [second]


def test_no_config_can_say_that_generated_windows_count() -> None:
    approvals = {"people": KEY, "needed": 2}
    terms = terms_of(check_settings({**CLIMBS, "approvals": approvals}, "a test"))

    assert terms is not None
    assert terms.job.in_world is False
    assert terms.job.source is None
    assert [person.name for person in terms.listed] == ["alice", "bob"]


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"stage": {"climbs": True, "breeds": False}}, "stage.allocates"),
        ({"stage": {"climbs": True, "allocates": False}}, "stage.breeds"),
        ({"simulation": {}}, "simulation.agents"),
        ({"approvals": {}}, "approvals.people: allowed is 2 people"),
    ],
)
def test_a_stage_that_could_not_climb_is_refused_by_name(section: dict[str, object], words: str) -> None:
    content = {**CLIMBS, "approvals": {"people": KEY, "needed": 2}, **section}

    with pytest.raises(ConfigError, match=words):
        terms_of(check_settings(content, "a test"))


def start(folder: Path, *, frames_a_second: int) -> "subprocess.Popen[str]":
    """Start a run that climbs as a process, and wait for its first turn."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.integration.climbing_run",
            str(folder),
            str(3_600.0 * frames_a_second),
            str(FRAMES),
        ],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def reach(process: "subprocess.Popen[str]", frame: int) -> None:
    """Wait until a run has played a frame, by what it prints."""
    assert process.stdout is not None
    assert any(int(line.split()[0]) >= frame for line in process.stdout), f"it ended before frame {frame}"


def children_of(pid: int) -> list[int]:
    """Return the processes a process started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    """Say whether a process runs: one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="asks /proc for the processes there are")
def test_a_climb_that_is_killed_again_and_again_is_the_climb_that_was_not(tmp_path: Path) -> None:
    """Both journals, every proposal and its proof are the same; no examiner outlives its run."""
    whole, killed = tmp_path / "whole" / "run", tmp_path / "killed" / "run"
    for folder in (whole, killed):
        folder.parent.mkdir()
    process = start(whole, frames_a_second=0)
    assert (process.communicate(timeout=60.0), process.returncode)[1] == 0

    examiners = []
    for frame in KILLED_AT:
        process = start(killed, frames_a_second=100)
        reach(process, frame)
        examiners += children_of(process.pid)
        process.kill()
        process.communicate(timeout=60.0)
        assert process.returncode == -signal.SIGKILL
    process = start(killed, frames_a_second=0)
    assert (process.communicate(timeout=60.0), process.returncode)[1] == 0

    found, expected = folded(killed), folded(whole)
    assert [held.turn for held in found.records.promotions.gates][:1] == [72]
    statuses = [each.status for each in found.records.promotions.by_id.values()]
    assert statuses == [each.status for each in expected.records.promotions.by_id.values()]
    assert statuses == ["executed", "rejected", "waiting"]
    assert found.records.promotions.gates == expected.records.promotions.gates
    assert found.state_hash == expected.state_hash
    assert folded(killed / "sim").state_hash == folded(whole / "sim").state_hash
    assert found.records.book.imbalances() == []
    assert count(found, "daemon.resumed.v1") == len(KILLED_AT)
    assert not [pid for pid in examiners if is_running(pid)]
