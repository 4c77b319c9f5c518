"""Defect 2 of the earlier attempt: profits were drawn unseeded at random, births came from the calendar."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.houses import Lived, live, market, nav_micro_usd, rules_for, usual
from treasury_actors.wiring.fold import Fold

ROOT = Path(__file__).parents[2]
CHANCE = {"random", "uuid", "secrets"}
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "urandom"}
CLOCK_OWNERS = {"time", "datetime", "date", "os"}
REPRODUCIBLE = {"PCG64", "SeedSequence"}


def modules() -> list[tuple[str, ast.Module]]:
    files = sorted((ROOT / "treasury_actors").rglob("*.py"))
    assert len(files) > 100
    return [
        (file.relative_to(ROOT).as_posix(), ast.parse(file.read_text(encoding="utf-8"))) for file in files
    ]


def imports(tree: ast.Module) -> list[tuple[str, str]]:
    """Return (module, name) of everything imported; name is empty for a whole module."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.module or "", alias.name) for alias in node.names]
    return found


def clock_reads(tree: ast.Module) -> list[str]:
    """Return the calls that read the machine's clock or entropy."""
    return sorted(
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
        and ast.unparse(node.func.value).split(".")[-1] in CLOCK_OWNERS
    )


def test_defect_2_profits_were_drawn_at_random() -> None:
    rules = rules_for(arena={"agents": 8})
    once, again = live(market(10), rules), live(market(10), rules)

    assert once.tape.head_hash == again.tape.head_hash
    assert once.fold.records.state_hash == again.fold.records.state_hash


def test_another_seed_is_another_run() -> None:
    rules = rules_for(arena={"agents": 8})

    assert live(market(8), rules).tape.head_hash != live(market(8, seed=8), rules).tape.head_hash


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process_with_another_hash_seed_writes_the_same_journal(hash_seed: str) -> None:
    here = live(market(8), rules_for(arena={"agents": 8})).tape.head_hash
    there = subprocess.run(
        [sys.executable, "-m", "tests.acceptance.houses"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )

    assert there.stdout.strip() == here


def test_no_module_draws_from_a_generator_that_remembers() -> None:
    for place, tree in modules():
        for module, name in imports(tree):
            assert module.split(".")[0] not in CHANCE, place
            if module.startswith("numpy.random"):
                assert name in REPRODUCIBLE, place
        drawn = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"np.random", "numpy.random"}
        }
        assert drawn <= REPRODUCIBLE, place


def test_no_module_but_the_clock_reads_the_machines_time() -> None:
    readers = {place: reads for place, tree in modules() if (reads := clock_reads(tree))}

    key = readers.pop("treasury_actors/journal/anchor_key.py")
    assert key == ["os.urandom(_KEY_BYTES)"], "a secret is drawn, and decides nothing"
    assert set(readers) == {"treasury_actors/clock.py"}, readers


def test_the_scan_would_find_a_clock_a_coin_and_a_calendar() -> None:
    tree = ast.parse("import random\nx = datetime.now().day % 7\ny = time.time()\nz = dt.datetime.utcnow()")

    assert clock_reads(tree) == ["datetime.now()", "dt.datetime.utcnow()", "time.time()"]
    assert ("random", "") in imports(tree)


def test_profit_is_what_prices_did_to_holdings() -> None:
    """Between two frames without a fill or a flow an agent's NAV moves by units x price change alone."""
    lived = usual()
    moved = {(row.agent, row.turn) for row in lived.tape.rows("ledger.entry_posted")}
    fold = Fold(season=lived.season, lending_benchmark=lived.rules.arena.lending_benchmark)
    checked = 0
    for recorded in lived.journal.read():
        if (recorded.time_ns - lived.season.start_ns) > 400 * 3_600 * 10**9:
            break
        fold.add(recorded)
    fold.finish()
    turn = fold.turn
    for agent in fold.records.roster.members:
        if (agent, turn) not in moved and fold.records.roster.members[agent].life == "living":
            owned = _owned(lived, agent, turn)
            assert fold.marks.of(agent).nav_micro_usd == nav_micro_usd(owned, lived.season.frame(turn))
            checked += 1

    assert checked > 10


def _owned(lived: Lived, agent: str, turn: int) -> dict[str, int]:
    owned: dict[str, int] = {}
    for row in lived.tape.rows("ledger.entry_posted"):
        for posting in row.body["postings"]:
            if row.turn <= turn and posting["account"].split(":")[1] == agent:
                owned[posting["asset"]] = owned.get(posting["asset"], 0) + int(posting["units"])
    return owned
