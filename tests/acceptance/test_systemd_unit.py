"""The unit that starts a run under systemd says the same as the code about exits, and gives up in time."""

from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

from treasury_actors.actors.watchdog import EXIT_BLOCKED
from treasury_actors.chain.model.faults import RpcFault
from treasury_actors.cli.main import build_parser
from treasury_actors.daemon.leaving import EXIT_ABORTED, EXIT_GIVEN_UP, LEAVE_WITHIN_S
from treasury_actors.errors import (
    ConfigError,
    DataError,
    FolderInUse,
    InvariantViolated,
    JournalCorrupt,
    JournalFault,
    TreasuryError,
)

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "examples" / "treasury-arena@.service"

USAGE = 2
NO_START_MENDS = {error.exit_code for error in (ConfigError, DataError, FolderInUse, JournalCorrupt)}
A_START_MAY_MEND = {error.exit_code for error in (InvariantViolated, JournalFault, RpcFault, TreasuryError)}


def unit() -> ConfigParser:
    """Return the unit as systemd reads it: keys keep their case, a line is a key and a value."""
    found = ConfigParser(delimiters=("=",), comment_prefixes=("#",), interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]  # as its documentation says
    found.read_string(UNIT.read_text(encoding="utf-8"))
    return found


def errors(family: type[TreasuryError] = TreasuryError) -> Iterator[type[TreasuryError]]:
    """Yield every kind of error this package raises on purpose."""
    yield family
    for kind in family.__subclasses__():
        if kind.__module__.startswith("treasury_actors."):
            yield from errors(kind)


def test_after_three_exits_in_ten_minutes_a_person_must_look() -> None:
    limits = unit()["Unit"]

    assert limits["StartLimitIntervalSec"] == "600"
    assert limits["StartLimitBurst"] == "3"
    assert int(unit()["Service"]["RestartSec"]) * 3 < 600, "else it would never come to three"


def test_no_start_is_tried_again_that_no_start_can_mend() -> None:
    service = unit()["Service"]
    prevented = {int(code) for code in service["RestartPreventExitStatus"].split()}

    assert service["Restart"] == "on-failure"
    assert prevented == NO_START_MENDS | {USAGE, EXIT_ABORTED}
    assert not prevented & (A_START_MAY_MEND | {EXIT_BLOCKED, EXIT_GIVEN_UP})
    assert {kind.exit_code for kind in errors()} <= prevented | A_START_MAY_MEND, "every code is decided on"


def test_a_stop_waits_for_as_long_as_the_process_may_take() -> None:
    service = unit()["Service"]

    assert service["KillSignal"] == "SIGTERM"
    assert int(service["TimeoutStopSec"]) > LEAVE_WITHIN_S + 2.0


def test_it_starts_what_the_command_line_understands() -> None:
    words = unit()["Service"]["ExecStart"].split()
    options = build_parser().parse_args(words[words.index("run.py") + 1 :])

    assert str(options.config) == "%E/treasury-arena/%i.toml"
    assert str(options.out) == "%S/treasury-arena/%i"


def test_it_may_do_little_else() -> None:
    service = unit()["Service"]

    assert service["User"] not in {"", "root"}
    assert service["UMask"] == "0077"
    assert service["CapabilityBoundingSet"] == ""
    for limit in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "LockPersonality"):
        assert service[limit] == "yes"
    assert service["ProtectSystem"] == "strict"
