"""Known-bad changes of ledger and journal."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final, TypeAlias

from treasury_actors.faults import disk
from treasury_actors.faults.disk import Disk
from treasury_actors.faults.journal import DiskJournal
from treasury_actors.faults.planting import Change, known_bad
from treasury_actors.ids import EntryId
from treasury_actors.journal import event as journal_event
from treasury_actors.journal.event import Head, Recorded
from treasury_actors.ledger.actor import Ledger
from treasury_actors.ledger.messages import EntryPosted
from treasury_actors.ledger.model import Book, Entry, EntryRejected, LedgerReason, Posting
from treasury_actors.message import Provenance

Posted: TypeAlias = EntryPosted | EntryRejected

_SYNCS_IN: Final = 8


@known_bad(
    "entry-counts-again", "An entry that comes a second time is posted a second time: nobody looks at its id"
)
def _entry_counts_again() -> Iterator[Change]:
    check = Book.check

    def forgetful(self: Book, entry: Entry) -> EntryRejected | None:
        self._entries.pop(entry.entry_id, None)
        return check(self, entry)

    yield Book, "check", forgetful


@known_bad("fill-posted-twice", "What a fill brought is posted twice, under two names")
def _fill_posted_twice() -> Iterator[Change]:
    post: Callable[..., Posted] = vars(Ledger)["_post"]

    def twice(self: Ledger, entry: Entry, provenance: Provenance) -> Posted:
        reply = post(self, entry, provenance)
        if entry.kind == "settle":
            brought = _leg_of(entry.postings)
            post(
                self,
                replace(entry, entry_id=EntryId(f"{entry.entry_id}/again"), postings=brought),
                provenance,
            )
        return reply

    yield Ledger, "_post", twice


def _leg_of(postings: tuple[Posting, ...]) -> tuple[Posting, ...]:
    """Return the pair by which a venue gives."""
    for pair in pairwise(postings):
        if pair[0].account.startswith("venue:") and pair[0].units < 0:
            return pair
    return postings


@known_bad("release-forgotten", "What was held for an order that came to nothing stays held")
def _release_forgotten() -> Iterator[Change]:
    post: Callable[..., Posted] = vars(Ledger)["_post"]

    def deaf(self: Ledger, entry: Entry, provenance: Provenance) -> Posted:
        if entry.kind == "release":
            return EntryPosted(entry_id=entry.entry_id, seq=0)
        return post(self, entry, provenance)

    yield Ledger, "_post", deaf


@known_bad("rest-of-a-partial-fill-kept", "What a partial fill left over is not given back to its agent")
def _rest_of_a_partial_fill_kept() -> Iterator[Change]:
    post: Callable[..., Posted] = vars(Ledger)["_post"]

    def grasping(self: Ledger, entry: Entry, provenance: Provenance) -> Posted:
        if entry.kind == "settle":
            entry = replace(entry, postings=_without_rest(entry.postings))
        return post(self, entry, provenance)

    yield Ledger, "_post", grasping


def _without_rest(postings: tuple[Posting, ...]) -> tuple[Posting, ...]:
    """Leave out the pair that moves from what is held to what its agent may spend."""
    for first, second in pairwise(postings):
        if first.account.endswith(":held") and second.account.endswith(":available"):
            return tuple(posting for posting in postings if posting not in (first, second))
    return postings


@known_bad("overdraft-allowed", "More may leave an account than it holds")
def _overdraft_allowed() -> Iterator[Change]:
    check = Book.check

    def generous(self: Book, entry: Entry) -> EntryRejected | None:
        refusal = check(self, entry)
        lacks = refusal is not None and refusal.reason is LedgerReason.INSUFFICIENT_UNITS
        return None if lacks else refusal

    yield Book, "check", generous


@known_bad("effect-before-journal", "A hold changes the book, and is journalled never")
def _effect_before_journal() -> Iterator[Change]:
    post: Callable[..., Posted] = vars(Ledger)["_post"]

    def hasty(self: Ledger, entry: Entry, provenance: Provenance) -> Posted:
        if entry.kind == "hold":
            self._book.apply(entry)
            return EntryPosted(entry_id=entry.entry_id, seq=0)
        return post(self, entry, provenance)

    yield Ledger, "_post", hasty


@known_bad("payload-outside-the-hash", "The hash of an event leaves out what the event says")
def _payload_outside_the_hash() -> Iterator[Change]:
    hash_of: Callable[..., str] = journal_event.hash_of

    def shallow(**fields: Any) -> str:  # noqa: ANN401 - handed on
        return hash_of(**{**fields, "payload": ""})

    yield journal_event, "hash_of", shallow


@known_bad("chain-not-checked-at-start", "A start believes whatever the disk says")
def _chain_not_checked_at_start() -> Iterator[Change]:
    def trusting(_: Recorded, __: Head) -> None:
        return None

    yield disk, "what_is_wrong", trusting


@known_bad(
    "acknowledged-before-sync",
    "A commit is acknowledged when it is written; it is synced now and then (synchronous=NORMAL)",
)
def _acknowledged_before_sync() -> Iterator[Change]:
    sync = Disk.sync
    calls = [0]

    def lazy(self: Disk) -> None:
        calls[0] += 1
        if calls[0] % _SYNCS_IN == 0:
            sync(self)

    yield Disk, "sync", lazy


@known_bad(
    "sync-tried-again",
    "A sync that failed is tried again, and succeeds: the kernel has thrown the pages away",
)
def _sync_tried_again() -> Iterator[Change]:
    poison = DiskJournal.poison

    def hopeful(self: DiskJournal, why: str) -> None:
        if "sync" not in why:
            poison(self, why)
        self._disk.tail.clear()

    yield DiskJournal, "poison", hopeful
