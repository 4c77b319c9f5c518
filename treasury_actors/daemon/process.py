"""A run as a process: it takes the folder, settles what the run is, and lives until told to leave."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from treasury_actors.clock import Clock
from treasury_actors.daemon.between import Progress
from treasury_actors.daemon.chain_run import ALONE, ChainRun, Outside
from treasury_actors.daemon.climbing import Climbing
from treasury_actors.daemon.control import SOCKET_NAME
from treasury_actors.daemon.desk import desk_of, wall_of
from treasury_actors.daemon.events import STREAM, UpgradeAccepted
from treasury_actors.daemon.live_run import Conclude, LiveRun, RunEnd, no_report
from treasury_actors.daemon.log import FILE_NAME as LOG_NAME
from treasury_actors.daemon.log import Log, open_log
from treasury_actors.daemon.one_error import within_memory
from treasury_actors.daemon.simulated_house import SimulatedHouse
from treasury_actors.daemon.standby import StandsBy, take_over
from treasury_actors.daemon.stop_file import FILE_NAME as STOP_NAME
from treasury_actors.daemon.webhook import Alert, open_webhook
from treasury_actors.errors import ConfigError, JournalFault, TreasuryError
from treasury_actors.journal.access import mode_for_others
from treasury_actors.journal.anchor import anchor_file_of, check_anchored
from treasury_actors.journal.anchor_key import FILE_NAME as KEY_NAME
from treasury_actors.journal.folder import FolderLock
from treasury_actors.journal.ports import Journal
from treasury_actors.simulation.following import Follower
from treasury_actors.simulation.manifest import Manifest, read_manifest
from treasury_actors.simulation.plan import Prepared
from treasury_actors.simulation.run import JOURNAL_NAME, last_event_ns, open_journal

_SIMULATED = ("GENERATED", "HYPOTHETICAL")
_OURS_BEFORE_THE_MANIFEST = (STOP_NAME, SOCKET_NAME, LOG_NAME, "lock", "epoch", "epoch.new")


async def serve(
    prepared: Prepared,
    folder: Path,
    *,
    clock: Clock,
    speed_x: float | None,
    until_end: bool,
    progress: Progress,
    accept_upgrade: bool = False,
    conclude: Conclude = no_report,
    anchor_dir: Path | None = None,
    watched: bool = True,
    outside: Outside = ALONE,
    stands_by: StandsBy | None = None,
) -> RunEnd:
    """
    Play the seasons of a run, from wherever its journal ends, until one is over or somebody says to leave.

    Args:
        folder: the run folder; made if it is not there.
        speed_x: seconds of the season in a second of real time; None for as fast as it goes.
        until_end: end with the season; else the next one starts (a folder's data have no next).
        accept_upgrade: go on although config, data or code differ; an event.
        conclude: reports on a season at its end.
        anchor_dir: where the journal's head is exported, daily and at every stop.
        watched: let a blocked event loop end the process with 70.
        outside: a chain and a webhook, if there are.
        stands_by: wait while another process plays the run; it hears up to which event this one is ready.

    Raises:
        FolderInUse: another process plays this run.
        ConfigError: the folder holds something else, or a run of another config, data or code.
    """
    check_folder(folder, prepared.manifest, accept_upgrade=accept_upgrade)
    lock, follower = FolderLock(folder), Follower(prepared.plan, prepared.season)
    if stands_by is not None and not await _stood_by(lock, follower, outside, stands_by):
        return RunEnd(kind="interrupted", season=1, turns=0)
    with _taken(lock), open_log(lock.folder, clock=clock, screen=sys.stderr) as log:
        known = check_folder(lock.folder, prepared.manifest, accept_upgrade=accept_upgrade)
        manifest = _begun(prepared.manifest, known, lock.folder)
        async with _journal_of(manifest, lock, anchor_dir, clock=clock, log=log) as journal:
            await _accept_upgrade(known, manifest, journal, lock, log)
            simulated, climbing = _beside(prepared, lock.folder, manifest, outside, clock=clock, log=log)

            def make_run(chain: ChainRun | None, alert: Alert) -> LiveRun:
                return LiveRun(
                    plan=prepared.plan,
                    follower=follower,
                    manifest=manifest,
                    folder=lock.folder,
                    epoch=lock.epoch,
                    journal=journal,
                    clock=clock,
                    speed_x=speed_x,
                    until_end=until_end,
                    progress=progress,
                    conclude=conclude,
                    anchor_dir=anchor_dir,
                    log=log,
                    desk_of=partial(desk_of, wall=wall_of(manifest, clock), verify=outside.verify),
                    chain=chain,
                    simulated=simulated,
                    climbing=climbing,
                    poll_s=outside.poll_s,
                    alert=alert,
                )

            live = partial(_live, make_run, outside, simulated, climbing, folder=lock.folder)
            return await live(manifest=manifest, watched=watched, log=log)


async def _stood_by(lock: FolderLock, follower: Follower, outside: Outside, hears: StandsBy) -> bool:
    """Wait until the folder is ours; false if a signal said to leave first."""
    read_frames = None if outside.read_frames is None else partial(outside.read_frames, lock.folder)
    journal = lock.folder / JOURNAL_NAME
    return await take_over(lock, journal, follower, hears=hears, read_frames=read_frames)


def _beside(
    prepared: Prepared, folder: Path, manifest: Manifest, outside: Outside, *, clock: Clock, log: Log
) -> tuple[SimulatedHouse | None, Climbing | None]:
    """Return the house of simulated agents, and what lets them up, as far as the run has them."""
    if prepared.simulated is None:
        return None, None
    plan, season = prepared.simulated, prepared.season
    simulated = SimulatedHouse(plan, season, folder, manifest=manifest, clock=clock, log=log)
    if outside.climb is None:
        return simulated, None
    climbing = Climbing(
        outside.climb,
        prepared.plan,
        simulated,
        folder,
        run=manifest.run_id,
        verify=outside.verify,
        wall=wall_of(manifest, clock),
        waits=outside.open_chain is None,
        log=log,
    )
    return simulated, climbing


@asynccontextmanager
async def _journal_of(
    manifest: Manifest, lock: FolderLock, anchor_dir: Path | None, *, clock: Clock, log: Log
) -> AsyncIterator[Journal]:
    """Open the journal of a run, and compare it with what was told outside the folder, if anything was."""
    durable = manifest.label not in _SIMULATED
    async with open_journal(lock.folder, clock=clock, durable=durable, epoch=lock.epoch) as journal:
        if mode := mode_for_others(lock.folder / JOURNAL_NAME):
            log.warning("journal_readable_by_others", mode=mode, remedy="chmod 600, unless it is meant so")
        if anchor_dir is not None:
            anchors = anchor_file_of(anchor_dir, manifest.run_id)
            check_anchored(journal, anchors, lock.folder / KEY_NAME)
        yield journal


def _begun(manifest: Manifest, known: Manifest | None, folder: Path) -> Manifest:
    """Return the manifest of a run that begins here, written, or goes on: it keeps its name and its age."""
    if known is None:
        manifest.write(folder)
        return manifest
    return replace(manifest, run_id=known.run_id, created=known.created)


async def _live(
    make_run: Callable[[ChainRun | None, Alert], LiveRun],
    outside: Outside,
    simulated: SimulatedHouse | None,
    climbing: Climbing | None,
    *,
    folder: Path,
    manifest: Manifest,
    watched: bool,
    log: Log,
) -> RunEnd:
    """Let a run live on its chain and beside its house on paper, if it has them; what it dies of is told."""
    facts = {"run_id": manifest.run_id, "label": manifest.label}
    open_chain = outside.open_chain
    with open_webhook(outside.webhook, run=facts, log=log) as alert:
        try:
            async with AsyncExitStack() as stack:
                stack.enter_context(within_memory())
                chain = None if open_chain is None else await stack.enter_async_context(open_chain(folder))
                if simulated is not None:
                    await stack.enter_async_context(simulated.living())
                if climbing is not None:
                    stack.callback(climbing.stop)
                return await make_run(chain, alert).live(watched=watched)
        except TreasuryError as error:
            log.error("died", why=f"{type(error).__name__}: {error}")  # noqa: TRY400 (the caller shows it)
            alert("died", {"why": f"{type(error).__name__}: {error}"})
            raise


@contextmanager
def _taken(lock: FolderLock) -> Iterator[None]:
    """Hold the folder; what the system refuses meanwhile, whoever asked it, is a fault with its exit code."""
    try:
        with within_memory(), lock:
            yield
    except OSError as error:
        raise JournalFault(f"{error.filename or lock.folder}: {error.strerror or error}") from error


def check_folder(folder: Path, manifest: Manifest, *, accept_upgrade: bool) -> Manifest | None:
    """
    Return the manifest of the run that `folder` holds, or None if there is none yet. Writes nothing.

    Raises:
        ConfigError: it holds something else, or a run of another config, data or code.
    """
    known = read_manifest(folder)
    if known is not None:
        if not accept_upgrade:
            known.check_same(manifest, folder)
        return known
    check_ours(folder)
    return None


def check_ours(folder: Path) -> None:
    """Refuse a folder without a manifest that has anything in it but what a start of ours leaves there."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ConfigError(f"{folder}: not a folder")
    for name in sorted(entry.name for entry in folder.iterdir()):
        if name not in _OURS_BEFORE_THE_MANIFEST and not name.endswith(".partial"):
            raise ConfigError(f"{folder}: not a run folder: it has {name} but no manifest.json")


def _hashes(manifest: Manifest) -> tuple[str, str, str]:
    return manifest.config_hash, manifest.data_hash, manifest.code_hash


async def _accept_upgrade(
    old: Manifest | None, new: Manifest, journal: Journal, lock: FolderLock, log: Log
) -> None:
    """Put into manifest and journal that an operator let a run go on as another, if it had any event."""
    if old is None or _hashes(old) == _hashes(new):
        return
    if journal.head[0] > 0:
        journal.append(_upgrade(old, new, epoch=lock.epoch), stream=STREAM, time_ns=last_event_ns(journal))
        await journal.flush()
    new.write(lock.folder)
    log.warning("upgrade_accepted", config=new.config_hash[:12])


def _upgrade(old: Manifest, new: Manifest, *, epoch: int) -> UpgradeAccepted:
    return UpgradeAccepted(
        epoch=epoch,
        old_config_hash=old.config_hash,
        new_config_hash=new.config_hash,
        old_data_hash=old.data_hash,
        new_data_hash=new.data_hash,
        old_code_hash=old.code_hash,
        new_code_hash=new.code_hash,
    )
