"""The report on a season that was played: what the journal says, beside what else could have been done."""

from pathlib import Path

from treasury_actors.errors import InvariantViolated
from treasury_actors.journal.ports import Journal
from treasury_actors.reports.summary import RunContext, Summary
from treasury_actors.reports.write import write_reports
from treasury_actors.simulation.benchmarks import BenchmarkJob, Benchmarks
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.run import JOURNAL_NAME, SeasonState
from treasury_actors.wiring.fold import Records


def benchmark_job(prepared: Prepared, state: SeasonState | None = None) -> BenchmarkJob:
    """Return what the benchmarks of a season (the first, unless one is given) are computed from."""
    recipe = state.recipe if state else prepared.plan.recipe
    strategy = prepared.manifest.strategy
    return BenchmarkJob(
        recipe=recipe,
        rules=prepared.plan.rules(recipe.seed),
        strategies=(Path(strategy),) if strategy else (),
    )


def replayed_hash(state: SeasonState, journal: Journal) -> str:
    """Fold the journal from nothing; return its state hash, which is the live one's (I7) or a crash."""
    records = Records.empty(state.season.universe)
    for recorded in journal.read():
        records.apply(recorded.event)
    live = state.fold.records.state_hash
    if records.state_hash != live:
        raise InvariantViolated(f"I7: replay gives {records.state_hash}, live is {live}")
    return live


def report_season(
    prepared: Prepared,
    state: SeasonState,
    journal: Journal,
    folder: Path,
    *,
    run_id: str,
    wall_s: float,
    benchmarks: Benchmarks | None,
) -> Summary:
    """Check that a replay of the journal gives the live state; write a season's reports into its folder."""
    state_hash = replayed_hash(state, journal)
    context = RunContext(
        run_id=run_id,
        seed=state.recipe.seed,
        wall_s=wall_s,
        journal_path=str(folder / JOURNAL_NAME),
        state_hash=state_hash,
        replay_hash=state_hash,
        chain=prepared.plan.rules(state.recipe.seed).chain,
        lending_asset=prepared.plan.rules(state.recipe.seed).arena.lending_benchmark,
        notes=state.season.notes,
        spending=prepared.plan.rules(state.recipe.seed).arena.spending,
        equal_agents=benchmarks.equal_agents if benchmarks else None,
        random_agents=benchmarks.random_agents if benchmarks else None,
    )
    return write_reports(folder, records=journal.read(), season=state.season, context=context)
