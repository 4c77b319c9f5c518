"""Moving capital between the pool and the agents. Every move is one ledger entry, told to the guardian."""

from treasury_actors.arena.model.roster import Roster
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.arena.model.withdrawal import IDLE_ACCOUNTS
from treasury_actors.arena.model.withdrawal import Standing as Withdrawal
from treasury_actors.arena.neighbours import Neighbours
from treasury_actors.errors import DataError, InvariantViolated
from treasury_actors.ids import AccountId, AgentId, EntryId
from treasury_actors.ledger.messages import AccountBalances, Deposit, Post, Statement
from treasury_actors.ledger.model import (
    DUST,
    GAS,
    PAST_SEASONS,
    PROMISED,
    RESERVE,
    AgentStatement,
    Entry,
    EntryKind,
    EntryRejected,
    Posting,
    available,
    pool,
    transfer,
)
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.message import Provenance
from treasury_actors.money import MICRO_USD
from treasury_actors.trading.messages import CapitalMoved, GasToDivide
from treasury_actors.trading.model.liquidity import liquidity
from treasury_actors.trading.model.valuation import nav_micro_usd, stale_ratio

ASK_TIMEOUT_S = 30.0
ENDLESS = 10**24
"""Units that no treasury has: the room under no floor."""


class Capital:
    """The arena's hand on the ledger: pool to agent and back."""

    def __init__(self, *, neighbours: Neighbours, rules: ArenaRules, roster: Roster | None = None) -> None:
        """
        Make it.

        Args:
            roster: says on which stage each agent is; without it all are on that of `rules`.
        """
        self._neighbours = neighbours
        self._universe = neighbours.features.universe
        self._pool = pool(rules.stage)
        self._roster = roster

    def pool_of(self, agent: AgentId) -> AccountId:
        """Return the pool an agent's capital comes from and goes home to: that of its stage."""
        member = None if self._roster is None else self._roster.members.get(agent)
        mandate = None if member is None else member.mandate
        return self._pool if mandate is None else pool(mandate.stage)

    async def deposit(self, season: int, rules: ArenaRules, frame: MarketFrame) -> int:
        """
        Deposit the season's capital into the pool and gas into `treasury:gas`; return the pool's units.

        A ladder starts with an empty pool: its capital waits in the reserve for a promotion.

        Units are those worth the configured dollars at the frame's price, rounded up.
        """
        universe = self._universe
        for account, asset, dollars in (
            (RESERVE if rules.climbs else self._pool, universe.reserve, rules.capital_usd),
            (GAS, universe.gas, rules.gas_usd),
        ):
            ticks = frame.ticks[universe.column[asset]]
            if not ticks:
                raise DataError(
                    f"frame 0: {asset} has no price yet, and the season's capital is counted in it"
                )
            units = universe.by_id[asset].units_for_micro_usd_up(int(dollars * MICRO_USD), ticks)
            message = Deposit(
                entry_id=EntryId(f"season:{season}/deposit/{account}"),
                account=account,
                asset=asset,
                units=units,
                reason=f"capital of season {season}",
            )
            reply = await self._neighbours.ledger.ask(message, timeout_s=ASK_TIMEOUT_S)
            if isinstance(reply, EntryRejected):
                raise InvariantViolated(
                    f"I3: the opening deposit was refused: {reply.reason} ({reply.detail})"
                )
        return await self.pool_units()

    async def sweep(self, season: int, accounts: list[AccountId]) -> None:
        """Take what a past season left, as it is, out of the treasury: the next begins with its own money."""
        for account in accounts:
            question = AccountBalances(account=account)
            balances = await self._neighbours.ledger.ask(question, timeout_s=ASK_TIMEOUT_S)
            postings: list[Posting] = []
            for asset, units in sorted(balances.items()):
                postings += transfer(account, PAST_SEASONS, asset, units)
            if postings:
                await self._post(f"season:{season}/sweep/{account}", "withdraw", tuple(postings))

    async def pool_units(self, account: AccountId | None = None) -> int:
        """Return what a pool, by default that of the rules, can give, in units of the reserve asset."""
        question = AccountBalances(account=account or self._pool)
        balances = await self._neighbours.ledger.ask(question, timeout_s=ASK_TIMEOUT_S)
        return balances.get(self._universe.reserve, 0)

    async def gas_shares(self, rules: ArenaRules, mandates: int) -> list[int]:
        """Divide what nobody may still burn of `treasury:gas` among so many mandates; return wei."""
        wei = await self._neighbours.engine.ask(GasToDivide(), timeout_s=ASK_TIMEOUT_S)
        return rules.gas_shares(wei, mandates)

    async def statement(self, agent: AgentId) -> AgentStatement:
        """Return what an agent owns."""
        return await self._neighbours.ledger.ask(Statement(agent=agent), timeout_s=ASK_TIMEOUT_S)

    async def nav(self, agent: AgentId, frame: MarketFrame) -> int:
        """Return an agent's NAV in micro-dollars at a frame, held units included."""
        return nav_micro_usd(self._universe, (await self.statement(agent)).owned.items(), frame)

    async def stale_ratio(self, agent: AgentId, frame: MarketFrame) -> float:
        """Return the share of an agent's NAV at stale prices."""
        return stale_ratio(self._universe, (await self.statement(agent)).owned.items(), frame)

    async def allot(self, agent: AgentId, units: int, frame: MarketFrame) -> None:
        """Transfer capital from the pool to an agent."""
        postings = transfer(self.pool_of(agent), available(agent), self._universe.reserve, units)
        await self._post(f"allot/{agent}/{frame.index}", "allot", postings)
        self._tell_moved(agent, units, frame)

    async def collect(self, agent: AgentId, due_units: int, frame: MarketFrame, why: str) -> int:
        """Take what is due from an agent's cash to the pool; return how much that was."""
        statement = await self.statement(agent)
        units = min(due_units, statement.available.get(self._universe.reserve, 0))
        if units > 0:
            postings = transfer(available(agent), self.pool_of(agent), self._universe.reserve, units)
            await self._post(f"return/{agent}/{frame.index}/{why}", "return", postings)
            self._tell_moved(agent, -units, frame)
        return units

    async def bring_home(self, agent: AgentId, frame: MarketFrame) -> int:
        """Return all that a closing agent has left to the pool in one entry, dust to the dust account."""
        statement = await self.statement(agent)
        postings: list[Posting] = []
        for asset, units in sorted(statement.available.items()):
            goal = self.pool_of(agent) if asset == self._universe.reserve else DUST
            postings += transfer(available(agent), goal, asset, units)
        if postings:
            await self._post(f"return/{agent}/{frame.index}/close", "return", tuple(postings))
        return statement.available.get(self._universe.reserve, 0)

    async def floor_room_units(self, rules: ArenaRules, frame: MarketFrame) -> int:
        """
        Return how much may be allotted so that the runway stays within reach, whatever becomes of it (I34).

        What could be sold within 24 h counts, wherever it is; gas money and what is promised to a withdrawal
        don't. Allotted money counts as gone until it is looked at again: an agent may tie it up.
        """
        floor = rules.spending.floor_micro_usd
        if not floor or self._roster is None:
            return ENDLESS
        reserve = self._universe.reserve
        owned = {reserve: sum([await self.pool_units(account) for account in IDLE_ACCOUNTS])}
        for member in [*self._roster.living(), *self._roster.closing()]:
            for asset, units in (await self.statement(member.born.agent)).owned.items():
                owned[asset] = owned.get(asset, 0) + units
        liquid = liquidity(self._universe, sorted(owned.items()), frame).day_micro_usd
        return self.units(max(0, liquid - floor), frame)

    async def missing_units(self) -> int:
        """Return what the withdrawal under way still lacks, in units of the reserve asset; 0 if none is."""
        standing = None if self._roster is None else self._roster.withdrawals.open
        if standing is None:
            return 0
        return standing.planned.units - await self.pool_units(PROMISED)

    async def set_aside(self, standing: Withdrawal) -> int:
        """Move what lies idle to a withdrawal, as far as it lacks any; return what it lacks then."""
        promised = await self.pool_units(PROMISED)
        missing = standing.planned.units - promised
        postings: list[Posting] = []
        for account in IDLE_ACCOUNTS:
            units = min(missing, await self.pool_units(account))
            if units > 0:
                postings += transfer(account, PROMISED, self._universe.reserve, units)
                missing -= units
        if postings:
            name = f"promise/{standing.planned.withdrawal}/{promised}"
            await self._post(name, "fund", tuple(postings))
        return missing

    async def give_back(self, standing: Withdrawal) -> None:
        """Return what was set aside for a withdrawal to where it lay idle, the rest to the pool."""
        left = await self.pool_units(PROMISED)
        shares = [(idle.account, idle.units) for idle in standing.planned.idle]
        postings: list[Posting] = []
        for account, share in [*shares, (self._pool, left)]:
            units = min(left, share)
            if units > 0:
                postings += transfer(PROMISED, account, self._universe.reserve, units)
                left -= units
        if postings:
            await self._post(f"{standing.entry_id}/cancel", "fund", tuple(postings))

    def micro_usd(self, units: int, frame: MarketFrame) -> int:
        """Return what units of the reserve asset are worth."""
        return nav_micro_usd(self._universe, [(self._universe.reserve, units)], frame)

    def units(self, micro_usd: int, frame: MarketFrame) -> int:
        """Return the units of the reserve asset that micro-dollars buy, rounded down."""
        reserve = self._universe.by_id[self._universe.reserve]
        return reserve.units_for_micro_usd(micro_usd, frame.ticks[self._universe.column[reserve.id]])

    def _tell_moved(self, agent: AgentId, units: int, frame: MarketFrame) -> None:
        """Tell the guardian that this was no gain and no loss."""
        moved = CapitalMoved(agent=agent, micro_usd=self.micro_usd(units, frame))
        self._neighbours.guardian.tell(moved)

    async def _post(self, entry_id: str, kind: EntryKind, postings: tuple[Posting, ...]) -> None:
        """Post an entry that must be possible: amounts were read from the books just before."""
        entry = Entry(entry_id=EntryId(entry_id), kind=kind, postings=postings)
        message = Post(entry=entry, provenance=Provenance(correlation_id=entry_id))
        reply = await self._neighbours.ledger.ask(message, timeout_s=ASK_TIMEOUT_S)
        if isinstance(reply, EntryRejected):
            raise InvariantViolated(f"I6: the ledger refused {entry_id}: {reply.reason} ({reply.detail})")
