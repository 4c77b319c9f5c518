"""A rehearsal: the proving grounds, deployed by config, on a real node with the real contracts."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treasury_actors.arena.model.graduation import GateRules
from treasury_actors.chain.adapters.registry_check import check_registry, refuse
from treasury_actors.chain.model.registry import LOCAL_CHAIN_ID
from treasury_actors.chain.model.registry_json import registry_to_json
from treasury_actors.chain.model.rpc import result_of
from treasury_actors.chain.model.values import sequence
from treasury_actors.clock import Clock
from treasury_actors.ids import AssetId
from treasury_actors.journal.folder import FolderLock
from treasury_actors.journal.ports import Journal
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.reports.summary import Summary
from treasury_actors.settings.rules import ChainRules
from treasury_actors.simulation.backtest import Progress, check_empty
from treasury_actors.simulation.benchmarks import BenchmarkWorker
from treasury_actors.simulation.following import find_season
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.rehearsal.ground import Ground
from treasury_actors.simulation.rehearsal.local_key import HOUSE_KEY
from treasury_actors.simulation.rehearsal.report import Rehearsed, TradeLog, gate_of, to_json, trades_csv
from treasury_actors.simulation.rehearsal.sandwich import ATTACKER_ACCOUNT, Sandwich
from treasury_actors.simulation.rehearsal.stage import Bystanders, Stage
from treasury_actors.simulation.rehearsal.stranger import STRANGER_ACCOUNT, Stranger
from treasury_actors.simulation.rehearsal.world import World
from treasury_actors.simulation.reporting import benchmark_job, report_season
from treasury_actors.simulation.run import SeasonState, in_simulated_time, open_journal, play_season
from treasury_actors.trading.adapters.evm.placing import holdings_of
from treasury_actors.trading.adapters.evm.signer import LocalSigner
from treasury_actors.trading.model.costs import gas_micro_usd
from treasury_actors.trading.model.reconciliation import reconcile
from treasury_actors.wiring.chain_access import chain_access
from treasury_actors.wiring.house import House

REGISTRY_NAME: Final = "registry.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A rehearsal that was played to its end."""

    rehearsed: Rehearsed
    folder: Path


async def run_rehearsal(
    prepared: Prepared,
    folder: Path,
    *,
    ground: Ground,
    rules: ChainRules,
    attacked: bool,
    clock: Clock,
    progress: Progress,
) -> Finished:
    """
    Play the season of `prepared` on a local chain in a new folder; write its reports.

    Args:
        ground: stands at the season's first frame, and is ours alone.
        attacked: by a sandwich bot, and by a stranger who sends dust at every turn; not on a fork.

    Raises:
        ConfigError: the folder is not empty, or what is pinned is not what is there.
        RpcFault: the node is gone.
    """
    check_empty(folder)
    began_s = clock.monotonic_s()
    with FolderLock(folder) as lock, _worker(prepared, ground) as worker:
        prepared.manifest.write(lock.folder)
        async with open_journal(lock.folder, clock=clock, durable=False, epoch=lock.epoch) as journal:
            stage = await _stage(ground, prepared.season, rules, folder, attacked=attacked)
            state = await _play(prepared, stage, journal, clock=clock, progress=progress)
            found = await holdings_of(stage.chain.desk)
            summary = report_season(
                prepared,
                state,
                journal,
                folder,
                run_id=prepared.manifest.run_id,
                wall_s=clock.monotonic_s() - began_s,
                benchmarks=None if worker is None else await worker.result(),
            )
            rehearsed = _rehearsed(
                prepared,
                state,
                TradeLog().read(journal.read()),
                summary,
                node=await _node_name(ground),
                found=found,
                attacks=stage.bystanders.attacks,
                wall_s=clock.monotonic_s() - began_s,
            )
    universe = prepared.season.universe
    (folder / "rehearsal.json").write_text(to_json(rehearsed, universe) + "\n", encoding="utf-8")
    (folder / "transactions.csv").write_text(trades_csv(rehearsed.trades), encoding="utf-8")
    return Finished(rehearsed=rehearsed, folder=folder)


def _worker(prepared: Prepared, ground: Ground) -> AbstractContextManager[BenchmarkWorker | None]:
    """Return who computes the benchmarks; nobody can for the one frame of a fork."""
    return nullcontext() if ground.world is None else BenchmarkWorker(benchmark_job(prepared))


def _rehearsed(
    prepared: Prepared,
    state: SeasonState,
    log: TradeLog,
    summary: Summary,
    *,
    node: str,
    found: Mapping[AssetId, int],
    attacks: int,
    wall_s: float,
) -> Rehearsed:
    """Return what the journal and the chain say together."""
    first = prepared.season.frame(0)
    return Rehearsed(
        node=node,
        config_hash=prepared.plan.config_hash,
        chain_id=LOCAL_CHAIN_ID,
        agents=prepared.plan.rules(state.recipe.seed).arena.population,
        days=prepared.plan.recipe.days,
        trades=log.trades(),
        traffic=log.traffic,
        gas_micro_usd=gas_micro_usd(prepared.season.universe, log.gas_wei, first),
        refusals=log.refusals,
        books=reconcile(state.fold.records.book.in_our_hands(), found),
        compared=not state.fold.records.open_orders.at_venue(),
        graduation=gate_of(summary, log, GateRules()),
        attacks=attacks,
        wall_s=wall_s,
    )


async def _play(
    prepared: Prepared, stage: Stage, journal: Journal, *, clock: Clock, progress: Progress
) -> SeasonState:
    """Play the season on the stage."""
    plan = in_simulated_time(prepared.plan)
    state = find_season(plan, journal, prepared.season)

    async def after_turn(house: House, season: Season, frame: MarketFrame) -> bool:
        progress(frame.index + 1, season.frame_count, len(house.fold.records.roster.living()))
        return True

    await play_season(
        plan,
        state,
        journal,
        host_clock=clock,
        after_turn=after_turn,
        last_event_ns=prepared.season.frame(0).time_ns,
        surroundings=stage,
    )
    return state


async def _stage(ground: Ground, season: Season, rules: ChainRules, folder: Path, *, attacked: bool) -> Stage:
    """Keep what is pinned in the folder, compare it with the chain, set the stage."""
    registry, rpc = ground.registry, ground.rpc
    (folder / REGISTRY_NAME).write_text(registry_to_json(registry), encoding="utf-8")
    refuse(await check_registry(rpc, registry))
    signer = LocalSigner(HOUSE_KEY, chain_id=registry.chain_id)
    world = ground.world
    return Stage(
        ground=ground,
        access=chain_access(universe=season.universe, registry=registry, rpc=rpc, signer=signer, rules=rules),
        confirm_blocks=rules.policy.confirm_depth,
        bystanders=await _bystanders(world) if attacked and world is not None else Bystanders(),
    )


async def _bystanders(world: World) -> Bystanders:
    """Return an attacker and a stranger, with what they need."""
    accounts = sequence(await world.writer.ask("eth_accounts"), "eth_accounts")
    attacker = str(accounts[ATTACKER_ACCOUNT])
    sandwich = Sandwich(world, account=attacker)
    stranger = Stranger(world, account=str(accounts[STRANGER_ACCOUNT]))
    await sandwich.prepare()
    await stranger.prepare()
    spite = Sandwich(world, account=attacker, at_a_loss=True)
    return Bystanders(sandwich=sandwich, spite=spite, stranger=stranger)


async def _node_name(ground: Ground) -> str:
    """Return what the node calls itself, and what it is a fork of."""
    name = str(result_of(await ground.rpc.call("web3_clientVersion"), "web3_clientVersion"))
    return name if ground.world is not None else f"{name}, {ground.registry.chain_name}"
