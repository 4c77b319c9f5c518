"""The `Journal` port over a simulated disk: what is acknowledged was synced."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, Protocol, TypeAlias

import anyio

from treasury_actors.errors import JournalFault
from treasury_actors.faults.disk import Disk, group_of
from treasury_actors.journal.event import Head, Recorded, after, chain
from treasury_actors.journal.ports import NO_PROVENANCE
from treasury_actors.message import Provenance

Moment: TypeAlias = Literal["before_write", "written", "synced"]
"""Where a flush can be interrupted: nothing on the disk, all of it but not safe, safe but nobody told."""

MOMENTS: Final[tuple[Moment, ...]] = ("before_write", "written", "synced")


class JournalWorld(Protocol):
    """What befalls a journal from outside."""

    def appended(self, recorded: Recorded) -> None:
        """Hear of an event the moment it has its place."""
        ...

    def acknowledged(self, seq: int) -> None:
        """Hear of what was said to be durable."""
        ...

    async def within_flush(self, moment: Moment) -> None:
        """Let time pass, or the power go, within a flush; then it never comes back."""
        ...

    def sync_fails(self) -> bool:
        """Say whether this sync fails."""
        ...


class DiskJournal:
    """
    One process's journal.

    Args:
        durable: what `recover` found on the disk.
    """

    def __init__(self, disk: Disk, durable: Sequence[Recorded], world: JournalWorld) -> None:
        self._disk = disk
        self._events = list(durable)
        self._head = after(self._events[-1]) if self._events else Head()
        self._durable_seq = self._written_seq = self._head.seq
        self._world = world
        self._refusal: str | None = None
        self._flushing = anyio.Lock()

    def __repr__(self) -> str:
        return f"<DiskJournal seq={self._head.seq} durable={self._durable_seq}>"

    def append(
        self, event: object, *, stream: str, time_ns: int, provenance: Provenance = NO_PROVENANCE
    ) -> Recorded:
        """Give `event` the next place in the chain; see the port."""
        self._check_usable()
        recorded = chain(self._head, event, stream=stream, time_ns=time_ns, provenance=provenance)
        self._events.append(recorded)
        self._head = after(recorded)
        self._world.appended(recorded)
        return recorded

    async def flush(self) -> None:
        """Write what is pending as one commit and sync it."""
        self._check_usable()
        wanted = self._head.seq
        async with self._flushing:
            self._check_usable()
            if self._durable_seq < wanted:
                await self._commit()
            else:
                await self._world.within_flush("synced")

    async def _commit(self) -> None:
        """Make everything appended so far durable, or poison the journal."""
        await self._world.within_flush("before_write")
        self._check_usable()
        seq = self._head.seq
        if self._disk.is_full:
            self.poison("the disk is full")
        self._disk.write(group_of(self._events[self._durable_seq : seq]))
        await self._world.within_flush("written")
        self._check_usable()
        if self._world.sync_fails():
            self.poison("a sync failed: what is durable is unknown")
        self._disk.sync()
        self._durable_seq = seq
        await self._world.within_flush("synced")
        self._world.acknowledged(seq)

    def poison(self, why: str) -> None:
        """Refuse every later call; raise JournalFault."""
        self._refusal = why
        raise JournalFault(why)

    def cut(self) -> None:
        """Lose the disk: whoever still holds this journal belongs to a process that is gone."""
        self._refusal = self._refusal or "the process is gone"
        self._disk = Disk()

    @property
    def head(self) -> tuple[int, str]:
        """Seq and hash of the last appended event."""
        self._check_usable()
        return self._head.seq, self._head.hash

    @property
    def durable_seq(self) -> int:
        """Seq of the last synced event."""
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
        """Let go without writing what is pending."""
        del self._events[self._durable_seq :]
        self._refusal = self._refusal or "the journal was abandoned"

    async def close(self) -> None:
        """Flush, then refuse every later call."""
        if self._refusal is None:
            await self.flush()
            self._refusal = "the journal is closed"

    def _check_usable(self) -> None:
        if self._refusal is not None:
            raise JournalFault(self._refusal)
