"""What a process died of, by one name."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from treasury_actors.errors import OutOfMemory

_NO_THREAD: Final = "can't start new thread"
"""What Python says, and says no other way, when the system refuses one."""


@contextmanager
def one_error() -> Iterator[None]:
    """Raise what one task died of as it is, not wrapped in the group of its tasks."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from error.__cause__


@contextmanager
def within_memory() -> Iterator[None]:
    """Raise what a process can't have any more, memory or a thread, as the fault it is."""
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory("the system gives this process no more memory") from error
    except RuntimeError as error:
        if str(error) != _NO_THREAD:
            raise
        raise OutOfMemory("the system gives this process no more threads, or no memory for one") from error
    except BaseExceptionGroup as group:
        if group.subgroup(MemoryError) is None:
            raise
        raise OutOfMemory("the system gives this process no more memory") from group
