"""States a campaign must have reached: a simulation that never gets there proves nothing about them."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

REQUIRED_FROM_SEEDS: Final = 1_000
"""A campaign of so many seeds fails if it never reached a state; a shorter one only says so."""

STATES: Final[dict[str, str]] = {
    "killed": "the process died",
    "killed-with-orders-at-venue": "it died while orders were at a venue",
    "killed-with-news-not-durable": "it died with events in memory alone",
    "killed-within-a-round": "it died between the first and the last event of a round",
    "killed-within-the-opening": "it died before its first turn was durable",
    "killed-while-stopped": "it died while trading was stopped",
    "killed-before-write": "it died in a flush, before a byte was written",
    "killed-before-sync": "it died in a flush, between write and sync",
    "killed-after-sync": "it died in a flush, safe on disk and not acknowledged",
    "commit-torn": "a start found a part of a commit, and cut it off",
    "commit-kept-without-sync": "a commit that was never acknowledged was there after all",
    "half-turn-durable": "a start found a turn that had not ended",
    "orders-sent-again": "a start told the venue again of orders it had",
    "restarted-in-order": "the process ended in order and started again",
    "standby-took-over": "a process that had followed the journal went on where the one before it died",
    "host-paused": "the host stood still for longer than two seconds",
    "disk-was-full": "a write found no room",
    "sync-failed": "a sync failed",
    "flip-found-by-chain": "damage was found by checksum or hash",
    "flip-found-by-anchor": "damage at the end was found by the head known outside",
    "agent-crashed": "an agent crashed",
    "agent-crashed-after-deciding": "an agent crashed after it had answered",
    "agent-hung": "an agent's deadline passed",
    "agent-slow": "an agent took seconds",
    "agent-quarantined": "an agent used up its restarts",
    "agent-frozen": "an agent over its budget kept what it had, as where money is real",
    "agent-retired": "an agent was retired",
    "agent-closed": "the capital of a retired agent came home",
    "agent-born-later": "an agent was born after the start",
    "common-cause-found": "so many crashed at once that nobody was to blame",
    "mailbox-full": "a mailbox had no room",
    "order-refused": "an order was refused",
    "order-duplicate": "an order came a second time, and was refused",
    "order-of-two-hops": "the second hop of an order was released",
    "order-partly-filled": "a venue filled a part",
    "order-ended-unfilled": "an accepted order ended without a fill",
    "order-waited": "an order waited behind another of its agent",
    "receipts-came-late": "a venue kept its receipts back",
    "venue-refused": "a venue reverted",
    "second-receipt-refused": "a second receipt stopped the house",
    "guardian-sold": "the guardian ordered an exit",
    "gas-ran-out": "an order was not released for want of gas",
    "price-stale": "an order was refused because its price was stale",
    "stopped": "trading was stopped",
    "stopped-with-orders-at-venue": "trading was stopped while orders were at a venue",
    "reduced": "trading was reduced",
    "resumed": "an operator resumed",
    "deposited": "a treasurer deposited",
    "withdrawn": "a treasurer withdrew",
    "recall-begun": "mandates were cut for a withdrawal",
    "recall-refused": "a withdrawal that mandates would be cut for was refused",
    "recall-cancelled": "a withdrawal was cancelled on its way",
    "recall-home": "a withdrawal that mandates were cut for left the treasury",
    "recall-extended": "exits brought less than planned, and others were cut, too",
    "withdrawal-refused": "a withdrawal of more than there is was refused",
    "capital-asked-back": "a round asked capital back",
    "capital-refused": "a round could not pay an allotment",
    "round-held": "a round was held",
    "chain-wallet-killed": "a wallet's process died",
    "chain-send-lost": "bytes never reached a node",
    "chain-reply-lost": "bytes reached a node, its answer was lost",
    "chain-node-lied": "a node named another hash",
    "chain-silent": "no node answered",
    "chain-head-stale": "a node was some blocks behind",
    "chain-reorganised": "blocks were undone",
    "chain-counted-back": "what was counted was counted back",
    "chain-pool-dropped": "transactions were evicted",
    "chain-bumped": "a transaction was replaced by a dearer one",
    "chain-nonce-given-back": "an unsigned nonce was given back",
    "chain-stopped": "trading was stopped while a wallet was at work",
    "chain-intent-settled": "an intent came to its proven end",
    "twin-compared": "a run with kills was compared with one without",
    "siblings-compared": "what siblings of a crashed agent did was compared with a run without crashes",
    "schedule-compared": "a run in another order was compared with one in asyncio's",
}
"""Every state by name, and what it means."""


class Sometimes:
    """Counts how often each state was reached."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<Sometimes {len(self._counts)} of {len(STATES)}>"

    def reached(self, state: str, times: int = 1) -> None:
        """Count a state that was reached."""
        assert state in STATES, f"{state}: a state is declared before it is counted"
        self._counts[state] += times

    def add(self, counts: Mapping[str, int]) -> None:
        """Count what another run reached."""
        self._counts.update(counts)

    def counts(self) -> dict[str, int]:
        """Return every state's count, those never reached too."""
        return {state: self._counts[state] for state in STATES}

    def never_reached(self) -> tuple[str, ...]:
        """Return the states that were never reached."""
        return tuple(state for state in STATES if not self._counts[state])
