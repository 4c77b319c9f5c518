"""Gas budgets: a fold that says who may burn how much until the next round."""

from dataclasses import replace

from tests.unit.trading.desk import (
    ANN,
    BOB,
    BUY_WETH,
    ETHER,
    LIMITS,
    SELL_WETH,
    USDC,
    WETH,
    Desk,
    frame,
    now,
    order,
)
from tests.unit.trading.desk import mandate as mandate_of
from treasury_actors.ids import AgentId, ConversionId
from treasury_actors.ledger.model import GAS, GAS_BURNT
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.trading.messages import GasToDivide
from treasury_actors.trading.model.costs import CHAINS
from treasury_actors.trading.model.gas import GasBudgets
from treasury_actors.trading.model.mandate import Mandate, MandateStatus
from treasury_actors.trading.model.order import OrderReleased

POLICY = 1_000
THOUSAND = 10**9
AGENTS_ORDER = order(0, BUY_WETH, units=1)
EXIT = order(0, SELL_WETH, units=1, placed_by="guardian", reduce_only=True)


def mandate(
    wei: int, *, gas_round: int = 0, agent: AgentId = ANN, status: MandateStatus = "active"
) -> Mandate:
    return mandate_of(agent, status, replace(LIMITS, gas_wei_max=wei, gas_round=gas_round))


def budgets(*mandates: Mandate) -> GasBudgets:
    made = GasBudgets()
    for each in mandates:
        made.mandated(each)
    return made


def fee_wei(step: str) -> int:
    return CHAINS["base"].gas_wei(MAINNET.conversion_by_id[ConversionId(step)], 10.0)


def test_a_transaction_may_burn_what_is_left_but_no_more_than_the_policy_says() -> None:
    purse = budgets(mandate(1_500))
    caps = []
    for _ in range(3):
        caps.append(purse.cap_wei(AGENTS_ORDER, balance_wei=10_000, policy_wei=POLICY))
        purse.promise(ANN, caps[-1])
        purse.burn(ANN, caps[-1])

    assert caps == [1_000, 500, 0]


def test_a_new_round_brings_a_new_budget_and_the_same_mandate_again_brings_none() -> None:
    purse = budgets(mandate(100))
    purse.promise(ANN, 60)
    purse.burn(ANN, 60)
    purse.mandated(mandate(100))
    assert purse.left_wei(ANN) == 40
    purse.mandated(mandate(70, gas_round=1))
    assert purse.left_wei(ANN) == 70


def test_a_ticket_of_the_round_before_is_not_paid_from_the_new_budget() -> None:
    purse = budgets(mandate(100))
    purse.promise(ANN, 60)
    assert purse.divisible_wei(1_000) == 940
    purse.mandated(mandate(70, gas_round=1))
    assert purse.reserved_wei == 130
    purse.burn(ANN, 55)

    assert purse.left_wei(ANN) == purse.reserved_wei == 70


def test_an_exit_burns_what_is_left_and_then_what_nobody_was_promised() -> None:
    purse = budgets(mandate(100, status="closing"), mandate(300, agent=BOB))

    assert purse.cap_wei(EXIT, balance_wei=450, policy_wei=POLICY) == 150
    purse.promise(ANN, 150)
    assert purse.reserved_wei == 450
    purse.burn(ANN, 120)
    assert purse.cap_wei(EXIT, balance_wei=330, policy_wei=POLICY) == 30
    assert purse.cap_wei(AGENTS_ORDER, balance_wei=330, policy_wei=POLICY) == 0


def test_a_closed_mandate_gives_its_budget_free_for_exits() -> None:
    purse = budgets(mandate(100), mandate(300, agent=BOB))
    assert purse.cap_wei(EXIT, balance_wei=400, policy_wei=POLICY) == 100
    purse.mandated(mandate(300, agent=BOB, status="closed"))

    assert purse.cap_wei(EXIT, balance_wei=400, policy_wei=POLICY) == 400
    assert purse.divisible_wei(400) == 400


def test_a_round_does_not_divide_what_a_closing_mandate_may_still_burn() -> None:
    purse = budgets(mandate(100, status="closing"), mandate(300, agent=BOB))

    assert purse.divisible_wei(1_000) == 900


def test_who_has_no_mandate_has_no_gas() -> None:
    assert budgets().left_wei(ANN) == 0
    assert budgets().cap_wei(AGENTS_ORDER, balance_wei=ETHER, policy_wei=POLICY) == 0


def test_one_who_has_spent_its_budget_is_sold_all_the_same() -> None:
    spent = mandate(fee_wei(BUY_WETH))
    desk = Desk(spent, mandate(0, agent=BOB))
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, units=4 * THOUSAND))
    desk.turn(frame(1), order(1, SELL_WETH, units=ETHER, reduce_only=True))
    assert desk.refusals == ["no_gas"]
    desk.set_mandate(replace(spent, status="closing"))
    desk.watched_turn(frame(2))
    desk.watched_turn(frame(3))

    assert [fill.source for fill in desk.fills] == [USDC, WETH]
    assert desk.units(GAS_BURNT, MAINNET.gas) == fee_wei(BUY_WETH) + fee_wei(SELL_WETH)


def test_what_a_ticket_may_burn_is_on_record_before_it_is_sent() -> None:
    desk = Desk(mandate(fee_wei(BUY_WETH) + 7))
    desk.give(ANN, USDC, 4 * THOUSAND)
    desk.turn(frame(0), order(0, BUY_WETH, units=THOUSAND), order(0, BUY_WETH, units=THOUSAND, number=1))
    desk.turn(frame(1))

    released = [(event.hop, event.gas_wei_max) for event in desk.events(OrderReleased)]
    assert released == [(0, fee_wei(BUY_WETH) + 7), (0, 7)]
    desk.turn(frame(2))
    assert desk.endings == ["no_gas"]
    assert (
        now(desk.engine.receive(GasToDivide())) == desk.units(GAS, MAINNET.gas) == ETHER - fee_wei(BUY_WETH)
    )
