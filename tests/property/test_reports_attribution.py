"""However a treasury traded: the parts of its gain sum to the gain, and the rest is no hiding place."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.reports.diary import ETH, POOL, USDC, Diary, generated
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.ledger.model import GAS
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.reports.attribution import attribute
from treasury_actors.reports.history import History
from treasury_actors.trading.model.costs import quote
from treasury_actors.trading.model.valuation import nav_micro_usd

AGENT = "test-0001"
CASH = 50_000_000_000

Step = tuple[int, int, int, int]
steps = st.lists(
    st.tuples(
        st.integers(0, 20),  # frames to go on
        st.integers(0, len(MAINNET.conversions) - 1),
        st.integers(1, 100),  # percent of what is held
        st.integers(0, 9),  # 0 deposits, 1 withdraws, the rest convert
    ),
    max_size=25,
)


def traded(moves: list[Step], seed: int) -> tuple[Diary, History]:
    """Return a journal in which an agent converted whatever it had."""
    diary = Diary(generated(4, seed=seed))
    diary.deposit(USDC, 3 * CASH)
    diary.deposit(ETH, 10**18, GAS)
    diary.bear(AGENT, CASH)
    held: dict[AssetId, int] = {USDC: CASH}
    for onward, column, percent, what in moves:
        diary.go(min(diary.frame.index + onward, diary.season.frame_count - 1))
        if what == 0:
            diary.deposit(USDC, CASH * percent // 100)
        elif what == 1:
            diary.withdraw(USDC, CASH * percent // 10_000 + 1, POOL)
        else:
            step = MAINNET.conversions[column]
            units = held.get(step.source, 0) * percent // 100
            bought = quote(MAINNET, step, units, diary.frame) if units else None
            if bought is not None:
                diary.convert(AGENT, step.id, units)
                held[step.source] -= bought.given_units
                held[step.target] = held.get(step.target, 0) + bought.taken_units
    diary.close()
    return diary, diary.history()


@settings(max_examples=40)
@given(moves=steps, seed=st.integers(1, 3))
def test_the_parts_sum_to_the_gain_and_the_gain_is_nav_net_of_flows(moves: list[Step], seed: int) -> None:
    diary, history = traded(moves, seed)

    attribution = attribute(history, diary.season)

    assert sum(micro for _, micro in attribution.parts) == attribution.gain_micro_usd
    flows = sum(flow.value_micro_usd for flow in history.flows)
    assert attribution.gain_micro_usd == history.nav_micro_usd[-1] - flows


@settings(max_examples=25)
@given(moves=steps, seed=st.integers(1, 3))
def test_market_gains_counted_frame_by_frame_leave_only_rounding(moves: list[Step], seed: int) -> None:
    """Beta, yield and price together are what holdings gained between frames; a fill rounds a little."""
    diary, history = traded(moves, seed)
    attribution = attribute(history, diary.season)

    market, changes = 0, dict(history.holdings)
    held: dict[AssetId, int] = {}
    for index in range(history.last_frame + 1):
        if index:
            before, frame = diary.season.frame(index - 1), diary.season.frame(index)
            market += nav_micro_usd(MAINNET, held.items(), frame) - nav_micro_usd(
                MAINNET, held.items(), before
            )
        held = dict(changes.get(index, held))

    claimed = attribution.beta_micro_usd + attribution.yield_micro_usd + attribution.price_micro_usd
    assert abs(claimed - market) <= 6 * (len(history.fills) + len(history.flows))


@settings(max_examples=25)
@given(moves=steps, seed=st.integers(1, 3))
def test_what_agents_and_treasury_own_is_all_there_is(moves: list[Step], seed: int) -> None:
    diary, history = traded(moves, seed)
    last = diary.season.frame(history.last_frame)
    agent = history.agents[AgentId(AGENT)]

    rest = {ETH: history.held_at_end.get(ETH, 0), USDC: history.idle_units}
    total = agent.course.nav_micro_usd + nav_micro_usd(MAINNET, rest.items(), last)

    assert abs(total - history.nav_micro_usd[-1]) <= len(MAINNET.assets)
