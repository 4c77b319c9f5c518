"""The screen at the end of a run: plain text, 100 columns, for a treasurer who is no quant."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from treasury_actors.reports.numerals import UNKNOWN, count, decimal, dollars, exact_dollars, percent
from treasury_actors.reports.reach import reach_in_words
from treasury_actors.reports.sources import SOURCES, TREASURY, Source, by, by_asset, by_stage, total
from treasury_actors.reports.summary import LineFigures, Standing, Summary
from treasury_actors.reports.words import (
    LABEL_MEANS,
    LINES_MEAN,
    LIQUID_MEANS,
    PART_IS,
    demotions_in_words,
    luck_in_words,
    printable,
)

WIDTH = 100
LEADERS_MAX = 10
_AGENT_WIDTH = 24
_BAR_WIDTH = 24
_PPB = 10**9


def screen(summary: Summary) -> str:
    """Return the whole screen, newline at the end."""
    blocks = (
        _banner(summary),
        _became(summary),
        _leaderboard(summary),
        _lines(summary),
        _parts(summary),
        _sources(summary),
        _books(summary),
        _verdict(summary),
    )
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks) + "\n"


def _banner(summary: Summary) -> list[str]:
    rule, label = "═" * WIDTH, summary.label
    run_id = printable(summary.run_id)
    name = run_id if len(run_id) < WIDTH - len(label) - 4 else run_id[: WIDTH - len(label) - 5] + "…"
    return [rule, f" {label}{name:>{WIDTH - len(label) - 2}}", f" {LABEL_MEANS[label]}", rule]


def _became(summary: Summary) -> list[str]:
    """Say what went in and what came out."""
    capital, data, agents = summary.capital, summary.data, summary.agents
    gain = summary.attribution.gain_micro_usd
    taken = f", {dollars(capital.withdrawn_micro_usd)} taken out" if capital.withdrawn_micro_usd else ""
    speed = f" ({summary.speed_x:,.0f}x)" if summary.speed_x else ""
    start = agents.spawned - summary.births
    span = f"{data.start} to {data.end}: {count(data.frames, 'hourly frame')}, {printable(data.source)}"
    lives = (
        f"{count(start, 'agent')} began, {summary.births:,} were born, {summary.deaths:,} retired,"
        f" {agents.alive:,} live; {count(summary.generations, 'generation')} in"
        f" {count(len(summary.rounds), 'round')}"
    )
    frozen = f", of which {agents.frozen:,} frozen with what they hold" if agents.frozen else ""
    deeds = (
        f"{count(summary.trades, 'trade')} cost {dollars(capital.costs.total_micro_usd)};"
        f" {count(summary.rejections, 'refusal')}; {count(agents.crashed, 'crash', 'crashes')},"
        f" {count(agents.restarted, 'restart')}, {agents.quarantined:,} quarantined{frozen};"
        f" ran {summary.wall_s:.1f} s{speed}"
    )
    headline = (
        f" {dollars(capital.deposited_micro_usd)} put in{taken}, now {dollars(capital.nav_micro_usd)}:"
        f" {dollars(gain, signed=True)} ({percent(capital.return_ratio, signed=True)}),"
        f" at worst {percent(capital.max_drawdown_ratio)} below its peak"
    )
    facts = (span, lives, deeds, reach_in_words(summary.reach))
    return [headline, *(line for fact in facts for line in _wrapped(fact, indent=" "))]


def _leaderboard(summary: Summary) -> list[str]:
    """List the fittest, then total the dead."""
    leaders, living = summary.leaderboard[:LEADERS_MAX], len(summary.leaderboard)
    shown = f"the {len(leaders)} fittest of {living} living" if living > len(leaders) else f"{living} living"
    factors = [f"β {factor}" for factor in summary.skill.factors]
    header = [
        "#",
        "agent (family-number)",
        "days",
        "fitness",
        "adds",
        "return",
        "vs lend",
        "max dd",
        "trades",
        "costs",
    ]
    widths = [2, _AGENT_WIDTH, 4, 7, 7, 8, 8, 6, 6, 6, *(5 for _ in factors)]
    table = [_row([*header, *factors], widths)]
    table += [_row(_leader(place, standing, summary), widths) for place, standing in enumerate(leaders, 1)]
    grave = summary.graveyard
    dead = (
        f" the dead: {count(grave.count, 'agent')}, {dollars(grave.pnl_micro_usd, signed=True)} together,"
        f" after {dollars(grave.costs_micro_usd)} of costs in {count(grave.trades, 'trade')}:"
        " survivors flatter"
    )
    note = (
        f"fitness: as last ranked, {UNKNOWN} while the record is too short; adds: what the book of all is"
        " worth more with the agent, growth a year less risk; return: net of costs, time-weighted; vs lend:"
        " minus what Aave USDC returned over the same life; max dd: hourly; β: daily, over lending"
    )
    luck = _wrapped(luck_in_words(summary.champion), indent=" ")
    return [_heading("LEADERBOARD", shown), *table, dead, *luck, *_wrapped(note, indent=" ")]


def _leader(place: int, standing: Standing, summary: Summary) -> list[str]:
    betas = standing.betas or (None,) * len(summary.skill.factors)
    name = printable(standing.agent)
    return [
        str(place),
        name if len(name) <= _AGENT_WIDTH else name[: _AGENT_WIDTH - 1] + "…",
        f"{standing.days:.0f}",
        decimal(None if standing.fitness_ppb is None else standing.fitness_ppb / _PPB, 3),
        decimal(None if standing.adds_ppb is None else standing.adds_ppb / _PPB, 4),
        percent(standing.return_ratio, signed=True),
        percent(standing.against_lending_ratio, signed=True),
        percent(standing.max_drawdown_ratio),
        f"{standing.trades:,}",
        dollars(standing.costs.total_micro_usd),
        *(decimal(beta) for beta in betas),
    ]


def _lines(summary: Summary) -> list[str]:
    """Set the arena beside what the same money would have become elsewhere."""
    lending = summary.line("lending").result
    widths = [46, 12, 10, 9, 10, 6]
    header = ["", "NAV at end", "gain", "vs lend", "max dd", "liquid"]
    table = [_row(header, widths)]
    for line in summary.lines:
        if line.key == "arena":
            table.append(" " + "─" * (WIDTH - 2))
        table.append(_row(_line(line, summary, lending.nav_micro_usd if lending else None), widths))
    note = f"{LINES_MEAN}; liquid: {LIQUID_MEANS}."
    return [_heading("WHAT THE TREASURY WOULD HAVE BECOME", ""), *table, *_wrapped(note, indent=" ")]


def _line(line: LineFigures, summary: Summary, lending_micro_usd: int | None) -> list[str]:
    title = line.title.upper() if line.key == "arena" else line.title
    if line.result is None:
        return [title, "not computed", *[UNKNOWN] * 4]
    nav, capital = line.result.nav_micro_usd, summary.capital
    ahead = None if lending_micro_usd is None or line.key == "lending" else nav - lending_micro_usd
    return [
        title,
        dollars(nav),
        dollars(nav + capital.withdrawn_micro_usd - capital.deposited_micro_usd, signed=True),
        dollars(ahead, signed=True),
        percent(line.result.max_drawdown_ratio),
        percent(line.result.liquid_24h_ratio, places=0),
    ]


def _parts(summary: Summary) -> list[str]:
    """Split the gain, with bars."""
    attribution = summary.attribution
    largest = max(1, *(abs(micro) for _, micro in attribution.parts))
    rows = []
    for name, micro in attribution.parts:
        length = (abs(micro) * _BAR_WIDTH + largest // 2) // largest
        bar = ("░" if micro < 0 else "█") * length
        rows.append(
            f" {name:<10}{exact_dollars(micro, signed=True):>17}  {bar:<{_BAR_WIDTH}}  {PART_IS[name]}"
        )
    total = f" {'gain':<10}{exact_dollars(attribution.gain_micro_usd, signed=True):>17}"
    extra = dollars(summary.aggregate_impact_micro_usd, cents=True)
    note = f"Each order met its pool's whole depth; sharing it would have cost {extra} more."
    return [_heading("WHERE THE ARENA'S GAIN CAME FROM", ""), *rows, " " + "─" * 27, total, f" {note}"]


def _sources(summary: Summary) -> list[str]:
    """Add up who made what, by source: stages, then assets, then all."""
    widths = [12, *(9 for _ in SOURCES), 11]
    table = [_row(["", *SOURCES, "gain"], widths)]
    levels = (("stage", by_stage(summary.sources)), ("", by_asset(summary.sources)))
    for kind, rows in levels:
        for name, sums in rows.items():
            told = f"{kind} {name}" if kind and name != TREASURY else name
            table.append(_row(_made(told, sums), widths))
        table.append(" " + "─" * (WIDTH - 2))
    table.append(_row(_made("all", by(summary.sources, lambda _: TREASURY)[TREASURY]), widths))
    return [_heading("WHO MADE WHAT", "by source; to the micro-dollar, agents too, in sources.csv"), *table]


def _made(name: str, sums: Mapping[Source, int]) -> list[str]:
    cells = [dollars(sums[source], signed=True) if source in sums else "" for source in SOURCES]
    return [printable(name), *cells, dollars(total(sums), signed=True)]


def _books(summary: Summary) -> list[str]:
    """Say whether the record holds."""
    journal = summary.journal
    replay = {None: "not made", True: "yes", False: "NO"}[journal.replay_is_live]
    imbalances = "0" if not summary.imbalances else f"{len(summary.imbalances)}: {summary.imbalances[0]}"
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in summary.rejections_by_reason) or "none"
    rows = (
        ("entries", f"{journal.entries:,} in {count(journal.events, 'event')}"),
        ("imbalances", imbalances),
        ("replay = live", replay),
        ("refusals", f"{summary.rejections:,} ({reasons})" if summary.rejections else "0"),
        ("demotions", demotions_in_words(summary.demotions)),
        ("head hash", journal.head_hash),
        ("state hash", journal.state_hash),
    )
    lines: list[str] = []
    for name, said in rows:
        lines += _wrapped(f"{printable(said)}", indent=f" {name:<15}", hanging=" " * 16)
    return [_heading("BOOKS", printable(journal.path)), *lines]


def _verdict(summary: Summary) -> list[str]:
    verdict = summary.verdict
    lines = [_heading(f"VERDICT: {verdict.label}", "")]
    for reason in verdict.reasons:
        lines += _wrapped(reason, indent=" · ", hanging="   ")
    lines.append(" What to do next")
    for step in verdict.next_steps:
        lines += _wrapped(step, indent=" > ", hanging="   ")
    return lines


def _heading(title: str, aside: str) -> str:
    room = WIDTH - len(title) - 2
    aside = aside if len(aside) <= room else "…" + aside[len(aside) - room + 1 :]
    return f"{title}{aside:>{WIDTH - len(title)}}" if aside else title


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return one row: words to the left, numbers to the right."""
    left = {0, 1} if widths[0] < widths[1] else {0}
    set_cells = (
        f"{cell:<{width}}" if place in left else f"{cell:>{width}}"
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return " " + " ".join(set_cells)


def _wrapped(text: str, *, indent: str, hanging: str | None = None) -> Iterable[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_on_hyphens=False,
    )
