"""Before real money: two switches, evidence of these rules by this code, a person who names the chain."""

import json
import sys
from io import StringIO
from pathlib import Path

import anyio
import pytest

from tests.unit.daemon.driver import play, small_run
from tests.unit.daemon.paper import settings_on_chain
from treasury_actors.cli.main import main
from treasury_actors.errors import ConfigError, JournalCorrupt
from treasury_actors.settings.file import Settings
from treasury_actors.simulation.live.evidence import check_evidence
from treasury_actors.simulation.live.session import chosen_chain, signer_of
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.run import JOURNAL_NAME

REPORT = {"books": {"equal": True, "differences": []}, "days": 2, "trades": 3}


@pytest.fixture(scope="module")
def rehearsed() -> Prepared:
    """Return a run by the rules of `settings_on_chain`: what a rehearsal's folder is begun with."""
    return small_run()


def wanted(**live: object) -> Settings:
    return settings_on_chain(live={"enabled": True, "evidence_days": 2, **live})


def write_evidence(folder: Path, rehearsed: Prepared, **report: object) -> None:
    """Write what a rehearsal leaves: manifest, journal, report."""
    anyio.run(play, rehearsed, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["config"]["chain"]["network"] = "rehearsal"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "rehearsal.json").write_text(json.dumps({**REPORT, **report}), encoding="utf-8")


def test_a_rehearsal_by_the_same_rules_and_code_is_evidence(tmp_path: Path, rehearsed: Prepared) -> None:
    write_evidence(tmp_path, rehearsed)
    found = check_evidence(wanted(), tmp_path)

    assert (found.days, found.trades) == (2, 3)
    assert found.events > 0


@pytest.mark.parametrize(
    ("report", "complaint"),
    [
        ({"books": {"equal": False}}, "books did not equal"),
        ({"books": True}, "books did not equal"),
        ({"days": 1}, "allowed: 2 and more"),
        ({"days": "many"}, "allowed: 2 and more"),
        ({"trades": 0}, "nothing was traded"),
    ],
)
def test_a_rehearsal_that_shows_less_is_none(
    tmp_path: Path, rehearsed: Prepared, report: dict[str, object], complaint: str
) -> None:
    write_evidence(tmp_path, rehearsed, **report)
    with pytest.raises(ConfigError, match=complaint):
        check_evidence(wanted(), tmp_path)


def test_a_rehearsal_by_other_rules_is_none(tmp_path: Path, rehearsed: Prepared) -> None:
    write_evidence(tmp_path, rehearsed)
    looser = settings_on_chain(risk={"trade_usd_max": 50_001}, live={"evidence_days": 2})
    with pytest.raises(ConfigError, match=r"other rules: risk\.trade_usd_max"):
        check_evidence(looser, tmp_path)


def test_a_rehearsal_with_other_code_is_none(tmp_path: Path, rehearsed: Prepared) -> None:
    write_evidence(tmp_path, rehearsed)
    text = (tmp_path / "manifest.json").read_text(encoding="utf-8")
    manifest = {**json.loads(text), "code_hash": "0" * 64}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ConfigError, match="with other code"):
        check_evidence(wanted(), tmp_path)


def test_a_rehearsal_whose_journal_was_changed_is_none(tmp_path: Path, rehearsed: Prepared) -> None:
    write_evidence(tmp_path, rehearsed)
    whole = (tmp_path / JOURNAL_NAME).read_bytes()
    changed = whole.replace(b"order_filled", b"order_fillet")
    assert changed != whole
    (tmp_path / JOURNAL_NAME).write_bytes(changed)
    with pytest.raises(JournalCorrupt):
        check_evidence(wanted(), tmp_path)


@pytest.mark.parametrize("missing", ["manifest.json", "rehearsal.json", JOURNAL_NAME])
def test_half_a_rehearsal_is_none(tmp_path: Path, rehearsed: Prepared, missing: str) -> None:
    write_evidence(tmp_path, rehearsed)
    (tmp_path / missing).unlink()
    with pytest.raises(ConfigError, match=r"live\.evidence"):
        check_evidence(wanted(), tmp_path)


def test_only_a_keystore_signs_on_a_chain_of_the_world(tmp_path: Path) -> None:
    chosen = chosen_chain(wanted(), ["https://node.example"])
    with pytest.raises(ConfigError, match=r"live\.keystore"):
        signer_of(wanted(), chosen)
    with pytest.raises(ConfigError, match=r"live\.password_file"):
        signer_of(wanted(keystore=str(tmp_path / "wallet.json")), chosen)


CONFIG = """
[season]
source = "chain"
days = 2
[arena]
agents = 5
capital_usd = 50000
[chain]
network = "base"
[live]
rpcs = ["https://node.example/secret-key"]
evidence_days = 2
{more}
"""


@pytest.mark.parametrize(
    ("more", "arguments", "complaint"),
    [
        ("enabled = false", ["--live"], "live.enabled = false"),
        ("enabled = true", ["--live"], "live.evidence: none"),
        ("enabled = true", ["--live", "--evidence", "nowhere"], "no rehearsal there"),
        ("enabled = true", ["--live", "--speed", "10"], "a chain has its own"),
        ('webhook = "ftp://somewhere"', [], "live.webhook"),
        ("", ["--rpc", "http://node.example"], "https, or http on loopback"),
        ("", ["--registry", "file.json"], "base is pinned in the code"),
    ],
)
def test_what_is_missing_is_said_in_one_line_and_nothing_is_opened(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: str,
    arguments: list[str],
    complaint: str,
) -> None:
    config, folder = tmp_path / "a.toml", tmp_path / "run"
    config.write_text(CONFIG.format(more=more), encoding="utf-8")
    code = main(["run", str(config), "--out", str(folder), *arguments])
    said = capsys.readouterr().err

    assert code == 78
    assert complaint in said
    assert "secret-key" not in said
    assert not folder.exists()


@pytest.mark.parametrize(("typed", "code"), [("mainnet\n", 78), ("", 78)])
def test_a_person_names_the_chain_or_nothing_begins(
    tmp_path: Path, rehearsed: Prepared, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    config, evidence = tmp_path / "a.toml", tmp_path / "evidence"
    write_evidence(evidence, rehearsed)
    text = CONFIG.format(more=f'enabled = true\nevidence = "{evidence}"').replace('"base"', '"rehearsal"')
    registry = tmp_path / "registry.json"
    registry.write_text(
        json.dumps({"chain_id": 31_337, "chain_name": "rehearsal", "tokens": [], "contracts": []}),
        encoding="utf-8",
    )
    config.write_text(text, encoding="utf-8")
    keyboard = StringIO(typed)
    keyboard.isatty = lambda: bool(typed)  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", keyboard)

    found = main(["run", str(config), "--live", "--registry", str(registry), "--out", str(tmp_path / "run")])

    assert found == code
    assert not (tmp_path / "run").exists()


def test_what_concerns_a_chain_is_refused_without_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--live"]) == 78
    assert "--live" in capsys.readouterr().err
    assert main(["run", "--rpc", "https://node.example"]) == 78
