"""What a rehearsal showed: every trade with hash, gas and slippage; the books beside the chain; the gate."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from treasury_actors.arena.model.graduation import Candidate, GateRules, Graduation, graduate
from treasury_actors.ids import AgentId, AssetId, FamilyId, OrderId
from treasury_actors.journal.event import Recorded
from treasury_actors.market.model.universe import Universe
from treasury_actors.money import MICRO_USD
from treasury_actors.reports.summary import Standing, Summary
from treasury_actors.trading.model.order import OrderEnded, OrderFilled, OrderRefused
from treasury_actors.trading.model.reconciliation import Reconciliation
from treasury_actors.trading.model.transaction import (
    IntentId,
    SlotId,
    TxConfirmed,
    TxMined,
    TxPlanned,
    TxReplaced,
    TxReverted,
    TxSent,
    call_intent,
)

LABEL = "REHEARSAL, SYNTHETIC LIQUIDITY"
BASELINES = frozenset({FamilyId("idle_cash")})
_BPS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """
    One executed hop on the chain.

    Attributes:
        block_number: the block it was mined in.
    """

    fill: OrderFilled
    tx_hash: str
    block_number: int

    @property
    def slippage_bps(self) -> float:
        """What it brought less than the independent price says, the pool's fee aside; negative is a gain."""
        value = self.fill.value_micro_usd
        return self.fill.impact_micro_usd / value * _BPS if value else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How many transactions were sent, counted at depth, reverted, and replaced by a dearer one."""

    sent: int
    confirmed: int
    reverted: int
    replaced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """
    Everything the report says.

    Attributes:
        refusals: orders that were refused, or ended without a fill, by reason.
        books: the comparison with the chain after the last block.
        attacks: of the sandwich attacker on our swaps.
    """

    node: str
    config_hash: str
    chain_id: int
    agents: int
    days: int
    trades: tuple[Trade, ...]
    traffic: Traffic
    gas_micro_usd: int
    refusals: Mapping[str, int]
    books: Reconciliation
    compared: bool
    graduation: Graduation
    attacks: int
    wall_s: float

    @property
    def books_are_equal(self) -> bool:
        """Whether the books equal the chain to the unit."""
        return self.compared and self.books.is_equal

    def slippages_bps(self, universe: Universe) -> list[float]:
        """Return the slippage of every swap."""
        steps = universe.conversion_by_id
        return [t.slippage_bps for t in self.trades if steps[t.fill.conversion].action == "swap"]


class TradeLog:
    """Reads a journal for what became of orders and transactions."""

    def __init__(self) -> None:
        self._intents: dict[SlotId, IntentId] = {}
        self._mined: dict[IntentId, TxMined] = {}
        self._fills: list[OrderFilled] = []
        self._sent: dict[SlotId, None] = {}
        self._counts = {"confirmed": 0, "reverted": 0, "replaced": 0}
        self.refusals: dict[str, int] = {}
        self.reverted_by: dict[AgentId, int] = {}
        self.gas_wei = 0

    def read(self, records: Iterable[Recorded]) -> "TradeLog":
        """Take in a whole journal."""
        for recorded in records:
            self._add(recorded.event)
        return self

    def _add(self, event: object) -> None:
        match event:
            case TxPlanned():
                self._intents[event.slot] = event.intent
            case TxSent():
                self._sent[event.slot] = None
            case TxMined():
                self._mined[self._intents[event.slot]] = event
            case TxConfirmed():
                self._counts["confirmed"] += 1
            case TxReplaced():
                self._counts["replaced"] += 1
            case TxReverted():
                self._counts["reverted"] += 1
                agent = AgentId(OrderId(event.intent).split("/", 1)[0])
                self.reverted_by[agent] = self.reverted_by.get(agent, 0) + 1
            case OrderFilled():
                self._fills.append(event)
                self.gas_wei += event.gas_wei
            case OrderEnded() | OrderRefused():
                self.refusals[event.reason] = self.refusals.get(event.reason, 0) + 1
                self.gas_wei += event.gas_wei if isinstance(event, OrderEnded) else 0
            case _:
                pass

    @property
    def traffic(self) -> Traffic:
        """How many transactions came how far."""
        return Traffic(
            sent=len(self._sent),
            confirmed=self._counts["confirmed"],
            reverted=self._counts["reverted"],
            replaced=self._counts["replaced"],
        )

    def trades(self) -> tuple[Trade, ...]:
        """Return every fill with the transaction that made it."""
        found = []
        for fill in self._fills:
            mined = self._mined[call_intent(fill.order_id, fill.hop)]
            found.append(Trade(fill=fill, tx_hash=mined.tx_hash, block_number=mined.block_number))
        return tuple(found)


def gate_of(summary: Summary, log: TradeLog, rules: GateRules) -> Graduation:
    """Return who would graduate, from the season's own report and the chain's receipts."""
    standings = [(each, True) for each in summary.leaderboard] + [
        (each, False) for each in summary.graveyard_rows
    ]
    return graduate([_candidate(standing, log, alive=alive) for standing, alive in standings], rules)


def to_json(rehearsed: Rehearsed, universe: Universe) -> str:
    """Return the report for scripts; ratios are numbers, money is dollars, undefined is null."""
    slippages = rehearsed.slippages_bps(universe)
    traffic = rehearsed.traffic
    content = {
        "label": LABEL,
        "node": rehearsed.node,
        "config_hash": rehearsed.config_hash,
        "chain_id": rehearsed.chain_id,
        "agents": rehearsed.agents,
        "days": rehearsed.days,
        "trades": len(rehearsed.trades),
        "transactions": {
            "sent": traffic.sent,
            "confirmed": traffic.confirmed,
            "reverted": traffic.reverted,
            "replaced": traffic.replaced,
        },
        "gas_usd": round(rehearsed.gas_micro_usd / MICRO_USD, 6),
        "slippage_bps": {
            "p50": round(median(slippages), 4) if slippages else None,
            "max": round(max(slippages), 4) if slippages else None,
        },
        "books": {"equal": rehearsed.books_are_equal, "differences": _differences(rehearsed.books)},
        "refusals": dict(sorted(rehearsed.refusals.items())),
        "sandwich_attacks": rehearsed.attacks,
        "graduates": list(rehearsed.graduation.graduates),
        "left_behind": list(rehearsed.graduation.left_behind),
        "vetoed": [
            {"agent": each.agent, "vetoes": list(each.vetoes)} for each in rehearsed.graduation.vetoed
        ],
        "wall_s": round(rehearsed.wall_s, 3),
    }
    return json.dumps(content, indent=2)


def trades_csv(trades: Sequence[Trade]) -> str:
    """Return every trade as a line: what, for whom, the hash, the gas, the slippage."""
    lines = [
        "agent,order,hop,conversion,given_units,taken_units,value_usd,slippage_bps,gas_wei,gas_usd,block,tx_hash"
    ]
    for trade in trades:
        fill = trade.fill
        lines.append(
            f"{fill.agent},{fill.order_id},{fill.hop},{fill.conversion},{fill.given_units},{fill.taken_units},"
            f"{fill.value_micro_usd / MICRO_USD:.6f},{trade.slippage_bps:.4f},{fill.gas_wei},"
            f"{fill.gas_micro_usd / MICRO_USD:.6f},{trade.block_number},{trade.tx_hash}"
        )
    return "\n".join(lines) + "\n"


def screen(rehearsed: Rehearsed, universe: Universe) -> str:
    """Return the report for people."""
    graduation, traffic = rehearsed.graduation, rehearsed.traffic
    sent = f"{traffic.sent} transactions: {traffic.confirmed} confirmed, {traffic.reverted} reverted"
    refused = ", ".join(f"{count} {reason}" for reason, count in sorted(rehearsed.refusals.items()))
    words = [
        f"{LABEL}: {rehearsed.agents} agents, {rehearsed.days} days of chain time on {rehearsed.node}",
        f"  trades      {len(rehearsed.trades)}, gas ${rehearsed.gas_micro_usd / MICRO_USD:,.2f}",
        f"  sent        {sent}, {traffic.replaced} replaced",
        f"  slippage    {_slippage_words(rehearsed.slippages_bps(universe))}",
        f"  attacks     {rehearsed.attacks} sandwiches around our swaps",
        f"  books       {_books_words(rehearsed)}",
        f"  refused     {refused or 'nothing'}",
        f"  graduates   {', '.join(graduation.graduates) or 'nobody'}",
        f"  left behind {', '.join(graduation.left_behind) or 'nobody'}",
    ]
    words += [f"  vetoed      {each.agent}: {', '.join(each.vetoes)}" for each in rehearsed.graduation.vetoed]
    words.append(
        "  The gate tests execution and books, not skill: of agents like these, half of those promoted by 30"
        " days at $1,000 are no better than those left behind."
    )
    return "\n".join(words)


def _slippage_words(slippages: Sequence[float]) -> str:
    """Return the median and the worst slippage, in words."""
    if not slippages:
        return "no swap was made"
    figures = f"median {median(slippages):.2f} bps, worst {max(slippages):.2f} bps of {len(slippages)} swaps"
    return f"{figures} against the independent price, pool fees aside"


def _books_words(rehearsed: Rehearsed) -> str:
    """Return whether the books equal the chain, in words."""
    if not rehearsed.compared:
        return "NOT COMPARED: something was still on its way"
    if rehearsed.books.is_equal:
        return "equal to the chain to the unit"
    gaps = [
        f"{gap['asset']} {gap['books']} in the books, {gap['chain']} there"
        for gap in _differences(rehearsed.books)
    ]
    return f"NOT EQUAL: {'; '.join(gaps)}"


def _differences(books: Reconciliation) -> list[dict[str, str]]:
    """Return what differs, in units as decimal strings."""
    return [
        {"asset": AssetId(gap.asset), "books": str(gap.expected), "chain": str(gap.found)}
        for gap in (*books.shortfalls, *books.surpluses)
    ]


def _candidate(standing: Standing, log: TradeLog, *, alive: bool) -> Candidate:
    """Return what the gate asks about one agent."""
    return Candidate(
        agent=standing.agent,
        days=standing.days,
        nav_days=int(standing.days),
        max_drawdown_ratio=standing.max_drawdown_ratio,
        failed_settlements=log.reverted_by.get(standing.agent, 0),
        trades=standing.trades,
        fitness_ppb=standing.fitness_ppb,
        return_ratio=standing.return_ratio,
        alive=alive,
        baseline=standing.family in BASELINES,
    )
