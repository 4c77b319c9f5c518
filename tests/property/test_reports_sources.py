"""However a treasury traded: what its owners made of its assets, by source, is its gain and nothing else."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.test_reports_attribution import AGENT, Step, steps, traded
from treasury_actors.ids import AgentId, AssetId
from treasury_actors.market.model.frame import Season
from treasury_actors.reports.history import History
from treasury_actors.reports.sources import by, total

NEAR = 12
"""Micro-dollars that a line may be rounded by, all its cells together."""


@settings(max_examples=40)
@given(moves=steps, seed=st.integers(1, 3))
def test_the_lines_are_the_gain_at_every_level(moves: list[Step], seed: int) -> None:
    _, history = traded(moves, seed)
    lines = history.sources
    assert sum(line.micro_usd for line in lines) == history.gain_micro_usd
    for key in ("stage", "agent", "asset", "source"):
        levels = by(lines, lambda line, key=key: str(getattr(line, key)))  # type: ignore[misc]
        assert sum(total(sums) for sums in levels.values()) == history.gain_micro_usd


@settings(max_examples=40)
@given(moves=steps, seed=st.integers(1, 3))
def test_rounding_is_no_hiding_place(moves: list[Step], seed: int) -> None:
    _, history = traded(moves, seed)
    rounding = sum(line.micro_usd for line in history.sources if line.source == "rounding")
    cells = len(history.sources) + len(history.flows) + len(history.held_at_end)
    assert abs(rounding) <= cells


@settings(max_examples=25)
@given(moves=steps, seed=st.integers(1, 3))
def test_costs_are_those_of_the_fills_and_yields_what_share_tokens_grew_by_frame_by_frame(
    moves: list[Step], seed: int
) -> None:
    diary, history = traded(moves, seed)
    made = by(history.sources, lambda line: line.source)
    assert total(made.get("swap fees", {})) == -history.costs.fee_micro_usd
    assert total(made.get("impact", {})) == -history.costs.impact_micro_usd
    assert abs(total(made.get("gas", {})) + history.costs.gas_micro_usd) <= len(history.fills) + NEAR
    assert abs(total(made.get("slippage", {}))) <= 4 * len(history.fills) + NEAR
    frames = history.last_frame * len(history.held_at_end)
    assert abs(total(made.get("yield", {})) - _grown(diary.season, history)) <= frames + NEAR


@settings(max_examples=25)
@given(moves=steps, seed=st.integers(1, 3))
def test_an_agent_made_what_its_capital_became(moves: list[Step], seed: int) -> None:
    _, history = traded(moves, seed)
    made = by(history.sources, lambda line: line.agent or "")
    agent = history.agents[AgentId(AGENT)]
    assert abs(total(made.get(AGENT, {})) - agent.pnl_micro_usd) <= len(history.held_at_end) + NEAR


def _grown(season: Season, history: History) -> float:
    """Return what was earned by holding share tokens from each frame to the next, in micro-dollars."""
    universe, changes = season.universe, dict(history.holdings)
    held: Mapping[AssetId, int] = {}
    earned = 0.0
    for index in range(1, history.last_frame + 1):
        held = changes.get(index - 1, held)
        before, frame = season.frame(index - 1), season.frame(index)
        for asset, units in held.items():
            column = universe.column[asset]
            if universe.by_id[asset].underlying is not None and frame.share_prices[column]:
                growth = 1.0 - before.share_prices[column] / frame.share_prices[column]
                earned += universe.by_id[asset].value_micro_usd(units, frame.ticks[column]) * growth
    return earned
