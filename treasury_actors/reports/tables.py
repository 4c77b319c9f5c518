"""The rows behind a report, as CSV: same journal, same bytes."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from treasury_actors.arena.model.events import CapitalRefused, GenomeRefused
from treasury_actors.market.model.frame import Season
from treasury_actors.market.model.utc import utc_text
from treasury_actors.money import usd
from treasury_actors.reports.history import History, Refusal
from treasury_actors.reports.summary import Summary
from treasury_actors.trading.model.order import OrderEnded, OrderRefused

Cell = str | int | float | bool | None

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def trades_csv(history: History) -> str:
    """Return one row for every executed hop, in the order of the journal."""
    header = (
        "frame,agent,order,hop,conversion,source,target,given_units,taken_units,value_usd,fee_usd,impact_usd,"
        "gas_usd,partial"
    )
    return _csv(
        header,
        (
            (
                fill.frame,
                fill.filled.agent,
                fill.filled.order_id,
                fill.filled.hop,
                fill.filled.conversion,
                fill.filled.source,
                fill.filled.target,
                fill.filled.given_units,
                fill.filled.taken_units,
                _usd(fill.filled.value_micro_usd),
                _usd(fill.filled.fee_micro_usd),
                _usd(fill.filled.impact_micro_usd),
                _usd(fill.filled.gas_micro_usd),
                fill.filled.partial,
            )
            for fill in history.fills
        ),
    )


def nav_csv(history: History, summary: Summary, season: Season) -> str:
    """Return one row for every frame: the treasury and the lines it is held against."""
    keys = [line.key for line in summary.lines if line.key != "arena"]
    paths = [
        line.result.path_micro_usd if line.result else () for line in summary.lines if line.key != "arena"
    ]
    header = "frame,time,nav_usd,exit_nav_usd,drawdown," + ",".join(f"{key}_usd" for key in keys)
    return _csv(
        header,
        (
            (
                index,
                utc_text(season.frame(index).time_ns),
                _usd(nav),
                _usd(history.exit_nav_micro_usd[index]),
                history.drawdowns[index],
                *(_usd(path[index]) if index < len(path) else None for path in paths),
            )
            for index, nav in enumerate(history.nav_micro_usd)
        ),
    )


def refusals_csv(history: History) -> str:
    """
    Return one row for every no, in the order of the journal.

    `kind`: `order` refused before anything was held; `ended` without any fill; `ended_after_fill` on a later
    step of its path; `capital` not allotted; `genome` that can't warm up. The first, second and fourth are
    what the summary counts as rejections. `path` is what the order would have converted.
    """
    rows = (_refusal(frame, refusal, history) for frame, refusal in history.refusals)
    return _csv("frame,kind,agent,order,reason,path,units,detail", rows)


def sources_csv(summary: Summary) -> str:
    """Return one row for what every owner made of an asset from a source; the last is the rounding."""
    return _csv(
        "stage,agent,asset,source,gain_usd",
        (
            (line.stage, line.agent or "", line.asset, line.source, _usd(line.micro_usd))
            for line in summary.sources
        ),
    )


def graveyard_csv(summary: Summary) -> str:
    """Return one row for every agent that was retired, in the order of their deaths."""
    header = (
        "agent,family,born,died,generation,parents,reason,pnl_usd,return,against_lending,max_drawdown,trades,"
        "swap_fees_usd,impact_usd,gas_usd"
    )
    return _csv(
        header,
        (
            (
                dead.agent,
                dead.family,
                dead.born_frame,
                dead.died_frame,
                dead.generation,
                " ".join(dead.parents),
                dead.died,
                _usd(dead.pnl_micro_usd),
                dead.return_ratio,
                dead.against_lending_ratio,
                dead.max_drawdown_ratio,
                dead.trades,
                _usd(dead.costs.fee_micro_usd),
                _usd(dead.costs.impact_micro_usd),
                _usd(dead.costs.gas_micro_usd),
            )
            for dead in summary.graveyard_rows
        ),
    )


def _refusal(frame: int, refusal: Refusal, history: History) -> Sequence[Cell]:
    """Return the row of one no."""
    match refusal:
        case OrderRefused():
            order, why = refusal.order, (refusal.reason, " ".join(refusal.order.path))
            return frame, "order", order.agent, order.order_id, *why, order.units, refusal.detail
        case OrderEnded():
            accepted = history.orders.get(refusal.order_id)
            kind = "ended_after_fill" if refusal.hop else "ended"
            path = " ".join(accepted.path) if accepted else ""
            units = accepted.units if accepted else None
            return frame, kind, refusal.agent, refusal.order_id, refusal.reason, path, units, refusal.detail
        case CapitalRefused():
            detail = f"the pool had {refusal.free_units} to give"
            return frame, "capital", refusal.agent, "", refusal.reason, "", refusal.wanted_units, detail
        case GenomeRefused():
            needs = f"needs {refusal.warmup_h} h of history, there are {refusal.history_h}"
            return frame, "genome", refusal.family, "", "too_little_history", "", None, needs


def _csv(header: str, rows: Iterable[Sequence[Cell]]) -> str:
    """Return rows under a header; unknown is an empty cell."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


class _Figure(str):
    """A number that was printed already: a leading minus is its sign."""

    __slots__ = ()


def _usd(micro_usd: int) -> _Figure:
    return _Figure(usd(micro_usd))


def _cell(cell: Cell) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float | _Figure):
        return str(cell)
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
