"""
A house that is killed -9 at each commit, each send and each reading of receipts of a day, and started again.

The node lives on. By default every ninth of the places is tried; all of them by
`KILL_STEP=1 python -m pytest tests/integration/evm/house/test_kills.py`.
"""

import asyncio
import json
import multiprocessing
import os
import signal
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from tests.integration.evm.house import dying
from tests.integration.evm.house.ground import Ground, own_node
from treasury_actors.journal.verify import verify
from treasury_actors.simulation.run import JOURNAL_NAME

STEP = int(os.environ.get("KILL_STEP", "9"))
PARTS = 8
PLACES_MIN = 60
JOIN_S = 60.0


@pytest.fixture(scope="session")
def nursery() -> ForkServerContext:
    """Return what makes processes that have imported everything already, and share nothing else with us."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.integration.evm.house.dying"])
    return context


def outcome(context: ForkServerContext, target: object, *arguments: object) -> int | None:
    """Run a function in a process of its own; return its exit code."""
    process = context.Process(target=target, args=arguments)  # type: ignore[arg-type]  # whatever they take
    process.start()
    process.join(JOIN_S)
    if process.is_alive():
        process.kill()
        process.join()
    code = process.exitcode
    process.close()
    return code


def report(folder: Path) -> object:
    """Return what a process wrote when it had done."""
    return json.loads((folder / dying.REPORT_NAME).read_text())


@pytest.fixture(scope="session")
def places(ground: Ground, nursery: ForkServerContext, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return every place where a day can be killed, from a day that was not."""
    folder = tmp_path_factory.mktemp("whole")

    async def live() -> int | None:
        async with own_node(ground) as node:
            return outcome(nursery, dying.trade, dying.portable(ground), node.url, folder, dying.NEVER)

    assert asyncio.run(live()) == 0
    names = report(folder)
    assert isinstance(names, list)
    return names


@pytest.mark.parametrize("part", range(PARTS))
async def test_whenever_it_is_killed_each_hop_settles_once_and_none_is_lost(
    ground: Ground, nursery: ForkServerContext, places: list[str], tmp_path: Path, part: int
) -> None:
    assert len(places) > PLACES_MIN
    ours = dying.portable(ground)
    for at in range(1 + part * STEP, len(places) + 1, STEP * PARTS):
        folder = tmp_path / str(at)
        folder.mkdir()
        async with own_node(ground) as node:
            killed = outcome(nursery, dying.trade, ours, node.url, folder, at)
            recovered = outcome(nursery, dying.recover, ours, node.url, folder)
        where = f"killed at place {at}, {places[at - 1]}"
        assert killed == -signal.SIGKILL, where
        assert recovered == 0, where
        found = report(folder)
        assert isinstance(found, dict)
        said = f"{where}: {found}"
        assert found["equal"], said
        assert found["allowances"] == 0, said
        assert found["calls"] == found["fills"], said
        assert found["hops without end"] == [], said
        assert found["orders without end"] == [], said
        assert found["nonces used"] == found["transactions known"], said
        assert (found["stopped"], found["reverted"], found["live"]) == ("", 0, 0), said
        assert verify(folder / JOURNAL_NAME).events > 0, said
