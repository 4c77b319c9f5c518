"""Capital goes from the pool to agents and back, one entry a move, and nothing beyond what there is."""

from dataclasses import replace

import pytest

from tests.unit.trading.desk import ANN, AUSDC, DOLLARS, USDC, WETH, Desk, Direct, frame, now
from treasury_actors.actors.policy import SupervisionPolicy
from treasury_actors.actors.supervisor import Supervisor
from treasury_actors.arena.capital import Capital
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.arena.neighbours import Neighbours
from treasury_actors.clock import VirtualClock
from treasury_actors.errors import DataError, InvariantViolated
from treasury_actors.ledger.model import DUST, GAS, available, pool
from treasury_actors.market.model.features import Features
from treasury_actors.market.model.shipped import MAINNET

RULES = ArenaRules(seed=1, stage="sim", population=2, capital_usd=1_000, gas_usd=10)
POOL = pool("sim")


def capital_of(desk: Desk) -> Capital:
    """Return the arena's hand on the ledger of a desk; its supervisor and agents are not needed."""

    def nobody(*_: object) -> object:
        raise AssertionError("no agent is made here")

    neighbours = Neighbours(
        features=Features(MAINNET),
        families={},
        ledger=Direct(desk.ledger),
        engine=Direct(desk.engine),
        guardian=Direct(desk.guardian),
        supervisor=Supervisor(policy=SupervisionPolicy(), clock=VirtualClock(), on_event=lambda _: None),
        make_agent=nobody,  # type: ignore[arg-type]  # never called
        journal=desk.journal,
        clock=desk.clock,
    )
    return Capital(neighbours=neighbours, rules=RULES)


@pytest.fixture
def desk() -> Desk:
    """Return a desk without money."""
    return Desk(gas_wei=0)


def test_the_opening_deposit_is_worth_at_least_what_was_configured(desk: Desk) -> None:
    market = frame(0, {"USDC": 0.97, "ETH": 3_333.33})
    units = now(capital_of(desk).deposit(1, RULES, market))

    assert units == desk.units(POOL, USDC)
    assert MAINNET.by_id[USDC].value_micro_usd(units, market.ticks[0]) >= 1_000 * DOLLARS
    assert MAINNET.by_id[USDC].value_micro_usd(units - 1, market.ticks[0]) < 1_000 * DOLLARS
    assert desk.units(GAS, MAINNET.gas) > 0


def test_a_season_whose_reserve_has_no_price_yet_is_refused_as_bad_data(desk: Desk) -> None:
    market = replace(frame(0), ticks=(0,) * len(MAINNET.assets))
    with pytest.raises(DataError, match="USDC has no price"):
        now(capital_of(desk).deposit(1, RULES, market))


def test_i6_more_than_the_pool_holds_cannot_be_allotted(desk: Desk) -> None:
    desk.fund(POOL, USDC, 100)
    with pytest.raises(InvariantViolated, match="I6"):
        now(capital_of(desk).allot(ANN, 101, frame(0)))
    assert desk.units(POOL, USDC) == 100

    now(capital_of(desk).allot(ANN, 100, frame(0)))
    assert desk.units(available(ANN), USDC) == 100
    assert desk.marks.of(ANN).nav_micro_usd == 100  # the guardian knows that this is no gain


def test_what_is_due_is_taken_from_cash_alone_and_no_more_than_there_is(desk: Desk) -> None:
    desk.give(ANN, USDC, 70)
    desk.give(ANN, WETH, 10**18)
    taken = now(capital_of(desk).collect(ANN, 100, frame(0), "due"))

    assert taken == 70
    assert desk.units(POOL, USDC) == 70
    assert desk.units(available(ANN), WETH) == 10**18


def test_a_closing_agent_comes_home_in_one_entry_and_its_dust_goes_to_the_dust_account(desk: Desk) -> None:
    desk.give(ANN, USDC, 70)
    desk.give(ANN, AUSDC, 9_999)
    desk.give(ANN, WETH, 12_345)
    entries = desk.book.entry_count
    returned = now(capital_of(desk).bring_home(ANN, frame(0)))

    assert returned == desk.units(POOL, USDC) == 70
    assert dict(desk.book.balances(DUST)) == {AUSDC: 9_999, WETH: 12_345}
    assert dict(desk.book.balances(available(ANN))) == {}
    assert desk.book.entry_count == entries + 1
