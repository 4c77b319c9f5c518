"""
Fault 5 of the brief: code meets real money that was never backtested.

There is one way to real money, and evidence stands before it: two switches, a rehearsal by the same rules
with the same code whose books equalled its chain, and only then a key is opened. And there is no second
engine that another way could be built on: backtest, rehearsal, paper and live play seasons with the same
function, through the same actors.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.acceptance.houses import live, market, rules_for
from treasury_actors.cli.main import main
from treasury_actors.errors import ConfigError
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.file import Settings, check_settings
from treasury_actors.trading.adapters.evm.signer import LocalSigner
from treasury_actors.trading.adapters.simulated import SimulatedVenue
from treasury_actors.trading.model.costs import CHAINS

PACKAGE = Path(__file__).parents[2] / "treasury_actors"


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    """Return every module of the package by its path, parsed once."""
    files = sorted(PACKAGE.rglob("*.py"))
    return tuple((f.relative_to(PACKAGE).as_posix(), ast.parse(f.read_text(encoding="utf-8"))) for f in files)


def callers(name: str) -> set[str]:
    """Return the modules that call something of this name."""
    return {
        place
        for place, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and name in {getattr(node.func, "id", None), getattr(node.func, "attr", None)}
    }


def is_keyword(node: ast.AST, name: str) -> bool:
    """Say whether a node hands over an argument of this name."""
    return isinstance(node, ast.keyword) and node.arg == name


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("arena", "stage"),
        ("arena", "live"),
        ("arena", "mode"),
        ("chain", "private_key"),
        ("chain", "rpc_url"),
        ("chain", "live"),
        ("season", "live"),
        ("live", "mode"),
        ("live", "private_key"),
        ("stages", "main"),
    ],
)
def test_no_other_config_key_leads_to_real_money(section: str, key: str) -> None:
    with pytest.raises(ConfigError, match="unknown key"):
        check_settings({section: {key: True}}, "a.toml")


@pytest.mark.parametrize("source", ["live", "paper", "rehearsal", "evm", ""])
def test_no_market_can_be_chosen_but_generated_and_historical_ones_and_a_chain(source: str) -> None:
    with pytest.raises(ConfigError, match=r"season\.source"):
        check_settings({"season": {"source": source}}, "a.toml")


def test_every_config_gives_a_house_of_the_simulation_stage() -> None:
    assert Settings().house_rules(1).arena.stage == "sim"


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        ("backtest", "--live"),
        ("rehearse", "--live"),
        *(
            (c, f)
            for c in ("run", "backtest")
            for f in ("--real", "--mainnet", "--private-key=1", "--stage=main")
        ),
    ],
)
def test_no_other_flag_leads_to_real_money(
    command: str, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, flag])

    assert caught.value.code == 2
    assert "unrecognized arguments" in capsys.readouterr().err


def test_a_wallet_is_made_by_the_house_alone_and_its_key_by_rehearsal_and_live_session_alone() -> None:
    rehearsal, live_session = "simulation/rehearsal/run.py", "simulation/live/session.py"
    assert callers("Wallet") == {"wiring/house.py", "faults/wallet_seed.py"}
    assert callers("chain_access") == {rehearsal, live_session, "simulation/live/trial.py"}
    assert callers("LocalSigner") == {rehearsal, live_session, "simulation/rehearsal/local_hands.py"}
    assert callers("KeystoreSigner") == {live_session}
    with pytest.raises(ConfigError, match="signs on the local chain 31337 alone"):
        LocalSigner("0x" + "11" * 32, chain_id=8453)


def test_no_key_is_opened_before_the_evidence_was_checked() -> None:
    assert callers("signer_of") == {"cli/verbs_live.py"}
    tree = dict(modules())["cli/verbs_live.py"]
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        lines = {getattr(call.func, "id", ""): call.lineno for call in calls}
        if "signer_of" in lines:
            assert lines["check_evidence"] < lines["signer_of"], function.name


def test_one_module_can_sign() -> None:
    for place, tree in modules():
        if place == "trading/adapters/evm/signer.py":
            continue
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not any(n.split(".")[0] in {"web3", "eth_account", "eth_keys"} for n in names), place


def test_a_house_that_is_given_no_chain_trades_at_a_venue_that_never_leaves_the_process() -> None:
    assert SimulatedVenue(universe=MAINNET, chain=CHAINS["base"]).leaves_process is False
    assert callers("SimulatedVenue") | callers("EvmVenue") == {"wiring/house.py"}
    given = {
        place for place, tree in modules() for node in ast.walk(tree) if is_keyword(node, "surroundings")
    }
    assert given == {"simulation/rehearsal/run.py", "daemon/live_run.py"}, "a backtest hands no chain over"


def test_there_is_one_house_one_engine_and_one_ledger() -> None:
    assert callers("open_house") == {"simulation/run.py", "simulation/ladder/run.py", "faults/life.py"}
    for actor in ("TradingEngine", "Guardian", "Ledger", "Arena", "Agent"):
        assert callers(actor) == {"wiring/house.py"}, actor


def test_backtest_and_daemon_play_seasons_with_the_same_function() -> None:
    players = callers("play_season")
    daemons = {place for place in players if place.startswith("daemon/")}
    for place, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and "play_season" in {alias.name for alias in node.names}:
                assert node.module == "treasury_actors.simulation.run", place

    assert players - daemons == {"simulation/backtest.py", "simulation/rehearsal/run.py"}
    assert daemons == {"daemon/live_run.py", "daemon/simulated_house.py"}


def test_a_strategy_has_a_track_record_in_the_journal_before_it_could_ask_for_more() -> None:
    lived = live(market(8), rules_for(arena={"agents": 8}))
    born = {row.agent: row.turn for row in lived.tape.rows("arena.agent_born")}
    judged = {row.agent for row in lived.tape.rows("arena.fitness_recorded")}

    assert judged == set(born), "the first round judges everybody"
    assert all(row.body["value_ppb"] is None for row in lived.tape.rows("arena.fitness_recorded")), (
        "a week is not evidence"
    )
