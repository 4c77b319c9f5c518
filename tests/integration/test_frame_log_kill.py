"""I28: a frame that was told is there after a kill at any moment."""

import subprocess
import sys
from pathlib import Path

import pytest

from treasury_actors.market.adapters.frame_log import FrameLog

REPOSITORY = Path(__file__).parents[2]
BEGINNING = "ab" * 32
WRITER = """
import sys
from dataclasses import replace
from pathlib import Path

import anyio

from tests.unit.trading.desk import frame
from treasury_actors.market.adapters.frame_log import FrameLog
from treasury_actors.market.model.frame_checks import LiveFrame


async def write():
    log = FrameLog.open(Path(sys.argv[1]), beginning_hash=sys.argv[2])
    for index in range(len(log.records), 100_000):
        usual = frame(index)
        await log.append([LiveFrame(frame=usual, block=None, findings=(), suspects=())])
        print(index, flush=True)


anyio.run(write)
"""


@pytest.mark.parametrize("told_before", [1, 7, 40])
def test_frames_that_were_told_are_there_after_a_kill_and_at_most_one_more(
    tmp_path: Path, told_before: int
) -> None:
    told = -1
    for _ in range(2):
        command = [sys.executable, "-c", WRITER, str(tmp_path), BEGINNING]
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(told_before):
                told = int(process.stdout.readline())
            process.kill()
            rest = process.stdout.read().split()
            told = int(rest[-1]) if rest else told

        log = FrameLog.open(tmp_path, beginning_hash=BEGINNING)
        kept = [record.frame.index for record in log.records]
        log.close()
        assert kept in (list(range(told + 1)), list(range(told + 2)))
