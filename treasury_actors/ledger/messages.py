"""What the ledger understands. Every money message carries an id chosen by its sender."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from treasury_actors.ids import AccountId, AgentId, AssetId, EntryId
from treasury_actors.ledger.model import AgentStatement, Entry, EntryRejected
from treasury_actors.message import Ask, Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPosted:
    """The entry is in the journal; `seq` is its event. A repeat gets the `seq` of 0 and changes nothing."""

    entry_id: EntryId
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Post(Ask[EntryPosted | EntryRejected]):
    """Post an entry: a hold, a settlement, an allotment."""

    entry: Entry
    provenance: Provenance = Provenance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit(Ask[EntryPosted | EntryRejected]):
    """Money from outside enters an account of the treasury."""

    entry_id: EntryId
    account: AccountId
    asset: AssetId
    units: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(Ask[EntryPosted | EntryRejected]):
    """Money leaves an account of the treasury for the world outside."""

    entry_id: EntryId
    account: AccountId
    asset: AssetId
    units: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement(Ask[AgentStatement]):
    """Ask what an agent owns."""

    agent: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountBalances(Ask[Mapping[AssetId, int]]):
    """Ask for the non-zero balances of one account."""

    account: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class InOurHands(Ask[Mapping[AssetId, int]]):
    """Ask what our wallet must hold of every asset, what strangers sent included."""


LedgerMessage: TypeAlias = Post | Deposit | Withdraw | Statement | AccountBalances | InOurHands
