"""What a treasurer's commands about planned withdrawals do, whether the run is alive or dead."""

from pathlib import Path

from treasury_actors.arena.model.withdrawal import WithdrawalExecuted
from treasury_actors.clock import HOUR_NS, Clock
from treasury_actors.daemon.operate import PATIENCE_S, Answer, carry_out, check_folder, parse_amount
from treasury_actors.daemon.requests import refused
from treasury_actors.journal.ports import Journal
from treasury_actors.ledger.model import DEPOSITS, PROMISED, Entry, transfer
from treasury_actors.message import Provenance
from treasury_actors.wiring.fold import Records


async def withdraw_by(
    folder: Path,
    asset: str,
    amount: str,
    by: str,
    reason: str,
    *,
    begins: bool,
    withdrawal: str = "",
    plan: str = "",
    clock: Clock,
    timeout_s: float = PATIENCE_S,
) -> Answer:
    """
    Plan a withdrawal from a living run, or begin it: prices are needed, so at rest it is refused.

    Args:
        by: `2025-01-31T12:00Z`, or `+24h`, `+7d` from the run's last frame.
        begins: else it is only planned, and nothing moves.
        withdrawal: its name, if it was planned before; the same one twice counts once.
        plan: what was shown; another plan is refused. Empty: whatever it is by now.

    Returns:
        The plan; see `daemon.withdrawing`. With `ok` false, why not.

    Raises:
        ConfigError: an unknown asset, a bad amount, no reason, or no run folder.
        Fault: nothing acknowledged it in time; sent again under its name, it counts once.
    """
    check_folder(folder, reason, needs_reason=True)
    found, units = parse_amount(asset, amount)
    request = {
        "command": "bring_home",
        "begins": "yes" if begins else "no",
        "withdrawal": withdrawal or f"w-{clock.now_ns():x}",
        "asset": found.id,
        "units": str(units),
        "by": by,
        "plan": plan,
        "reason": reason,
    }
    at_rest = {
        **refused(
            "refused", "nobody plays this run, so nobody knows a price: start it, or withdraw what is idle"
        ),
        "reason": "not_running",
    }
    unbegun = dict(refused("refused", "the run has not begun"))
    return await carry_out(
        folder, request, lambda *_: dict(at_rest), unbegun, clock=clock, timeout_s=timeout_s
    )


async def cancel(
    folder: Path, withdrawal: str, reason: str, *, clock: Clock, timeout_s: float = PATIENCE_S
) -> Answer:
    """
    Give back what was set aside for a withdrawal; at rest it is refused, for agents must hear of it.

    Raises as `withdraw_by`.
    """
    check_folder(folder, reason, needs_reason=True)
    request = {"command": "end_withdrawal", "withdrawal": withdrawal, "paid": "no", "reason": reason}
    at_rest = {**refused("refused", "nobody plays this run: start it first"), "reason": "not_running"}
    unbegun = dict(refused("refused", "the run has not begun"))
    return await carry_out(
        folder, request, lambda *_: dict(at_rest), unbegun, clock=clock, timeout_s=timeout_s
    )


async def paid(
    folder: Path, withdrawal: str, reason: str, *, clock: Clock, timeout_s: float = PATIENCE_S
) -> Answer:
    """
    Book that the wallet's owner has paid a withdrawal out; only at rest, only once all of it was home.

    Raises as `withdraw_by`.
    """
    check_folder(folder, reason, needs_reason=True)

    def alone(journal: Journal, records: Records, last_ns: int) -> Answer:
        return _book_payment(journal, records, last_ns, withdrawal=withdrawal, reason=reason)

    request = {"command": "end_withdrawal", "withdrawal": withdrawal, "paid": "yes", "reason": reason}
    unbegun = dict(refused("refused", "the run has not begun"))
    return await carry_out(folder, request, alone, unbegun, clock=clock, timeout_s=timeout_s)


def _book_payment(
    journal: Journal, records: Records, last_ns: int, *, withdrawal: str, reason: str
) -> Answer:
    """Post the one entry that pays a withdrawal out, and say that it is over."""
    standing = records.roster.withdrawals.known.get(withdrawal)
    season = records.roster.season
    if standing is None or season is None:
        return {**refused("refused", withdrawal), "reason": "unknown_withdrawal"}
    done: Answer = {"ok": True, "withdrawal": withdrawal, "entry_id": standing.entry_id, "status": "executed"}
    if standing.status == "executed":
        return {**done, "changed": False}
    if standing.status != "home":
        return {**refused("refused", f"{withdrawal} is {standing.status}"), "reason": "not_home"}
    planned = standing.planned
    entry = Entry(
        entry_id=standing.entry_id,
        kind="withdraw",
        postings=transfer(PROMISED, DEPOSITS, planned.asset, planned.units),
        reason=reason,
    )
    assert records.book.check(entry) is None, "what is home is in its account"
    turn = (last_ns - season.start_ns) // HOUR_NS
    why = Provenance(correlation_id=f"withdrawal:{withdrawal}")
    journal.append(entry, stream="ledger", time_ns=last_ns, provenance=why)
    executed = WithdrawalExecuted(withdrawal=withdrawal, turn=turn, entry_id=entry.entry_id)
    journal.append(executed, stream="arena", time_ns=last_ns, provenance=why)
    return {**done, "changed": True}
