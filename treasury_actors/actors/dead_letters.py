"""Where messages go whose receiver is gone."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Reason: TypeAlias = Literal["crashed", "quarantined", "stopped", "dropped"]
"""`crashed`: the receiver died of it. `dropped`: its sender chose to lose it rather than to wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message nobody handled, and why."""

    receiver: str
    message: object
    reason: Reason


class DeadLetters:
    """
    The last `size` dead letters, and how many there ever were, by reason.

    Counts are exact for the life of the store; the letters themselves are bounded, oldest lost first.
    """

    def __init__(self, *, size: int = 1_000) -> None:
        assert size > 0, "a store of dead letters holds at least one"
        self._letters: deque[DeadLetter] = deque(maxlen=size)
        self._counts: Counter[Reason] = Counter()

    def add(self, receiver: str, message: object, reason: Reason) -> None:
        """Keep one letter."""
        self._letters.append(DeadLetter(receiver=receiver, message=message, reason=reason))
        self._counts[reason] += 1

    def count(self, reason: Reason | None = None) -> int:
        """Return how many there ever were, of one reason or of all."""
        return self._counts.total() if reason is None else self._counts[reason]

    def of(self, receiver: str) -> tuple[DeadLetter, ...]:
        """Return the letters still kept for one receiver, oldest first."""
        return tuple(letter for letter in self._letters if letter.receiver == receiver)

    def __iter__(self) -> Iterator[DeadLetter]:
        """Go through the letters still kept, oldest first."""
        return iter(tuple(self._letters))

    def __repr__(self) -> str:
        """Return an instrument: how many, by reason, in order of first appearance."""
        counts = ", ".join(f"{reason} {count}" for reason, count in self._counts.items())
        return f"<DeadLetters [{counts or 'none'}]>"
