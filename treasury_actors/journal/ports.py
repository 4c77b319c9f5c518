"""What the house needs from a journal."""

from collections.abc import Iterator
from typing import Protocol

from treasury_actors.journal.event import Recorded
from treasury_actors.message import Provenance

NO_PROVENANCE = Provenance()


class Journal(Protocol):
    """
    One append-only, gapless, hash-chained log.

    An event has its `seq` and hash at once, synchronously; it is durable after the next `flush`. Nothing may
    leave the process (sign, send, acknowledge) before that. A write that failed poisons the journal: it and
    every later call raise JournalFault, and only a new start, which reads the disk again, can go on.
    """

    def append(
        self, event: object, *, stream: str, time_ns: int, provenance: Provenance = NO_PROVENANCE
    ) -> Recorded:
        """
        Give `event` the next place in the chain; it is pending until a `flush`.

        Raises InvariantViolated if `time_ns` is before that of the last event, or if the event cannot be
        written.
        """
        ...

    async def flush(self) -> None:
        """Return when all that was appended before the call is durable. Concurrent calls share a commit."""
        ...

    @property
    def head(self) -> tuple[int, str]:
        """Seq and hash of the last appended event; `(0, "00…")` if there is none."""
        ...

    @property
    def durable_seq(self) -> int:
        """Seq of the last event that a crash cannot take away; 0 if there is none."""
        ...

    def read(self, first_seq: int = 1) -> Iterator[Recorded]:
        """Yield the events from `first_seq` to the head at the time of the first `next`, pending ones too."""
        ...

    def count(self, type_: str, *, after_seq: int = 0) -> int:
        """
        Return how many events of a type there are after one, pending ones too, without looking into any.

        Nothing is checked: who relies on it reads them as well.
        """
        ...

    async def abandon(self) -> None:
        """Let go of the file without writing what is pending: a turn that broke off never happened."""
        ...

    async def close(self) -> None:
        """Flush, then let go of the file. A second call does nothing; a poisoned journal only lets go."""
        ...
