"""
What an operator's commands do, whether the run is alive or dead.

Alive, its process does it between two turns and says when it is durable. Dead, the command takes the lock
and appends to the journal itself, at the time of the last event, under the same rules. Between the two (a
process that starts, or leaves) it tries again until its time is up. Whatever is sent twice counts once.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import anyio

from treasury_actors.clock import Clock
from treasury_actors.daemon.control import NoAnswer, NotRunning, call
from treasury_actors.daemon.inflows import acceptance, find_inflow, inflows, treasury_account
from treasury_actors.daemon.process import check_ours
from treasury_actors.daemon.requests import Direction, refused
from treasury_actors.daemon.status import dead_status, scan
from treasury_actors.daemon.stop_file import (
    REASON_CHARACTERS_MAX,
    StopMode,
    StopOrder,
    read_stop_file,
    remove_stop_file,
    tightens,
    write_stop_file,
)
from treasury_actors.errors import ConfigError, Fault, FolderInUse
from treasury_actors.ids import AssetId, EntryId
from treasury_actors.journal.folder import FolderLock
from treasury_actors.journal.ports import Journal
from treasury_actors.journal.reader import open_readonly
from treasury_actors.ledger.model import DEPOSITS, UNSOLICITED, Entry, transfer
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.message import Provenance
from treasury_actors.money import Asset
from treasury_actors.simulation.manifest import read_manifest
from treasury_actors.simulation.run import JOURNAL_NAME, open_journal
from treasury_actors.trading.model.stop import OPERATOR, TradingState
from treasury_actors.wiring.fold import Records

PATIENCE_S = 30.0
"""How long a command tries before it gives up; a season may be being made, or a long journal folded."""

STATUS_TIMEOUT_S = 2.0
_RETRY_S = 0.1
_DIGITS_MAX = 60

Answer = dict[str, object]
Alone = Callable[[Journal, Records, int], Answer]
"""Does a command on a dead run: given its journal, the fold of it, and the time of the last event."""


async def stop(
    folder: Path,
    reason: str,
    mode: StopMode = "stopped",
    *,
    clock: Clock,
    timeout_s: float = PATIENCE_S,
) -> Answer:
    """
    Stop trading: first the STOP file, then the journal. The process, if there is one, stays up.

    Returns `state` (what now holds), `changed`, and `journalled`: false in a folder where no run has begun
    yet; the first start will read the file.

    Raises:
        ConfigError: no reason, or no run folder.
        Fault: nothing acknowledged it in time; the file, if it could be written, holds all the same.
    """
    check_folder(folder, reason, needs_reason=True)
    filed = _file(folder, StopOrder(state=mode, reason=reason, by=OPERATOR, wall_time=_moment(clock)))

    def alone(journal: Journal, records: Records, last_ns: int) -> Answer:
        return _latch(
            journal, records, last_ns, mode if tightens(mode, records.latch.state) else None, reason
        )

    request = {"command": "stop", "state": mode, "reason": reason}
    unbegun: Answer = {"ok": True, "state": mode, "changed": True, "journalled": False}
    try:
        return await carry_out(folder, request, alone, unbegun, clock=clock, timeout_s=timeout_s)
    except Fault as fault:
        raise Fault(f"{fault}; {filed}") from None


async def close_all(folder: Path, reason: str, *, clock: Clock, timeout_s: float = PATIENCE_S) -> Answer:
    """
    Reduce, and let every mandate close: the guardian sells at each frame, and what is sold goes home.

    Under a stop it allows exits again, and nothing else: an operator's event, under a new epoch. Without a
    process, trading is reduced now; the mandates close after the first turn of the next start.

    Returns as `stop`, and `closing`: how many mandates close with this.

    Raises as `stop`.
    """
    check_folder(folder, reason, needs_reason=True)
    order = StopOrder(state="reducing", reason=reason, by=OPERATOR, wall_time=_moment(clock), close_all=True)
    filed = _file(folder, order)

    def alone(journal: Journal, records: Records, last_ns: int) -> Answer:
        answer = _latch(journal, records, last_ns, "reducing", reason)
        return {**answer, "closing": 0, "at_next_start": len(records.roster.open())}

    request = {"command": "close_all", "reason": reason}
    unbegun: Answer = {"ok": True, "state": "reducing", "changed": True, "closing": 0, "journalled": False}
    try:
        return await carry_out(folder, request, alone, unbegun, clock=clock, timeout_s=timeout_s)
    except Fault as fault:
        raise Fault(f"{fault}; {filed}") from None


async def accept_inflow(
    folder: Path, entry_id: str, reason: str, *, clock: Clock, timeout_s: float = PATIENCE_S
) -> Answer:
    """
    Take what a stranger sent into the treasury: all of one inflow entry, once.

    Returns:
        `ok` and `changed` (false if this was done before), or with `ok` false why not.

    Raises:
        ConfigError: no reason, or no run folder.
        Fault: nothing acknowledged it in time; sent again, it counts once.
    """
    check_folder(folder, reason, needs_reason=True)
    wanted = EntryId(entry_id)

    def alone(journal: Journal, records: Records, last_ns: int) -> Answer:
        inflow = find_inflow(journal.read(), wanted)
        if inflow is None:
            return dict(refused("refused", f"no inflow {entry_id} in the journal"))
        entry = acceptance(inflow, MAINNET, reason)
        refusal = records.book.check(entry)
        if refusal is not None:
            return {**refused("refused", refusal.detail), "reason": refusal.reason.value}
        changed = not records.book.is_repeat(entry.entry_id)
        if changed:
            journal.append(entry, stream="ledger", time_ns=last_ns)
        return {"ok": True, "entry_id": entry.entry_id, "changed": changed, "journalled": True}

    request = {"command": "accept_inflow", "entry_id": entry_id, "reason": reason}
    unbegun = dict(refused("refused", "the run has not begun"))
    return await carry_out(folder, request, alone, unbegun, clock=clock, timeout_s=timeout_s)


def list_inflows(folder: Path) -> list[dict[str, object]]:
    """
    Return what strangers sent, oldest first: id, what, and whether it was accepted.

    Raises:
        ConfigError: there is no journal in the folder.
        JournalCorrupt: it is not what was written.
    """
    path = folder / JOURNAL_NAME
    if not path.is_file():
        raise ConfigError(f"{folder}: no journal there")
    with open_readonly(path) as journal:
        found = inflows(journal.read())
    return [
        {
            "entry_id": entry.entry_id,
            "amounts": {
                posting.asset: MAINNET.by_id[posting.asset].format(posting.units)
                for posting in entry.postings
                if posting.account == UNSOLICITED
            },
            "accepted": accepted,
        }
        for entry, accepted in found
    ]


async def resume(folder: Path, reason: str, *, clock: Clock, timeout_s: float = PATIENCE_S) -> Answer:
    """
    Take the STOP file away and let trading go on.

    Returns as `stop`, and `stop_file_removed`.

    Raises:
        ConfigError: no reason, or no run folder.
        Fault: nothing acknowledged it in time; the STOP file, if there was one, may be gone, but what is
            latched in the journal still holds.
    """
    check_folder(folder, reason, needs_reason=True)

    def alone(journal: Journal, records: Records, last_ns: int) -> Answer:
        removed = _removed(folder)
        answer = _latch(journal, records, last_ns, "active", reason)
        return {**answer, "stop_file_removed": removed}

    unbegun: Answer = {"ok": True, "state": "active", "changed": False, "journalled": False}
    if not (folder / JOURNAL_NAME).exists():
        unbegun["stop_file_removed"] = _removed(folder)
    request = {"command": "resume", "reason": reason}
    return await carry_out(folder, request, alone, unbegun, clock=clock, timeout_s=timeout_s)


async def treasury(
    folder: Path,
    direction: Direction,
    asset: str,
    amount: str,
    reason: str,
    *,
    clock: Clock,
    timeout_s: float = PATIENCE_S,
) -> Answer:
    """
    Deposit into, or withdraw from, the treasury's reserve; ETH that is deposited pays for gas.

    Args:
        amount: whole tokens as a decimal, e.g. `1000.50`; it must be exact in the asset's smallest unit.

    Returns:
        `ok`, or with `ok` false the ledger's `reason` by name.

    Raises:
        ConfigError: an unknown asset, a bad amount, or no run folder.
        Fault: nothing acknowledged it in time; whether it counts is not known.
    """
    check_folder(folder, reason, needs_reason=False)
    found, units = parse_amount(asset, amount)
    entry_id = EntryId(f"treasury/{direction}/{clock.now_ns()}")
    account = treasury_account(MAINNET, direction, found.id)
    source, target = (DEPOSITS, account) if direction == "deposit" else (account, DEPOSITS)
    postings = transfer(source, target, found.id, units)
    entry = Entry(entry_id=entry_id, kind=direction, postings=postings, reason=reason)

    def alone(journal: Journal, records: Records, last_ns: int) -> Answer:
        refusal = records.book.check(entry)
        if refusal is not None:
            return {**refused("refused", refusal.detail), "reason": refusal.reason.value}
        if not records.book.is_repeat(entry_id):
            journal.append(entry, stream="ledger", time_ns=last_ns)
        return {"ok": True, "entry_id": entry_id, "account": account, "journalled": True}

    request = {
        "command": direction,
        "asset": found.id,
        "units": str(units),
        "entry_id": entry_id,
        "reason": reason,
    }
    unbegun = dict(refused("refused", "the run has not begun; its config says what it starts with"))
    answer = await carry_out(folder, request, alone, unbegun, clock=clock, timeout_s=timeout_s)
    return {**answer, "asset": found.id, "units": str(units), "amount": found.format(units)}


async def status(folder: Path, *, timeout_s: float = STATUS_TIMEOUT_S) -> Answer:
    """
    Say how the run in a folder is; see `daemon.status` for the keys. Disturbs nothing.

    A process that is alive but does not answer within `timeout_s` is `running` with `answering` false, and
    the rest is read from the journal.

    Raises:
        ConfigError: there is no run in the folder.
        JournalCorrupt: nobody is running, and the journal is not what was written.
    """
    try:
        return {**await call(folder, {"command": "status"}, timeout_s=timeout_s), "answering": True}
    except NotRunning:
        return {**dead_status(folder), "answering": False}
    except NoAnswer:
        return {**dead_status(folder), "running": True, "phase": "unknown", "answering": False}


def parse_amount(asset: str, amount: str) -> tuple[Asset, int]:
    """Return the asset and the units of a decimal amount above 0; raise ConfigError naming what is wrong."""
    found = MAINNET.by_id.get(AssetId(asset))
    if found is None:
        raise ConfigError(f"asset {asset!r:.40}: unknown; known are {', '.join(MAINNET.by_id)}")
    plain = amount.replace(".", "", 1)
    if not (plain.isascii() and plain.isdecimal() and len(plain) <= _DIGITS_MAX):
        raise ConfigError(f"amount {amount!r:.80}: write a positive decimal number such as 1000.50")
    try:
        units = found.parse(amount)
    except ValueError as error:
        raise ConfigError(f"amount {error}") from None
    if units <= 0:
        raise ConfigError(f"amount {amount}: allowed are amounts above 0")
    return found, units


def check_folder(folder: Path, reason: str, *, needs_reason: bool) -> None:
    """Refuse a reason nobody could read later, and a folder where no run is or could begin."""
    if (
        not reason.isprintable()
        or len(reason) > REASON_CHARACTERS_MAX
        or (needs_reason and not reason.strip())
    ):
        raise ConfigError(f"--reason: write one line of text, up to {REASON_CHARACTERS_MAX} characters")
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no run folder there")
    if read_manifest(folder) is None:
        check_ours(folder)


def _moment(clock: Clock) -> str:
    """Return the wall time, for people."""
    return datetime.fromtimestamp(clock.now_ns() / 10**9, tz=UTC).isoformat(timespec="seconds")


def _file(folder: Path, order: StopOrder) -> str:
    """Put the STOP file in place, unless a stricter one is there; say in words what came of it."""
    there = read_stop_file(folder)
    if there is not None and tightens(there.state, order.state) and not order.close_all:
        return "a stricter STOP file is in place and holds"
    try:
        write_stop_file(folder, order)
    except OSError as error:  # the socket or the journal may still take it
        return f"and the STOP file could not be written: {error.strerror}"
    return "the STOP file is in place and holds"


def _removed(folder: Path) -> bool:
    try:
        return remove_stop_file(folder)
    except OSError as error:
        raise Fault(
            f"{folder}: the STOP file can't be removed: {error.strerror}; remove it by hand"
        ) from None


def _latch(
    journal: Journal, records: Records, last_ns: int, wanted: TradingState | None, reason: str
) -> Answer:
    """Put the journal's trading state to `wanted` if that changes anything."""
    latch = records.latch
    changed = latch.decide(wanted, OPERATOR, reason) if wanted else None
    if changed is not None:
        provenance = Provenance(correlation_id=f"stop:{changed.epoch}")
        journal.append(changed, stream="trading", time_ns=last_ns, provenance=provenance)
        latch.apply(changed)
    return {"ok": True, "state": latch.state, "changed": changed is not None, "journalled": True}


async def carry_out(
    folder: Path,
    request: Mapping[str, object],
    alone: Alone,
    unbegun: Answer,
    *,
    clock: Clock,
    timeout_s: float,
) -> Answer:
    """Let the living process do it, or do it alone on a dead run; try until one of both is possible."""
    ends_s = clock.monotonic_s() + timeout_s
    while True:
        left_s = max(ends_s - clock.monotonic_s(), 0.1)
        try:
            answer = await call(folder, request, timeout_s=left_s)
            if answer.get("kind") != "leaving":
                return answer
        except (NotRunning, NoAnswer):
            pass
        try:
            return await _do_alone(folder, alone, unbegun, clock=clock)
        except FolderInUse as in_use:
            if clock.monotonic_s() >= ends_s:
                raise Fault(f"{in_use}, and it did not acknowledge within {timeout_s:g} s") from None
        await anyio.sleep(_RETRY_S)


async def _do_alone(folder: Path, alone: Alone, unbegun: Answer, *, clock: Clock) -> Answer:
    """Do a command on a dead run: lock, fold, append, make durable."""
    with FolderLock(folder) as lock:
        if not (lock.folder / JOURNAL_NAME).exists():
            return unbegun
        async with open_journal(lock.folder, clock=clock, durable=True, epoch=lock.epoch) as journal:
            records = Records.empty(MAINNET)
            found = scan(journal.read(), records)
            if found.last is None:
                return unbegun
            answer = alone(journal, records, found.last_ns)
            await journal.flush()
            return answer
