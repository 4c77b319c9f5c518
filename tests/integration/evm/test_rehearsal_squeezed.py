"""The proving grounds under one who squeezes every swap to its minimum: it gets the bound, and no more."""

import json
from functools import partial
from pathlib import Path

import pytest

from treasury_actors.cli.main import main
from treasury_actors.settings.file import load_settings
from treasury_actors.simulation.rehearsal import run
from treasury_actors.simulation.rehearsal.sandwich import Sandwich

CONFIG = Path(__file__).parents[3] / "configs" / "proving_grounds.toml"


def test_no_swap_of_the_house_loses_more_than_its_bound_to_an_attacker_who_pays_for_it(
    tmp_path: Path, evm_packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("eth_account", reason="needs the chain extra")
    monkeypatch.setattr(run, "Sandwich", partial(Sandwich, at_a_loss=True))
    bound_bps = load_settings(CONFIG).chain.impact_bps_max

    code = main(["rehearse", str(CONFIG), "--days", "1", "--out", str(tmp_path / "run")])

    report = json.loads((tmp_path / "run" / "rehearsal.json").read_text(encoding="utf-8"))
    assert code == 0
    assert report["books"] == {"equal": True, "differences": []}
    assert report["sandwich_attacks"] > 0
    assert bound_bps * 0.9 < report["slippage_bps"]["max"] <= bound_bps
