"""A scripted season climbs every rung on real actors: people, a crash, a demotion, and no dollar lost."""

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from treasury_actors.arena.model.graduation import GateRules
from treasury_actors.arena.model.stages import LADDER
from treasury_actors.cli import main
from treasury_actors.cli.verbs_ladder import _free_folder
from treasury_actors.clock import VirtualClock
from treasury_actors.daemon.approving import list_promotions
from treasury_actors.errors import ConfigError
from treasury_actors.evolution.model.windows import TooShort
from treasury_actors.journal.event import Recorded
from treasury_actors.journal.reader import open_readonly
from treasury_actors.ledger.model import Entry
from treasury_actors.simulation.evidence.commands import Maker
from treasury_actors.simulation.evidence.config import EvidenceConfig, load_evidence_config
from treasury_actors.simulation.ladder.commands import DOLLARS, LINEAGE, insufficient, play
from treasury_actors.simulation.ladder.plan import world_plan
from treasury_actors.simulation.ladder.told import lines

SHORT = """
[windows]
count = 8
days = 7
[arena]
round_h = 48
"""
KIND = GateRules(days_min=3, nav_days_min=2, drawdown_ratio_max=0.5, share_max_percent=50, trades_min=0)
QUICK = tuple(
    replace(rung, gate=None if rung.gate is None else replace(KIND, share_max_percent=share))
    for rung, share in zip(LADDER, (100, 50, 100, 100), strict=True)
)
"""The shipped money and places; the days are short, so that a test can climb."""


def config_in(folder: Path) -> EvidenceConfig:
    """Return a config whose windows are a week."""
    path = folder / "short.toml"
    path.write_text(SHORT, encoding="utf-8")
    return load_evidence_config(path)


def records_of(climbed: dict[str, Any]) -> list[Recorded]:
    """Return the journal of the house with money, as anybody may read it."""
    with open_readonly(Path(climbed["folder"]) / "journal.db") as journal:
        return list(journal.read())


@pytest.fixture(scope="module")
def climbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a short climb told; its folder is in it."""
    return climb_in(tmp_path_factory.mktemp("ladder"))


def climb_in(home: Path) -> dict[str, Any]:
    """Play a short climb in a folder."""
    config = config_in(home)
    plan = world_plan(
        "positive", config, Maker(config, compiled=False), seed=3, days=45, paper_agents=16, ladder=QUICK
    )
    return play(plan, home / "run", clock=VirtualClock(), progress=lambda *_: None)


def test_the_climb_reaches_the_last_rung_and_conserves_every_unit(climbed: dict[str, Any]) -> None:
    assert climbed["label"] == "GENERATED"
    assert climbed["reached"] == "full"
    assert climbed["conservation"] == {**climbed["conservation"], "ok": True, "problems": []}
    assert climbed["conservation"]["entries"] > 100
    assert [stage["pool_usd"] for stage in climbed["stages"]] == ["0", "10000", "50000", "200000"]
    assert all(stage["opened_day"] is not None for stage in climbed["stages"])


def test_an_independent_sum_of_the_journal_agrees_at_every_entry(climbed: dict[str, Any]) -> None:
    """Adds postings up from the file alone; no code of ledger or audit takes part."""
    balances: dict[tuple[str, str], int] = defaultdict(int)
    checked = 0
    for recorded in records_of(climbed):
        if not isinstance(recorded.event, Entry):
            continue
        for posting in recorded.event.postings:
            balances[(posting.account, posting.asset)] += posting.units
        for account, asset in {(p.account, p.asset) for p in recorded.event.postings}:
            outside = account.startswith(("venue:", "external:"))
            assert outside or balances[(account, asset)] >= 0
        for kind in {of for _, of in balances}:
            assert sum(units for (_, of), units in balances.items() if of == kind) == 0
        checked += 1
    assert checked == climbed["conservation"]["entries_money"]


def test_the_same_seed_climbs_the_same_way_to_the_last_hash(climbed: dict[str, Any], tmp_path: Path) -> None:
    again = climb_in(tmp_path)
    assert {**again, "folder": ""} == {**climbed, "folder": ""}
    assert records_of(again)[-1].hash == records_of(climbed)[-1].hash


def test_no_stage_ever_holds_money_that_people_did_not_approve(climbed: dict[str, Any]) -> None:
    executed = {each["id"] for each in climbed["proposals"] if each["status"] == "executed"}
    rises = set()
    for recorded in records_of(climbed):
        entry = recorded.event
        if isinstance(entry, Entry) and any(p.account.startswith("pool:") for p in entry.postings):
            taken = [p for p in entry.postings if p.account == "treasury:reserve" and p.units < 0]
            if taken:
                rises.add(entry.entry_id.removeprefix("promotion/"))
    assert rises
    assert rises == executed
    for each in climbed["proposals"]:
        if each["status"] == "executed":
            assert len(set(each["approved_by"])) >= each["needed"] == 2


def test_the_script_tries_what_must_not_work_and_each_is_refused_by_name(climbed: dict[str, Any]) -> None:
    refused = [each["refused"] for each in climbed["approvals"] if each["refused"]]
    statuses = [each["status"] for each in climbed["proposals"]]

    assert {"auto", "not_listed", "bad_signature", "same_person_twice", "expired"} <= set(refused)
    assert statuses[1] == "rejected"
    assert statuses[2] == "expired"
    assert climbed["proposals"][1]["rejected_because"]


def test_there_are_births_deaths_a_demotion_and_a_crash_that_spread_to_nobody(
    climbed: dict[str, Any],
) -> None:
    assert climbed["births"]["paper"] > 16
    assert climbed["deaths"] > 0
    assert climbed["demotions"] >= 1
    assert climbed["crashes"]["money"] == 1
    assert climbed["crashes"]["paper"] == 1
    assert climbed["crashes"]["restarted"] == 2


def test_each_gate_tells_its_false_passes_and_leaves_its_proof(climbed: dict[str, Any]) -> None:
    folder = Path(climbed["folder"]) / "evidence"
    for stage in climbed["stages"][:3]:
        assert "False passes" in stage["gate"][1]
        for gate in stage["gates_held"]:
            proof = json.loads((folder / f"{gate['evidence']}.json").read_text(encoding="utf-8"))
            assert proof["candidates"]
            assert {each["label"] for each in proof["genomes"]} == {"GENERATED"}


def test_a_climb_tells_how_much_of_its_champion_may_be_luck(climbed: dict[str, Any]) -> None:
    champion = climbed["champion"]
    assert champion["genome"]
    assert 0.0 <= champion["dsr"] <= 1.0
    assert champion["pbo"] is None  # eight windows of a week are too few days to cut in ten
    assert champion["undefined"] == ["PBO: fewer than two candidates, or fewer than a hundred days"]
    assert any(f"champion of {climbed['genomes_tried']} tried" in line for line in lines(climbed))


def test_every_dollar_and_every_lineage_has_its_path(climbed: dict[str, Any]) -> None:
    folder = Path(climbed["folder"])
    dollars = (folder / DOLLARS).read_text(encoding="utf-8").splitlines()
    lineage = [row.split(",") for row in (folder / LINEAGE).read_text(encoding="utf-8").splitlines()[1:]]
    money = {row[1]: row[6] for row in lineage if row[0] == "money"}
    paper = {f"sim:{row[1]}" for row in lineage if row[0] == "paper"}

    assert any(",treasury:reserve,pool:full," in line for line in dollars)
    assert money
    for parent in money.values():
        seen = parent
        while seen in money:
            seen = money[seen]
        assert seen in paper


def test_an_eleventh_thousand_is_more_than_the_proving_grounds_may_have(climbed: dict[str, Any]) -> None:
    for stage in climbed["stages"][1:]:
        invested = stage["active_max"] * int(stage["mandate_usd"])
        assert invested <= int(stage["pool_usd"])


def test_who_comes_later_reads_the_same_promotions_from_the_journal(climbed: dict[str, Any]) -> None:
    found = list_promotions(Path(climbed["folder"]))
    assert [each["promotion"] for each in found["promotions"]] == [p["id"] for p in climbed["proposals"]]
    assert [each["status"] for each in found["promotions"]] == [p["status"] for p in climbed["proposals"]]
    assert {each["hash"] for each in found["promotions"]} == {p["hash"] for p in climbed["proposals"]}


def test_a_season_too_short_to_climb_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    with pytest.raises(ConfigError, match="a climb needs 45 days"):
        world_plan("positive", config, Maker(config, compiled=False), seed=1, days=44)
    assert [path.name for path in tmp_path.iterdir()] == ["short.toml"]


def test_too_little_history_says_so_and_makes_no_number() -> None:
    short = TooShort(windows=3, needed=8, reason="200 days of history hold 3 windows")
    found = insufficient("data", short, 7)

    assert found["reached"] == "sim"
    assert found["stopped_because"].startswith("INSUFFICIENT: 200 days")
    assert found["proposals"] == []
    assert "INSUFFICIENT" in lines(found)[1]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("--world", "sideways"), "--world sideways: allowed are positive, null"),
        (("--world", "positive", "--days", "10"), "--days 10: a climb needs 45 days"),
        (("--data", "nowhere"), "nowhere"),
    ],
)
def test_a_climb_that_can_not_begin_is_one_line_and_exit_78(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], words: str
) -> None:
    code = main(["ladder", *argv, "--out", str(tmp_path / "run"), "--json"])
    told = capsys.readouterr()

    assert code == 78
    assert words in told.err
    assert told.out == ""
    assert not (tmp_path / "run").exists()


def test_an_unnamed_climb_takes_the_first_folder_that_is_free(tmp_path: Path) -> None:
    assert _free_folder(tmp_path, "climb").name == "climb"
    (tmp_path / "climb").mkdir()
    (tmp_path / "climb-2").mkdir()
    assert _free_folder(tmp_path, "climb").name == "climb-3"
