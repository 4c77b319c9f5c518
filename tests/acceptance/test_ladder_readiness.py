"""A stage is not ready because somebody says so: each measure is tried or read, and names its command."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.arena.test_promotion import GATES, proposal
from treasury_actors.arena.approvals import ApprovalDesk
from treasury_actors.arena.model.promotion import Person, Promotions
from treasury_actors.arena.model.stages import LADDER, gates_hash
from treasury_actors.cli import main
from treasury_actors.clock import VirtualClock, WallClock
from treasury_actors.daemon.approving import approve, list_promotions, reject
from treasury_actors.errors import ConfigError
from treasury_actors.journal.adapters.sqlite import SqliteJournal
from treasury_actors.settings.file import load_settings
from treasury_actors.simulation.code_version import code_hash
from treasury_actors.simulation.ladder.people import ScriptedKeys, ScriptedPerson
from treasury_actors.simulation.ladder.readiness import require_ready, write_record
from treasury_actors.simulation.run import JOURNAL_NAME

SMALL = """
[season]
warmup_h = 2880
[arena]
agents = 6
capital_usd = 60000
gas_usd = 600
[stage]
name = "{stage}"
"""
KEYS = ("ab" * 32, "cd" * 32)
PEOPLE = (ScriptedPerson(name="alice", seed=1), ScriptedPerson(name="bob", seed=1))


def config_at(folder: Path, stage: str, more: str = "") -> Path:
    """Return a small config of a stage."""
    path = folder / f"{stage}.toml"
    path.write_text(SMALL.format(stage=stage) + more, encoding="utf-8")
    return path


def asked(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, Any]]:
    """Run a command with `--json`; return its exit code and its object."""
    code = main([*argv, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, found


def test_without_evidence_no_stage_is_ready_and_each_check_names_its_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_at(tmp_path, "main", f'[approvals.people]\nann = "{KEYS[0]}"\n')
    with pytest.raises(ConfigError, match="approvals"):
        load_settings(config)
    config = config_at(tmp_path, "main")
    code, found = asked(capsys, "readiness", str(config), "--workspace", str(tmp_path / "none"))
    checks = {each["name"]: each for each in found["checks"]}

    assert code == 1
    assert found["stage"] == "main"
    assert found["passed"] is False
    assert checks["conservation_at_every_entry"]["passed"]
    assert checks["one_crash_stays_one"]["passed"]
    for name in (
        "evolution_in_the_positive_world",
        "people_can_approve",
        "rehearsed",
        "the_stage_below_let_up",
    ):
        assert not checks[name]["passed"], name
    assert all(each["command"].startswith("python run.py ") for each in found["checks"])
    with pytest.raises(ConfigError, match="stage main: not ready: evolution_in_the_positive_world"):
        require_ready(load_settings(config), tmp_path / "none")
    assert found["plan"]["next_stage"] == "full"
    assert found["plan"]["source"] == "treasury:reserve"
    assert float(found["plan"]["worst_loss"]["venue_failed_usd"]) > 0


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ({"ann": KEYS[0], "auto": KEYS[1]}, "nobody is called auto"),
        ({"ann": KEYS[0], "ben": KEYS[0]}, "two people have one key"),
        ({"ann": KEYS[0]}, "1 people, 2 needed"),
        ({"ann": "12", "ben": KEYS[1]}, "pattern"),
    ],
)
def test_people_who_could_not_be_two_are_refused_by_the_config(
    tmp_path: Path, people: dict[str, str], words: str
) -> None:
    listed = "\n".join(f'{name} = "{key}"' for name, key in people.items())
    with pytest.raises(ConfigError, match=words):
        load_settings(config_at(tmp_path, "sim", f"[approvals]\nneeded = 2\n[approvals.people]\n{listed}\n"))


def test_the_people_of_a_config_are_listed_by_name(tmp_path: Path) -> None:
    listed = f'[approvals.people]\nben = "{KEYS[1]}"\nann = "{KEYS[0]}"\n'
    settings = load_settings(config_at(tmp_path, "sim", listed))
    assert settings.approvals.listed == (Person(name="ann", key=KEYS[0]), Person(name="ben", key=KEYS[1]))
    assert settings.config_hash == load_settings(config_at(tmp_path, "sim")).config_hash


async def test_people_approve_a_run_that_rests_and_what_they_did_is_in_its_journal(tmp_path: Path) -> None:
    proposed = proposal(people=tuple(person.listed for person in PEOPLE))
    journal = await SqliteJournal.open(tmp_path / JOURNAL_NAME, clock=WallClock(), durable=True, epoch=1)
    desk = ApprovalDesk(
        promotions=Promotions(),
        journal=journal,
        clock=VirtualClock(),
        verify=ScriptedKeys(PEOPLE),
        gates_hash=GATES,
    )
    assert desk.open_ladder() is None
    journal.append(proposed, stream="arena", time_ns=0)
    await journal.close()
    keys, clock, name = ScriptedKeys(PEOPLE), WallClock(), proposed.promotion

    stranger = await approve(tmp_path, "p999", "alice", PEOPLE[0].mac, clock=clock, verify=keys)
    first = await approve(tmp_path, name, "alice", PEOPLE[0].mac, clock=clock, verify=keys)
    again = await approve(tmp_path, name, "alice", PEOPLE[0].mac, clock=clock, verify=keys)
    forged = await approve(tmp_path, name, "bob", PEOPLE[0].mac, clock=clock, verify=keys)
    second = await approve(tmp_path, name, "bob", PEOPLE[1].mac, clock=clock, verify=keys)
    late_no = await reject(tmp_path, name, "bob", "on second thoughts", clock=clock, verify=keys)
    listed = list_promotions(tmp_path)

    assert (stranger["ok"], stranger["reason"]) == (False, "unknown_promotion")
    assert (first["ok"], first["status"]) == (True, "waiting")
    assert (again["ok"], again["reason"]) == (False, "same_person_twice")
    assert (forged["ok"], forged["reason"]) == (False, "bad_signature")
    assert (second["ok"], second["status"]) == (True, "approved")
    assert (late_no["ok"], late_no["status"]) == (True, "rejected")
    assert [each["status"] for each in listed["promotions"]] == ["rejected"]


def test_a_stage_with_real_money_refuses_to_begin_without_a_report_of_this_config_and_code(
    tmp_path: Path,
) -> None:
    settings = load_settings(config_at(tmp_path, "full"))
    found = {
        "stage": "full",
        "passed": True,
        "checks": [],
        "config_hash": settings.config_hash,
        "code_hash": code_hash(None),
        "gates_hash": gates_hash(LADDER),
    }
    with pytest.raises(ConfigError, match="no readiness report of this config"):
        require_ready(settings, tmp_path)
    write_record({**found, "code_hash": "0"}, tmp_path)
    with pytest.raises(ConfigError, match="of other code or gates"):
        require_ready(settings, tmp_path)
    write_record({**found, "gates_hash": "0"}, tmp_path)
    with pytest.raises(ConfigError, match="of other code or gates"):
        require_ready(settings, tmp_path)
    write_record(found, tmp_path)
    require_ready(settings, tmp_path)
