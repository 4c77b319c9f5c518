"""Accounts, postings, entries and the book they add up to. Pure: decides and folds, touches nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Literal

from treasury_actors.errors import InvariantViolated
from treasury_actors.ids import AccountId, AgentId, AssetId, EntryId
from treasury_actors.journal.codec import Units, event

RESERVE = AccountId("treasury:reserve")
GAS = AccountId("treasury:gas")
DUST = AccountId("treasury:dust")
PROMISED = AccountId("treasury:promised")
"""What a withdrawal that is under way has brought together: nobody's to allot."""

DEPOSITS = AccountId("external:deposits")
UNSOLICITED = AccountId("external:unsolicited")
"""What strangers sent to our wallet: in our hands, but outside our books until an operator takes it in."""

PAST_SEASONS = AccountId("external:past-seasons")
GAS_BURNT = AccountId("venue:gas")

EntryKind = Literal[
    "deposit", "withdraw", "fund", "allot", "return", "hold", "settle", "release", "reverse", "dust", "inflow"
]


def pool(stage: str) -> AccountId:
    """Return the account a stage allots from."""
    return AccountId(f"pool:{stage}")


def available(agent: AgentId) -> AccountId:
    """Return the account an agent may spend from."""
    return AccountId(f"agent:{agent}:available")


def held(agent: AgentId) -> AccountId:
    """Return the account of an agent's units that are promised to an order."""
    return AccountId(f"agent:{agent}:held")


def venue(name: str) -> AccountId:
    """Return the contra account of a venue."""
    return AccountId(f"venue:{name}")


def is_contra(account: AccountId) -> bool:
    """Say whether an account stands for the world outside the treasury."""
    return account.startswith(("venue:", "external:"))


class LedgerReason(StrEnum):
    """Why the ledger says no, in order of precedence."""

    EXISTS_WITH_DIFFERENT_CONTENT = "exists_with_different_content"
    NOT_POSITIVE = "not_positive"
    EMPTY = "empty"
    ZERO_UNITS = "zero_units"
    UNKNOWN_ASSET = "unknown_asset"
    UNKNOWN_ACCOUNT = "unknown_account"
    UNBALANCED = "unbalanced"
    INSUFFICIENT_UNITS = "insufficient_units"


_INVARIANT_OF = {
    LedgerReason.EXISTS_WITH_DIFFERENT_CONTENT: "I4",
    LedgerReason.INSUFFICIENT_UNITS: "I3",
}
"""What is broken if an entry that was journalled can't be folded for this reason; else it is I1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRejected:
    """The ledger's no: nothing was posted. A value, never raised."""

    entry_id: EntryId
    reason: LedgerReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A change of one account by signed `units` of one asset."""

    account: AccountId
    asset: AssetId
    units: Units


@event("ledger.entry_posted", version=1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    A set of postings that happen together or not at all.

    Attributes:
        entry_id: chosen by the sender, derived from what it is for; makes the entry idempotent.
        kind: what life it belongs to; `allot` and `return` are capital flows of an agent.
        reason: in the words of a person, e.g. why a treasurer withdrew.
    """

    entry_id: EntryId
    kind: EntryKind
    postings: tuple[Posting, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStatement:
    """What one agent owns: units by asset it may spend, and units promised to an order."""

    agent: AgentId
    version: int
    available: Mapping[AssetId, int]
    held: Mapping[AssetId, int]

    @property
    def owned(self) -> dict[AssetId, int]:
        """
        All units by asset, held or not, in asset order.

        Values are taken of this sum: of two parts, each rounded down, they could be a micro-dollar less.
        """
        owned = dict(self.available)
        for asset, units in self.held.items():
            owned[asset] = owned.get(asset, 0) + units
        return dict(sorted(owned.items()))


def transfer(source: AccountId, target: AccountId, asset: AssetId, units: int) -> tuple[Posting, Posting]:
    """Return the two postings that move `units` from `source` to `target`."""
    return (
        Posting(account=source, asset=asset, units=-units),
        Posting(account=target, asset=asset, units=units),
    )


def _digest(entry: Entry) -> bytes:
    """Return a short digest of an entry's content, to tell a repeat from a clash."""
    content = repr((entry.kind, entry.reason, [(p.account, p.asset, p.units) for p in entry.postings]))
    return blake2b(content.encode(), digest_size=16).digest()


class Book:
    """
    The balances, folded from entries. `check` decides, `apply` folds; nothing else changes a balance.

    Args:
        assets: the assets that may be posted.
    """

    __slots__ = ("_assets", "_balances", "_entries", "_versions")

    def __init__(self, assets: Iterable[AssetId]) -> None:
        self._assets = frozenset(assets)
        self._balances: dict[AccountId, dict[AssetId, int]] = {}
        self._entries: dict[EntryId, bytes] = {}
        self._versions: dict[AccountId, int] = {}

    def __repr__(self) -> str:
        return f"<Book {len(self._balances)} accounts, {len(self._entries)} entries>"

    def check(self, entry: Entry) -> EntryRejected | None:
        """Say why `entry` can't be posted, or None. A repeat of a posted entry is fine: see `is_repeat`."""
        known = self._entries.get(entry.entry_id)
        if known is not None:
            if known == _digest(entry):
                return None
            return self._no(entry, LedgerReason.EXISTS_WITH_DIFFERENT_CONTENT, "this id was posted before")
        if not entry.postings:
            return self._no(entry, LedgerReason.EMPTY, "an entry has at least two postings")
        for posting in entry.postings:
            problem = self._problem_of(posting)
            if problem is not None:
                return self._no(entry, *problem)
        return self._check_sums(entry)

    def _problem_of(self, posting: Posting) -> tuple[LedgerReason, str] | None:
        """Say why a posting can stand in no entry, or None."""
        if posting.units == 0:
            return LedgerReason.ZERO_UNITS, f"{posting.account} {posting.asset}"
        if posting.asset not in self._assets:
            return LedgerReason.UNKNOWN_ASSET, posting.asset
        if not _is_account(posting.account):
            return LedgerReason.UNKNOWN_ACCOUNT, posting.account
        return None

    def _check_sums(self, entry: Entry) -> EntryRejected | None:
        """Say why the postings can't happen together, or None: assets sum to zero, no account lacks units."""
        sums: dict[AssetId, int] = {}
        after: dict[tuple[AccountId, AssetId], int] = {}
        for posting in entry.postings:
            sums[posting.asset] = sums.get(posting.asset, 0) + posting.units
            place = (posting.account, posting.asset)
            after[place] = after.get(place, self.units(*place)) + posting.units
        for asset, total in sums.items():
            if total != 0:
                return self._no(entry, LedgerReason.UNBALANCED, f"{asset} sums to {total}")
        for (account, asset), units in after.items():
            if units < 0 and not is_contra(account):
                lacking = f"{account} would hold {units} {asset}"
                return self._no(entry, LedgerReason.INSUFFICIENT_UNITS, lacking)
        return None

    def is_repeat(self, entry_id: EntryId) -> bool:
        """Say whether an entry of this id is already in the book."""
        return entry_id in self._entries

    def apply(self, entry: Entry) -> None:
        """Fold an entry that was decided; one that could not be posted, or was, crashes (I1, I3, I4)."""
        refusal = self.check(entry)
        if refusal is not None or self.is_repeat(entry.entry_id):
            number = "I4" if refusal is None else _INVARIANT_OF.get(refusal.reason, "I1")
            raise InvariantViolated(
                f"{number}: entry {entry.entry_id} can't be folded: {refusal or 'repeated'}"
            )
        for posting in entry.postings:
            balances = self._balances.setdefault(posting.account, {})
            units = balances.get(posting.asset, 0) + posting.units
            if units:
                balances[posting.asset] = units
            else:
                balances.pop(posting.asset, None)
            self._versions[posting.account] = len(self._entries) + 1
        self._entries[entry.entry_id] = _digest(entry)

    def units(self, account: AccountId, asset: AssetId) -> int:
        """Return the balance of one asset in one account."""
        balances = self._balances.get(account)
        return balances.get(asset, 0) if balances else 0

    def balances(self, account: AccountId) -> Mapping[AssetId, int]:
        """Return the non-zero balances of one account."""
        return self._balances.get(account, {})

    def version(self, account: AccountId) -> int:
        """Return a number that changes whenever the account does."""
        return self._versions.get(account, 0)

    def accounts(self) -> list[AccountId]:
        """Return every account ever used, in name order."""
        return sorted(self._balances)

    def totals(self) -> dict[AssetId, int]:
        """Return what the treasury owns per asset: all accounts but the contra ones."""
        owned: dict[AssetId, int] = {}
        for account in self.accounts():
            if not is_contra(account):
                for asset, units in self._balances[account].items():
                    owned[asset] = owned.get(asset, 0) + units
        return dict(sorted(owned.items()))

    def in_our_hands(self) -> dict[AssetId, int]:
        """Return what our wallet must hold per asset: what the treasury owns, and what strangers sent."""
        held = self.totals()
        for asset, units in self.balances(UNSOLICITED).items():
            held[asset] = held.get(asset, 0) + units
        return dict(sorted(held.items()))

    def imbalances(self) -> list[str]:
        """Return what breaks conservation (I2): every asset over all accounts, contra too, sums to zero."""
        sums: dict[AssetId, int] = {}
        problems = []
        for account in self.accounts():
            for asset, units in self._balances[account].items():
                sums[asset] = sums.get(asset, 0) + units
                if units < 0 and not is_contra(account):
                    problems.append(f"{account} holds {units} {asset}")
        return problems + [f"{asset} sums to {total}" for asset, total in sorted(sums.items()) if total]

    def canonical(self) -> list[list[str]]:
        """Return every non-zero balance as [account, asset, units], sorted: its part of a state hash."""
        return [
            [account, asset, str(units)]
            for account in self.accounts()
            for asset, units in sorted(self._balances[account].items())
        ]

    @property
    def entry_count(self) -> int:
        """Number of entries folded so far."""
        return len(self._entries)

    def _no(self, entry: Entry, reason: LedgerReason, detail: str) -> EntryRejected:
        return EntryRejected(entry_id=entry.entry_id, reason=reason, detail=detail)


def statement(book: Book, agent: AgentId) -> AgentStatement:
    """Return what an agent owns, as copies that later entries don't change."""
    return AgentStatement(
        agent=agent,
        version=max(book.version(available(agent)), book.version(held(agent))),
        available=dict(book.balances(available(agent))),
        held=dict(book.balances(held(agent))),
    )


def _is_account(account: AccountId) -> bool:
    """Say whether a name is one of the accounts this ledger knows."""
    head, _, rest = account.partition(":")
    match head:
        case "treasury":
            return rest in {"reserve", "gas", "dust", "promised"}
        case "agent":
            return rest.endswith((":available", ":held")) and not rest.startswith(":")
        case "pool" | "venue" | "external":
            return bool(rest)
        case _:
            return False
