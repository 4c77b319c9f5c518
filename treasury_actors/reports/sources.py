"""
What every owner made of every asset, by source, exact: entry by entry and price by price.

A holding is worth units x price, so with exact integers the whole is the sum of its parts whoever holds it:
nothing is rounded before the end. Sources:

- `yield`: for share tokens, from each frame t - 1 to t: units x price at t x (1 - share price at t - 1 /
  share price at t). `price`: whatever else units that were held gained by their price.
- `swap fees`, `impact`: what each fill says, on the asset that was bought. `slippage`: what it brought less
  than was given and fee and impact explain, at the frame's prices: spreads, who stood between, rounding; what
  a reorganisation undid and did again is in it, too. A conversion moves value from one asset to the other.
- `gas`: for an agent what it was charged, for the treasury what was burnt less what agents were charged.

Deposits, withdrawals, allotments and returns are flows: they are in no source. So is what a stranger sent, of
which the books take no note until an operator takes it in, as a deposit; dust goes home as a flow.
`rounding` makes the lines, each rounded to a micro-dollar, equal to the gain as NAVs tell it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from treasury_actors.ids import AccountId, AgentId, AssetId
from treasury_actors.ledger.model import Entry, is_contra
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import MICRO_USD_EXPONENT
from treasury_actors.trading.model.order import OrderFilled

Source: TypeAlias = Literal["price", "yield", "swap fees", "impact", "slippage", "gas", "rounding"]
SOURCES: tuple[Source, ...] = ("price", "yield", "swap fees", "impact", "slippage", "gas", "rounding")
TREASURY = "treasury"

_FLOWS = frozenset({"deposit", "withdraw", "fund", "allot", "return", "dust", "inflow"})
_GRAIN = 10**9
"""A yield is a part of a price: it is counted in so many parts of a tick."""

_Owner: TypeAlias = tuple[str, AgentId | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """
    What one owner made of one asset from one source.

    Attributes:
        stage: the agent's or the pool's; `treasury` for reserve, gas money and dust.
        agent: None for the treasury's own money.
        asset: empty for `rounding`.
    """

    stage: str
    agent: AgentId | None
    asset: AssetId
    source: Source
    micro_usd: int


class Holdings:
    """
    Follows who holds what from one price to the next. A holding is valued when it changes, and at the end.

    All value is counted in grains: the finest unit x tick of any asset, in 10**9 parts.
    """

    def __init__(self, universe: Universe, frame: MarketFrame) -> None:
        self._universe = universe
        self._ticks = frame.ticks
        self._grown: list[int] = [0] * len(universe.assets)
        self._frame = frame
        self._units: dict[tuple[_Owner, AssetId], int] = {}
        self._since: dict[tuple[_Owner, AssetId], tuple[int, int]] = {}
        self._made: dict[tuple[_Owner, AssetId, Source], int] = {}
        exponents = {each.id: each.decimals + each.tick_exponent for each in universe.assets}
        finest = max(exponents.values())
        self._grains: dict[AssetId, int] = {asset: 10 ** (finest - own) for asset, own in exponents.items()}
        self._micro_usd: int = 10 ** (finest - MICRO_USD_EXPONENT) * _GRAIN
        self._stages: dict[AgentId, str] = {}
        self._owners: dict[AccountId, _Owner] = {}

    def carry(self, account: AccountId, asset: AssetId, units: int) -> None:
        """Begin with what is held already."""
        self._change(self._owner(account), asset, units)

    def go(self, frame: MarketFrame) -> None:
        """Go on to the next frame's prices."""
        for column, (start, end) in enumerate(zip(self._frame.share_prices, frame.share_prices, strict=True)):
            if start != end and self._universe.assets[column].underlying is not None:
                self._grown[column] += round(frame.ticks[column] * _GRAIN * (1.0 - start / end))
        self._frame, self._ticks = frame, frame.ticks

    def apply(self, entry: Entry) -> None:
        """Fold one entry at the current prices."""
        if entry.kind == "allot":
            self._note_stages(entry)
        changes: dict[tuple[_Owner, AssetId], int] = {}
        for posting in entry.postings:
            if not is_contra(posting.account):
                key = self._owner(posting.account), posting.asset
                changes[key] = changes.get(key, 0) + posting.units
        if entry.kind not in _FLOWS:
            self._trade({key: units for key, units in changes.items() if units})
        for (owner, asset), units in changes.items():
            if units:
                self._change(owner, asset, units)

    def fill(self, filled: OrderFilled) -> None:
        """Tell apart what a fill cost; its entry was folded just before."""
        owner = self._owner_of(filled.agent)
        told: tuple[tuple[Source, int], ...] = (
            ("swap fees", filled.fee_micro_usd),
            ("impact", filled.impact_micro_usd),
        )
        for source, cost in told:
            self._make(owner, filled.target, source, -cost * self._micro_usd)
            self._make(owner, filled.target, "slippage", cost * self._micro_usd)

    def lines(self, gain_micro_usd: int) -> tuple[SourceLine, ...]:
        """Value what is held now; return each line that is not zero, then the rounding: together the gain."""
        for owner, asset in list(self._units):
            self._change(owner, asset, 0)
        made = [
            SourceLine(
                stage=owner[0],
                agent=owner[1],
                asset=asset,
                source=source,
                micro_usd=round(Fraction(grains, self._micro_usd)),
            )
            for (owner, asset, source), grains in self._made.items()
        ]
        made = sorted((line for line in made if line.micro_usd), key=_place)
        rest = gain_micro_usd - sum(line.micro_usd for line in made)
        rounding = SourceLine(
            stage=TREASURY, agent=None, asset=AssetId(""), source="rounding", micro_usd=rest
        )
        return (*made, rounding)

    def _trade(self, changes: Mapping[tuple[_Owner, AssetId], int]) -> None:
        """Say what a conversion, its gas, or the reverse of one made."""
        charged: dict[AssetId, int] = {}
        for (owner, asset), units in changes.items():
            if owner[1] is None:
                self._make(owner, asset, "gas", self._worth(asset, units))
                if units > 0 and asset != self._universe.gas:  # gas that comes back was not burnt after all
                    charged[asset] = charged.get(asset, 0) + units
        agents = dict.fromkeys(owner for owner, _ in changes if owner[1] is not None)
        for owner in agents:
            own = {asset: units for (other, asset), units in changes.items() if other == owner}
            for asset, units in charged.items():  # one agent an entry, so what the treasury got is from it
                self._make(owner, asset, "gas", self._worth(asset, -units))
                own[asset] = own.get(asset, 0) + units
            bought = [asset for asset, units in own.items() if units > 0] or sorted(own)[:1]
            for asset in bought[:1]:
                made = sum(self._worth(each, units) for each, units in own.items())
                self._make(owner, asset, "slippage", made)

    def _change(self, owner: _Owner, asset: AssetId, units: int) -> None:
        """Count what a holding made since it last changed, then change it."""
        column = self._universe.column[asset]
        key = owner, asset
        held, now = self._units.get(key, 0), (self._ticks[column], self._grown[column])
        if held:
            ticks, grown = self._since[key]
            earned = held * (now[1] - grown) * self._grains[asset]
            self._make(owner, asset, "yield", earned)
            self._make(owner, asset, "price", self._worth(asset, held, now[0] - ticks) - earned)
        self._units[key], self._since[key] = held + units, now

    def _make(self, owner: _Owner, asset: AssetId, source: Source, grains: int) -> None:
        if grains:
            key = owner, asset, source
            self._made[key] = self._made.get(key, 0) + grains

    def _worth(self, asset: AssetId, units: int, ticks: int | None = None) -> int:
        """Return what units are worth, now or at so many ticks, in grains."""
        price = self._ticks[self._universe.column[asset]] if ticks is None else ticks
        return units * price * _GRAIN * self._grains[asset]

    def _note_stages(self, entry: Entry) -> None:
        """Learn on which stage an agent is: that of the pool its capital comes from."""
        stages = [_stage_of(posting.account) for posting in entry.postings]
        for posting in entry.postings:
            agent = _agent_of(posting.account)
            if agent is not None and agent not in self._stages:
                self._stages[agent] = next((stage for stage in stages if stage != TREASURY), TREASURY)

    def _owner(self, account: AccountId) -> _Owner:
        if account not in self._owners:
            agent = _agent_of(account)
            own = (_stage_of(account), None) if agent is None else self._owner_of(agent)
            if agent is not None and agent not in self._stages:
                return own
            self._owners[account] = own
        return self._owners[account]

    def _owner_of(self, agent: AgentId) -> _Owner:
        return self._stages.get(agent, TREASURY), agent


def by(lines: Iterable[SourceLine], key: Callable[[SourceLine], str]) -> dict[str, dict[Source, int]]:
    """Return the lines added up by a key, then by source: the same micro-dollars, so the same sum."""
    found: dict[str, dict[Source, int]] = {}
    for line in lines:
        sums = found.setdefault(key(line), {})
        sums[line.source] = sums.get(line.source, 0) + line.micro_usd
    return found


def by_stage(lines: Iterable[SourceLine]) -> dict[str, dict[Source, int]]:
    """Return what each stage made, the treasury's own money beside them."""
    return by(lines, lambda line: line.stage)


def by_agent(lines: Iterable[SourceLine]) -> dict[str, dict[Source, int]]:
    """Return what each agent made, and the treasury with its own money."""
    return by(lines, lambda line: line.agent or TREASURY)


def by_asset(lines: Iterable[SourceLine]) -> dict[str, dict[Source, int]]:
    """Return what was made of each asset, whoever held it."""
    return by(lines, lambda line: line.asset or line.source)


def total(sums: Mapping[Source, int]) -> int:
    """Return all of it."""
    return sum(sums.values())


def _place(line: SourceLine) -> tuple[str, str, str, int]:
    return line.stage, line.agent or "", line.asset, SOURCES.index(line.source)


def _agent_of(account: AccountId) -> AgentId | None:
    head, _, rest = account.partition(":")
    return AgentId(rest.rpartition(":")[0]) if head == "agent" else None


def _stage_of(account: AccountId) -> str:
    head, _, rest = account.partition(":")
    return rest if head == "pool" else TREASURY
