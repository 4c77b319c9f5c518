"""Whose capital a withdrawal takes: idle money first, then the least proven; nobody closes without need."""

from collections.abc import Mapping

import pytest

from tests.unit.trading.desk import AUSDC, DOLLARS, ETHER, USDC, WETH, frame
from treasury_actors.arena.model.withdrawal import (
    Cut,
    Idle,
    Wanted,
    WithdrawalCancelled,
    WithdrawalExecuted,
    WithdrawalPlanned,
    WithdrawalRefused,
    Withdrawals,
)
from treasury_actors.arena.model.withdrawal_plan import Holder, Market, plan_withdrawal
from treasury_actors.clock import HOUR_NS
from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AgentId, AssetId, EntryId
from treasury_actors.ledger.model import RESERVE, pool
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.model.costs import CHAINS

THOUSAND = 1_000 * DOLLARS
IDLE = [Idle(account=RESERVE, units=2 * THOUSAND), Idle(account=pool("sim"), units=3 * THOUSAND)]
LEAST = THOUSAND


def market(at: MarketFrame | None = None) -> Market:
    """Return a market at the usual prices, where the least mandate is $1,000."""
    return Market(universe=MAINNET, frame=at or frame(0), chain=CHAINS["base"], least_micro_usd=LEAST)


def wanted(dollars: int, hours: int = 24, asset: AssetId = USDC) -> Wanted:
    """Return what a treasurer asks for."""
    units = dollars * DOLLARS
    return Wanted(withdrawal="w-1", asset=asset, units=units, by_ns=hours * HOUR_NS, reason="payroll")


def holder(
    name: str, fitness: int | None, owned: Mapping[AssetId, int] | None = None, due: int = 0
) -> Holder:
    """Return a mandate, of $4,000 in cash unless told otherwise."""
    return Holder(
        agent=AgentId(name), fitness_ppb=fitness, owned=owned or {USDC: 4 * THOUSAND}, due_units=due
    )


def planned(*args: object, **kwargs: object) -> WithdrawalPlanned:
    """Plan what can be planned."""
    plan = plan_withdrawal(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they are
    assert isinstance(plan, WithdrawalPlanned), plan
    return plan


def refused(*args: object, **kwargs: object) -> tuple[str, str]:
    """Return why there is no plan."""
    plan = plan_withdrawal(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they are
    assert isinstance(plan, WithdrawalRefused), plan
    return plan.reason, plan.detail


def shares(plan: WithdrawalPlanned) -> list[tuple[str, int, bool]]:
    """Return whose capital is cut by how many dollars, and whether that ends the mandate."""
    return [(cut.agent, cut.units // DOLLARS, cut.closes) for cut in plan.cuts]


def test_what_lies_idle_is_taken_first_and_then_nobody_is_cut() -> None:
    plan = planned(wanted(4_000), IDLE, [holder("ann", 5)], market())

    assert plan.idle == (IDLE[0], Idle(account=pool("sim"), units=2 * THOUSAND))
    assert (plan.cuts, plan.cost_micro_usd, plan.home_h) == ((), 0, 0)


def test_the_unproven_give_first_then_the_least_fit_and_all_keep_half_of_the_least_mandate() -> None:
    holders = [holder("ann", 9), holder("bob", -3), holder("cat", None), holder("dan", 4)]
    plan = planned(wanted(13_000), IDLE, holders, market())

    assert shares(plan) == [("cat", 3_500, False), ("bob", 3_500, False), ("dan", 1_000, False)]


def test_mandates_close_in_the_same_order_only_if_cuts_are_not_enough() -> None:
    holders = [holder("ann", 9), holder("bob", -3), holder("cat", None)]
    plan = planned(wanted(16_200), IDLE, holders, market())

    assert shares(plan) == [("cat", 4_000, True), ("bob", 4_000, True), ("ann", 3_200, False)]


def test_mandates_that_are_no_larger_than_the_least_one_can_still_give_a_little() -> None:
    small = {USDC: THOUSAND}
    plan = planned(wanted(5_400), IDLE, [holder("ann", 1, small), holder("bob", 2, small)], market())

    assert shares(plan) == [("ann", 400, False)]


def test_of_equals_the_one_whose_exit_is_cheapest_gives() -> None:
    holders = [holder("ann", None, {WETH: 2 * ETHER}), holder("bob", None, {AUSDC: 4 * THOUSAND})]
    plan = planned(wanted(6_000), IDLE, holders, market())

    assert [cut.agent for cut in plan.cuts] == ["bob"]


def test_the_plan_says_what_an_exit_costs_and_when_it_is_home() -> None:
    thin = market(frame(0, depth_usd=49_500.0))  # $500 an hour at 1% of impact
    plan = planned(wanted(6_500, hours=6), IDLE, [holder("ann", 1, {WETH: 2 * ETHER})], thin)

    assert plan.home_h == 5  # asked back with the next frame, sold over four
    assert plan.cost_micro_usd == pytest.approx(16 * DOLLARS, rel=0.1)


def test_cash_comes_home_with_the_next_frame_and_nothing_but_idle_money_before_it() -> None:
    assert planned(wanted(5_001, hours=1), IDLE, [holder("ann", 1)], market()).home_h == 1
    reason, detail = refused(wanted(5_001, hours=0), IDLE, [holder("ann", 1)], market())

    assert reason == "not_in_time"
    assert detail == "5000.000000 USDC could be home by then, all of it in 1 h"


def test_more_than_there_is_is_refused_with_what_there_is() -> None:
    reason, detail = refused(wanted(9_001), IDLE, [holder("ann", 1)], market())

    assert reason == "exceeds_treasury"
    assert "9000.000000 within a week" in detail


def test_what_is_locked_is_not_promised() -> None:
    stale = market(frame(0, stale=["WETH"]))
    reason, _ = refused(wanted(5_001), IDLE, [holder("ann", 1, {WETH: ETHER})], stale)

    assert reason == "exceeds_treasury"


def test_what_a_mandate_owes_already_is_not_promised_twice() -> None:
    reason, detail = refused(wanted(8_000), IDLE, [holder("ann", 1, due=3 * THOUSAND)], market())

    assert (reason, detail[:11]) == ("exceeds_treasury", "6000.000000")


def test_an_hour_that_has_passed_and_other_assets_are_refused_by_name() -> None:
    assert refused(wanted(1, hours=-2), IDLE, [], market())[0] == "deadline_passed"
    assert refused(wanted(1, asset=WETH), IDLE, [], market())[0] == "not_the_reserve_asset"


def test_two_plans_have_one_hash_if_they_say_the_same_whatever_they_are_called() -> None:
    one = planned(wanted(6_000), IDLE, [holder("ann", 1)], market())
    other = planned(wanted(6_000), IDLE, [holder("bob", 1)], market())

    assert one.plan == planned(wanted(6_000), IDLE, [holder("ann", 1)], market()).plan
    assert one.plan != other.plan


def test_i33_a_withdrawal_begins_once_and_ends_once() -> None:
    known = Withdrawals()
    plan = planned(wanted(4_000), IDLE, [], market())
    known.apply(plan)
    with pytest.raises(InvariantViolated, match="I33"):
        known.apply(plan)
    known.apply(WithdrawalExecuted(withdrawal="w-1", turn=1, entry_id=EntryId("withdrawal/w-1")))

    assert known.open is None
    with pytest.raises(InvariantViolated, match="I33"):
        known.apply(WithdrawalCancelled(withdrawal="w-1", turn=2, reason="too late"))


def test_every_cut_says_what_it_is_for() -> None:
    plan = planned(wanted(6_000), IDLE, [holder("ann", 1)], market())

    assert plan.cuts == (Cut(agent=AgentId("ann"), units=THOUSAND, closes=False, cost_micro_usd=0, home_h=1),)
