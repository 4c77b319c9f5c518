"""`close-mandate`, on a run that is alive or dead."""

from pathlib import Path

from treasury_actors.clock import Clock
from treasury_actors.daemon.closing import close_mandate_alone
from treasury_actors.daemon.operate import PATIENCE_S, Answer, carry_out, check_folder
from treasury_actors.daemon.requests import CloseMandate, refused
from treasury_actors.journal.ports import Journal
from treasury_actors.wiring.fold import Records


async def close_mandate(
    folder: Path, agent: str, reason: str, *, clock: Clock, timeout_s: float = PATIENCE_S
) -> Answer:
    """
    Let the mandate of one agent close, living or frozen: the guardian sells, what is sold goes home.

    Trading of everybody else stays as it is; while it is stopped nothing is sold. Without a process the
    guardian begins with the next start.

    Returns:
        `agent`, `mandate` (what it is now), `changed` and `trading`; or with `ok` false why not.

    Raises:
        ConfigError: no reason, or no run folder.
        Fault: nothing acknowledged it in time; sent again, it counts once.
    """
    check_folder(folder, reason, needs_reason=True)
    request = CloseMandate(agent=agent, reason=reason)

    def alone(journal: Journal, records: Records, last_ns: int) -> Answer:
        return close_mandate_alone(request, journal, records, last_ns)

    message = {"command": "close_mandate", "agent": agent, "reason": reason}
    unbegun = dict(refused("refused", "the run has not begun"))
    return await carry_out(folder, message, alone, unbegun, clock=clock, timeout_s=timeout_s)
