"""The evidence commands on recorded data: their contract, their folds, and what they refuse."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from treasury_actors.cli.main import main
from treasury_actors.errors import ConfigError
from treasury_actors.market.model.utc import utc_ns
from treasury_actors.simulation.evidence import commands
from treasury_actors.simulation.evidence.archive import load_archive, short_histories
from treasury_actors.simulation.evidence.arms import ARMS
from treasury_actors.simulation.evidence.config import load_evidence_config
from treasury_actors.simulation.evidence.trials_log import FILE

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
SMALL = """
[windows]
days = 7
validation_days = 7
test_days = 365
[search]
population = 4
generations = 2
"""
CONTRACT = (
    "label",
    "folds",
    "days",
    "return",
    "apy",
    "vol",
    "max_drawdown",
    "sharpe_excess",
    "alpha",
    "alpha_t",
    "beta",
    "psr",
    "dsr",
    "trials",
    "benchmarks",
    "curve_path",
    "verdict",
)

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no market data in {DATA}")


def silent(_: str) -> None:
    """Nobody listens."""


def day_ns(text: str) -> int:
    return utc_ns(datetime.fromisoformat(text))


def walk(tmp_path: Path, start: str, end: str) -> dict[str, Any]:
    config = tmp_path / "small.toml"
    config.write_text(SMALL)
    return commands.walk_forward(
        load_evidence_config(config),
        DATA,
        start_ns=day_ns(start),
        end_ns=day_ns(end),
        seed=0,
        workspace=tmp_path / "trials",
        workers=1,
        progress=silent,
        compiled=False,
    )


def test_the_contract_of_a_walk_forward(tmp_path: Path) -> None:
    found = walk(tmp_path, "2024-10-01", "2024-10-25")
    assert [key for key in CONTRACT if key not in found] == []
    assert found["label"] == "HYPOTHETICAL"
    assert found["folds"] == 1
    assert found["days"] == 24
    assert found["apy"] is None
    assert {*found["benchmarks"]} == {"lending", "tbill", "equal_weight", "buy_hold_eth", "random_agents"}
    assert {*found["trials"]} == {"here", "ever"}
    assert found["looks"] == [1]
    curve = Path(found["curve_path"]).read_text().splitlines()
    assert len(curve) == 1 + found["days"]
    assert float(curve[-1].split(",")[2]) - 1.0 == pytest.approx(found["return"], abs=1e-6)
    json.dumps(found, allow_nan=False)
    size = (tmp_path / "trials" / FILE).stat().st_size
    assert walk(tmp_path, "2024-10-01", "2024-10-25") == found
    assert (tmp_path / "trials" / FILE).stat().st_size == size


def test_a_test_before_there_is_enough_history_is_insufficient_and_no_number(tmp_path: Path) -> None:
    found = walk(tmp_path, "2021-01-10", "2021-02-10")
    assert found["verdict"].startswith("INSUFFICIENT: ")
    assert found["folds"] == 0
    assert found["return"] is None
    assert found["trials"]["here"] == 0


def test_seasons_of_a_folder_are_compared_fold_by_fold(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    config = load_evidence_config(path)
    found = commands.folder_evidence(
        config, DATA, seeds=1, workspace=tmp_path, workers=1, progress=silent, compiled=False
    )
    assert found["label"] == "HYPOTHETICAL"
    assert found["folds"] >= 2
    assert found["arms"]["oracle"] == {"train": None, "fresh": None, "median_fresh": None}
    assert all(found["arms"][arm]["fresh"] is not None for arm in ARMS if arm != "oracle")
    assert found["ga_minus_random"]["low"] <= found["ga_minus_random"]["high"]
    assert 0.0 <= found["ga_minus_random"]["won_share"] <= 1.0
    json.dumps(found, allow_nan=False)


def test_bounds_outside_the_data_are_refused(tmp_path: Path) -> None:
    code = main(
        ["walk-forward", "--data", str(DATA), "--start", "2030-01-01", "--workspace", str(tmp_path), "--json"]
    )
    assert code == ConfigError.exit_code


def test_most_vaults_have_too_little_history_and_it_is_said() -> None:
    config = load_evidence_config(Path(__file__).parents[2] / "configs" / "evidence.toml")
    short = short_histories(load_archive(DATA.resolve(), 2_880), config.windows)
    assert {"steakUSDC", "fUSDC", "aUSDT", "wstETH"} <= {*short}
    assert all(windows < 8 for windows in short.values())
    assert not {"USDC", "WETH", "aUSDC"} & {*short}
