"""Is a journal what was written? From the file alone."""

from dataclasses import dataclass
from pathlib import Path

from treasury_actors.errors import JournalCorrupt
from treasury_actors.journal.event import GENESIS_HASH
from treasury_actors.journal.reader import ReadonlyJournal


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """
    A journal that was found whole.

    Attributes:
        events: how many it has.
        head_seq: seq of the last; 0 if there is none.
        anchored_seq: the last event that an anchor outside the run folder vouches for; None without anchors.
    """

    events: int
    head_seq: int
    head_hash: str
    anchored_seq: int | None = None

    @property
    def statement(self) -> str:
        """Say in words what was shown, and what was not."""
        if self.anchored_seq is None:
            return "internally consistent; unanchored"
        if self.anchored_seq == self.head_seq:
            return f"internally consistent; anchored to its head, event {self.head_seq}"
        return f"internally consistent; anchored up to event {self.anchored_seq} of {self.head_seq}"


def verify(path: Path, *, decode_payloads: bool = True) -> Verified:
    """
    Read all of a journal and check every byte that means something.

    Found: a changed column, a gap, an event out of place or time, a wrong hash, a payload that no registered
    event type can have written (unless `decode_payloads` is false), a file damaged for SQLite. Not found: a
    tail cut off, or a chain rewritten as a whole; for these there is `verify_against_anchor`.

    Raises JournalCorrupt with the first bad seq (0: the file as a whole), JournalFault if it cannot be read.
    """
    head_seq, head_hash = 0, GENESIS_HASH
    with ReadonlyJournal(path) as reader:
        for recorded in reader.read():
            if decode_payloads:
                try:
                    _ = recorded.event
                except ValueError as error:
                    message = f"{path}: event {recorded.seq} cannot be decoded: {error}"
                    raise JournalCorrupt(message, seq=recorded.seq) from error
            head_seq, head_hash = recorded.seq, recorded.hash
        reader.check_pages()
    return Verified(events=head_seq, head_seq=head_seq, head_hash=head_hash)
