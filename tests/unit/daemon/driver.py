"""
A small run, for tests: within their own process, or as one of its own that can be killed.

    python -m tests.unit.daemon.driver FOLDER '{"days": 35, "agents": 8, "speed_x": null, "until_end": true}'

As a process it prints a line after each turn, with "standby" a line `standby SEQ` while it waits, and leaves
with the exit code a command would.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import anyio

from treasury_actors.clock import Clock, WallClock
from treasury_actors.daemon.between import Progress
from treasury_actors.daemon.chain_run import ALONE, Outside
from treasury_actors.daemon.live_run import Conclude, RunEnd, no_report
from treasury_actors.daemon.process import serve
from treasury_actors.errors import TreasuryError
from treasury_actors.journal.reader import open_readonly
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.settings.file import check_settings
from treasury_actors.simulation.plan import Prepared, prepare
from treasury_actors.simulation.run import JOURNAL_NAME
from treasury_actors.wiring.fold import Records

CAPITAL_USD_PER_AGENT = 10_000
WARMUP_H = 2_880


def small_run(
    *, days: int = 2, agents: int = 5, seed: int = 7, simulated: int = 0, **arena: object
) -> Prepared:
    """Return a run of a short generated season; other keys go to the config's `[arena]`."""
    settings = check_settings(
        {
            "season": {"days": days, "seed": seed, "warmup_h": WARMUP_H},
            "simulation": {"agents": simulated},
            "arena": {"agents": agents, "capital_usd": agents * CAPITAL_USD_PER_AGENT, **arena},
        },
        "a test",
    )
    return prepare(settings, clock=WallClock())


def quiet(frame: int, frames: int, living: int) -> None:
    """Show no progress."""


async def play(
    prepared: Prepared,
    folder: Path,
    *,
    clock: Clock | None = None,
    speed_x: float | None = None,
    until_end: bool = True,
    progress: Progress = quiet,
    conclude: Conclude = no_report,
    accept_upgrade: bool = False,
    anchor_dir: Path | None = None,
    outside: Outside = ALONE,
) -> RunEnd:
    """Serve a run in this process, without the watchdog."""
    return await serve(
        prepared,
        folder,
        clock=clock or WallClock(),
        speed_x=speed_x,
        until_end=until_end,
        progress=progress,
        conclude=conclude,
        accept_upgrade=accept_upgrade,
        anchor_dir=anchor_dir,
        watched=False,
        outside=outside,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What a journal file adds up to."""

    records: Records
    types: tuple[str, ...]
    head: tuple[int, str]

    @property
    def state_hash(self) -> str:
        """The state hash of the journal."""
        return self.records.state_hash


def folded(folder: Path) -> Folded:
    """Fold the journal of a run folder."""
    records, types, head = Records.empty(MAINNET), [], (0, "")
    with open_readonly(folder / JOURNAL_NAME) as reader:
        for recorded in reader.read():
            records.apply(recorded.event)
            types.append(recorded.type)
            head = recorded.seq, recorded.hash
    return Folded(records=records, types=tuple(types), head=head)


def main() -> int:
    """Play the run of the command line; print each turn."""
    folder, options = Path(sys.argv[1]), json.loads(sys.argv[2])

    def show(frame: int, frames: int, living: int) -> None:
        sys.stdout.write(f"{frame} {frames} {living}\n")
        sys.stdout.flush()

    def ready(seq: int) -> None:
        sys.stdout.write(f"standby {seq}\n")
        sys.stdout.flush()

    async def play_it() -> RunEnd:
        return await serve(
            small_run(days=options["days"], agents=options["agents"], simulated=options.get("simulated", 0)),
            folder,
            clock=WallClock(),
            speed_x=options.get("speed_x"),
            until_end=options.get("until_end", True),
            progress=show,
            stands_by=ready if options.get("standby") else None,
        )

    try:
        end = anyio.run(play_it)
    except TreasuryError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{end.kind}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
