"""A slice of the campaign, with every schedule; what fails here prints the command that plays it again."""

from dataclasses import replace

import pytest

from tests.simulation.settings import SETTING
from treasury_actors.faults.campaign import run_campaign
from treasury_actors.faults.kinds import Fault
from treasury_actors.faults.mutants import MUTANTS
from treasury_actors.faults.plan import draw_plan
from treasury_actors.faults.planting import planted
from treasury_actors.faults.seed import play

SLICE = 40


def test_a_slice_of_seeds_breaks_no_promise() -> None:
    campaign = run_campaign(range(1, SLICE + 1), SETTING, shrinks_max=1)

    assert [(broken.command, broken.detail) for broken in campaign.broken] == []
    assert campaign.with_faults >= 0.8 * SLICE
    assert campaign.lives > SLICE


def test_the_same_seed_gives_the_same_trace_and_another_seed_another() -> None:
    first, second, other = (play(draw_plan(seed), SETTING) for seed in (5, 5, 6))

    assert first.trace_hash == second.trace_hash != other.trace_hash
    assert first.head_hash == second.head_hash


def test_two_processes_that_share_the_work_come_to_the_same_trace() -> None:
    alone, shared = (run_campaign(range(1, 9), SETTING, jobs=jobs) for jobs in (1, 2))

    assert alone.trace_hash == shared.trace_hash
    assert alone.sometimes == shared.sometimes
    assert alone.events == shared.events


def test_a_violation_crosses_from_one_process_to_another() -> None:
    with planted(MUTANTS["fitness-not-recorded"]):
        campaign = run_campaign(range(1, 4), SETTING, jobs=2, shrinks=False)

    assert [broken.invariant for broken in campaign.broken] == ["I16", "I16", "I16"]


def test_a_failing_seed_is_made_small_and_said_as_one_command() -> None:
    with planted(MUTANTS["overdraft-allowed"]):
        campaign = run_campaign(range(1, 30), SETTING, shrinks_max=1, heard=lambda r: r.violation is None)
        broken = campaign.broken[0]
        assert broken.shrunk is not None
        again = play(broken.shrunk.plan, SETTING)

    assert broken.invariant == "I3"
    assert broken.shrunk.plan.kinds == ("withdrawal",)
    assert broken.command.startswith(
        f"python run.py faults --seeds {broken.seed}..{broken.seed} --only withdrawal"
    )
    assert again.violation is not None
    assert again.violation.invariant == "I3"
    assert not campaign.passed


def test_a_long_campaign_that_left_a_state_out_fails_and_a_short_one_says_so() -> None:
    campaign = run_campaign(range(1, 3), SETTING)

    assert campaign.never_reached
    assert campaign.passed


@pytest.mark.parametrize("schedule", ["fifo", "jitter", "hostile"])
def test_a_seed_without_faults_ends_the_same_in_any_order(schedule: str) -> None:
    plan = next(
        plan for plan in map(draw_plan, range(1, 1_000)) if not plan.faults and plan.schedule == schedule
    )
    lived = play(plan, SETTING, with_twin=False)
    alone = play(plan.world_alone(), SETTING, with_twin=False)

    assert lived.violation is None
    assert lived.head_hash == alone.head_hash


def test_a_restart_while_receipts_are_late_changes_nothing_that_is_decided() -> None:
    """Seed 3164 of a campaign: who lived on decided on the books from before its order was held."""
    late = Fault(kind="venue-delay", turn=12, turns=5, slot=16_189, number=28_143)
    kill = Fault(kind="kill", turn=16, turns=1, slot=30_792, number=54_210)
    plan = replace(draw_plan(3_164), faults=(late, kill), schedule="fifo", turns=30)
    undisturbed = play(plan.world_alone(), SETTING, with_twin=False)
    killed = play(plan, SETTING, with_twin=False)

    assert (killed.violation, undisturbed.violation) == (None, None)
    assert killed.injected["kill"] == 1
    assert killed.head_hash == undisturbed.head_hash
