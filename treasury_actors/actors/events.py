"""What a supervisor reports. Texts are bounded and on one line, fit for a journal."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCrashed:
    """
    A child died. Reported before it is restarted and before anyone who waits for it is told.

    Attributes:
        cause: type and text of what it raised, at most 500 characters.
        message: repr of what it had in hand, at most 500 characters; `<started>` or `<stopped>` for a hook.
    """

    name: str
    turn: int
    cause: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRestarted:
    """A new object has started on the crashed child's mailbox."""

    name: str
    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildQuarantined:
    """A child used up its restart budget and stays down. `crashes` is how many times it ever crashed."""

    name: str
    turn: int
    crashes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonCause:
    """So many crashed in one turn that the cause is common: none is quarantined. Names in order of crash."""

    turn: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """A child died that is never restarted: the process must stop and start clean."""

    name: str
    turn: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPaused:
    """The loop stood still for `gap_s` seconds: suspended, or blocked by something. Deadlines waited."""

    gap_s: float


SupervisionEvent: TypeAlias = (
    ChildCrashed | ChildRestarted | ChildQuarantined | CommonCause | Escalated | HostPaused
)
