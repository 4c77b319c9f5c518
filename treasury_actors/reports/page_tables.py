"""The tables of a report page. Every cell is escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from treasury_actors.agents.model.track import DAY_FRAMES
from treasury_actors.reports.numerals import UNKNOWN, decimal, dollars, exact_dollars, percent, typeset
from treasury_actors.reports.sources import SOURCES, Source, total
from treasury_actors.reports.summary import Standing, Summary
from treasury_actors.reports.words import PART_MEANS

LEADERS_MAX = 15
LINEAGE_MAX = 6
LINEAGE_DEPTH_MAX = 3
_PPB = 10**9


def table(heads: Sequence[str], rows: Iterable[str], *, dense: bool = False) -> str:
    """Return a table in a box that scrolls sideways; a head that starts with `<` stands on the left."""
    cells = "".join(
        f'<th class="l">{escape(head[1:])}</th>' if head.startswith("<") else f"<th>{escape(head)}</th>"
        for head in heads
    )
    kind = "boxed scroll dense" if dense else "boxed scroll"
    return (
        f'<div class="{kind}"><table><thead><tr>{cells}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def row(cells: Sequence[str], *, left: int = 1, wide: int | None = None, kind: str = "") -> str:
    """Return one row: the first `left` cells stand on the left, cell `wide` may break into lines."""
    told = []
    for place, cell in enumerate(cells):
        name = "w" if place == wide else "l" if place < left else ""
        said = escape(cell if place < left else typeset(cell))
        told.append(f'<td class="{name}">{said}</td>' if name else f"<td>{said}</td>")
    return f'<tr class="{kind}">{"".join(told)}</tr>' if kind else f"<tr>{''.join(told)}</tr>"


def leaderboard(summary: Summary) -> str:
    """Return the fittest, and one line that totals the dead."""
    factors = [f"β {factor}" for factor in summary.skill.factors]
    heads = ["#", "<agent", "<family", "born", "days", "fitness", "adds", "net return", "against lending"]
    heads += ["max drawdown", "trades", "costs", *factors]
    rows = []
    for place, standing in enumerate(summary.leaderboard[:LEADERS_MAX], 1):
        betas = standing.betas or (None,) * len(factors)
        cells = [
            standing.agent,
            standing.family,
            f"day {standing.born_frame // DAY_FRAMES}",
            f"{standing.days:.0f}",
            _ratio(standing.fitness_ppb, 3),
            _ratio(standing.adds_ppb, 4),
            percent(standing.return_ratio, signed=True),
            percent(standing.against_lending_ratio, signed=True),
            percent(standing.max_drawdown_ratio),
            f"{standing.trades:,}",
            dollars(standing.costs.total_micro_usd, cents=True),
            *(decimal(beta) for beta in betas),
        ]
        rows.append(f"<tr><td>{place}</td>" + row(cells, left=2).removeprefix("<tr>"))
    grave = summary.graveyard
    words = (
        f"the dead: {grave.count:,}, {dollars(grave.pnl_micro_usd, signed=True)} together (survivors flatter)"
    )
    rows.append(
        f'<tr class="dead"><td></td><td class="l" colspan="9">{escape(words)}</td><td>{grave.trades:,}</td>'
        f"<td>{escape(dollars(grave.costs_micro_usd, cents=True))}</td>{'<td></td>' * len(factors)}</tr>"
    )
    return table(heads, rows, dense=True)


def benchmarks(summary: Summary) -> str:
    """Return what the treasury would have become."""
    lending, capital = summary.line("lending").result, summary.capital
    rows = []
    for line in summary.lines:
        kind = "sum" if line.key == "arena" else ""
        if line.result is None:
            rows.append(row([line.title, "not computed", *[UNKNOWN] * 5], kind=kind))
            continue
        nav = line.result.nav_micro_usd
        gain = nav + capital.withdrawn_micro_usd - capital.deposited_micro_usd
        ahead = None if lending is None or line.key == "lending" else nav - lending.nav_micro_usd
        cells = [
            line.title,
            dollars(nav),
            dollars(gain, signed=True),
            percent(line.result.return_ratio, signed=True),
            dollars(ahead, signed=True),
            percent(line.result.max_drawdown_ratio),
            percent(line.result.liquid_24h_ratio, places=0),
        ]
        rows.append(row(cells, kind=kind))
    heads = ["<", "NAV at the end", "gain", "return", "against lending", "max drawdown", "liquid in 24 h"]
    return table(heads, rows)


def parts(summary: Summary) -> str:
    """Return every part of the gain with its definition."""
    rows = [
        row([name, PART_MEANS[name], exact_dollars(micro, signed=True)], wide=1)
        for name, micro in summary.attribution.parts
    ]
    total = exact_dollars(summary.attribution.gain_micro_usd, signed=True)
    rows.append(
        row(["gain", "NAV at the end and withdrawals, minus what was put in", total], wide=1, kind="sum")
    )
    return table(["<part", "<what it is", "dollars"], rows)


def sources(level: str, rows: Mapping[str, Mapping[Source, int]], *, whole: bool) -> str:
    """Return what each of a level made by source; with a sum where the rows are all there are."""
    told = [row(_made(name, sums)) for name, sums in rows.items()]
    if whole:
        sums = {source: sum(each.get(source, 0) for each in rows.values()) for source in SOURCES}
        told.append(row(_made("all", sums), kind="sum"))
    return table([f"<{level}", *SOURCES, "gain"], told, dense=True)


def _made(name: str, sums: Mapping[Source, int]) -> list[str]:
    cells = [dollars(sums[source], signed=True, cents=True) if sums.get(source) else "" for source in SOURCES]
    return [name, *cells, dollars(total(sums), signed=True, cents=True)]


def families(summary: Summary) -> str:
    """Return every family: how many live, what they traded and made."""
    rows = [
        row(
            [
                family.name,
                f"{family.agents:,}",
                f"{family.born:,}",
                f"{family.trades:,}",
                dollars(family.nav_micro_usd),
                dollars(family.pnl_micro_usd, signed=True),
            ]
        )
        for family in summary.families
    ]
    own = dollars(summary.capital.own_pnl_micro_usd, signed=True)
    rows.append(row(["the treasury's idle cash and gas money", "", "", "", "", own], kind="dead"))
    return table(["<family", "living", "ever", "trades", "NAV of the living", "P&L of all"], rows)


def refusals(summary: Summary) -> str:
    """Return how often each reason said no."""
    rows = [row([reason, f"{number:,}"]) for reason, number in summary.rejections_by_reason]
    if summary.ended_early:
        rows.append(
            row(["order ended on a later step of its path (no rejection)", f"{summary.ended_early:,}"])
        )
    if summary.genomes_refused:
        rows.append(row(["genome that could not warm up (no rejection)", f"{summary.genomes_refused:,}"]))
    rows.append(row(["rejections in all", f"{summary.rejections:,}"], kind="sum"))
    return table(["<reason", "times"], rows)


def lineage(summary: Summary) -> str:
    """Return the ancestors of the fittest, as nested lists."""
    everybody = {standing.agent: standing for standing in (*summary.leaderboard, *summary.graveyard_rows)}

    def tree(standing: Standing, depth: int) -> str:
        parents = [everybody[parent] for parent in standing.parents if parent in everybody]
        below = "".join(tree(parent, depth + 1) for parent in parents) if depth < LINEAGE_DEPTH_MAX else ""
        older = f"<li><small>{len(parents)} more above</small></li>" if parents and not below else ""
        inner = f"<ul>{below}{older}</ul>" if below or older else ""
        return f"<li>{escape(standing.agent)} <small>{escape(_life(standing))}</small>{inner}</li>"

    items = "".join(tree(standing, 0) for standing in summary.leaderboard[:LINEAGE_MAX])
    return f'<div class="tree"><ul>{items}</ul></div>'


def _life(standing: Standing) -> str:
    """Return an agent's life in a few words."""
    came = "one of the first" if standing.operator == "initial" else f"by {standing.operator}"
    fate = "lives" if standing.died_frame is None else f"retired on day {standing.died_frame // DAY_FRAMES}"
    gained = percent(standing.return_ratio, signed=True)
    return (
        f"{came}, day {standing.born_frame // DAY_FRAMES}, generation {standing.generation}; {gained}, {fate}"
    )


def _ratio(ppb: int | None, places: int) -> str:
    return decimal(None if ppb is None else ppb / _PPB, places)
