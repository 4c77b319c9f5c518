"""What can go wrong in a seed, by name. Pure."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Where: TypeAlias = Literal["agent", "market", "venue", "operator", "process", "disk", "chain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """
    One kind of fault.

    Attributes:
        row: the row of the catalogue it stands for.
        where: what it befalls.
        percent: how many of the seeds that inject anything have it.
        times_max: how often at most in one seed.
        replays: it comes again when a turn is played again after a crash: it belongs to the world, not to
            the process. A run with such faults alone is what one with the others must end like.
    """

    name: str
    row: str
    where: Where
    percent: int
    times_max: int
    replays: bool
    story: str


def _kind(  # noqa: PLR0917 - a table reads by column
    name: str, row: str, where: Where, percent: int, times_max: int, story: str, *, replays: bool = True
) -> FaultKind:
    return FaultKind(
        name=name, row=row, where=where, percent=percent, times_max=times_max, replays=replays, story=story
    )


KINDS: Final[dict[str, FaultKind]] = {
    kind.name: kind
    for kind in (
        _kind("agent-crash", "A1", "agent", 45, 4, "an agent raises, before or after it decides"),
        _kind("agent-loop", "A2", "agent", 15, 2, "an agent raises at every turn until it is quarantined"),
        _kind("agent-hang", "A3", "agent", 8, 1, "an agent never answers; its deadline passes"),
        _kind("agent-slow", "A3", "agent", 15, 3, "an agent takes seconds of its deadline"),
        _kind("common-cause", "A1", "agent", 10, 1, "three agents and more raise in one turn"),
        _kind("flood", "A4", "agent", 8, 1, "an agent fills the engine's mailbox to the brim"),
        _kind("bad-orders", "A6", "agent", 25, 3, "orders nobody should place, and good ones twice"),
        _kind("feed-gap", "D3", "market", 15, 2, "no price is fresh for some hours"),
        _kind("feed-stale", "D3", "market", 25, 3, "one asset's price stands still"),
        _kind("feed-spike", "D3", "market", 15, 2, "one asset's price is off by a factor for one hour"),
        _kind("price-fall", "D4", "market", 25, 1, "everything that isn't a dollar falls, for good"),
        _kind("thin-pools", "D7", "market", 20, 2, "depth and capacity are nearly gone"),
        _kind("gas-spike", "C11", "market", 15, 2, "gas costs a hundred to a million times as much"),
        _kind("venue-delay", "A3", "venue", 30, 3, "receipts come hours late"),
        _kind("venue-partial", "C10", "venue", 25, 3, "a part of what was ordered is executed"),
        _kind("venue-refusal", "C10", "venue", 25, 3, "the venue reverts, and burns gas for it"),
        _kind("second-receipt", "A6", "venue", 8, 1, "a receipt comes twice", replays=False),
        _kind("deposit", "A12", "operator", 20, 2, "a treasurer deposits while all this goes on"),
        _kind("withdrawal", "A12", "operator", 20, 2, "a treasurer withdraws what the pool has"),
        _kind("recall", "A12", "operator", 25, 2, "a treasurer withdraws what mandates must be cut for"),
        _kind("stop", "A11", "operator", 20, 2, "an operator stops between two turns"),
        _kind("reduce", "A11", "operator", 10, 1, "an operator reduces between two turns"),
        _kind("stop-within", "A11", "operator", 20, 2, "an operator stops within a turn", replays=False),
        _kind("kill", "A7", "process", 50, 4, "the process dies between any two callbacks", replays=False),
        _kind(
            "kill-at-flush", "A7", "process", 25, 2, "it dies before, within or after a sync", replays=False
        ),
        _kind("restart", "B3", "process", 15, 2, "the process ends in order and starts again", replays=False),
        _kind("pause", "B3", "process", 15, 2, "the host stands still for seconds or hours", replays=False),
        _kind("sync-error", "A8", "disk", 12, 1, "a sync fails; nobody knows what is durable", replays=False),
        _kind("disk-full", "A8", "disk", 12, 1, "no byte more is written for some starts", replays=False),
        _kind(
            "bit-flip",
            "A8",
            "disk",
            12,
            1,
            "a bit of an event turns while the process is down",
            replays=False,
        ),
        _kind("chain-kill", "A7", "chain", 30, 6, "a wallet's process dies between any two callbacks"),
        _kind("chain-lost", "C1", "chain", 35, 4, "a send, or the answer to it, is lost"),
        _kind("chain-silent", "C4", "chain", 25, 3, "no node answers, now and then"),
        _kind("chain-stale", "C3", "chain", 20, 3, "a node is some blocks behind"),
        _kind("chain-lie", "C3", "chain", 8, 2, "a node names another hash than ours"),
        _kind("chain-reorg", "C6", "chain", 35, 5, "up to seven blocks are undone, their transactions too"),
        _kind("chain-drop", "C7", "chain", 25, 4, "everything is evicted from the pool"),
        _kind("chain-idle", "C7", "chain", 20, 3, "blocks take nothing of ours"),
        _kind("chain-fees", "C11", "chain", 20, 3, "the base fee is up to a thousand times as high"),
        _kind("chain-stop", "A11", "chain", 20, 2, "trading is stopped while transactions are out"),
    )
}
"""Every kind, in the order they are drawn and dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    One fault of a plan. What a number means depends on the kind; unused ones are 0.

    Attributes:
        turn: the season frame it strikes at; for what lasts, the first.
        turns: for how many frames.
        slot: which agent of the roster, asset, …; taken modulo how many there are.
        number: a size, a step within the turn, or a variant.
    """

    kind: str
    turn: int
    turns: int = 1
    slot: int = 0
    number: int = 0

    def covers(self, turn: int) -> bool:
        """Say whether it lasts at a turn."""
        return self.turn <= turn < self.turn + self.turns
