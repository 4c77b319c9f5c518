"""Searches from config to report: interrupted anywhere they end the same, and each trial is counted once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from treasury_actors.cli.main import main
from treasury_actors.errors import ConfigError
from treasury_actors.simulation.evidence import commands
from treasury_actors.simulation.evidence.arms import ARMS
from treasury_actors.simulation.evidence.config import EvidenceConfig, load_evidence_config
from treasury_actors.simulation.evidence.trials_log import FILE, TrialsLog
from treasury_actors.simulation.evidence.worlds import accept, bootstrap, by_fold

SMALL = """
[windows]
count = 8
days = 7
validation_days = 7
test_days = 7
fresh = 2
[search]
population = 6
generations = 3
patience = 1
"""


class Killed(Exception):
    """The process was killed here."""


def dying_at(point: int) -> Callable[[str], None]:
    told: list[str] = []

    def progress(text: str) -> None:
        told.append(text)
        if len(told) == point:
            raise Killed

    return progress


def silent(_: str) -> None:
    """Nobody listens."""


@pytest.fixture
def small(tmp_path: Path) -> EvidenceConfig:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return load_evidence_config(path)


def evidence(
    config: EvidenceConfig,
    workspace: Path,
    progress: Callable[[str], None] = silent,
    *,
    seeds: int = 1,
    workers: int = 1,
) -> dict[str, Any]:
    return commands.world_evidence(
        config,
        "positive",
        seeds=seeds,
        workspace=workspace,
        workers=workers,
        progress=progress,
        compiled=False,
    )


def test_a_run_killed_at_any_point_goes_on_to_the_same_end(small: EvidenceConfig, tmp_path: Path) -> None:
    whole = evidence(small, tmp_path / "whole")
    broken = tmp_path / "broken"
    kills = 0
    for point in (1, 2, 3, 4, 5):
        try:
            evidence(small, broken, dying_at(point))
        except Killed:
            kills += 1
    assert kills == 5
    assert evidence(small, broken) == whole
    lines = [json.loads(line) for line in (broken / FILE).read_text().splitlines()]
    keys = [line["body"]["key"] for line in lines if line["kind"] == "trial" and "outcome" in line["body"]]
    assert len(keys) == len({*keys})


def test_the_contract_of_evidence_in_a_world(small: EvidenceConfig, tmp_path: Path) -> None:
    found = evidence(small, tmp_path, seeds=1)
    assert found["world"] == "positive"
    assert found["label"] == "GENERATED"
    assert tuple(found["arms"]) == ARMS
    assert {key for arm in found["arms"].values() for key in arm} == {"train", "fresh", "median_fresh"}
    assert found["ga_minus_random"]["low"] is None
    assert found["config_hash"] == small.config_hash
    assert found["arms"]["lending"]["fresh"] == pytest.approx(0.06, abs=0.01)
    assert found["arms"]["oracle"]["fresh"] > found["arms"]["lending"]["fresh"]
    json.dumps(found, allow_nan=False)


def test_searching_arms_have_equal_evaluations_and_every_one_is_in_the_log(
    small: EvidenceConfig, tmp_path: Path
) -> None:
    found = evidence(small, tmp_path, seeds=1)
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    trials = [
        line["body"] for line in lines if line["kind"] == "trial" and line["body"]["purpose"] == "fitness"
    ]
    by_arm = {arm: sum(trial["arm"] == arm for trial in trials) for arm in ("ga", "random")}
    assert by_arm["ga"] <= small.search.evaluations
    # A genome that both arms came upon is one trial.
    assert small.search.evaluations - 3 <= by_arm["random"] <= small.search.evaluations
    assert found["trials"] == {"here": len(trials), "ever": len(trials)}


def test_workers_of_their_own_find_what_one_process_finds(small: EvidenceConfig, tmp_path: Path) -> None:
    alone = evidence(small, tmp_path / "alone", seeds=2)
    shared = evidence(small, tmp_path / "shared", seeds=2, workers=2)
    assert shared == alone


def test_a_search_says_what_it_would_fund_and_the_second_time_it_asks_the_log(
    small: EvidenceConfig, tmp_path: Path
) -> None:
    def run() -> dict[str, Any]:
        return commands.evolve_on(
            small, folder=None, world="positive", seed=1, workspace=tmp_path, progress=silent, compiled=False
        )

    first = run()
    size = (tmp_path / FILE).stat().st_size
    assert run() == first
    assert (tmp_path / FILE).stat().st_size == size
    assert first["verdict"] == "NOT EVIDENCE: GENERATED; no live config accepts it"
    assert 0 < first["trials"]["here"] <= small.search.evaluations
    assert first["champion"]["genome"] == first["best"]["genome"]
    assert first["champion"].keys() >= {"psr", "dsr", "pbo", "pbo_null"}
    assert first["best"]["fitness"] == pytest.approx(
        first["best"]["mean"] - 2.0 * first["best"]["se"], abs=1e-8
    )


def test_generated_windows_outside_a_world_make_no_number(tmp_path: Path) -> None:
    path = tmp_path / "season.toml"
    path.write_text(
        "[windows]\ncount = 8\ndays = 7\nvalidation_days = 7\n[search]\npopulation = 4\ngenerations = 2\n"
    )
    found = commands.evolve_on(
        load_evidence_config(path),
        folder=None,
        world=None,
        seed=1,
        workspace=tmp_path,
        progress=silent,
        compiled=False,
    )
    assert found["verdict"] == "INSUFFICIENT: 0 windows count, 8 are needed"
    assert found["best"] is None
    assert found["champion"] is None
    assert found["ensemble"] == []


def test_a_season_too_short_for_its_windows_is_insufficient(tmp_path: Path) -> None:
    path = tmp_path / "season.toml"
    path.write_text("[season]\ndays = 90\n")
    code = main(["evolve", str(path), "--workspace", str(tmp_path / "trials"), "--json"])
    assert code == 1


def test_preregistered_gates_stand_in_the_log_before_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    workspace = tmp_path / "trials"
    assert main(["preregister", str(path), "--workspace", str(workspace), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["new"]
    assert told["gates"]["drawdown_ratio_max"] == 0.30
    with TrialsLog(workspace) as log:
        assert log.head == told["anchor"]
        log.begin("mine", told["config_hash"], {})
    path.write_text(SMALL + "[gates]\ndrawdown_ratio_max = 0.9\n")
    assert main(["preregister", str(path), "--workspace", str(workspace), "--json"]) == 0
    edited = json.loads(capsys.readouterr().out)
    assert edited["config_hash"] != told["config_hash"]
    with TrialsLog(workspace) as log, pytest.raises(ConfigError, match="gates edited after it started"):
        log.begin("mine", edited["config_hash"], {})


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[windows]\ncount = 7\n", "windows.count = 7"),
        ("[windows]\nembargo_h = 24\n", "windows.embargo_h = 24"),
        ("[fitness]\nformula = 'sharpe'\n", "fitness.formula"),
        ("[gates]\ndrawdown = 0.5\n", "gates.drawdown"),
        ("[search]\npopulation = 1\n", "search.population = 1"),
        ("nonsense", "not TOML"),
    ],
)
def test_a_config_that_is_wrong_is_refused_in_one_line(content: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=problem) as raised:
        load_evidence_config(path)
    assert "\n" not in str(raised.value)


def test_an_interval_is_over_seeds_and_undefined_for_one() -> None:
    assert bootstrap([0.01], path="x") == {"mean": 0.01, "low": None, "high": None}
    assert bootstrap([], path="x") == {"mean": None, "low": None, "high": None}
    several = bootstrap([0.01, 0.02, 0.03, 0.04], path="x")
    assert several == bootstrap([0.01, 0.02, 0.03, 0.04], path="x")
    low, middle, high = several["low"], several["mean"], several["high"]
    assert low is not None
    assert middle is not None
    assert high is not None
    assert middle == pytest.approx(0.025)
    assert 0.01 <= low < middle < high <= 0.04


def test_seeds_of_one_fold_are_averaged_before_anything_is_compared() -> None:
    def result(fold: int, fresh: float) -> dict[str, Any]:
        return {
            "fold": fold,
            "arms": {"ga": {"train": 0.1, "fresh": fresh}},
            "median_first": 0.0,
            "median_last": fresh,
            "champion": None,
        }

    folds = by_fold([result(0, 0.02), result(0, 0.04), result(1, 0.10)])
    assert [fold["arms"]["ga"]["fresh"] for fold in folds] == [pytest.approx(0.03), 0.10]


def test_each_world_has_conditions_that_can_fail() -> None:
    def found(ga: float, worst: float, low: float | None, share: float, oracle: float) -> dict[str, Any]:
        arms = {"ga": {"median_fresh": ga}, "lending": {"median_fresh": 0.06}, "oracle": {"fresh": oracle}}
        return {
            "arms": arms,
            "worst_ensemble": worst,
            "ga_minus_random": {"low": low},
            "median_gain_share": share,
        }

    good = found(0.055, -0.04, 0.001, 0.8, 0.12)
    bad = found(0.04, -0.06, None, 0.75, 0.16)
    for world in ("positive", "null"):
        assert all(accept(world, good).values())
        assert not any(accept(world, bad).values())
