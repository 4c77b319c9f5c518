"""The state hash: what a journal adds up to, whoever adds it up."""

import json
from hashlib import sha256

from treasury_actors.arena.model.roster import Roster
from treasury_actors.ledger.model import Book


def state_hash(book: Book, roster: Roster) -> str:
    """
    Return the SHA-256 of ledger, mandates, lineage and last states, as hex.

    A pure function of the fold: a live run, a replay of its journal, and a run that was killed and resumed
    have the same (I7). Crash, resume, lock and epoch events are outside it.
    """
    state = {"ledger": book.canonical(), **roster.canonical()}
    return sha256(json.dumps(state, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
