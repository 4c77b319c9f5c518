"""Withdrawals that mandates are cut for, as a daemon plans, begins, tells and ends them between two turns."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from treasury_actors.arena.messages import BeginWithdrawal, CancelWithdrawal, PlanWithdrawal
from treasury_actors.arena.model.spending import Spending
from treasury_actors.arena.model.withdrawal import (
    Cut,
    Standing,
    Wanted,
    WithdrawalPlanned,
    WithdrawalRefused,
)
from treasury_actors.clock import HOUR_NS
from treasury_actors.daemon.requests import BringHome, EndWithdrawal, Reply, refused
from treasury_actors.ids import AssetId
from treasury_actors.ledger.model import PROMISED, Book
from treasury_actors.market.model.frame import MarketFrame
from treasury_actors.market.model.shipped import MAINNET
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import Asset, usd
from treasury_actors.trading.model.liquidity import Liquidity, liquidity
from treasury_actors.wiring.house import House

ASK_TIMEOUT_S = 30.0
_SPAN = re.compile(r"\+([1-9][0-9]{0,3})([hd])")
_HOURS_OF = {"h": 1, "d": 24}


def deadline_ns(text: str, now_ns: int) -> int:
    """
    Return the time of `2025-01-31T12:00Z`, UTC where no zone is named, or of `+24h` or `+7d` from now.

    Raises:
        ValueError: it is neither, or a time no journal can hold.
    """
    span = _SPAN.fullmatch(text)
    if span is not None:
        return now_ns + int(span[1]) * _HOURS_OF[span[2]] * HOUR_NS
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"by {text!r:.40}: write a time such as 2025-01-31T12:00Z, or +24h, +7d") from None
    zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    if not 1970 < zoned.year < 2262:  # noqa: PLR2004  what nanoseconds in 64 bits can say
        raise ValueError(f"by {text!r:.40}: allowed are the years 1971 to 2261")
    return int(zoned.timestamp()) * 10**9


async def bring_home(request: BringHome, house: House, frame: MarketFrame) -> Reply:
    """Plan a withdrawal at the last frame, or begin it; durable when it returns."""
    try:
        by_ns = deadline_ns(request.by, frame.time_ns)
    except ValueError as error:
        return refused("bad_request", str(error))
    wanted = Wanted(
        withdrawal=request.withdrawal,
        asset=request.asset,
        units=request.units,
        by_ns=by_ns,
        reason=request.reason,
    )
    records = house.fold.records
    if request.begins:
        began = BeginWithdrawal(frame=frame, wanted=wanted, plan=request.plan)
        reply = await house.arena.ask(began, timeout_s=ASK_TIMEOUT_S)
        await house.journal.flush()
    else:
        reply = await house.arena.ask(PlanWithdrawal(frame=frame, wanted=wanted), timeout_s=ASK_TIMEOUT_S)
    if isinstance(reply, WithdrawalRefused):
        return {**refused("refused", reply.detail), "reason": reply.reason}
    held_up = reply.cuts and records.latch.state == "stopped"
    standing = records.roster.withdrawals.known.get(request.withdrawal)
    return {
        "ok": True,
        **plan_object(reply, house.features.universe),
        "status": "planned" if standing is None else standing.status,
        "liquid": liquidity_object(
            treasury_liquidity(records.book, house.features.universe, frame), house.rules.arena.spending
        ),
        "note": "trading is stopped: nothing is sold until an operator resumes" if held_up else "",
    }


async def end_withdrawal(request: EndWithdrawal, house: House, frame: MarketFrame) -> Reply:
    """Cancel a withdrawal; durable when it returns."""
    if request.paid:
        why = "end the process first: it compares books and wallet at every turn, and a payment would stop it"
        return {**refused("refused", why), "reason": "still_running"}
    message = CancelWithdrawal(frame=frame, withdrawal=request.withdrawal, reason=request.reason)
    reply = await house.arena.ask(message, timeout_s=ASK_TIMEOUT_S)
    await house.journal.flush()
    if isinstance(reply, WithdrawalRefused):
        return {**refused("refused", reply.detail), "reason": reply.reason}
    return {"ok": True, "withdrawal": request.withdrawal, "status": "cancelled", "journalled": True}


def plan_object(planned: WithdrawalPlanned, universe: Universe) -> dict[str, object]:
    """Return a plan for a script; money as decimal strings."""
    asset = universe.by_id[planned.asset]
    return {
        "withdrawal": planned.withdrawal,
        "plan": planned.plan,
        "asset": planned.asset,
        "amount": asset.format(planned.units),
        "by": _utc(planned.by_ns),
        "reason": planned.reason,
        "idle": [{"account": each.account, "amount": asset.format(each.units)} for each in planned.idle],
        "cuts": [_cut_object(cut, asset) for cut in planned.cuts],
        "exit_cost_usd": usd(planned.cost_micro_usd),
        "home_h": planned.home_h,
    }


def withdrawal_object(standing: Standing | None, book: Book) -> dict[str, object] | None:
    """Return how far the open withdrawal is; None if none is open."""
    if standing is None:
        return None
    planned = standing.planned
    asset = MAINNET.by_id[planned.asset]
    return {
        "withdrawal": planned.withdrawal,
        "status": standing.status,
        "asset": planned.asset,
        "amount": asset.format(planned.units),
        "home": asset.format(book.units(PROMISED, planned.asset)),
        "by": _utc(planned.by_ns),
        "late": standing.late,
        "cuts": len(standing.cuts),
    }


def treasury_liquidity(book: Book, universe: Universe, frame: MarketFrame) -> Liquidity:
    """Return what the whole treasury could bring, and when; what is promised to a withdrawal aside."""
    owned: dict[AssetId, int] = book.totals()
    for asset, units in book.balances(PROMISED).items():
        owned[asset] -= units
    return liquidity(universe, owned.items(), frame)


def liquidity_object(found: Liquidity, spending: Spending) -> dict[str, object]:
    """Return what is liquid when, each span with the shorter ones in it, and for how long that lasts."""
    return {
        "now_usd": usd(found.now_micro_usd),
        "24h_usd": usd(found.day_micro_usd),
        "7d_usd": usd(found.week_micro_usd),
        "locked_usd": usd(found.locked_micro_usd),
        "runway_months": spending.runway_months(found.day_micro_usd),
        "floor_usd": usd(spending.floor_micro_usd),
    }


def plan_lines(answer: Mapping[str, object]) -> list[str]:
    """Return a plan for a person: whose capital is cut, what that costs, and what is home when."""
    idle, cuts, liquid = answer["idle"], answer["cuts"], answer["liquid"]
    assert isinstance(idle, list)
    assert isinstance(cuts, list)
    assert isinstance(liquid, dict)
    lines = [
        f"withdraw {answer['amount']} {answer['asset']} by {answer['by']}: {answer['status']}",
        f"plan {answer['plan']}: home in {answer['home_h']} h, exits cost {_cents(answer['exit_cost_usd'])}",
    ]
    lines += [f"{'at once':<10} {each['amount']:>22}  {each['account']}, idle" for each in idle]
    for cut in cuts:
        ends = ", and its mandate closes" if cut["closes"] else ""
        cost = f"exit costs {_cents(cut['cost_usd'])}"
        lines.append(f"in {cut['home_h']:>3} h   {cut['amount']:>22}  {cut['agent']}: {cost}{ends}")
    lines.append(
        f"liquid before it: {_cents(liquid['now_usd'])} now, {_cents(liquid['24h_usd'])} in 24 h,"
        f" {_cents(liquid['7d_usd'])} in 7 d, {_cents(liquid['locked_usd'])} locked"
    )
    if liquid["runway_months"] is not None:
        lines.append(f"runway before it: {liquid['runway_months']:.1f} months of what is liquid in 24 h")
    note = answer["note"]
    return [*lines, str(note)] if note else lines


def _cut_object(cut: Cut, asset: Asset) -> dict[str, object]:
    return {
        "agent": cut.agent,
        "amount": asset.format(cut.units),
        "closes": cut.closes,
        "cost_usd": usd(cut.cost_micro_usd),
        "home_h": cut.home_h,
    }


def _cents(usd_text: object) -> str:
    """Return exact dollars for a person, to the cent."""
    return f"${Decimal(str(usd_text)):,.2f}"


def _utc(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 10**9, tz=UTC).isoformat().replace("+00:00", "Z")
