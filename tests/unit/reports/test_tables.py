"""The rows behind a report."""

import csv
from io import StringIO

from tests.unit.reports.diary import AUSDC, USDC, Diary, context, generated, lived
from treasury_actors.arena.model.events import CapitalRefused
from treasury_actors.ids import AgentId, ConversionId, OrderId
from treasury_actors.reports.historian import history_of
from treasury_actors.reports.history import History
from treasury_actors.reports.summarise import summarise
from treasury_actors.reports.summary import Summary
from treasury_actors.reports.tables import graveyard_csv, nav_csv, refusals_csv, trades_csv
from treasury_actors.trading.model.order import Order, OrderAccepted, OrderEnded, OrderRefused, TradingReason


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def _lived() -> tuple[History, Summary]:
    season, records, _ = lived(30, 12)
    history = history_of(records, season, lending_asset=AUSDC)
    return history, summarise(history, season, context())


def test_trades_have_a_row_for_every_hop_and_no_place_in_the_journal() -> None:
    history, summary = _lived()

    text = trades_csv(history)
    rows = _rows(text)

    assert text.splitlines()[0] == (
        "frame,agent,order,hop,conversion,source,target,given_units,taken_units,value_usd,fee_usd,impact_usd,"
        "gas_usd,partial"
    )
    assert len(rows) == summary.trades
    assert rows[0]["order"].startswith(rows[0]["agent"])
    assert {row["partial"] for row in rows} <= {"true", "false"}
    frames = [int(row["frame"]) for row in rows]
    assert frames == sorted(frames)


def test_costs_of_all_trades_are_the_costs_of_the_summary() -> None:
    history, summary = _lived()
    rows = _rows(trades_csv(history))

    total = sum(
        int(row[column].replace(".", "")) for row in rows for column in ("fee_usd", "impact_usd", "gas_usd")
    )

    assert total == summary.capital.costs.total_micro_usd


def test_nav_has_a_row_for_every_frame_and_empty_cells_for_what_is_unknown() -> None:
    season, _, _ = lived(30, 12)
    history, summary = _lived()

    rows = _rows(nav_csv(history, summary, season))

    assert [int(row["frame"]) for row in rows] == list(range(720))
    assert rows[-1]["nav_usd"].replace(".", "") == str(summary.capital.nav_micro_usd)
    lending = summary.line("lending").result
    assert lending is not None
    assert rows[-1]["lending_usd"].replace(".", "") == str(lending.nav_micro_usd)
    assert rows[0]["equal_agents_usd"] == ""


def test_the_graveyard_has_every_dead_and_their_sum() -> None:
    history, summary = _lived()

    rows = _rows(graveyard_csv(summary))

    assert len(rows) == summary.deaths == len(history.dead)


def _order(number: int) -> Order:
    return Order(
        order_id=OrderId(f"trend-0001/0/{number}"),
        agent=AgentId("trend-0001"),
        turn=0,
        number=number,
        path=(ConversionId("USDC>WETH@uniswap-v3"),),
        units=5,
        placed_by="agent",
        reduce_only=False,
        reason="",
    )


def test_every_no_has_a_row_with_its_kind_and_reason() -> None:
    diary = Diary(generated(1))
    diary.deposit(USDC, 1_000_000)
    diary.bear("trend-0001")
    diary.write(OrderRefused(order=_order(0), reason=TradingReason.BELOW_MINIMUM, detail="=cmd()"))
    diary.write(OrderAccepted(order=_order(1), value_micro_usd=5))
    for hop, reason in enumerate((TradingReason.NO_GAS, TradingReason.NO_LIQUIDITY)):
        order = _order(1)
        diary.write(
            OrderEnded(order_id=order.order_id, agent=order.agent, hop=hop, reason=reason, detail="-1 left")
        )
    diary.write(
        CapitalRefused(
            agent=AgentId("trend-0001"), turn=0, wanted_units=9, free_units=4, reason="exceeds_pool"
        )
    )
    diary.close()
    history = diary.history()

    rows = _rows(refusals_csv(history))
    summary = summarise(history, diary.season, context())

    assert [row["kind"] for row in rows] == ["order", "ended", "ended_after_fill", "capital"]
    assert [row["reason"] for row in rows] == ["below_minimum", "no_gas", "no_liquidity", "exceeds_pool"]
    assert rows[1]["path"] == "USDC>WETH@uniswap-v3"
    assert summary.rejections == 3
    assert summary.ended_early == 1
    assert dict(summary.rejections_by_reason) == {
        "below_minimum": 1,
        "no_gas": 1,
        "capital_exceeds_pool": 1,
    }


def test_no_cell_is_a_formula_and_negative_money_stays_a_number() -> None:
    diary = Diary(generated(1))
    diary.deposit(USDC, 1_000_000)
    diary.bear("trend-0001")
    for number, detail in enumerate(("=1+1", "+1", "-1", "@x", "\tx", "\nx")):
        diary.write(OrderRefused(order=_order(number), reason=TradingReason.STOPPED, detail=detail))
    diary.close()

    rows = _rows(refusals_csv(diary.history()))

    assert [row["detail"][0] for row in rows] == ["'"] * 6


def test_the_dead_who_lost_have_negative_numbers_without_a_quote() -> None:
    _, summary = _lived()

    rows = _rows(graveyard_csv(summary))

    assert all(not row["pnl_usd"].startswith("'") for row in rows)
    assert [int(row["pnl_usd"].replace(".", "")) for row in rows] == [
        dead.pnl_micro_usd for dead in summary.graveyard_rows
    ]
