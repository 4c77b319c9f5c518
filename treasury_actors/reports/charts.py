"""
Small charts as inline SVG: lines, bands, stacked areas and bars, without a library.

Every chart carries the label of its run inside the picture, so that no cut-out of it can pass for more than
it is. Coordinates are printed with one decimal: the same numbers give the same bytes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

from treasury_actors.reports.numerals import typeset

WIDTH, HEIGHT = 640.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 12.0, 30.0, 28.0
_TICKS = 4
_BAR_HEIGHT = 34.0

Format = Callable[[float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    One line of a chart.

    Attributes:
        points: (x, y), x rising.
        colour: a CSS class of the page: `arena`, `lending`, …
        is_area: fill between the line and zero.
    """

    name: str
    points: Sequence[tuple[float, float]]
    colour: str
    is_area: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A filled band between two lines over the same x: a spread, or one layer of a stack."""

    name: str
    xs: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """
    What surrounds a chart.

    Attributes:
        label: of the run; printed inside the picture.
        x_marks: where the x axis is marked, and with what words.
        from_zero: whether the y axis must hold zero.
    """

    title: str
    label: str
    x_marks: Sequence[tuple[float, str]]
    y_format: Format
    from_zero: bool = False


def line_chart(frame: Frame, lines: Sequence[Line], bands: Sequence[Band] = ()) -> str:
    """Return an SVG of lines over bands; a chart without a single point says so."""
    ys = [y for line in lines for _, y in line.points]
    ys += [y for band in bands for side in (band.low, band.high) for y in side]
    xs = [x for line in lines for x, _ in line.points] + [x for band in bands for x in band.xs]
    if not ys:
        middle = f'<text class="empty" x="{WIDTH / 2:.0f}" y="{HEIGHT / 2:.0f}">no data yet</text>'
        return _svg(frame, HEIGHT, [middle])
    scale = _Scale(xs, [*ys, 0.0] if frame.from_zero else ys)
    parts = [*_grid(frame, scale)]
    for band in bands:
        outline = [*zip(band.xs, band.high, strict=True), *reversed([*zip(band.xs, band.low, strict=True)])]
        parts.append(f'<path class="band {band.colour}" d="{scale.path(outline)}Z"/>')
    for line in lines:
        if line.is_area and line.points:
            floor_y = min(max(0.0, scale.low), scale.high)
            closed = [(line.points[0][0], floor_y), *line.points, (line.points[-1][0], floor_y)]
            parts.append(f'<path class="band {line.colour}" d="{scale.path(closed)}Z"/>')
        parts.append(f'<path class="line {line.colour}" d="{scale.path(line.points)}"/>')
    return _svg(frame, HEIGHT, parts)


def stacked(names: Sequence[str], xs: Sequence[float], layers: Sequence[Sequence[float]]) -> list[Band]:
    """Return layers put on one another, the first at the bottom; colours run from `c0` to `c9`."""
    base = [0.0] * len(xs)
    bands = []
    for place, (name, layer) in enumerate(zip(names, layers, strict=True)):
        top = [below + value for below, value in zip(base, layer, strict=True)]
        bands.append(Band(name=name, xs=xs, low=base, high=top, colour=f"c{place % 10}"))
        base = top
    return bands


def bar_chart(frame: Frame, bars: Sequence[tuple[str, float, str]]) -> str:
    """Return an SVG of horizontal bars: (name, value, printed value); what is lost goes left of zero."""
    height = TOP + 10.0 + _BAR_HEIGHT * len(bars)
    low = min(0.0, *(value for _, value, _ in bars))
    high = max(0.0, *(value for _, value, _ in bars))
    left, right = 92.0, WIDTH - 120.0
    span = (high - low) or 1.0
    zero = left + (right - left) * (0.0 - low) / span
    parts = []
    for place, (name, value, printed) in enumerate(bars):
        top = TOP + 6.0 + place * _BAR_HEIGHT
        length = abs(value) / span * (right - left)
        start = zero if value >= 0 else zero - length
        colour = "gain" if value >= 0 else "loss"
        if place == len(bars) - 1:
            colour = "arena" if value >= 0 else "loss"
            parts.append(
                f'<line class="axis" x1="8" x2="{WIDTH - 8:.1f}" y1="{top - 3:.1f}" y2="{top - 3:.1f}"/>'
            )
        middle = top + _BAR_HEIGHT / 2 + 1
        place_of_bar = f'x="{start:.1f}" y="{top + 5:.1f}" width="{max(1.0, length):.1f}"'
        parts += [
            f'<text class="name" x="{left - 10:.1f}" y="{middle:.1f}">{escape(name)}</text>',
            f'<rect class="bar {colour}" {place_of_bar} height="{_BAR_HEIGHT - 12:.1f}"/>',
            f'<text class="value" x="{WIDTH - 8:.1f}" y="{middle:.1f}">{escape(typeset(printed))}</text>',
        ]
    parts.append(f'<line class="axis" x1="{zero:.1f}" x2="{zero:.1f}" y1="{TOP:.1f}" y2="{height - 4:.1f}"/>')
    return _svg(frame, height, parts)


def thinned(values: Sequence[float], most: int) -> list[tuple[float, float]]:
    """Return at most about `most` points (index, value), the largest of each stretch, and the last one."""
    step = max(1, -(-len(values) // most))
    points = []
    for begin in range(0, len(values), step):
        stretch = values[begin : begin + step]
        place = max(range(len(stretch)), key=stretch.__getitem__)
        points.append((float(begin + place), stretch[place]))
    if values and points[-1][0] != len(values) - 1:
        points.append((float(len(values) - 1), values[-1]))
    return points


def nice_ticks(low: float, high: float) -> list[float]:
    """Return round numbers that span [low, high], some four steps apart."""
    if high <= low:
        pad = abs(high) * 0.01 or 1.0
        low, high = low - pad, high + pad
    raw = (high - low) / _TICKS
    size = 10.0 ** floor(log10(raw))
    step = next(size * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if size * factor >= raw * 0.999)
    first, last = floor(low / step + 1e-9), -floor(-high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


class _Scale:
    """From values to places in the picture."""

    def __init__(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        self.ticks = nice_ticks(min(ys), max(ys))
        self.low, self.high = self.ticks[0], self.ticks[-1]
        self._first, self._width = min(xs), (max(xs) - min(xs)) or 1.0

    def x(self, value: float) -> float:
        """Return the place of an x."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - self._first) / self._width

    def y(self, value: float) -> float:
        """Return the place of a y; it grows downwards."""
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - self.low) / (self.high - self.low)

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        """Return the path through points."""
        return "M" + "L".join(f"{self.x(x):.1f} {self.y(y):.1f}" for x, y in points)


def _grid(frame: Frame, scale: _Scale) -> list[str]:
    """Return the lines and words of both axes."""
    parts = []
    for tick in scale.ticks:
        y = scale.y(tick)
        colour = "axis" if tick == 0.0 else "grid"
        parts.append(
            f'<line class="{colour}" x1="{LEFT:.1f}" x2="{WIDTH - RIGHT:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        words = escape(typeset(frame.y_format(tick)))
        parts.append(f'<text class="y" x="{LEFT - 8:.1f}" y="{y + 4:.1f}">{words}</text>')
    base = HEIGHT - BOTTOM
    for value, words in frame.x_marks:
        x = scale.x(value)
        if LEFT - 0.5 <= x <= WIDTH - RIGHT + 0.5:
            anchor = "start" if x < LEFT + 10.0 else "end" if x > WIDTH - RIGHT - 20.0 else "middle"
            parts.append(
                f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{base:.1f}" y2="{base + 4:.1f}"/>'
            )
            spot = f'text-anchor="{anchor}" x="{x:.1f}" y="{base + 18:.1f}"'
            parts.append(f'<text class="x" {spot}>{escape(words)}</text>')
    return parts


def _svg(frame: Frame, height: float, parts: Sequence[str]) -> str:
    """Return the picture, its label in the corner."""
    title, label = escape(f"{frame.title} · {frame.label}"), escape(frame.label)
    return (
        f'<svg role="img" aria-label="{title}" viewBox="0 0 {WIDTH:.0f} {height:.0f}"><title>{title}</title>'
        f'<text class="label" x="8" y="16">{label}</text>{"".join(parts)}</svg>'
    )
