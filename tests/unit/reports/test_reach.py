"""What a treasurer asks of a report: what could be had when, how long it lasts, what is left of the gain."""

import json

import pytest

from tests.unit.reports.diary import BASE, ETH, USDC, Diary, context, generated
from treasury_actors.arena.model.spending import Spending
from treasury_actors.ledger.model import GAS
from treasury_actors.money import MICRO_USD
from treasury_actors.reports.html import page
from treasury_actors.reports.summarise import summarise
from treasury_actors.reports.summary import Summary
from treasury_actors.reports.summary_json import to_object
from treasury_actors.reports.text import screen

CASH = 500_000 * 10**6
SPENDING = Spending(burn_usd_per_month=25_000, runway_floor_months=6, running_cost_usd_per_month=300)


def told(spending: Spending) -> tuple[Summary, str]:
    """Return the summary and the page of ten days in which a fifth of the money was lent."""
    diary = Diary(generated(10))
    diary.deposit(USDC, CASH)
    diary.deposit(ETH, 10**18, GAS)
    diary.bear("lend-0001", CASH // 5)
    diary.go(1)
    diary.convert("lend-0001", "USDC>aUSDC@aave-v3", CASH // 5)
    diary.go(239)
    diary.close()
    history = diary.history()
    summary = summarise(history, diary.season, context(spending=spending, chain=BASE))
    return summary, page(summary, history)


def test_the_runway_is_what_is_liquid_in_a_day_over_what_is_spent_a_month() -> None:
    summary, _ = told(SPENDING)
    reach = summary.reach

    assert reach.liquid.now_micro_usd == pytest.approx(400_000 * MICRO_USD, rel=0.01)
    assert reach.liquid.day_micro_usd == pytest.approx(500_000 * MICRO_USD, rel=0.01)
    assert reach.liquid.week_micro_usd >= reach.liquid.day_micro_usd
    assert reach.liquid.locked_micro_usd > 1_000 * MICRO_USD  # an ether for gas
    assert reach.runway_months == pytest.approx(20.0, rel=0.01)
    assert SPENDING.floor_micro_usd == 150_000 * MICRO_USD


def test_running_costs_are_taken_off_the_gain_and_off_nothing_else() -> None:
    summary, _ = told(SPENDING)
    free, _ = told(Spending())

    assert summary.reach.running_cost_micro_usd == pytest.approx(300 * MICRO_USD * 10 / 30.4375, rel=1e-6)
    assert (
        summary.reach.result_micro_usd
        == free.reach.result_micro_usd - summary.reach.running_cost_micro_usd
        == summary.attribution.gain_micro_usd - summary.reach.running_cost_micro_usd
    )
    assert summary.capital == free.capital


def test_screen_page_and_object_say_it() -> None:
    summary, html = told(SPENDING)
    text, found = " ".join(screen(summary).split()), to_object(summary)["treasury"]

    assert isinstance(found, dict)
    for where in (text, html):
        assert "runway 20.0 months at $25,000 a month" in where
        assert "after $99 of running costs" in where
    assert found["runway_months"] == summary.reach.runway_months
    assert found["runway_floor_usd"] == "150000.000000"
    assert set(found) >= {"liquid_now_usd", "liquid_24h_usd", "liquid_7d_usd", "locked_usd"}
    json.dumps(found, allow_nan=False)


def test_without_a_burn_no_runway_is_made_up() -> None:
    summary, html = told(Spending())

    assert summary.reach.runway_months is None
    assert "a month" not in screen(summary)
    assert to_object(summary)["treasury"]["runway_months"] is None  # type: ignore[index,call-overload]
    assert "Runway, months" in html
