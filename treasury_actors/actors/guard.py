"""The wall around an actor's code: what it can't swallow, and what can't be trusted about what it raises."""

from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from types import coroutine
from typing import Any, Final, TypeVar

import anyio

from treasury_actors.errors import ActorError

R = TypeVar("R")

TEXT_MAX: Final = 500
"""Longest text kept of a message or an error, in characters."""

SWALLOWED_MAX: Final = 16
"""So many cancellations may an actor catch and go on (some libraries do so once); then it is dropped."""


class DeadlinePassed(ActorError):
    """A message took longer than `ChildSpec.deadline_s`, or a stop longer than `SupervisionPolicy.stop_s`."""


@coroutine
def mortal(life: Coroutine[Any, Any, R], doomed: Callable[[], bool]) -> Generator[Any, Any, R]:
    """
    Await `life`, but don't let it outlive its cancellation.

    A cancellation is an exception, so code that catches everything and goes on can't be cancelled, only asked
    again for ever. After `SWALLOWED_MAX` such catches `life` is closed, and if it clings to that too, left
    where it is. `doomed` says whether life itself is being cancelled, and not just some scope within it.
    """
    swallowed = 0
    resume: Callable[[Any], Any] = life.send
    value: Any = None
    while True:
        try:
            awaited = resume(value)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # what ends a coroutine carries its R
        try:
            value, resume = (yield awaited), life.send
        except GeneratorExit:
            life.close()
            raise
        except BaseException as error:
            # Whatever the loop throws is for the one who waits in there.
            if is_cancellation(error) and doomed():
                swallowed += 1
                if swallowed > SWALLOWED_MAX:
                    _abandon(life)
                    raise
            value, resume = error, life.throw


def _abandon(life: Coroutine[Any, Any, object]) -> None:
    # It may raise while dying, or refuse to die; either way it is gone.
    with suppress(BaseException):
        life.close()


def is_cancellation(error: BaseException) -> bool:
    """Return whether `error` is how a scope cancels, or made up to look like it."""
    return isinstance(error, anyio.get_cancelled_exc_class())


def text_of(thing: object) -> str:
    """Return the repr of `thing` on one line, bounded; a repr that raises is a finding, not a crash."""
    try:
        text = repr(thing)
    except BaseException as error:  # noqa: BLE001 - the code of a message that may have caused the crash
        text = f"<{type(thing).__name__}, whose repr raised {type(error).__name__}>"
    return _one_line(text)


def cause_of(error: BaseException) -> str:
    """Return type and text of `error` on one line, bounded."""
    try:
        text = str(error)
    except BaseException as second:  # noqa: BLE001 - as above
        text = f"<whose str raised {type(second).__name__}>"
    name = type(error).__name__
    return _one_line(f"{name}: {text}" if text else name)


def _one_line(text: str) -> str:
    # Cut before splitting: a repr of megabytes costs enough as it is.
    line = " ".join(text[: 2 * TEXT_MAX].split())
    return line if len(line) <= TEXT_MAX else line[: TEXT_MAX - 1] + "…"
