"""Who made what, by source: of a house that lived, and in cases one can check by hand."""

from tests.unit.reports.diary import AUSDC, ETH, POOL, USDC, WETH, Diary, context, generated, lived
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.ledger.model import GAS, GAS_BURNT, RESERVE, available, pool, transfer, venue
from treasury_actors.reports.historian import history_of
from treasury_actors.reports.sources import TREASURY, by, by_agent, by_asset, by_stage, total
from treasury_actors.reports.summarise import summarise
from treasury_actors.reports.tables import sources_csv

AGENT = "test-0001"
CASH = 10_000_000_000


def test_the_lines_of_a_lived_season_are_its_gain_for_every_agent_stage_and_asset() -> None:
    season, records, state_hash = lived(30, 12)
    history = history_of(records, season, lending_asset=AUSDC)
    made = by_agent(history.sources)

    for level in (by_agent, by_asset, by_stage):
        assert sum(total(sums) for sums in level(history.sources).values()) == history.gain_micro_usd
    assert by_stage(history.sources).keys() == {"sim", TREASURY}
    assert made.keys() - {TREASURY} <= history.agents.keys()
    for agent, own in history.agents.items():
        rounded = 2 * own.trades + len(season.universe.assets)
        assert abs(total(made.get(agent, {})) - own.pnl_micro_usd) <= rounded
    summary = summarise(history, season, context(state_hash=state_hash))
    rows = sources_csv(summary).splitlines()[1:]
    told = sum(int(row.rpartition(",")[2].replace(".", "")) for row in rows)
    assert told == history.gain_micro_usd


def test_gas_that_an_agent_was_charged_is_no_loss_of_the_treasury() -> None:
    diary = Diary(generated(2))
    diary.deposit(USDC, CASH)
    diary.deposit(ETH, 10**18, GAS)
    diary.bear(AGENT, CASH)
    own = available(AgentId(AGENT))
    diary.post("release", (*transfer(own, RESERVE, USDC, 2_000_000), *transfer(GAS, GAS_BURNT, ETH, 10**14)))
    diary.close()

    gas = {name: sums.get("gas", 0) for name, sums in by_agent(diary.history().sources).items()}

    eth, usdc = (_worth(diary, asset, units, frame=0) for asset, units in ((ETH, 10**14), (USDC, 2_000_000)))
    assert abs(gas[AGENT] + usdc) <= 1
    assert abs(gas[TREASURY] - (usdc - eth)) <= 1


def test_what_a_fill_brought_less_than_its_fee_and_impact_explain_is_slippage() -> None:
    diary = Diary(generated(2))
    diary.deposit(USDC, CASH)
    diary.deposit(ETH, 10**18, GAS)
    diary.bear(AGENT, CASH)
    diary.convert(AGENT, "USDC>WETH@uniswap-v3", CASH // 2)
    own = available(AgentId(AGENT))
    diary.post("reverse", transfer(own, venue("uniswap-v3"), WETH, 10**15))  # somebody stood between
    diary.close()

    made = by(diary.history().sources, lambda line: f"{line.agent or TREASURY} {line.asset}")[f"{AGENT} WETH"]

    lost = _worth(diary, WETH, 10**15, frame=0)
    assert abs(made["slippage"] + lost) <= 4
    assert made["swap fees"] < 0


def test_an_agent_stands_on_the_stage_whose_pool_paid_it() -> None:
    diary = Diary(generated(2))
    diary.deposit(USDC, CASH, pool("main"))
    diary.deposit(USDC, CASH, POOL)
    diary.bear(AGENT)
    diary.post("allot", transfer(pool("main"), available(AgentId(AGENT)), USDC, CASH))
    diary.close()

    assert {line.stage for line in diary.history().sources if line.agent} <= {"main"}


def _worth(diary: Diary, asset: AssetId, units: int, *, frame: int) -> int:
    universe = diary.season.universe
    known = universe.by_id[asset]
    return known.value_micro_usd(units, diary.season.frame(frame).ticks[universe.column[asset]])
