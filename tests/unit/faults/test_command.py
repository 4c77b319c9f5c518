"""`faults` on the command line: what it refuses, and what a script reads."""

import json
import signal
from pathlib import Path

import pytest

from treasury_actors.cli import verbs_faults
from treasury_actors.cli.main import main
from treasury_actors.faults.mutants import MUTANTS
from treasury_actors.faults.seed import SeedResult

CONTRACT = ("seeds", "violations", "sometimes", "never_reached", "faults", "trace_hash", "wall_s")


@pytest.mark.parametrize(
    "wrong",
    [
        ["--seeds", "5..1"],
        ["--seeds", "1...3"],
        ["--seeds", "1..9999999999"],
        ["--only", "gremlins"],
        ["--mode", "kind"],
        ["--turns", "3"],
        ["--jobs", "0"],
        ["--mutant", "perfect"],
        ["--harness", "replay"],
        ["--report", "/nowhere/at/all.json"],
        ["--report", "found.json", "--mutant", "fill-posted-twice"],
        ["--harness", "tests", "--mutant", "fill-posted-twice"],
    ],
    ids=" ".join,
)
def test_a_wrong_option_is_refused_in_one_line(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", *wrong]) == 78
    assert capsys.readouterr().err.count("\n") == 1


def test_a_campaign_prints_what_a_script_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "--seeds", "1..2", "--only", "kill", "--mode", "fifo", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert [key for key in CONTRACT if key not in found] == []
    assert found["seeds"] == 2
    assert found["violations"] == []
    assert found["faults"]["kill"] > 0
    assert sum(found["faults"].values()) == found["faults"]["kill"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_breaks_a_campaign_off_and_what_was_played_is_told(
    jobs: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Impatient(verbs_faults._Heard):
        def __call__(self, result: SeedResult) -> bool:
            if result.plan.seed == 3:
                signal.raise_signal(signal.SIGINT)
            return super().__call__(result)

    monkeypatch.setattr(verbs_faults, "_Heard", Impatient)
    before = signal.getsignal(signal.SIGINT)

    assert main(["faults", "--seeds", "1..50", "--only", "kill", "--jobs", jobs, "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["seeds"] == 3
    assert signal.getsignal(signal.SIGINT) == before


def test_a_planted_change_that_is_caught_is_exit_code_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "--mutant", "fitness-not-recorded", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)

    assert found["violations"][0]["invariant"] == "I16"
    assert found["violations"][0]["command"].startswith("python run.py faults --seeds 1..1")


def test_a_record_has_all_that_names_a_campaign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "reliability.json"
    assert main(["faults", "--seeds", "1..2", "--report", str(file), "--json"]) == 0
    printed, found = json.loads(capsys.readouterr().out), json.loads(file.read_text(encoding="utf-8"))

    assert {key: found[key] for key in printed if key != "wall_s"} == {
        key: value for key, value in printed.items() if key != "wall_s"
    }
    assert {"commit", "code_hash", "python", "machine"} < set(found)
    assert sum(found["mutants"]["planted"].values()) == len(MUTANTS)
    assert found["mutants"]["caught_by_seed"]["fill-posted-twice"]["invariant"] == "I9"
    assert [each.name for each in tmp_path.iterdir()] == ["reliability.json"]


def test_a_change_that_no_seed_passes_is_hunted_by_the_test_named_for_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["faults", "--mutant", "second-daemon-let-in", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)

    assert [key for key in CONTRACT if key not in found] == []
    assert found["harness"] == "tests"
    assert found["violations"][0]["detail"] == MUTANTS["second-daemon-let-in"].tests[0]


def test_every_known_bad_change_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "--list-mutants", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert [mutant["name"] for mutant in found["mutants"]] == list(MUTANTS)
    assert {mutant["harness"] for mutant in found["mutants"]} == {
        "simulation",
        "replay",
        "power-loss",
        "tests",
    }
    assert len(MUTANTS) >= 50
