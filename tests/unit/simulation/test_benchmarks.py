"""What the treasury would have become without an arena, in a process of its own."""

import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.simulation.houses import SHIPPED, house_rules, play, world
from treasury_actors.agents.adapters.strategy_template import new_strategy
from treasury_actors.arena.model.events import AgentBorn
from treasury_actors.errors import ConfigError
from treasury_actors.simulation.benchmarks import (
    BenchmarkFault,
    BenchmarkJob,
    BenchmarkWorker,
    compute_benchmarks,
    first_genomes,
    random_genomes,
    run_benchmarks_in_worker,
)
from treasury_actors.simulation.recipe import SeasonRecipe

ROOT = Path(__file__).parents[3]
JOB = BenchmarkJob(recipe=SeasonRecipe(seed=3, days=3, warmup_h=2_880), rules=house_rules())


async def test_equal_agents_are_the_genomes_that_the_arena_deals() -> None:
    for warmup_h in (2_880, 600):
        season = world(days=1, warmup_h=warmup_h)
        played = await play(season, JOB.rules, frames=1)

        born = [event for record in played.events if isinstance(event := record.event, AgentBorn)]
        dealt = first_genomes(SHIPPED, JOB.rules, season.warmup_count)
        assert [(b.family, b.genes) for b in born] == [(genome.family, genome.genes) for genome in dealt]


def test_random_agents_are_others_of_the_same_families() -> None:
    first, other = (deal(SHIPPED, JOB.rules, 2_880) for deal in (first_genomes, random_genomes))

    assert [genome.family for genome in other] == [genome.family for genome in first]
    assert not set(other) & {genome for genome in first if genome.family != "idle_cash"}


def test_a_worker_computes_what_this_process_computes() -> None:
    assert run_benchmarks_in_worker(JOB) == compute_benchmarks(JOB, world(days=3))


async def test_the_loop_goes_on_while_a_worker_computes() -> None:
    with BenchmarkWorker(JOB) as worker:
        benchmarks = await worker.result()

    assert benchmarks.equal_agents != benchmarks.random_agents
    paths = (benchmarks.equal_agents.path_micro_usd, benchmarks.random_agents.path_micro_usd)
    assert len(paths[0]) == len(paths[1]) == 72
    assert paths[0][0] == paths[1][0]


def test_a_strategy_of_the_user_is_among_the_agents(tmp_path: Path) -> None:
    path = tmp_path / "my_idea.py"
    path.write_text(new_strategy("my_idea"))

    with_it = run_benchmarks_in_worker(replace(JOB, strategies=(path,)))

    assert with_it.equal_agents != compute_benchmarks(JOB).equal_agents


def test_what_is_wrong_is_said_in_the_words_of_the_worker(tmp_path: Path) -> None:
    job = replace(JOB, strategies=(tmp_path / "absent.py",))

    with pytest.raises(ConfigError, match=r"absent\.py: no strategy file"):
        run_benchmarks_in_worker(job)


def test_a_worker_that_is_killed_is_a_fault() -> None:
    with BenchmarkWorker(JOB) as worker:
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(BenchmarkFault, match="exit -9"):
            worker.wait()


def test_a_worker_that_nobody_waits_for_is_ended() -> None:
    with BenchmarkWorker(JOB):
        pass

    assert multiprocessing.active_children() == []


PARENT = """
from tests.unit.simulation.test_benchmarks import JOB
from treasury_actors.simulation.benchmarks import BenchmarkWorker
from dataclasses import replace

if __name__ == "__main__":
    recipe = replace(JOB.recipe, days=3_000)
    worker = BenchmarkWorker(replace(JOB, recipe=recipe))
    print(worker.pid, flush=True)
    worker.wait()
"""


def test_a_worker_dies_with_its_parent(tmp_path: Path) -> None:
    """A process inherits its parent's output: that ends when the last who holds it is gone."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env=environment, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
        assert parent.stdout.read() == b""
