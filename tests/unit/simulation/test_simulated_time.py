"""A season that has passed knows no clock of the host."""

from dataclasses import replace
from math import inf

from treasury_actors.clock import VirtualClock
from treasury_actors.settings.file import Settings
from treasury_actors.simulation.plan import prepare
from treasury_actors.simulation.run import in_simulated_time


def test_a_pause_of_the_host_is_no_event_of_a_backtest() -> None:
    settings = Settings.model_validate({"season": {"days": 1, "warmup_h": 0}, "arena": {"agents": 1}})
    plan = prepare(settings.model_copy(), clock=VirtualClock(0)).plan
    live, simulated = plan.rules(7).supervision, in_simulated_time(plan).rules(7).supervision

    assert live.pause_s == 2.0
    assert simulated.pause_s == inf
    assert replace(simulated, pause_s=live.pause_s) == live, "nothing else is changed"
