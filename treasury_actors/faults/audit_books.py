"""Balances added up a second time, from the text of the journal, by code that the ledger has no part in."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from treasury_actors.faults.violation import violated

Payload: TypeAlias = Mapping[str, Any]
"""An event as its JSON has it."""

_OUTSIDE: Final = ("venue:", "external:")
_BORDER_KINDS: Final = ("deposit", "withdraw")
_TRADE_KINDS: Final = ("settle", "reverse")
_PROMISED: Final = "treasury:promised"
_OF_WITHDRAWALS: Final = ("promise/", "withdrawal/")
_GAS_BURNT: Final = "venue:gas"


class BooksAudit:
    """
    What every account holds.

    Attributes:
        balances: units by asset, by account; zeros are left out.
        last: the entry that was posted last.
        unmatched: a settlement that no fill has explained yet.
    """

    def __init__(self) -> None:
        self.balances: dict[str, dict[str, int]] = {}
        self.last: Payload = {}
        self.unmatched = ""
        self._entries: dict[str, None] = {}
        self._totals: dict[str, int] = {}

    def entry(self, entry: Payload) -> None:
        """Take in an entry: I1, I2, I3 and I4 hold after each."""
        name = entry["entry_id"]
        if name in self._entries:
            violated("I4", f"entry {name} was posted twice")
        self._entries[name] = None
        self.last = entry
        sums: dict[str, int] = {}
        touched: dict[tuple[str, str], int] = {}
        crosses = trades = False
        for posting in entry["postings"]:
            account, asset, units = posting["account"], posting["asset"], int(posting["units"])
            sums[asset] = sums.get(asset, 0) + units
            place = (account, asset)
            touched[place] = touched.get(place, self.units(account, asset)) + units
            crosses = crosses or account.startswith("external:")
            trades = trades or (account.startswith("venue:") and account != _GAS_BURNT)
        for asset, total in sums.items():
            if total:
                violated("I1", f"entry {name}: {asset} sums to {total}")
            self._totals[asset] = self._totals.get(asset, 0) + total
        if crosses and entry["kind"] not in _BORDER_KINDS:
            violated("I2", f"entry {name} of kind {entry['kind']} crosses the border")
        if trades:
            self._traded(entry)
        self._promised(entry)
        for (account, asset), units in touched.items():
            if units < 0 and not account.startswith(_OUTSIDE):
                violated("I3", f"entry {name}: {account} holds {units} {asset}")
            if units:
                self.balances.setdefault(account, {})[asset] = units
            else:
                self.balances.get(account, {}).pop(asset, None)

    def _promised(self, entry: Payload) -> None:
        """See that what is promised to a withdrawal moves in its name alone (I33)."""
        touches = any(posting["account"] == _PROMISED for posting in entry["postings"])
        if touches and not entry["entry_id"].startswith(_OF_WITHDRAWALS):
            violated("I33", f"entry {entry['entry_id']} touches what is promised to a withdrawal")

    def _traded(self, entry: Payload) -> None:
        """Units come from a venue by settlements alone, and each is explained by the fill that follows it."""
        if self.unmatched or entry["kind"] not in _TRADE_KINDS:
            violated(
                "I9", f"entry {entry['entry_id']} after {self.unmatched or 'no fill'} trades with a venue"
            )
        if entry["kind"] == "settle":
            self.unmatched = entry["entry_id"]

    def units(self, account: str, asset: str) -> int:
        """Return one balance."""
        return self.balances.get(account, {}).get(asset, 0)

    def of(self, account: str) -> dict[str, int]:
        """Return what an account holds."""
        return self.balances.get(account, {})

    def canonical(self) -> list[list[str]]:
        """Return every balance as [account, asset, units], sorted, as a book says it."""
        return [
            [account, asset, str(units)]
            for account, units_of in sorted(self.balances.items())
            for asset, units in sorted(units_of.items())
        ]

    def moved(self, account: str, asset: str) -> int:
        """Return by how much the last entry changed a balance."""
        return sum(
            int(posting["units"])
            for posting in self.last["postings"]
            if posting["account"] == account and posting["asset"] == asset
        )
