"""
Fault 1 of the brief: fitness that is out of date when it is used.

Here every fitness of a whole run is computed again in two ways: from a fold of the journal up to that very
event, and from ledger entries and prices alone, by code that shares nothing with the package.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import fsum, log, sqrt

import pytest

from tests.acceptance.houses import Lived, Row, Sums, nav_micro_usd, usual
from treasury_actors.agents.model.fitness import Fitness, FitnessBoard, FitnessKey, evaluate
from treasury_actors.arena.model.events import FitnessRecorded
from treasury_actors.errors import InvariantViolated
from treasury_actors.evolution.model.genome import Genome
from treasury_actors.ids import AgentId, FamilyId
from treasury_actors.wiring.fold import Fold

DAY = 24
FILLS = {"trading.order_released", "trading.order_filled", "trading.order_ended"}


@dataclass
class Diary:
    """One agent's days, from its NAV before and after every flow of capital: exact fractions."""

    base: int = 0
    growth: Fraction = Fraction(1)
    whole: bool = False
    returns: list[Fraction] = field(default_factory=list)

    def flow(self, before: int, after: int, *, at_close: bool) -> None:
        if self.base > 0:
            self.growth *= Fraction(before, self.base)
        if at_close:
            self.whole = after > 0
        elif after == 0:
            self.whole = False
        self.base = after

    def close(self, nav: int, *, first: bool) -> None:
        if self.base > 0:
            self.growth *= Fraction(nav, self.base)
        if self.whole and not first:
            self.returns.append(self.growth - 1)
        self.base, self.growth, self.whole = nav, Fraction(1), nav > 0


def diaries_at_each_fitness(lived: Lived) -> dict[int, list[Fraction]]:
    """Return, by seq of each recorded fitness, the daily returns of its agent up to then."""
    sums, diaries, found = Sums(), dict[str, Diary](), dict[int, list[Fraction]]()
    closed_turn = 0
    for row in lived.tape.rows():
        # The close of a day comes after the fills of its turn and before any capital moves.
        is_fill = row.type in FILLS or row.body.get("kind") in {"settle", "release", "hold"}
        due = row.turn // DAY * DAY
        while closed_turn < due and not (is_fill and closed_turn + DAY == row.turn):
            closed_turn += DAY
            frame = lived.season.frame(closed_turn)
            for agent, diary in diaries.items():
                diary.close(nav_micro_usd(sums.of(agent), frame), first=False)
        match row.type:
            case "arena.agent_born":
                diaries[row.agent] = Diary()
            case "arena.agent_retired":
                diaries.pop(row.agent)
            case "ledger.entry_posted":
                frame = lived.season.frame(row.turn)
                before = nav_micro_usd(sums.of(row.agent), frame) if row.agent else 0
                sums.add(row.body)
                if row.body["kind"] in {"allot", "return"} and row.agent in diaries:
                    after = nav_micro_usd(sums.of(row.agent), frame)
                    diaries[row.agent].flow(before, after, at_close=row.turn % DAY == 0)
            case "arena.fitness_recorded":
                found[row.seq] = list(diaries[row.agent].returns)
            case _:
                pass
    return found


def certainty_equivalent(returns: list[float]) -> float:
    """Return the documented formula, written down a second time from its description."""
    blocks = min(len(returns) // 7, 26)
    values = []
    for block in range(blocks):
        days = returns[len(returns) * block // blocks : len(returns) * (block + 1) // blocks]
        value = peak = 1.0
        drawdown = 0.0
        for change in days:
            value *= 1 + change
            peak = max(peak, value)
            drawdown = max(drawdown, 1 - value / peak)
        mean = fsum(days) / len(days)
        variance = fsum((x - mean) ** 2 for x in days) / (len(days) - 1) * 365
        growth = log(value) * 365 / len(days)
        values.append(max(-10.0, growth - 1.5 * variance - max(0.0, drawdown - 0.15)))
    centre = fsum(values) / blocks
    error = sqrt(fsum((x - centre) ** 2 for x in values) / (blocks - 1)) / sqrt(blocks)
    return centre - error


def fitness_rows(lived: Lived) -> list[Row]:
    return lived.tape.of("arena.fitness_recorded")


def test_every_recorded_fitness_is_that_of_the_record_as_it_is_at_that_event() -> None:
    lived = usual()
    fold = Fold(season=lived.season, lending_benchmark=lived.rules.arena.lending_benchmark)
    checked = 0
    for recorded in lived.journal.read():
        event = recorded.event
        if isinstance(event, FitnessRecorded):
            assert recomputed(fold, event, lived) == event
            checked += 1
        fold.add(recorded)

    assert checked == len(fitness_rows(lived)) > 100


def recomputed(fold: Fold, event: FitnessRecorded, lived: Lived) -> FitnessRecorded:
    """Compute a fitness again from what the journal says before it was recorded."""
    fold.finish()  # all fills of this turn are in
    season = fold.records.roster.season
    assert season is not None
    evaluation = evaluate(
        fold.tracks.of(event.agent),
        canonical_genome=fold.records.roster.members[event.agent].genome.canonical,
        data_hash=season.data_hash,
        cost_model=lived.rules.arena.cost_model,
        frame=event.turn,
    )
    return FitnessRecorded(
        agent=event.agent,
        turn=event.turn,
        key=evaluation.key.digest,
        value_ppb=evaluation.value_ppb if isinstance(evaluation, Fitness) else None,
        se_ppb=evaluation.se_ppb if isinstance(evaluation, Fitness) else 0,
        blocks=evaluation.blocks,
    )


def test_the_daily_returns_behind_a_fitness_follow_from_ledger_entries_and_prices_alone() -> None:
    lived = usual()
    independent = diaries_at_each_fitness(lived)
    fold = Fold(season=lived.season, lending_benchmark=lived.rules.arena.lending_benchmark)
    for recorded in lived.journal.read():
        if isinstance(event := recorded.event, FitnessRecorded):
            fold.finish()
            theirs = fold.tracks.of(event.agent).daily_returns
            assert theirs == pytest.approx([float(x) for x in independent[recorded.seq]], abs=1e-12)
        fold.add(recorded)


def test_a_fitness_is_the_documented_formula_over_all_days_up_to_the_round() -> None:
    lived = usual()
    independent = diaries_at_each_fitness(lived)
    judged = [row for row in fitness_rows(lived) if row.body["value_ppb"] is not None]
    for row in judged:
        returns = [float(x) for x in independent[row.seq]]
        assert row.body["value_ppb"] == pytest.approx(certainty_equivalent(returns) * 1e9, abs=20)

    assert len(judged) > 20


def test_each_round_judges_every_living_agent_before_it_moves_anybodys_capital() -> None:
    lived = usual()
    judged: dict[int, set[str]] = {}
    living: set[str] = set()
    for row in lived.tape.rows():
        match row.type:
            case "arena.agent_born":
                living.add(row.agent)
            case "arena.agent_retired":
                living.discard(row.agent)
            case "arena.fitness_recorded":
                judged.setdefault(row.turn, set()).add(row.agent)
                assert row.agent in living
            case "ledger.entry_posted" if row.body["kind"] in {"allot", "return"} and row.turn in judged:
                newborn = f"allot/{row.agent}/" in row.body["entry_id"] and row.agent in living
                assert row.agent in judged[row.turn] or newborn
            case _:
                pass

    assert sorted(judged) == [row.turn for row in lived.tape.rows("arena.round_held")]


def test_no_agent_has_a_fitness_of_two_rounds_under_one_key() -> None:
    keys = [(row.agent, row.body["key"]) for row in fitness_rows(usual())]

    assert len(set(keys)) == len(keys)


KEY = FitnessKey(
    canonical_genome=Genome(family=FamilyId("trend"), genes=(1,)).canonical,
    data_hash="d",
    born_frame=0,
    last_frame=672,
    fitness_version="certainty_equivalent/1",
    cost_model="base/1",
)
YESTERDAY = FitnessKey(
    canonical_genome=KEY.canonical_genome,
    data_hash="d",
    born_frame=0,
    last_frame=648,
    fitness_version=KEY.fitness_version,
    cost_model=KEY.cost_model,
)
ANN = AgentId("trend-0001")


def fitness_of(key: FitnessKey, frame: int) -> Fitness:
    return Fitness(value_ppb=1, se_ppb=0, key=key, computed_at_frame=frame, blocks=4)


def test_the_board_refuses_yesterdays_fitness() -> None:
    board = FitnessBoard()
    board.expect(ANN, KEY)

    with pytest.raises(InvariantViolated, match="stale fitness of trend-0001"):
        board.record(ANN, fitness_of(YESTERDAY, 672))


def test_the_board_ranks_nobody_while_a_fitness_went_stale() -> None:
    board = FitnessBoard()
    board.expect(ANN, YESTERDAY)
    board.record(ANN, fitness_of(YESTERDAY, 648))
    assert [agent for agent, _ in board.ranking()] == [ANN]

    board.expect(ANN, KEY)  # a day went by
    with pytest.raises(InvariantViolated, match="was not evaluated on its current record"):
        board.ranking()


def test_a_fitness_computed_before_its_record_was_complete_is_refused() -> None:
    board = FitnessBoard()
    board.expect(ANN, KEY)

    with pytest.raises(InvariantViolated, match="before its record was complete"):
        board.record(ANN, fitness_of(KEY, 671))


def test_a_changed_fitness_in_the_journal_would_be_noticed() -> None:
    """The first test can fail: one event with yesterday's value is not what the fold gives."""
    lived = usual()
    fold = Fold(season=lived.season, lending_benchmark=lived.rules.arena.lending_benchmark)
    last_of: dict[AgentId, FitnessRecorded] = {}
    caught = 0
    for recorded in lived.journal.read():
        event = recorded.event
        if isinstance(event, FitnessRecorded):
            before = last_of.get(event.agent)
            if before is not None and event.value_ppb is not None:
                stale = FitnessRecorded(
                    agent=event.agent,
                    turn=event.turn,
                    key=event.key,
                    value_ppb=before.value_ppb,
                    se_ppb=before.se_ppb,
                    blocks=before.blocks,
                )
                caught += recomputed(fold, stale, lived) != stale
            last_of[event.agent] = event
        fold.add(recorded)

    assert caught > 20
