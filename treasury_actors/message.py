"""What rides on a message: its reply type, and where it came from. Stdlib only."""

from dataclasses import dataclass
from typing import Generic, TypeVar

R_co = TypeVar("R_co", covariant=True)


class Ask(Generic[R_co]):
    """Base of a message that expects a reply of type `R`: `class Statement(Ask[Balances])`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """
    Why an event exists.

    Attributes:
        correlation_id: the life it belongs to, e.g. an order id or `round:12`.
        causation_id: the message or event that directly led to it.
    """

    correlation_id: str = ""
    causation_id: str = ""
