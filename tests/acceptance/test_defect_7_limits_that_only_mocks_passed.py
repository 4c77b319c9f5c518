"""
Defect 7 of the earlier attempt: only mocks passed its limits.

They read `agent_id` where agents have `id`, a minimum balance of $1,000 kept an agent of $1,000 from trading,
and positions never shrank by what was sold.
"""

import ast
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

from tests.acceptance.houses import Bench, Lived, check_on_bench, live, market, order_of, rules_for
from treasury_actors.agents import messages as agent_messages
from treasury_actors.agents.agent import AgentSpec
from treasury_actors.arena.model import events as arena_events
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.ledger.model import AgentStatement
from treasury_actors.trading import messages as trading_messages
from treasury_actors.trading.model import mandate, order
from treasury_actors.trading.model.limits import check_order

PACKAGE = Path(__file__).parents[2] / "treasury_actors"
ANN = AgentId("ann-0001")
AUSDC = AssetId("aUSDC")
SUPPLY, WITHDRAW = "USDC>aUSDC@aave-v3", "aUSDC>USDC@aave-v3"


def small() -> Lived:
    return live(market(10), rules_for(arena={"agents": 16, "capital_usd": 16_000}))


def test_defect_7_a_thousand_dollar_agent_could_not_trade() -> None:
    lived = small()
    filled = {row.agent.rpartition("-")[0] for row in lived.tape.rows("trading.order_filled")}
    allotted = [
        int(row.body["postings"][1]["units"])
        for row in lived.tape.rows("ledger.entry_posted")
        if row.body["kind"] == "allot" and row.turn == 0
    ]

    assert all(units < 1_001 * 10**6 for units in allotted)
    assert len(filled) >= 6, filled


def test_what_was_sold_no_longer_counts_against_the_limit_of_a_venue() -> None:
    """Six times in and out of a venue that may hold half: the sum of all buys is three times the capital."""

    async def scene(bench: Bench) -> None:
        await bench.fund(ANN, 1_000, venue_ratio_max=0.5, turnover_micro_usd_max=10**12)
        half, turn = 480 * 10**6, 0
        for _ in range(6):
            assert await bench.turn(turn, order_of(ANN, turn, SUPPLY, half)) == (1, 0)
            assert await bench.turn(turn + 1, order_of(ANN, turn + 1, SUPPLY, half)) == (0, 1)
            has = (await bench.owned(ANN))[AUSDC]
            assert await bench.turn(turn + 2, order_of(ANN, turn + 2, WITHDRAW, has)) == (1, 0)
            turn += 3
        reasons = {row.body["reason"] for row in bench.rows("trading.order_refused")}
        assert reasons == {"above_venue_limit"}

    check_on_bench(scene)


def test_what_was_sold_is_gone_from_the_books() -> None:
    async def scene(bench: Bench) -> None:
        await bench.fund(ANN, 1_000)
        await bench.turn(0, order_of(ANN, 0, SUPPLY, 900 * 10**6))
        await bench.turn(1)
        bought = (await bench.owned(ANN))[AUSDC]
        await bench.turn(2, order_of(ANN, 2, WITHDRAW, bought // 3))
        await bench.turn(3)
        assert (await bench.owned(ANN))[AUSDC] == bought - bought // 3
        await bench.turn(4, order_of(ANN, 4, WITHDRAW, bought))  # more than is left
        await bench.turn(5)
        assert AUSDC not in await bench.owned(ANN)

    check_on_bench(scene)


def test_an_agent_is_named_by_one_type_wherever_it_is_named() -> None:
    """`agent` is an `AgentId` in every message and event; nothing has an `agent_id` or another's `id`."""
    named = 0
    for module in (agent_messages, arena_events, trading_messages, mandate, order):
        for cls in vars(module).values():
            if isinstance(cls, type) and is_dataclass(cls) and "agent" in {f.name for f in fields(cls)}:
                assert get_type_hints(cls)["agent"] is AgentId, cls
                named += 1
    for cls in (AgentSpec, AgentStatement):
        assert get_type_hints(cls)["agent"] is AgentId

    assert named >= 15


def test_nothing_in_the_package_reads_an_agent_id() -> None:
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Attribute) and node.attr == "agent_id"), file


def test_the_limits_in_use_are_those_that_were_tested() -> None:
    """The engine calls the very function the tests call, on the ledger's own statement."""
    engine = ast.parse((PACKAGE / "trading/engine.py").read_text(encoding="utf-8"))
    called = [
        n for n in ast.walk(engine) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "check_order"
    ]

    assert len(called) == 1
    assert check_order.__module__ == "treasury_actors.trading.model.limits"
