"""What a process of ours that is not the run itself begins with: it ends with its parent."""

import multiprocessing
import os
import signal
from multiprocessing.connection import wait
from threading import Thread

_PARENT_GONE_CODE = 1


def become_worker() -> None:
    """Leave Ctrl-C, which reaches the whole group, to the parent; end when that has ended, however it did."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"
    wait([parent.sentinel])
    os._exit(_PARENT_GONE_CODE)
