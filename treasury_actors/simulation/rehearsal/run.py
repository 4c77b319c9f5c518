"""A rehearsal: the proving grounds, deployed by config, on a real node with the real contracts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treasury_actors.arena.model.graduation import GateRules
from treasury_actors.chain.adapters.anvil import AnvilNode, AnvilOptions
from treasury_actors.chain.adapters.http_rpc import Endpoint, HttpRpc
from treasury_actors.chain.adapters.npm import anvil_binary, evm_tree
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
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.rehearsal.contracts import published
from treasury_actors.simulation.rehearsal.deploy_world import build_world
from treasury_actors.simulation.rehearsal.report import Rehearsed, TradeLog, gate_of, to_json, trades_csv
from treasury_actors.simulation.rehearsal.sandwich import ATTACKER_ACCOUNT, Sandwich
from treasury_actors.simulation.rehearsal.stage import Bystanders, Stage
from treasury_actors.simulation.rehearsal.stranger import STRANGER_ACCOUNT, Stranger
from treasury_actors.simulation.rehearsal.world import World
from treasury_actors.simulation.reporting import benchmark_job, report_season
from treasury_actors.simulation.run import SeasonState, find_season, open_journal, play_season
from treasury_actors.trading.adapters.evm.placing import holdings_of
from treasury_actors.trading.adapters.evm.signer import LocalSigner
from treasury_actors.trading.model.costs import gas_micro_usd
from treasury_actors.trading.model.reconciliation import reconcile
from treasury_actors.wiring.chain_access import chain_access
from treasury_actors.wiring.house import House

HOUSE_KEY: Final = "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"
"""The published key of the node's own account 9: it signs on the local chain, and nowhere else."""

FINAL_EPOCH_BLOCKS: Final = 5
REGISTRY_NAME: Final = "registry.json"
_HOUR_S = 3_600
_NS_A_SECOND = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A rehearsal that was played to its end."""

    rehearsed: Rehearsed
    folder: Path


async def run_rehearsal(
    prepared: Prepared,
    folder: Path,
    *,
    rules: ChainRules,
    gas_ratio: float,
    attacked: bool,
    clock: Clock,
    progress: Progress,
) -> Finished:
    """
    Play the season of `prepared` on a local chain in a new folder; write its reports.

    Args:
        gas_ratio: gas price of the chain as a share of the season's L1 price.
        attacked: by a sandwich bot, and by a stranger who sends dust at every turn.

    Raises:
        ConfigError: the folder is not empty, or the universe lacks what the world trades.
        ToolFault, RpcFault: there is no node, or it is gone.
    """
    check_empty(folder)
    began_s = clock.monotonic_s()
    first = prepared.season.frame(0)
    options = AnvilOptions(
        timestamp=first.time_ns // _NS_A_SECOND - _HOUR_S,
        no_mining=True,
        slots_in_an_epoch=FINAL_EPOCH_BLOCKS,
    )
    with FolderLock(folder) as lock, BenchmarkWorker(benchmark_job(prepared)) as worker:
        prepared.manifest.write(lock.folder)
        async with (
            AnvilNode(options, binary=anvil_binary(evm_tree())) as node,
            HttpRpc(Endpoint(url=node.url)) as rpc,
            open_journal(lock.folder, clock=clock, durable=False, epoch=lock.epoch) as journal,
        ):
            world = await build_world(
                rpc,
                artifacts=published(),
                universe=prepared.season.universe,
                frame=first,
                gas_ratio=gas_ratio,
            )
            stage = await _stage(world, rpc, rules, folder, attacked=attacked)
            state = await _play(prepared, stage, journal, clock=clock, progress=progress)
            found = await holdings_of(stage.chain.desk)
            summary = report_season(
                prepared,
                state,
                journal,
                folder,
                run_id=prepared.manifest.run_id,
                wall_s=clock.monotonic_s() - began_s,
                benchmarks=await worker.result(),
            )
            rehearsed = _rehearsed(
                prepared,
                state,
                TradeLog().read(journal.read()),
                summary,
                node=await _node_name(rpc),
                found=found,
                attacks=stage.bystanders.attacks,
                wall_s=clock.monotonic_s() - began_s,
            )
    universe = prepared.season.universe
    (folder / "rehearsal.json").write_text(to_json(rehearsed, universe) + "\n", encoding="utf-8")
    (folder / "transactions.csv").write_text(trades_csv(rehearsed.trades), encoding="utf-8")
    return Finished(rehearsed=rehearsed, folder=folder)


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
    state = find_season(prepared.plan, journal, prepared.season)

    async def after_turn(house: House, season: Season, frame: MarketFrame) -> bool:
        progress(frame.index + 1, season.frame_count, len(house.fold.records.roster.living()))
        return True

    await play_season(
        prepared.plan,
        state,
        journal,
        host_clock=clock,
        after_turn=after_turn,
        last_event_ns=prepared.season.frame(0).time_ns,
        surroundings=stage,
    )
    return state


async def _stage(world: World, rpc: HttpRpc, rules: ChainRules, folder: Path, *, attacked: bool) -> Stage:
    """Pin what was deployed, keep the pins in the folder, compare them with the chain; set the stage."""
    registry = await world.registry()
    (folder / REGISTRY_NAME).write_text(registry_to_json(registry), encoding="utf-8")
    refuse(await check_registry(rpc, registry))
    signer = LocalSigner(HOUSE_KEY, chain_id=registry.chain_id)
    return Stage(
        world=world,
        access=chain_access(universe=world.universe, registry=registry, rpc=rpc, signer=signer, rules=rules),
        confirm_blocks=rules.policy.confirm_depth,
        bystanders=await _bystanders(world, rpc) if attacked else Bystanders(),
    )


async def _bystanders(world: World, rpc: HttpRpc) -> Bystanders:
    """Return an attacker and a stranger, with what they need."""
    accounts = sequence(result_of(await rpc.call("eth_accounts"), "eth_accounts"), "eth_accounts")
    attacker = str(accounts[ATTACKER_ACCOUNT])
    sandwich = Sandwich(world, account=attacker)
    stranger = Stranger(world, account=str(accounts[STRANGER_ACCOUNT]))
    await sandwich.prepare()
    await stranger.prepare()
    spite = Sandwich(world, account=attacker, at_a_loss=True)
    return Bystanders(sandwich=sandwich, spite=spite, stranger=stranger)


async def _node_name(rpc: HttpRpc) -> str:
    """Return what the node calls itself."""
    return str(result_of(await rpc.call("web3_clientVersion"), "web3_clientVersion"))
