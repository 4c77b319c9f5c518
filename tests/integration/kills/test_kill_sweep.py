"""A run that is killed just before it writes or sends loses nothing and does nothing twice."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.kills.host import Order
from tests.integration.kills.sweep import (
    STRACE,
    Ended,
    Host,
    boundaries,
    hosting,
    kill_at,
    outcome,
    wrong_after,
)

KILLS_BY_STRACE = 20
KILLS_BY_ITSELF = 10
SIGKILLED = -9

needs_strace = pytest.mark.skipif(
    STRACE is None, reason="there is no strace here; the run that kills itself is tried instead"
)


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with hosting() as found:
        yield found


@needs_strace
@pytest.mark.slow
def test_a_run_killed_before_any_call_that_writes_ends_as_if_it_had_not_been(
    host: Host, tmp_path: Path
) -> None:
    order = Order(folder=str(tmp_path / "whole"))
    everywhere = boundaries(host, order, log=tmp_path / "log")
    whole = outcome(tmp_path / "whole")
    assert len(everywhere) > 5 * KILLS_BY_STRACE
    killed = 0

    for number, boundary in enumerate(everywhere[:: len(everywhere) // KILLS_BY_STRACE]):
        disturbed = replace(order, folder=str(tmp_path / f"killed-{number}"))
        ended = kill_at(host, disturbed, boundary, log=tmp_path / "log")
        killed += ended.exit_code == SIGKILLED
        assert wrong_after(host, disturbed, ended, whole) == "", boundary

    assert killed >= KILLS_BY_STRACE - 2, "a thread may make a call less the second time"


@pytest.mark.slow
def test_a_run_that_kills_itself_at_its_own_writes_ends_as_if_it_had_not(host: Host, tmp_path: Path) -> None:
    order = Order(folder=str(tmp_path / "whole"), durable=False, counted=True)
    writes = host.play(order).writes
    whole = outcome(tmp_path / "whole")
    assert writes > 10 * KILLS_BY_ITSELF

    for number in range(writes // KILLS_BY_ITSELF // 2, writes - 5, writes // KILLS_BY_ITSELF):
        disturbed = replace(order, folder=str(tmp_path / f"killed-{number}"), kill_at=number)
        ended = host.play(disturbed)
        assert ended.exit_code == SIGKILLED, number
        assert wrong_after(host, disturbed, ended, whole) == "", number


def test_the_sweep_sees_what_is_lost_doubled_or_elsewhere(host: Host, tmp_path: Path) -> None:
    order = Order(folder=str(tmp_path / "run"))
    ended = host.play(order)
    whole = outcome(tmp_path / "run")
    event_type = "trading.order_filled.v1"
    doubled = replace(whole, types=whole.types | {event_type: whole.types[event_type] + 1})

    assert wrong_after(host, order, ended, whole) == ""
    assert "was acknowledged, the last one is" in wrong_after(host, order, _told(ended, more=1_000), whole)
    assert "doubled or lost" in wrong_after(host, order, ended, doubled)
    assert "another state" in wrong_after(host, order, ended, replace(whole, state_hash="0" * 64))


def _told(ended: Ended, *, more: int) -> Ended:
    return replace(ended, acknowledged=ended.acknowledged + more)
