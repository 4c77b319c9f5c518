"""Bringing a withdrawal together: idle money at once, then what mandates give back, ahead of every round."""

from dataclasses import replace
from typing import assert_never

from treasury_actors.arena.capital import ASK_TIMEOUT_S, Capital
from treasury_actors.arena.messages import (
    BeginWithdrawal,
    CancelWithdrawal,
    PlanWithdrawal,
    WithdrawalMessage,
    WithdrawalReply,
)
from treasury_actors.arena.model.roster import Member
from treasury_actors.arena.model.rules import ArenaRules
from treasury_actors.arena.model.withdrawal import (
    IDLE_ACCOUNTS,
    Cut,
    Idle,
    Standing,
    Wanted,
    WithdrawalCancelled,
    WithdrawalExecuted,
    WithdrawalExtended,
    WithdrawalHome,
    WithdrawalLate,
    WithdrawalPlanned,
    WithdrawalRefused,
)
from treasury_actors.arena.model.withdrawal_plan import (
    Holder,
    Market,
    expected_units,
    plan_cuts,
    plan_withdrawal,
)
from treasury_actors.arena.neighbours import Neighbours
from treasury_actors.arena.ports import RosterKeeper
from treasury_actors.errors import InvariantViolated
from treasury_actors.ledger.messages import Withdraw
from treasury_actors.ledger.model import PROMISED, EntryRejected
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.money import MICRO_USD
from treasury_actors.trading.model.liquidity import WEEK_FRAMES
from treasury_actors.trading.model.mandate import Mandate


class WithdrawalDesk:
    """
    Carries out withdrawals on behalf of the arena.

    Every step is decided anew from the books and the roster, so a death between two of them loses nothing.
    """

    def __init__(
        self,
        *,
        neighbours: Neighbours,
        rules: ArenaRules,
        capital: Capital,
        arena: RosterKeeper,
        pays_out: bool,
    ) -> None:
        """
        Make it.

        Args:
            pays_out: the books alone hold the money, so they let it go; where a wallet does, its owner pays.
        """
        self._neighbours = neighbours
        self._rules = rules
        self._capital = capital
        self._arena = arena
        self._pays_out = pays_out

    def __repr__(self) -> str:
        return f"<WithdrawalDesk open={self._arena.roster.withdrawals.open is not None}>"

    async def receive(self, message: WithdrawalMessage) -> WithdrawalReply:
        """Handle one message between two turns."""
        match message:
            case PlanWithdrawal():
                return await self._plan(message.wanted, message.frame)
            case BeginWithdrawal():
                return await self._begin(message)
            case CancelWithdrawal():
                return await self._cancel(message)
            case _:
                assert_never(message)

    async def turn(self, frame: MarketFrame) -> None:
        """Take what came home in a turn, once everybody has decided and what they know is recorded."""
        standing = self._arena.roster.withdrawals.open
        if standing is None or standing.status == "home":
            return
        for member in self._arena.roster.living():
            mandate = member.mandate
            if mandate is not None and mandate.status == "recalling":
                await self._arena.collect(mandate, mandate.due_units, frame, "recalled")
        missing = await self._capital.set_aside(standing)
        if missing == 0:
            await self._finish(standing, frame)
            return
        name, turn = standing.planned.withdrawal, frame.index
        late = frame.time_ns >= standing.planned.by_ns
        if late and not standing.late:
            home = standing.planned.units - missing
            self._record(WithdrawalLate(withdrawal=name, turn=turn, home_units=home), name)
        market = self._market(frame)
        holders = await self._holders()
        closing = [await self._holder(member) for member in self._arena.roster.closing()]
        short = missing - expected_units(holders, closing, market, late=late)
        cuts = plan_cuts(holders, short, market, hours=WEEK_FRAMES)
        if cuts:
            self._record(WithdrawalExtended(withdrawal=name, turn=turn, cuts=cuts), name)
            await self._cut(cuts, name)

    async def _plan(self, wanted: Wanted, frame: MarketFrame) -> WithdrawalPlanned | WithdrawalRefused:
        """Plan at a frame, or say why not."""
        standing = self._arena.roster.withdrawals.open
        if standing is not None:
            return WithdrawalRefused(reason="withdrawal_open", detail=standing.planned.withdrawal)
        idle = [
            Idle(account=account, units=await self._capital.pool_units(account)) for account in IDLE_ACCOUNTS
        ]
        return plan_withdrawal(wanted, idle, await self._holders(), self._market(frame))

    async def _begin(self, message: BeginWithdrawal) -> WithdrawalPlanned | WithdrawalRefused:
        """Journal the plan, set aside what lies idle, and let mandates give back the rest."""
        wanted, roster = message.wanted, self._arena.roster
        before = roster.withdrawals.known.get(wanted.withdrawal)
        if before is not None:
            known = before.planned
            same = (known.asset, known.units, known.reason)  # `by` may count from a frame that has passed
            if same == (wanted.asset, wanted.units, wanted.reason):
                return known
            return WithdrawalRefused(reason="withdrawal_over", detail="this name was used for another one")
        planned = await self._plan(wanted, message.frame)
        if isinstance(planned, WithdrawalRefused):
            return planned
        if message.plan not in {"", planned.plan}:
            detail = f"by now it is {planned.plan}, shown was {message.plan}"
            return WithdrawalRefused(reason="plan_changed", detail=detail)
        self._record(planned, wanted.withdrawal)
        standing = roster.withdrawals.known[wanted.withdrawal]
        if await self._capital.set_aside(standing) == 0:
            await self._finish(standing, message.frame)
        else:
            await self._cut(planned.cuts, wanted.withdrawal)
        return planned

    async def _cancel(self, message: CancelWithdrawal) -> WithdrawalCancelled | WithdrawalRefused:
        """Let mandates go on with what they still have, and give back what is home."""
        name = message.withdrawal
        standing = self._arena.roster.withdrawals.known.get(name)
        if standing is None:
            return WithdrawalRefused(reason="unknown_withdrawal", detail=name)
        if not standing.is_open:
            return WithdrawalRefused(reason="withdrawal_over", detail=f"{name} is {standing.status}")
        await self._capital.give_back(standing)
        cancelled = WithdrawalCancelled(withdrawal=name, turn=message.frame.index, reason=message.reason)
        self._record(cancelled, name)
        await self._let_go()
        return cancelled

    async def _finish(self, standing: Standing, frame: MarketFrame) -> None:
        """All of it is set aside: pay it out once, or say that the wallet's owner may."""
        name = standing.planned.withdrawal
        await self._let_go()
        if not self._pays_out:
            self._record(WithdrawalHome(withdrawal=name, turn=frame.index), name)
            return
        planned = standing.planned
        payment = Withdraw(
            entry_id=standing.entry_id,
            account=PROMISED,
            asset=planned.asset,
            units=planned.units,
            reason=planned.reason,
        )
        reply = await self._neighbours.ledger.ask(payment, timeout_s=ASK_TIMEOUT_S)
        if isinstance(reply, EntryRejected):
            raise InvariantViolated(f"I33: {standing.entry_id} was refused: {reply.reason} ({reply.detail})")
        executed = WithdrawalExecuted(withdrawal=name, turn=frame.index, entry_id=standing.entry_id)
        self._record(executed, name)

    async def _cut(self, cuts: tuple[Cut, ...], name: str) -> None:
        """Let mandates give back what they are cut by; from now on the guardian alone orders for them."""
        recalled: list[Mandate] = []
        for cut in cuts:
            mandate = self._arena.roster.members[cut.agent].mandate
            assert mandate is not None, "a living agent has a mandate"
            if cut.closes:
                await self._arena.retire(cut.agent, f"its capital was withdrawn: {name}")
            else:
                due_units = mandate.due_units + cut.units
                recalled.append(replace(mandate, status="recalling", due_units=due_units))
        await self._arena.set_mandates(recalled)

    async def _let_go(self) -> None:
        """Let the agents of mandates that were recalled decide again."""
        members = [m.mandate for m in self._arena.roster.living() if m.mandate is not None]
        recalled = [mandate for mandate in members if mandate.status == "recalling"]
        await self._arena.set_mandates([replace(each, status="active", due_units=0) for each in recalled])

    async def _holders(self) -> list[Holder]:
        """Return the mandates that could be cut."""
        return [await self._holder(member) for member in self._arena.roster.living()]

    async def _holder(self, member: Member) -> Holder:
        statement = await self._capital.statement(member.born.agent)
        due_units = 0 if member.mandate is None else member.mandate.due_units
        return Holder(
            agent=member.born.agent,
            fitness_ppb=member.fitness_ppb,
            owned=statement.owned,
            due_units=due_units,
        )

    def _market(self, frame: MarketFrame) -> Market:
        return Market(
            universe=self._neighbours.features.universe,
            frame=frame,
            chain=self._rules.chain,
            least_micro_usd=self._rules.mandate_usd_min * MICRO_USD,
        )

    def _record(self, event: object, name: str) -> None:
        self._arena.record(event, why=f"withdrawal:{name}")
