"""What a report keeps of the ledger: the book, and beside it what each agent and the whole treasury own."""

from treasury_actors.ids import AccountId, AgentId, AssetId
from treasury_actors.ledger.model import PROMISED, RESERVE, Book, Entry, is_contra
from treasury_actors.market.model.frame import MarketFrame, Season
from treasury_actors.reports.sources import Holdings


class Books:
    """The ledger, and beside it what each agent and the whole treasury own, kept up posting by posting."""

    def __init__(self, season: Season) -> None:
        self._universe = season.universe
        self.book = Book(asset.id for asset in season.universe.assets)
        self.begin(season.frame(0))
        self.totals: dict[AssetId, int] = {}
        self.owned: dict[AgentId, dict[AssetId, int]] = {}
        self._owner: dict[AccountId, AgentId | None] = {}

    def begin(self, frame: MarketFrame) -> None:
        """Count what is made, and by what, from this frame on."""
        self.holdings = Holdings(self._universe, frame)
        for account in self.book.accounts():
            if not is_contra(account):
                for asset, units in self.book.balances(account).items():
                    self.holdings.carry(account, asset, units)

    def apply(self, entry: Entry) -> None:
        """Fold one entry."""
        self.book.apply(entry)
        self.holdings.apply(entry)
        for posting in entry.postings:
            if is_contra(posting.account):
                continue
            add_units(self.totals, posting.asset, posting.units)
            owner = self.owner(posting.account)
            if owner is not None:
                add_units(self.owned.setdefault(owner, {}), posting.asset, posting.units)

    def owner(self, account: AccountId) -> AgentId | None:
        """Return whose account it is; None for one of the treasury."""
        if account not in self._owner:
            head, _, rest = account.partition(":")
            self._owner[account] = AgentId(rest.rpartition(":")[0]) if head == "agent" else None
        return self._owner[account]

    def idle_units(self, reserve: AssetId) -> int:
        """Return the reserve asset in pools and reserve: outside every mandate and the gas account."""
        return sum(
            self.book.units(account, reserve)
            for account in self.book.accounts()
            if account in {RESERVE, PROMISED} or account.startswith("pool:")
        )


def add_units(units_by_asset: dict[AssetId, int], asset: AssetId, units: int) -> None:
    """Add units; an asset of which nothing is left is dropped."""
    left = units_by_asset.get(asset, 0) + units
    if left:
        units_by_asset[asset] = left
    else:
        units_by_asset.pop(asset, None)
