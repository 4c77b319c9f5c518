"""The report as one self-contained page: inline style, inline charts, nothing to load, nothing to run."""

import re
from collections.abc import Sequence
from html import escape

from treasury_actors.reports import page_charts, page_tables
from treasury_actors.reports.formulas import FORMULAS
from treasury_actors.reports.history import History
from treasury_actors.reports.numerals import UNKNOWN, count, decimal, dollars, percent, typeset
from treasury_actors.reports.page_style import STYLE
from treasury_actors.reports.reach import reach_in_words
from treasury_actors.reports.sources import by_agent, by_asset, by_stage, total
from treasury_actors.reports.summary import Skill, Summary
from treasury_actors.reports.words import (
    LABEL_MEANS,
    LINES_MEAN,
    LIQUID_MEANS,
    demotions_in_words,
    luck_in_words,
)

_CODE = re.compile("`([^`]*)`")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(summary: Summary, history: History) -> str:
    """
    Return the whole page as UTF-8 text.

    Whatever came from outside (names, sources, reasons) is escaped; the page's policy forbids scripts and
    every request, so even a hole in that would load nothing.
    """
    title = f"{summary.label} · {summary.run_id} · Treasury Arena"
    body = (
        _headline(summary, history),
        _figures(summary),
        _courses(summary, history),
        _elsewhere(summary),
        _gain(summary),
        _sources(summary),
        _population(summary, history),
        _books(summary),
        _assumptions(summary),
        _formulas(),
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{_band(summary)}<main>\n"
        + "\n".join(body)
        + f"\n<footer>{escape(title)}</footer></main></body></html>\n"
    )


def _band(summary: Summary) -> str:
    label = escape(summary.label)
    return (
        f'<header class="band-top"><div><span class="chip {label}">{label}</span>'
        f'<span class="means">{escape(LABEL_MEANS[summary.label])}</span>'
        f'<span class="run">{escape(summary.run_id)}</span></div></header>'
    )


def _headline(summary: Summary, history: History) -> str:
    """Say what became of the money, and what may be concluded."""
    capital, data, verdict = summary.capital, summary.data, summary.verdict
    gain = summary.attribution.gain_micro_usd
    taken = (
        f" {escape(dollars(capital.withdrawn_micro_usd))} were taken out."
        if capital.withdrawn_micro_usd
        else ""
    )
    births = f"{summary.births:,} were born, {summary.deaths:,} retired, {summary.agents.alive:,} live"
    lives = (
        f"{count(summary.agents.spawned - summary.births, 'agent')} began, {births};"
        f" {count(summary.generations, 'generation')} in {count(len(summary.rounds), 'round')},"
        f" {count(summary.trades, 'trade')}. Seed {summary.seed}."
    )
    label = escape(summary.label)
    became = f"{dollars(capital.deposited_micro_usd)} became {dollars(capital.nav_micro_usd)}"
    return (
        f'<section class="top"><div class="head"><h1><span class="chip {label}">{label}</span>'
        f"{escape(became)}</h1>"
        f'<p class="gain"><b>{_linked("gain", dollars(gain, signed=True))}</b>'
        f" ({_linked('return', percent(capital.return_ratio, signed=True))}) in {data.days:,.0f} days."
        f"{taken}</p>"
        f'<p class="sub">{escape(data.start)} to {escape(data.end)}, {count(data.frames, "hourly frame")};'
        f' {escape(data.source)}.</p><p class="sub">{escape(lives)}</p></div>'
        f'<div class="verdict {escape(verdict.label.replace(" ", "-"))}">'
        f"<h2>Verdict: {escape(verdict.label)}</h2>{_list(verdict.reasons)}"
        f"<h3>What to do next</h3>{_list(verdict.next_steps)}</div>"
        f"{page_charts.nav_figure(summary, history)}</section>"
    )


def _figures(summary: Summary) -> str:
    """Return the headline figures, each with its definition."""
    capital, skill = summary.capital, summary.skill
    arena, lending = summary.line("arena").result, summary.line("lending").result
    ahead = capital.nav_micro_usd - lending.nav_micro_usd if lending else None
    alpha, strength = _alpha(skill)
    grave = summary.graveyard
    told = (
        (
            "ahead",
            "Against lending",
            dollars(ahead, signed=True),
            "NAV minus that of the same money lent at Aave USDC.",
        ),
        (
            "drawdown",
            "Worst drawdown",
            percent(capital.max_drawdown_ratio),
            "Deepest fall of hourly NAV from its peak; deposits and withdrawals left out.",
        ),
        (
            "costs",
            "Costs of trading",
            dollars(capital.costs.total_micro_usd),
            "Pool fees, price impact, haircuts and gas, at each fill's own prices. All gains are after them.",
        ),
        (
            "exit",
            "Exit NAV",
            dollars(capital.exit_nav_micro_usd),
            "What selling everything into the reserve at the last frame would bring, before gas.",
        ),
        (
            "alpha",
            "Alpha a day",
            alpha,
            f"Daily return over lending that ETH and BTC don't explain; {strength}.",
        ),
        (
            "sharpe",
            "Sharpe over lending",
            decimal(skill.sharpe),
            f"Yearly, of daily returns; one standard error is ±{decimal(skill.sharpe_se, 1)}.",
        ),
        (
            "liquid",
            "Liquid in 24 h",
            percent(arena.liquid_24h_ratio if arena else None, places=0),
            f"Share that {LIQUID_MEANS}.",
        ),
        (
            "runway",
            "Runway, months",
            decimal(summary.reach.runway_months, 1),
            f"What is liquid in 24 h over what is spent a month. In all, {reach_in_words(summary.reach)}.",
        ),
        (
            "dead",
            "The dead",
            dollars(grave.pnl_micro_usd, signed=True),
            f"What {count(grave.count, 'retired agent')} made together; a leaderboard does not show them.",
        ),
    )
    return f'<dl class="figures">{"".join(_figure(*each) for each in told)}</dl>'


def _alpha(skill: Skill) -> tuple[str, str]:
    """Return alpha, and how sure it is with its betas."""
    fit = skill.regression
    if fit is None:
        return UNKNOWN, f"too few days. Betas: {UNKNOWN}"
    betas = ", ".join(f"{name} {decimal(b)}" for name, b in zip(skill.factors, fit.betas, strict=True))
    return f"{fit.alpha_day_ratio * 1e4:+.2f} bps", f"t = {decimal(fit.alpha_t, 1)}. Betas: {betas}"


def _figure(key: str, name: str, figure: str, means: str) -> str:
    """Return one headline figure: its name leads to its formula."""
    return (
        f"<div><dt>{_linked(key, name)}</dt>"
        f'<dd class="n{" loss" if figure.startswith("-") else ""}">{escape(typeset(figure))}</dd>'
        f'<dd class="d">{escape(means)}</dd></div>'
    )


def _courses(summary: Summary, history: History) -> str:
    fall, families = (
        page_charts.drawdown_figure(summary, history),
        page_charts.family_figure(summary, history),
    )
    return f'<h2>The course of the treasury</h2><div class="pair">{fall}{families}</div>'


def _elsewhere(summary: Summary) -> str:
    return (
        "<h2>What the treasury would have become</h2>"
        f"{page_tables.benchmarks(summary)}"
        f'<p class="note">Every line: {escape(LINES_MEAN)}. Lending is sold at the end, equal assets are not.'
        f" Liquid: {escape(LIQUID_MEANS)}.</p>"
    )


def _gain(summary: Summary) -> str:
    """Show the parts of the gain."""
    extra = dollars(summary.aggregate_impact_micro_usd, cents=True)
    exposures = "; ".join(
        f"{factor.name}: mean exposure {dollars(factor.mean_exposure_micro_usd)}, return"
        f" {percent(factor.return_ratio, signed=True)}, beta {dollars(factor.beta_micro_usd, signed=True)}"
        for factor in summary.attribution.factors
    )
    note = (
        f"{exposures}. Each order met its pool's whole depth; had orders of one frame shared it, price impact"
        f" would have cost {extra} more."
    )
    return (
        f'<h2>{_linked("beta", "Where the gain came from")}</h2><div class="pair uneven">'
        f'<div>{page_charts.parts_figure(summary)}<p class="note">{escape(note)}</p></div>'
        f"<div>{page_tables.parts(summary)}</div></div>"
    )


def _sources(summary: Summary) -> str:
    """Show who made what, by source, at every level; every table adds up to the gain."""
    agents = by_agent(summary.sources)
    shown = dict(sorted(agents.items(), key=lambda item: (-abs(total(item[1])), item[0])))
    most = dict(list(shown.items())[: page_tables.LEADERS_MAX])
    tables = (
        ("stage", by_stage(summary.sources)),
        ("asset", by_asset(summary.sources)),
        (f"agent, the {len(most)} of {len(agents)} that won or lost most", most),
    )
    told = "".join(page_tables.sources(name, rows, whole=name[:5] != "agent") for name, rows in tables)
    return (
        f"<h2>{_linked('sources', 'Who made what')}</h2>{told}"
        '<p class="note">To the micro-dollar and for every agent: <code>sources.csv</code>.</p>'
    )


def _formulas() -> str:
    """Say how each figure is computed, where links lead."""
    told = "".join(
        f'<dt id="formula-{each.key}">{escape(each.name)}</dt>'
        f"<dd>{_with_code(each.formula)} Entries: {_with_code(each.entries)}.</dd>"
        for each in FORMULAS
    )
    return f'<h2>How each figure is computed</h2><dl class="terms">{told}</dl>'


def _linked(key: str, name: str) -> str:
    """Return a name that leads to its formula on this page."""
    return f'<a href="#formula-{key}">{escape(name)}</a>'


def _population(summary: Summary, history: History) -> str:
    """Show the agents: who leads, how they came about, who had the money."""
    shown, living = min(page_tables.LEADERS_MAX, len(summary.leaderboard)), len(summary.leaderboard)
    note = (
        f"{shown} of {living} living, by fitness as last ranked ({UNKNOWN} while the record is too short)."
        " Adds: what the book of all agents is worth more with this one, growth a year less risk."
        " Net return: what one dollar left with the agent gained after all costs, capital that came and went"
        " aside. Against lending: minus what Aave USDC returned over the same life. β: daily returns over"
        " lending regressed on those of ETH and BTC; none under 20 days. Nothing shorter than 365 days is"
        " annualised."
    )
    return (
        f"<h2>{_linked('fitness', 'Leaderboard')}</h2>{page_tables.leaderboard(summary)}"
        f'<p class="note">{_linked("champion", luck_in_words(summary.champion))}</p>'
        f'<p class="note">{escape(note)}</p>'
        '<h2>Evolution</h2><div class="pair uneven">'
        f"{page_charts.fitness_figure(summary, history)}<div>{page_tables.families(summary)}</div></div>"
        f"<h2>Where the fittest come from</h2>{page_tables.lineage(summary)}"
    )


def _books(summary: Summary) -> str:
    """Show whether the record holds, and every no."""
    journal = summary.journal
    replay = {None: "not made in this run", True: "equal", False: "DIFFERENT"}[journal.replay_is_live]
    balance = (
        "every asset sums to zero over all accounts" if not summary.imbalances else summary.imbalances[0]
    )
    agents = summary.agents
    rows = [
        ("Entries", f"{journal.entries:,} ledger entries in {count(journal.events, 'event')}"),
        ("Imbalances", f"{len(summary.imbalances)}: {balance}"),
        ("Replay and live state", replay),
        (
            "Crashes",
            f"{agents.crashed:,}; restarts {agents.restarted:,}; quarantined {agents.quarantined:,}"
            + (f"; frozen {agents.frozen:,}" if agents.frozen else ""),
        ),
        ("Demotions", demotions_in_words(summary.demotions)),
        ("Head hash", journal.head_hash),
        ("State hash", journal.state_hash),
        ("Data hash", summary.data.hash),
        ("Journal", journal.path),
    ]
    rows += [(f"Trading, frame {frame}", change) for frame, change in summary.states]
    return (
        f"<h2>Books</h2>{_terms(rows)}<h2>Refusals</h2>"
        f'<div class="narrow">{page_tables.refusals(summary)}</div>'
        '<p class="note">Refused orders, orders that ended without a fill, capital the pool could not pay;'
        " each with its detail in <code>refusals.csv</code>.</p>"
    )


def _assumptions(summary: Summary) -> str:
    notes = summary.notes or ("The season states none.",)
    return f"<h2>What these figures rest on</h2>{_list(notes, 'list')}"


def _list(items: Sequence[str], kind: str = "") -> str:
    told = "".join(f"<li>{_with_code(item)}</li>" for item in items)
    return f'<ul class="{kind}">{told}</ul>' if kind else f"<ul>{told}</ul>"


def _with_code(text: str) -> str:
    """Return escaped text in which what stands between backticks is set as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _terms(rows: Sequence[tuple[str, str]]) -> str:
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in rows)
    return f'<dl class="terms">{told}</dl>'
