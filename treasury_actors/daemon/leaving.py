"""Leaving: the turn has a few seconds to end; then the process ends as a kill would end it."""

import os
from collections.abc import Callable
from typing import Final

import anyio

from treasury_actors.clock import Clock
from treasury_actors.daemon.log import Log

LEAVE_WITHIN_S: Final = 8.0
"""How long a turn may take to end once the process is to leave."""

EXIT_GIVEN_UP: Final = 1
EXIT_ABORTED: Final = 130

_LOOK_S: Final = 0.2


async def give_up(clock: Clock, log: Log, *, end_process: Callable[[int], object] = os._exit) -> None:
    """
    End the process if the turn does not end in time; cancelled when it does.

    Time in which the host stood still counts, unlike anywhere else: whoever asked the process to leave did
    not stop waiting, and only whole turns are ever committed.
    """
    ends_s = clock.monotonic_s() + LEAVE_WITHIN_S
    while True:
        left_s = ends_s - clock.monotonic_s()
        if left_s <= 0:
            break
        await anyio.sleep(min(left_s, _LOOK_S))
    why = f"the turn did not end in {LEAVE_WITHIN_S:g} s; nothing acknowledged is lost"
    log.error("gave_up", why=why)
    end_process(EXIT_GIVEN_UP)
