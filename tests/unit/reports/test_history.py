"""What one pass over a journal finds."""

from dataclasses import replace

import pytest

from tests.unit.reports.diary import AUSDC, ETH, USDC, WETH, Diary, generated, lived, relabelled
from treasury_actors.errors import DataError
from treasury_actors.ids import AgentId
from treasury_actors.ledger.model import GAS
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.reports.historian import history_of
from treasury_actors.reports.history import rejections
from treasury_actors.trading.model.order import OrderEnded, OrderFilled, OrderRefused
from treasury_actors.trading.model.valuation import nav_micro_usd
from treasury_actors.wiring.fold import Fold

CASH = 1_000_000_000  # 1,000 USDC


def test_a_deposit_is_capital_and_no_gain() -> None:
    diary = Diary(generated(3))
    diary.deposit(USDC, CASH)
    diary.go(30)
    diary.deposit(USDC, 5 * CASH)
    diary.close()

    history = diary.history()

    value = nav_micro_usd(MAINNET, [(USDC, CASH)], diary.season.frame(0))
    assert history.invested_micro_usd == value + nav_micro_usd(
        MAINNET, [(USDC, 5 * CASH)], diary.season.frame(30)
    )
    assert abs(history.course.return_ratio) < 0.01
    assert history.last_frame == 71
    assert len(history.nav_micro_usd) == len(history.exit_nav_micro_usd) == 72


def test_a_withdrawal_is_no_loss() -> None:
    diary = Diary(generated(3))
    diary.deposit(USDC, 4 * CASH)
    diary.go(40)
    diary.withdraw(USDC, 3 * CASH)
    diary.close()

    history = diary.history()

    assert history.withdrawn_micro_usd == nav_micro_usd(MAINNET, [(USDC, 3 * CASH)], diary.season.frame(40))
    assert abs(history.gain_micro_usd) < 40_000_000
    assert history.course.max_drawdown_ratio < 0.01


def test_an_agents_gain_is_its_nav_and_returns_minus_what_it_was_given() -> None:
    diary = Diary(generated(3))
    diary.deposit(USDC, 2 * CASH)
    diary.deposit(ETH, 10**18, GAS)
    diary.bear("trend-0001", CASH)
    diary.convert("trend-0001", "USDC>WETH@uniswap-v3", CASH // 2)
    diary.go(24)
    diary.give_back("trend-0001", CASH // 4)
    diary.close()

    agent = diary.history().agents[AgentId("trend-0001")]

    first, middle, last = (diary.season.frame(index) for index in (0, 24, 71))
    weth = agent.course.nav_micro_usd - nav_micro_usd(MAINNET, [(USDC, CASH // 4)], last)
    assert weth > 0
    assert agent.trades == 1
    assert agent.allotted_micro_usd == nav_micro_usd(MAINNET, [(USDC, CASH)], first)
    assert abs(agent.returned_micro_usd - nav_micro_usd(MAINNET, [(USDC, CASH // 4)], middle)) <= 1
    assert agent.pnl_micro_usd == (
        agent.course.nav_micro_usd + agent.returned_micro_usd - agent.allotted_micro_usd
    )


def test_an_agents_return_does_not_change_when_capital_comes_and_goes() -> None:
    def returned(raise_units: int) -> float:
        diary = Diary(generated(4))
        diary.deposit(USDC, 100 * CASH)
        diary.deposit(ETH, 10**18, GAS)
        diary.bear("idle_cash-0001", CASH)
        diary.go(24)
        if raise_units:
            diary.allot("idle_cash-0001", raise_units)
        diary.close()
        return diary.history().agents[AgentId("idle_cash-0001")].course.return_ratio

    assert returned(50 * CASH) == pytest.approx(returned(0), abs=1e-9)


def test_the_dead_are_kept_with_what_they_made() -> None:
    diary = Diary(generated(3))
    diary.deposit(USDC, 2 * CASH)
    diary.deposit(ETH, 10**18, GAS)
    diary.bear("trend-0001", CASH)
    diary.bear("trend-0002", CASH)
    bought = diary.convert("trend-0001", "USDC>WETH@uniswap-v3", CASH)
    diary.go(10)
    back = diary.convert("trend-0001", "WETH>USDC@uniswap-v3", bought)
    diary.give_back("trend-0001", back)
    diary.retire("trend-0001")
    diary.close()

    history = diary.history()

    assert [agent.born.agent for agent in history.dead] == ["trend-0001"]
    assert [agent.born.agent for agent in history.living] == ["trend-0002"]
    dead = history.dead[0]
    assert dead.course.nav_micro_usd == 0
    assert dead.costs.total_micro_usd > 0
    assert dead.pnl_micro_usd == dead.returned_micro_usd - dead.allotted_micro_usd


def test_a_journal_of_other_data_has_no_history_of_this_season() -> None:
    diary = Diary(generated(3))

    with pytest.raises(DataError, match="no season"):
        history_of(diary.records(), generated(3, seed=2), lending_asset=AUSDC)


def test_an_unfinished_season_ends_at_the_frame_it_was_played_to() -> None:
    diary = Diary(generated(3))
    diary.deposit(USDC, CASH)
    diary.go(5)
    diary.bear("idle_cash-0001", CASH)

    assert diary.history().last_frame == 5
    assert history_of(diary.records(), diary.season, lending_asset=AUSDC, last_frame=9).last_frame == 9


def test_a_lived_season_has_the_same_courses_as_the_guardian_followed() -> None:
    season, records, _ = lived(30, 12)
    fold = Fold(season=season, lending_benchmark=AUSDC)
    for recorded in records:
        fold.add(recorded)
    fold.finish()

    history = history_of(records, season, lending_asset=AUSDC)

    assert len(history.fills) == sum(isinstance(r.event, OrderFilled) for r in records) > 20
    assert history.events == len(records)
    assert history.head_hash == records[-1].hash
    assert history.imbalances == ()
    assert len(history.living) == len(fold.records.roster.living())
    for agent in history.living:
        assert agent.course.index == pytest.approx(fold.marks.of(agent.born.agent).index, abs=1e-6)


def test_everything_the_treasury_gained_was_made_by_an_agent_or_by_its_own_cash() -> None:
    season, records, _ = lived(30, 12)
    history = history_of(records, season, lending_asset=AUSDC)

    made = sum(agent.pnl_micro_usd for agent in history.agents.values())

    own = history.gain_micro_usd - made
    gas_money = next(flow for flow in history.flows if flow.asset == ETH)
    last = season.frame(history.last_frame)
    ether = nav_micro_usd(MAINNET, [(ETH, history.held_at_end[ETH])], last) - gas_money.value_micro_usd
    charged = history.costs.gas_micro_usd
    assert own == pytest.approx(ether + charged, abs=100_000_000), "what is left is idle USDC that drifted"
    assert history.nav_micro_usd[-1] == history.invested_micro_usd + history.gain_micro_usd


def test_an_order_that_was_partly_done_is_not_counted_as_rejected() -> None:
    season, records, _ = lived(30, 12)
    history = history_of(records, season, lending_asset=AUSDC)

    counted = rejections(history)

    refused = sum(isinstance(r.event, OrderRefused) for r in records)
    ended = [r.event for r in records if isinstance(r.event, OrderEnded)]
    assert sum(isinstance(r, OrderRefused) for _, r in counted) == refused
    assert sum(isinstance(r, OrderEnded) for _, r in counted) == sum(e.hop == 0 for e in ended)


def test_gas_money_and_pool_belong_to_the_treasury_alone() -> None:
    diary = Diary(generated(3))
    diary.deposit(USDC, CASH)
    diary.deposit(ETH, 10**18, GAS)
    diary.close()

    history = diary.history()

    assert history.agents == {}
    assert history.held_at_end == {ETH: 10**18, USDC: CASH}
    assert history.idle_units == CASH
    assert WETH not in history.held_at_end


def test_each_season_of_a_journal_has_its_own_history() -> None:
    """The first ends with other money than the second begins with; the second sweeps what is left."""
    first, second = generated(2), relabelled(generated(2, seed=2), "GENERATED", later_h=1_000)
    diary = Diary(first)
    diary.deposit(USDC, 3 * CASH)
    diary.deposit(ETH, 10**18, GAS)
    diary.bear("trend-0001", CASH)
    diary.convert("trend-0001", "USDC>WETH@uniswap-v3", CASH)
    diary.close()
    alone = diary.history()

    diary.next_season(second)
    diary.sweep()
    diary.deposit(USDC, 5 * CASH)
    diary.bear("trend-0002", 2 * CASH)
    diary.go(20)
    diary.deposit(USDC, CASH)
    diary.close()

    before = history_of(diary.records(), first, lending_asset=AUSDC)
    after = history_of(diary.records(), second, lending_asset=AUSDC)

    assert replace(before, entries=0, events=0, head_hash="", data_hashes=()) == replace(
        alone, entries=0, events=0, head_hash="", data_hashes=()
    )
    assert [*after.agents] == ["trend-0002"]
    assert [flow.kind for flow in after.flows] == ["deposit", "deposit"]
    assert after.withdrawn_micro_usd == 0
    assert abs(after.gain_micro_usd) < 30_000_000
    assert after.fills == ()
    assert before.data_hashes == (first.data_hash, second.data_hash)


def test_what_nobody_swept_is_carried_over_as_capital() -> None:
    first, second = generated(2), relabelled(generated(2, seed=2), "GENERATED", later_h=1_000)
    diary = Diary(first)
    diary.deposit(USDC, 3 * CASH)
    diary.close()
    diary.next_season(second)
    diary.close()

    history = diary.history()

    assert [(flow.kind, flow.units) for flow in history.flows] == [("carried", 3 * CASH)]
    assert abs(history.gain_micro_usd) < 30_000_000
