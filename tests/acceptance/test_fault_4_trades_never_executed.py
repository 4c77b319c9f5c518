"""
Fault 4 of the brief: trades are decided and never executed.

Here every accepted order is filled, or ended for a named reason, by the very next frame; and every family
that wants to trade does.
"""

from decimal import Decimal
from functools import cache

from tests.acceptance.houses import Lived, Row, Sums, live, market, rules_for, usual
from treasury_actors.agents.registry import families
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.model.order import TradingReason

REASONS = {str(reason) for reason in TradingReason}


def orders(lived: Lived) -> dict[str, Row]:
    return {row.body["order"]["order_id"]: row for row in lived.tape.rows("trading.order_accepted")}


def ends(lived: Lived) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in lived.tape.rows("trading.order_filled", "trading.order_ended"):
        if row.type == "trading.order_ended" or row.body["last"]:
            found.setdefault(row.body["order_id"], []).append(row)
    return found


def test_every_accepted_order_ends_once_at_the_next_frame() -> None:
    lived = usual()
    accepted, ended = orders(lived), ends(lived)
    last = lived.season.frame_count - 1

    assert accepted
    assert accepted.keys() == ended.keys()
    for order_id, row in accepted.items():
        (end,) = ended[order_id]
        assert end.turn == min(row.turn + 1, last), end
        assert end.type == "trading.order_filled" or end.body["reason"] in REASONS


def test_no_order_fills_at_the_frame_it_was_decided_at() -> None:
    lived = usual()
    accepted = orders(lived)
    fills = lived.tape.of("trading.order_filled")

    assert all(row.turn == accepted[row.body["order_id"]].turn + 1 for row in fills)
    assert all(row.body["order"]["turn"] == row.turn for row in accepted.values())


def test_every_order_an_agent_gave_was_accepted_or_refused_for_a_named_reason() -> None:
    narrow = {"agent_turnover_ratio_max": Decimal("0.5")}
    lived = live(market(10), rules_for(arena={"agents": 9}, risk=narrow))
    refused = lived.tape.of("trading.order_refused")

    assert refused, "so that there is something to name"
    assert all(row.body["reason"] in REASONS and row.body["detail"] for row in refused)


def test_a_fill_moves_the_books_by_exactly_what_it_says() -> None:
    sums = Sums()
    before: dict[str, int] = {}
    for row in usual().tape.rows("ledger.entry_posted", "trading.order_filled"):
        if row.type == "ledger.entry_posted":
            before = sums.of(row.agent) if row.agent else {}
            sums.add(row.body)
            continue
        after = sums.of(row.agent)
        source, target = row.body["source"], row.body["target"]
        changed = {a: after.get(a, 0) - before.get(a, 0) for a in {*before, *after}}
        gas_paid = sum(changed.values()) - int(row.body["taken_units"]) + int(row.body["given_units"])
        assert gas_paid <= 0
        expected = {source: -int(row.body["given_units"]), target: int(row.body["taken_units"])}
        expected["USDC"] = expected.get("USDC", 0) + gas_paid
        assert {a: u for a, u in changed.items() if u} == {a: u for a, u in expected.items() if u}


def test_in_a_season_of_45_days_every_family_but_idle_cash_trades() -> None:
    filled = {row.agent.rpartition("-")[0] for row in usual().tape.rows("trading.order_filled")}

    assert filled == {str(family) for family in families(MAINNET)} - {"idle_cash"}


@cache
def rich() -> Lived:
    """Eight agents with $62,500 each, where one order may be worth $30,000."""
    return live(market(10), rules_for(arena={"agents": 8}, risk={"trade_usd_max": 30_000}))


def test_an_agent_richer_than_its_largest_order_trades_in_steps_instead_of_never() -> None:
    """A wish that is refused at this frame for its size is refused at every frame."""
    refused = [row.body["reason"] for row in rich().tape.rows("trading.order_refused")]

    assert refused.count("above_trade_limit") == 0
