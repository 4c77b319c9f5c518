"""The log: a line for people, the same for machines, and no harm if neither can be written."""

import io
import json
from pathlib import Path

from treasury_actors.clock import VirtualClock
from treasury_actors.daemon.log import FILE_NAME, open_log

NOON_NS = 1_700_000_000 * 10**9


def test_a_line_is_written_for_people_and_for_machines(tmp_path: Path) -> None:
    screen = io.StringIO()

    with open_log(tmp_path, clock=VirtualClock(NOON_NS), screen=screen) as log:
        log.warning("trading_changed", state="stopped", reason="two words")

    assert screen.getvalue() == "22:13:20 warning trading changed: state=stopped reason='two words'\n"
    assert json.loads((tmp_path / FILE_NAME).read_text()) == {
        "event": "trading_changed",
        "level": "warning",
        "reason": "two words",
        "state": "stopped",
        "time": "2023-11-14T22:13:20.000Z",
    }


def test_what_somebody_typed_cannot_drive_the_terminal(tmp_path: Path) -> None:
    screen = io.StringIO()

    with open_log(tmp_path, clock=VirtualClock(), screen=screen) as log:
        log.info("seen", reason="\x1b[2J\nfake line", who="ö")

    assert screen.getvalue().count("\n") == 1
    assert screen.getvalue().rstrip("\n").isprintable()
    assert screen.getvalue().isascii()


def test_secrets_are_taken_out_of_both_lines(tmp_path: Path) -> None:
    screen = io.StringIO()

    with open_log(
        tmp_path, clock=VirtualClock(), screen=screen, redact=lambda line: line.replace("hunter2", "***")
    ) as log:
        log.info("called", url="https://node/hunter2")

    assert "hunter2" not in screen.getvalue() + (tmp_path / FILE_NAME).read_text()
    assert "***" in screen.getvalue()


def test_a_log_that_cannot_be_written_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    screen = io.StringIO()
    screen.close()

    with open_log(tmp_path, clock=VirtualClock(), screen=screen) as log:
        log.info("lost")

    assert (tmp_path / FILE_NAME).is_dir()


def test_a_later_process_writes_on(tmp_path: Path) -> None:
    for number in range(2):
        with open_log(tmp_path, clock=VirtualClock(), screen=io.StringIO()) as log:
            log.info("started", number=number)

    lines = (tmp_path / FILE_NAME).read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [0, 1]
