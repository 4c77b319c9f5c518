"""
One agent in ten dies at every turn: nobody else may notice.

Here sixty agents; `benchmarks/isolation.py` does the same with a thousand. Rounds are off, as they divide
anew what the dead left, and so is the common-cause rule, as it would reduce what everybody may do.
"""

from functools import cache

import pytest

from tests.integration.storms import AS_SHIPPED, NEVER, WITHOUT_END, Course, weather
from treasury_actors.actors.policy import SupervisionPolicy

AGENTS, FRAMES = 60, 96
VICTIMS = AGENTS // 10
ROUND = 48


@cache
def calm(round_turns: int = NEVER) -> Course:
    return weather(AGENTS, FRAMES, storm=False, policy=WITHOUT_END, round_turns=round_turns)


@pytest.fixture(scope="module")
def endless() -> Course:
    return weather(AGENTS, FRAMES, storm=True, policy=WITHOUT_END)


def test_i12_siblings_of_agents_that_die_at_every_turn_do_what_they_would_have_done(endless: Course) -> None:
    assert (calm().crashes, endless.crashes) == (0, VICTIMS * (FRAMES + 1))
    assert len(endless.doings) == AGENTS - VICTIMS
    assert sum(count > 1 for count in calm().counts.values()) > AGENTS // 2, "most of them trade"
    assert endless.doings == calm().doings
    assert endless.balances == calm().balances


def test_who_dies_at_every_turn_is_restarted_at_every_turn_while_its_budget_lasts(endless: Course) -> None:
    assert (endless.quarantined, endless.living) == (0, AGENTS)


def test_i12_siblings_do_not_notice_that_victims_are_quarantined_and_sold() -> None:
    storm = weather(AGENTS, FRAMES, storm=True, policy=AS_SHIPPED)

    assert (storm.quarantined, storm.living) == (VICTIMS, AGENTS - VICTIMS)
    assert storm.crashes == VICTIMS * SupervisionPolicy().crashes_max
    assert storm.doings == calm().doings
    assert storm.balances == calm().balances


def test_with_rounds_a_storm_does_reach_the_siblings() -> None:
    """So the comparisons above can fail: a round divides among all what is left."""
    storm = weather(AGENTS, FRAMES, storm=True, policy=AS_SHIPPED, round_turns=ROUND)

    assert storm.balances != calm(ROUND).balances
