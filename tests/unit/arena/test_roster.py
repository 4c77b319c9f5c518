"""The roster is a fold: who lives, what they were given, and what became of the dead."""

from tests.unit.trading.desk import ANN, BOB, mandate
from treasury_actors.agents.messages import StateRecorded
from treasury_actors.arena.model.events import (
    AgentBorn,
    AgentClosed,
    AgentCrashed,
    AgentQuarantined,
    AgentRestarted,
    AgentRetired,
    FitnessRecorded,
    RoundHeld,
    SeasonClosed,
    SeasonOpened,
)
from treasury_actors.arena.model.roster import Roster
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.ids import AgentId, FamilyId, GenomeId
from treasury_actors.money import MICRO_USD


def born(agent: AgentId, turn: int = 0) -> AgentBorn:
    return AgentBorn(
        agent=agent,
        number=1,
        family=FamilyId("trend"),
        genes=(1, 2),
        genome=GenomeId("g"),
        turn=turn,
        generation=0,
        parents=(),
        operator="initial",
    )


def roster_of(*events: object) -> Roster:
    roster = Roster()
    for event in events:
        roster.apply(event)
    return roster


def test_a_life_goes_from_living_over_closing_to_closed() -> None:
    roster = roster_of(born(BOB), born(ANN), mandate(ANN), mandate(BOB))
    assert [member.born.agent for member in roster.living()] == [ANN, BOB]
    roster.apply(AgentRetired(agent=ANN, turn=5, reason="old"))
    roster.apply(mandate(ANN, "closing"))
    assert [member.born.agent for member in roster.closing()] == [ANN]
    assert [given.agent for given in roster.mandates()] == [ANN, BOB]
    roster.apply(AgentClosed(agent=ANN, turn=6, returned_units=7))
    roster.apply(mandate(ANN, "closed"))

    assert [member.born.agent for member in roster.living()] == [BOB]
    assert roster.closing() == []
    assert [given.agent for given in roster.mandates()] == [BOB]
    assert (roster.births, roster.deaths) == (2, 1)


def test_crashes_and_quarantines_are_remembered_but_are_no_part_of_the_state_hash() -> None:
    quiet = roster_of(born(ANN), mandate(ANN))
    noisy = roster_of(
        born(ANN),
        mandate(ANN),
        AgentCrashed(agent=ANN, turn=1, cause="x", message="y"),
        AgentRestarted(agent=ANN, turn=1),
        AgentQuarantined(agent=ANN, turn=2, crashes=5),
    )

    assert noisy.canonical() == quiet.canonical()
    assert (noisy.crashes, noisy.restarts, noisy.quarantined) == (1, 1, 1)
    assert noisy.members[ANN].crashes == 1
    assert noisy.members[ANN].quarantined == AgentQuarantined(agent=ANN, turn=2, crashes=5)


def test_the_last_state_and_the_last_fitness_hold() -> None:
    roster = roster_of(
        born(ANN),
        StateRecorded(agent=ANN, turn=1, state=(1.0,)),
        StateRecorded(agent=ANN, turn=24, state=(2.0,)),
        FitnessRecorded(agent=ANN, turn=168, key="k", value_ppb=5, se_ppb=1, blocks=4),
        FitnessRecorded(agent=ANN, turn=336, key="k", value_ppb=None, se_ppb=0, blocks=4),
    )

    assert roster.members[ANN].last_record == StateRecorded(agent=ANN, turn=24, state=(2.0,))
    assert roster.members[ANN].fitness_ppb is None


def test_rounds_and_generations_begin_anew_with_a_season() -> None:
    opened = SeasonOpened(
        season=2,
        seed=1,
        label="GENERATED",
        source="test",
        data_hash="d",
        config_hash="c",
        start_ns=0,
        frames=1,
        population=1,
    )
    held = RoundHeld(
        number=1,
        turn=168,
        generation=1,
        births=1,
        deaths=1,
        rebalanced=True,
        total_units=10,
        reserve_units=1,
        paid_units=0,
        due_units=0,
    )
    roster = roster_of(held, SeasonClosed(season=1, turn=200))
    assert (roster.generations, len(roster.rounds), roster.closed_season) == (1, 1, 1)
    roster.apply(opened)

    assert (roster.generations, roster.rounds, roster.season) == (0, [], opened)


def test_arena_wide_turnover_is_divided_by_capital() -> None:
    """I12: shares are fixed at a round, so until the next nobody's limit depends on another's trades."""
    rules = ArenaRules(seed=1, stage="sim", population=50, capital_usd=500_000, gas_usd=5_000)
    total = 2_000_000 * MICRO_USD

    def turnover_max(capital: int, of: int) -> int:
        return rules.limits_for(capital, of, gas_wei=0, gas_round=0).turnover_micro_usd_max

    small, large = (turnover_max(usd * MICRO_USD, total) for usd in (10_000, 1_000_000))

    assert small == 7_500 * MICRO_USD  # a 200th of the arena's 1.5 million
    assert large == 750_000 * MICRO_USD
    assert turnover_max(10_000 * MICRO_USD, 20_000 * MICRO_USD) == 30_000 * MICRO_USD
    assert turnover_max(0, 0) == 0
