"""Dropping what a killed process left: no word of it, and at a moment that a seed decides."""

import gc
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quietly() -> Iterator[None]:
    """Say nothing of coroutines that are dropped in the middle: that is what a kill does to them."""
    usual = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            yield
    finally:
        sys.unraisablehook = usual


@contextmanager
def collected() -> Iterator[None]:
    """Let no finaliser run before the end of a seed, and every one then: else the trace hung on memory."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        with quietly():
            gc.collect(1)
        if was_enabled:
            gc.enable()
