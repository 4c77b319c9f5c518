"""
An audit that trusts nobody: balances added up anew from every entry, and the way of every dollar.

It shares no arithmetic with the ledger: it reads postings and adds integers.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from treasury_actors.journal.event import Recorded
from treasury_actors.ledger.model import Entry

_OUTSIDE = ("external:", "venue:")
_MOVES = frozenset({"deposit", "withdraw", "fund", "allot", "return"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move of capital: between the outside, the reserve, a stage's pool and an agent."""

    seq: int
    time_ns: int
    entry_id: str
    kind: str
    source: str
    target: str
    asset: str
    units: int
    reason: str


@dataclass(slots=True)
class Audit:
    """
    The fold of a journal's entries.

    Attributes:
        entries: how many were checked; `problems`: what any of them broke, the first few.
        moves: of capital, in their order.
    """

    entries: int = 0
    problems: list[str] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    balances: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether money was conserved at every entry."""
        return not self.problems

    def read(self, records: Iterable[Recorded]) -> "Audit":
        """Check every entry of a journal, each after the ones before it."""
        for recorded in records:
            if isinstance(recorded.event, Entry):
                self._entry(recorded, recorded.event)
        return self

    def total(self, prefix: str, asset: str) -> int:
        """Return the units of an asset in the accounts whose names begin so."""
        return sum(
            units
            for (account, of), units in self.balances.items()
            if account.startswith(prefix) and of == asset
        )

    def _entry(self, recorded: Recorded, entry: Entry) -> None:
        self.entries += 1
        sums: dict[str, int] = {}
        for posting in entry.postings:
            sums[posting.asset] = sums.get(posting.asset, 0) + posting.units
            place = (str(posting.account), str(posting.asset))
            self.balances[place] = self.balances.get(place, 0) + posting.units
        where = f"entry {entry.entry_id} (event {recorded.seq})"
        self._check(
            [f"{where}: {asset} sums to {total}" for asset, total in sorted(sums.items()) if total]
            + [
                f"{where}: {posting.account} holds {self.balances[(posting.account, posting.asset)]}"
                for posting in entry.postings
                if not posting.account.startswith(_OUTSIDE)
                and self.balances[(posting.account, posting.asset)] < 0
            ]
        )
        if entry.kind in _MOVES:
            self._note(recorded, entry)

    def _check(self, found: list[str]) -> None:
        self.problems.extend(found[: 10 - len(self.problems)])

    def _note(self, recorded: Recorded, entry: Entry) -> None:
        """Note who gave what to whom; an entry's postings come in pairs, giver first."""
        for giver, taker in zip(entry.postings[::2], entry.postings[1::2], strict=False):
            self.moves.append(
                Move(
                    seq=recorded.seq,
                    time_ns=recorded.time_ns,
                    entry_id=entry.entry_id,
                    kind=entry.kind,
                    source=giver.account,
                    target=taker.account,
                    asset=giver.asset,
                    units=taker.units,
                    reason=entry.reason,
                )
            )
