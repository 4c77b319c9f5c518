"""`check-accounts`: what the books of a run say the wallet holds, against what the chain says."""

from dataclasses import dataclass
from pathlib import Path

from treasury_actors.clock import Clock
from treasury_actors.errors import ConfigError
from treasury_actors.ids import AssetId
from treasury_actors.journal.reader import open_readonly
from treasury_actors.market.model.universe import Universe
from treasury_actors.simulation.custody.reading import WalletReading, read_block, read_wallet
from treasury_actors.simulation.custody.session import ChosenChain, open_chain
from treasury_actors.simulation.run import JOURNAL_NAME
from treasury_actors.trading.model.reconciliation import Reconciliation, reconcile
from treasury_actors.wiring.fold import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """
    What a journal adds up to.

    Attributes:
        units: of each asset, all accounts of treasury, pools and agents, and what strangers sent and was
            booked outside the NAV: what the one wallet must hold.
        at_venue: orders whose outcome isn't booked yet; until then the chain may rightly differ.
        events: how many were folded.
    """

    units: dict[AssetId, int]
    at_venue: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsCheck:
    """Books, findings, and their differences."""

    books: Books
    reading: WalletReading
    differences: Reconciliation


def read_books(folder: Path, universe: Universe) -> Books:
    """Fold a run's journal; raise ConfigError if there is none, JournalCorrupt if it was changed."""
    path = folder / JOURNAL_NAME
    if not path.is_file():
        raise ConfigError(f"--out {folder}: no journal there; allowed: a run folder")
    records, events = Records.empty(universe), 0
    with open_readonly(path) as journal:
        for recorded in journal.read():
            records.apply(recorded.event)
            events = recorded.seq
    records.verify()
    return Books(
        units=records.book.in_our_hands(), at_venue=len(tuple(records.open_orders.at_venue())), events=events
    )


async def check_accounts(
    folder: Path, chosen: ChosenChain, universe: Universe, address: str, clock: Clock
) -> AccountsCheck:
    """
    Compare the books of a run with what an address holds, to the unit; aTokens in scaled units.

    An asset of the books that the chain's registry doesn't pin counts as not found.
    """
    books = read_books(folder, universe)
    async with open_chain(chosen, clock) as rpc:
        reading = await read_wallet(rpc, chosen.registry, universe, address, await read_block(rpc))
    return AccountsCheck(books=books, reading=reading, differences=reconcile(books.units, reading.holdings))
