"""A thousand seeds of faults at every test run: none breaks a promise, together they reach every state."""

import pytest

from tests.simulation.settings import SETTING
from treasury_actors.faults.campaign import run_campaign

SEEDS = 1_000


@pytest.mark.slow
@pytest.mark.timeout(1_500)
def test_a_thousand_seeds_break_no_promise_and_reach_every_state_they_are_there_for() -> None:
    campaign = run_campaign(range(1, SEEDS + 1), SETTING, jobs=2, shrinks_max=1)

    assert [(broken.command, broken.detail) for broken in campaign.broken] == []
    assert campaign.never_reached == ()
    assert campaign.with_faults >= 0.8 * SEEDS
    assert campaign.passed
