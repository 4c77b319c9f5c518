"""The charts of a report, each with its caption and legend."""

from datetime import timedelta
from html import escape

from treasury_actors.agents.model.track import DAY_FRAMES
from treasury_actors.market.model.utc import EPOCH
from treasury_actors.reports.charts import Band, Frame, Line, bar_chart, line_chart, stacked, thinned
from treasury_actors.reports.history import History, RoundFitness
from treasury_actors.reports.numerals import dollars, exact_dollars
from treasury_actors.reports.summary import Summary

_MICRO = 1e6
_PPB = 1e9
_MARKS = 6
_POINTS_MOST = 720
_DRAWN = (
    ("equal_weight", "weight", "equal assets, held"),
    ("random_agents", "random", "random agents"),
    ("equal_agents", "agents", "equal agents, no allocator"),
    ("lending", "lending", "all lent at Aave USDC"),
    ("arena", "arena", "this arena"),
)


def nav_figure(summary: Summary, history: History) -> str:
    """Draw the treasury against lending, T-bills, and the same agents without an allocator."""
    lines = []
    for key, colour, name in _DRAWN:
        result = summary.line(key).result
        if key != "equal_weight" and result is not None and result.path_micro_usd:
            lines.append(Line(name=name, points=_daily(result.path_micro_usd), colour=colour))
    frame = Frame(
        title="Treasury NAV",
        label=summary.label,
        x_marks=_days(summary, history),
        y_format=lambda value: f"${value / 1e3:,.0f}k" if value >= 1e4 else f"${value:,.0f}",  # noqa: PLR2004
    )
    legend = [(line.colour, line.name) for line in reversed(lines)]
    said = "Everything the treasury owns at each day's prices, beside what the same money would have become."
    return _figure(frame.title, said, line_chart(frame, lines), legend)


def drawdown_figure(summary: Summary, history: History) -> str:
    """Draw how far the treasury stood below its peak."""
    points = [(x / DAY_FRAMES, -y) for x, y in thinned(history.drawdowns, _POINTS_MOST)]
    frame = Frame(
        title="Drawdown",
        label=summary.label,
        x_marks=_days(summary, history),
        y_format=lambda value: f"{value:.1%}",
        from_zero=True,
    )
    said = "How far hourly NAV stood below its highest value so far; deposits and withdrawals left out."
    line = Line(name="below the peak", points=points, colour="fall", is_area=True)
    return _figure(frame.title, said, line_chart(frame, [line] if points else []), [])


def parts_figure(summary: Summary) -> str:
    """Draw where the gain came from."""
    attribution = summary.attribution
    parts = [*attribution.parts, ("gain", attribution.gain_micro_usd)]
    bars = [(name, micro / _MICRO, dollars(micro, signed=True)) for name, micro in parts]
    frame = Frame(
        title="Where the gain came from", label=summary.label, x_marks=(), y_format=lambda value: f"{value:g}"
    )
    total = exact_dollars(attribution.gain_micro_usd, signed=True)
    said = f"The parts sum to {total} to the micro-dollar; the table beside says what each is."
    return _figure(frame.title, said, bar_chart(frame, bars), [])


def fitness_figure(summary: Summary, history: History) -> str:
    """Draw the spread of fitness at every round, marked with the generation it began."""
    generation = {held.turn: held.generation for held in history.rounds}
    ranked = [found for found in history.round_fitness if found.values_ppb]
    xs = [float(place) for place in range(len(ranked))]
    step = max(1, -(-len(ranked) // _MARKS))
    marks = [
        (x, f"gen {generation.get(found.frame, 0)}")
        for x, found in zip(xs, ranked, strict=True)
        if int(x) % step == 0
    ]
    frame = Frame(
        title="Fitness by generation",
        label=summary.label,
        x_marks=marks,
        y_format=lambda value: f"{value:.2f}",
        from_zero=True,
    )
    middle = Band(
        name="middle half",
        xs=xs,
        low=[_quantile(found, 0.75) for found in ranked],
        high=[_quantile(found, 0.25) for found in ranked],
        colour="arena",
    )
    lines = [
        Line(name=name, points=[*zip(xs, [_quantile(f, at) for f in ranked], strict=True)], colour=colour)
        for name, at, colour in (("best", 0.0, "best"), ("median", 0.5, "arena"))
    ]
    said = (
        "At each round, of everybody with a long enough record: best, median and middle half. The market"
        " moves it as much as breeding does."
    )
    legend = [(line.colour, line.name) for line in lines]
    return _figure(frame.title, said, line_chart(frame, lines, [middle]) if ranked else _empty(frame), legend)


def family_figure(summary: Summary, history: History) -> str:
    """Draw who had the capital, family by family, and what stayed in the pool."""
    by_size = sorted(history.family_days.items(), key=lambda item: (-sum(item[1]), item[0]))
    names = [*(name for name, _ in by_size), "in the pool"]
    layers = [[day / _MICRO for day in days] for _, days in by_size]
    layers.append([day / _MICRO for day in history.idle_days])
    xs = [float(day) for day in range(len(history.idle_days))]
    bands = stacked(names, xs, layers)
    if len(bands) > 1:
        bands[-1] = Band(name="in the pool", xs=xs, low=bands[-1].low, high=bands[-1].high, colour="c8")
    frame = Frame(
        title="Capital by family",
        label=summary.label,
        x_marks=_days(summary, history),
        y_format=lambda value: f"${value / 1e3:,.0f}k",
        from_zero=True,
    )
    said = "NAV of every family's agents at each day's close, on one another; on top what no agent had."
    legend = [(band.colour, band.name) for band in reversed(bands)]
    return _figure(frame.title, said, line_chart(frame, [], bands), legend, blocks=True)


def _empty(frame: Frame) -> str:
    return line_chart(frame, [])


def _quantile(found: RoundFitness, at: float) -> float:
    """Return the value at a share of the ranking, best first."""
    values = found.values_ppb
    return values[min(len(values) - 1, int(at * len(values)))] / _PPB


def _daily(path_micro_usd: tuple[int, ...]) -> list[tuple[float, float]]:
    """Return (day, dollars) at every day close and at the end."""
    last = len(path_micro_usd) - 1
    frames = [*range(0, last, DAY_FRAMES), last]
    return [(frame / DAY_FRAMES, path_micro_usd[frame] / _MICRO) for frame in frames]


def _days(summary: Summary, history: History) -> list[tuple[float, str]]:
    """Return some seven marks: dates, or mere day numbers where no such day ever was."""
    days = history.last_frame / DAY_FRAMES
    step = max(1, -(-int(days) // _MARKS))
    marks = []
    for day in range(0, int(days) + 1, step):
        moment = EPOCH + timedelta(microseconds=history.opened.start_ns // 1_000, days=day)
        words = f"day {day}" if summary.label == "GENERATED" else f"{moment.day} {moment:%b}"
        marks.append((float(day), words))
    return marks


def _figure(title: str, said: str, svg: str, legend: list[tuple[str, str]], *, blocks: bool = False) -> str:
    """Return a figure: title, what it shows, legend, picture."""
    keys = "".join(f'<li class="{colour}"><span>{escape(name)}</span></li>' for colour, name in legend)
    listed = f'<ul class="legend{" blocks" if blocks else ""}">{keys}</ul>' if legend else ""
    return (
        f"<figure><figcaption><h3>{escape(title)}</h3><p>{escape(said)}</p>{listed}</figcaption>"
        f'<div class="scroll">{svg}</div></figure>'
    )
