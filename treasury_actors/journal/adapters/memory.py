"""A journal in memory, without a thread: for tests, and for the seeded fault simulation."""

from collections.abc import Iterator, Sequence

from treasury_actors.errors import JournalFault
from treasury_actors.journal.event import Head, Recorded, after, chain
from treasury_actors.journal.ports import NO_PROVENANCE
from treasury_actors.message import Provenance


class MemoryJournal:
    """
    The `Journal` port over a list.

    Args:
        durable: the events a previous life left behind; taken as verified.
        fail_at_seq: the flush that would make this event durable fails, as a full disk would.
    """

    def __init__(self, durable: Sequence[Recorded] = (), *, fail_at_seq: int | None = None) -> None:
        self._events = list(durable)
        self._durable_seq = len(self._events)
        self._head = after(self._events[-1]) if self._events else Head()
        self._fail_at_seq = fail_at_seq
        self._refusal: str | None = None

    def __repr__(self) -> str:
        """Show the head and what is durable."""
        return f"<MemoryJournal seq={self._head.seq} durable={self._durable_seq}>"

    def append(
        self, event: object, *, stream: str, time_ns: int, provenance: Provenance = NO_PROVENANCE
    ) -> Recorded:
        """Give `event` the next place in the chain; see the port."""
        self._check_usable()
        recorded = chain(self._head, event, stream=stream, time_ns=time_ns, provenance=provenance)
        self._events.append(recorded)
        self._head = after(recorded)
        return recorded

    async def flush(self) -> None:
        """Mark everything appended so far as durable."""
        self._check_usable()
        if self._fail_at_seq is not None and self._durable_seq < self._fail_at_seq <= self._head.seq:
            self._refusal = f"the write of event {self._fail_at_seq} failed"
            self._check_usable()
        self._durable_seq = self._head.seq

    @property
    def head(self) -> tuple[int, str]:
        """Seq and hash of the last appended event."""
        self._check_usable()
        return self._head.seq, self._head.hash

    @property
    def durable_seq(self) -> int:
        """Seq of the last flushed event; readable of a poisoned journal too."""
        return self._durable_seq

    def read(self, first_seq: int = 1) -> Iterator[Recorded]:
        """Yield the events from `first_seq` on; see the port."""
        self._check_usable()
        return iter(self._events[max(first_seq, 1) - 1 :])

    def count(self, type_: str, *, after_seq: int = 0) -> int:
        """Return how many events of a type there are after one; see the port."""
        self._check_usable()
        return sum(recorded.type == type_ for recorded in self._events[after_seq:])

    async def abandon(self) -> None:
        """Forget what was not flushed, and refuse every later call."""
        del self._events[self._durable_seq :]
        self._refusal = self._refusal or "the journal was abandoned"

    async def close(self) -> None:
        """Flush and refuse every later call."""
        if self._refusal is None:
            await self.flush()
            self._refusal = "the journal is closed"

    def after_crash(self) -> "MemoryJournal":
        """Return the journal that a start after a crash at this moment would find: the durable events."""
        return MemoryJournal(self._events[: self._durable_seq])

    def _check_usable(self) -> None:
        if self._refusal is not None:
            raise JournalFault(self._refusal)
